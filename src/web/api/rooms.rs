//! `/api/rooms`: which rooms there are, and how they are.

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{JsonBody, channels::TypedPart};
use crate::{
    accounts::{Account, NewChannel},
    chat::{Room, RoomSummary},
    config::{OverlayAccess, channel_name},
    model::{BadCreatorId, CreatorId, Platform, PlatformState, platform::UnknownPlatform},
    platforms::recording::demo,
    web::{
        ApiError, AppState,
        access::{self, KeyQuery, RoomManager, Visitor},
        caller::{Caller, From, MayChange},
        query::Query,
    },
};

/// A room as lists show it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RoomCard {
    #[serde(flatten)]
    summary: RoomSummary,
    display_name: String,
    /// Plays the recording that ships with the program.
    demo: bool,
    /// What to paste into OBS.
    overlay_url: String,
    /// The pop-out.
    chat_url: String,
    /// Channels that are live (count).
    live: usize,
    /// Whether its streams are recorded.
    recorded: bool,
    /// What of it was typed, and can be taken away again.
    typed: TypedPart,
}

fn card(state: &AppState, room: &Room, with_key: bool) -> RoomCard {
    let summary = room.summary();
    let config = state.config.borrow();
    let creator = config.creators.creators.iter().find(|it| it.id == *room.id());
    let display_name = creator.map_or(room.id().as_str(), |it| it.display_name()).to_owned();
    let is_demo = creator.is_none() && room.id().as_str() == demo::ROOM;
    drop(config);
    let key = if with_key { format!("?key={}", state.keys.key(room.id())) } else { String::new() };
    let (base, id) = (&state.base_url, room.id());
    RoomCard {
        overlay_url: format!("{base}/overlay/{id}{key}"),
        chat_url: format!("{base}/chat/{id}{key}"),
        live: summary.status.iter().filter(|it| it.state == PlatformState::Live).count(),
        recorded: room.log().is_kept(),
        typed: (state.typed.find)(room.id()),
        display_name,
        demo: is_demo,
        summary,
    }
}

/// The rooms that somebody may list: where rooms need keys, those of their own, with these.
///
/// # Errors
/// 401 where rooms need keys and nobody is signed in.
pub fn list_cards(state: &AppState, caller: &Caller) -> Result<Vec<RoomCard>, ApiError> {
    let keyed = state.config.borrow().system.overlay_access() == OverlayAccess::Key;
    if keyed && !caller.is_operator() {
        return Ok(list_own_cards(state, caller.account().ok_or(ApiError::Unauthorized)?));
    }
    Ok(state.hub.list_rooms().iter().map(|room| card(state, room, keyed)).collect())
}

/// The rooms of an account, with their keys where rooms need them.
#[must_use]
pub fn list_own_cards(state: &AppState, account: &Account) -> Vec<RoomCard> {
    let keyed = state.config.borrow().system.overlay_access() == OverlayAccess::Key;
    let rooms = account.list_rooms().filter_map(|it| state.hub.find_room(it.as_str()));
    rooms.map(|room| card(state, &room, keyed)).collect()
}

/// `GET /api/rooms`: `{"rooms":[…]}`.
///
/// # Errors
/// 401 where rooms need keys and nobody is signed in.
pub async fn list_rooms(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Response, ApiError> {
    Ok(Json(json!({ "rooms": list_cards(&state, &caller)? })).into_response())
}

/// `GET /api/rooms/{room}`: one room, with its overlay settings.
///
/// # Errors
/// 404 for an unknown room, 403 for a bad key.
pub async fn find_room(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<KeyQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    let mut body = serde_json::to_value(card(&state, &room, false))
        .map_err(|it| ApiError::Internal(it.into()))?;
    body["settings"] =
        serde_json::to_value(&*room.settings()).map_err(|it| ApiError::Internal(it.into()))?;
    Ok(Json(body).into_response())
}

/// What the operator types on the start page, or somebody for a room of their own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRoom {
    /// `PLATFORM:NAME`, a channel's address, or a bare name, which is Twitch's; before each of them may stand `ROOM=`,
    /// as on the command line.
    #[schemars(length(min = 1))]
    channel: String,
    /// The room it flows into; absent is one of the channel's own name.
    #[serde(default)]
    room: Option<CreatorId>,
}

impl NewRoom {
    /// The room that is named, in either way, and the channel without it.
    fn room_and_channel(&self) -> Result<(Option<CreatorId>, &str), ApiError> {
        // An address may hold a `=` of its own, behind its path.
        let Some((room, channel)) =
            self.channel.split_once('=').filter(|it| !it.0.contains([':', '/', '?']))
        else {
            return Ok((self.room.clone(), &self.channel));
        };
        let room: CreatorId =
            room.trim().parse().map_err(|it: BadCreatorId| ApiError::BadRequest(it.to_string()))?;
        match &self.room {
            Some(other) if *other != room => Err(ApiError::BadRequest(format!(
                "`channel` names the room `{room}`, and `room` is `{other}`"
            ))),
            _ => Ok((Some(room), channel.trim())),
        }
    }
}

/// `POST /api/rooms {channel, room?}`: reads a channel from now on, over restarts too.
///
/// 201 with the room's addresses. The operator may, and owners for rooms of their own.
///
/// # Errors
/// 400 when it is no channel, 401 and 403 for others, 409 when the room has as many as it may, 413 when the body is
/// too large.
pub async fn add_room(
    State(state): State<AppState>,
    MayChange(caller): MayChange,
    From(origin): From,
    body: JsonBody<NewRoom>,
) -> Result<Response, ApiError> {
    // Whoever has no room may not, whatever they send.
    let rooms = caller.account().map_or(0, |it| it.list_rooms().count());
    if !caller.is_operator() && rooms == 0 {
        return Err(ApiError::Forbidden("this is for the owners of rooms, and the operator"));
    }
    let Json(new) = body?;
    let (room, channel) = new.room_and_channel()?;
    if !caller.is_operator() && !room.as_ref().is_some_and(|it| caller.owns(it)) {
        return Err(ApiError::Forbidden(
            "name one of your own rooms as `room`; you make another on your account's page",
        ));
    }
    let (platform, name) = match channel.split_once(':') {
        Some((platform, name)) if !name.starts_with("//") => {
            let platform = platform
                .trim()
                .parse()
                .map_err(|it: UnknownPlatform| ApiError::BadRequest(it.to_string()))?;
            (platform, name)
        }
        _ => {
            let name = channel;
            (channel_name::platform_of(name).unwrap_or(Platform::Twitch), name)
        }
    };
    let (name, by) = (name.to_owned(), caller.actor());
    let id = (state.add_channel)(NewChannel { room, platform, name, by, origin })?;
    let room = state.hub.find_room(id.as_str()).ok_or(ApiError::NotFound("room"))?;
    let keyed = state.config.borrow().system.overlay_access() == OverlayAccess::Key;
    let card = card(&state, &room, keyed);
    let location = [(header::LOCATION, format!("/api/rooms/{id}"))];
    Ok((StatusCode::CREATED, location, Json(card)).into_response())
}

/// `DELETE /api/rooms/{room}`: takes a room away that was typed on the start page, or that its owner made; its readers
/// are told.
///
/// 204. The room's owner may, and the operator.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room, 409 for one that the configuration or a flag made.
pub async fn remove_room(
    State(state): State<AppState>,
    RoomManager { room }: RoomManager,
    From(origin): From,
    caller: Caller,
) -> Result<StatusCode, ApiError> {
    if (state.remove_room)(room.id(), caller.actor(), &origin)? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::Conflict(
        "this room was not typed here: take it out of creators.json, or of the flags".to_owned(),
    ))
}
