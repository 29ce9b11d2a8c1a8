//! The ways in to an account: which there are, and taking one away.

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    accounts::{Account, oauth::Provider},
    model::Timestamp,
    web::{
        ApiError, AppState,
        caller::{BrowserOnly, From},
        json_body::JsonOf,
    },
};

/// The ways in to an account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuthMethods {
    /// Always true.
    pub success: bool,
    /// The password first, then the providers.
    pub methods: Vec<AuthMethod>,
}

/// A way in, there or not.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuthMethod {
    /// `password`, `google`, `github`, `discord` or `twitch`.
    pub provider: String,
    /// As people know it.
    pub title: String,
    /// Whether this server offers it at this moment.
    pub offered: bool,
    /// Whether it opens this account.
    pub linked: bool,
    /// Whether it may be taken away: the last way in may not.
    pub can_unlink: bool,
    /// Who the account's owner is there; one for each sign-in there.
    pub identities: Vec<LinkedIdentity>,
    /// What its platform allows in the owner's name.
    pub platform: Option<PlatformAccess>,
}

/// Who somebody is at a provider.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LinkedIdentity {
    /// The name there.
    pub name: Option<String>,
    /// The address there.
    pub email: Option<String>,
    /// Since when it opens this account.
    pub linked_at: Timestamp,
}

/// What a platform allows.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlatformAccess {
    /// In the platform's own words.
    pub scopes: Vec<String>,
    /// Whether it still does; if not, its owner must sign in there again.
    pub active: bool,
}

fn methods_of(state: &AppState, account: &Account) -> AuthMethods {
    let offered = state.providers.list_offered();
    let kept = state.providers.list_kept(account.id);
    let book = state.accounts.book();
    let password = AuthMethod {
        provider: "password".to_owned(),
        title: "Password".to_owned(),
        offered: !book.controls().disable_password_login,
        linked: account.password.is_some(),
        can_unlink: false,
        identities: Vec::new(),
        platform: None,
    };
    let of_provider = |it: Provider| {
        let linked = account.providers.iter().filter(|linked| linked.provider == it.as_str());
        let identities: Vec<_> = linked
            .map(|it| LinkedIdentity {
                name: it.name.clone(),
                email: it.email.as_ref().map(|it| it.as_str().to_owned()),
                linked_at: it.linked_at,
            })
            .collect();
        AuthMethod {
            provider: it.as_str().to_owned(),
            title: it.title().to_owned(),
            offered: offered.contains(&it),
            linked: !identities.is_empty(),
            can_unlink: !identities.is_empty() && account.ways_in() > identities.len(),
            identities,
            platform: kept.iter().find(|kept| kept.provider == it).map(|kept| PlatformAccess {
                scopes: kept.scopes.clone(),
                active: kept.refused_at.is_none(),
            }),
        }
    };
    let providers = Provider::ALL.into_iter().map(of_provider);
    let methods = std::iter::once(password).chain(providers).collect();
    AuthMethods { success: true, methods }
}

fn answer(state: &AppState, account: &Account) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(methods_of(state, account))).into_response()
}

/// `GET /api/account/auth-methods`: the ways in to the account.
///
/// # Errors
/// 401 for nobody, 403 for the operator and programs.
pub async fn list_auth_methods(State(state): State<AppState>, browser: BrowserOnly) -> Response {
    answer(&state, &browser.account)
}

/// `DELETE /account/providers/{provider}`: takes a way in away; what its platform allowed is given back.
///
/// # Errors
/// 404 when it is no way in to this account, 409 when it is the last one.
pub async fn unlink_provider(
    State(state): State<AppState>,
    From(origin): From,
    browser: BrowserOnly,
    Path(provider): Path<String>,
) -> Result<Response, ApiError> {
    let provider = provider.parse().map_err(|_| ApiError::NotFound("provider"))?;
    let account = state.providers.unlink(browser.account.id, provider, origin).await?;
    Ok(answer(&state, &account))
}

/// What an older page sends.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Unlink {
    /// Which.
    #[schemars(length(max = 32))]
    pub provider: String,
}

/// `POST /api/account/auth-methods/unlink`: an older address of the same.
///
/// # Errors
/// As [`unlink_provider`].
pub async fn unlink_named_provider(
    state: State<AppState>,
    from: From,
    browser: BrowserOnly,
    JsonOf(sent): JsonOf<Unlink>,
) -> Result<Response, ApiError> {
    unlink_provider(state, from, browser, Path(sent.provider)).await
}
