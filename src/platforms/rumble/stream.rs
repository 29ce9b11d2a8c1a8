//! The chat's stream of Server-Sent Events, one connection at a time.
//!
//! The parser below `reqwest-eventsource` reads it, in a task of its own: it panics over a byte-order mark.
//! `EventSource` itself lets nobody between that parser and the connection, and the parser takes a line of any
//! length into memory, from its beginning with each piece: so the connection is opened here, and its bytes are
//! counted and given on in whole lines. Its errors are those of `reqwest-eventsource`. When to try again is the worker's to say.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::BytesMut;
use eventsource_stream::{EventStreamError, Eventsource};
use futures_util::StreamExt;
use reqwest::{
    RequestBuilder, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderValue},
};
use reqwest_eventsource::Error;
use tokio::{sync::mpsc, task::JoinHandle};

use super::resolve::retry_after;
use crate::{http::failure, lifecycle::Lifecycle, model::Timestamp};

/// Records that wait for the worker (count). Full: the connection is not read until there is room.
const QUEUE: usize = 256;
/// Most that may come without an event being whole (bytes). A record with all its history has some 100 KiB.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What is heard on a connection.
#[derive(Debug)]
pub(super) enum Heard {
    /// It is a stream of events.
    Open,
    /// One event.
    Record {
        /// Its `data:`.
        json: String,
        /// Its `id:`; the site has sent none so far, and may begin to.
        id: String,
        /// When it came.
        at: Timestamp,
    },
    /// It is over.
    Ended(End),
}

/// Why a connection is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// 204: there is no chat under this number now. Neither a failure nor a sign of life.
    NotReady,
    /// 400: there is none under this number at all.
    NoSuchChat,
    /// What came was no stream of events.
    Refused {
        /// In words.
        words: String,
        /// The site itself is in trouble (5xx), or asked too often (429), and does not refuse us.
        outage: bool,
        /// It asks to wait.
        wait: Option<Duration>,
    },
    /// It came to its end in order.
    Finished,
    /// It broke off, or could not be opened.
    Lost(String),
}

/// A connection. Closed when dropped.
pub(super) struct Stream {
    heard: mpsc::Receiver<Heard>,
    reading: JoinHandle<End>,
    ended: Option<End>,
}

impl Stream {
    /// Opens one.
    pub(super) fn open(life: &Lifecycle, request: RequestBuilder) -> Self {
        let (tell, heard) = mpsc::channel(QUEUE);
        Self { heard, reading: life.spawn(read(request, tell)), ended: None }
    }

    /// What is heard next. Behind the end, the end again. Nothing is lost when this is not waited for.
    pub(super) async fn next(&mut self) -> Heard {
        if let Some(heard) = self.heard.recv().await {
            return heard;
        }
        if self.ended.is_none() {
            let end = (&mut self.reading).await;
            self.ended = Some(end.unwrap_or_else(|_| {
                End::Lost(
                    "what came could not be read (does it begin with a byte-order mark?)"
                        .to_owned(),
                )
            }));
        }
        Heard::Ended(self.ended.clone().unwrap_or(End::Finished))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn read(request: RequestBuilder, tell: mpsc::Sender<Heard>) -> End {
    let response = match request.header(ACCEPT, "text/event-stream").send().await {
        Ok(response) => response,
        Err(error) => return end_of(Error::Transport(error)),
    };
    let response = match check(response) {
        Ok(response) => response,
        Err(end) => return end,
    };
    if tell.send(Heard::Open).await.is_err() {
        return End::Finished;
    }
    let since_event = Arc::new(AtomicUsize::new(0));
    let counted = {
        let since_event = Arc::clone(&since_event);
        let mut line = BytesMut::new();
        response.bytes_stream().map(move |chunk| {
            let chunk = chunk.map_err(Broken::Transport)?;
            let before = since_event.fetch_add(chunk.len(), Ordering::Relaxed);
            if before + chunk.len() > MAX_BYTES {
                return Err(Broken::TooLong);
            }
            // A line is whole at either of these; what comes behind the last one waits for its own.
            let end = chunk.iter().rposition(|it| matches!(it, b'\n' | b'\r'));
            let end = end.map_or(0, |it| line.len() + it + 1);
            line.extend_from_slice(&chunk);
            Ok(line.split_to(end).freeze())
        })
    };
    let mut events = counted.eventsource();
    loop {
        let heard = match events.next().await {
            Some(Ok(it)) => {
                since_event.store(0, Ordering::Relaxed);
                Heard::Record { json: it.data, id: it.id, at: Timestamp::now() }
            }
            Some(Err(EventStreamError::Transport(Broken::TooLong))) => {
                let words = "the chat's stream brings more without an event than any event has";
                return End::Lost(words.to_owned());
            }
            Some(Err(EventStreamError::Transport(Broken::Transport(error)))) => {
                return end_of(Error::Transport(error));
            }
            Some(Err(EventStreamError::Utf8(error))) => return end_of(Error::Utf8(error)),
            Some(Err(EventStreamError::Parser(error))) => return end_of(Error::Parser(error)),
            None => return End::Finished,
        };
        // The worker has let go of this connection.
        if tell.send(heard).await.is_err() {
            return End::Finished;
        }
    }
}

/// Why no more bytes come.
#[derive(Debug)]
enum Broken {
    Transport(reqwest::Error),
    TooLong,
}

/// An answer that is a stream of events.
fn check(response: Response) -> Result<Response, End> {
    if response.status() != StatusCode::OK {
        return Err(end_of(Error::InvalidStatusCode(response.status(), response)));
    }
    let none = HeaderValue::from_static("");
    let kind = response.headers().get(CONTENT_TYPE).unwrap_or(&none);
    let essence = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("text/event-stream") {
        return Ok(response);
    }
    let kind = kind.clone();
    Err(end_of(Error::InvalidContentType(kind, response)))
}

fn end_of(error: Error) -> End {
    match error {
        Error::StreamEnded => End::Finished,
        Error::InvalidStatusCode(StatusCode::NO_CONTENT, _) => End::NotReady,
        Error::InvalidStatusCode(StatusCode::BAD_REQUEST, _) => End::NoSuchChat,
        Error::InvalidStatusCode(status, response) => End::Refused {
            words: format!("the chat's stream answers {}", status.as_u16()),
            outage: status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS,
            wait: retry_after(&response),
        },
        Error::InvalidContentType(kind, _) => {
            let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            let words = format!("the chat's stream answers with `{kind}` in place of events");
            End::Refused { words, outage: false, wait: None }
        }
        Error::Transport(error) => End::Lost(failure("the chat's stream", &error).to_string()),
        Error::Utf8(_) => End::Lost("the chat's stream is no text".to_owned()),
        Error::Parser(_) => End::Lost("the chat's stream is no stream of events".to_owned()),
        Error::InvalidLastEventId(_) => End::Lost("an event's id cannot be sent back".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn a_line_without_end_is_broken_off_and_long_streams_of_events_are_not() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let _ = socket.read(&mut head).await.unwrap();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n";
            socket.write_all(head.as_bytes()).await.unwrap();
            // In all more than one event may have.
            let event = format!("data: {}\n\n", "x".repeat(MAX_BYTES / 3));
            for _ in 0..4 {
                socket.write_all(event.as_bytes()).await.unwrap();
            }
            socket.write_all(b"data: ").await.unwrap();
            let piece = vec![b'x'; 256 * 1024];
            let mut written = 0_usize;
            while socket.write_all(&piece).await.is_ok() {
                written += piece.len();
            }
            written
        });
        let life = Lifecycle::new();
        let mut stream = Stream::open(&life, reqwest::Client::new().get(url));
        assert!(matches!(stream.next().await, Heard::Open));
        for _ in 0..4 {
            let Heard::Record { json, .. } = stream.next().await else { panic!("no record") };
            assert_eq!(json.len(), MAX_BYTES / 3);
        }
        let Heard::Ended(End::Lost(words)) = stream.next().await else { panic!("it goes on") };
        assert!(words.contains("without an event"), "{words}");
        drop(stream);
        assert!(serving.await.unwrap() < 4 * MAX_BYTES);
    }
}
