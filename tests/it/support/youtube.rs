//! A stand-in for YouTube: its site, its Data API and its token endpoint, and what they do on a bad day.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE};
use serde_json::{Value, json};
use streamsuites::{model::Timestamp, platforms::youtube::message_id::MessageId};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::{Setup, soon};

/// The stream of every test.
pub(crate) const VIDEO: &str = "aaaaaaaaaaa";
/// What a chat that is opened anew shows of before (count).
const RECENT: usize = 200;
/// Whose it is.
pub(crate) const CHANNEL_ID: &str = "UCaaaaaaaaaaaaaaaaaaaaaa";

/// What the site does instead of what is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SiteFault {
    /// Any page or answer is this one.
    Answers(u16, &'static str),
    /// Nothing is ever answered.
    Hangs,
    /// An answer of the chat has no continuation, though the stream goes on.
    NoContinuation,
    /// The chat's page has no `ytInitialData`.
    NoData,
    /// Whatever is said comes as kinds that nobody knows.
    UnknownKinds,
    /// The chat's page says that there is none.
    NoChat(&'static str),
}

/// What the Data API does instead.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ApiFault {
    /// Refuses with a status and a reason.
    Refuses(u16, &'static str),
    /// Answers a page of HTML.
    Html(u16),
    /// Nothing is ever answered.
    Hangs,
}

/// Something that was said, as both ways tell it.
#[derive(Clone)]
struct Said {
    action: Value,
    resource: Value,
}

/// What the stand-in does, and what it has seen.
#[derive(Default)]
pub(crate) struct Seen {
    /// Whether the channel is live.
    pub(crate) live: bool,
    /// The video, when it is another one.
    pub(crate) video: Option<&'static str>,
    /// Begins then.
    pub(crate) scheduled: bool,
    pub(crate) site_fault: Option<SiteFault>,
    /// Only the straight way meets the fault.
    pub(crate) proxy_is_well: bool,
    pub(crate) api_fault: Option<ApiFault>,
    /// Page tokens that are refused, once.
    pub(crate) stale_tokens: bool,
    /// Calls of each kind: `page`, `popout`, `chat`, `list`, `videos`, …
    pub(crate) calls: BTreeMap<&'static str, usize>,
    /// Calls that came through the proxy.
    pub(crate) by_proxy: usize,
    /// The headers of the newest page that was asked for.
    pub(crate) headers: HeaderMap,
    /// The body of the newest call of the chat, and the query of the newest list.
    pub(crate) chat_body: Value,
    pub(crate) list_query: BTreeMap<String, String>,
    /// What was sent to the chat.
    pub(crate) sent: Vec<Value>,
    /// What moderators did: verb, path, query, body.
    pub(crate) moderated: Vec<(String, String, BTreeMap<String, String>, Value)>,
    /// `Authorization` of the newest sending.
    pub(crate) authorization: String,
    said: Vec<Said>,
}

impl Seen {
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.calls.get(kind).copied().unwrap_or_default()
    }

    fn video(&self) -> &'static str {
        self.video.unwrap_or(VIDEO)
    }
}

struct Shared {
    seen: Mutex<Seen>,
    changed: watch::Sender<()>,
}

/// A way in: straight, or through the proxy.
#[derive(Clone)]
struct Door {
    shared: Arc<Shared>,
    proxy: bool,
}

/// The stand-in.
pub(crate) struct Youtube {
    shared: Arc<Shared>,
    address: SocketAddr,
    proxy: SocketAddr,
    serving: Vec<JoinHandle<()>>,
}

impl Youtube {
    /// A channel that is live.
    pub(crate) async fn live() -> Self {
        let youtube = Self::offline().await;
        youtube.seen().live = true;
        youtube
    }

    /// A channel that is not.
    pub(crate) async fn offline() -> Self {
        let (changed, _) = watch::channel(());
        let shared = Arc::new(Shared { seen: Mutex::default(), changed });
        let mut serving = Vec::new();
        let mut addresses = Vec::new();
        for proxy in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(listener.local_addr().unwrap());
            let app = router(Door { shared: Arc::clone(&shared), proxy });
            serving.push(tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }));
        }
        Self { shared, address: addresses[0], proxy: addresses[1], serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn proxy_url(&self) -> String {
        format!("http://{}", self.proxy)
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen.lock().unwrap()
    }

    /// Waits until something was seen.
    pub(crate) async fn until(&self, what: &str, check: impl Fn(&Seen) -> bool) {
        let mut changed = self.shared.changed.subscribe();
        let wait = async {
            while !check(&self.seen()) {
                changed.changed().await.unwrap();
            }
        };
        soon(what, wait).await;
    }

    /// Waits for some more calls of a kind.
    pub(crate) async fn until_more(&self, kind: &'static str, more: usize) {
        let before = self.seen().count(kind);
        self.until(kind, |it| it.count(kind) >= before + more).await;
    }

    /// A viewer writes something.
    pub(crate) fn say(&self, server_id: &str, handle: &str, text: &str) {
        self.say_at(server_id, handle, text, Timestamp::now());
    }

    /// A viewer wrote something then.
    pub(crate) fn say_at(&self, server_id: &str, handle: &str, text: &str, at: Timestamp) {
        let (site, api) = ids(server_id);
        let author = format!("UC{handle}");
        let action = json!({"clickTrackingParams": "x", "addChatItemAction": {"item": {
        "liveChatTextMessageRenderer": {
            "id": site, "timestampUsec": (at.unix_ms() * 1000).to_string(),
            "authorExternalChannelId": author, "authorName": {"simpleText": format!("@{handle}")},
            "message": {"runs": [{"text": text}]},
        }}}});
        let resource = json!({"kind": "youtube#liveChatMessage", "id": api, "snippet": {
            "type": "textMessageEvent", "authorChannelId": author, "publishedAt": at.to_string(),
            "hasDisplayContent": true, "displayMessage": text,
            "textMessageDetails": {"messageText": text},
        }, "authorDetails": {"channelId": author, "displayName": format!("@{handle}")}});
        self.push(action, resource);
    }

    /// A message is taken away.
    pub(crate) fn delete(&self, server_id: &str) {
        let (site, api) = ids(server_id);
        let now = Timestamp::now().to_string();
        self.push(
            json!({"removeChatItemAction": {"targetItemId": site}}),
            json!({"id": format!("del-{server_id}"), "snippet": {"type": "messageDeletedEvent",
                   "publishedAt": now, "messageDeletedDetails": {"deletedMessageId": api}}}),
        );
    }

    /// Anything, as each way tells it.
    pub(crate) fn push(&self, action: Value, resource: Value) {
        self.seen().said.push(Said { action, resource });
    }

    /// Is gone: nobody answers at its address any more.
    pub(crate) async fn go_away(&mut self) {
        for serving in self.serving.drain(..) {
            serving.abort();
            let _ = serving.await; // Aborted.
        }
    }
}

impl Drop for Youtube {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
    }
}

impl Setup {
    /// Reads YouTube from the stand-in.
    pub(crate) fn youtube(self, youtube: &Youtube) -> Self {
        self.set("PLATFORMS__YOUTUBE__WEB_URL", youtube.url())
            .set("PLATFORMS__YOUTUBE__DATA_API_URL", youtube.url())
            .set("PLATFORMS__YOUTUBE__TOKEN_URL", format!("{}/token", youtube.url()))
            .set("PLATFORMS__YOUTUBE__OFFLINE_SECONDS", 1)
    }
}

/// One id as the site writes it, and as the Data API does.
pub(crate) fn ids(server_id: &str) -> (String, String) {
    let field = |text: &[u8]| {
        let mut bytes = vec![0x0a, u8::try_from(text.len()).unwrap()];
        bytes.extend_from_slice(text);
        bytes
    };
    let site = URL_SAFE.encode(field(&field(server_id.as_bytes())));
    let api = MessageId::of_feed(server_id).for_data_api(&chat_id()).unwrap();
    (site, api)
}

/// `{5: {1: "UCaa"}}`
pub(crate) fn chat_id() -> String {
    "KgYKBFVDYWE".to_owned()
}

fn router(door: Door) -> Router {
    Router::new()
        .route("/live_chat", get(popout))
        .route("/watch", get(page))
        .route("/youtubei/v1/live_chat/get_live_chat", post(chat))
        .route("/youtubei/v1/updated_metadata", post(metadata))
        .route("/youtube/v3/liveChat/messages", get(list).post(insert).delete(moderate))
        .route("/youtube/v3/liveChat/bans", post(moderate).delete(moderate))
        .route("/youtube/v3/videos", get(videos))
        .route("/youtube/v3/channels", get(channels))
        .route("/youtube/v3/playlistItems", get(playlist))
        .route("/youtube/v3/search", get(search))
        .route("/token", post(token))
        .fallback(page)
        .with_state(door)
}

impl Door {
    fn note(&self, kind: &'static str) -> Option<SiteFault> {
        let mut seen = self.shared.seen.lock().unwrap();
        *seen.calls.entry(kind).or_default() += 1;
        if self.proxy {
            seen.by_proxy += 1;
        }
        let well = self.proxy && seen.proxy_is_well;
        let fault = seen.site_fault.clone().filter(|_| !well);
        drop(seen);
        self.shared.changed.send_replace(());
        fault
    }

    fn note_api(&self, kind: &'static str) -> Option<ApiFault> {
        self.note(kind);
        self.seen().api_fault.clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen.lock().unwrap()
    }
}

async fn hang() -> Response {
    std::future::pending().await
}

fn html(status: u16, text: impl Into<String>) -> Response {
    (StatusCode::from_u16(status).unwrap(), Html(text.into())).into_response()
}

/// `/@ana/live`, `/channel/…/live`, `/watch`.
async fn page(State(door): State<Door>, headers: HeaderMap, uri: Uri) -> Response {
    let fault = door.note("page");
    door.seen().headers = headers;
    match fault {
        Some(SiteFault::Answers(status, text)) => return html(status, text),
        Some(SiteFault::Hangs) => return hang().await,
        _ => {}
    }
    let path = uri.path();
    let known = path.starts_with("/@ana/")
        || path == format!("/channel/{CHANNEL_ID}/live")
        || matches!(path, "/watch" | "/c/ana/live" | "/user/ana/live");
    if !known {
        return html(404, "not found");
    }
    let seen = door.seen();
    let video = seen.video();
    let details = match (seen.live, seen.scheduled) {
        (true, _) => json!({"videoId": video, "title": "A stream };</script>", "author": "Ana",
                            "channelId": CHANNEL_ID, "isLive": true, "isLiveContent": true}),
        (false, true) => json!({"videoId": video, "isUpcoming": true, "isLiveContent": true}),
        (false, false) => Value::Null,
    };
    if details.is_null() {
        return html(
            200,
            format!(
                r#"<link rel="canonical" href="https://www.youtube.com/channel/{CHANNEL_ID}"><script>var ytInitialData = {{}};</script>"#
            ),
        );
    }
    let player = json!({"videoDetails": details, "microformat": {"playerMicroformatRenderer":
        {"liveBroadcastDetails": {"startTimestamp": "2030-01-01T20:00:00+00:00"}}}});
    html(
        200,
        format!(
            r#"<link rel="canonical" href="https://www.youtube.com/watch?v={video}">
        <script>var ytInitialPlayerResponse = {player};</script>
        <script>var ytInitialData = {{"v":{{"videoViewCountRenderer":{{"isLive":true,"originalViewCount":"42"}}}}}};</script>"#
        ),
    )
}

async fn popout(State(door): State<Door>) -> Response {
    match door.note("popout") {
        Some(SiteFault::Answers(status, text)) => return html(status, text),
        Some(SiteFault::Hangs) => return hang().await,
        Some(SiteFault::NoData) => return html(200, "<html>Hello</html>"),
        Some(SiteFault::NoChat(text)) => {
            let data =
                json!({"contents": {"messageRenderer": {"text": {"runs": [{"text": text}]}}}});
            return html(200, format!(r#"<script>window["ytInitialData"] = {data};</script>"#));
        }
        _ => {}
    }
    let item = |title: &str, token: &str| json!({"title": title, "continuation": {"reloadContinuationData": {"continuation": token}}});
    let data = json!({"contents": {"liveChatRenderer": {
        "continuations": [{"invalidationContinuationData": {"continuation": "top:0"}}],
        "header": {"liveChatHeaderRenderer": {"viewSelector": {"sortFilterSubMenuRenderer": {
            "subMenuItems": [item("Top chat", "top:0"), item("Live chat", "all:0")]}}}},
    }}});
    html(
        200,
        format!(
            r#"<script>ytcfg.set({{"INNERTUBE_CLIENT_VERSION":"2.20260101.00.00"}});</script>
        <script>window["ytInitialData"] = {data};</script>"#
        ),
    )
}

async fn chat(State(door): State<Door>, Json(body): Json<Value>) -> Response {
    let fault = door.note("chat");
    door.seen().chat_body = body.clone();
    match &fault {
        Some(SiteFault::Answers(status, text)) => return html(*status, *text),
        Some(SiteFault::Hangs) => return hang().await,
        Some(SiteFault::NoContinuation) => {
            return Json(json!({"responseContext": {}})).into_response();
        }
        _ => {}
    }
    let seen = door.seen();
    if !seen.live {
        return Json(json!({"responseContext": {}})).into_response();
    }
    let token = body["continuation"].as_str().unwrap();
    let (which, place) = token.split_once(':').unwrap();
    assert_eq!(which, "all", "the selection is never asked for");
    let place: usize = place.parse().unwrap();
    // A chat that is opened anew begins a little before now.
    let place = if place == 0 { seen.said.len().saturating_sub(RECENT) } else { place };
    let unknown = fault == Some(SiteFault::UnknownKinds);
    let actions: Vec<Value> = seen.said[place..]
        .iter()
        .map(|it| match unknown {
            true => json!({"addChatItemAction": {"item": {"chatMessageViewModel": {"id": "1"}}}}),
            false => it.action.clone(),
        })
        .collect();
    let next = format!("all:{}", seen.said.len());
    let kind = ["invalidationContinuationData", "timedContinuationData"][place % 2];
    let mut answer = json!({"continuationContents": {"liveChatContinuation": {
        "continuations": [{kind: {"timeoutMs": 10_000, "continuation": next}}]}}});
    // A quiet answer has no actions at all.
    if !actions.is_empty() {
        answer["continuationContents"]["liveChatContinuation"]["actions"] = actions.into();
    }
    Json(answer).into_response()
}

async fn metadata(State(door): State<Door>) -> Response {
    door.note("metadata");
    Json(json!({"actions": [{"updateViewershipAction": {"viewCount": {"videoViewCountRenderer":
        {"viewCount": {"simpleText": "1,234 watching now"}}}}}]}))
    .into_response()
}

/// What the Data API refuses with, if it does.
async fn refused(fault: Option<ApiFault>) -> Option<Response> {
    match fault? {
        ApiFault::Refuses(status, reason) => {
            let error = json!({"error": {"code": status, "message": "no", "errors": [
                {"message": "no", "domain": "youtube", "reason": reason}]}});
            Some((StatusCode::from_u16(status).unwrap(), Json(error)).into_response())
        }
        ApiFault::Html(status) => Some(html(status, "<html>Error</html>")),
        ApiFault::Hangs => Some(hang().await),
    }
}

type Params = Query<BTreeMap<String, String>>;

async fn list(State(door): State<Door>, Query(query): Params) -> Response {
    if let Some(refused) = refused(door.note_api("list")).await {
        return refused;
    }
    let mut seen = door.seen();
    seen.list_query = query.clone();
    assert_eq!(query.get("key").map(String::as_str), Some("a-secret-key"));
    assert_eq!(query["liveChatId"], chat_id());
    let place: usize = match query.get("pageToken") {
        Some(_) if std::mem::take(&mut seen.stale_tokens) => {
            let error = json!({"error": {"code": 400, "errors": [{"reason": "pageTokenInvalid"}]}});
            return (StatusCode::BAD_REQUEST, Json(error)).into_response();
        }
        Some(token) => token.strip_prefix('p').unwrap().parse().unwrap(),
        None => seen.said.len().saturating_sub(RECENT),
    };
    let items: Vec<Value> = seen.said[place..].iter().map(|it| it.resource.clone()).collect();
    let mut answer = json!({"kind": "youtube#liveChatMessageListResponse", "pollingIntervalMillis": 500,
        "nextPageToken": format!("p{}", seen.said.len()), "items": items});
    if !seen.live {
        answer["offlineAt"] = "2026-11-24T20:00:00Z".into();
    }
    Json(answer).into_response()
}

async fn insert(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refused) = refused(door.note_api("insert")).await {
        return refused;
    }
    let mut seen = door.seen();
    let header = headers.get("authorization").and_then(|it| it.to_str().ok());
    seen.authorization = header.unwrap_or_default().to_owned();
    let message: Value = serde_json::from_slice(&body).unwrap();
    seen.sent.push(message.clone());
    let (_, id) = ids(&format!("CAsent{}", seen.sent.len()));
    Json(json!({"id": id, "snippet": message["snippet"]})).into_response()
}

/// Deletes a message, bans or unbans.
async fn moderate(
    State(door): State<Door>,
    method: Method,
    Query(mut query): Params,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = refused(door.note_api("moderate")).await {
        return refused;
    }
    assert_eq!(headers["authorization"], "Bearer an-access-token");
    // How the answer is written.
    query.retain(|it, _| !matches!(it.as_str(), "alt" | "prettyPrint"));
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let mut seen = door.seen();
    seen.moderated.push((method.to_string(), uri.path().to_owned(), query, body));
    match method {
        Method::POST => {
            Json(json!({"id": format!("ban-{}", seen.moderated.len())})).into_response()
        }
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn videos(State(door): State<Door>, Query(query): Params, headers: HeaderMap) -> Response {
    if !query.contains_key("key") && !headers.contains_key("authorization") {
        // The door that is knocked at: no key, no units.
        let fault = door.note_api("knock");
        return match fault {
            Some(ApiFault::Hangs) => hang().await,
            _ => html(403, "no key"),
        };
    }
    if let Some(refused) = refused(door.note_api("videos")).await {
        return refused;
    }
    let seen = door.seen();
    let mut details =
        json!({"scheduledStartTime": "2026-11-24T18:00:00Z", "concurrentViewers": "77"});
    if seen.live {
        details["actualStartTime"] = "2026-11-24T18:00:00Z".into();
        details["activeLiveChatId"] = chat_id().into();
    }
    Json(json!({"items": [{"id": seen.video(), "liveStreamingDetails": details, "snippet": {
        "channelId": CHANNEL_ID, "channelTitle": "Ana", "title": "A stream",
        "liveBroadcastContent": if seen.live { "live" } else { "none" }}}]}))
    .into_response()
}

async fn channels(State(door): State<Door>, Query(query): Params) -> Response {
    if let Some(refused) = refused(door.note_api("channels")).await {
        return refused;
    }
    let known = query.get("forHandle").is_some_and(|it| it == "ana");
    let items = if known { json!([{"id": CHANNEL_ID}]) } else { json!([]) };
    Json(json!({ "items": items })).into_response()
}

async fn playlist(State(door): State<Door>, Query(query): Params) -> Response {
    if let Some(refused) = refused(door.note_api("playlist")).await {
        return refused;
    }
    assert_eq!(query["playlistId"], CHANNEL_ID.replacen("UC", "UU", 1));
    let video = door.seen().video();
    Json(json!({"items": [{"contentDetails": {"videoId": video}}]})).into_response()
}

async fn search(State(door): State<Door>) -> Response {
    door.note_api("search");
    Json(json!({"items": []})).into_response()
}

async fn token(State(door): State<Door>, body: String) -> Response {
    door.note("token");
    let good = body.contains("grant_type=refresh_token") && body.contains("refresh_token=good");
    if good {
        let answer =
            json!({"access_token": "an-access-token", "expires_in": 3599, "token_type": "Bearer"});
        return Json(answer).into_response();
    }
    (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response()
}

/// Longest time in which a source that is gone must be seen as such: the promise itself.
pub(crate) const PROMISE: Duration = Duration::from_secs(10);
