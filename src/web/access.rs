//! Who may read a room: everybody while access is open, otherwise whoever has the room's key. And who may
//! say how it looks.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderMap, Method, header, request::Parts},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{
    ApiError, AppState,
    caller::{Caller, is_own_origin},
    operator,
    query::Query,
};
use crate::{chat::Room, config::OverlayAccess, model::CreatorId};

/// The rooms' overlay keys: 128 bits each, made from one secret, so that they outlive a restart.
pub struct OverlayKeys {
    secret: Vec<u8>,
}

impl OverlayKeys {
    /// From the server's secret key.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self { secret: secret.trim().as_bytes().to_vec() }
    }

    /// The key of a room.
    #[must_use]
    pub fn key(&self, room: &CreatorId) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes secrets of any length");
        mac.update(b"overlay-key/1/");
        mac.update(room.as_str().to_ascii_lowercase().as_bytes());
        URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..16])
    }

    fn opens(&self, room: &CreatorId, key: &str) -> bool {
        self.key(room).as_bytes().ct_eq(key.as_bytes()).into()
    }
}

/// The room of that name, for a reader who may read it.
///
/// # Errors
/// 404 for an unknown room, otherwise as [`may_read`].
pub fn find_readable(
    state: &AppState,
    headers: &HeaderMap,
    name: &str,
    key: Option<&str>,
) -> Result<Arc<Room>, ApiError> {
    let room = state.hub.find_room(name).ok_or(ApiError::NotFound("room"))?;
    may_read(state, headers, room.id(), key)?;
    Ok(room)
}

/// Lets a reader into a room, or not.
///
/// # Errors
/// 403 without the key where one is needed, or from another site's page with a session.
pub fn may_read(
    state: &AppState,
    headers: &HeaderMap,
    room: &CreatorId,
    key: Option<&str>,
) -> Result<(), ApiError> {
    if operator::cookie(headers).is_some()
        && headers.contains_key(header::ORIGIN)
        && !is_own_origin(state, headers)
    {
        return Err(ApiError::Forbidden("the request comes from another site's page"));
    }
    let open = state.config.borrow().system.overlay_access() == OverlayAccess::Open;
    if open
        || key.is_some_and(|it| state.keys.opens(room, it))
        || Caller::of(state, headers).owns(room)
    {
        Ok(())
    } else {
        Err(ApiError::Forbidden("this room needs its overlay key: add ?key=… to the address"))
    }
}

/// The query of a page or a call that reads a room: its key, where one is needed.
#[derive(Debug, serde::Deserialize)]
pub struct KeyQuery {
    /// As it was given.
    pub key: Option<String>,
}

/// The room of that name, for whoever may see and change how it looks: its owner, and the operator.
///
/// The one place that decides it, for every route of a room's looks.
///
/// # Errors
/// 401 and 403 for others, before anything is said about the room; 400 when none is named, 404 for an unknown
/// one.
pub fn may_manage(
    state: &AppState,
    method: &Method,
    headers: &HeaderMap,
    room: Option<&str>,
) -> Result<Arc<Room>, ApiError> {
    let caller = Caller::of(state, headers);
    caller.may_change(state, method, headers)?;
    let name = room.ok_or_else(|| {
        ApiError::BadRequest("which room? add ?room=NAME to the address".to_owned())
    })?;
    let room = state.hub.find_room(name);
    if !caller.is_operator() && !room.as_ref().is_some_and(|it| caller.owns(it.id())) {
        return Err(ApiError::Forbidden("this room is somebody else's"));
    }
    room.ok_or(ApiError::NotFound("room"))
}

/// A request by somebody who may manage the room that its query names, as [`may_manage`] says.
pub struct Manager {
    /// That room.
    pub room: Arc<Room>,
}

#[derive(serde::Deserialize)]
struct RoomQuery {
    room: Option<String>,
}

impl FromRequestParts<AppState> for Manager {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Query(RoomQuery { room }) = Query::from_request_parts(parts, state).await?;
        let room = may_manage(state, &parts.method, &parts.headers, room.as_deref())?;
        Ok(Self { room })
    }
}

/// The same of the room that the path names as `{room}`.
pub struct RoomManager {
    /// That room.
    pub room: Arc<Room>,
}

impl FromRequestParts<AppState> for RoomManager {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        // A name that is not UTF-8 is no room's.
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let name = params.iter().flat_map(|it| it.iter()).find(|it| it.0 == "room").map(|it| it.1);
        let room = may_manage(state, &parts.method, &parts.headers, name.or(Some("")))?;
        Ok(Self { room })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_its_own_room_only() {
        let keys = OverlayKeys::new("secret");
        let (ana, ben) = ("Ana".parse().unwrap(), "ben".parse().unwrap());
        assert_eq!(keys.key(&ana).len(), 22, "128 bits");
        assert!(keys.opens(&"ana".parse().unwrap(), &keys.key(&ana)));
        assert!(!keys.opens(&ben, &keys.key(&ana)));
        assert!(!keys.opens(&ana, ""));
        assert_ne!(OverlayKeys::new("other").key(&ana), keys.key(&ana));
    }
}
