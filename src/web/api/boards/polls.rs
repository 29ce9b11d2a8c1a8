//! `/api/rooms/{room}/polls`: what viewers are asked.

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{most, name_of};
use crate::{
    accounts::Right,
    boards::{NewPoll, PollChange, PollState},
    model::{CreatorId, QualifiedId, Timestamp},
    web::{
        ApiError, AppState,
        access::{self, KeyQuery, RoomActor, Visitor},
        json_body::JsonOf,
        query::Query,
    },
};

const POLL: &str = "poll in this room";

/// A vote that somebody brings.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVote {
    /// Whose it is.
    voter: QualifiedId,
    /// The option: its words, its id or its number.
    #[schemars(length(min = 1, max = 80))]
    choice: String,
}

/// Whether a visitor knows of polls that are not asked yet.
fn sees_drafts(state: &AppState, visitor: &Visitor, room: &CreatorId) -> bool {
    visitor.caller.is_operator()
        || access::rights_in(state, &visitor.caller, room).contains(&Right::Polls)
}

/// `GET /api/rooms/{room}/polls`: `{"polls":[…]}`, the newest first; drafts only for those who may open them.
///
/// # Errors
/// 404 for an unknown room, 403 for a bad key.
pub async fn list_polls(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<KeyQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    let drafts = sees_drafts(&state, &visitor, room.id());
    Ok(Json(json!({ "polls": state.boards.list_polls(room.id(), drafts) })).into_response())
}

/// `GET /api/rooms/{room}/polls/{id}`: one of them.
///
/// # Errors
/// As [`list_polls`], and 404 for one that is not there.
pub async fn find_poll(
    State(state): State<AppState>,
    Path((room, id)): Path<(String, String)>,
    Query(query): Query<KeyQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    let poll = state.boards.find_poll(room.id(), &id);
    let poll =
        poll.filter(|it| it.state != PollState::Draft || sees_drafts(&state, &visitor, room.id()));
    Ok(Json(poll.ok_or(ApiError::NotFound(POLL))?).into_response())
}

/// `POST /api/rooms/{room}/polls {question, options, …}`: asks a poll, or with `draft` writes one.
///
/// 201 with it and its address.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room, 409 when another is open that it cannot stand
/// beside.
pub async fn add_poll(
    State(state): State<AppState>,
    actor: RoomActor,
    JsonOf(new): JsonOf<NewPoll>,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let room = actor.room.id();
    let (by, most) = (name_of(&actor), most(&state, room));
    let poll = state.boards.open_poll(room, &new, &by, most, Timestamp::now())?;
    let location = [(header::LOCATION, format!("/api/rooms/{room}/polls/{}", poll.poll_id))];
    Ok((StatusCode::CREATED, location, Json(poll)).into_response())
}

/// `PATCH /api/rooms/{room}/polls/{id} {state?, …}`: opens, closes or archives a poll, or writes a draft anew.
///
/// 200 with it.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room or poll, 409 for a state that it cannot come to.
pub async fn change_poll(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
    JsonOf(change): JsonOf<PollChange>,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let room = actor.room.id();
    let most = most(&state, room);
    let poll = state.boards.change_poll(room, &id, &change, most, Timestamp::now())?;
    Ok(Json(poll).into_response())
}

/// `DELETE /api/rooms/{room}/polls/{id}`: deletes a poll and its votes. 204.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room or poll.
pub async fn remove_poll(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    actor.may(Right::Polls)?;
    state.boards.remove_poll(actor.room.id(), &id, Timestamp::now())?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/rooms/{room}/polls/{id}/votes {voter, choice}`: counts a vote, in place of what this person wanted before.
///
/// 200 with what it was counted for.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room or poll, 409 when it is not open.
pub async fn add_vote(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
    JsonOf(NewVote { voter, choice }): JsonOf<NewVote>,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let now = Timestamp::now();
    let voted = state.boards.vote(actor.room.id(), Some(&id), &voter, &choice, now)?;
    Ok(Json(voted).into_response())
}

/// `DELETE /api/rooms/{room}/polls/{id}/votes/{voter}`: takes the vote of a person out of an open poll, whichever of their
/// accounts is named. 204.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room, poll or vote, 409 when the poll is not open.
pub async fn remove_vote(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id, voter)): Path<(String, String, String)>,
) -> Result<StatusCode, ApiError> {
    actor.may(Right::Polls)?;
    let voter =
        QualifiedId::try_from(voter).map_err(|_| ApiError::NotFound("vote in this poll"))?;
    state.boards.remove_vote(actor.room.id(), &id, &voter, Timestamp::now())?;
    Ok(StatusCode::NO_CONTENT)
}
