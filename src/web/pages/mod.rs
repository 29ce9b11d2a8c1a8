//! Pages for people: rendered here, brought to life by the scripts in `static/js`.

pub mod account;
pub mod admin;
pub mod chat;
pub mod dashboard;
pub mod desk;
pub mod home;
pub mod invitation;
pub mod login;
pub mod missing;
pub mod overlay;
pub mod replay;
pub mod routes;

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{AppState, auth::surfaces};

/// What a page may load. Inline styles are allowed because OBS adds its custom CSS as a `<style>`; inline
/// scripts never are.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: https:; font-src 'self' data:; connect-src 'self'; manifest-src 'self'; \
    frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";
/// The same for overlays, whose owners style them with pictures and fonts from elsewhere.
const OVERLAY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'unsafe-inline' https:; img-src 'self' data: https:; font-src 'self' data: https:; \
    connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// Who may load what on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum Policy {
    Page,
    Overlay,
}

/// Renders a page.
pub(in crate::web) fn render(status: StatusCode, policy: Policy, page: &impl Template) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            return super::ApiError::Internal(std::io::Error::other("template")).into_response();
        }
    };
    let policy = match policy {
        Policy::Page => PAGE_POLICY,
        Policy::Overlay => OVERLAY_POLICY,
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, html).into_response()
}

/// Renders a page with a form that is sent without a script, after which the browser may be sent on to pages of the
/// surfaces.
pub(in crate::web) fn render_form(
    state: &AppState,
    status: StatusCode,
    page: &impl Template,
) -> Response {
    let mut answer = render(status, Policy::Page, page);
    // Browsers hold where a form's answer sends them against the form's own policy.
    let own = "form-action 'self'".to_owned();
    let all = surfaces::list_origins(state).iter().fold(own, |all, it| all + " " + it);
    let policy = HeaderValue::from_str(&PAGE_POLICY.replace("form-action 'self'", &all));
    let headers = answer.headers_mut();
    if let Ok(policy) = policy {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // With `no-referrer`, browsers send a form with the origin `null`, which is nobody's.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    answer
}
