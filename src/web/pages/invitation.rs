//! `/invitation`: asks whoever was invited whether they want to moderate a room.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use serde_json::json;

use super::{Policy, render};
use crate::{
    BUILD,
    accounts::Right,
    web::{
        ApiError, AppState,
        auth::sign_up::pace,
        caller::{Caller, From},
        query::Query,
    },
};

/// The query of the link.
#[derive(Debug, Deserialize)]
pub struct InvitationQuery {
    token: Option<String>,
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage {
    title: &'static str,
    build: &'static str,
    /// The room and whoever asks; `None` for a link that no longer works.
    asked: Option<(String, String)>,
    /// What one will be able to do.
    rights: Vec<&'static str>,
    /// Who is signed in.
    account: Option<String>,
    /// Whether whoever operates the server looks at it, who has no account to accept with.
    is_operator: bool,
    login: String,
    page: serde_json::Value,
}

const fn words(right: Right) -> &'static str {
    match right {
        Right::Queue => "mark messages for discussion",
        Right::Feature => "put messages on the stream",
        Right::Hide => "take messages and viewers away",
        Right::Timeout => "silence viewers for a while",
        Right::Ban => "ban viewers",
        Right::Send => "write in the creator’s chats",
        Right::Polls => "start polls",
    }
}

/// `GET /invitation?token=…`: shows it. Only a click takes it up: programs that look into mails open links.
///
/// # Errors
/// 429 for too many attempts. A link that no longer works is a page as well (404).
pub async fn show_invitation(
    State(state): State<AppState>,
    From(origin): From,
    Query(query): Query<InvitationQuery>,
    caller: Caller,
) -> Result<Response, ApiError> {
    pace(&state, &origin)?;
    let token = query.token.unwrap_or_default();
    let invitation = state.accounts.book().find_invitation(&token, state.accounts.now());
    let mut login = url::form_urlencoded::Serializer::for_suffix("/login?".to_owned(), 7);
    login.append_pair("return_to", &format!("/invitation?token={token}"));
    let status = if invitation.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let rights = invitation.iter().flat_map(|it| &it.rights);
    let page = InvitationPage {
        title: "An invitation · StreamSuites",
        build: BUILD,
        rights: rights.map(|it| words(*it)).collect(),
        asked: invitation.map(|it| (it.room.to_string(), it.from)),
        account: caller.account().map(|it| it.display_name.clone()),
        is_operator: matches!(caller, Caller::OperatorBrowser { .. }),
        login: login.finish(),
        page: json!({ "token": token }),
    };
    Ok(render(status, Policy::Page, &page))
}
