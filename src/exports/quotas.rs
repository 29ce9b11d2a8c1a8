//! `state/quotas.json`: what is left of the platforms' daily allowances, and until when it lasts.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::{model::Timestamp, quotas::Snapshot};

/// The file.
pub const EXPORT: Export = Export {
    path: "state/quotas.json",
    visibility: Visibility::DashboardOnly,
    description: "What was spent of the platforms' daily allowances, per creator and platform.",
    json_schema: schema_of::<WithMeta<QuotasState>>,
    content: Content::Live(render),
};

/// What was spent.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QuotasState {
    /// Those of which something was spent today, in the order of creators.
    quotas: Vec<Snapshot>,
}

fn render(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let quotas = sources.quotas.as_ref().map(|it| it.list(now)).unwrap_or_default();
    let meta = Meta::new(EXPORT.path, EXPORT.visibility, now);
    to_bytes(&WithMeta { meta, fields: QuotasState { quotas } })
}
