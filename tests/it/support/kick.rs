//! A stand-in for Kick: the site's interfaces, both chat sockets, the official API, and Kick's bad days.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{SinkExt, StreamExt};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::{Setup, soon};

/// The numbers of the one channel there is.
pub(crate) const CHANNEL: u64 = 11;
pub(crate) const USER: u64 = 12;
pub(crate) const CHATROOM: u64 = 13;
/// Its slug.
pub(crate) const SLUG: &str = "ana";

/// A key made for the tests, which signs nothing else.
const PRIVATE_KEY: &str = include_str!("../../fixtures/kick/webhook_key.pkcs8.base64");
const PUBLIC_KEY: &str = include_str!("../../fixtures/kick/webhook_key.pem");

/// Which socket a connection came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Centrifugo,
    Pusher,
}

enum Out {
    Text(String),
    Close(u16, String),
    Bytes(Vec<u8>),
    Drop,
}

/// A connection to one of the sockets; kept after its end.
pub(crate) struct Connection {
    pub(crate) kind: Kind,
    /// Channels that were subscribed to.
    pub(crate) channels: BTreeSet<String>,
    /// Texts that came, in order.
    pub(crate) texts: Vec<String>,
    pub(crate) closed: bool,
    out: mpsc::UnboundedSender<Out>,
}

/// What the stand-in does, and what it has seen.
pub(crate) struct Seen {
    pub(crate) connections: Vec<Connection>,
    /// Paths asked for over HTTP, with their query.
    pub(crate) requests: Vec<String>,
    /// What was sent to the chat.
    pub(crate) sent: Vec<Value>,
    /// What moderators did: verb, path, body.
    pub(crate) moderated: Vec<(String, String, Value)>,
    /// Refresh tokens that were used.
    pub(crate) refreshed: Vec<String>,
    /// Names that webhooks are asked for.
    pub(crate) subscribed: BTreeSet<String>,
    // What it does.
    pub(crate) slug: String,
    pub(crate) livestream: Value,
    pub(crate) history: Vec<Value>,
    /// Instead of the history.
    pub(crate) history_answer: Option<u16>,
    /// Instead of the channel: status, content type, body.
    pub(crate) site_answer: Option<(u16, &'static str, String)>,
    /// Instead of the negotiation.
    pub(crate) negotiation: Option<(u16, Value)>,
    /// Instead of the guest's token.
    pub(crate) token_answer: Option<u16>,
    /// The error with which connections of guests are answered.
    pub(crate) connect_error: Option<Value>,
    /// Seconds: of the token, between pings.
    pub(crate) ttl: u64,
    pub(crate) ping: u64,
    pub(crate) activity_timeout: u64,
    /// Answers nothing, on sockets that stay open.
    pub(crate) mute: bool,
    /// Answers pings of the WebSocket, and sends none of its own.
    pub(crate) no_pings: bool,
    /// How long the site takes to answer.
    pub(crate) slow: Duration,
    /// Instead of taking a message for the chat: status, `Retry-After`.
    pub(crate) send_answer: Option<(u16, Option<u64>)>,
    /// Instead of doing what a moderator wants, once.
    pub(crate) moderation_answer: Option<(u16, Value)>,
    /// Instead of listing webhooks.
    pub(crate) events_answer: Option<u16>,
    /// Instead of granting a token.
    pub(crate) grant_answer: Option<u16>,
    /// How long the answer takes once a token is granted.
    pub(crate) grant_pause: Duration,
    grants: usize,
    refresh_token: Option<String>,
}

struct Shared {
    seen: Mutex<Seen>,
    changed: watch::Sender<()>,
    socket_url: Mutex<String>,
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stand-in.
pub(crate) struct Kick {
    shared: Arc<Shared>,
    pub(crate) http: String,
    pub(crate) socket: String,
    tasks: Vec<JoinHandle<()>>,
    ids: AtomicUsize,
}

impl Drop for Kick {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Kick {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let seen = Seen {
            connections: Vec::new(),
            requests: Vec::new(),
            sent: Vec::new(),
            refreshed: Vec::new(),
            subscribed: BTreeSet::new(),
            slug: SLUG.to_owned(),
            livestream: json!({"id": 5, "is_live": true, "viewer_count": 42, "session_title": "hi"}),
            history: Vec::new(),
            history_answer: None,
            site_answer: None,
            negotiation: None,
            token_answer: None,
            connect_error: None,
            ttl: 2_699,
            ping: 25,
            activity_timeout: 120,
            mute: false,
            no_pings: false,
            slow: Duration::ZERO,
            send_answer: None,
            moderated: Vec::new(),
            moderation_answer: None,
            events_answer: None,
            grant_answer: None,
            grant_pause: Duration::ZERO,
            grants: 0,
            refresh_token: None,
        };
        let shared = Arc::new(Shared {
            seen: Mutex::new(seen),
            changed: watch::Sender::new(()),
            socket_url: Mutex::default(),
        });
        let sockets = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = format!("ws://{}", sockets.local_addr().unwrap());
        shared.socket_url.lock().unwrap().clone_from(&socket);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = format!("http://{}", listener.local_addr().unwrap());
        let routes = routes(Arc::clone(&shared));
        let serve = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let accept = tokio::spawn(accept(sockets, Arc::clone(&shared)));
        Self { shared, http, socket, tasks: vec![serve, accept], ids: AtomicUsize::new(1) }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen()
    }

    /// Waits until what was seen answers the question.
    pub(crate) async fn until<T>(&self, what: &str, ask: impl Fn(&Seen) -> Option<T>) -> T {
        let mut changed = self.shared.changed.subscribe();
        soon(what, async {
            loop {
                changed.borrow_and_update();
                if let Some(it) = ask(&self.seen()) {
                    return it;
                }
                changed.changed().await.unwrap();
            }
        })
        .await
    }

    /// The newest connection that reads the chat, once there is one; not one of the first `after`.
    pub(crate) async fn reading(&self, after: usize) -> usize {
        self.until("a connection that reads the chat", |it| {
            let chat = format!("chatrooms.{CHATROOM}.v2");
            let reads = |it: &Connection| !it.closed && it.channels.contains(&chat);
            let newest = it.connections.iter().rposition(reads)?;
            // Everything is asked for in one go.
            (newest >= after && it.connections[newest].channels.len() == 5).then_some(newest)
        })
        .await
    }

    /// Sends an event to whoever is subscribed to `channel`, as each socket words it.
    pub(crate) fn publish(&self, channel: &str, event: &str, data: &Value) {
        let seen = self.seen();
        for it in seen.connections.iter().filter(|it| !it.closed && it.channels.contains(channel)) {
            let _ = it.out.send(Out::Text(worded(it.kind, channel, event, data)));
        }
    }

    /// Sends an event on a connection, whatever it is subscribed to.
    pub(crate) fn publish_on(&self, connection: usize, channel: &str, event: &str, data: &Value) {
        let seen = self.seen();
        let it = &seen.connections[connection];
        let _ = it.out.send(Out::Text(worded(it.kind, channel, event, data)));
    }

    /// Somebody writes in the chat; answers the message's id.
    pub(crate) fn say(&self, text: &str) -> String {
        let message = self.message(text);
        let id = message["id"].as_str().unwrap().to_owned();
        self.publish(&chat(), "App\\Events\\ChatMessageEvent", &message);
        id
    }

    /// A message, sent now.
    pub(crate) fn message(&self, text: &str) -> Value {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        let now = streamsuites::model::Timestamp::now().to_string();
        json!({
            "id": format!("message-{number}"), "chatroom_id": CHATROOM, "content": text, "type": "message",
            "created_at": format!("{}+00:00", &now[..19]),
            "sender": {"id": 21, "username": "Bo", "slug": "bo", "identity": {"color": "#E9113C", "badges": []}},
        })
    }

    /// Sends any text on a connection.
    pub(crate) fn send_on(&self, connection: usize, text: impl Into<String>) {
        let _ = self.seen().connections[connection].out.send(Out::Text(text.into()));
    }

    /// Closes a connection with a code.
    pub(crate) fn close(&self, connection: usize, code: u16, reason: &str) {
        let _ = self.seen().connections[connection].out.send(Out::Close(code, reason.to_owned()));
    }

    /// Cuts a connection in the middle of a frame.
    pub(crate) fn cut(&self, connection: usize) {
        let seen = self.seen();
        // A text of 100 bytes is announced, and four of them come.
        let _ = seen.connections[connection]
            .out
            .send(Out::Bytes(vec![0x81, 100, b'{', b'"', b'p', b'u']));
        let _ = seen.connections[connection].out.send(Out::Drop);
    }

    /// A webhook, signed: headers and body, to be posted.
    pub(crate) fn webhook(
        &self,
        id: &str,
        kind: &str,
        at: &str,
        body: &Value,
    ) -> (HeaderMap, String) {
        let body = body.to_string();
        let der = STANDARD.decode(PRIVATE_KEY.split_whitespace().collect::<String>()).unwrap();
        let pair = RsaKeyPair::from_pkcs8(&der).unwrap();
        let mut signature = vec![0; pair.public().modulus_len()];
        let signed = format!("{id}.{at}.{body}");
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("kick-event-message-id", id.parse().unwrap());
        headers.insert("kick-event-message-timestamp", at.parse().unwrap());
        headers.insert("kick-event-type", kind.parse().unwrap());
        // Here a subscription's id is its event.
        headers.insert("kick-event-subscription-id", kind.parse().unwrap());
        headers.insert("kick-event-version", "1".parse().unwrap());
        headers.insert("kick-event-signature", STANDARD.encode(signature).parse().unwrap());
        headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        (headers, body)
    }

    pub(crate) fn http_url(&self) -> &str {
        &self.http
    }
}

/// The chat's own channel.
pub(crate) fn chat() -> String {
    format!("chatrooms.{CHATROOM}.v2")
}

impl Setup {
    /// Reads Kick from the stand-in.
    pub(crate) fn kick(self, kick: &Kick) -> Self {
        self.set("PLATFORMS__KICK__WEB_URL", &kick.http)
            .set("PLATFORMS__KICK__REALTIME_URL", &kick.http)
            .set("PLATFORMS__KICK__API_URL", &kick.http)
            .set("PLATFORMS__KICK__ID_URL", &kick.http)
            .set("PLATFORMS__KICK__PUSHER_URL", &kick.socket)
    }
}

fn worded(kind: Kind, channel: &str, event: &str, data: &Value) -> String {
    match kind {
        Kind::Centrifugo => {
            let data = json!({"event": event, "data": data, "tags": {}});
            json!({"push": {"channel": channel, "pub": {"data": data}}}).to_string()
        }
        Kind::Pusher => {
            json!({"event": event, "channel": channel, "data": data.to_string()}).to_string()
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        tokio::spawn(serve_socket(stream, Arc::clone(&shared)));
    }
}

async fn serve_socket(stream: TcpStream, shared: Arc<Shared>) {
    let mut path = String::new();
    #[allow(clippy::result_large_err)] // The callback's type is the crate's.
    let note = |request: &tokio_tungstenite::tungstenite::handshake::server::Request, response| {
        path = request.uri().to_string();
        Ok(response)
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, note).await else { return };
    let kind = if path.starts_with("/app/") { Kind::Pusher } else { Kind::Centrifugo };
    let (out, mut orders) = mpsc::unbounded_channel();
    let index = {
        let mut seen = shared.seen();
        seen.requests.push(format!("SOCKET {path}"));
        seen.connections.push(Connection {
            kind,
            channels: BTreeSet::new(),
            texts: Vec::new(),
            closed: false,
            out: out.clone(),
        });
        seen.connections.len() - 1
    };
    shared.changed.send_replace(());
    if kind == Kind::Pusher {
        let timeout = shared.seen().activity_timeout;
        let data = json!({"socket_id": "1.2", "activity_timeout": timeout}).to_string();
        let hello = json!({"event": "pusher:connection_established", "data": data});
        let _ = out.send(Out::Text(hello.to_string()));
    }
    let ping = Duration::from_secs(shared.seen().ping);
    let mut pings = tokio::time::interval_at(tokio::time::Instant::now() + ping, ping);
    loop {
        let mute = shared.seen().mute;
        tokio::select! {
            order = orders.recv() => match order.unwrap_or(Out::Drop) {
                Out::Text(_) if mute => {}
                Out::Text(text) => if socket.send(Message::text(text)).await.is_err() { break },
                Out::Close(code, reason) => {
                    let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
                    let _ = socket.close(Some(frame)).await;
                    break;
                }
                Out::Bytes(bytes) => {
                    let _ = socket.get_mut().write_all(&bytes).await;
                    let _ = socket.get_mut().flush().await;
                }
                Out::Drop => break,
            },
            _ = pings.tick(), if kind == Kind::Centrifugo => {
                let silent = { let seen = shared.seen(); seen.mute || seen.no_pings };
                if !silent && socket.send(Message::text("{}")).await.is_err() { break }
            }
            // One that is mute does not even read, and so answers no ping either.
            message = socket.next(), if !mute => match message {
                Some(Ok(Message::Text(text))) => {
                    let answers = answer(&shared, index, kind, &text);
                    for text in answers {
                        let _ = out.send(Out::Text(text));
                    }
                    shared.changed.send_replace(());
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
            () = tokio::time::sleep(Duration::from_millis(50)), if mute => {}
        }
    }
    shared.seen().connections[index].closed = true;
    shared.changed.send_replace(());
}

fn answer(shared: &Shared, index: usize, kind: Kind, text: &str) -> Vec<String> {
    let mut seen = shared.seen();
    seen.connections[index].texts.push(text.to_owned());
    let value: Value = serde_json::from_str(text).unwrap();
    if kind == Kind::Pusher {
        return match value["event"].as_str() {
            Some("pusher:subscribe") => {
                let channel = value["data"]["channel"].as_str().unwrap().to_owned();
                seen.connections[index].channels.insert(channel.clone());
                vec![json!({"event": "pusher_internal:subscription_succeeded", "data": "{}", "channel": channel}).to_string()]
            }
            Some("pusher:ping") => vec![json!({"event": "pusher:pong", "data": "{}"}).to_string()],
            _ => Vec::new(),
        };
    }
    let id = &value["id"];
    let (ttl, ping) = (seen.ttl, seen.ping);
    if value.get("connect").is_some() {
        if let Some(error) = &seen.connect_error {
            return vec![json!({"id": id, "error": error}).to_string()];
        }
        let connect = json!({"client": "c", "version": "", "expires": true, "ttl": ttl, "ping": ping, "pong": true});
        return vec![json!({"id": id, "connect": connect}).to_string()];
    }
    if let Some(channel) = value["subscribe"]["channel"].as_str() {
        seen.connections[index].channels.insert(channel.to_owned());
        if channel == format!("chatrooms.{CHATROOM}") {
            return vec![
                json!({"id": id, "error": {"code": 102, "message": "unknown channel"}}).to_string(),
            ];
        }
        return vec![json!({"id": id, "subscribe": {}}).to_string()];
    }
    if value.get("refresh").is_some() {
        return vec![
            json!({"id": id, "refresh": {"client": "c", "expires": true, "ttl": ttl}}).to_string(),
        ];
    }
    Vec::new()
}

fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/api/v2/channels/{slug}", get(channel))
        .route("/api/v2/channels/{id}/messages", get(messages))
        .route("/api/v1/realtime/channels/{id}/chat/connection", post(negotiate))
        .route("/api/v1/realtime/auth/connection", post(guest_token))
        .route("/oauth/token", post(grant))
        .route("/public/v1/channels", get(official_channel))
        .route("/public/v1/public-key", get(public_key))
        .route("/public/v1/events/subscriptions", get(list_events).post(subscribe_events))
        .route("/public/v1/chat", post(send_chat))
        .route("/public/v1/chat/{id}", delete(moderate))
        .route("/public/v1/moderation/bans", post(moderate).delete(moderate))
        .with_state(shared)
}

impl Shared {
    async fn note(&self, request: String) {
        let slow = {
            let mut seen = self.seen();
            seen.requests.push(request);
            seen.slow
        };
        self.changed.send_replace(());
        tokio::time::sleep(slow).await;
    }
}

type App = State<Arc<Shared>>;

fn status(code: u16, value: Value) -> Response {
    (StatusCode::from_u16(code).unwrap(), Json(value)).into_response()
}

async fn channel(State(shared): App, Path(slug): Path<String>) -> Response {
    shared.note(format!("GET channel {slug}")).await;
    let seen = shared.seen();
    if let Some((code, kind, body)) = seen.site_answer.clone() {
        let code = StatusCode::from_u16(code).unwrap();
        return (code, [(header::CONTENT_TYPE, kind)], body).into_response();
    }
    if slug != seen.slug {
        return status(404, json!({"message": "Not found"}));
    }
    status(
        200,
        json!({
            "id": CHANNEL, "user_id": USER, "slug": slug, "livestream": seen.livestream,
            "user": {"username": "Ana"},
            "chatroom": {"id": CHATROOM, "slow_mode": false, "followers_mode": false, "subscribers_mode": false,
                         "emotes_mode": false, "message_interval": 0, "following_min_duration": 0},
            "subscriber_badges": [{"months": 1, "badge_image": {"src": "https://files.kick.com/badge/1"}}],
        }),
    )
}

async fn messages(State(shared): App, Path(id): Path<u64>) -> Response {
    shared.note(format!("GET messages {id}")).await;
    if let Some(code) = shared.seen().history_answer {
        return status(code, json!({"message": "no"}));
    }
    let messages: Vec<Value> = shared.seen().history.iter().rev().cloned().collect();
    status(200, json!({"data": {"messages": messages, "cursor": "", "pinned_message": null}}))
}

async fn negotiate(State(shared): App, Path(id): Path<u64>, Json(body): Json<Value>) -> Response {
    assert!(
        body["client"]["id"].is_string() && body["capabilities"]["accepted_providers"].is_array()
    );
    shared.note(format!("POST negotiation {id}")).await;
    if let Some((code, body)) = shared.seen().negotiation.clone() {
        return status(code, body);
    }
    let url = format!("{}/connection/websocket", shared.socket_url.lock().unwrap());
    let connection = json!({"provider": "centrifugo", "credentials": {"url": url}});
    status(200, json!({"data": {"connections": [connection], "mode": "websocket"}}))
}

async fn guest_token(State(shared): App) -> Response {
    shared.note("POST token".to_owned()).await;
    match shared.seen().token_answer {
        Some(code) => status(code, json!({"message": "no"})),
        None => status(200, json!({"data": {"token": "guest-token"}, "message": "success"})),
    }
}

async fn grant(State(shared): App, body: String) -> Response {
    let form: std::collections::HashMap<String, String> =
        url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    shared.note(format!("POST grant {}", form["grant_type"])).await;
    let (answer, pause) = granted(&shared, &form);
    shared.changed.send_replace(());
    tokio::time::sleep(pause).await;
    answer
}

fn granted(
    shared: &Shared,
    form: &std::collections::HashMap<String, String>,
) -> (Response, Duration) {
    let mut seen = shared.seen();
    if let Some(code) = seen.grant_answer {
        return (status(code, json!({"error": "invalid_client"})), Duration::ZERO);
    }
    seen.grants += 1;
    let number = seen.grants;
    let mut granted = json!({"access_token": format!("access-{number}"), "token_type": "Bearer", "expires_in": 3600});
    if form["grant_type"] == "refresh_token" {
        let used = form["refresh_token"].clone();
        // One that was used is worth nothing any more.
        if seen.refreshed.contains(&used)
            || seen.refresh_token.as_ref().is_some_and(|it| *it != used)
        {
            return (status(400, json!({"error": "invalid_grant"})), Duration::ZERO);
        }
        seen.refreshed.push(used);
        let next = format!("refresh-{number}");
        granted["refresh_token"] = json!(next);
        seen.refresh_token = Some(next);
    }
    (status(200, granted), seen.grant_pause)
}

fn is_signed_in(headers: &HeaderMap) -> bool {
    headers
        .get(header::AUTHORIZATION)
        .is_some_and(|it| it.to_str().unwrap().starts_with("Bearer access-"))
}

async fn official_channel(
    State(shared): App,
    headers: HeaderMap,
    Query(query): Query<std::collections::HashMap<String, String>>,
) -> Response {
    shared.note(format!("GET official channel {}", query["slug"])).await;
    if !is_signed_in(&headers) {
        return status(401, json!({"message": "Unauthorized", "data": {}}));
    }
    let stream = json!({"is_live": true, "viewer_count": 7});
    let channel = json!({"broadcaster_user_id": USER, "slug": query["slug"], "stream": stream});
    status(200, json!({"data": [channel], "message": "OK"}))
}

async fn public_key(State(shared): App) -> Response {
    shared.note("GET public key".to_owned()).await;
    status(200, json!({"data": {"public_key": PUBLIC_KEY}, "message": "OK"}))
}

async fn list_events(State(shared): App, headers: HeaderMap) -> Response {
    shared.note("GET subscriptions".to_owned()).await;
    let seen = shared.seen();
    if let Some(code) = seen.events_answer {
        return status(code, json!({"message": "missing scope events:subscribe", "data": {}}));
    }
    assert!(is_signed_in(&headers));
    let there: Vec<Value> = seen
        .subscribed
        .iter()
        .map(|it| json!({"id": it, "event": it, "version": 1, "broadcaster_user_id": USER}))
        .collect();
    status(200, json!({"data": there, "message": "OK"}))
}

async fn subscribe_events(State(shared): App, Json(body): Json<Value>) -> Response {
    shared.note("POST subscriptions".to_owned()).await;
    assert_eq!((&body["method"], &body["broadcaster_user_id"]), (&json!("webhook"), &json!(USER)));
    let mut made = Vec::new();
    for event in body["events"].as_array().unwrap() {
        assert_eq!(event["version"], 1);
        let name = event["name"].as_str().unwrap().to_owned();
        made.push(json!({"name": name, "version": 1, "subscription_id": name}));
        shared.seen().subscribed.insert(name);
    }
    shared.changed.send_replace(());
    status(200, json!({"data": made, "message": "OK"}))
}

async fn send_chat(State(shared): App, headers: HeaderMap, body: Bytes) -> Response {
    shared.note("POST chat".to_owned()).await;
    let mut seen = shared.seen();
    if let Some((code, retry_after)) = seen.send_answer.take() {
        let mut answer = status(code, json!({"message": "not now", "data": {}}));
        if let Some(seconds) = retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        return answer;
    }
    if !is_signed_in(&headers) {
        return status(401, json!({"message": "Unauthorized", "data": {}}));
    }
    seen.sent.push(serde_json::from_slice(&body).unwrap());
    status(200, json!({"data": {"is_sent": true, "message_id": "sent-1"}, "message": "OK"}))
}

/// Deletes a message, bans or unbans.
async fn moderate(
    State(shared): App,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    shared.note(format!("{method} {uri}")).await;
    let mut seen = shared.seen();
    if !is_signed_in(&headers) {
        return status(401, json!({"message": "Unauthorized", "data": {}}));
    }
    if let Some((code, answer)) = seen.moderation_answer.take() {
        return status(code, answer);
    }
    let body = serde_json::from_slice(&body).unwrap_or_default();
    seen.moderated.push((method.to_string(), uri.path().to_owned(), body));
    match method {
        Method::DELETE if uri.path().contains("/chat/") => StatusCode::NO_CONTENT.into_response(),
        _ => status(200, json!({"data": {}, "message": "OK"})),
    }
}
