//! `state/auth_controls.json`: what an admin switched off.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Visibility, WithMeta, schema_of, to_bytes};
use crate::{
    accounts::{AccessMode, Accounts, ControlFlags},
    model::Timestamp,
};

/// The file.
pub const EXPORT: Export = Export {
    path: "state/auth_controls.json",
    visibility: Visibility::DashboardOnly,
    description: "Which ways in are switched off, and whether the server is being worked on.",
    json_schema: schema_of::<WithMeta<AuthControls>>,
    content: Content::OfAccounts(render),
};

/// What an admin switched off.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuthControls {
    /// Switches.
    flags: ControlFlags,
    /// By provider: whether people may sign in there.
    providers: BTreeMap<String, bool>,
    /// `normal`, `maintenance` or `development`.
    mode: AccessMode,
}

fn render(accounts: &Accounts, now: Timestamp) -> Option<Vec<u8>> {
    let book = accounts.book();
    let fields = AuthControls {
        flags: ControlFlags::of(book.controls()),
        providers: book.controls().list_providers(),
        mode: book.access_state().mode,
    };
    Some(to_bytes(&WithMeta { meta: Meta::new(EXPORT.path, EXPORT.visibility, now), fields }))
}
