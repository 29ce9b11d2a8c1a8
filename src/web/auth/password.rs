//! Passwords: forgotten, and changed by whoever is signed in.

use askama::Template;
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    link::LinkQuery,
    notice,
    session::Done,
    sign_up::{MailAnswer, pace},
    surfaces,
};
use crate::{
    BUILD,
    accounts::{AccountError, BadEmail, Surface},
    web::{
        ApiError, AppState,
        caller::{BrowserOnly, From, OwnPage},
        cookies,
        json_body::{FormOrJson, JsonOf},
        pages::render_form,
        query::Query,
    },
};

/// What somebody sends who has forgotten their password.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Forgotten {
    /// Their address.
    #[schemars(length(max = 254))]
    pub email: String,
    /// Where they sign in afterwards.
    #[serde(default)]
    pub surface: Surface,
}

/// `POST /auth/password/forgot`: the same answer whether or not the address has an account.
///
/// # Errors
/// 400 for an address that is none, 403 from another site's page, 429.
pub async fn ask_for_reset(
    State(state): State<AppState>,
    _page: OwnPage,
    From(origin): From,
    JsonOf(sent): JsonOf<Forgotten>,
) -> Result<Json<MailAnswer>, ApiError> {
    pace(&state, &origin)?;
    let email = sent.email.parse().map_err(|_| ApiError::bad_member("/email", BadEmail))?;
    state.accounts.send_reset_link(email, sent.surface, origin).await?;
    Ok(Json(MailAnswer::sent("If the address has an account, a link to it is on its way.")))
}

#[derive(Template)]
#[template(path = "reset.html")]
struct ResetPage {
    title: &'static str,
    build: &'static str,
    token: String,
    email: String,
    problem: Option<String>,
    page: serde_json::Value,
}

fn reset_page(state: &AppState, token: String, problem: Option<&AccountError>) -> Response {
    let Some(email) = state.accounts.find_reset(&token) else {
        return notice::expired(state, "Your password stays as it is: ask for another link.");
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = ResetPage {
        title: "Set a new password · StreamSuites",
        build: BUILD,
        token,
        email: email.as_str().to_owned(),
        problem: problem.map(|it| notice::sentence(&it.to_string())),
        page: json!({}),
    };
    render_form(state, status, &page)
}

/// `GET /auth/password/reset?token=…`: the page of a link from a mail. It does not use the link up.
///
/// # Errors
/// 429. A link that does not work is a page as well (400).
pub async fn show_reset(
    State(state): State<AppState>,
    From(origin): From,
    Query(query): Query<LinkQuery>,
) -> Result<Response, ApiError> {
    pace(&state, &origin)?;
    Ok(reset_page(&state, query.token, None))
}

/// A new password, and the link that lets somebody set it.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Reset {
    /// The link's secret.
    #[serde(deserialize_with = "super::link::secret")]
    #[schemars(length(max = 128))]
    pub token: String,
    /// The new password.
    #[schemars(length(max = 512))]
    pub password: String,
}

/// `POST /auth/password/reset`: sets the password. A page is sent on to the login page, with `?reason=password-changed`.
///
/// # Errors
/// 400 for a link that does not work, or a password that is refused; 403 from another site's page, 429; 503 when too
/// many try at once.
pub async fn reset_password(
    State(state): State<AppState>,
    _page: OwnPage,
    From(origin): From,
    FormOrJson { sent, is_form }: FormOrJson<Reset>,
) -> Result<Response, ApiError> {
    pace(&state, &origin)?;
    let done = state.accounts.reset_password(&sent.token, &sent.password, origin).await;
    // All sign-ins have ended, that of this browser among them.
    let signed_out = [(header::SET_COOKIE, cookies::close_session(&state))];
    match done {
        Ok(it) if is_form => {
            let word = "password-changed";
            let page = surfaces::back_to_login(&state, it.surface, "reason", word);
            Ok((signed_out, page).into_response())
        }
        Ok(_) => Ok((signed_out, Json(Done { success: true })).into_response()),
        Err(error @ (AccountError::Invalid(_) | AccountError::BadTicket)) if is_form => {
            Ok(reset_page(&state, sent.token, Some(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// What somebody sends who wants another password.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct PasswordChange {
    /// The one there is; nothing when there is none.
    #[schemars(length(max = 512))]
    pub current_password: Option<String>,
    /// The new one.
    #[schemars(length(max = 512))]
    pub new_password: String,
}

/// `PATCH /account/password`: another password, and all other sign-ins end.
///
/// # Errors
/// 400 for one that is refused; 401 for nobody; 403 for programs and the operator, and for a current password that is
/// missing or wrong; 409 for an account without an address; 429 while it must wait.
pub async fn change_password(
    State(state): State<AppState>,
    browser: BrowserOnly,
    From(origin): From,
    JsonOf(sent): JsonOf<PasswordChange>,
) -> Result<Json<Done>, ApiError> {
    pace(&state, &origin)?;
    let (owner, current) = (browser.owner(origin), sent.current_password.as_deref());
    state.accounts.change_password(owner, current, &sent.new_password).await?;
    Ok(Json(Done { success: true }))
}
