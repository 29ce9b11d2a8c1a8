//! The way to a provider and back: `/auth/login/{provider}` and `/auth/callback/{provider}`.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{sign_in::go_on, surfaces};
use crate::{
    accounts::{
        AccountError, AccountId, Origin, Owner, SignedIn, Surface,
        oauth::{Aim, OAuthError, Provider},
        providers::{Back, Begin, Finished, ProviderError},
    },
    web::{
        ApiError, AppState,
        caller::{BrowserOnly, Caller, From},
        cookies, origin,
        pages::missing::error_page,
        query::Query,
    },
};

/// With what somebody sets out.
#[derive(Debug, Deserialize)]
pub struct BeginQuery {
    surface: Option<String>,
    /// `link`: adds the way in to the account that is signed in.
    mode: Option<String>,
    return_to: Option<String>,
    redirect_to: Option<String>,
    next: Option<String>,
}

impl BeginQuery {
    fn surface(&self) -> Surface {
        self.surface.as_deref().and_then(Surface::parse).unwrap_or_default()
    }

    /// The page that was asked for, when it is one of ours.
    fn page(&self, state: &AppState) -> Option<String> {
        let wanted = self.return_to.as_ref().or(self.redirect_to.as_ref()).or(self.next.as_ref());
        wanted.and_then(|it| surfaces::allowed_page(state, it))
    }
}

/// `GET /auth/login/{provider}`: sends the browser to the provider, or back to the login page with `?reason=`.
///
/// A provider that is none is a page as well (404).
pub async fn begin_at_provider(
    State(state): State<AppState>,
    From(origin): From,
    caller: Caller,
    headers: HeaderMap,
    Path(provider): Path<String>,
    Query(query): Query<BeginQuery>,
) -> Response {
    let Ok(provider) = provider.parse() else { return no_provider() };
    begin(&state, provider, &caller, &headers, &query, origin).await
}

/// What people see who go to a provider that is none.
fn no_provider() -> Response {
    error_page(&ApiError::NotFound("provider"))
}

/// The same at the addresses that older pages know: `/auth/google`, `/auth/github`, `/auth/discord` and
/// `/oauth/twitch/start`.
pub async fn begin_at_older_address(
    State(state): State<AppState>,
    From(origin): From,
    caller: Caller,
    headers: HeaderMap,
    uri: Uri,
    Query(query): Query<BeginQuery>,
) -> Response {
    let provider = match uri.path() {
        "/auth/google" => Provider::Google,
        "/auth/github" => Provider::Github,
        "/auth/discord" => Provider::Discord,
        _ => Provider::Twitch,
    };
    begin(&state, provider, &caller, &headers, &query, origin).await
}

async fn begin(
    state: &AppState,
    provider: Provider,
    caller: &Caller,
    headers: &HeaderMap,
    query: &BeginQuery,
    origin: Origin,
) -> Response {
    let surface = query.surface();
    let aim = match (query.mode.as_deref(), caller) {
        // Another site's page cannot make somebody add what they did not ask for.
        (Some("link"), Caller::Browser { account, session }) if !origin::is_cross_site(headers) => {
            let owner =
                Owner { account: account.id, session: session.digest, origin: origin.clone() };
            if let Err(error) = state.accounts.check_recent(&owner) {
                let page =
                    surfaces::success_page(state, surface, false, query.page(state).as_deref());
                return with_word(state, &page, "reason", ProviderError::from(error).reason());
            }
            Aim::Link(account.id)
        }
        (Some("link"), _) => {
            return surfaces::back_to_login(state, surface, "reason", "unauthorized");
        }
        _ => Aim::SignIn,
    };
    let is_link = aim != Aim::SignIn;
    let return_to = query.page(state);
    let begin = Begin { provider, aim, surface, return_to: return_to.clone(), origin };
    let browser = browser_of(headers).unwrap_or_else(new_browser);
    match state.providers.begin(begin, &browser).await {
        Ok(url) => {
            let cookie = [(header::SET_COOKIE, remember(state, &browser))];
            (cookie, no_store(), Redirect::to(&url)).into_response()
        }
        Err(error) if is_link => {
            let page = surfaces::success_page(state, surface, false, return_to.as_deref());
            with_word(state, &page, "reason", error.reason())
        }
        Err(error) => surfaces::back_to_login(state, surface, "reason", error.reason()),
    }
}

/// Where to go to add a way in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LinkAnswer {
    /// Always true.
    pub success: bool,
    /// The provider's page, to be opened in this browser.
    pub url: String,
}

/// `POST /account/providers/{provider}/link`: where to go to add a way in to this account.
///
/// # Errors
/// 404 for a provider that is none or not offered, 403 while it is off and for a sign-in that is not recent, 429.
pub async fn begin_link(
    State(state): State<AppState>,
    From(origin): From,
    browser: BrowserOnly,
    headers: HeaderMap,
    Path(provider): Path<String>,
    Query(query): Query<BeginQuery>,
) -> Result<Response, ApiError> {
    let provider = provider.parse().map_err(|_| ApiError::NotFound("provider"))?;
    let (surface, return_to) = (query.surface(), query.page(&state));
    state.accounts.check_recent(&browser.owner(origin.clone()))?;
    let aim = Aim::Link(browser.account.id);
    let begin = Begin { provider, aim, surface, return_to, origin };
    let secret = browser_of(&headers).unwrap_or_else(new_browser);
    let url = state.providers.begin(begin, &secret).await.map_err(problem)?;
    let cookie = [(header::SET_COOKIE, remember(&state, &secret))];
    Ok((cookie, no_store(), Json(LinkAnswer { success: true, url })).into_response())
}

fn problem(error: ProviderError) -> ApiError {
    match error {
        ProviderError::Account(error) => ApiError::Account(error),
        ProviderError::OAuth(OAuthError::NotOffered(_)) => ApiError::NotFound("provider"),
        ProviderError::OAuth(_) => ApiError::NotNow("the provider cannot be asked now"),
    }
}

/// With what somebody comes back.
#[derive(Debug, Deserialize)]
pub struct BackQuery {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    error: Option<String>,
}

/// `GET /auth/callback/{provider}`: takes somebody in who comes back from Google, GitHub or Twitch. It always goes on:
/// to the page that follows a sign-in, or to the login page with `?reason=`.
///
/// A provider that does not come back here is a page as well (404).
pub async fn come_back(
    State(state): State<AppState>,
    From(origin): From,
    caller: Caller,
    headers: HeaderMap,
    Path(provider): Path<String>,
    Query(query): Query<BackQuery>,
) -> Response {
    let provider = provider.parse::<Provider>().ok().filter(|it| *it != Provider::Discord);
    let Some(provider) = provider else { return no_provider() };
    take_in(&state, provider, &caller, &headers, &query, origin).await
}

/// `GET /auth/discord/login/callback`: the same for Discord.
pub async fn come_back_from_discord(
    State(state): State<AppState>,
    From(origin): From,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<BackQuery>,
) -> Response {
    take_in(&state, Provider::Discord, &caller, &headers, &query, origin).await
}

async fn take_in(
    state: &AppState,
    provider: Provider,
    caller: &Caller,
    headers: &HeaderMap,
    query: &BackQuery,
    origin: Origin,
) -> Response {
    let answer = query.error.as_deref().map_or(Ok(query.code.as_str()), Err);
    let signed_in = match caller {
        Caller::Browser { account, .. } => Some(account.id),
        _ => None::<AccountId>,
    };
    let browser = browser_of(headers);
    let browser = browser.as_deref();
    let back =
        state.providers.finish(provider, &query.state, answer, browser, signed_in, origin).await;
    let response = match back {
        Ok(back) => arrived(state, provider, back),
        Err(AccountError::BadTicket) => {
            surfaces::back_to_login(state, Surface::Public, "reason", "expired")
        }
        Err(error) => {
            let reason = ProviderError::from(error).reason();
            surfaces::back_to_login(state, Surface::Public, "reason", reason)
        }
    };
    (no_store(), response).into_response()
}

fn arrived(state: &AppState, provider: Provider, back: Back) -> Response {
    let Back { surface, return_to, aim, result } = back;
    let page = |name: &str, word: &str| {
        let page = surfaces::success_page(state, surface, false, return_to.as_deref());
        with_word(state, &page, name, word)
    };
    match (result, aim) {
        (Ok(Finished::SignedIn(signed_in)), _) => {
            let signed_in = SignedIn { return_to: return_to.clone(), ..signed_in };
            let (cookie, page) = go_on(state, &signed_in);
            ([(header::SET_COOKIE, cookie)], surfaces::go_to(state, &page)).into_response()
        }
        (Ok(Finished::Linked(_)), _) => page("linked", provider.as_str()),
        (Err(error), Aim::Link(_)) => page("reason", error.reason()),
        (Err(error), Aim::SignIn) => {
            surfaces::back_to_login(state, surface, "reason", error.reason())
        }
    }
}

/// Sends a browser to a page of ours, with a word for it.
fn with_word(state: &AppState, page: &str, name: &str, word: &str) -> Response {
    let Ok(mut url) = Url::parse(page) else { return Redirect::to("/").into_response() };
    url.query_pairs_mut().append_pair(name, word);
    surfaces::go_to(state, url.as_str()).into_response()
}

fn no_store() -> [(header::HeaderName, &'static str); 1] {
    [(header::CACHE_CONTROL, "no-store")]
}

/// The secret of the browser's cookie; one that none of ours can be is none.
fn browser_of(headers: &HeaderMap) -> Option<String> {
    let found = cookies::find(headers, cookies::WAY)?;
    let plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_');
    (found.len() == 43 && found.bytes().all(plain)).then(|| found.to_owned())
}

fn new_browser() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// `Set-Cookie` for as long as the way may take. `Lax`: the way back is a link on another site's page.
fn remember(state: &AppState, browser: &str) -> HeaderValue {
    let seconds = u64::from(state.config.borrow().system.auth.oauth_state_minutes) * 60;
    cookies::keep_here(state, cookies::WAY, browser, seconds)
}
