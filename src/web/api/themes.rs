//! `/api/themes`: the themes that a room may use, and those it has of its own.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::JsonBody;
use crate::{
    chat::Room,
    web::{ApiError, AppState, access::Manager, looks::Looks},
};

/// Does what may wait for the disk.
async fn blocking<T: Send + 'static>(
    state: &AppState,
    room: Arc<Room>,
    work: impl FnOnce(&Looks, &Room) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let looks = state.looks.clone();
    let done = state.life.spawn_blocking(move || work(&looks, &room)).await;
    done.map_err(|it| ApiError::Internal(it.into()))?
}

/// `GET /api/themes?room=NAME`: `{"themes":[{"name","title","description","surface","origin"}]}`, the room's own
/// first. `origin` is `own`, `folder` or `built-in`.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room.
pub async fn list_themes(State(state): State<AppState>, manager: Manager) -> Response {
    Json(json!({ "themes": state.looks.list_themes(manager.room.id()) })).into_response()
}

/// `GET /api/themes/{name}?room=NAME`: one theme, with its stylesheet as it was written.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room or theme.
pub async fn find_theme(
    State(state): State<AppState>,
    Path(name): Path<String>,
    Manager { room }: Manager,
) -> Result<Response, ApiError> {
    let theme =
        blocking(&state, room, move |looks, room| looks.find_theme(room.id(), &name)).await?;
    Ok(Json(theme).into_response())
}

/// `POST /api/themes?room=NAME {name?, title?, description?, surface?, css}`: a theme of the room's own.
///
/// 201. The name is made of the title when it is absent, with a number behind it where another title has made the same.
///
/// # Errors
/// 400 with everything that is wrong, 401 and 403 for others, 404 for an unknown room, 409 when the name is
/// taken or there are too many.
pub async fn add_theme(
    State(state): State<AppState>,
    Manager { room }: Manager,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let Json(body) = body?;
    let id = room.id().clone();
    // The operator's rooms have as many as there can be.
    let book = state.accounts.book();
    let most = book.terms_of_room(&id).map_or(usize::MAX, |it| it.features.themes as usize);
    let work = move |looks: &Looks, room: &Room| looks.add_theme(room.id(), &body, most);
    let theme = blocking(&state, room, work).await?;
    let location = [(header::LOCATION, format!("/api/themes/{}?room={id}", theme.name))];
    Ok((StatusCode::CREATED, location, Json(theme)).into_response())
}

/// `PUT /api/themes/{name}?room=NAME {title?, description?, surface?, css?}`: changes what is named. Overlays that
/// look like it have the new stylesheet at once.
///
/// # Errors
/// 400 with everything that is wrong, 401 and 403 for others, 404 for an unknown room or theme, 409 for a theme
/// that is not the room's own.
pub async fn change_theme(
    State(state): State<AppState>,
    Path(name): Path<String>,
    Manager { room }: Manager,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let Json(body) = body?;
    let work = move |looks: &Looks, room: &Room| looks.change_theme(room.id(), &name, &body);
    Ok(Json(blocking(&state, room, work).await?).into_response())
}

/// `DELETE /api/themes/{name}?room=NAME`: 204.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room or theme, 409 while the room looks like it, or for a theme
/// that is not the room's own.
pub async fn remove_theme(
    State(state): State<AppState>,
    Path(name): Path<String>,
    Manager { room }: Manager,
) -> Result<StatusCode, ApiError> {
    blocking(&state, room, move |looks, room| looks.remove_theme(room.id(), &name)).await?;
    Ok(StatusCode::NO_CONTENT)
}
