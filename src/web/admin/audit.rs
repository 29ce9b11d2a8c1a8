//! The audit, as admins read it.

use axum::{extract::State, response::Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::accounts::{limit, unkept};
use crate::{
    accounts::{Actor, AuditEntry, AuditRecord},
    model::Timestamp,
    web::{ApiError, AppState, caller::OperatorOnly, query::Query},
};

/// Entries of one answer, at most, and where nothing is said.
const MOST: usize = 500;
const USUAL: usize = 100;
/// Rows that are read at a time, and for one answer in all.
const PAGE: usize = 500;
const MOST_READ: usize = 20_000;

/// Which entries.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    /// Actions, with commas between them.
    pub action: Option<String>,
    /// The id or code of the account it was done to.
    pub target: Option<String>,
    /// The id or code of the account that did it, or `operator`, `fallback`, `system`.
    pub actor: Option<String>,
    /// From then on.
    pub since: Option<String>,
    /// Those before this one.
    pub cursor: Option<String>,
    /// How many.
    pub limit: Option<String>,
}

/// Some entries.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditList {
    /// Always true.
    pub success: bool,
    /// The latest first.
    pub items: Vec<AuditRecord>,
    /// Asks for those before these; null at the end.
    pub next_cursor: Option<String>,
}

/// What a query asks for, read.
struct Filter {
    actions: Vec<String>,
    target: Option<String>,
    actor: Option<String>,
    since: Option<Timestamp>,
}

impl Filter {
    fn read(wanted: &Wanted) -> Result<Self, ApiError> {
        let said = |it: &Option<String>| it.clone().filter(|it| !it.is_empty());
        let since = said(&wanted.since).map(|it| Timestamp::parse(&it)).transpose();
        let since = since.map_err(|_| {
            ApiError::BadRequest("`since` is a moment such as 2026-01-31T12:00:00Z".to_owned())
        })?;
        let actions = said(&wanted.action).unwrap_or_default();
        let actions = actions.split(',').map(str::trim).filter(|it| !it.is_empty());
        Ok(Self {
            actions: actions.map(str::to_owned).collect(),
            target: said(&wanted.target),
            actor: said(&wanted.actor),
            since,
        })
    }

    fn takes(&self, entry: &AuditEntry) -> bool {
        let is = |wanted: &str, id: &dyn ToString, code: &dyn ToString| {
            wanted.eq_ignore_ascii_case(&id.to_string())
                || wanted.eq_ignore_ascii_case(&code.to_string())
        };
        let by = |wanted: &String| match &entry.actor {
            Actor::Account { id, user_code, .. } => is(wanted, id, user_code),
            Actor::Operator => wanted == "operator",
            Actor::Fallback => wanted == "fallback",
            Actor::System => wanted == "system",
            Actor::Nobody => false,
        };
        let to = |wanted: &String| entry.target.as_ref().is_some_and(|it| is(wanted, &it.0, &it.1));
        (self.actions.is_empty() || self.actions.contains(&entry.action))
            && self.target.as_ref().is_none_or(to)
            && self.actor.as_ref().is_none_or(by)
    }
}

/// `GET /admin/audit?action=&target=&actor=&since=&cursor=&limit=`: what was done, the latest first. An answer may
/// hold less than was asked for, and say where to go on.
///
/// # Errors
/// 400 for a moment or a cursor that is none, 401 and 403 for others, 503 when the disk refuses.
pub async fn list_audit(
    State(state): State<AppState>,
    _operator: OperatorOnly,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let filter = Filter::read(&wanted)?;
    let limit = limit(wanted.limit.as_deref(), USUAL, MOST)?;
    let mut before = wanted.cursor.filter(|it| !it.is_empty());
    if before.as_ref().is_some_and(|it| Ulid::from_string(it).is_err()) {
        return Err(ApiError::BadRequest("`cursor` is none".to_owned()));
    }
    let (mut items, mut read) = (Vec::new(), 0);
    let next_cursor = 'read: loop {
        if read >= MOST_READ {
            break before;
        }
        let page = state.accounts.list_audit(before.clone(), PAGE).await?;
        read += PAGE;
        for entry in page.entries {
            if filter.since.is_some_and(|it| entry.ts < it) {
                break 'read None;
            }
            if items.len() == limit {
                break 'read before;
            }
            before = Some(entry.id.to_string());
            if filter.takes(&entry) {
                items.push(AuditRecord::of(&entry));
            }
        }
        // A page without entries is not the last: all of its rows may be such as nobody can read any more.
        match page.read_to {
            Some(it) => before = Some(it),
            None => break None,
        }
    };
    Ok(unkept(AuditList { success: true, items, next_cursor }))
}
