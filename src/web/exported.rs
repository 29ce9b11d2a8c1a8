//! `/exports/…`: the public exports, as files.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

use super::{ApiError, AppState, assets};

/// `GET /exports/{path}`: the public exports, with ETag, for pages of any site.
///
/// # Errors
/// 404 for everything that is not public, there or not.
pub(super) async fn read_export(
    State(state): State<AppState>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let file = crate::exports::find_public(&state.exports_dir, &path);
    let file = file.ok_or(ApiError::NotFound("export"))?;
    let bytes = match tokio::fs::read(file).await {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ApiError::NotFound("export"));
        }
        Err(error) => return Err(error.into()),
    };
    let mut response = assets::Asset::json(bytes).answer(&headers);
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}
