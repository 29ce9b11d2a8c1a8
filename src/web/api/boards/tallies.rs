//! `/api/rooms/{room}/tallies`: what is counted.

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::{
    accounts::Right,
    boards::{NewTally, TallyChange},
    model::Timestamp,
    web::{
        ApiError, AppState,
        access::{self, KeyQuery, RoomActor, Visitor},
        json_body::JsonOf,
        query::Query,
    },
};

/// By how much, and of what.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// 1 where nobody says; negative counts down.
    #[serde(default = "one")]
    by: i64,
    /// Of a tally that counts several things: which.
    #[serde(default)]
    #[schemars(length(min = 1, max = 80))]
    item: Option<String>,
}

const fn one() -> i64 {
    1
}

/// `GET /api/rooms/{room}/tallies`: `{"tallies":[…]}`, in the order of their ids.
///
/// # Errors
/// 404 for an unknown room, 403 for a bad key.
pub async fn list_tallies(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<KeyQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    Ok(Json(json!({ "tallies": state.boards.list_tallies(room.id()) })).into_response())
}

/// `GET /api/rooms/{room}/tallies/{id}`: one of them, with the periods that are over.
///
/// # Errors
/// As [`list_tallies`], and 404 for one that is not there.
pub async fn find_tally(
    State(state): State<AppState>,
    Path((room, id)): Path<(String, String)>,
    Query(query): Query<KeyQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    let tally = state.boards.find_tally(room.id(), &id);
    Ok(Json(tally.ok_or(ApiError::NotFound("tally in this room"))?).into_response())
}

/// `POST /api/rooms/{room}/tallies {label, …}`: keeps a tally from now on; with `target` it is a goal.
///
/// 201 with it and its address.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room, 409 when the id is taken or there are too many.
pub async fn add_tally(
    State(state): State<AppState>,
    actor: RoomActor,
    JsonOf(new): JsonOf<NewTally>,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let room = actor.room.id();
    let tally = state.boards.add_tally(room, &new, Timestamp::now())?;
    let location = [(header::LOCATION, format!("/api/rooms/{room}/tallies/{}", tally.tally_id))];
    Ok((StatusCode::CREATED, location, Json(tally)).into_response())
}

/// `PATCH /api/rooms/{room}/tallies/{id}`: changes what is named; null takes away what may be absent.
///
/// 200 with it.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room or tally.
pub async fn change_tally(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
    JsonOf(change): JsonOf<TallyChange>,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let tally = state.boards.change_tally(actor.room.id(), &id, &change, Timestamp::now())?;
    Ok(Json(tally).into_response())
}

/// `DELETE /api/rooms/{room}/tallies/{id}`: deletes a tally and its periods. 204.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room or tally.
pub async fn remove_tally(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    actor.may(Right::Polls)?;
    state.boards.remove_tally(actor.room.id(), &id, Timestamp::now())?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/rooms/{room}/tallies/{id}/count {by?, item?}`: counts. Numbers end at ±9007199254740991.
///
/// 200 with the tally as viewers see it.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room or tally, 409 when it takes no further item.
pub async fn count_tally(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
    JsonOf(Count { by, item }): JsonOf<Count>,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let (room, now) = (actor.room.id(), Timestamp::now());
    let tally = state.boards.count(room, &id, item.as_deref(), by, None, now)?;
    Ok(Json(tally).into_response())
}

/// `POST /api/rooms/{room}/tallies/{id}/reset`: sets it to 0, and lets everybody count again.
///
/// 200 with it.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room or tally.
pub async fn reset_tally(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let tally = state.boards.reset_tally(actor.room.id(), &id, Timestamp::now())?;
    Ok(Json(tally).into_response())
}
