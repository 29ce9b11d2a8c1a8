//! Links from mails, and the page that each leads to. It asks for a click: programs that look through mails open every
//! link, and must not use one up, nor vouch for what its owner never asked for.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::json;

use crate::{
    BUILD,
    web::{AppState, pages::render_form},
};

/// Longest secret of a link (characters).
const MOST_CHARS: usize = 128;

/// The query of a link in a mail.
#[derive(Debug, Deserialize)]
pub struct LinkQuery {
    /// The link's secret.
    #[serde(default)]
    pub token: String,
}

/// What the page of a link sends.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct LinkForm {
    /// The link's secret.
    #[serde(deserialize_with = "secret")]
    #[schemars(length(max = 128))]
    pub token: String,
}

/// The secret of a link, as it is sent.
///
/// # Errors
/// For one that is longer than any.
pub(in crate::web) fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let secret = String::deserialize(from)?;
    if secret.chars().count() > MOST_CHARS {
        return Err(D::Error::custom(format!("`token` has at most {MOST_CHARS} characters")));
    }
    Ok(secret)
}

/// The page of a link: what it does, and a button that does it.
#[derive(Template)]
#[template(path = "link.html")]
pub(super) struct LinkPage {
    title: String,
    build: &'static str,
    words: LinkWords,
    /// The address that the link is about, where it is known.
    email: Option<String>,
    token: String,
    page: serde_json::Value,
}

/// What such a page says.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinkWords {
    pub(super) heading: &'static str,
    /// What the click does.
    pub(super) says: &'static str,
    pub(super) button: &'static str,
    /// For whoever did not ask for it.
    pub(super) otherwise: &'static str,
    /// Where the form goes.
    pub(super) action: &'static str,
}

/// That page.
pub(super) fn show(
    state: &AppState,
    words: LinkWords,
    email: Option<String>,
    token: String,
) -> Response {
    let title = format!("{} · StreamSuites", words.heading);
    let page = LinkPage { title, build: BUILD, words, email, token, page: json!({}) };
    render_form(state, StatusCode::OK, &page)
}
