//! `/dashboard`: how a room looks, set with a live preview.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{Policy, missing::error_page, render};
use crate::{
    BUILD, VERSION,
    web::{
        ApiError, AppState, access,
        api::rooms::{list_cards, list_own_cards},
        caller::Caller,
        query::Query,
    },
};

/// Which room.
#[derive(Debug, Deserialize)]
pub struct DashboardQuery {
    room: Option<String>,
}

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    title: String,
    build: &'static str,
    room: String,
    platforms: [(&'static str, &'static str); 8],
    providers: [(&'static str, &'static str); 9],
    page: serde_json::Value,
}

/// `GET /dashboard?room=NAME`: without a name, the first room. For the operator and the room's owner; others are shown the
/// way in.
pub async fn show_dashboard(
    State(state): State<AppState>,
    Query(query): Query<DashboardQuery>,
    caller: Caller,
) -> Response {
    let name = query.room.or_else(|| match caller.account() {
        Some(account) if !caller.is_operator() => {
            account.list_rooms().next().map(ToString::to_string)
        }
        _ => state.hub.list_rooms().first().map(|it| it.id().to_string()),
    });
    let room = match access::find_managed(&state, &caller, name.as_deref()) {
        Ok(room) => room,
        // The way in, and the way to a first room, are on the start page.
        Err(ApiError::Unauthorized | ApiError::BadRequest(_)) => {
            return Redirect::to("/").into_response();
        }
        Err(error) => return error_page(&error),
    };
    let rooms = match caller.account() {
        Some(account) if !caller.is_operator() => list_own_cards(&state, account),
        _ => list_cards(&state, &caller).unwrap_or_default(),
    };
    let look = state.looks.find(room.id());
    let page = DashboardPage {
        title: format!("{} · look", room.id()),
        build: BUILD,
        room: room.id().to_string(),
        platforms: [
            ("twitch", "Twitch"),
            ("youtube", "YouTube"),
            ("kick", "Kick"),
            ("rumble", "Rumble"),
            ("pilled", "Pilled"),
            ("discord", "Discord"),
            ("x", "X"),
            ("streamsuites", "StreamSuites"),
        ],
        providers: [
            ("twitch", "Twitch"),
            ("youtube", "YouTube"),
            ("kick", "Kick"),
            ("rumble", "Rumble"),
            ("7tv", "7TV"),
            ("bttv", "BetterTTV"),
            ("ffz", "FrankerFaceZ"),
            ("discord", "Discord"),
            ("streamsuites", "StreamSuites"),
        ],
        page: json!({
            "room": room.id(), "rooms": rooms, "build": BUILD, "version": VERSION,
            "look": look, "etag": format!("\"{}\"", look.version), "themes": state.looks.list_themes(room.id()),
        }),
    };
    render(StatusCode::OK, Policy::Page, &page)
}
