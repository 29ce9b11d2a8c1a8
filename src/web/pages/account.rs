//! `/account`: what somebody does with their account.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde_json::{Value, json};

use super::{Policy, login::list_providers, missing::error_page, render};
use crate::{
    BUILD, VERSION,
    web::{ApiError, AppState, auth::user::User, caller::Caller},
};

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    title: &'static str,
    build: &'static str,
    page: Value,
}

/// `GET /account`: whoever is not signed in is sent to the way in, and comes back from there.
pub async fn show_account_page(State(state): State<AppState>, caller: Caller) -> Response {
    let account = match caller {
        Caller::Browser { account, .. } => account,
        Caller::Nobody => return Redirect::to("/login?return_to=/account").into_response(),
        Caller::OperatorToken | Caller::OperatorBrowser { .. } | Caller::Program { .. } => {
            return error_page(&ApiError::Forbidden(
                "this page is for accounts, and whoever operates the server needs none",
            ));
        }
    };
    let ways = [("mode", "link".to_owned()), ("return_to", "/account".to_owned())];
    let providers: Vec<_> = list_providers(&state, &ways)
        .into_iter()
        .map(|it| json!({"id": it.id, "title": it.title, "href": it.href}))
        .collect();
    let page = json!({
        "version": VERSION, "build": BUILD, "base_url": state.base_url,
        "user": User::of(&account, &state.accounts.book()), "providers": providers,
        "link_minutes": state.config.borrow().system.auth.mail_link_minutes,
    });
    let page = AccountPage { title: "Your account · StreamSuites", build: BUILD, page };
    render(StatusCode::OK, Policy::Page, &page)
}
