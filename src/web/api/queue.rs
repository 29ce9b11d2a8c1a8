//! `/api/rooms/{room}/queue` and `/api/rooms/{room}/feature`: what is marked for discussion, and what is on the stage.

use std::collections::HashSet;

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::JsonBody;
use crate::{
    accounts::Right,
    chat::{
        Room,
        room::{Found, MOST_QUEUED, Queued},
    },
    model::{Message, QualifiedId, percent_encoded},
    web::{
        ApiError, AppState,
        access::{self, KeyQuery, RoomActor, Visitor},
        query::Query,
    },
};

/// A message.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    message_id: QualifiedId,
}

/// A place in the queue.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    #[schemars(range(max = 18_446_744_073_709_551_615_u64))]
    position: usize,
}

/// The queue, or its beginning.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    order: Vec<QualifiedId>,
}

/// What to put on the stage.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    #[serde(default)]
    message_id: Option<QualifiedId>,
    #[serde(default)]
    next: bool,
}

/// The queue as it is, what was there before a restart included.
async fn known(room: &Room) -> Result<(), ApiError> {
    room.recall_stage().await.map_err(|_| ApiError::LogUnavailable)
}

async fn find(room: &Room, id: &QualifiedId) -> Result<Found, ApiError> {
    known(room).await?;
    let found = room.find_message(id).await.map_err(|_| ApiError::LogUnavailable)?;
    found.ok_or(ApiError::NotFound("message in this room"))
}

/// An id in a path; one that is none names nothing.
fn queued_id(text: String) -> Result<QualifiedId, ApiError> {
    QualifiedId::try_from(text).map_err(|_| ApiError::NotFound(QUEUED))
}

const QUEUED: &str = "message in the queue";

fn items(items: Vec<Message>) -> Response {
    Json(json!({ "items": items })).into_response()
}

/// `GET /api/rooms/{room}/queue`: `{"items":[…]}`, next first.
///
/// # Errors
/// 404 for an unknown room, 403 for a bad key, 503 while the log cannot be read.
pub async fn list_queue(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<KeyQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    known(&room).await?;
    Ok(items(room.queue()))
}

/// `GET /api/rooms/{room}/queue/{id}`: one message of the queue.
///
/// # Errors
/// As [`list_queue`], and 404 for one that is not there.
pub async fn find_queued(
    State(state): State<AppState>,
    Path((room, id)): Path<(String, String)>,
    Query(query): Query<KeyQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    known(&room).await?;
    let found = room.queue().into_iter().find(|it| it.id.as_str() == id);
    Ok(Json(found.ok_or(ApiError::NotFound(QUEUED))?).into_response())
}

/// `POST /api/rooms/{room}/queue {message_id}`: marks a message for discussion, behind the others.
///
/// 201 with the message and its address; 200 when it is there already.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room or message, 409 when the queue is
/// full, 503 while the log cannot be read.
pub async fn add_to_queue(actor: RoomActor, body: JsonBody<Which>) -> Result<Response, ApiError> {
    actor.may(Right::Queue)?;
    let room = actor.room;
    let Json(Which { message_id }) = body?;
    let found = find(&room, &message_id).await?;
    let message = found.message.clone();
    let status = match room.enqueue(found) {
        Queued::Added => StatusCode::CREATED,
        Queued::There => StatusCode::OK,
        Queued::Gone => return Err(ApiError::NotFound("message in this room")),
        Queued::Full => {
            return Err(ApiError::Conflict(format!(
                "the queue is full: it holds {MOST_QUEUED} messages; take one out first"
            )));
        }
    };
    let id = percent_encoded(message_id.as_str());
    let location = [(header::LOCATION, format!("/api/rooms/{}/queue/{id}", room.id()))];
    Ok((status, location, Json(message)).into_response())
}

/// `PATCH /api/rooms/{room}/queue/{id} {position}`: moves a message, 0 being the next; beyond the end is the end.
///
/// 200 with the queue.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room or what is not in the queue, 503
/// while the log cannot be read.
pub async fn move_queued(
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
    body: JsonBody<Place>,
) -> Result<Response, ApiError> {
    actor.may(Right::Queue)?;
    let room = actor.room;
    let Json(Place { position }) = body?;
    let id = queued_id(id)?;
    known(&room).await?;
    room.move_queued(&id, position).map(items).ok_or(ApiError::NotFound(QUEUED))
}

/// `DELETE /api/rooms/{room}/queue/{id}`: takes a message out. 204.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room or what is not in the queue, 503 while the log cannot be read.
pub async fn remove_queued(
    actor: RoomActor,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    actor.may(Right::Queue)?;
    let room = actor.room;
    let id = queued_id(id)?;
    known(&room).await?;
    if room.dequeue(&id) { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotFound(QUEUED)) }
}

/// `POST /api/rooms/{room}/queue/order {order}`: these ids in front, in this order; the others keep theirs behind.
///
/// 200 with the queue.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room, 409 for an id that is not in the
/// queue, 503 while the log cannot be read.
pub async fn order_queue(actor: RoomActor, body: JsonBody<Order>) -> Result<Response, ApiError> {
    actor.may(Right::Queue)?;
    let room = actor.room;
    let Json(Order { order }) = body?;
    let mut named = HashSet::new();
    if let Some(id) = order.iter().find(|it| !named.insert(*it)) {
        return Err(ApiError::BadRequest(format!("`order` names {id} twice")));
    }
    known(&room).await?;
    room.order_queue(&order).map(items).map_err(|id| {
        ApiError::Conflict(format!("{id} is not in the queue: nothing was changed, read it again"))
    })
}

/// `POST /api/rooms/{room}/feature {message_id}`, or `{next: true}` for the queue's first: puts a message on the
/// stage, and takes it out of the queue.
///
/// 200 with the message.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room or message, 409 for the next of an
/// empty queue, 503 while the log cannot be read.
pub async fn feature(actor: RoomActor, body: JsonBody<Feature>) -> Result<Response, ApiError> {
    actor.may(Right::Feature)?;
    let room = actor.room;
    let Json(which) = body?;
    let shown = match which {
        Feature { message_id: Some(id), next: false } => {
            let found = find(&room, &id).await?;
            room.feature(found).ok_or(ApiError::NotFound("message in this room"))?
        }
        Feature { message_id: None, next: true } => {
            known(&room).await?;
            let empty = || ApiError::Conflict("the queue is empty".to_owned());
            room.feature_next().ok_or_else(empty)?
        }
        _ => {
            return Err(ApiError::BadRequest(
                "say `message_id`, or `next` as true for the queue's first".to_owned(),
            ));
        }
    };
    Ok(Json(shown).into_response())
}

/// `DELETE /api/rooms/{room}/feature`: nothing is on the stage any more. 204, also when nothing was.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room, 503 while the log cannot be read.
pub async fn clear_feature(actor: RoomActor) -> Result<StatusCode, ApiError> {
    actor.may(Right::Feature)?;
    let room = actor.room;
    known(&room).await?;
    room.clear_stage();
    Ok(StatusCode::NO_CONTENT)
}
