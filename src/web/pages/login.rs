//! `/login`: the way in, for everybody who has an account or wants one.

use askama::Template;
use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Policy, render};
use crate::{
    BUILD, VERSION,
    accounts::{Surface, oauth::Provider},
    model::AccountRole,
    web::{AppState, accept::Peer, auth::surfaces, caller::Caller, query::Query},
};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    title: &'static str,
    build: &'static str,
    /// What brings people here, in a sentence; empty for nothing.
    notice: &'static str,
    is_good_news: bool,
    providers: Vec<OfferedProvider>,
    has_sign_up: bool,
    has_passwords: bool,
    /// Whether the emergency admin may sign in here.
    has_emergency: bool,
    is_local: bool,
    page: Value,
}

/// Somebody else who says who people are.
#[derive(Debug, Clone)]
pub(super) struct OfferedProvider {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// Its sign, under `/static/img`.
    pub(super) mark: &'static str,
    /// The way there.
    pub(super) href: String,
}

/// Why somebody comes here, and where they go on to.
#[derive(Debug, Default, Deserialize)]
pub struct LoginQuery {
    surface: Option<String>,
    reason: Option<String>,
    verified: Option<String>,
    return_to: Option<String>,
    /// Older names of the same.
    redirect_to: Option<String>,
    next: Option<String>,
}

/// `GET /login?surface=&reason=&verified=&return_to=`: whoever is signed in goes on at once, unless something is to be
/// told.
pub async fn show_login(
    State(state): State<AppState>,
    Extension(peer): Extension<Peer>,
    Query(query): Query<LoginQuery>,
    caller: Caller,
) -> Response {
    let surface = query.surface.as_deref().and_then(Surface::parse).unwrap_or_default();
    let wanted = query.return_to.as_deref().or(query.redirect_to.as_deref());
    let wanted = wanted.or(query.next.as_deref());
    let wanted = wanted.and_then(|it| surfaces::allowed_page(&state, it));
    if query.reason.is_none() {
        match caller {
            Caller::Browser { account, .. } => {
                let is_admin = account.role == AccountRole::Admin;
                let page = surfaces::success_page(&state, surface, is_admin, wanted.as_deref());
                return surfaces::go_to(&state, &page).into_response();
            }
            Caller::OperatorBrowser { .. } => {
                return surfaces::go_to(&state, wanted.as_deref().unwrap_or("/")).into_response();
            }
            Caller::Nobody | Caller::OperatorToken | Caller::Program { .. } => {}
        }
    }
    show_way_in(&state, peer, surface, &query, wanted)
}

/// The same on the start page, for whoever is not signed in.
pub(super) fn show_way_in_at_home(state: &AppState, peer: Peer) -> Response {
    show_way_in(state, peer, Surface::default(), &LoginQuery::default(), None)
}

fn show_way_in(
    state: &AppState,
    peer: Peer,
    surface: Surface,
    query: &LoginQuery,
    return_to: Option<String>,
) -> Response {
    let book = state.accounts.book();
    let controls = book.controls();
    let page = json!({
        "version": VERSION, "build": BUILD, "surface": surface, "return_to": return_to,
        "base_url": state.base_url,
        "passwords": !controls.disable_password_login,
        "link_minutes": state.config.borrow().system.auth.mail_link_minutes,
    });
    let mut ways = vec![("surface", surface.as_str().to_owned())];
    ways.extend(return_to.map(|it| ("return_to", it)));
    let is_good_news = query.verified.as_deref() == Some("1");
    let page = LoginPage {
        title: "Sign in · StreamSuites",
        build: BUILD,
        notice: if is_good_news { VERIFIED } else { words_for(query.reason.as_deref()) },
        is_good_news: is_good_news || query.reason.as_deref() == Some("logout"),
        providers: list_providers(state, &ways),
        has_sign_up: !controls.disable_new_signups,
        has_passwords: !controls.disable_password_login,
        has_emergency: surface == Surface::Admin
            && state.config.borrow().secrets.fallback_admin().is_some(),
        is_local: peer.is_local(),
        page,
    };
    render(StatusCode::OK, Policy::Page, &page)
}

const VERIFIED: &str = "Your address is verified. Sign in, and you are set.";

/// What a reason means, in a sentence. Of one that is not known the page says nothing: no stranger's words stand on it.
fn words_for(reason: Option<&str>) -> &'static str {
    match reason {
        Some("expired") => "That took too long, or you were away for a while. Sign in again.",
        Some("sign-in-again") => "Sign in again to go on: what you want to do is for you alone.",
        Some("unauthorized") => "Sign in with an account that may go there.",
        Some("unavailable") => "That way in does not work just now. Try again, or choose another.",
        Some("logout") => "You are signed out. See you soon.",
        Some("deleted") => "Your account is gone. Thank you for having been here.",
        Some("verification-expired") => {
            "That link was used already, or is too old. Sign in, and we send you a new one."
        }
        Some("inactive_account") => "This account is suspended. Ask whoever runs this server.",
        Some("email_unverified") => {
            "Verify your address first: the link is in the mail we sent you."
        }
        Some("denied") => "You stopped on the way. Choose how to sign in.",
        Some("rate_limited") => "Too many attempts. Wait a little, then try again.",
        Some("taken") => {
            "There is an account with that address already. Sign in to it, then connect the other under your account."
        }
        Some("password-changed") => "Your password is changed. Sign in with the new one.",
        _ => "",
    }
}

/// With whom people can sign in at this moment; `ways` goes along in the query.
pub(super) fn list_providers(state: &AppState, ways: &[(&str, String)]) -> Vec<OfferedProvider> {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(ways).finish();
    let offered = state.providers.list_offered();
    offered
        .into_iter()
        .map(|it| OfferedProvider {
            id: it.as_str(),
            title: it.title(),
            mark: match it {
                Provider::Google => "providers/google.svg",
                Provider::Github => "providers/github.svg",
                Provider::Discord => "platforms/discord.svg",
                Provider::Twitch => "platforms/twitch.svg",
            },
            href: format!("/auth/login/{it}?{query}"),
        })
        .collect()
}
