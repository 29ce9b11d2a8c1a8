//! `/api/rooms/{room}/messages`: says something in a creator's chats, and what became of it.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::JsonBody;
use crate::{
    platforms::sending::NewMessage,
    web::{ApiError, AppState, caller::OperatorOnly},
};

/// `POST /api/rooms/{room}/messages {text, platforms?, reply_to?, source?}`: on one platform or on all.
///
/// 202 with the message and its state on each platform, at first `queued` or `blocked`. Only the operator may.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room, 413 for a body too large.
pub async fn send_message(
    State(state): State<AppState>,
    Path(room): Path<String>,
    _operator: OperatorOnly,
    body: JsonBody<NewMessage>,
) -> Result<Response, ApiError> {
    let room = state.hub.find_room(&room).ok_or(ApiError::NotFound("room"))?;
    let Json(new) = body?;
    if new.platforms.as_ref().is_some_and(Vec::is_empty) {
        let message = "`platforms` is empty: name one, or leave it out for all".to_owned();
        return Err(ApiError::BadRequest(message));
    }
    let config = state.config.borrow().clone();
    let creator = config.creators.creators.iter().find(|it| it.id == *room.id());
    let voices = creator.map(|it| state.voices.list(&config, it)).unwrap_or_default();
    let outgoing = state
        .outbox
        .send(room.id(), new, voices)
        .map_err(|it| ApiError::BadRequest(it.to_string()))?;
    if outgoing.platforms.is_empty() {
        return Err(ApiError::Conflict(
            "this server may speak in none of the room's chats: it has no token for them"
                .to_owned(),
        ));
    }
    Ok((StatusCode::ACCEPTED, Json(outgoing)).into_response())
}

/// `GET /api/rooms/{room}/messages`: what was said lately, newest last: `{"messages":[…]}`. Only the operator may.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room.
pub async fn list_messages(
    State(state): State<AppState>,
    Path(room): Path<String>,
    _operator: OperatorOnly,
) -> Result<Response, ApiError> {
    let room = state.hub.find_room(&room).ok_or(ApiError::NotFound("room"))?;
    Ok(Json(json!({ "messages": state.outbox.list(room.id()) })).into_response())
}
