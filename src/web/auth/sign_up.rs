//! How somebody gets an account.

use axum::{Json, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::surfaces;
use crate::{
    accounts::{Origin, SignUp, Surface},
    web::{
        ApiError, AppState,
        caller::{From, OwnPage},
        json_body::JsonOf,
    },
};

/// What somebody sends to get an account.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct NewAccount {
    /// Their address.
    #[schemars(length(max = 254))]
    pub email: String,
    /// Without one, a link is sent that signs in.
    #[schemars(length(max = 512))]
    pub password: Option<String>,
    /// What others should call them.
    #[schemars(length(max = 64))]
    pub display_name: Option<String>,
    /// Where they do it.
    #[serde(default)]
    pub surface: Surface,
    /// The page they go on to; `redirect_to` and `next` are older names.
    #[serde(alias = "redirect_to", alias = "next")]
    pub return_to: Option<String>,
    /// Of a check that is not made here.
    pub turnstile_token: Option<String>,
}

/// What happens next. It is the same whether or not the address has an account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MailAnswer {
    /// Always true.
    pub success: bool,
    /// Nobody is signed in by it.
    pub authenticated: bool,
    /// A link in a mail must be opened first.
    pub verification_required: bool,
    /// `sent`: as far as whoever asks may know.
    pub status: &'static str,
    /// In a sentence.
    pub message: &'static str,
}

impl MailAnswer {
    /// Look into your mailbox.
    #[must_use]
    pub const fn sent(message: &'static str) -> Self {
        Self {
            success: true,
            authenticated: false,
            verification_required: true,
            status: "sent",
            message,
        }
    }
}

/// Takes an attempt from an address.
///
/// # Errors
/// 429 with the time to wait.
pub(in crate::web) fn pace(state: &AppState, origin: &Origin) -> Result<(), ApiError> {
    state.accounts.paces().attempt(origin.address).map_err(ApiError::RateLimited)
}

fn sign_up_of(state: &AppState, new: &NewAccount, origin: Origin) -> Result<SignUp, ApiError> {
    let email =
        new.email.parse().map_err(|_| ApiError::bad_member("/email", crate::accounts::BadEmail))?;
    Ok(SignUp {
        email,
        display_name: new.display_name.clone().unwrap_or_default(),
        surface: new.surface,
        return_to: new.return_to.as_deref().and_then(|it| surfaces::allowed_page(state, it)),
        origin,
    })
}

/// `POST /auth/signup/email`: an account with a password, or a link that signs in where none is given.
///
/// # Errors
/// 400 for an address or a password that is none, 403 while sign-ups are off, 429.
pub async fn sign_up_by_email(
    State(state): State<AppState>,
    _page: OwnPage,
    From(origin): From,
    JsonOf(new): JsonOf<NewAccount>,
) -> Result<(StatusCode, Json<MailAnswer>), ApiError> {
    pace(&state, &origin)?;
    let sign_up = sign_up_of(&state, &new, origin)?;
    let message = match new.password.as_deref().filter(|it| !it.is_empty()) {
        Some(password) => {
            state.accounts.sign_up(sign_up, password).await?;
            "Look into your mailbox: the link there verifies your address."
        }
        None => {
            let only_known = state.accounts.book().controls().disable_new_signups;
            state.accounts.send_magic_link(sign_up).await?;
            match only_known {
                true => {
                    "If there is an account for this address, the link in its mailbox signs you in."
                }
                false => "Look into your mailbox: the link there signs you in.",
            }
        }
    };
    Ok((StatusCode::ACCEPTED, Json(MailAnswer::sent(message))))
}

/// `POST /auth/signup/password`: the same, and a password must be given.
///
/// # Errors
/// As [`sign_up_by_email`].
pub async fn sign_up_with_password(
    state: State<AppState>,
    page: OwnPage,
    from: From,
    JsonOf(new): JsonOf<NewAccount>,
) -> Result<(StatusCode, Json<MailAnswer>), ApiError> {
    if new.password.as_deref().is_none_or(str::is_empty) {
        return Err(ApiError::bad_member("/password", "choose a password"));
    }
    sign_up_by_email(state, page, from, JsonOf(new)).await
}
