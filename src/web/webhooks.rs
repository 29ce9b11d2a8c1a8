//! What platforms deliver by themselves.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use super::{ApiError, AppState};
use crate::{
    model::Timestamp,
    platforms::kick::webhooks::{Headers, Received, WebhookError},
};

/// `POST /webhooks/kick`: an event of Kick's official API, signed by Kick.
///
/// 204 once a worker has it, had it, or nobody reads the channel.
///
/// # Errors
/// 400 when it is no webhook, 403 when its signature or its time is wrong or its subscription is somebody else's, 413
/// when it is too large, 503 when it cannot be taken now: Kick sends it again.
pub(super) async fn take_kick(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<StatusCode, ApiError> {
    let body = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        _ => ApiError::BadRequest("the body broke off".to_owned()),
    })?;
    let header = |name: &'static str| headers.get(name).and_then(|it| it.to_str().ok());
    let required = |name: &'static str| {
        header(name).ok_or_else(|| ApiError::BadRequest(format!("the header {name} is missing")))
    };
    let delivery = Headers {
        id: required("kick-event-message-id")?,
        subscription: required("kick-event-subscription-id")?,
        timestamp: required("kick-event-message-timestamp")?,
        signature: required("kick-event-signature")?,
        kind: required("kick-event-type")?,
    };
    let config = std::sync::Arc::clone(&state.config.borrow());
    if !config.platforms.kick.enabled {
        return Err(ApiError::NotFound("webhook"));
    }
    match state.kick.receive(&config, delivery, &body, Timestamp::now()).await {
        Ok(received) => {
            if received == Received::Unwanted {
                tracing::debug!(kind = delivery.kind, "a webhook for a channel that nobody reads");
            }
            Ok(StatusCode::NO_CONTENT)
        }
        Err(error @ WebhookError::Malformed(_)) => Err(ApiError::BadRequest(error.to_string())),
        Err(WebhookError::Untimely) => {
            Err(ApiError::Forbidden("the delivery is too old, or from the future"))
        }
        Err(WebhookError::Forged) => Err(ApiError::Forbidden("the signature is wrong")),
        Err(WebhookError::Foreign) => {
            tracing::debug!("a webhook of another application's subscription");
            Err(ApiError::Forbidden("the subscription is none of ours"))
        }
        Err(WebhookError::NoKey) => Err(ApiError::NotNow("the signature cannot be checked now")),
        Err(WebhookError::Busy) => Err(ApiError::NotNow("the channel's queue is full")),
        Err(WebhookError::Early) => {
            Err(ApiError::NotNow("the channel, or its subscription, is not known yet"))
        }
    }
}
