//! `/api/rooms/{room}/identities`: which accounts are one person's, and count once. For moderators: who is who elsewhere is
//! nobody else's business.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::name_of;
use crate::{
    accounts::Right,
    boards::NewIdentity,
    model::Timestamp,
    web::{ApiError, AppState, access::RoomActor, json_body::JsonOf},
};

/// `GET /api/rooms/{room}/identities`: `{"identities":[…]}`, the newest first.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room.
pub async fn list_identities(
    State(state): State<AppState>,
    actor: RoomActor,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let all = state.boards.list_identities(actor.room.id());
    Ok(Json(json!({ "identities": all })).into_response())
}

/// `POST /api/rooms/{room}/identities {accounts, reason}`: says that accounts are one person's. Those that are linked to one
/// of them already become a part of it.
///
/// 201 with it.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room, 409 when they are linked already.
pub async fn add_identity(
    State(state): State<AppState>,
    actor: RoomActor,
    JsonOf(new): JsonOf<NewIdentity>,
) -> Result<Response, ApiError> {
    actor.may(Right::Polls)?;
    let by = name_of(&actor);
    let identity = state.boards.link(actor.room.id(), &new, &by, Timestamp::now())?;
    Ok((StatusCode::CREATED, Json(identity)).into_response())
}

/// `DELETE /api/rooms/{room}/identities/{id}`: takes a link back, and each account counts for itself. 204.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room or identity.
pub async fn remove_identity(
    State(state): State<AppState>,
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    actor.may(Right::Polls)?;
    state.boards.unlink(actor.room.id(), &id)?;
    Ok(StatusCode::NO_CONTENT)
}
