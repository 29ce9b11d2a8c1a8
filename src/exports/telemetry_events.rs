//! `telemetry/events.json`: what happened in the runtime lately.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{
    Content, Export, Meta, SCHEMA_VERSION, Sources, Visibility, WithMeta, schema_of, to_bytes,
};
use crate::{model::Timestamp, telemetry::Severity};

/// The file.
pub const EXPORT: Export = Export {
    path: "telemetry/events.json",
    visibility: Visibility::Public,
    description: "What happened in the runtime lately.",
    json_schema: schema_of::<WithMeta<TelemetryEvents>>,
    content: Content::Live(render),
};

/// What happened in the runtime lately.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TelemetryEvents {
    /// Of this shape.
    #[schemars(extend("const" = "v1"))]
    schema_version: &'static str,
    /// When the file was made.
    generated_at: Timestamp,
    /// The newest 200, newest last.
    #[schemars(length(max = 200))]
    events: Vec<Entry>,
}

/// Something that happened.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// When.
    timestamp: Timestamp,
    /// Which part of the runtime.
    source: String,
    /// How much it matters.
    #[schemars(extend("enum" = ["info", "warning", "error"]))]
    severity: &'static str,
    /// One sentence.
    message: String,
}

fn render(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let events = sources.telemetry.recent.list_events();
    let events = events.into_iter().map(|it| Entry {
        timestamp: it.at,
        source: it.source,
        severity: Severity::as_str(it.severity),
        message: it.message,
    });
    let fields = TelemetryEvents {
        schema_version: SCHEMA_VERSION,
        generated_at: now,
        events: events.collect(),
    };
    to_bytes(&WithMeta { meta: Meta::new(EXPORT.path, EXPORT.visibility, now), fields })
}
