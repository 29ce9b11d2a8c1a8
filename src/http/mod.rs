//! Calls to others over HTTP: one client per way out, bounded answers, failures in words.

mod public_names;
pub mod tls;

use std::{borrow::Cow, collections::HashMap, io, path::PathBuf, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{Client, Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

/// Longest wait for a connection, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// Longest silence in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest time a call takes in all, unless it says otherwise.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest time that another's word is taken for (s): a mistake there must not stop anything for good.
const LONGEST_SECONDS: u64 = 3_600;
/// Most redirects followed.
const MAX_REDIRECTS: usize = 5;

/// Why a call brought no answer. The words are for people, and hold neither an address nor a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// There is no client: the file of authorities or the proxy is of no use until it is changed.
    #[error("{0}")]
    Way(Cow<'static, str>),
    /// The other side was not reached, so that nothing happened there: may be said again.
    #[error("{0}")]
    Unreached(Cow<'static, str>),
    /// It may have been heard, and what was answered is not known: said again only if that does no harm.
    #[error("{0}")]
    Unanswered(Cow<'static, str>),
}

/// A way out: whom to trust, and through which proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Way {
    /// PEM file with further certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// The address of a proxy.
    pub proxy: Option<String>,
}

/// The clients of all ways out. One is made when first needed, and shared by all: it keeps its
/// connections open for the next call.
#[derive(Debug, Default)]
pub struct Clients {
    made: Mutex<HashMap<(Way, Redirects), Client>>,
}

/// Whether a client goes on where an answer points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Redirects {
    Follow,
    Tell,
    /// As `Tell`, and only in the public internet.
    TellPublic,
}

impl Clients {
    /// The client of a way out.
    ///
    /// # Errors
    /// [`HttpError::Way`] when the authorities' file cannot be read, or the proxy's address is none.
    pub async fn client(&self, way: &Way) -> Result<Client, HttpError> {
        self.find_or_make(way, Redirects::Follow).await
    }

    /// The client of a way out that goes nowhere but where it is sent: for what holds secrets.
    ///
    /// # Errors
    /// As [`Clients::client`].
    pub async fn unredirected(&self, way: &Way) -> Result<Client, HttpError> {
        self.find_or_make(way, Redirects::Tell).await
    }

    /// The client of a way out that goes nowhere but where it is sent, and there only to addresses of the public
    /// internet: for addresses that people write who may not look into this machine's network. It uses no proxy, for
    /// that would look names up where nobody checks them. An address in numbers it does not check.
    ///
    /// # Errors
    /// As [`Clients::client`].
    pub async fn only_public(&self, way: &Way) -> Result<Client, HttpError> {
        self.find_or_make(way, Redirects::TellPublic).await
    }

    async fn find_or_make(&self, way: &Way, redirects: Redirects) -> Result<Client, HttpError> {
        let mut made = self.made.lock().await;
        if let Some(client) = made.get(&(way.clone(), redirects)) {
            return Ok(client.clone());
        }
        let policy = match redirects {
            Redirects::Follow => redirect::Policy::limited(MAX_REDIRECTS),
            Redirects::Tell | Redirects::TellPublic => redirect::Policy::none(),
        };
        let config = tls::client_config(way.ca_file.as_deref()).await.map_err(|it| {
            HttpError::Way(format!("the file tls_ca_file cannot be used: {it}").into())
        })?;
        let mut builder = Client::builder()
            .use_preconfigured_tls((*config).clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(policy)
            .pool_max_idle_per_host(8)
            .user_agent(concat!("StreamSuites/", env!("CARGO_PKG_VERSION")));
        if redirects == Redirects::TellPublic {
            builder = builder.no_proxy().dns_resolver(Arc::new(public_names::PublicNames));
        } else if let Some(proxy) = &way.proxy {
            let proxy = reqwest::Proxy::all(proxy)
                .map_err(|_| HttpError::Way("a proxy's address is not understood".into()))?;
            builder = builder.proxy(proxy);
        }
        let client = builder
            .build()
            .map_err(|it| HttpError::Way(format!("the client: {}", plain_words(&it)).into()))?;
        made.insert((way.clone(), redirects), client.clone());
        Ok(client)
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// How it went.
    pub status: StatusCode,
    /// How long the other side asks to wait (`Retry-After`), at most an hour.
    pub retry_after: Option<Duration>,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Content-Type`.
    pub content_type: String,
    /// The body, whole.
    pub body: Bytes,
}

impl Answer {
    /// Reads an answer of at most `max_bytes`.
    ///
    /// # Errors
    /// [`HttpError::Unanswered`] when it is larger, or breaks off.
    pub async fn read(mut response: Response, max_bytes: usize) -> Result<Self, HttpError> {
        let status = response.status();
        let header = |name: &str| {
            response.headers().get(name).and_then(|it| it.to_str().ok()).map(str::to_owned)
        };
        let retry_after = header("retry-after").and_then(|it| it.trim().parse().ok()).map(seconds);
        let etag = header("etag");
        let content_type = header("content-type").unwrap_or_default();
        let mut body = BytesMut::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|it| failure("the answer broke off", &it))?
        {
            if body.len() + chunk.len() > max_bytes {
                return Err(HttpError::Unanswered(
                    format!("an answer is larger than {max_bytes} bytes").into(),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self { status, retry_after, etag, content_type, body: body.freeze() })
    }

    /// The body as JSON; `None` when it is none, or of another shape.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as text; what is no UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// A time that somebody told, at most an hour: added to a moment or multiplied, it never overflows.
#[must_use]
pub fn seconds(told: u64) -> Duration {
    Duration::from_secs(told.min(LONGEST_SECONDS))
}

/// Says in a few words why a call failed, without its address: that may hold a key.
#[must_use]
pub fn failure(what: &str, error: &reqwest::Error) -> HttpError {
    let reason =
        if error.is_timeout() { "no answer in time".to_owned() } else { plain_words(error) };
    let words = format!("{what}: {reason}").into();
    if error.is_connect() { HttpError::Unreached(words) } else { HttpError::Unanswered(words) }
}

/// Why a connection failed, in a streamer's words and without the numbers of the operating system.
///
/// Only the cause of causes is told: what stands around it may hold an address, and that a key.
#[must_use]
pub fn plain_words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    // One that wraps another has the same to say, with a kind that says nothing.
    while let Some(next) = cause.source().or_else(|| {
        let inner = cause.downcast_ref::<io::Error>()?.get_ref()?;
        Some(inner as &(dyn std::error::Error + 'static))
    }) {
        cause = next;
    }
    let words = match cause.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => "the connection is refused",
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            "the connection was cut"
        }
        Some(io::ErrorKind::TimedOut) => "no answer in time",
        Some(io::ErrorKind::UnexpectedEof) => "cut off",
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
            "no way to the internet"
        }
        _ => {
            let text = cause.to_string();
            // The resolver's own words, which have no kind.
            if !text.contains("lookup address") {
                return text;
            }
            "no internet connection"
        }
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pause_is_never_longer_than_an_hour() {
        for (told, expected) in [("7", 7), ("31536000", 3_600), (&u64::MAX.to_string(), 3_600)] {
            let response = axum::http::Response::builder().header("retry-after", told);
            let response = Response::from(response.body("").expect("a fixed answer"));
            let answer = Answer::read(response, 10).await.unwrap();
            assert_eq!(answer.retry_after, Some(Duration::from_secs(expected)), "{told}");
        }
    }
}
