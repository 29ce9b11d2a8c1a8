//! Twitch's API: whose a token is, users, and what is said in a chat.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use streamsuites::model::Timestamp;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};

use super::{soon, twitch::number_of};

/// The one token that is good.
pub(crate) const TOKEN: &str = "goodtoken123";

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

/// What the API has seen, and what it is to do.
pub(crate) struct Seen {
    /// Bodies of `POST /chat/messages`.
    pub(crate) messages: Vec<Value>,
    /// Subscriptions asked for: `type`.
    pub(crate) subscriptions: Vec<Value>,
    /// What moderators did: method, path, query and body.
    pub(crate) moderation: Vec<(String, String, HashMap<String, String>, Value)>,
    /// Answers to the next messages and acts: status, headers, body.
    answers: VecDeque<Answer>,
    /// What the token allows.
    pub(crate) scopes: Vec<&'static str>,
    /// The token is no longer good.
    pub(crate) revoked: bool,
    /// Whose it is.
    pub(crate) login: &'static str,
    /// EventSub sockets that were welcomed, in order: what is said on each.
    sockets: Vec<mpsc::UnboundedSender<Tell>>,
    /// Sockets that the client has left.
    pub(crate) left: Vec<usize>,
}

enum Tell {
    Text(String),
    Close(u16),
}

struct Shared {
    seen: Mutex<Seen>,
    changed: watch::Sender<()>,
}

/// The API.
pub(crate) struct TwitchApi {
    shared: Arc<Shared>,
    address: String,
    socket: String,
}

impl TwitchApi {
    /// A token of `ana`'s bot that may do what `scopes` say.
    pub(crate) async fn start(scopes: &[&'static str]) -> Self {
        let seen = Seen {
            messages: Vec::new(),
            subscriptions: Vec::new(),
            moderation: Vec::new(),
            answers: VecDeque::new(),
            scopes: scopes.to_vec(),
            revoked: false,
            login: "anabot",
            sockets: Vec::new(),
            left: Vec::new(),
        };
        let shared = Arc::new(Shared { seen: Mutex::new(seen), changed: watch::Sender::new(()) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/oauth2/validate", get(validate))
            .route("/helix/users", get(users))
            .route("/helix/chat/messages", post(messages))
            .route("/helix/eventsub/subscriptions", post(subscriptions))
            .route("/helix/moderation/{what}", any(moderation))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = format!("ws://{}", listener.local_addr().unwrap());
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { shared, address, socket }
    }

    /// The variables that lead here.
    pub(crate) fn variables(&self) -> [(String, String); 3] {
        let address = &self.address;
        [
            ("PLATFORMS__TWITCH__HELIX_URL".to_owned(), format!("{address}/helix")),
            ("PLATFORMS__TWITCH__ID_URL".to_owned(), format!("{address}/oauth2")),
            ("PLATFORMS__TWITCH__EVENTSUB_URL".to_owned(), format!("{}/ws", self.socket)),
        ]
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen.lock().unwrap()
    }

    /// Answers the next message so.
    pub(crate) fn answer(&self, status: u16, headers: &[(&'static str, &str)], body: Value) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.seen().answers.push_back(Answer { status, headers, body });
    }

    /// The number of EventSub sockets that were ever welcomed, once there are as many.
    pub(crate) async fn sockets(&self, count: usize) -> usize {
        self.until("an EventSub socket", |it| {
            (it.sockets.len() >= count).then(|| it.sockets.len() - 1)
        })
        .await
    }

    /// Says something on an EventSub socket.
    pub(crate) fn tell(&self, socket: usize, kind: &str, payload: Value, id: &str, topic: &str) {
        let text = json!({"metadata": {"message_id": id, "message_type": kind,
            "message_timestamp": Timestamp::now(), "subscription_type": topic,
            "subscription_version": "1"}, "payload": payload});
        // The client may have left.
        let _ = self.seen().sockets[socket].send(Tell::Text(text.to_string()));
    }

    /// Somebody follows.
    pub(crate) fn follow(&self, socket: usize, message: &str, name: &str) {
        let event = json!({"user_id": number_of(name).to_string(), "user_login": name, "user_name": name,
            "followed_at": format!("2026-11-20T18:03:{:02}Z", message.len())});
        self.tell(socket, "notification", json!({"event": event}), message, "channel.follow");
    }

    /// Asks the client to come to another socket.
    pub(crate) fn reconnect(&self, socket: usize) {
        let url = format!("{}/moved", self.socket);
        let session =
            json!({"session": {"id": "s", "reconnect_url": url, "status": "reconnecting"}});
        self.tell(socket, "session_reconnect", session, "r", "");
    }

    /// Closes an EventSub socket.
    pub(crate) fn close(&self, socket: usize, code: u16) {
        let _ = self.seen().sockets[socket].send(Tell::Close(code));
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

type Api = State<Arc<Shared>>;

fn refused() -> Response {
    let body = json!({"error": "Unauthorized", "status": 401, "message": "Invalid OAuth token"});
    (StatusCode::UNAUTHORIZED, Json(body)).into_response()
}

fn knows(shared: &Shared, headers: &HeaderMap, scheme: &str) -> bool {
    let sent = headers.get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default();
    sent == format!("{scheme} {TOKEN}") && !shared.seen.lock().unwrap().revoked
}

async fn validate(State(shared): Api, headers: HeaderMap) -> Response {
    if !knows(&shared, &headers, "OAuth") {
        return refused();
    }
    let seen = shared.seen.lock().unwrap();
    let user_id = number_of(seen.login).to_string();
    Json(json!({"client_id": "client9", "login": seen.login, "scopes": seen.scopes,
        "user_id": user_id, "expires_in": 5_000_000}))
    .into_response()
}

async fn users(
    State(shared): Api,
    Query(query): Query<std::collections::HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if !knows(&shared, &headers, "Bearer") || headers.get("client-id").is_none() {
        return refused();
    }
    let login = query["login"].as_str();
    let data = match login {
        "nobody" => json!([]),
        login => json!([{"id": number_of(login).to_string(), "login": login}]),
    };
    Json(json!({ "data": data })).into_response()
}

async fn messages(State(shared): Api, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if !knows(&shared, &headers, "Bearer") {
        return refused();
    }
    let (number, answer) = {
        let mut seen = shared.seen.lock().unwrap();
        seen.messages.push(body);
        (seen.messages.len(), seen.answers.pop_front())
    };
    shared.changed.send_replace(());
    match answer {
        Some(Answer { status, headers, body }) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        None => Json(json!({"data": [{"message_id": format!("api-{number}"), "is_sent": true}]}))
            .into_response(),
    }
}

/// Deletes, bans and lets in again, as long as the token may, and the moderator is the token's own account.
async fn moderation(
    State(shared): Api,
    method: Method,
    Path(what): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !knows(&shared, &headers, "Bearer") {
        return refused();
    }
    let mut seen = shared.seen.lock().unwrap();
    assert_eq!(query["moderator_id"], number_of(seen.login).to_string());
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    seen.moderation.push((method.to_string(), what.clone(), query, body));
    if let Some(Answer { status, body, .. }) = seen.answers.pop_front() {
        return (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
    }
    match (method.as_str(), what.as_str()) {
        ("POST", "bans") => Json(json!({"data": [{}]})).into_response(),
        ("DELETE", "bans" | "chat") => StatusCode::NO_CONTENT.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn subscriptions(
    State(shared): Api,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if !knows(&shared, &headers, "Bearer") {
        return refused();
    }
    shared.seen.lock().unwrap().subscriptions.push(body);
    shared.changed.send_replace(());
    (StatusCode::ACCEPTED, Json(json!({"data": [{"status": "enabled"}]}))).into_response()
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((tcp, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let Ok(mut socket) = tokio_tungstenite::accept_async(tcp).await else { return };
            let (tell, mut told) = mpsc::unbounded_channel();
            let number = {
                let mut seen = shared.seen.lock().unwrap();
                seen.sockets.push(tell);
                seen.sockets.len() - 1
            };
            let welcome = json!({"metadata": {"message_id": format!("w{number}"), "message_type": "session_welcome",
                "message_timestamp": Timestamp::now()}, "payload": {"session": {"id": format!("session-{number}"),
                "status": "connected", "keepalive_timeout_seconds": 1, "reconnect_url": null}}});
            if socket.send(Message::text(welcome.to_string())).await.is_err() {
                return;
            }
            shared.changed.send_replace(());
            loop {
                tokio::select! {
                    told = told.recv() => match told {
                        Some(Tell::Text(text)) => {
                            let _ = socket.send(Message::text(text)).await;
                        }
                        Some(Tell::Close(code)) => {
                            let frame = CloseFrame { code: code.into(), reason: "".into() };
                            let _ = socket.send(Message::Close(Some(frame))).await;
                        }
                        None => return,
                    },
                    message = socket.next() => match message {
                        Some(Ok(Message::Text(text))) => panic!("a client must not speak: {text}"),
                        Some(Ok(_)) => {}
                        _ => break,
                    },
                }
            }
            shared.seen.lock().unwrap().left.push(number);
            shared.changed.send_replace(());
        });
    }
}
