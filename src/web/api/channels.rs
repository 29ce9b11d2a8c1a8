//! Channels that were typed, on the start page or by a room's owner: which they are, and how one is taken out again.

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    accounts::{Actor, Origin},
    config::channel_name,
    model::{CreatorId, Platform},
    web::{
        ApiError, AppState,
        access::RoomManager,
        caller::{Caller, From},
    },
};

/// A channel that was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TypedChannel {
    /// Where it is.
    pub platform: Platform,
    /// Its name in its one spelling, as `status` has it.
    pub channel: String,
}

/// What of a room was typed: that can be taken away where it was typed, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TypedPart {
    /// Its channels that are in no file and no flag.
    pub channels: Vec<TypedChannel>,
    /// Whether the room itself is there for them alone, and goes with the last.
    pub room: bool,
}

/// Finds what of a room was typed.
pub type FindTyped = Box<dyn Fn(&CreatorId) -> TypedPart + Send + Sync>;
/// Takes a typed channel out of a room, for good; `false` when it was not typed.
pub type RemoveChannel =
    Box<dyn Fn(&CreatorId, Platform, &str, Actor, &Origin) -> Result<bool, ApiError> + Send + Sync>;

/// Channels that were typed.
pub struct Typed {
    /// Finds them.
    pub find: FindTyped,
    /// Takes one out.
    pub remove: RemoveChannel,
}

/// `DELETE /api/rooms/{room}/channels/{platform}/{name}`: takes a channel out that was typed. A room that was typed goes
/// with its last channel, and its readers are told.
///
/// 204. The room's owner may, and the operator.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room and a channel that it does not read, 409 for one that the
/// configuration or a flag names.
pub async fn remove_channel(
    State(state): State<AppState>,
    Path((_, platform, name)): Path<(String, String, String)>,
    RoomManager { room }: RoomManager,
    From(origin): From,
    caller: Caller,
) -> Result<StatusCode, ApiError> {
    let platform: Platform = platform.parse().map_err(|_| ApiError::NotFound("channel"))?;
    let name =
        channel_name::normalize(platform, &name).map_err(|_| ApiError::NotFound("channel"))?;
    if (state.typed.remove)(room.id(), platform, &name, caller.actor(), &origin)? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let config = state.config.borrow();
    let creator = config.creators.creators.iter().find(|it| it.id == *room.id());
    let mut channels = creator.into_iter().flat_map(|it| &it.channels);
    if channels
        .any(|it| it.platform == platform && channel_name::is_same(platform, &it.name, &name))
    {
        return Err(ApiError::Conflict(
            "this channel was not typed here: take it out of creators.json, or of the flags"
                .to_owned(),
        ));
    }
    Err(ApiError::NotFound("channel"))
}
