//! Who is signed in, and the way out.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::user::User;
use crate::{
    accounts::Surface,
    model::{AccountRole, Tier},
    web::{
        ApiError, AppState,
        caller::{BrowserOnly, Caller, From, OwnPage},
        cookies,
    },
};

/// Who is signed in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SessionAnswer {
    /// Always true: whoever is not signed in gets 401.
    pub authenticated: bool,
    /// The account; null for the operator, who has none.
    pub user: Option<User>,
    /// What they may be.
    pub role: AccountRole,
    /// Where mails go.
    pub email: Option<String>,
    /// What they pay for.
    pub tier: Tier,
    /// Whether they may see the admins' pages.
    pub is_admin: bool,
    /// The same, as an older page reads it.
    pub authorized: bool,
    /// Where they signed in.
    pub surface: Option<Surface>,
}

/// `GET /auth/session`: who is signed in.
///
/// # Errors
/// 401 for nobody, with `reason`.
pub async fn show_auth_session(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let answer = match &caller {
        Caller::Nobody => return Err(ApiError::Unauthorized),
        Caller::OperatorToken | Caller::OperatorBrowser { .. } => SessionAnswer {
            authenticated: true,
            user: None,
            role: AccountRole::Admin,
            email: None,
            tier: Tier::Pro,
            is_admin: true,
            authorized: true,
            surface: None,
        },
        Caller::Browser { account, .. } | Caller::Program { account, .. } => {
            let user = User::of(account, &state.accounts.book());
            let surface = match &caller {
                Caller::Browser { session, .. } => Some(session.surface),
                _ => None,
            };
            SessionAnswer {
                authenticated: true,
                role: user.role,
                email: user.email.clone(),
                tier: user.tier,
                is_admin: caller.is_operator(),
                authorized: caller.is_operator(),
                user: Some(user),
                surface,
            }
        }
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// An answer that says that all is well.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Done {
    /// Always true.
    pub success: bool,
}

/// `POST /auth/logout`: ends the sign-in of this browser. Whoever is not signed in is out already.
///
/// # Errors
/// 403 from another site's page; 503 when the disk refuses.
pub async fn sign_out(
    State(state): State<AppState>,
    _page: OwnPage,
    From(origin): From,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if let Caller::Browser { account, session } = caller {
        state.accounts.end_session(account.id, session.id, origin).await?;
    } else if let Some(it) = cookies::session(&headers) {
        state.operator.end_session(it);
        state.doors.look_again();
    }
    let headers = [(header::SET_COOKIE, cookies::close_session(&state))];
    Ok((headers, Json(Done { success: true })).into_response())
}

/// `GET /account/me`: the account, as [`User`] tells it.
///
/// # Errors
/// 401 for nobody, 403 for the operator and programs.
pub async fn show_account(State(state): State<AppState>, browser: BrowserOnly) -> Response {
    let user = User::of(&browser.account, &state.accounts.book());
    ([(header::CACHE_CONTROL, "no-store")], Json(user)).into_response()
}
