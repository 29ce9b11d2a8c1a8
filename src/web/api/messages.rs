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
    config::Limited,
    model::{Platform, QualifiedId, Timestamp},
    platforms::sending::{LaneKey, NewMessage, Speaker, Voice},
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
    limit(&state, &new, &mut voices)?;
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

/// Counts a message on every platform where it is to be said; one that had too many within this minute has no voice.
fn limit(
    state: &AppState,
    new: &NewMessage,
    voices: &mut [(LaneKey, Voice)],
) -> Result<(), ApiError> {
    let answered = new.reply_to.as_ref().and_then(QualifiedId::platform);
    let is_wanted = |it: Platform| {
        let named = new.platforms.as_ref().is_none_or(|named| named.contains(&it));
        named && answered.is_none_or(|answered| answered == it)
    };
    let now = Timestamp::now();
    let (mut said, mut longest_ms) = (false, None);
    for (key, voice) in voices.iter_mut().filter(|it| is_wanted(it.0.platform) && it.1.is_ok()) {
        let platform = Some(key.platform);
        match state.rate_limits.take(Limited::ChatMessages, &key.creator, platform, now) {
            Ok(()) => said = true,
            Err(wait_ms) => {
                longest_ms = longest_ms.max(Some(wait_ms));
                let seconds = wait_ms.div_ceil(1_000);
                *voice = Err(format!("too many messages within a minute: again in {seconds} s"));
            }
        }
    }
    match longest_ms.filter(|_| !said) {
        Some(wait_ms) => Err(ApiError::RateLimited(wait_ms.div_ceil(1_000))),
        None => Ok(()),
    }
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
