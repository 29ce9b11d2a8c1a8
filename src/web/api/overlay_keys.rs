//! `/api/settings/overlay-keys` and `/api/settings/overlay-key`: the keys that open a room to its readers.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::JsonBody;
use crate::{
    config::OverlayAccess,
    model::{CreatorId, Timestamp},
    web::{
        ApiError, AppState,
        access::Manager,
        doors::Credential,
        overlay_keys::{DEFAULT, KeyCard, LONGEST_GRACE_SECONDS, MOST_KEYS, OverlayKeys},
        query::Query,
    },
};

/// Which key.
#[derive(Deserialize)]
pub struct WhichKey {
    name: Option<String>,
    /// Only those before it.
    old: Option<String>,
}

/// What is to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// Of the key, which is new; with `rotate` of one that is there, `default` unless said.
    #[serde(default)]
    name: Option<String>,
    /// Puts a new key in the place of one.
    #[serde(default)]
    rotate: bool,
    /// How long the old one goes on (s; at most thirty days).
    #[serde(default)]
    #[schemars(range(max = 2_592_000))]
    grace_seconds: u64,
}

/// A room's keys, without themselves.
#[derive(Serialize, JsonSchema)]
pub struct KeyList {
    room: CreatorId,
    /// Whether rooms need keys.
    access: OverlayAccess,
    /// Most keys of a room.
    most: usize,
    keys: Vec<KeyCard>,
}

/// A key itself, with the addresses that carry it.
#[derive(Serialize, JsonSchema)]
pub struct RevealedKey {
    room: CreatorId,
    name: String,
    key: String,
    overlay_url: String,
    chat_url: String,
    /// Until when the one before it works; only after a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_until: Option<Timestamp>,
}

/// Does what waits for the disk, and cuts those off whom it shuts out.
async fn blocking<T: Send + 'static>(
    state: &AppState,
    work: impl FnOnce(&OverlayKeys) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let shared = Arc::clone(state);
    // Whoever asked may be gone before it is done.
    let work = move || {
        let done = work(&shared.keys);
        shared.doors.look_again();
        done
    };
    state.life.spawn_blocking(work).await.map_err(|it| ApiError::Internal(it.into()))?
}

fn revealed(state: &AppState, room: &CreatorId, name: &str, key: String) -> RevealedKey {
    let base = &state.base_url;
    RevealedKey {
        overlay_url: format!("{base}/overlay/{room}?key={key}"),
        chat_url: format!("{base}/chat/{room}?key={key}"),
        room: room.clone(),
        name: name.to_owned(),
        key,
        old_until: None,
    }
}

/// A secret is for whoever asked, and for no cache.
fn answer(status: StatusCode, body: impl Serialize) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// `GET /api/settings/overlay-keys?room=NAME`: `{"room","access","most","keys":[{"name","created_at","rotated_at",
/// "last_seen","open","old":[{"until","last_seen","open"}]}]}`, without the keys themselves.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room, 503 when what is kept of them cannot be read.
pub async fn list_keys(
    State(state): State<AppState>,
    Manager { room }: Manager,
) -> Result<Response, ApiError> {
    let open = |serial| state.doors.count(&Credential::Key(room.id().clone(), serial));
    let keys = state.keys.list(room.id(), Timestamp::now(), open)?;
    let access = state.config.borrow().system.overlay_access();
    let list = KeyList { room: room.id().clone(), access, most: MOST_KEYS, keys };
    Ok(answer(StatusCode::OK, list))
}

/// `GET /api/settings/overlay-key?room=NAME&name=KEY`: `{"room","name","key","overlay_url","chat_url"}`. Without a
/// name, the default key.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room or key, 503 when what is kept cannot be read.
pub async fn reveal_key(
    State(state): State<AppState>,
    Manager { room }: Manager,
    Query(which): Query<WhichKey>,
) -> Result<Response, ApiError> {
    let name = which.name.as_deref().unwrap_or(DEFAULT);
    let key = state.keys.reveal(room.id(), name)?;
    Ok(answer(StatusCode::OK, revealed(&state, room.id(), name, key)))
}

/// `POST /api/settings/overlay-key?room=NAME {name?, rotate?, grace_seconds?}`: makes a key of a new name, or with
/// `rotate` a new key in the place of the one of that name (without a name, the default key). The old one works for
/// `grace_seconds` more, at most thirty days; then what is open with it is closed.
///
/// 201 for a new name, 200 for a rotation, with the key as [`reveal_key`] answers, and `old_until` after a rotation.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room or key, 409 when the name is taken or
/// there are too many, 503 when the disk refuses.
pub async fn make_key(
    State(state): State<AppState>,
    Manager { room }: Manager,
    body: JsonBody<NewKey>,
) -> Result<Response, ApiError> {
    let Json(NewKey { name, rotate, grace_seconds }) = body?;
    if grace_seconds > LONGEST_GRACE_SECONDS {
        let problem = format!("`grace_seconds` is at most {LONGEST_GRACE_SECONDS}: thirty days");
        return Err(ApiError::BadRequest(problem));
    }
    let (now, id) = (Timestamp::now(), room.id().clone());
    if rotate {
        let name = name.unwrap_or_else(|| DEFAULT.to_owned());
        let grace_ms = i64::try_from(grace_seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        let until = (grace_seconds > 0).then(|| now.plus_ms(grace_ms));
        let wanted = name.clone();
        let key = blocking(&state, move |keys| keys.rotate(&id, &wanted, now, until)).await?;
        let revealed = revealed(&state, room.id(), &name, key);
        return Ok(answer(StatusCode::OK, RevealedKey { old_until: until, ..revealed }));
    }
    let Some(name) = name else {
        let problem = "say `name` for a new key, or `rotate` as true for the default key";
        return Err(ApiError::BadRequest(problem.to_owned()));
    };
    if grace_seconds > 0 {
        let problem = "`grace_seconds` is for a key that is rotated: say `rotate` as true";
        return Err(ApiError::BadRequest(problem.to_owned()));
    }
    let wanted = name.clone();
    let key = blocking(&state, move |keys| keys.add(&id, &wanted, now)).await?;
    Ok(answer(StatusCode::CREATED, revealed(&state, room.id(), name.trim(), key)))
}

/// `DELETE /api/settings/overlay-key?room=NAME&name=KEY`: takes a key away, and with `&old` only those before it that
/// still work. What is open with it is closed. 204.
///
/// # Errors
/// 400 without a name, 401 and 403 for others, 404 for an unknown room or key, 409 for the default key, 503 when the
/// disk refuses.
pub async fn remove_key(
    State(state): State<AppState>,
    Manager { room }: Manager,
    Query(which): Query<WhichKey>,
) -> Result<StatusCode, ApiError> {
    let name = which.name.ok_or_else(|| {
        ApiError::BadRequest("which key? add &name=KEY to the address".to_owned())
    })?;
    let (only_old, id) = (which.old.is_some(), room.id().clone());
    let work = move |keys: &OverlayKeys| {
        if only_old { keys.end_old(&id, &name) } else { keys.remove(&id, &name) }
    };
    blocking(&state, work).await?;
    Ok(StatusCode::NO_CONTENT)
}
