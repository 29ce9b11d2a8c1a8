//! `/overlay/{creator}`: what OBS shows.

use crate::web::query::Query;
use askama::Template;
use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{Policy, missing::missing_overlay, render};
use crate::{
    BUILD, VERSION,
    web::{
        ApiError, AppState,
        access::{self, Visitor},
        looks::{stylesheet_key, theme_query},
    },
};

/// The parts of an overlay's query that the server reads; the page's script reads them all.
#[derive(Debug, Deserialize)]
pub struct OverlayQuery {
    theme: Option<String>,
    key: Option<String>,
}

#[derive(Template)]
#[template(path = "overlay.html")]
struct OverlayPage {
    title: String,
    build: &'static str,
    theme: String,
    theme_query: String,
    page: serde_json::Value,
}

/// `GET /overlay/{creator}`: transparent, for OBS.
///
/// An unknown room or a bad key is a page as well (404, 403): transparent in OBS, and it tries again by
/// itself, so that an overlay comes alive when its room does.
pub async fn show_overlay(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<OverlayQuery>,
    visitor: Visitor,
) -> Response {
    let Some(room) = state.hub.find_room(&room) else {
        return missing_overlay(StatusCode::NOT_FOUND, "There is no such room here (yet).");
    };
    if access::may_read(&state, &visitor, room.id(), query.key.as_deref()).is_err() {
        return missing_overlay(
            StatusCode::FORBIDDEN,
            if query.key.is_some() {
                "The key in this address opens the overlay no longer: copy a new link from the dashboard."
            } else {
                "This overlay needs its key: copy the whole address from the start page."
            },
        );
    }
    let settings = room.settings();
    let wanted = query.theme.as_ref().unwrap_or(&settings.theme);
    let theme = state.looks.theme_or_default(room.id(), wanted).await;
    // For whoever wrote one that is not there: the page says which there are.
    let themes = query.theme.as_ref().filter(|it| **it != theme).map(|_| {
        let listed = state.looks.list_themes(room.id()).into_iter();
        listed.map(|it| it.name).collect::<Vec<_>>()
    });
    let theme_query = theme_query(&settings.theme_version, room.id(), query.key.as_deref());
    let page = OverlayPage {
        title: format!("{} · overlay", room.id()),
        build: BUILD,
        page: json!({
            "room": room.id(), "key": query.key, "sheet": query.key.as_deref().map(stylesheet_key),
            "settings": &*settings, "theme": theme,
            "build": BUILD, "version": VERSION, "themes": themes,
        }),
        theme,
        theme_query,
    };
    render(StatusCode::OK, Policy::Overlay, &page)
}

#[derive(Template)]
#[template(path = "loader.html")]
struct LoaderPage {
    title: String,
    url: String,
}

/// `GET /overlay/{creator}/loader.html`: a small file to keep on the streaming computer and to use in OBS
/// as a local file. OBS never retries a page that failed to load; this one waits for the server.
///
/// # Errors
/// 404 for an unknown room, 403 for a bad key.
pub async fn download_loader(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<OverlayQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    let mut url = format!("{}/overlay/{}", state.base_url, room.id());
    if let Some(key) = &query.key {
        url.push_str("?key=");
        url.push_str(key);
    }
    let page = LoaderPage { title: format!("{} · overlay", room.id()), url };
    let html = page.render().map_err(|it| ApiError::Internal(std::io::Error::other(it)))?;
    let name = format!("attachment; filename=\"{}-overlay.html\"", room.id());
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, html).into_response())
}
