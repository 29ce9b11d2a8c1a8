//! How somebody gets in.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{
    link::{self, LinkForm, LinkQuery, LinkWords},
    sign_up::pace,
    surfaces,
    user::User,
};
use crate::{
    accounts::{Actor, AuditEntry, BadEmail, Digest, LockoutKey, SignedIn, Surface},
    model::AccountRole,
    telemetry::Severity,
    web::{
        ApiError, AppState,
        caller::{From, OwnPage},
        cookies,
        json_body::{FormOf, JsonOf},
        query::Query,
    },
};

/// What somebody sends to get in.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Credentials {
    /// Their address.
    #[schemars(length(max = 254))]
    pub email: String,
    /// Their password.
    #[schemars(length(max = 512))]
    pub password: String,
    /// Where they do it.
    #[serde(default)]
    pub surface: Surface,
    /// The page they go on to; `redirect_to` and `next` are older names.
    #[serde(alias = "redirect_to", alias = "next")]
    pub return_to: Option<String>,
    /// Of a check that is not made here.
    pub turnstile_token: Option<String>,
}

/// Somebody is in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SignedInAnswer {
    /// Always true.
    pub success: bool,
    /// Always true.
    pub authenticated: bool,
    /// The account; null for the emergency admin, who has none.
    pub user: Option<User>,
    /// The page to go on to.
    pub redirect_to: String,
}

/// The cookie and the page of somebody who just signed in.
pub(super) fn go_on(state: &AppState, signed_in: &SignedIn) -> (header::HeaderValue, String) {
    let seconds = u64::from(state.config.borrow().system.auth.session_days) * 86_400;
    let cookie = cookies::open_session(state, signed_in.secret.expose(), seconds);
    let is_admin = signed_in.account.role == AccountRole::Admin;
    let wanted = signed_in.return_to.as_deref();
    let page = surfaces::success_page(state, signed_in.session.surface, is_admin, wanted);
    (cookie, page)
}

/// `POST /auth/login/password`
///
/// # Errors
/// 400 for an address that is none; 401 for a wrong password; 403 for whoever knows it, when the address is not
/// verified or the account suspended; 429 while it must wait; 503 when too many try at once.
pub async fn sign_in_with_password(
    State(state): State<AppState>,
    _page: OwnPage,
    From(origin): From,
    JsonOf(sent): JsonOf<Credentials>,
) -> Result<Response, ApiError> {
    pace(&state, &origin)?;
    let email = sent.email.parse().map_err(|_| ApiError::bad_member("/email", BadEmail))?;
    let wanted = sent.return_to.as_deref().and_then(|it| surfaces::allowed_page(&state, it));
    let signed_in = state.accounts.sign_in(email, &sent.password, sent.surface, origin).await?;
    let signed_in = SignedIn { return_to: wanted, ..signed_in };
    let (cookie, redirect_to) = go_on(&state, &signed_in);
    let user = Some(User::of(&signed_in.account, &state.accounts.book()));
    let answer = SignedInAnswer { success: true, authenticated: true, user, redirect_to };
    Ok(([(header::SET_COOKIE, cookie)], Json(answer)).into_response())
}

/// What the emergency admin sends.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FallbackCredentials {
    /// The name.
    #[serde(alias = "email", alias = "username")]
    #[schemars(length(max = 254))]
    pub user: String,
    /// The secret.
    #[serde(alias = "password")]
    #[schemars(length(max = 512))]
    pub secret: String,
}

/// `POST /auth/login/fallback`: the emergency admin, for when nobody else gets in. Told loudly.
///
/// # Errors
/// 404 while it is off; 401 for others; 429.
pub async fn sign_in_in_emergency(
    State(state): State<AppState>,
    _page: OwnPage,
    From(origin): From,
    JsonOf(sent): JsonOf<FallbackCredentials>,
) -> Result<Response, ApiError> {
    let config = state.accounts.config();
    let (user, secret) = config.secrets.fallback_admin().ok_or(ApiError::NotFound("page"))?;
    pace(&state, &origin)?;
    // One of few guesses at it, whatever name is sent.
    let (lockout, at) = (state.accounts.lockout(), state.accounts.now());
    let attempt = lockout.attempt(LockoutKey::EmergencyAdmin, origin.address, at);
    let attempt = attempt.map_err(ApiError::RateLimited)?;
    let same =
        |a: &str, b: &str| Digest::of(a).hex().as_bytes().ct_eq(Digest::of(b).hex().as_bytes());
    let right = bool::from(same(&sent.user, user) & same(&sent.secret, secret));
    let result = if right { "success" } else { "failed" };
    tracing::warn!(result, "somebody used the emergency sign-in");
    let words = format!("the emergency sign-in was used: {result}");
    state.telemetry.recent.event(Severity::Error, "auth", words);
    let audited = state.accounts.change(move |change| {
        let entry = AuditEntry::new(change.at(), Actor::Fallback, "fallback_login");
        change.audit(entry.from(&origin).ended(result));
        Ok(())
    });
    let audited = audited.await;
    if !right {
        return Err(ApiError::Account(crate::accounts::AccountError::WrongPassword));
    }
    // A disk that is full must not lock the one out who comes to mend it.
    if let Err(error) = audited {
        tracing::error!(%error, "the emergency sign-in could not be audited");
    }
    let cookie = cookies::open_session(&state, &state.operator.open_fallback(), 3_600);
    lockout.right(attempt);
    let redirect_to = surfaces::success_page(&state, Surface::Admin, true, None);
    let answer = SignedInAnswer { success: true, authenticated: true, user: None, redirect_to };
    Ok(([(header::SET_COOKIE, cookie)], Json(answer)).into_response())
}

/// `GET /auth/link?token=…`: the page of a link that signs in.
pub async fn show_link(State(state): State<AppState>, Query(query): Query<LinkQuery>) -> Response {
    let words = LinkWords {
        heading: "Sign in to StreamSuites",
        says: "You asked for this link. One click, and this browser is signed in.",
        button: "Sign in",
        otherwise: "The link works once. If you did not ask for it, close this page: nothing happens.",
        action: "/auth/link",
    };
    link::show(&state, words, None, query.token)
}

/// `POST /auth/link`: signs in, and goes on to the surface's page.
///
/// # Errors
/// 403 from another site's page; otherwise it goes back to the login page with `?reason=`.
pub async fn use_link(
    State(state): State<AppState>,
    _page: OwnPage,
    From(origin): From,
    FormOf(form): FormOf<LinkForm>,
) -> Result<Response, ApiError> {
    pace(&state, &origin)?;
    match state.accounts.use_magic_link(&form.token, origin).await {
        Ok(signed_in) => {
            let (cookie, page) = go_on(&state, &signed_in);
            Ok(([(header::SET_COOKIE, cookie)], surfaces::go_to(&state, &page)).into_response())
        }
        Err(error) => {
            let error = ApiError::Account(error);
            if error.line().0.is_server_error() {
                return Err(error);
            }
            let reason = super::verify::reason_of(&error);
            Ok(surfaces::back_to_login(&state, Surface::Public, "reason", reason))
        }
    }
}

/// The query of the way to the login page.
#[derive(Debug, Deserialize)]
pub struct LoginQuery {
    surface: Option<String>,
    reason: Option<String>,
}

/// `GET /auth/login`: to the login page of the surface.
pub async fn find_login(
    State(state): State<AppState>,
    Query(query): Query<LoginQuery>,
) -> Response {
    let surface = query.surface.as_deref().and_then(Surface::parse).unwrap_or_default();
    match query.reason.as_deref() {
        Some(reason) => surfaces::back_to_login(&state, surface, "reason", reason),
        None => surfaces::go_to(&state, &surfaces::login_page(&state, surface)).into_response(),
    }
}
