//! Where people go on: pages of this server, or of the sites that are configured. Nowhere else.

use std::collections::BTreeSet;

use axum::response::{IntoResponse, Redirect, Response};
use url::Url;

use crate::{accounts::Surface, config::SurfaceConfig, web::AppState};

fn config(state: &AppState, surface: Surface) -> SurfaceConfig {
    let config = state.config.borrow();
    let surfaces = &config.system.auth.surfaces;
    match surface {
        Surface::Public => surfaces.public.clone(),
        Surface::Creator => surfaces.creator.clone(),
        Surface::Admin => surfaces.admin.clone(),
    }
}

/// The page that people sign in on.
#[must_use]
pub fn login_page(state: &AppState, surface: Surface) -> String {
    match config(state, surface).login_url {
        Some(it) => it.as_str().to_owned(),
        None if surface == Surface::Public => format!("{}/login", state.base_url),
        None => format!("{}/login?surface={}", state.base_url, surface.as_str()),
    }
}

/// The page that follows a sign-in: the one that was asked for, where it is one of ours. An account that is no admin
/// is not sent to the admins' page.
#[must_use]
pub fn success_page(
    state: &AppState,
    surface: Surface,
    is_admin: bool,
    return_to: Option<&str>,
) -> String {
    if let Some(page) = return_to.and_then(|it| allowed_page(state, it)) {
        return page;
    }
    let surface = match surface {
        Surface::Admin if !is_admin => Surface::Public,
        other => other,
    };
    match config(state, surface).success_url {
        Some(it) => it.as_str().to_owned(),
        None => match surface {
            Surface::Public => format!("{}/account", state.base_url),
            Surface::Creator => format!("{}/dashboard", state.base_url),
            Surface::Admin => format!("{}/admin", state.base_url),
        },
    }
}

/// The origins of the pages that are not this server's.
pub fn list_origins(state: &AppState) -> BTreeSet<String> {
    let config = state.config.borrow();
    let urls = config.system.surface_urls();
    urls.filter_map(|it| Some(Url::parse(it.as_str()).ok()?.origin().ascii_serialization()))
        .collect()
}

/// The page that somebody asks to be sent to, when it is of this server or of a surface's origin.
#[must_use]
pub fn allowed_page(state: &AppState, wanted: &str) -> Option<String> {
    // What browsers take for `//host`, and what ends a header.
    if wanted.is_empty() || wanted.len() > 2_000 || wanted.contains(['\\', '\n', '\r', '\t']) {
        return None;
    }
    let base = Url::parse(&state.base_url).ok()?;
    let page = base.join(wanted).ok()?;
    if !matches!(page.scheme(), "http" | "https") || !page.username().is_empty() {
        return None;
    }
    let ours = page.origin() == base.origin()
        || list_origins(state).contains(&page.origin().ascii_serialization());
    ours.then(|| page.to_string())
}

/// Such a page as pages of ours link to it. One of this server's is told by its path alone: it is there under whatever
/// name the browser knows this server by.
#[must_use]
pub fn href<'a>(state: &AppState, page: &'a str) -> &'a str {
    page.strip_prefix(state.base_url.as_str()).filter(|it| it.starts_with('/')).unwrap_or(page)
}

/// Sends a browser to such a page.
pub fn go_to(state: &AppState, page: &str) -> Redirect {
    Redirect::to(href(state, page))
}

/// Sends a browser to the login page, with a word that says why.
#[must_use]
pub fn back_to_login(state: &AppState, surface: Surface, name: &str, value: &str) -> Response {
    go_to_login(state, surface, &[(name, value)])
}

/// The same with several.
#[must_use]
pub fn go_to_login(state: &AppState, surface: Surface, words: &[(&str, &str)]) -> Response {
    let page = login_page(state, surface);
    let Ok(mut page) = Url::parse(&page) else { return Redirect::to("/login").into_response() };
    page.query_pairs_mut().extend_pairs(words);
    go_to(state, page.as_str()).into_response()
}
