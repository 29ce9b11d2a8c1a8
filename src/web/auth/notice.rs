//! A page that says how something ended, and where to go on.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use serde_json::json;

use super::surfaces;
use crate::{
    BUILD,
    accounts::{AccountError, Surface},
    web::{
        AppState,
        pages::{Policy, render},
    },
};

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    title: &'a str,
    build: &'static str,
    says: String,
    good: bool,
    /// Where it leads, and what the link says.
    href: String,
    leads: &'static str,
    page: serde_json::Value,
}

/// It was done.
pub(super) fn done(state: &AppState, surface: Surface, title: &str, says: &str) -> Response {
    let page = surfaces::success_page(state, surface, false, None);
    let href = surfaces::href(state, &page).to_owned();
    let (says, leads) = (says.to_owned(), "Go on");
    let page = NoticePage { title, build: BUILD, says, good: true, href, leads, page: json!({}) };
    render(StatusCode::OK, Policy::Page, &page)
}

/// A link does not work; what that means.
pub(super) fn expired(state: &AppState, so: &str) -> Response {
    let says = format!("It was used already, is too old, or was cut short in the mail. {so}");
    failed(state, StatusCode::BAD_REQUEST, "This link does not work", says)
}

/// It was not done, and the account is as it was.
pub(super) fn refused(state: &AppState, status: StatusCode, error: &AccountError) -> Response {
    failed(state, status, "Nothing was changed", sentence(&error.to_string()))
}

fn failed(state: &AppState, status: StatusCode, title: &str, says: String) -> Response {
    let page = surfaces::login_page(state, Surface::Public);
    let href = surfaces::href(state, &page).to_owned();
    let leads = "To the sign-in page";
    let page = NoticePage { title, build: BUILD, says, good: false, href, leads, page: json!({}) };
    render(status, Policy::Page, &page)
}

/// As people write: a capital first, a full stop last.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).chain(['.']).collect()
}
