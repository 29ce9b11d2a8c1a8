//! `/admin`: everybody's accounts, what was done to them, and what is switched off for all.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde_json::{Value, json};

use super::{Policy, missing::error_page, render};
use crate::{
    BUILD, VERSION,
    web::{ApiError, caller::Caller},
};

#[derive(Template)]
#[template(path = "admin.html")]
struct AdminPage {
    title: &'static str,
    build: &'static str,
    page: Value,
}

/// `GET /admin`: for the operator and admins.
pub async fn show_admin(caller: Caller) -> Response {
    if !caller.is_known() {
        return Redirect::to("/login?surface=admin&return_to=/admin").into_response();
    }
    if !caller.is_operator() {
        return error_page(&ApiError::Forbidden("this page is for the admins of this server"));
    }
    let page = json!({
        "version": VERSION, "build": BUILD,
        "account": caller.account().map(|it| it.id),
    });
    render(
        StatusCode::OK,
        Policy::Page,
        &AdminPage { title: "Admin · StreamSuites", build: BUILD, page },
    )
}
