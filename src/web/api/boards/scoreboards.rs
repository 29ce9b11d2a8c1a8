//! `/api/rooms/{room}/scoreboards`: who has how many points.

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
    boards::{Contestant, Import, NewScoreboard, ScoreboardChange, ScoreboardView},
    model::{CreatorId, QualifiedId, Timestamp},
    web::{
        ApiError, AppState,
        access::{self, KeyQuery, RoomActor, Visitor},
        json_body::JsonOf,
        query::Query,
    },
};

/// Most bytes of entries that are brought at once: ten thousand of them.
pub const MOST_BYTES: usize = 4 << 20;

/// Points for somebody: either how many more, or how many there are to be.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScore {
    /// For people.
    #[schemars(length(min = 1, max = 80))]
    label: String,
    /// The account, where it is a viewer.
    #[serde(default)]
    user_id: Option<QualifiedId>,
    /// How many more; negative takes them.
    #[serde(default)]
    by: Option<i64>,
    /// How many there are to be.
    #[serde(default)]
    set: Option<i64>,
}

fn find(state: &AppState, room: &CreatorId, id: &str) -> Result<ScoreboardView, ApiError> {
    let found = state.boards.find_scoreboard(room, id);
    found.ok_or(ApiError::NotFound("scoreboard in this room"))
}

/// `GET /api/rooms/{room}/scoreboards`: `{"scoreboards":[…]}`, in the order of their ids, with the best 50 of each.
///
/// # Errors
/// 404 for an unknown room, 403 for a bad key.
pub async fn list_scoreboards(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<KeyQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    Ok(Json(json!({ "scoreboards": state.boards.list_scoreboards(room.id()) })).into_response())
}

/// `GET /api/rooms/{room}/scoreboards/{id}`: one of them, with all entries and the periods that are over.
///
/// # Errors
/// As [`list_scoreboards`], and 404 for one that is not there.
pub async fn find_scoreboard(
    State(state): State<AppState>,
    Path((room, id)): Path<(String, String)>,
    Query(query): Query<KeyQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    Ok(Json(find(&state, room.id(), &id)?).into_response())
}

/// `GET /api/rooms/{room}/scoreboards/{id}/export`: the same as a file, which can be imported again.
///
/// # Errors
/// As [`find_scoreboard`].
pub async fn export_scoreboard(
    State(state): State<AppState>,
    Path((room, id)): Path<(String, String)>,
    Query(query): Query<KeyQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    let found = find(&state, room.id(), &id)?;
    let name = format!("attachment; filename=\"{}-{}.json\"", room.id(), found.scoreboard_id);
    Ok(([(header::CONTENT_DISPOSITION, name)], Json(found)).into_response())
}

/// `POST /api/rooms/{room}/scoreboards {title, …}`: keeps a scoreboard from now on.
///
/// 201 with it and its address.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room, 409 when the id is taken or there are too many.
pub async fn add_scoreboard(
    State(state): State<AppState>,
    actor: RoomActor,
    JsonOf(new): JsonOf<NewScoreboard>,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let room = actor.room.id();
    let board = state.boards.add_scoreboard(room, &new, Timestamp::now())?;
    let address = format!("/api/rooms/{room}/scoreboards/{}", board.scoreboard_id);
    Ok((StatusCode::CREATED, [(header::LOCATION, address)], Json(board)).into_response())
}

/// `PATCH /api/rooms/{room}/scoreboards/{id}`: changes what is named; `finalized` as false opens it again.
///
/// 200 with it.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room or scoreboard.
pub async fn change_scoreboard(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
    JsonOf(change): JsonOf<ScoreboardChange>,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let room = actor.room.id();
    state.boards.change_scoreboard(room, &id, &change, Timestamp::now())?;
    Ok(Json(find(&state, room, &id)?).into_response())
}

/// `DELETE /api/rooms/{room}/scoreboards/{id}`: deletes a scoreboard, its entries and periods. 204.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room or scoreboard.
pub async fn remove_scoreboard(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    actor.may(Right::Polls)?;
    state.boards.remove_scoreboard(actor.room.id(), &id, Timestamp::now())?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/rooms/{room}/scoreboards/{id}/scores {label, user_id?, by}`, or `set` in place of `by`: gives points.
///
/// 200 with the scoreboard as viewers see it.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room or scoreboard, 409 when it is final or full.
pub async fn give_points(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
    JsonOf(NewScore { label, user_id, by, set }): JsonOf<NewScore>,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let (room, now) = (actor.room.id(), Timestamp::now());
    let who = Contestant { label, user_id };
    let board = match (by, set) {
        (Some(by), None) => state.boards.score(room, &id, &who, by, now)?,
        (None, Some(points)) => state.boards.set_score(room, &id, &who, points, now)?,
        _ => {
            return Err(ApiError::BadRequest("say either `by` or `set`".to_owned()));
        }
    };
    Ok(Json(board).into_response())
}

/// `POST /api/rooms/{room}/scoreboards/{id}/finalize`: closes it.
///
/// 200 with it.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room or scoreboard, 409 when it is final already.
pub async fn finalize_scoreboard(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let room = actor.room.id();
    state.boards.finalize(room, &id, Timestamp::now())?;
    Ok(Json(find(&state, room, &id)?).into_response())
}

/// `POST /api/rooms/{room}/scoreboards/{id}/import {entries, replace?}`: takes entries in, with their points as they are to
/// be; an export is such a body.
///
/// 200 with the scoreboard.
///
/// # Errors
/// 400 naming what is wrong, and then nothing is changed; 401 and 403 for others, 404 for an unknown room or scoreboard, 409
/// when it is final.
pub async fn import_scores(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
    JsonOf(import): JsonOf<Import>,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let room = actor.room.id();
    state.boards.import_scores(room, &id, import, Timestamp::now())?;
    Ok(Json(find(&state, room, &id)?).into_response())
}
