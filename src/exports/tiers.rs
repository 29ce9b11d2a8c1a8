//! `state/tiers.json`: what each tier allows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{
    Content, Export, Meta, SCHEMA_VERSION, Visibility, WithMeta, schema_of, to_bytes,
};
use crate::{accounts::Accounts, config::tiers::TierTerms, model::Timestamp};

/// The file.
pub const EXPORT: Export = Export {
    path: "state/tiers.json",
    visibility: Visibility::DashboardOnly,
    description: "What each tier allows, as it is in force.",
    json_schema: schema_of::<WithMeta<TiersState>>,
    content: Content::OfAccounts(render),
};

/// What each tier allows.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TiersState {
    /// Of the shape.
    version: &'static str,
    /// When the file was made.
    generated_at: Timestamp,
    /// By id.
    tiers: BTreeMap<String, TierTerms>,
}

fn render(accounts: &Accounts, now: Timestamp) -> Option<Vec<u8>> {
    let book = accounts.book();
    let tiers = book.tiers().all().iter().map(|it| (it.id.clone(), it.clone())).collect();
    let fields = TiersState { version: SCHEMA_VERSION, generated_at: now, tiers };
    Some(to_bytes(&WithMeta { meta: Meta::new(EXPORT.path, EXPORT.visibility, now), fields }))
}
