//! `telemetry/rates.json`: how much happened in the last minutes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::{
    model::{Platform, Timestamp},
    telemetry::{Rate, Rates},
};

/// The file.
pub const EXPORT: Export = Export {
    path: "telemetry/rates.json",
    visibility: Visibility::Public,
    description: "Messages, triggers and actions of the last minutes, per platform.",
    json_schema: schema_of::<WithMeta<TelemetryRates>>,
    content: Content::Live(render),
};

/// How much happened in the last minutes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TelemetryRates {
    /// Shortest first.
    windows: Vec<Window>,
}

/// A stretch of time up to now.
#[derive(Debug, Serialize, JsonSchema)]
struct Window {
    /// How long.
    #[schemars(extend("enum" = ["60s", "5m"]))]
    window: &'static str,
    /// What was counted in it.
    metrics: Metrics,
}

/// Counts per platform; every platform is there.
#[derive(Debug, Serialize, JsonSchema)]
struct Metrics {
    /// Chat messages.
    messages: BTreeMap<&'static str, u64>,
    /// Triggers that matched.
    triggers: BTreeMap<&'static str, u64>,
    /// Actions carried out.
    actions: BTreeMap<&'static str, u64>,
    /// Actions that failed.
    actions_failed: BTreeMap<&'static str, u64>,
}

impl Metrics {
    fn of(rates: &Rates, seconds: u64) -> Self {
        let per_platform = |rate| {
            let sums = rates.sum(rate, seconds);
            let count = |it: Platform| (it.as_str(), sums.get(&it).copied().unwrap_or(0));
            Platform::ALL.into_iter().map(count).collect()
        };
        Self {
            messages: per_platform(Rate::Messages),
            triggers: per_platform(Rate::Triggers),
            actions: per_platform(Rate::Actions),
            actions_failed: per_platform(Rate::ActionsFailed),
        }
    }
}

fn render(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let windows = [("60s", 60), ("5m", 300)].map(|(window, seconds)| Window {
        window,
        metrics: Metrics::of(&sources.telemetry.rates, seconds),
    });
    let meta = Meta::new(EXPORT.path, EXPORT.visibility, now);
    to_bytes(&WithMeta { meta, fields: TelemetryRates { windows: windows.into() } })
}
