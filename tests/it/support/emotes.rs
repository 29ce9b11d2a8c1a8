//! Emote providers: 7TV, BetterTTV and FrankerFaceZ behind one address, and 7TV's socket behind another.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{broadcast, watch},
};
use tokio_tungstenite::tungstenite::Message;

use super::soon;

/// How a list is answered.
#[derive(Clone)]
pub(crate) enum Answer {
    /// 200 with an `ETag`, or 304.
    List(Value),
    /// This status, and a body that is no JSON.
    Failure(u16),
    /// 404 as the providers word it.
    Nobody,
}

/// What was asked, and with which `If-None-Match`.
pub(crate) type Asked = (String, Option<String>);

#[derive(Default)]
pub(crate) struct Seen {
    answers: HashMap<String, Answer>,
    pub(crate) asked: Vec<Asked>,
    /// Subscriptions that sockets asked for: `op type object_id`.
    pub(crate) subscriptions: Vec<String>,
    pub(crate) sockets: usize,
}

#[derive(Clone)]
enum Tell {
    Text(String),
    Cut,
}

struct Shared {
    seen: Mutex<Seen>,
    changed: watch::Sender<()>,
    tell: broadcast::Sender<Tell>,
}

/// The providers.
pub(crate) struct Emotes {
    shared: Arc<Shared>,
    http: String,
    socket: String,
}

impl Emotes {
    /// Everybody's lists are empty, and nobody is known.
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared {
            seen: Mutex::default(),
            changed: watch::Sender::new(()),
            tell: broadcast::Sender::new(64),
        });
        let (http, socket) = (listener().await, listener().await);
        let this = Self {
            http: format!("http://{}", http.local_addr().unwrap()),
            socket: format!("ws://{}", socket.local_addr().unwrap()),
            shared: Arc::clone(&shared),
        };
        this.answer("/7tv/emote-sets/global", Answer::List(json!({"id": "g", "emotes": []})));
        this.answer("/bttv/cached/emotes/global", Answer::List(json!([])));
        this.answer("/ffz/set/global", Answer::List(json!({"default_sets": [], "sets": {}})));
        let router = Router::new().fallback(list).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(http, router).await });
        tokio::spawn(accept(socket, shared));
        this
    }

    /// The variables that lead here.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let http = &self.http;
        [
            ("ENABLED", "true".to_owned()),
            ("SEVENTV_URL", format!("{http}/7tv")),
            ("SEVENTV_EVENTS_URL", self.socket.clone()),
            ("BTTV_URL", format!("{http}/bttv")),
            ("FFZ_URL", format!("{http}/ffz")),
        ]
        .map(|(key, value)| (format!("PLATFORMS__EMOTES__{key}"), value))
        .into()
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen.lock().unwrap()
    }

    /// Sets how a path is answered.
    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        self.seen().answers.insert(path.to_owned(), answer);
    }

    /// Tells every socket something.
    pub(crate) fn tell(&self, message: &Value) {
        // Nobody listens yet: then nobody hears.
        let _ = self.shared.tell.send(Tell::Text(message.to_string()));
    }

    /// Ends every socket in the middle of everything.
    pub(crate) fn cut_sockets(&self) {
        let _ = self.shared.tell.send(Tell::Cut);
    }

    /// Waits until something was seen.
    pub(crate) async fn until<T>(&self, what: &str, find: impl Fn(&Seen) -> Option<T>) -> T {
        let mut changed = self.shared.changed.subscribe();
        soon(what, async {
            loop {
                if let Some(found) = find(&self.seen()) {
                    return found;
                }
                changed.changed().await.unwrap();
            }
        })
        .await
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

async fn list(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().to_owned();
    let known = headers.get(header::IF_NONE_MATCH).map(|it| it.to_str().unwrap().to_owned());
    let answer = {
        let mut seen = shared.seen.lock().unwrap();
        seen.asked.push((path.clone(), known.clone()));
        seen.answers.get(&path).cloned().unwrap_or(Answer::Nobody)
    };
    shared.changed.send_replace(());
    match answer {
        Answer::List(list) => {
            let body = list.to_string();
            let etag = format!("\"{}\"", body.len());
            if known.as_deref() == Some(etag.as_str()) {
                return StatusCode::NOT_MODIFIED.into_response();
            }
            ([(header::ETAG, etag)], body).into_response()
        }
        Answer::Failure(status) => {
            (StatusCode::from_u16(status).unwrap(), "<html>down</html>").into_response()
        }
        Answer::Nobody => (StatusCode::NOT_FOUND, json!({"message": "user not found"}).to_string())
            .into_response(),
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((tcp, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let Ok(mut socket) = tokio_tungstenite::accept_async(tcp).await else { return };
            let mut tell = shared.tell.subscribe();
            let hello = json!({"op": 1, "d": {"heartbeat_interval": 45_000, "session_id": "s", "subscription_limit": 500}});
            if socket.send(Message::text(hello.to_string())).await.is_err() {
                return;
            }
            shared.seen.lock().unwrap().sockets += 1;
            shared.changed.send_replace(());
            loop {
                tokio::select! {
                    told = tell.recv() => match told {
                        Ok(Tell::Text(text)) => {
                            let _ = socket.send(Message::text(text)).await;
                        }
                        _ => return,
                    },
                    message = socket.next() => match message {
                        Some(Ok(Message::Text(text))) => {
                            let message: Value = serde_json::from_str(&text).unwrap();
                            let d = &message["d"];
                            let line = format!(
                                "{} {} {}", message["op"], d["type"].as_str().unwrap(),
                                d["condition"]["object_id"].as_str().unwrap()
                            );
                            shared.seen.lock().unwrap().subscriptions.push(line);
                            shared.changed.send_replace(());
                        }
                        Some(Ok(_)) => {}
                        _ => return,
                    },
                }
            }
        });
    }
}
