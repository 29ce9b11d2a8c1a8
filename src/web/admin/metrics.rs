//! How the API is used.

use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::accounts::unkept;
use crate::{
    model::Timestamp,
    telemetry::requests::Window,
    web::{ApiError, AppState, caller::OperatorOnly, query::Query},
};

/// Which stretch of time.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    /// `1m`, `5m`, `15m`, `1h` or `24h`.
    pub window: Option<String>,
}

/// `GET /admin/metrics/api?window=1m|5m|15m|1h|24h`: how requests were answered, by route; five minutes where nothing
/// is said.
///
/// # Errors
/// 400 for another window, 401 and 403 for others.
pub async fn show_api_use(
    State(state): State<AppState>,
    _operator: OperatorOnly,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let window = wanted.window.as_deref().filter(|it| !it.is_empty()).unwrap_or("5m");
    let window = Window::parse(window)
        .ok_or_else(|| ApiError::BadRequest("`window` is 1m, 5m, 15m, 1h or 24h".to_owned()))?;
    Ok(unkept(state.telemetry.requests.list(window, Timestamp::now())))
}
