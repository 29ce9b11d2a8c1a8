//! Links that verify an address.

use axum::{Json, extract::State, response::Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    link::LinkQuery,
    sign_up::{MailAnswer, pace},
    surfaces,
};
use crate::{
    accounts::{AccountError, BadEmail, Surface},
    web::{
        ApiError, AppState,
        caller::{From, OwnPage},
        json_body::JsonOf,
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

/// `GET /auth/verify/email?token=…`: verifies an address, and goes back to the login page with `?verified=1`, or with
/// `?reason=verification-expired`.
///
/// # Errors
/// 503 when the disk refuses.
pub async fn verify_email(
    State(state): State<AppState>,
    From(origin): From,
    Query(query): Query<LinkQuery>,
) -> Result<Response, ApiError> {
    pace(&state, &origin)?;
    match state.accounts.verify_email(&query.token, origin).await {
        Ok(it) => Ok(surfaces::back_to_login(&state, it.surface, "verified", "1")),
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
    state.accounts.resend_verification(email, sent.surface, origin).await?;
    Ok(Json(MailAnswer::sent("If there is something to verify, the mail is on its way.")))
}
