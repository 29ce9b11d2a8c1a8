//! The chat's stream of Server-Sent Events, one connection at a time.
//!
//! `reqwest-eventsource` reads it, in a task of its own: it panics over a byte-order mark. Its own retries
//! are off; when to try again is the worker's to say.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{RequestBuilder, StatusCode};
use reqwest_eventsource::{Error, Event, EventSource, retry};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{lifecycle::Lifecycle, model::Timestamp, platforms::http::failure};

/// Records that wait for the worker (count). Full: the connection is not read until there is room.
const QUEUE: usize = 256;

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
        /// The site itself is in trouble (5xx), and does not refuse us.
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
    // Fails only for a request whose body cannot be sent twice; this one has none.
    let Ok(mut source) = EventSource::new(request) else {
        return End::Lost("the request cannot be made".to_owned());
    };
    source.set_retry_policy(Box::new(retry::Never));
    loop {
        let heard = match source.next().await {
            Some(Ok(Event::Open)) => Heard::Open,
            Some(Ok(Event::Message(it))) => {
                Heard::Record { json: it.data, id: it.id, at: Timestamp::now() }
            }
            Some(Err(error)) => return end_of(error),
            None => return End::Finished,
        };
        // The worker has let go of this connection.
        if tell.send(heard).await.is_err() {
            return End::Finished;
        }
    }
}

fn end_of(error: Error) -> End {
    match error {
        Error::StreamEnded => End::Finished,
        Error::InvalidStatusCode(StatusCode::NO_CONTENT, _) => End::NotReady,
        Error::InvalidStatusCode(StatusCode::BAD_REQUEST, _) => End::NoSuchChat,
        Error::InvalidStatusCode(status, response) => End::Refused {
            words: format!("the chat's stream answers {}", status.as_u16()),
            outage: status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE,
            wait: response
                .headers()
                .get("retry-after")
                .and_then(|it| it.to_str().ok()?.trim().parse().ok())
                .map(Duration::from_secs),
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
