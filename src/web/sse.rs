//! `GET /sse/{room}`: the same feed as Server-Sent Events, for those who cannot hold a socket.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::{sync::watch, time::timeout};

use super::{
    ApiError, AppState,
    access::{self, Visitor},
    doors::Pass,
    ws::upgrade::ReadQuery,
};
use crate::web::query::Query;
use crate::{
    chat::{
        Room, Since,
        frame::Frame,
        room::{Collected, Watch},
        shard::Batch,
    },
    feed::Filter,
    telemetry::Meters,
};

/// Most bytes sent at once.
const BATCH_BYTES: usize = 64 * 1024;
/// Silence after which a comment shows that the stream lives.
const COMMENT_EVERY: Duration = Duration::from_secs(15);

/// `GET /sse/{room}`: events as `data:`, each with `id: epoch.seq`; `Last-Event-ID` resumes, as does
/// `since`. Frames without a place in the feed have no id. It ends when what let the reader in does.
///
/// # Errors
/// 404 for an unknown room, 403 for a bad key, 503 while the server stops.
pub async fn stream_events(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<ReadQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    if state.life.stop.is_cancelled() {
        return Err(ApiError::Draining);
    }
    let (room, pass) = access::enter(&state, &visitor, &room, query.key.as_deref())?;
    let filter = query.filter()?;
    let last =
        visitor.headers.get("last-event-id").and_then(|it| it.to_str().ok()).and_then(Since::parse);
    let since = last.or_else(|| query.since());
    let entrance = room.enter(since.as_ref(), query.backlog(), &filter).await;
    let meters = Arc::clone(&state.telemetry.meters);
    meters.sse_streams.increment(1.0);
    let reader = Reader {
        watch: room.watching(),
        head: room.follow(),
        stop: state.life.stop.clone(),
        pass,
        position: entrance.position,
        looked: room.head(),
        hello: Some(entrance.hello),
        filter,
        room,
        meters,
    };
    let body = stream::unfold(reader, |mut reader| async move {
        let bytes = reader.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), reader))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
    ];
    Ok((headers, [("x-accel-buffering", "no")], Body::from_stream(body)).into_response())
}

struct Reader {
    #[expect(dead_code, reason = "counts as a watcher for as long as it is kept")]
    watch: Watch,
    room: Arc<Room>,
    head: watch::Receiver<u64>,
    stop: tokio_util::sync::CancellationToken,
    pass: Pass,
    position: u64,
    looked: u64,
    hello: Option<Frame>,
    filter: Filter,
    meters: Arc<Meters>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.meters.sse_streams.decrement(1.0);
    }
}

impl Reader {
    /// The next bytes of the stream; `None` ends it, and the client comes back with `Last-Event-ID`.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(hello) = self.hello.take() {
            return Some(message(None, &hello.json()).into());
        }
        loop {
            if self.stop.is_cancelled() || self.pass.has_ended() {
                return None;
            }
            let head = *self.head.borrow_and_update();
            if head > self.looked && head > self.position + 1 {
                // Behind: what must vanish does not wait for what came before it.
                let (early, upto) =
                    self.room.early_deletions(self.looked.max(self.position), &self.filter);
                self.looked = upto;
                if !early.is_empty() {
                    return Some(early.iter().flat_map(|it| message(None, &it.json())).collect());
                }
            }
            match self.room.collect(self.position, None, &self.filter, BATCH_BYTES) {
                Collected::Batch(batch) => {
                    self.position = batch.position;
                    self.looked = self.looked.max(batch.position);
                    if !batch.ends.is_empty() {
                        return Some(self.events(&batch).into());
                    }
                }
                Collected::Gone => {
                    let log = self.room.log();
                    let page = log.next(self.position, &self.filter, 64, BATCH_BYTES).await.ok()?;
                    self.position = page.reached;
                    if !page.events.is_empty() {
                        let stored = page.events.iter();
                        let text =
                            stored.flat_map(|it| message(Some((&it.epoch, it.seq)), &it.json));
                        return Some(text.collect());
                    }
                }
                Collected::Nothing if self.room.closed().is_some() => return None,
                Collected::Nothing => {
                    let changed = async {
                        tokio::select! {
                            () = self.stop.cancelled() => None,
                            () = self.pass.ended() => None,
                            changed = self.head.changed() => changed.ok(),
                        }
                    };
                    match timeout(COMMENT_EVERY, changed).await {
                        Ok(Some(())) => {}
                        Ok(_) => return None,
                        Err(_) => return Some(Bytes::from_static(b":\n\n")),
                    }
                }
            }
        }
    }

    /// The batch's own bytes: read again from the ring, they could be later ones by now.
    fn events(&self, batch: &Batch) -> Vec<u8> {
        let epoch = self.room.epoch();
        let mut text = Vec::with_capacity(batch.bytes.len() + batch.ends.len() * 64);
        let mut start = 0;
        for &(seq, end) in &batch.ends {
            text.extend(message(Some((epoch, seq)), payload(&batch.bytes[start..end])));
            start = end;
        }
        text
    }
}

/// What a server's WebSocket frame carries.
fn payload(frame: &[u8]) -> &[u8] {
    let header = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    };
    &frame[header..]
}

/// One event of the stream.
fn message(place: Option<(&str, u64)>, json: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(json.len() + 64);
    if let Some((epoch, seq)) = place {
        text.extend_from_slice(format!("id: {epoch}.{seq}\n").as_bytes());
    }
    text.extend_from_slice(b"data: ");
    // JSON has no line break outside its strings, and inside they are escaped.
    text.extend_from_slice(json);
    text.extend_from_slice(b"\n\n");
    text
}
