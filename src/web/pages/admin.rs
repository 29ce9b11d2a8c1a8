//! `/admin`: everybody's accounts, what was done to them, and what is switched off for all.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use serde_json::{Value, json};

use super::{Policy, missing::error_page, render};
use crate::{
    BUILD, VERSION,
    web::{
        ApiError, AppState,
        caller::Caller,
        operation::Verb::{Get, Post},
        routes::knows,
    },
};

#[derive(Template)]
#[template(path = "admin.html")]
struct AdminPage {
    title: &'static str,
    build: &'static str,
    page: Value,
}

/// `GET /admin`: for the operator and admins.
pub async fn show_admin(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let caller = Caller::of(&state, &headers);
    if !caller.is_known() {
        return Redirect::to("/login?surface=admin&return_to=/admin").into_response();
    }
    if !caller.is_operator() {
        return error_page(&ApiError::Forbidden("this page is for the admins of this server"));
    }
    let calls = [
        ("accounts", Get, "/admin/users"),
        ("audit", Get, "/admin/audit"),
        ("controls", Post, "/admin/auth/controls"),
        ("tiers", Get, "/admin/tier-config"),
        ("metrics", Get, "/admin/metrics/api"),
    ];
    let calls: Vec<_> =
        calls.into_iter().filter(|(_, verb, path)| knows(*verb, path)).map(|it| it.0).collect();
    let page = json!({
        "version": VERSION, "build": BUILD, "calls": calls,
        "account": caller.account().map(|it| it.id),
    });
    render(
        StatusCode::OK,
        Policy::Page,
        &AdminPage { title: "Admin · StreamSuites", build: BUILD, page },
    )
}
