//! WebSockets to the platforms, as a client.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{
        self, Message, Utf8Bytes,
        client::IntoClientRequest,
        http::{HeaderName, HeaderValue},
        protocol::WebSocketConfig,
    },
};
use url::Url;

use super::WorkerError;
use crate::http::tls;

/// Longest wait for an open socket, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// Longest wait for a frame to be taken by the system.
const SEND_TIMEOUT: Duration = Duration::from_secs(8);
/// Largest frame that is read (bytes).
const MAX_FRAME_BYTES: usize = 1 << 20;
/// What is read at a time (bytes). The crate's default costs 128 KiB per socket.
const READ_BYTES: usize = 4 << 10;
/// Close code that stands for "none was given" (RFC 6455, 7.4.1).
const NO_CODE: u16 = 1005;

/// An open socket. Pings are answered while it is read.
#[derive(Debug)]
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A text.
    Text(Utf8Bytes),
    /// A sign of life without content: a ping, a pong.
    Alive,
    /// The other side closed.
    Closed {
        /// Why, as a number; 1005 when it did not say.
        code: u16,
        /// Why, in words; may be empty.
        reason: String,
    },
}

impl Socket {
    /// Opens a socket. `url` is not repeated in errors: it may hold a token.
    ///
    /// # Errors
    /// Why not: worth another try.
    pub async fn connect(
        url: &str,
        headers: &[(&'static str, &str)],
        ca_file: Option<&Path>,
    ) -> Result<Self, WorkerError> {
        let attempt = async {
            let address = Url::parse(url).map_err(|_| "the socket's address is none".to_owned())?;
            let host = address.host_str().ok_or("the socket's address has no host")?;
            let port = address.port_or_known_default().ok_or("the socket's address has no port")?;
            let mut request =
                url.into_client_request().map_err(|_| "the socket's address is none".to_owned())?;
            for (name, value) in headers {
                let value = HeaderValue::from_str(value)
                    .map_err(|_| format!("the header {name} cannot be sent"))?;
                request.headers_mut().insert(HeaderName::from_static(name), value);
            }
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let tcp = TcpStream::connect((host, port)).await.map_err(|it| it.to_string())?;
            tcp.set_nodelay(true).map_err(|it| it.to_string())?;
            let connector = match address.scheme() {
                "wss" => Connector::Rustls(
                    tls::client_config(ca_file).await.map_err(|it| it.to_string())?,
                ),
                _ => Connector::Plain,
            };
            let config = WebSocketConfig::default()
                .read_buffer_size(READ_BYTES)
                .write_buffer_size(0)
                .max_message_size(Some(MAX_FRAME_BYTES))
                .max_frame_size(Some(MAX_FRAME_BYTES));
            client_async_tls_with_config(request, tcp, Some(config), Some(connector))
                .await
                .map_err(|it| refused(&it))
        };
        // Boxed, because a handshake is large and a worker that is connected needs it no more.
        match timeout(CONNECT_TIMEOUT, Box::pin(attempt)).await {
            Ok(Ok((socket, _))) => Ok(Self(socket)),
            Ok(Err(reason)) => {
                Err(WorkerError::transient(format!("the socket cannot be opened: {reason}")))
            }
            Err(_) => Err(WorkerError::transient("the socket cannot be opened: no answer in time")),
        }
    }

    /// Waits for what comes next. Safe to cancel.
    ///
    /// # Errors
    /// When the connection broke: worth another try.
    pub async fn next(&mut self) -> Result<Frame, WorkerError> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Ok(Frame::Text(text)),
            Some(Ok(Message::Binary(bytes))) => {
                Ok(Frame::Text(String::from_utf8_lossy(&bytes).into_owned().into()))
            }
            Some(Ok(Message::Close(frame))) => Ok(match frame {
                Some(it) => Frame::Closed { code: it.code.into(), reason: it.reason.to_string() },
                None => Frame::Closed { code: NO_CODE, reason: String::new() },
            }),
            Some(Ok(_)) => Ok(Frame::Alive),
            Some(Err(error)) => {
                Err(WorkerError::transient(format!("the socket broke: {}", refused(&error))))
            }
            None => Err(WorkerError::transient("the socket ended without a goodbye")),
        }
    }

    /// Sends a text.
    ///
    /// # Errors
    /// When the connection broke, or takes nothing: worth another try.
    pub async fn send(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), WorkerError> {
        match timeout(SEND_TIMEOUT, self.0.send(Message::Text(text.into()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                Err(WorkerError::transient(format!("the socket broke: {}", refused(&error))))
            }
            Err(_) => Err(WorkerError::transient("the socket takes nothing")),
        }
    }

    /// Asks for a sign of life; the answer comes as [`Frame::Alive`].
    ///
    /// # Errors
    /// When the connection broke, or takes nothing: worth another try.
    pub async fn ping(&mut self) -> Result<(), WorkerError> {
        match timeout(SEND_TIMEOUT, self.0.send(Message::Ping(Bytes::new()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                Err(WorkerError::transient(format!("the socket broke: {}", refused(&error))))
            }
            Err(_) => Err(WorkerError::transient("the socket takes nothing")),
        }
    }

    /// Says goodbye, without waiting for the answer.
    pub async fn close(mut self) {
        // One that is gone already needs no goodbye.
        let _ = timeout(Duration::from_millis(200), self.0.close(None)).await;
    }
}

/// An error of the socket in words, without the address.
fn refused(error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Http(answer) => format!("answered {}", answer.status()),
        other => other.to_string(),
    }
}
