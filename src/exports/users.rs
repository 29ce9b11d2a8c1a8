//! `admin/users/users.json`: who has an account.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{
    Content, Export, Meta, SCHEMA_VERSION, Visibility, WithMeta, schema_of, to_bytes,
};
use crate::{
    accounts::{AccountRecord, Accounts},
    model::Timestamp,
};

/// Accounts in the file, at most; `/admin/export/users.json` gives all.
const MOST_USERS: usize = 10_000;

/// The file.
pub const EXPORT: Export = Export {
    path: "admin/users/users.json",
    visibility: Visibility::AdminOnly,
    description: "Who has an account, with addresses.",
    json_schema: schema_of::<WithMeta<Users>>,
    content: Content::OfAccounts(render),
};

/// Who has an account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Users {
    /// Of the shape.
    schema_version: &'static str,
    /// When the file was made.
    exported_at: Timestamp,
    /// The newest 10,000, the newest first.
    #[schemars(length(max = 10_000))]
    users: Vec<AccountRecord>,
    /// How many there are.
    total: usize,
}

fn render(accounts: &Accounts, now: Timestamp) -> Option<Vec<u8>> {
    let book = accounts.book();
    let users = book.accounts().rev().take(MOST_USERS).map(|it| AccountRecord::of(it)).collect();
    let fields =
        Users { schema_version: SCHEMA_VERSION, exported_at: now, users, total: book.len() };
    Some(to_bytes(&WithMeta { meta: Meta::new(EXPORT.path, EXPORT.visibility, now), fields }))
}
