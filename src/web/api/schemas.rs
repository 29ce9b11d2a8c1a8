//! `/schemas/…`: the shapes of what this server says, as JSON Schema.

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{
    model::{Event, Message},
    web::ApiError,
};

/// Every published schema by file name.
#[must_use]
pub fn list_schemas() -> Vec<(String, Value)> {
    let mut schemas = vec![
        ("event.schema.json".to_owned(), schemars::schema_for!(Event).to_value()),
        ("message.schema.json".to_owned(), schemars::schema_for!(Message).to_value()),
    ];
    let config = crate::config::schemas().into_iter();
    schemas.extend(config.map(|(name, schema)| (format!("config/{name}"), schema)));
    let exports = crate::exports::schemas().into_iter();
    schemas.extend(exports.map(|(name, schema)| (format!("exports/{name}"), schema)));
    schemas
}

/// `GET /schemas/{path}`
///
/// # Errors
/// 404.
pub async fn read_schema(Path(path): Path<String>) -> Result<Response, ApiError> {
    let schema = list_schemas().into_iter().find(|(name, _)| *name == path);
    let (_, schema) = schema.ok_or(ApiError::NotFound("schema"))?;
    let kind = [
        (header::CONTENT_TYPE, "application/schema+json"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    Ok((kind, format!("{schema:#}\n")).into_response())
}
