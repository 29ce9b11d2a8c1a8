//! `/api/rooms/{room}/messages`: says something in a creator's chats, and what became of it.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::JsonBody;
use crate::{
    accounts::Right,
    model::Timestamp,
    platforms::sending::{NewMessage, Speaker, count_message},
    web::{ApiError, AppState, access::RoomActor},
};

/// `POST /api/rooms/{room}/messages {text, platforms?, reply_to?, source?}`: on one platform or on all.
///
/// 202 with the message and its state on each platform, at first `queued` or `blocked`. For whoever may send in the room.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room, 413 for a body too large, 429 when the room
/// said too much within a minute.
pub async fn send_message(
    State(state): State<AppState>,
    actor: RoomActor,
    body: JsonBody<NewMessage>,
) -> Result<Response, ApiError> {
    actor.may(Right::Send)?;
    let Json(mut new) = body?;
    let RoomActor { room, caller, .. } = actor;
    new.by = caller.account().map(|it| it.display_name.clone());
    if !caller.owns(room.id()) {
        new.source = Speaker::Moderator;
    }
    if new.platforms.as_ref().is_some_and(Vec::is_empty) {
        let message = "`platforms` is empty: name one, or leave it out for all".to_owned();
        return Err(ApiError::BadRequest(message));
    }
    let config = state.config.borrow().clone();
    let creator = config.creators.creators.iter().find(|it| it.id == *room.id());
    let mut voices = creator.map(|it| state.voices.list(&config, it)).unwrap_or_default();
    count_message(&state.rate_limits, &new, &mut voices, Timestamp::now())
        .map_err(|wait_ms| ApiError::RateLimited(wait_ms.div_ceil(1_000)))?;
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

/// `GET /api/rooms/{room}/messages`: what was said lately, newest last: `{"messages":[…]}`. For whoever may send in the room.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room.
pub async fn list_messages(
    State(state): State<AppState>,
    actor: RoomActor,
) -> Result<Response, ApiError> {
    actor.may(Right::Send)?;
    let room = actor.room;
    Ok(Json(json!({ "messages": state.outbox.list(room.id()) })).into_response())
}
