//! The JSON interface.

pub mod backup;
pub mod beacon;
pub mod events;
pub mod messages;
pub mod operations;
pub mod queue;
pub mod rooms;
pub mod schemas;
pub mod sessions;
pub mod settings;
pub mod synthetic;
pub mod themes;

use axum::{Json, extract::rejection::JsonRejection, http::StatusCode};
use serde_json::Value;

use super::ApiError;

/// A JSON body, or why it cannot be read.
type JsonBody = Result<Json<Value>, JsonRejection>;

/// The value of a body.
///
/// # Errors
/// 400 for what is no JSON, 413 for what is too much.
fn read_json(body: JsonBody) -> Result<Value, ApiError> {
    match body {
        Ok(Json(value)) => Ok(value),
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(ApiError::TooLarge),
        Err(error) => Err(ApiError::BadRequest(error.body_text())),
    }
}
