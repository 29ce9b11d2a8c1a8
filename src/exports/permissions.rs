//! `state/permissions.json`: which accounts may do more than others.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Visibility, WithMeta, schema_of, to_bytes};
use crate::{
    accounts::{Account, AccountId, Accounts, Moderator},
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
    /// `server:operate`, `room:NAME:own` for each room of its own, and `room:NAME:RIGHT` for each right in another's.
    grants: Vec<String>,
    /// When the account was last changed.
    updated_at: Timestamp,
}

impl Permission {
    /// Of an account; `None` when it may not do more than look on, or nothing at all.
    fn of(account: &Account, moderated: &[Moderator]) -> Option<Self> {
        let operates = (account.role == AccountRole::Admin).then(|| "server:operate".to_owned());
        let owns = account.list_rooms().map(|it| format!("room:{it}:own"));
        let moderates = moderated.iter().flat_map(|it| {
            it.rights.iter().map(|right| format!("room:{}:{}", it.room, right.as_str()))
        });
        let grants: Vec<_> = operates.into_iter().chain(owns).chain(moderates).collect();
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
    let mut moderated: BTreeMap<AccountId, Vec<Moderator>> = BTreeMap::new();
    for it in book.list::<Moderator>("") {
        moderated.entry(it.account).or_default().push(it);
    }
    let of =
        |it: &Arc<Account>| Permission::of(it, moderated.get(&it.id).map_or(&[], Vec::as_slice));
    let permissions = book.accounts().filter_map(of).collect();
    let meta = Meta::new(EXPORT.path, EXPORT.visibility, now);
    Some(to_bytes(&WithMeta { meta, fields: Permissions { permissions } }))
}
