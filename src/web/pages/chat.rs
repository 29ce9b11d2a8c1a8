//! `/chat/{creator}`: the pop-out chat, and `/livechat`, the list of rooms.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde_json::json;

use super::{Policy, missing::error_page, render};
use crate::{
    BUILD, VERSION,
    accounts::Right,
    chat::Room,
    model::CreatorId,
    web::{
        ApiError, AppState,
        access::{self, KeyQuery, Visitor},
        api::rooms::list_cards,
        caller::Caller,
        query::Query,
    },
};

#[derive(Template)]
#[template(path = "popout.html")]
struct ChatPage {
    title: String,
    build: &'static str,
    page: serde_json::Value,
}

/// `GET /chat/{creator}`: the chat in a window or an OBS dock.
pub async fn show_chat(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<KeyQuery>,
    visitor: Visitor,
) -> Response {
    let room = match access::find_readable(&state, &visitor, &room, query.key.as_deref()) {
        Ok(room) => room,
        Err(error) => return error_page(&error),
    };
    show_chat_page(&state, &room, &visitor.caller, query.key.as_deref(), false)
}

/// The chat's page for whoever may read the room. With `desk`, a moderator's drawers are open beside it.
pub(super) fn show_chat_page(
    state: &AppState,
    room: &Room,
    caller: &Caller,
    key: Option<&str>,
    desk: bool,
) -> Response {
    let rights = access::rights_in(state, caller, room.id());
    let may_send = rights.contains(&Right::Send);
    let voices = if may_send { list_voices(state, room.id()) } else { Vec::new() };
    let what = if desk { "moderation" } else { "chat" };
    let page = ChatPage {
        title: format!("{} · {what}", room.id()),
        build: BUILD,
        page: json!({
            "room": room.id(), "key": key, "settings": &*room.settings(), "desk": desk,
            "build": BUILD, "version": VERSION, "rights": rights, "voices": voices,
        }),
    };
    render(StatusCode::OK, Policy::Page, &page)
}

/// The room's channels as the send box offers them: how much each takes, or why nothing can be said there.
fn list_voices(state: &AppState, room: &CreatorId) -> Vec<serde_json::Value> {
    let config = state.config.borrow().clone();
    let creator = config.creators.creators.iter().find(|it| it.id == *room);
    let voices = creator.map(|it| state.voices.list(&config, it)).unwrap_or_default();
    let mut list: Vec<_> = voices
        .into_iter()
        .map(|(key, voice)| {
            let (max_chars, reason) = match voice {
                Ok(it) => (it.max_chars(), None),
                Err(reason) => (0, Some(reason)),
            };
            json!({
                "platform": key.platform, "channel": key.channel, "max_chars": max_chars,
                "reason": reason,
            })
        })
        .collect();
    list.sort_by_key(|it| !it["reason"].is_null());
    list
}

#[derive(Template)]
#[template(path = "livechat.html")]
struct LiveChatPage {
    title: &'static str,
    build: &'static str,
    page: serde_json::Value,
}

/// `GET /livechat`: the rooms that can be read, each with its pop-out.
pub async fn show_live_chat(State(state): State<AppState>, caller: Caller) -> Response {
    match list_cards(&state, &caller) {
        Ok(rooms) => {
            let page = json!({ "rooms": rooms, "build": BUILD, "version": VERSION });
            let page = LiveChatPage { title: "Live chat", build: BUILD, page };
            render(StatusCode::OK, Policy::Page, &page)
        }
        // The way in is on the start page.
        Err(ApiError::Unauthorized) => Redirect::to("/").into_response(),
        Err(error) => error_page(&error),
    }
}
