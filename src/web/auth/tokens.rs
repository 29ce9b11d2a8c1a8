//! API tokens: what an account's own programs send.

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::session::Done;
use crate::{
    accounts::{ApiToken, NewApiToken, readable_name},
    model::Timestamp,
    web::{
        ApiError, AppState,
        caller::{BrowserOnly, From},
        json_body::JsonOf,
    },
};

/// Longest time a token works (days).
const MOST_DAYS: u32 = 3_650;

/// A token, as its owner sees it: without what opens anything.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokenCard {
    /// Its id.
    #[schemars(with = "String")]
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When it ends; null is never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used; null is never.
    pub last_used_at: Option<Timestamp>,
}

impl TokenCard {
    fn of(token: &ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name.clone(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at(),
        }
    }
}

/// Tokens, the oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokenCards {
    /// Those that work.
    pub tokens: Vec<TokenCard>,
}

/// `GET /account/tokens`: the account's tokens.
///
/// # Errors
/// 401 for nobody, 403 for programs and the operator.
pub async fn list_tokens(State(state): State<AppState>, browser: BrowserOnly) -> Response {
    let at = state.accounts.now();
    let tokens = state.accounts.book().list_tokens(browser.account.id);
    let tokens = tokens.iter().filter(|it| it.is_open(at)).map(|it| TokenCard::of(it)).collect();
    ([(header::CACHE_CONTROL, "no-store")], Json(TokenCards { tokens })).into_response()
}

/// A token to be made.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct NewToken {
    /// What it is called.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// How long it works (days); nothing is until it is taken away.
    #[serde(alias = "expires_in_days")]
    #[schemars(range(min = 1, max = 3_650))]
    pub days: Option<u32>,
}

/// A token that was just made: the only time that it is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MadeToken {
    /// What programs send as `Authorization: Bearer …`.
    pub token: String,
    #[serde(flatten)]
    card: TokenCard,
}

/// `POST /account/tokens`: makes one.
///
/// # Errors
/// 400 for a name or a time that is none; 401 for nobody, 403 for programs and the operator, and for a sign-in that is
/// not recent; 409 when there are as many as there may be.
pub async fn add_token(
    State(state): State<AppState>,
    browser: BrowserOnly,
    From(origin): From,
    JsonOf(sent): JsonOf<NewToken>,
) -> Result<Response, ApiError> {
    let name = readable_name(&sent.name);
    let name = name.ok_or_else(|| ApiError::bad_member("/name", "give it a name"))?;
    if sent.days.is_some_and(|it| !(1..=MOST_DAYS).contains(&it)) {
        let why = format!("a number of days from 1 to {MOST_DAYS}");
        return Err(ApiError::bad_member("/days", why));
    }
    let new = NewApiToken { name, days: sent.days };
    let (token, made) = state.accounts.add_token(browser.owner(origin), new).await?;
    let made = MadeToken { token, card: TokenCard::of(&made) };
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, headers, Json(made)).into_response())
}

/// `DELETE /account/tokens/{id}`: takes one away.
///
/// # Errors
/// 401 for nobody, 403 for programs and the operator, 404 when it is none of theirs.
pub async fn remove_token(
    State(state): State<AppState>,
    browser: BrowserOnly,
    From(origin): From,
    Path(id): Path<String>,
) -> Result<Json<Done>, ApiError> {
    let id = Uuid::try_parse(&id).map_err(|_| ApiError::NotFound("token"))?;
    state.accounts.remove_token(browser.owner(origin), id).await?;
    Ok(Json(Done { success: true }))
}
