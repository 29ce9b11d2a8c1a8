//! `/api/rooms/{room}/jobs` and `/api/jobs`: work that waits, and what became of it.

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::{
    jobs::JobError,
    model::CreatorId,
    web::{ApiError, AppState, access::RoomManager, caller::OperatorOnly},
};

/// What a room's webhooks are signed with.
#[derive(Serialize, JsonSchema)]
pub struct WebhookSecret {
    room: CreatorId,
    /// The key of `X-StreamSuites-Signature`, as text.
    secret: String,
}

fn refused(error: JobError) -> ApiError {
    match error {
        JobError::NotFound => ApiError::NotFound("job in this room"),
        JobError::Limited { wait_ms } => ApiError::RateLimited(wait_ms.div_ceil(1_000)),
        JobError::TooLarge => ApiError::TooLarge,
        JobError::Full | JobError::NoRunner(_) | JobError::Is(_) => {
            ApiError::Conflict(error.to_string())
        }
    }
}

/// `GET /api/rooms/{room}/jobs`: `{"jobs":[…]}`, the newest first, without what they carry.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room.
pub async fn list_jobs(State(state): State<AppState>, manager: RoomManager) -> Response {
    Json(json!({ "jobs": state.jobs.list(Some(manager.room.id())) })).into_response()
}

/// `GET /api/jobs`: the same of all rooms, for the operator.
///
/// # Errors
/// 401 and 403 for others.
pub async fn list_all_jobs(State(state): State<AppState>, _operator: OperatorOnly) -> Response {
    Json(json!({ "jobs": state.jobs.list(None) })).into_response()
}

/// `POST /api/rooms/{room}/jobs/{id}/cancel`: takes a job back. 200 with the job.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room or job, 409 for one that is over.
pub async fn cancel_job(
    State(state): State<AppState>,
    manager: RoomManager,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let job = state.jobs.cancel(manager.room.id(), &id).map_err(refused)?;
    Ok(Json(job).into_response())
}

/// `POST /api/rooms/{room}/jobs/{id}/retry`: asks for a job again that failed or was taken back. 200 with the job.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room or job, 409 for one that is done or not over, or when too much
/// waits, 429 when too much was asked for within a minute.
pub async fn retry_job(
    State(state): State<AppState>,
    manager: RoomManager,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let job = state.jobs.retry(manager.room.id(), &id).map_err(refused)?;
    Ok(Json(job).into_response())
}

/// `GET /api/rooms/{room}/webhook-secret`: `{"room","secret"}`, what the room's webhooks are signed with.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room.
pub async fn show_webhook_secret(State(state): State<AppState>, manager: RoomManager) -> Response {
    let room = manager.room.id().clone();
    let secret = state.webhook_secrets.secret_of(&room);
    // A secret is for whoever asked, and for no cache.
    ([(header::CACHE_CONTROL, "no-store")], Json(WebhookSecret { room, secret })).into_response()
}
