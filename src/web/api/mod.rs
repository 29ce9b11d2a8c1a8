//! The JSON interface.

pub mod backup;
pub mod beacon;
pub mod boards;
pub mod channels;
pub mod events;
pub mod jobs;
pub mod messages;
pub mod moderation;
pub mod moderators;
pub mod operations;
pub mod overlay_keys;
pub mod pronouns;
pub mod queue;
pub mod rooms;
pub mod routes;
pub mod schemas;
pub mod sessions;
pub mod settings;
pub mod synthetic;
pub mod themes;
pub mod triggers;

use axum::{Json, extract::rejection::JsonRejection};
use serde_json::Value;

/// A JSON body, or why it cannot be read; an [`ApiError`](super::ApiError) says it.
type JsonBody<T = Value> = Result<Json<T>, JsonRejection>;
