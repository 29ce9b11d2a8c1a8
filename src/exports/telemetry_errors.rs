//! `telemetry/errors.json`: what failed in the runtime lately.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::model::Timestamp;

/// The file.
pub const EXPORT: Export = Export {
    path: "telemetry/errors.json",
    visibility: Visibility::Public,
    description: "What failed in the runtime lately.",
    json_schema: schema_of::<WithMeta<TelemetryErrors>>,
    content: Content::Live(render),
};

/// What failed in the runtime lately.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TelemetryErrors {
    /// The newest 200, newest last.
    #[schemars(length(max = 200))]
    errors: Vec<Entry>,
}

/// Something that failed.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// When.
    timestamp: Timestamp,
    /// Which module.
    subsystem: &'static str,
    /// A stable word for the kind.
    error_type: &'static str,
    /// What it concerns, e.g. a channel or a file.
    source: String,
    /// One line.
    message: String,
}

fn render(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let errors = sources.telemetry.recent.list_errors();
    let errors = errors.into_iter().map(|it| Entry {
        timestamp: it.at,
        subsystem: it.subsystem,
        error_type: it.error_type,
        source: it.source,
        // What stands below the first line of an error is a stack trace, or might as well be.
        message: it.message.lines().next().unwrap_or_default().to_owned(),
    });
    let fields = TelemetryErrors { errors: errors.collect() };
    to_bytes(&WithMeta { meta: Meta::new(EXPORT.path, EXPORT.visibility, now), fields })
}
