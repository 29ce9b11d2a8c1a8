//! Somebody else's server, for webhooks, requests and Discord: answers as it is told to, and remembers what it was asked.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::soon;

/// How a request is answered.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// With this status, these further lines of the head, and this body.
    Status(u16, &'static str, &'static str),
    /// The request is heard, and the connection cut.
    Cut,
    /// Never.
    Silent,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// By name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// The server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hooks {
    pub(crate) address: String,
    script: Arc<Mutex<VecDeque<Reply>>>,
    asked: Arc<watch::Sender<Vec<Asked>>>,
}

impl Hooks {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let this = Self { address, script: Arc::default(), asked: Arc::default() };
        let hooks = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let hooks = hooks.clone();
                tokio::spawn(async move { hooks.serve(stream).await });
            }
        });
        this
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers the next requests so, one after another; then with 200.
    pub(crate) fn answer(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().unwrap().extend(replies);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.borrow().clone()
    }

    /// The requests, once there are so many.
    pub(crate) async fn heard(&self, count: usize) -> Vec<Asked> {
        let mut asked = self.asked.subscribe();
        let found = soon("a request", asked.wait_for(|it| it.len() >= count)).await;
        found.unwrap().clone()
    }

    async fn serve(self, mut stream: TcpStream) {
        let Some(asked) = read(&mut stream).await else { return };
        let reply = self.script.lock().unwrap().pop_front();
        self.asked.send_modify(|it| it.push(asked));
        match reply.unwrap_or(Reply::Status(200, "", "")) {
            Reply::Cut => {}
            Reply::Silent => {
                // Until the other side has had enough.
                let _ = stream.read(&mut [0; 64]).await;
            }
            Reply::Status(status, head, body) => {
                let length = body.len();
                let text = format!(
                    "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n{head}\r\n{body}"
                );
                let _ = stream.write_all(text.as_bytes()).await;
            }
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<_, _> = lines
        .filter_map(|it| it.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |it| it.parse().unwrap());
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Asked { method, path, headers, body: bytes[end..].to_vec() })
}
