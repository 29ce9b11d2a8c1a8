//! `/api/settings`: how a room's overlays look.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::JsonBody;
use crate::web::{ApiError, AppState, access::Manager, looks::Look, query::Query};

fn answer(look: &Look) -> Response {
    let etag = format!("\"{}\"", look.version);
    ([(header::ETAG, etag), (header::CACHE_CONTROL, "no-store".to_owned())], Json(look))
        .into_response()
}

/// `GET /api/settings?room=NAME`: `{"room","settings","layers","below","stored","theme_version"}`, with an ETag.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room.
pub async fn show_settings(State(state): State<AppState>, manager: Manager) -> Response {
    answer(&state.looks.find(manager.room.id()))
}

/// Whether something is only looked at.
#[derive(Deserialize)]
pub struct ChangeQuery {
    check: Option<String>,
}

/// `PUT /api/settings?room=NAME`, or `POST`: a sparse object; null gives a setting back to what lies below.
///
/// 200 as [`show_settings`] answers, once it is kept; overlays have it then. With `&check` nothing is changed,
/// and the answer is what would be. `If-Match` refuses to change what the sender has not seen.
///
/// # Errors
/// 400 with everything that is wrong, 401 and 403 for others, 404 for an unknown room, 412 with `If-Match`.
pub async fn change_settings(
    State(state): State<AppState>,
    Manager { room }: Manager,
    Query(query): Query<ChangeQuery>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let Json(changes) = body?;
    let only_check =
        query.check.is_some_and(|it| !matches!(it.as_str(), "0" | "no" | "false" | "off"));
    let seen = headers.get(header::IF_MATCH).and_then(|it| it.to_str().ok());
    let seen = seen.map(|it| it.trim().trim_start_matches("W/").trim_matches('"').to_owned());
    let seen = seen.filter(|it| it != "*");
    let looks = state.looks.clone();
    let work = move || {
        looks.change(room.id(), &changes, seen.as_deref(), only_check).map(|it| answer(&it))
    };
    state.life.spawn_blocking(work).await.map_err(|it| ApiError::Internal(it.into()))?
}
