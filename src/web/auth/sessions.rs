//! Where an account is signed in.

use std::net::IpAddr;

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::session::Done;
use crate::{
    accounts::{Session, Surface, mail::browser_name},
    model::Timestamp,
    web::{
        ApiError, AppState,
        caller::{BrowserOnly, From},
        cookies,
    },
};

/// A sign-in, as its owner sees it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SignIn {
    /// Its id: not what opens it.
    #[schemars(with = "String")]
    pub id: Uuid,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Where it was made.
    pub surface: Surface,
    /// How: `password`, `link`, `google`, …
    pub method: String,
    /// From where.
    pub address: Option<IpAddr>,
    /// With what, in words: `Firefox on Windows`.
    pub device: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// When it ends, whatever happens.
    pub expires_at: Timestamp,
}

impl SignIn {
    fn of(session: &Session, current: Uuid) -> Self {
        Self {
            id: session.id,
            current: session.id == current,
            surface: session.surface,
            method: session.method.clone(),
            address: session.address,
            device: browser_name(&session.user_agent),
            created_at: session.created_at,
            last_seen_at: session.last_seen_at(),
            expires_at: session.expires_at,
        }
    }
}

/// Sign-ins, the latest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SignIns {
    /// Those that are open.
    pub sessions: Vec<SignIn>,
}

/// `GET /account/sessions`: where the account is signed in.
///
/// # Errors
/// 401 for nobody, 403 for programs and the operator.
pub async fn list_sign_ins(State(state): State<AppState>, browser: BrowserOnly) -> Response {
    let (at, idle) = (state.accounts.now(), state.config.borrow().system.auth.session_idle_hours);
    let mut sessions = state.accounts.book().list_sessions(browser.account.id);
    sessions.retain(|it| it.is_open(idle, at));
    let current = browser.session.id;
    let sessions = sessions.iter().map(|it| SignIn::of(it, current)).collect();
    ([(header::CACHE_CONTROL, "no-store")], Json(SignIns { sessions })).into_response()
}

/// `DELETE /account/sessions/{id}`: ends one; the one that asks as well.
///
/// # Errors
/// 401 for nobody, 403 for programs and the operator, 404 when it is none of theirs.
pub async fn end_sign_in(
    State(state): State<AppState>,
    browser: BrowserOnly,
    From(origin): From,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = Uuid::try_parse(&id).map_err(|_| ApiError::NotFound("session"))?;
    state.accounts.end_session(browser.account.id, id, origin).await?;
    let done = Json(Done { success: true });
    if id != browser.session.id {
        return Ok(done.into_response());
    }
    Ok(([(header::SET_COOKIE, cookies::close_session(&state))], done).into_response())
}

/// How many sign-ins ended.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Ended {
    /// Always true.
    pub success: bool,
    /// How many.
    pub ended: usize,
}

/// `DELETE /account/sessions`: ends all but the one that asks.
///
/// # Errors
/// 401 for nobody, 403 for programs and the operator.
pub async fn end_other_sign_ins(
    State(state): State<AppState>,
    browser: BrowserOnly,
    From(origin): From,
) -> Result<Json<Ended>, ApiError> {
    let ended = state.accounts.end_other_sessions(browser.owner(origin)).await?;
    Ok(Json(Ended { success: true, ended }))
}
