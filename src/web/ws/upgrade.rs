//! From an HTTP request to an open socket.

use crate::web::query::Query;
use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use sha1::{Digest, Sha1};

use super::Socket;
use crate::{
    chat::Since,
    feed::Filter,
    web::{
        ApiError, AppState,
        accept::Accepted,
        access::{self, Visitor},
    },
};

/// Most events of a backlog.
pub const MOST_BACKLOG: usize = 500;
/// Events of a backlog when nothing is said.
pub const DEFAULT_BACKLOG: usize = 50;
/// RFC 6455, section 1.3.
const HANDSHAKE: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The query of every way to read a room.
#[derive(Debug, Default, Deserialize)]
pub struct ReadQuery {
    /// `epoch.seq`: the last event the client has.
    pub since: Option<String>,
    /// Recent events first (count).
    pub backlog: Option<String>,
    /// Only these types, by prefix.
    pub types: Option<String>,
    /// Only these platforms.
    pub platforms: Option<String>,
    /// The room's overlay key.
    pub key: Option<String>,
}

impl ReadQuery {
    /// What is wanted.
    ///
    /// # Errors
    /// 400 with the word that is wrong.
    pub fn filter(&self) -> Result<Filter, ApiError> {
        Filter::parse(self.types.as_deref(), self.platforms.as_deref())
            .map_err(|it| ApiError::BadRequest(it.to_string()))
    }

    /// How many recent events come first. What is no number is taken for nothing said.
    #[must_use]
    pub fn backlog(&self) -> usize {
        let asked = self.backlog.as_deref().and_then(|it| it.parse().ok());
        asked.unwrap_or(DEFAULT_BACKLOG).min(MOST_BACKLOG)
    }

    /// Where the client goes on. What cannot be read is a place we do not have: the client starts anew.
    #[must_use]
    pub fn since(&self) -> Option<Since> {
        self.since.as_deref().and_then(Since::parse)
    }
}

/// `GET /ws/{room}`: the room's feed.
///
/// 101; 404 for an unknown room, 403 for a bad key, 503 with `Retry-After` while the server stops, 426
/// for anything but a WebSocket handshake.
///
/// # Errors
/// As above.
pub async fn open_socket(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<ReadQuery>,
    visitor: Visitor,
    mut request: Request<Body>,
) -> Result<Response, ApiError> {
    if state.life.stop.is_cancelled() {
        return Err(ApiError::Draining);
    }
    let (room, pass) = access::enter(&state, &visitor, &room, query.key.as_deref())?;
    let filter = query.filter()?;
    let accept = handshake(&visitor.headers).ok_or(ApiError::UpgradeRequired)?;

    let upgrade = hyper::upgrade::on(&mut request);
    let (heartbeat, life) = (state.heartbeat.clone(), state.life.clone());
    state.life.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<Accepted>>() else {
            tracing::error!("a socket came over a connection that is not ours");
            return;
        };
        // In this order: what begins because somebody watches comes behind the place they entered at.
        let entrance = room.enter(query.since().as_ref(), query.backlog(), &filter).await;
        let seat = room.seat(&filter);
        let Ok(io) = parts.io.into_inner().renewed() else { return };
        // A task of its own: what came before needs more memory than an open socket should keep.
        life.spawn(Socket::serve(io, &parts.read_buf, seat, pass, entrance, heartbeat));
    });

    Ok((
        StatusCode::SWITCHING_PROTOCOLS,
        [
            (header::CONNECTION, "Upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_ACCEPT, accept.as_str()),
        ],
    )
        .into_response())
}

/// The answer to a client's handshake; `None` when it is none.
fn handshake(headers: &HeaderMap) -> Option<String> {
    let has = |name, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|it| it.to_str().ok())
            .any(|it| it.split(',').any(|it| it.trim().eq_ignore_ascii_case(word)))
    };
    if !has(header::CONNECTION, "upgrade")
        || !has(header::UPGRADE, "websocket")
        || headers.get(header::SEC_WEBSOCKET_VERSION)?.as_bytes() != b"13"
    {
        return None;
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    if STANDARD.decode(key.as_bytes()).ok()?.len() != 16 {
        return None;
    }
    let digest = Sha1::new().chain_update(key.as_bytes()).chain_update(HANDSHAKE).finalize();
    Some(STANDARD.encode(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_holds() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONNECTION, "keep-alive, Upgrade".parse().unwrap());
        headers.insert(header::UPGRADE, "websocket".parse().unwrap());
        headers.insert(header::SEC_WEBSOCKET_VERSION, "13".parse().unwrap());
        headers.insert(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap());
        assert_eq!(handshake(&headers).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        headers.insert(header::SEC_WEBSOCKET_KEY, "short".parse().unwrap());
        assert_eq!(handshake(&headers), None);
    }
}
