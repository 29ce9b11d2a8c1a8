//! `state/permissions.json`: which accounts may do more than others.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Visibility, WithMeta, schema_of, to_bytes};
use crate::{
    accounts::{Account, Accounts},
    model::{AccountRole, Timestamp},
};

/// The file.
pub const EXPORT: Export = Export {
    path: "state/permissions.json",
    visibility: Visibility::InternalOnly,
    description: "Which accounts may do more than look on, by their short names.",
    json_schema: schema_of::<WithMeta<Permissions>>,
    content: Content::OfAccounts(render),
};

/// Which accounts may do more than others.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Permissions {
    /// The oldest first; without those who may look on only.
    permissions: Vec<Permission>,
}

/// What an account may do.
#[derive(Debug, Serialize, JsonSchema)]
struct Permission {
    /// `account:` and its short name.
    principal: String,
    /// What it is.
    role: AccountRole,
    /// `server:operate`, and `room:NAME:own` for each room of its own.
    grants: Vec<String>,
    /// When the account was last changed.
    updated_at: Timestamp,
}

impl Permission {
    /// Of an account; `None` when it may not do more than look on, or nothing at all.
    fn of(account: &Account) -> Option<Self> {
        let operates = (account.role == AccountRole::Admin).then(|| "server:operate".to_owned());
        let owns = account.list_rooms().map(|it| format!("room:{it}:own"));
        let grants: Vec<_> = operates.into_iter().chain(owns).collect();
        let more = account.role != AccountRole::Viewer || !grants.is_empty();
        (account.is_active() && more).then(|| Self {
            principal: format!("account:{}", account.user_code),
            role: account.role,
            grants,
            updated_at: account.updated_at,
        })
    }
}

fn render(accounts: &Accounts, now: Timestamp) -> Option<Vec<u8>> {
    let book = accounts.book();
    let permissions = book.accounts().filter_map(|it| Permission::of(it)).collect();
    let meta = Meta::new(EXPORT.path, EXPORT.visibility, now);
    Some(to_bytes(&WithMeta { meta, fields: Permissions { permissions } }))
}
