//! `/`: where to go next, for the operator and for creators; the way in, for everybody else.

use crate::web::query::Query;
use askama::Template;
use axum::{
    Extension,
    extract::State,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{Policy, login, missing::error_page, render};
use crate::{
    BUILD, VERSION,
    web::{
        ApiError, AppState,
        accept::Peer,
        api::rooms::{list_cards, list_own_cards},
        auth::user::User,
        caller::Caller,
        cookies,
    },
};

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    title: &'static str,
    build: &'static str,
    page: serde_json::Value,
}

#[derive(Template)]
#[template(path = "creator_home.html")]
struct CreatorHomePage {
    title: &'static str,
    build: &'static str,
    name: String,
    page: serde_json::Value,
}

/// `GET /`
pub async fn show_home(
    State(state): State<AppState>,
    Extension(peer): Extension<Peer>,
    caller: Caller,
) -> Response {
    if let (true, Ok(rooms)) = (caller.is_operator(), list_cards(&state, &caller)) {
        let page = json!({
            "version": VERSION, "build": BUILD, "public_url": state.base_url, "operator": true,
            "rooms": rooms,
        });
        let page = HomePage { title: "StreamSuites", build: BUILD, page };
        return render(StatusCode::OK, Policy::Page, &page);
    }
    match caller {
        Caller::Browser { account, .. } => {
            let page = json!({
                "version": VERSION, "build": BUILD, "rooms": list_own_cards(&state, &account),
                "user": User::of(&account, &state.accounts.book()),
            });
            let page = CreatorHomePage {
                title: "StreamSuites",
                build: BUILD,
                name: account.display_name.clone(),
                page,
            };
            render(StatusCode::OK, Policy::Page, &page)
        }
        _ => login::show_way_in_at_home(&state, peer),
    }
}

/// The query of the sign-in link.
#[derive(Debug, Deserialize)]
pub struct SignInQuery {
    token: String,
}

/// `GET /auth/operator?token=…`: the link printed at the start. Works once, and on this machine only.
pub async fn sign_in(
    State(state): State<AppState>,
    Extension(peer): Extension<Peer>,
    method: Method,
    caller: Caller,
    Query(query): Query<SignInQuery>,
) -> Response {
    if method == Method::HEAD {
        // Whoever only looks whether the link is there must not use it up.
        return StatusCode::OK.into_response();
    }
    if !peer.is_local() {
        return error_page(&ApiError::Forbidden(
            "the sign-in link works on the server's own machine",
        ));
    }
    if caller.is_operator() {
        return Redirect::to("/").into_response();
    }
    let Some(cookie) = state.operator.use_link(&query.token) else {
        return error_page(&ApiError::Forbidden(
            "this sign-in link was used already or is of an earlier start: restart for a new one",
        ));
    };
    // An older sign-in may have made room for it.
    state.doors.look_again();
    state.telemetry.recent.event(
        crate::telemetry::Severity::Info,
        "operator",
        "the operator signed in over the link",
    );
    let cookie = cookies::keep_here(&state, cookies::SESSION, &cookie, 604_800);
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}
