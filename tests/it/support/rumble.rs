//! A stand-in for Rumble: its pages, its embed documents, its chat's stream and its Live Stream API, on good
//! days and on bad ones.

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

/// Longest wait for anything that must happen.
const DEADLINE: Duration = Duration::from_secs(25);

/// A stream that is live on a channel.
#[derive(Clone)]
pub(crate) struct Live {
    /// The number of its chat.
    pub(crate) chat_id: u64,
    pub(crate) embed: &'static str,
    pub(crate) title: &'static str,
}

/// What the chat's stream answers.
#[derive(Clone)]
pub(crate) enum Answer {
    /// A stream of events, begun with what was said before.
    Stream,
    /// A stream that begins with a byte-order mark.
    Bom,
    /// A stream of events that never brings one.
    Nothing,
    /// This status, and a page.
    Status(u16),
    /// 200, and a page.
    Html,
}

/// What is written on an open stream.
enum Out {
    Bytes(Vec<u8>),
    /// The connection breaks.
    Cut,
}

/// What the stand-in has seen, and how it behaves.
pub(crate) struct Seen {
    /// Channels by `c/name`; those not live hold `None`.
    pub(crate) channels: HashMap<String, Option<Live>>,
    /// The status of every channel page.
    pub(crate) page_status: u16,
    /// Pages are for browsers only; others get 403.
    pub(crate) browsers_only: bool,
    /// What the next streams answer, one after another; then `Answer::Stream`, or what is here.
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) answer: Answer,
    /// Chats whose stream is for browsers only.
    pub(crate) refused: Vec<String>,
    /// To requests of the page's own stream.
    pub(crate) page_answer: Option<Answer>,
    /// The API's status and document.
    pub(crate) api: (u16, Value),
    /// How the pages behave.
    pub(crate) settings: Value,
    /// Headers of every request for a stream.
    pub(crate) streams: Vec<HeaderMap>,
    /// Numbers of the chats asked for.
    pub(crate) chats: Vec<String>,
    /// Channel pages asked for (count).
    pub(crate) pages: usize,
    /// Queries of the API.
    pub(crate) api_queries: Vec<String>,
    /// Keys that were pressed in a page.
    pub(crate) keys: Vec<String>,
    /// Clicks on the button: whether the browser itself made them.
    pub(crate) clicks: Vec<String>,
    /// What was sent from a page.
    pub(crate) said: Vec<String>,
    /// What a page shows that comes by no stream.
    pub(crate) rows: Vec<Value>,
    /// Streams that are open now, those of pages too.
    pub(crate) open: usize,
    messages: Vec<Value>,
    users: HashMap<String, Value>,
    out: Vec<mpsc::UnboundedSender<Out>>,
    mute: bool,
}

struct Shared {
    seen: Mutex<Seen>,
    changed: watch::Sender<()>,
    site: SocketAddr,
    chat: SocketAddr,
}

/// The stand-in: a site, and a chat's server on another port.
pub(crate) struct Rumble {
    shared: Arc<Shared>,
    serving: [JoinHandle<()>; 2],
}

impl Rumble {
    /// With the channel `c/ana`, which is live.
    pub(crate) async fn start() -> Self {
        let site = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let chat = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let live = Live { chat_id: 445_201_096, embed: "v5abc1", title: "An evening of chess" };
        let seen = Seen {
            channels: HashMap::from([("c/ana".to_owned(), Some(live))]),
            page_status: 200,
            browsers_only: false,
            answers: VecDeque::new(),
            answer: Answer::Stream,
            refused: Vec::new(),
            page_answer: None,
            api: (200, json!({})),
            settings: json!({ "source": "stream", "ids": true, "times": true }),
            streams: Vec::new(),
            chats: Vec::new(),
            pages: 0,
            api_queries: Vec::new(),
            keys: Vec::new(),
            clicks: Vec::new(),
            said: Vec::new(),
            rows: Vec::new(),
            open: 0,
            messages: Vec::new(),
            users: HashMap::new(),
            out: Vec::new(),
            mute: false,
        };
        let shared = Arc::new(Shared {
            seen: Mutex::new(seen),
            changed: watch::Sender::new(()),
            site: site.local_addr().unwrap(),
            chat: chat.local_addr().unwrap(),
        });
        let serve = |listener: TcpListener| {
            let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
        };
        let serving = [serve(site), serve(chat)];
        Self { shared, serving }
    }

    /// Settings that point a server here, with short waits.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let site = self.site();
        let settings = [
            ("WEB_URL", site.clone()),
            ("CHAT_URL", format!("http://{}", self.shared.chat)),
            ("VIEWERS_URL", site.clone()),
            ("API_URL", format!("{site}/-livestream-api")),
            ("OFFLINE_SECONDS", "1".to_owned()),
            ("RETRY_MS", "20".to_owned()),
            ("LONGEST_RETRY_MS", "100".to_owned()),
            ("NOT_READY_MS", "20".to_owned()),
            ("LOOK_AGAIN_SECONDS", "1".to_owned()),
            ("PAGE_SECONDS", "3".to_owned()),
            ("API_SECONDS", "5".to_owned()),
            // Nobody's browser, until a test asks for one.
            ("BROWSER_PATH", "/nonexistent/browser".to_owned()),
        ];
        settings.map(|(name, value)| (format!("PLATFORMS__RUMBLE__{name}"), value)).to_vec()
    }

    pub(crate) fn site(&self) -> String {
        format!("http://{}", self.shared.site)
    }

    /// What was seen so far.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen.lock().unwrap()
    }

    /// Changes how it behaves.
    pub(crate) fn set(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen());
        self.shared.changed.send_replace(());
    }

    /// Changes what is live on `c/ana`.
    pub(crate) fn set_channel(&self, live: Option<Live>) {
        self.set(|it| {
            it.channels.insert("c/ana".to_owned(), live);
        });
    }

    /// Waits until `found` finds something in what was seen.
    pub(crate) async fn until<T>(&self, what: &str, found: impl Fn(&Seen) -> Option<T>) -> T {
        let mut changed = self.shared.changed.subscribe();
        let search = async {
            loop {
                changed.borrow_and_update();
                if let Some(it) = found(&self.seen()) {
                    return it;
                }
                changed.changed().await.unwrap();
            }
        };
        match timeout(DEADLINE, search).await {
            Ok(it) => it,
            Err(_) => panic!("waited in vain: {what}"),
        }
    }

    /// Waits until that many streams are open.
    pub(crate) async fn opened(&self, count: usize) {
        self.until("a stream", |it| (it.open >= count).then_some(())).await;
    }

    /// A message by Bo, said in the chat and kept in its history.
    pub(crate) fn say(&self, id: &str, text: &str) {
        self.say_with(id, text, json!({}));
    }

    /// A message with further parts.
    pub(crate) fn say_with(&self, id: &str, text: &str, parts: Value) {
        let message = message(id, text, parts);
        self.keep(message.clone());
        self.write(&json!({ "type": "messages", "data": {
            "messages": [message], "users": [bo()], "channels": [],
        }}));
    }

    /// Keeps a message in the history, and tells nobody.
    pub(crate) fn keep(&self, message: Value) {
        let mut seen = self.seen();
        seen.users.insert("7".to_owned(), bo());
        seen.messages.push(message);
    }

    /// Writes a record on every open stream.
    pub(crate) fn write(&self, record: &Value) {
        self.write_bytes(format!("data: {record}\n\n").as_bytes());
    }

    /// Writes bytes on every open stream.
    pub(crate) fn write_bytes(&self, bytes: &[u8]) {
        let seen = self.seen();
        if !seen.mute {
            for out in &seen.out {
                // The other side may be gone; then nobody hears it, as with the real one.
                let _ = out.send(Out::Bytes(bytes.to_vec()));
            }
        }
    }

    /// Streams stay open and bring nothing more; new ones bring what was said before.
    pub(crate) fn fall_silent(&self, silent: bool) {
        self.seen().mute = silent;
    }

    /// Breaks every open stream.
    pub(crate) fn cut(&self) {
        for out in self.seen().out.drain(..) {
            let _ = out.send(Out::Cut);
        }
    }

    /// Ends every open stream in order.
    pub(crate) fn end(&self) {
        self.seen().out.clear();
    }
}

impl Drop for Rumble {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
    }
}

fn bo() -> Value {
    json!({ "id": "7", "username": "Bo", "link": "/user/Bo", "is_follower": true,
        "color": "#f54fd1", "badges": ["premium", "moderator"],
        "image.1": "https://ak2.rmbl.ws/z0/a/bo.jpeg" })
}

/// A message by Bo, said now.
pub(crate) fn message(id: &str, text: &str, parts: Value) -> Value {
    let now = chrono::Utc::now().to_rfc3339();
    let mut message = json!({ "id": id, "user_id": "7", "time": now, "text": text,
        "blocks": [{ "type": "text.1", "data": { "text": text } }], "type": "regular" });
    let parts = parts.as_object().unwrap().clone();
    message.as_object_mut().unwrap().extend(parts);
    message
}

const HTML: &str = "<!doctype html><title>Sorry</title><p>Not now.";

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_end_matches('/').to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    if path.starts_with("/page/") {
        let body = axum::body::to_bytes(body, 64 * 1024).await.unwrap();
        let answer = page_tells(&shared, &path, &query, String::from_utf8_lossy(&body).into());
        shared.changed.send_replace(());
        return answer;
    }
    let segments: Vec<_> = path.split('/').skip(1).collect();
    let answer = match segments[..] {
        ["chat", "api", "chat", chat_id, "stream"] => {
            let answer = stream_of(&shared, chat_id, &parts.headers);
            return answer;
        }
        ["chat", "popup", chat_id] => {
            let html = include_str!("../../browser/rumble/pages/chat.html");
            page_of(&shared, &html.replace("NUMBER", chat_id), None)
        }
        ["embedJS", "u3"] => embed_of(&shared, &query),
        ["-livestream-api", "get-data"] => {
            let mut seen = shared.seen.lock().unwrap();
            seen.api_queries.push(query);
            let (status, document) = seen.api.clone();
            (StatusCode::from_u16(status).unwrap(), axum::Json(document)).into_response()
        }
        ["service.php"] => service(&query),
        [kind @ ("c" | "user"), name, "live"] => {
            channel_page(&shared, &format!("{kind}/{name}"), &parts.headers)
        }
        _ => (StatusCode::NOT_FOUND, HTML).into_response(),
    };
    shared.changed.send_replace(());
    answer
}

/// A page tells what happens in it.
fn page_tells(shared: &Shared, path: &str, query: &str, body: String) -> Response {
    let mut seen = shared.seen.lock().unwrap();
    match path {
        "/page/key" => seen.keys.push(body),
        "/page/click" => seen.clicks.push(body),
        "/page/said" => seen.said.push(body),
        "/page/rows" => {
            let from: usize = query.trim_start_matches("from=").parse().unwrap();
            let rows = seen.rows.get(from..).unwrap_or_default().to_vec();
            return axum::Json(rows).into_response();
        }
        _ => return StatusCode::NOT_FOUND.into_response(),
    }
    StatusCode::OK.into_response()
}

fn channel_page(shared: &Shared, channel: &str, headers: &HeaderMap) -> Response {
    let mut seen = shared.seen.lock().unwrap();
    seen.pages += 1;
    let browser = headers.contains_key("sec-fetch-dest");
    if seen.page_status != 200 || (seen.browsers_only && !browser) {
        let status = if seen.page_status == 200 { 403 } else { seen.page_status };
        return (StatusCode::from_u16(status).unwrap(), HTML).into_response();
    }
    let live = match seen.channels.get(channel) {
        Some(Some(live)) => live.clone(),
        Some(None) => {
            let card = "<div class=\"videostream\" duration=\"5400\">\
                        <iframe src=\"https://rumble.com/embed/v4old1/\"></iframe></div>";
            return ([(header::CONTENT_TYPE, "text/html")], card).into_response();
        }
        None => return (StatusCode::NOT_FOUND, HTML).into_response(),
    };
    drop(seen);
    page_of(shared, include_str!("../../browser/rumble/pages/watch.html"), Some(&live))
}

fn page_of(shared: &Shared, html: &str, live: Option<&Live>) -> Response {
    let seen = shared.seen.lock().unwrap();
    let any = || seen.channels.values().flatten().next().cloned();
    let live = live.cloned().or_else(any);
    let (chat_id, embed) = live.map_or((0, ""), |it| (it.chat_id, it.embed));
    // Another site than 127.0.0.1, as far as a browser is concerned.
    let chat = format!("http://localhost:{}", shared.chat.port());
    let html = html
        .replace("SITE", &format!("http://{}", shared.site))
        .replace("CHAT", &chat)
        .replace("EMBED", embed)
        .replace("NUMBER", &chat_id.to_string())
        .replace("SETTINGS", &seen.settings.to_string());
    let cookie = (header::SET_COOKIE, "u_s=of-the-profile; Max-Age=3600; HttpOnly; Path=/");
    let kind = (header::CONTENT_TYPE, "text/html");
    ([kind, cookie], html).into_response()
}

fn embed_of(shared: &Shared, query: &str) -> Response {
    let seen = shared.seen.lock().unwrap();
    let embed = query.split('&').find_map(|it| it.strip_prefix("v="));
    let live = seen.channels.values().flatten().find(|it| Some(it.embed) == embed);
    axum::Json(match live {
        Some(it) => json!({ "vid": it.chat_id, "title": it.title, "live": 2 }),
        None => json!({ "vid": null, "unavailable": true }),
    })
    .into_response()
}

fn service(query: &str) -> Response {
    let document = if query.contains("name=emote.list") {
        json!({ "data": { "items": [
            { "id": 1, "channel_id": null, "emotes": [
                { "id": 2, "name": "r+wave", "file": "https://ak2.rmbl.ws/z12/a/wave.png" },
            ]},
        ]}})
    } else {
        json!({ "data": { "viewer_count": 42 } })
    };
    axum::Json(document).into_response()
}

fn stream_of(shared: &Arc<Shared>, chat_id: &str, headers: &HeaderMap) -> Response {
    let mut seen = shared.seen.lock().unwrap();
    let browser = headers.contains_key("sec-fetch-dest");
    if !browser {
        seen.streams.push(headers.clone());
    }
    seen.chats.push(chat_id.to_owned());
    let known = seen.channels.values().flatten().any(|it| it.chat_id.to_string() == chat_id);
    let answer = match (browser, &seen.page_answer) {
        (true, Some(it)) => it.clone(),
        (true, None) => Answer::Stream,
        (false, _) if seen.refused.iter().any(|it| it == chat_id) => Answer::Status(403),
        (false, _) => seen.answers.pop_front().unwrap_or_else(|| seen.answer.clone()),
    };
    let begin = match answer {
        Answer::Status(204) => {
            drop(seen);
            shared.changed.send_replace(());
            return (StatusCode::NO_CONTENT, [(header::CONTENT_TYPE, "text/html")]).into_response();
        }
        Answer::Status(status) => {
            drop(seen);
            shared.changed.send_replace(());
            return (
                StatusCode::from_u16(status).unwrap(),
                [(header::CONTENT_TYPE, "text/html")],
                HTML,
            )
                .into_response();
        }
        Answer::Html => {
            drop(seen);
            shared.changed.send_replace(());
            return ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], HTML).into_response();
        }
        _ if !known => {
            let error =
                json!({ "errors": [{ "code": "400", "message": "Missing or malformed chat id" }] });
            drop(seen);
            shared.changed.send_replace(());
            return (StatusCode::BAD_REQUEST, axum::Json(error)).into_response();
        }
        Answer::Nothing => String::new(),
        Answer::Stream | Answer::Bom => {
            let mark = if matches!(answer, Answer::Bom) { "\u{feff}" } else { "" };
            let messages: Vec<_> = seen.messages.iter().rev().take(50).rev().collect();
            let users: Vec<_> = seen.users.values().collect();
            let init = json!({ "type": "init", "data": {
                "chat": { "id": chat_id }, "messages": messages, "users": users, "channels": [[]],
                "config": { "badges": { "moderator": {
                    "icons": { "48": "/i/badges/moderator_48.png" }, "label": { "en": "Moderator" },
                }}, "rants": { "enable": true }, "message_length_max": 200 },
                "can_moderate": false, "subscribers_only_chat": { "on": false },
            }});
            format!("{mark}: -1\n\ndata: {init}\n\n")
        }
    };
    let (out, lines) = mpsc::unbounded_channel();
    out.send(Out::Bytes(begin.into_bytes())).unwrap();
    seen.out.push(out);
    seen.open += 1;
    drop(seen);
    shared.changed.send_replace(());
    // Told when the other side lets go, too.
    let guard = Guard(Arc::clone(shared));
    let body = stream::unfold((lines, guard), |(mut lines, guard)| async move {
        let item: Result<Bytes, io::Error> = match lines.recv().await? {
            Out::Bytes(bytes) => Ok(bytes.into()),
            Out::Cut => Err(io::Error::other("cut")),
        };
        Some((item, (lines, guard)))
    });
    let kind = (header::CONTENT_TYPE, "text/event-stream; charset=utf-8");
    let origin = (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    ([kind, origin], Body::from_stream(body)).into_response()
}

struct Guard(Arc<Shared>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.seen.lock().unwrap().open -= 1;
        self.0.changed.send_replace(());
    }
}
