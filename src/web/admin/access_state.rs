//! Whether everybody may do as they may, or admins alone.
//!
//! There is no code that unlocks the server while it is being worked on, as older servers had at
//! `POST /auth/debug/unlock`: a code that people share has no owner and leaves no trace, and admins sign in.

use axum::{extract::State, response::Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{accounts::unkept, by};
use crate::{
    accounts::{AccessMode, AccessState},
    web::{
        ApiError, AppState,
        caller::{From, OperatorOnly},
        json_body::JsonOf,
    },
};

/// Longest message (characters).
const MOST_CHARS: usize = 500;

/// Whether everybody may do as they may.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AccessAnswer {
    /// `normal`, `maintenance` or `development`.
    pub mode: AccessMode,
    /// What people are told.
    pub message: String,
    /// Always false: no code unlocks a server that is being worked on.
    pub bypass_enabled: bool,
}

impl AccessAnswer {
    fn of(state: AccessState) -> Self {
        let message = match state.mode {
            _ if !state.message.is_empty() => state.message,
            AccessMode::Normal => String::new(),
            AccessMode::Maintenance => {
                "We are working on this server. Chat and overlays go on.".to_owned()
            }
            AccessMode::Development => "This server is being built.".to_owned(),
        };
        Self { mode: state.mode, message, bypass_enabled: false }
    }
}

/// `GET /auth/access-state`: whether everybody may do as they may. Anybody may ask.
pub async fn show_access_state(State(state): State<AppState>) -> Response {
    unkept(AccessAnswer::of(state.accounts.book().access_state()))
}

/// Who may do as they may from now on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccess {
    /// `normal`, `maintenance` or `development`.
    pub mode: AccessMode,
    /// What people are told; empty is a sentence of our own.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub message: String,
}

/// `PUT /admin/access-state {mode, message?}`: lets admins alone change things, or everybody again.
///
/// # Errors
/// 400 for a message that is too long, 401 and 403 for others, 503 when the disk refuses.
pub async fn set_access_state(
    State(state): State<AppState>,
    operator: OperatorOnly,
    From(origin): From,
    JsonOf(new): JsonOf<NewAccess>,
) -> Result<Response, ApiError> {
    if new.message.chars().count() > MOST_CHARS {
        let why = format!("at most {MOST_CHARS} characters");
        return Err(ApiError::bad_member("/message", why));
    }
    let by = by(&operator.0, origin);
    let new = AccessState { mode: new.mode, message: new.message.trim().to_owned() };
    let changed = state.accounts.change(move |change| {
        let before = change.access_state();
        if before != new {
            let entry = by.entry(change, "access_mode_changed");
            change
                .audit(entry.with("before", before.mode.as_str()).with("after", new.mode.as_str()));
            change.put(&new);
        }
        Ok(new)
    });
    Ok(unkept(AccessAnswer::of(changed.await?)))
}
