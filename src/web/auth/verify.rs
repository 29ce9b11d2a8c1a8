//! Links that verify an address.

use axum::{Json, extract::State, response::Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    link::{self, LinkForm, LinkQuery, LinkWords},
    sign_up::{MailAnswer, pace},
    surfaces::{self, allowed_page},
};
use crate::{
    accounts::{AccountError, BadEmail, Surface},
    web::{
        ApiError, AppState,
        caller::{From, OwnPage},
        json_body::{FormOf, JsonOf},
        query::Query,
    },
};

/// The word for the login page, of something that did not work.
#[must_use]
pub const fn reason_of(error: &ApiError) -> &'static str {
    match error {
        ApiError::Account(AccountError::BadTicket) => "verification-expired",
        ApiError::Account(AccountError::Suspended) => "inactive_account",
        _ => "unavailable",
    }
}

/// `GET /auth/verify/email?token=…`: the page of a link that verifies an address.
pub async fn show_verification(
    State(state): State<AppState>,
    Query(query): Query<LinkQuery>,
) -> Response {
    let words = LinkWords {
        heading: "Confirm your address",
        says: "One click, and it is confirmed that the address which the mail came to is yours.",
        button: "Confirm this address",
        otherwise: "If you did not ask for it, close this page: the address stays unconfirmed.",
        action: "/auth/verify/email",
    };
    link::show(&state, words, None, query.token)
}

/// `POST /auth/verify/email`: verifies an address, and goes back to the login page with `?verified=1` and the page that
/// was asked for, or with `?reason=verification-expired`.
///
/// # Errors
/// 403 from another site's page, 429, 503 when the disk refuses.
pub async fn verify_email(
    State(state): State<AppState>,
    _page: OwnPage,
    From(origin): From,
    FormOf(form): FormOf<LinkForm>,
) -> Result<Response, ApiError> {
    pace(&state, &origin)?;
    match state.accounts.verify_email(&form.token, origin).await {
        Ok(it) => {
            let return_to = it.return_to.as_deref().and_then(|it| allowed_page(&state, it));
            let mut words = vec![("verified", "1")];
            words.extend(return_to.as_deref().map(|it| ("return_to", it)));
            Ok(surfaces::go_to_login(&state, it.surface, &words))
        }
        Err(error) => {
            let error = ApiError::Account(error);
            if error.line().0.is_server_error() {
                return Err(error);
            }
            let reason = reason_of(&error);
            Ok(surfaces::back_to_login(&state, Surface::Public, "reason", reason))
        }
    }
}

/// What somebody sends to get the mail again.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Resend {
    /// Their address.
    #[schemars(length(max = 254))]
    pub email: String,
    /// Where they do it.
    #[serde(default)]
    pub surface: Surface,
    /// The page they go on to; `redirect_to` and `next` are older names.
    #[serde(alias = "redirect_to", alias = "next")]
    pub return_to: Option<String>,
}

/// `POST /auth/verify/resend`: the same answer whether or not there is something to verify.
///
/// # Errors
/// 400 for an address that is none, 403 while it is off, 429.
pub async fn resend_verification(
    State(state): State<AppState>,
    _page: OwnPage,
    From(origin): From,
    JsonOf(sent): JsonOf<Resend>,
) -> Result<Json<MailAnswer>, ApiError> {
    pace(&state, &origin)?;
    let email = sent.email.parse().map_err(|_| ApiError::bad_member("/email", BadEmail))?;
    let return_to = sent.return_to.as_deref().and_then(|it| allowed_page(&state, it));
    state.accounts.resend_verification(email, sent.surface, return_to, origin).await?;
    Ok(Json(MailAnswer::sent("If there is something to verify, the mail is on its way.")))
}
