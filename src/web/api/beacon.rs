//! `POST /api/rooms/{room}/beacon`: how an overlay keeps up, told by itself.

use std::time::Instant;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};

use super::JsonBody;
use crate::{
    telemetry::overlays::Report,
    web::{
        ApiError, AppState,
        accept::Peer,
        access::{self, KeyQuery, Visitor},
        query::Query,
    },
};

/// Most bytes of a report, which has about 250.
pub const MOST_BYTES: usize = 1024;

/// `POST /api/rooms/{room}/beacon {frame_ms, paint_ms, removal_ms, longest_task_ms, step}`: 204, and a part of
/// `/metrics` for 15 seconds. Whoever may read the room may report about it.
///
/// # Errors
/// 400 naming what is wrong, 403 for a bad key, 404 for an unknown room, 413, 429 with `Retry-After`.
pub async fn take_beacon(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<KeyQuery>,
    Extension(peer): Extension<Peer>,
    visitor: Visitor,
    body: JsonBody<Report>,
) -> Result<StatusCode, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    let Json(report) = body?;
    report.check().map_err(ApiError::BadRequest)?;
    let address = peer.remote.ip().to_canonical();
    let overlays = &state.telemetry.overlays;
    overlays
        .take(room.id().as_str(), address, report, Instant::now())
        .map_err(ApiError::RateLimited)?;
    Ok(StatusCode::NO_CONTENT)
}
