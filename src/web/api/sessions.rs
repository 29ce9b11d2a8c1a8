//! `/api/rooms/{room}/sessions`: the recorded streams of a room.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    chat::Room,
    feed::{Histogram, Span, StreamSession},
    web::{
        ApiError, AppState,
        access::{self, Visitor},
        query::Query,
    },
};

/// Most sessions of one answer.
const MOST_SESSIONS: usize = 200;
/// Sessions when nothing is said.
const SESSIONS: usize = 50;
/// Events read at once for a download: what it holds in memory.
const CHUNK_EVENTS: usize = 1_000;
/// And what they may take (bytes).
const CHUNK_BYTES: usize = 512 * 1024;

/// The query of the list.
#[derive(Debug, Deserialize)]
pub struct SessionsQuery {
    before: Option<String>,
    limit: Option<String>,
    key: Option<String>,
}

/// `GET /api/rooms/{room}/sessions?before=ID&limit=50`: `{"sessions":[…]}`, newest first.
///
/// # Errors
/// 400 naming the parameter, 404 for an unknown room, 403 for a bad key, 503 while the log cannot be read.
pub async fn list_sessions(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<SessionsQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    let limit = match query.limit.as_deref().filter(|it| !it.is_empty()) {
        None => SESSIONS,
        Some(it) => it
            .parse::<usize>()
            .ok()
            .filter(|it| *it > 0)
            .ok_or_else(|| ApiError::BadRequest("`limit` is a number from 1".to_owned()))?,
    };
    let log = room.log();
    let sessions = if log.is_kept() {
        log.settled().await;
        let before = query.before.filter(|it| !it.is_empty());
        if let Some(id) = &before {
            let known = log.session(id).await.map_err(|_| ApiError::LogUnavailable)?;
            known.ok_or(ApiError::NotFound("session"))?;
        }
        log.sessions(before, limit.min(MOST_SESSIONS))
            .await
            .map_err(|_| ApiError::LogUnavailable)?
    } else {
        Vec::new()
    };
    Ok(Json(json!({ "sessions": sessions })).into_response())
}

/// The query of one session.
#[derive(Debug, Deserialize)]
pub struct SessionQuery {
    originals: Option<String>,
    key: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct SessionAnswer {
    #[serde(flatten)]
    session: StreamSession,
    histogram: Histogram,
}

/// `GET /api/rooms/{room}/sessions/{id}`: one session, with how much was said when. `latest` is the newest.
///
/// `GET /api/rooms/{room}/sessions/{id}.jsonl`: its events, one a line, to be kept or imported. Moderated
/// messages are `chat.redacted` in it; with `originals=1` the operator gets their words, for the audit.
///
/// # Errors
/// 404 for an unknown room or session, 403 for a bad key or for `originals` without the right, 503 while the
/// log cannot be read.
pub async fn find_session(
    State(state): State<AppState>,
    Path((room, file)): Path<(String, String)>,
    Query(query): Query<SessionQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    let originals = query.originals.is_some_and(|it| !matches!(it.as_str(), "0" | "false" | "no"));
    if originals && !visitor.caller.is_operator() {
        return Err(ApiError::Forbidden("moderated words are for the operator"));
    }
    let (id, download) = match file.strip_suffix(".jsonl") {
        Some(id) => (id, true),
        None => (file.as_str(), false),
    };
    let unavailable = |_| ApiError::LogUnavailable;
    let log = room.log();
    if !log.is_kept() {
        return Err(ApiError::NotFound("session"));
    }
    log.settled().await;
    let session = log.session(id).await.map_err(unavailable)?;
    let session = session.ok_or(ApiError::NotFound("session"))?;
    if download {
        return Ok(download_session(room, session, originals));
    }
    let histogram = log.histogram(&session).await.map_err(unavailable)?;
    Ok(Json(SessionAnswer { session, histogram }).into_response())
}

/// A session's events, a line each, read as fast as the client takes them.
fn download_session(room: Arc<Room>, session: StreamSession, originals: bool) -> Response {
    let name = format!("attachment; filename=\"{}-{}.jsonl\"", room.id(), session.session_id);
    let start = (room, session.first_seq.saturating_sub(1));
    let last = session.last_seq;
    let lines = stream::try_unfold(start, move |(room, after)| async move {
        if after >= last {
            return Ok(None);
        }
        let span = Span {
            after,
            before: last + 1,
            most_events: CHUNK_EVENTS,
            most_bytes: CHUNK_BYTES,
            originals,
            ..Span::default()
        };
        // An error cuts the download short, so that nobody takes it for whole.
        let log = room.log();
        let page = log.page(span).await.map_err(std::io::Error::other)?;
        if log.floor() > after {
            return Err(std::io::Error::other("retention went past the download"));
        }
        let mut text = Vec::with_capacity(page.events.iter().map(|it| it.json.len() + 1).sum());
        for event in &page.events {
            text.extend_from_slice(&event.json);
            text.push(b'\n');
        }
        let reached = if page.more { page.reached } else { last };
        Ok::<_, std::io::Error>(Some((Bytes::from(text), (room, reached))))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_DISPOSITION, name.as_str()),
    ];
    (headers, Body::from_stream(lines)).into_response()
}
