//! `POST /api/rooms/{room}/synthetic`: a message written by hand, shown and stored, never posted.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use uuid::Uuid;

use super::JsonBody;
use crate::{
    chat::{
        normalize,
        room::{Arrival, Published},
    },
    feed::Span,
    model::{Author, Channel, EventBody, Flag, Message, Platform, QualifiedId, Timestamp},
    web::{ApiError, AppState, caller::OperatorOnly},
};

/// Longest text (characters).
const MAX_TEXT: usize = 500;
/// Longest name (characters).
const MAX_NAME: usize = 64;

/// What is to be shown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSynthetic {
    /// What it says (1 to 500 characters).
    #[schemars(length(min = 1, max = 500))]
    text: String,
    /// As whom; the room's name when absent.
    #[serde(default)]
    #[schemars(length(max = 64))]
    display_name: Option<String>,
    /// A stable id of whoever is quoted.
    #[serde(default)]
    author_id: Option<String>,
    /// Where that id is from: `creator` or `discord`.
    #[serde(default)]
    #[schemars(regex(pattern = "^(creator|discord)$"))]
    author_source: Option<String>,
    /// A picture: https, or one of this server's.
    #[serde(default)]
    #[schemars(regex(pattern = r"^(https://|/[^/\\]|/$|$)"))]
    avatar_url: Option<String>,
}

/// `POST /api/rooms/{room}/synthetic {text, display_name?, author_id?, author_source?, avatar_url?}`
///
/// 201 with the event. Only the operator may, 30 a minute and room.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others or where it is switched off, 404 for an unknown room,
/// 429 with `Retry-After`.
pub async fn post_synthetic(
    State(state): State<AppState>,
    Path(room): Path<String>,
    _operator: OperatorOnly,
    body: JsonBody<NewSynthetic>,
) -> Result<Response, ApiError> {
    let room = state.hub.find_room(&room).ok_or(ApiError::NotFound("room"))?;
    let limits = state.config.borrow().system.synthetic.clone();
    if !limits.enabled {
        return Err(ApiError::Forbidden("synthetic messages are switched off"));
    }
    let Json(new) = body?;
    let message = message(new, room.id().as_str()).map_err(ApiError::BadRequest)?;
    state.synthetic.take(room.id().as_str(), limits.per_minute).map_err(ApiError::RateLimited)?;

    room.recall().await;
    let body = EventBody::ChatMessage(Box::new(message));
    let (Published::At(seq) | Published::Hidden(seq)) = room.publish(&body, &Arrival::now()) else {
        return Err(ApiError::Conflict("the message is there already".to_owned()));
    };
    let page = room.recent(&Span { after: seq - 1, most_events: 1, ..Span::default() });
    let event = page.events.first().and_then(|it| str::from_utf8(&it.json).ok());
    let event: Option<&RawValue> = event.and_then(|it| serde_json::from_str(it).ok());
    Ok((StatusCode::CREATED, Json(json!({ "success": true, "event": event }))).into_response())
}

fn message(new: NewSynthetic, room: &str) -> Result<Message, String> {
    let text = normalize::clean(&new.text);
    match text.chars().count() {
        0 => return Err("`text` is empty".to_owned()),
        count if count > MAX_TEXT => return Err(format!("`text` is over {MAX_TEXT} characters")),
        _ => {}
    }
    let name = new.display_name.as_deref().map(str::trim).filter(|it| !it.is_empty());
    let name = normalize::clean(name.unwrap_or(room)).replace('\n', " ");
    if name.chars().count() > MAX_NAME {
        return Err(format!("`display_name` is over {MAX_NAME} characters"));
    }
    let source = match new.author_source.as_deref() {
        None | Some("creator") => "creator",
        Some("discord") => "discord",
        Some(_) => return Err("`author_source` is `creator` or `discord`".to_owned()),
    };
    let avatar = new.avatar_url.filter(|it| !it.is_empty());
    let ours = |it: &str| it.starts_with('/') && !it.starts_with("//") && !it.starts_with("/\\");
    if avatar.as_ref().is_some_and(|it| !it.starts_with("https://") && !ours(it)) {
        return Err("`avatar_url` must begin with https://".to_owned());
    }
    let own_id = new.author_id.unwrap_or_else(|| name.to_lowercase());
    let platform = Platform::Streamsuites;
    let now = Timestamp::now();
    Ok(Message {
        id: QualifiedId::new(platform, &Uuid::now_v7().to_string()),
        platform,
        channel: Channel { id: QualifiedId::new(platform, room), name: room.to_owned() },
        author: Author {
            id: QualifiedId::new(platform, &format!("{source}-{own_id}")),
            login: name.to_lowercase(),
            name,
            color: None,
            badges: Vec::new(),
            roles: Vec::new(),
            avatar,
            identity: None,
        },
        fragments: normalize::plain_fragments(&text),
        text: text.into_owned(),
        flags: vec![Flag::Synthetic],
        reply_to: None,
        source_channel: None,
        amount: None,
        sent_at: now,
        received_at: now,
    })
}
