//! A WebSocket client that insists on the feed's promises while it reads.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use super::soon;

/// An open socket of a room.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The first frame.
    pub(crate) hello: Value,
    /// Place of the newest event read; 0 before the first.
    pub(crate) seq: u64,
}

impl Socket {
    /// Opens it and reads the hello.
    pub(crate) async fn open(url: &str) -> Self {
        let (stream, _) = soon(url, Box::pin(tokio_tungstenite::connect_async(url))).await.unwrap();
        let mut socket = Self { stream, hello: Value::Null, seq: 0 };
        socket.hello = socket.next_frame().await;
        assert_eq!(socket.hello["type"], "hello", "hello comes first: {}", socket.hello);
        assert!(socket.hello.get("seq").is_some() && socket.hello.get("data").is_none());
        socket
    }

    /// The same as a browser with this cookie, on a page of that origin.
    pub(crate) async fn open_as(url: &str, cookie: &str, origin: &str) -> Self {
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let connecting = Box::pin(tokio_tungstenite::connect_async(request));
        let (stream, _) = soon(url, connecting).await.unwrap();
        let mut socket = Self { stream, hello: Value::Null, seq: 0 };
        socket.hello = socket.next_frame().await;
        socket
    }

    /// The status with which an upgrade is refused.
    pub(crate) async fn refused(url: &str) -> u16 {
        match soon(url, Box::pin(tokio_tungstenite::connect_async(url))).await {
            Err(Error::Http(answer)) => answer.status().as_u16(),
            Err(other) => panic!("{url}: {other}"),
            Ok(_) => panic!("{url} was opened"),
        }
    }

    /// The next text frame.
    pub(crate) async fn next_frame(&mut self) -> Value {
        loop {
            match soon("a frame", self.stream.next()).await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no frame but {other:?}"),
            }
        }
    }

    /// The next event that has a place in the feed; places only ever grow.
    pub(crate) async fn next_event(&mut self) -> Value {
        loop {
            let frame = self.next_frame().await;
            let Some(seq) = frame["seq"].as_u64().filter(|_| frame.get("data").is_some()) else {
                continue;
            };
            assert!(seq > self.seq, "place {seq} came behind {}", self.seq);
            self.seq = seq;
            return frame;
        }
    }

    /// The next event of a type.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next_event().await;
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// The text of the next chat message.
    pub(crate) async fn next_text(&mut self) -> String {
        self.next_of("chat.message").await["data"]["text"].as_str().unwrap().to_owned()
    }

    /// The next status in that state, of any channel: `data`.
    pub(crate) async fn next_status(&mut self, state: &str) -> Value {
        loop {
            let event = self.next_of("platform.status").await;
            if event["data"]["state"] == state {
                return event["data"].clone();
            }
        }
    }

    /// `epoch.seq` of the newest event read.
    pub(crate) fn since(&self) -> String {
        format!("{}.{}", self.hello["epoch"].as_str().unwrap(), self.seq)
    }

    /// Sends text to the server.
    pub(crate) async fn send(&mut self, text: String) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    /// Reads to the end: the close code, or `None` when the connection was cut.
    pub(crate) async fn closed(mut self) -> Option<u16> {
        let close = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map(|it| it.code.into()),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        // One deadline for all of it: pings must not put it off.
        soon("the close", close).await
    }
}
