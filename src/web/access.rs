//! Who may read a room: everybody while access is open, otherwise whoever has a key of the room. And who may say how it
//! looks.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderMap, header, request::Parts},
};

use super::{
    ApiError, AppState,
    caller::Caller,
    cookies,
    doors::{Credential, Pass},
    origin,
    overlay_keys::Standing,
    query::Query,
};
use crate::{
    accounts::{Right, Rights},
    chat::Room,
    config::OverlayAccess,
    model::{CreatorId, Timestamp},
};

/// Who comes to read: with which proof, and from which page.
pub struct Visitor {
    /// Who it is.
    pub caller: Caller,
    /// What came along.
    pub headers: HeaderMap,
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Ok(Self { caller: Caller::of_parts(state, parts), headers: parts.headers.clone() })
    }
}

/// The room of that name, for a reader who may read it.
///
/// # Errors
/// 404 for an unknown room, otherwise as [`may_read`].
pub fn find_readable(
    state: &AppState,
    visitor: &Visitor,
    name: &str,
    key: Option<&str>,
) -> Result<Arc<Room>, ApiError> {
    let room = state.hub.find_room(name).ok_or(ApiError::NotFound("room"))?;
    may_read(state, visitor, room.id(), key)?;
    Ok(room)
}

/// Lets a reader into a room, or not.
///
/// # Errors
/// 403 without the key where one is needed, or from another site's page with a session.
pub fn may_read(
    state: &AppState,
    visitor: &Visitor,
    room: &CreatorId,
    key: Option<&str>,
) -> Result<(), ApiError> {
    find_credential(state, visitor, room, key).map(drop)
}

/// The room of that name, for a reader who may read it, and for as long as it is read: a socket or a stream.
///
/// # Errors
/// As [`find_readable`].
pub fn enter(
    state: &AppState,
    visitor: &Visitor,
    name: &str,
    key: Option<&str>,
) -> Result<(Arc<Room>, Pass), ApiError> {
    let room = state.hub.find_room(name).ok_or(ApiError::NotFound("room"))?;
    let credential = find_credential(state, visitor, room.id(), key)?;
    let pass = state.doors.enter(credential.clone());
    // Asked again: it may have ended before anybody knew of the pass.
    if standing(state, &credential, Timestamp::now()) == Standing::Ended {
        return Err(ApiError::Forbidden(KEY_ENDED));
    }
    Ok((room, pass))
}

const NEEDS_KEY: &str = "this room needs its overlay key: add ?key=… to the address";
const KEY_ENDED: &str = "the key in this address opens the room no longer: get a new link from whoever gave you this one";

/// What lets a reader into a room.
fn find_credential(
    state: &AppState,
    visitor: &Visitor,
    room: &CreatorId,
    key: Option<&str>,
) -> Result<Credential, ApiError> {
    let Visitor { caller, headers } = visitor;
    let cookie = cookies::session(headers);
    if cookie.is_some() && headers.contains_key(header::ORIGIN) && !origin::is_own(state, headers) {
        return Err(ApiError::Forbidden(origin::FOREIGN));
    }
    let now = Timestamp::now();
    let serial = key.and_then(|it| state.keys.find(room, it, now));
    if let Some(serial) = serial {
        state.keys.note_seen(room, serial, now);
    }
    // Before all else: who has rights is to go when they change, also where everybody else may stay.
    let rights = rights_in(state, caller, room);
    if !rights.is_empty() {
        let own = match caller {
            Caller::Nobody => None,
            Caller::OperatorToken => Some(Credential::Token),
            Caller::OperatorBrowser { .. } => {
                let hash = cookie.and_then(|it| state.operator.find_hash(it));
                hash.map(Credential::OperatorSession)
            }
            Caller::Browser { session, .. } => {
                Some(Credential::SignIn(session.digest, room.clone(), rights))
            }
            Caller::Program { token, .. } => {
                Some(Credential::Program(token.digest, room.clone(), rights))
            }
        };
        if let Some(own) = own {
            return Ok(own);
        }
    }
    // Also where none is needed, so that it is known who uses it.
    if let Some(serial) = serial {
        return Ok(Credential::Key(room.clone(), serial));
    }
    if state.config.borrow().system.overlay_access() == OverlayAccess::Open {
        return Ok(Credential::Open);
    }
    let refused = if key.is_none_or(str::is_empty) { NEEDS_KEY } else { KEY_ENDED };
    Err(ApiError::Forbidden(refused))
}

/// How long a credential lets its holder read. The one place that decides it, for those who come and for those who
/// are in.
#[must_use]
pub fn standing(state: &AppState, credential: &Credential, now: Timestamp) -> Standing {
    let holds = match credential {
        Credential::Key(room, serial) => return state.keys.standing(room, *serial, now),
        Credential::Open => state.config.borrow().system.overlay_access() == OverlayAccess::Open,
        Credential::Token => true,
        Credential::OperatorSession(hash) => return state.operator.standing(hash, now),
        Credential::SignIn(digest, room, rights) => Caller::of_session(state, digest)
            .is_some_and(|it| rights_in(state, &it, room) == *rights),
        Credential::Program(digest, room, rights) => Caller::of_program(state, digest)
            .is_some_and(|it| rights_in(state, &it, room) == *rights),
    };
    if holds { Standing::Good } else { Standing::Ended }
}

/// What somebody may do in a room: everything in their own, in others what they moderate there. The one place that
/// decides it.
#[must_use]
pub fn rights_in(state: &AppState, caller: &Caller, room: &CreatorId) -> Rights {
    if caller.owns(room) {
        return Right::ALL.into();
    }
    let account = caller.account().map(|it| it.id);
    account.map(|it| state.accounts.book().rights_in(room, it)).unwrap_or_default()
}

/// A request by somebody who may do something in the room that the path names as `{room}`: its owner, the operator,
/// and whoever moderates it. What exactly, the handler asks with [`RoomActor::may`].
pub struct RoomActor {
    /// That room.
    pub room: Arc<Room>,
    /// Who it is.
    pub caller: Caller,
    rights: Rights,
}

impl RoomActor {
    /// Whether they may do that.
    ///
    /// # Errors
    /// 403 when not.
    pub fn may(&self, right: Right) -> Result<(), ApiError> {
        if self.rights.contains(&right) {
            return Ok(());
        }
        Err(ApiError::Forbidden("you moderate this room without that right: ask its creator"))
    }
}

impl FromRequestParts<AppState> for RoomActor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let name = name_in_path(parts, state).await;
        let caller = Caller::of_parts(state, parts);
        caller.may_change(state, &parts.method, &parts.headers)?;
        let room = state.hub.find_room(&name);
        let rights = room.as_ref().map(|it| rights_in(state, &caller, it.id())).unwrap_or_default();
        if rights.is_empty() && !caller.is_operator() {
            return Err(ApiError::Forbidden("this room is somebody else's"));
        }
        Ok(Self { room: room.ok_or(ApiError::NotFound("room"))?, caller, rights })
    }
}

/// `{room}` of a path. A name that is not UTF-8 is no room's.
async fn name_in_path(parts: &mut Parts, state: &AppState) -> String {
    let params = RawPathParams::from_request_parts(parts, state).await.ok();
    let name = params.iter().flat_map(|it| it.iter()).find(|it| it.0 == "room").map(|it| it.1);
    name.unwrap_or_default().to_owned()
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
pub fn find_managed(
    state: &AppState,
    caller: &Caller,
    room: Option<&str>,
) -> Result<Arc<Room>, ApiError> {
    if !caller.is_known() {
        return Err(ApiError::Unauthorized);
    }
    let name = room.ok_or_else(|| {
        ApiError::BadRequest("which room? add ?room=NAME to the address".to_owned())
    })?;
    let room = state.hub.find_room(name);
    if !caller.is_operator() && !room.as_ref().is_some_and(|it| caller.owns(it.id())) {
        return Err(ApiError::Forbidden("this room is somebody else's"));
    }
    room.ok_or(ApiError::NotFound("room"))
}

/// The same for a request, that may change things.
///
/// # Errors
/// As [`find_managed`], and 403 for a call from elsewhere.
fn may_manage(
    state: &AppState,
    parts: &mut Parts,
    room: Option<&str>,
) -> Result<Arc<Room>, ApiError> {
    let caller = Caller::of_parts(state, parts);
    caller.may_change(state, &parts.method, &parts.headers)?;
    find_managed(state, &caller, room)
}

/// A request by somebody who may manage the room that its query names, as [`find_managed`] says.
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
        let room = may_manage(state, parts, room.as_deref())?;
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
        let name = name_in_path(parts, state).await;
        let room = may_manage(state, parts, Some(&name))?;
        Ok(Self { room })
    }
}
