//! `/api/rooms/{room}/triggers`: what is done about what is said, what was decided, and what would be.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::LazyLock;

use super::JsonBody;
use crate::{
    config::body::{Body, make_whole},
    model::{percent_encoded, trigger::Trigger},
    triggers::{
        Decision, Listed, PageError, TriggerList,
        dry_run::{TriedLine, TriedSession, TryLine},
        import,
        page::MOST_TRIGGERS,
    },
    web::{ApiError, AppState, access::RoomManager, error::Fault},
};

/// Largest file that is imported (bytes).
pub const MOST_IMPORT_BYTES: usize = 1 << 20;

/// What a trigger may hold.
static TRIGGER: LazyLock<Body> = LazyLock::new(Body::of::<Trigger>);

/// Which triggers come first.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TriggerOrder")]
pub struct Order {
    /// Their ids; the others stay behind them as they are.
    #[schemars(length(max = 500))]
    order: Vec<String>,
}

/// What became of a file.
#[derive(Serialize, JsonSchema)]
pub struct Imported {
    /// The triggers that are there now.
    imported: Vec<String>,
    /// What could not be placed.
    problems: Vec<Fault>,
}

/// A line to try, or a recorded session.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrySession {
    /// Which recorded session.
    #[schemars(length(min = 1, max = 100))]
    session_id: String,
    /// Triggers to try instead of the room's: drafts.
    #[serde(default)]
    #[schemars(length(max = 500))]
    triggers: Option<Vec<Trigger>>,
}

/// Either of them.
#[derive(JsonSchema)]
#[serde(untagged)]
pub enum Try {
    /// A line.
    Line(TryLine),
    /// A session.
    Session(TrySession),
}

/// Either answer.
#[derive(JsonSchema)]
#[serde(untagged)]
pub enum Tried {
    /// Of a line.
    Line(TriedLine),
    /// Of a session.
    Session(TriedSession),
}

fn faults(found: Vec<(String, String)>) -> Vec<Fault> {
    found.into_iter().map(|(pointer, detail)| Fault::new(pointer, detail)).collect()
}

impl From<PageError> for ApiError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Invalid(found) => Self::Invalid(faults(found)),
            PageError::Unknown(_) => Self::NotFound("trigger in this room"),
            PageError::Storage(error) => Self::Internal(std::io::Error::other(error)),
            PageError::Taken(_) | PageError::OfFile(_) | PageError::Full(_) => {
                Self::Conflict(error.to_string())
            }
        }
    }
}

/// A trigger from a body, with everything that is wrong with it.
fn parse(mut body: Value) -> Result<Trigger, ApiError> {
    make_whole(&mut body);
    // What lists add, and a page sends back.
    if let Some(object) = body.as_object_mut() {
        for key in ["source", "updated_at", "shut"] {
            object.remove(key);
        }
    }
    let found = TRIGGER.check(&body);
    if !found.is_empty() {
        return Err(ApiError::Invalid(faults(found)));
    }
    let parsed = serde_json::from_value::<Trigger>(body);
    let trigger = parsed.map_err(|it| ApiError::BadRequest(it.to_string()))?;
    let found = trigger.check();
    if found.is_empty() { Ok(trigger) } else { Err(ApiError::Invalid(faults(found))) }
}

/// Does what waits for the disk, on a thread for that.
async fn blocking<T: Send + 'static>(
    state: &AppState,
    work: impl FnOnce() -> Result<T, PageError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = state.life.spawn_blocking(work).await;
    Ok(done.map_err(|it| ApiError::Internal(it.into()))??)
}

/// `GET /api/rooms/{room}/triggers`: `{"triggers":[…],"limit","remaining","default_least_lines"}`, in the order they are
/// tried.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room.
pub async fn list_triggers(
    State(state): State<AppState>,
    RoomManager { room }: RoomManager,
) -> Json<TriggerList> {
    Json(state.triggers.list(room.id()))
}

/// `GET /api/rooms/{room}/triggers/{id}`: one of them.
///
/// # Errors
/// As [`list_triggers`], and 404 for one that is not there.
pub async fn find_trigger(
    State(state): State<AppState>,
    RoomManager { room }: RoomManager,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Listed>, ApiError> {
    let list = state.triggers.list(room.id()).triggers;
    let found = list.into_iter().find(|it| it.trigger.trigger_id == id);
    found.map(Json).ok_or(ApiError::NotFound("trigger in this room"))
}

/// `POST /api/rooms/{room}/triggers`: adds one, behind the others. 201 with it.
///
/// # Errors
/// 400 with everything that is wrong, 401 and 403 for others, 404 for an unknown room, 409 when its name is taken or the
/// tier allows no more.
pub async fn add_trigger(
    State(state): State<AppState>,
    RoomManager { room }: RoomManager,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let Json(body) = body?;
    let trigger = parse(body)?;
    let (triggers, id) = (state.triggers.clone(), room.id().clone());
    let listed = blocking(&state, move || triggers.add(&id, trigger)).await?;
    let name = percent_encoded(&listed.trigger.trigger_id);
    let location = format!("/api/rooms/{}/triggers/{name}", room.id());
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(listed)).into_response())
}

/// `PUT /api/rooms/{room}/triggers/{id}`: puts another in its place. 200 with it.
///
/// # Errors
/// As [`add_trigger`], 404 for one that is not there, 409 for one of the operator's file.
pub async fn replace_trigger(
    State(state): State<AppState>,
    RoomManager { room }: RoomManager,
    Path((_, id)): Path<(String, String)>,
    body: JsonBody,
) -> Result<Json<Listed>, ApiError> {
    let Json(body) = body?;
    let trigger = parse(body)?;
    let triggers = state.triggers.clone();
    blocking(&state, move || triggers.replace(room.id(), &id, trigger)).await.map(Json)
}

/// `DELETE /api/rooms/{room}/triggers/{id}`: takes one away. 204.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room or trigger, 409 for one of the operator's file.
pub async fn remove_trigger(
    State(state): State<AppState>,
    RoomManager { room }: RoomManager,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let triggers = state.triggers.clone();
    blocking(&state, move || triggers.remove(room.id(), &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/rooms/{room}/triggers/order {order}`: these first, the others behind them. 200 with the list.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room or trigger, 409 for one of the file.
pub async fn order_triggers(
    State(state): State<AppState>,
    RoomManager { room }: RoomManager,
    body: JsonBody<Order>,
) -> Result<Json<TriggerList>, ApiError> {
    let Json(Order { order }) = body?;
    let (triggers, id) = (state.triggers.clone(), room.id().clone());
    blocking(&state, move || triggers.order(&id, &order)).await?;
    Ok(Json(state.triggers.list(room.id())))
}

/// `POST /api/rooms/{room}/triggers/import`: a file of triggers, of this program or an older one, as it is.
///
/// 200 with what is there now and what could not be placed. One whose name is there takes its place.
///
/// # Errors
/// 400 for what is no such file, 401 and 403 for others, 404 for an unknown room, 409 when the tier allows no more, 413
/// for a file too large.
pub async fn import_triggers(
    State(state): State<AppState>,
    RoomManager { room }: RoomManager,
    body: Bytes,
) -> Result<Json<Imported>, ApiError> {
    let text = std::str::from_utf8(&body)
        .map_err(|_| ApiError::BadRequest("the file is not UTF-8 text".to_owned()))?;
    let text = text.trim_start_matches('\u{feff}').to_owned();
    let read = state.life.spawn_blocking(move || import::read(&text)).await;
    let import::Read { triggers: new, mut problems } =
        read.map_err(|it| ApiError::Internal(it.into()))?.map_err(ApiError::BadRequest)?;
    // A file of all rooms: what is another's is left there.
    let mut ours = Vec::new();
    for mut trigger in new {
        match trigger.creator_id.take() {
            Some(other) if other != *room.id() => {
                let why = format!("`{}` is of the room {other}", trigger.trigger_id);
                problems.push((String::new(), why));
            }
            _ => ours.push(trigger),
        }
    }
    let triggers = state.triggers.clone();
    let imported = blocking(&state, move || triggers.import(room.id(), ours)).await?;
    Ok(Json(Imported { imported, problems: faults(problems) }))
}

/// `GET /api/rooms/{room}/triggers/decisions`: `{"decisions":[…]}`, newest first: what fitted, and what was decided.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room.
pub async fn list_decisions(
    State(state): State<AppState>,
    RoomManager { room }: RoomManager,
) -> Json<Value> {
    let decisions: Vec<Decision> = state.triggers.list_decisions(room.id());
    Json(json!({ "decisions": decisions }))
}

/// `POST /api/rooms/{room}/triggers/dry-run`: what a line, or with `session_id` a recorded session, would set off. Nothing
/// is said and nothing is done.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room or session, 503 while the log cannot be read.
pub async fn try_triggers(
    State(state): State<AppState>,
    RoomManager { room }: RoomManager,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let Json(mut body) = body?;
    make_whole(&mut body);
    let drafts = body.get("triggers").and_then(Value::as_array).map_or(0, Vec::len);
    if drafts > MOST_TRIGGERS {
        let why = format!("at most {MOST_TRIGGERS} triggers are tried at a time");
        return Err(ApiError::bad_member("/triggers", why));
    }
    let refused = |it: serde_json::Error| ApiError::BadRequest(it.to_string());
    if body.get("session_id").is_none() {
        let tried: TryLine = serde_json::from_value(body).map_err(refused)?;
        // Drafts may have patterns, which take time to be made ready.
        let triggers = state.triggers.clone();
        let work = state.life.spawn_blocking(move || triggers.try_line(&room, &tried)).await;
        return Ok(Json(work.map_err(|it| ApiError::Internal(it.into()))?).into_response());
    }
    let TrySession { session_id, triggers } = serde_json::from_value(body).map_err(refused)?;
    let unavailable = |_| ApiError::LogUnavailable;
    let log = room.log();
    if !log.is_kept() {
        return Err(ApiError::NotFound("session"));
    }
    log.settled().await;
    let session = log.session(&session_id).await.map_err(unavailable)?;
    let session = session.ok_or(ApiError::NotFound("session"))?;
    let tried = state.triggers.try_session(&room, &session, triggers).await;
    Ok(Json(tried.map_err(unavailable)?).into_response())
}
