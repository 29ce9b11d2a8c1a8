//! What stands where there is nothing: for people, and for overlays that wait.

use askama::Template;
use axum::{
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use super::{Policy, render};
use crate::{BUILD, web::ApiError};

#[derive(Template)]
#[template(path = "overlay_missing.html")]
struct MissingOverlay {
    title: &'static str,
    build: &'static str,
    detail: &'static str,
    page: serde_json::Value,
}

/// Transparent in OBS; looks again by itself.
pub(super) fn missing_overlay(status: StatusCode, detail: &'static str) -> Response {
    let page =
        MissingOverlay { title: "Overlay", build: BUILD, detail, page: serde_json::Value::Null };
    render(status, Policy::Overlay, &page)
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    title: String,
    build: &'static str,
    status: u16,
    detail: String,
    page: serde_json::Value,
}

/// A failure as a page.
pub(in crate::web) fn error_page(error: &ApiError) -> Response {
    let (status, _, title) = error.line();
    let page = ErrorPage {
        title: title.to_owned(),
        build: BUILD,
        status: status.as_u16(),
        detail: sentence(&error.to_string()),
        page: serde_json::Value::Null,
    };
    render(status, Policy::Page, &page)
}

/// As people write: a capital first, a full stop last.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).chain(['.']).collect()
}

/// Whatever no route knows: a page for a browser, a problem for everything else.
pub async fn not_found(uri: Uri, headers: HeaderMap) -> Response {
    let html = headers
        .get(header::ACCEPT)
        .and_then(|it| it.to_str().ok())
        .is_some_and(|it| it.contains("text/html"));
    let error = ApiError::NotFound("page");
    if html && !uri.path().starts_with("/api/") {
        error_page(&error)
    } else {
        error.into_response()
    }
}
