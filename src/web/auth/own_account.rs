//! What somebody does with their account as a whole: its name, what it is for, and its end.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{session::Done, sign_up::pace, user::User};
use crate::{
    accounts::{Account, AccountError},
    model::CreatorId,
    platforms::recording::demo,
    web::{
        ApiError, AppState,
        caller::{BrowserOnly, From},
        cookies,
        json_body::JsonOf,
    },
};

/// What of an account its owner changes by themselves.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AccountChange {
    /// What others should call them.
    #[schemars(length(min = 1, max = 64))]
    pub display_name: String,
}

/// The account, as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangedAccount {
    /// Always true.
    pub success: bool,
    /// The account.
    pub user: User,
}

fn changed(state: &AppState, account: &Account) -> Response {
    let user = User::of(account, &state.accounts.book());
    let answer = ChangedAccount { success: true, user };
    ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

/// `PATCH /account/me`: another name.
///
/// # Errors
/// 400 for a name of which nothing can be shown; 401 for nobody, 403 for programs and the operator.
pub async fn change_account(
    State(state): State<AppState>,
    browser: BrowserOnly,
    From(origin): From,
    JsonOf(sent): JsonOf<AccountChange>,
) -> Result<Response, ApiError> {
    let account = state.accounts.rename(browser.owner(origin), &sent.display_name).await?;
    Ok(changed(&state, &account))
}

/// What somebody sends who leaves.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Leaving {
    /// The account's password; nothing when it has none.
    #[serde(alias = "current_password")]
    #[schemars(length(max = 512))]
    pub password: Option<String>,
}

/// `DELETE /account`: deletes it, with all that is its own.
///
/// # Errors
/// 401 for nobody; 403 for programs and the operator, for a password that is missing or wrong, and without one for a
/// sign-in that is not recent; 409 for the last admin; 429 while it must wait.
pub async fn delete_account(
    State(state): State<AppState>,
    browser: BrowserOnly,
    From(origin): From,
    body: Result<Option<Json<Leaving>>, JsonRejection>,
) -> Result<Response, ApiError> {
    pace(&state, &origin)?;
    let Json(sent) = body?.unwrap_or_default();
    let owner = browser.owner(origin);
    state.accounts.delete_own_account(owner, sent.password.as_deref()).await?;
    let headers = [(header::SET_COOKIE, cookies::close_session(&state))];
    Ok((headers, Json(Done { success: true })).into_response())
}

/// What the account is for.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct WhatFor {
    /// What others should call its owner.
    #[schemars(length(min = 1, max = 64))]
    pub display_name: Option<String>,
    /// The room that its owner wants to stream in.
    pub room: Option<CreatorId>,
}

/// `POST /account/onboarding/complete`: says what the account is for. With `room`, that room is made, and its owner may
/// put channels into it.
///
/// # Errors
/// 400 for a name that is none; 401 for nobody, 403 for programs and the operator; 409 when there is such a room, or
/// as many as there may be.
pub async fn complete_onboarding(
    State(state): State<AppState>,
    browser: BrowserOnly,
    From(origin): From,
    JsonOf(sent): JsonOf<WhatFor>,
) -> Result<Response, ApiError> {
    pace(&state, &origin)?;
    if let Some(room) = &sent.room
        && !browser.account.owns(room)
    {
        // What was recorded under a name that nobody has any more is none of a newcomer's business.
        let is_known = state.hub.find_room(room.as_str()).is_some()
            || state.hub.log().room(room).head() > 0
            || room.as_str().eq_ignore_ascii_case(demo::ROOM);
        let is_own = state.accounts.book().was_room_of(room, browser.account.id);
        if is_known && !is_own {
            return Err(ApiError::Account(AccountError::Taken("a room of that name")));
        }
    }
    let (name, room) = (sent.display_name.as_deref(), sent.room.clone());
    let owner = browser.owner(origin);
    let account = state.accounts.complete_onboarding(owner, name, room).await?;
    // In force before it is answered: the next thing they do is to put a channel into it.
    if let Some(room) = &sent.room {
        let mut config = state.config.clone();
        let made = config.wait_for(|it| it.creators.creators.iter().any(|it| it.id == *room));
        made.await.map_err(|_| ApiError::Draining)?;
    }
    Ok(changed(&state, &account))
}
