//! `/replay/{creator}`: a recorded stream, played again in the overlay's own look.

use crate::web::query::Query;
use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::json;

use super::{Policy, missing::error_page, render};
use crate::{
    BUILD, VERSION,
    web::{
        AppState,
        access::{self, Visitor},
        looks::{stylesheet_key, theme_query},
    },
};

/// The parts of the query that the server reads; the page's script reads them all.
#[derive(Debug, Deserialize)]
pub struct ReplayQuery {
    theme: Option<String>,
    key: Option<String>,
}

#[derive(Template)]
#[template(path = "replay.html")]
struct ReplayPage {
    title: String,
    build: &'static str,
    theme: String,
    theme_query: String,
    page: serde_json::Value,
}

/// `GET /replay/{creator}`: the newest session.
pub async fn show_newest(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<ReplayQuery>,
    visitor: Visitor,
) -> Response {
    show(&state, &room, None, query, &visitor).await
}

/// `GET /replay/{creator}/{session}`
pub async fn show_session(
    State(state): State<AppState>,
    Path((room, session)): Path<(String, String)>,
    Query(query): Query<ReplayQuery>,
    visitor: Visitor,
) -> Response {
    show(&state, &room, Some(session), query, &visitor).await
}

async fn show(
    state: &AppState,
    room: &str,
    session: Option<String>,
    query: ReplayQuery,
    visitor: &Visitor,
) -> Response {
    let room = match access::find_readable(state, visitor, room, query.key.as_deref()) {
        Ok(room) => room,
        Err(error) => return error_page(&error),
    };
    let settings = room.settings();
    let theme = query.theme.unwrap_or_else(|| settings.theme.clone());
    let theme = state.looks.theme_or_default(room.id(), &theme).await;
    let theme_query = theme_query(&settings.theme_version, room.id(), query.key.as_deref());
    let config = state.config.borrow().clone();
    let creator = config.creators.creators.iter().find(|it| it.id == *room.id());
    let name = creator.map_or(room.id().as_str(), |it| it.display_name());
    let page = ReplayPage {
        title: format!("{name} · replay"),
        build: BUILD,
        page: json!({
            "room": room.id(), "key": query.key, "sheet": query.key.as_deref().map(stylesheet_key),
            "display_name": name, "settings": &*settings,
            "theme": theme, "build": BUILD, "version": VERSION, "session": session,
            "recorded": room.log().is_kept(),
        }),
        theme,
        theme_query,
    };
    render(StatusCode::OK, Policy::Overlay, &page)
}
