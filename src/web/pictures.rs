//! `/media/…`: platforms' pictures, served from here so that a page has one origin.

use crate::web::query::Query;
use axum::{
    body::Body,
    extract::{OriginalUri, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    ApiError, AppState,
    media::{MediaError, Picture},
};

/// The query of a picture.
#[derive(Debug, Deserialize)]
pub struct PictureQuery {
    /// `1`: the one that does not move.
    #[serde(rename = "static")]
    still: Option<String>,
}

/// `GET /media/twitch/emotes/{id}?static=1` and `GET /media/twitch/badges/{room}/{set}/{version}`
///
/// # Errors
/// 404 when there is no such picture, 502 while it cannot be had.
pub async fn read_picture(
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<PictureQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // Not decoded: an emote's id may hold an encoded slash.
    let path = uri.path().strip_prefix("/media/").unwrap_or_default();
    let still = query.still.is_some_and(|it| it != "0");
    let picture = Picture::parse(path, still).ok_or(ApiError::NotFound("picture"))?;
    let image = state.media.find(&picture).await.map_err(|error| match error {
        MediaError::NotFound => ApiError::NotFound("picture"),
        MediaError::Unavailable | MediaError::Refused => ApiError::BadGateway,
    })?;
    let known =
        headers.get(header::IF_NONE_MATCH).is_some_and(|it| it.as_bytes() == image.etag.as_bytes());
    let age = format!("public, max-age={}", image.max_age_seconds);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, image.kind)], Body::from(image.bytes)).into_response()
    };
    let answer = response.headers_mut();
    for (name, value) in [(header::CACHE_CONTROL, age), (header::ETAG, image.etag)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.insert(name, value);
        }
    }
    // A drawing opened by itself may run nothing.
    answer.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    );
    Ok(response)
}
