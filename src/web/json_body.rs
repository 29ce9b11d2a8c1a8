//! A body of JSON as a type: only with its content type, so that no form of another site passes for one.

use axum::{
    Json,
    extract::{FromRequest, Request, rejection::JsonRejection},
};
use serde::de::DeserializeOwned;

use super::{ApiError, AppState};

/// That.
pub struct JsonOf<T>(
    /// What was sent.
    pub T,
);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonOf<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let read: Result<Json<T>, JsonRejection> = Json::from_request(request, state).await;
        let Json(it) = read?;
        Ok(Self(it))
    }
}
