//! How an account moves to another mail address.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    link::{self, LinkForm, LinkQuery, LinkWords},
    notice,
    session::Done,
    sign_up::{MailAnswer, pace},
};
use crate::{
    accounts::{AccountError, BadEmail},
    web::{
        ApiError, AppState,
        caller::{BrowserOnly, From, OwnPage},
        json_body::{FormOrJson, JsonOf},
        query::Query,
    },
};

const STAYS: &str = "The account stays where it is: ask for another link there.";

/// What somebody sends who wants to move.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AddressChange {
    /// The new address.
    #[schemars(length(max = 254))]
    pub email: String,
    /// The account's password; nothing when it has none.
    #[serde(alias = "current_password")]
    #[schemars(length(max = 512))]
    pub password: Option<String>,
}

/// `POST /auth/email/change/request` and `PATCH /account/email`: sends a link to the new address. Nothing is changed
/// before somebody uses it.
///
/// # Errors
/// 400 for an address that is none; 401 for nobody; 403 for programs and the operator, for a password that is missing
/// or wrong, and without one for a sign-in that is not recent; 409 for the address it has; 429 while it must wait.
pub async fn ask_for_address(
    State(state): State<AppState>,
    browser: BrowserOnly,
    From(origin): From,
    JsonOf(sent): JsonOf<AddressChange>,
) -> Result<(StatusCode, Json<MailAnswer>), ApiError> {
    pace(&state, &origin)?;
    let email = sent.email.parse().map_err(|_| ApiError::bad_member("/email", BadEmail))?;
    let surface = browser.session.surface;
    let (owner, password) = (browser.owner(origin), sent.password.as_deref());
    state.accounts.ask_for_address(owner, email, password, surface).await?;
    let words = "Look into the mailbox of the new address: the link there moves the account.";
    Ok((StatusCode::ACCEPTED, Json(MailAnswer::sent(words))))
}

/// `GET /auth/email/change/confirm?token=…`: the page of the link.
///
/// # Errors
/// 429. A link that does not work is a page as well (400).
pub async fn show_address_change(
    State(state): State<AppState>,
    From(origin): From,
    Query(query): Query<LinkQuery>,
) -> Result<Response, ApiError> {
    pace(&state, &origin)?;
    let Some(email) = state.accounts.find_address_change(&query.token) else {
        return Ok(notice::expired(&state, STAYS));
    };
    let words = LinkWords {
        heading: "Confirm your new address",
        says: "your account moves there. From now on you sign in with it, and mails go there.",
        button: "Confirm this address",
        otherwise: "If you did not ask for it, close this page: nothing happens.",
        action: "/auth/email/change/confirm",
    };
    Ok(link::show(&state, words, Some(email.as_str().to_owned()), query.token))
}

/// `POST /auth/email/change/confirm`: moves the account.
///
/// # Errors
/// 400 for a link that does not work; 403 from another site's page, and while it is switched off; 409 when another
/// account has the address by now; 429. For pages, these are pages as well.
pub async fn confirm_address(
    State(state): State<AppState>,
    _page: OwnPage,
    From(origin): From,
    FormOrJson { sent, is_form }: FormOrJson<LinkForm>,
) -> Result<Response, ApiError> {
    pace(&state, &origin)?;
    match state.accounts.confirm_address(&sent.token, origin).await {
        Ok(it) if is_form => {
            let says = "From now on you sign in with this address, and mails go there.";
            Ok(notice::done(&state, it.surface, "Your address is changed", says))
        }
        Ok(_) => Ok(Json(Done { success: true }).into_response()),
        Err(AccountError::BadTicket) if is_form => Ok(notice::expired(&state, STAYS)),
        Err(AccountError::Taken(_)) if is_form => {
            let taken = AccountError::Taken("this address");
            Ok(notice::refused(&state, StatusCode::CONFLICT, &taken))
        }
        Err(error) => Err(error.into()),
    }
}
