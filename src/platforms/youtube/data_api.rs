//! The Data API, version 3, through `google-youtube3`: the only file that names the crate.
//!
//! Answers are read from their raw JSON, item by item: the crate refuses a whole page for one strange item,
//! and knows no details of newer kinds. No call hangs, none is tried twice, and no error shows the key.
//!
//! The size of an answer has no bound but `CALL_TIMEOUT`: the crate reads a body whole before it gives it away, and
//! takes no other client than its own kind.

use std::{path::Path, sync::Arc, time::Duration};

use google_youtube3::{
    YouTube, api,
    common::{self, Delegate, GetToken, NoToken, Retry, to_bytes},
    hyper_rustls::{HttpsConnector, HttpsConnectorBuilder},
    hyper_util::{
        client::legacy::{Client, connect::HttpConnector},
        rt::TokioExecutor,
    },
};
use serde_json::Value;
use tokio::time::timeout;

use super::{broadcast::Broadcast, trouble::Trouble};
use crate::{http::tls, model::Timestamp};

/// Longest wait for an answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest pause that a page of a chat may ask for.
const LONGEST_POLLING: Duration = Duration::from_secs(60);
/// Most messages of one answer: the platform's own limit.
const MAX_RESULTS: u32 = 2_000;
/// Edge of the pictures of viewers (px).
const PICTURE_PIXELS: u32 = 88;

/// What calls cost (units).
pub mod cost {
    /// `liveChatMessages.list`
    pub const CHAT: u32 = 5;
    /// `videos.list`, `channels.list`, `playlistItems.list`
    pub const LIST: u32 = 1;
    /// `search.list`
    pub const SEARCH: u32 = 100;
    /// `liveChatMessages.insert` and `.delete`, `liveChatBans.insert` and `.delete`
    pub const INSERT: u32 = 50;
}

type Hub = YouTube<HttpsConnector<HttpConnector>>;

/// The API as one key or one account sees it. Cheap to clone.
#[derive(Clone)]
pub struct DataApi {
    hub: Arc<Hub>,
    key: Option<Arc<str>>,
}

/// A page of a chat.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatPage {
    /// The items, as sent.
    pub items: Vec<Value>,
    /// Where to go on.
    pub next_page_token: Option<String>,
    /// How long to wait for that, at the least.
    pub polling_interval: Option<Duration>,
    /// The stream is over.
    pub ended: bool,
}

/// A video, as far as a chat is concerned.
#[derive(Debug, Clone, PartialEq)]
pub struct Video {
    /// Whether it is live, and whose.
    pub broadcast: Broadcast,
    /// Whether it is live now.
    pub live: bool,
    /// When it is to begin.
    pub starts_at: Option<Timestamp>,
    /// Its chat, while that is open.
    pub live_chat_id: Option<String>,
}

/// By what a channel is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelBy<'a> {
    /// `UC…`
    Id(&'a str),
    /// Without its `@`.
    Handle(&'a str),
    /// A name of old.
    User(&'a str),
}

impl DataApi {
    /// With an API key.
    ///
    /// # Errors
    /// When the file with further authorities cannot be read.
    pub async fn with_key(base: &str, ca_file: Option<&Path>, key: &str) -> Result<Self, Trouble> {
        let hub = hub(base, ca_file, NoToken).await?;
        Ok(Self { hub: Arc::new(hub), key: Some(key.into()) })
    }

    /// With an access token.
    ///
    /// # Errors
    /// When the file with further authorities cannot be read.
    pub async fn with_token(
        base: &str,
        ca_file: Option<&Path>,
        token: &str,
    ) -> Result<Self, Trouble> {
        let hub = hub(base, ca_file, token.to_owned()).await?;
        Ok(Self { hub: Arc::new(hub), key: None })
    }

    /// What was written behind `page_token`; without one, what was written lately.
    ///
    /// # Errors
    /// Whatever the API says no with.
    pub async fn list_chat(
        &self,
        live_chat_id: &str,
        page_token: Option<&str>,
    ) -> Result<ChatPage, Trouble> {
        let parts = strings(&["id", "snippet", "authorDetails"]);
        let mut seen = Seen::default();
        let methods = self.hub.live_chat_messages();
        let mut call = methods
            .list(live_chat_id, &parts)
            .max_results(MAX_RESULTS)
            .profile_image_size(PICTURE_PIXELS)
            .hl("en")
            .delegate(&mut seen);
        if let Some(token) = page_token {
            call = call.page_token(token);
        }
        if let Some(key) = &self.key {
            call = call.param("key", key);
        }
        let answered = timeout(CALL_TIMEOUT, Box::pin(call.doit())).await;
        let mut page = body(answered, &seen).await?;
        let items = match page["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        Ok(ChatPage {
            next_page_token: page["nextPageToken"].as_str().map(str::to_owned),
            polling_interval: polling_interval(&page),
            ended: page["offlineAt"].is_string()
                || items.iter().any(|it| it["snippet"]["type"] == "chatEndedEvent"),
            items,
        })
    }

    /// What is known of videos, by id; unknown ones are missing.
    ///
    /// # Errors
    /// Whatever the API says no with.
    pub async fn list_videos(&self, ids: &[String]) -> Result<Vec<Video>, Trouble> {
        let parts = strings(&["snippet", "liveStreamingDetails"]);
        let mut seen = Seen::default();
        let methods = self.hub.videos();
        let mut call = methods.list(&parts).delegate(&mut seen);
        for id in ids {
            call = call.add_id(id);
        }
        if let Some(key) = &self.key {
            call = call.param("key", key);
        }
        let answered = timeout(CALL_TIMEOUT, Box::pin(call.doit())).await;
        let found = body(answered, &seen).await?;
        Ok(items(&found).iter().filter_map(read_video).collect())
    }

    /// The `UC…` of a channel.
    ///
    /// # Errors
    /// Whatever the API says no with.
    pub async fn find_channel(&self, channel: ChannelBy<'_>) -> Result<Option<String>, Trouble> {
        let parts = strings(&["id"]);
        let mut seen = Seen::default();
        let methods = self.hub.channels();
        let call = methods.list(&parts).delegate(&mut seen);
        let mut call = match channel {
            ChannelBy::Id(id) => call.add_id(id),
            ChannelBy::Handle(name) => call.for_handle(name),
            ChannelBy::User(name) => call.for_username(name),
        };
        if let Some(key) = &self.key {
            call = call.param("key", key);
        }
        let answered = timeout(CALL_TIMEOUT, Box::pin(call.doit())).await;
        let found = body(answered, &seen).await?;
        Ok(items(&found).first().and_then(|it| it["id"].as_str()).map(str::to_owned))
    }

    /// The newest videos of a channel: a stream is among them from its beginning.
    ///
    /// # Errors
    /// Whatever the API says no with.
    pub async fn list_newest_videos(&self, channel_id: &str) -> Result<Vec<String>, Trouble> {
        // Every channel has a list of its uploads under its own id with another beginning.
        let uploads = channel_id.replacen("UC", "UU", 1);
        let parts = strings(&["contentDetails"]);
        let mut seen = Seen::default();
        let methods = self.hub.playlist_items();
        let mut call =
            methods.list(&parts).playlist_id(&uploads).max_results(10).delegate(&mut seen);
        if let Some(key) = &self.key {
            call = call.param("key", key);
        }
        let answered = timeout(CALL_TIMEOUT, Box::pin(call.doit())).await;
        let found = body(answered, &seen).await?;
        let id = |it: &Value| it["contentDetails"]["videoId"].as_str().map(str::to_owned);
        Ok(items(&found).iter().filter_map(id).collect())
    }

    /// The live streams of a channel, by search, which is dear.
    ///
    /// # Errors
    /// Whatever the API says no with.
    pub async fn search_live(&self, channel_id: &str) -> Result<Vec<String>, Trouble> {
        let parts = strings(&["id"]);
        let mut seen = Seen::default();
        let methods = self.hub.search();
        let mut call = methods
            .list(&parts)
            .channel_id(channel_id)
            .event_type("live")
            .add_type("video")
            .delegate(&mut seen);
        if let Some(key) = &self.key {
            call = call.param("key", key);
        }
        let answered = timeout(CALL_TIMEOUT, Box::pin(call.doit())).await;
        let found = body(answered, &seen).await?;
        let id = |it: &Value| it["id"]["videoId"].as_str().map(str::to_owned);
        Ok(items(&found).iter().filter_map(id).collect())
    }

    /// Says `text` in a chat; the id of the message, as the API writes it.
    ///
    /// # Errors
    /// Whatever the API says no with.
    pub async fn insert_message(&self, live_chat_id: &str, text: &str) -> Result<String, Trouble> {
        let message = api::LiveChatMessage {
            snippet: Some(api::LiveChatMessageSnippet {
                live_chat_id: Some(live_chat_id.to_owned()),
                type_: Some("textMessageEvent".to_owned()),
                text_message_details: Some(api::LiveChatTextMessageDetails {
                    message_text: Some(text.to_owned()),
                }),
                ..api::LiveChatMessageSnippet::default()
            }),
            ..api::LiveChatMessage::default()
        };
        let mut seen = Seen::default();
        let methods = self.hub.live_chat_messages();
        // The part says what is written, and what is answered.
        let call = methods.insert(message).add_part("snippet").delegate(&mut seen);
        let answered = timeout(CALL_TIMEOUT, Box::pin(call.doit())).await;
        let sent = body(answered, &seen).await?;
        Ok(sent["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Takes a message out of its chat, by the id that the API writes.
    ///
    /// # Errors
    /// Whatever the API says no with.
    pub async fn delete_message(&self, id: &str) -> Result<(), Trouble> {
        let mut seen = Seen::default();
        let methods = self.hub.live_chat_messages();
        let call = methods.delete(id).delegate(&mut seen);
        let answered = timeout(CALL_TIMEOUT, Box::pin(call.doit())).await;
        done(answered, &seen).await
    }

    /// Bans a viewer's channel from a chat, for so many seconds or until it is taken back; the ban's id.
    ///
    /// # Errors
    /// Whatever the API says no with.
    pub async fn ban(
        &self,
        live_chat_id: &str,
        channel_id: &str,
        seconds: Option<u32>,
    ) -> Result<String, Trouble> {
        let kind = if seconds.is_some() { "temporary" } else { "permanent" };
        let ban = api::LiveChatBan {
            snippet: Some(api::LiveChatBanSnippet {
                live_chat_id: Some(live_chat_id.to_owned()),
                type_: Some(kind.to_owned()),
                ban_duration_seconds: seconds.map(u64::from),
                banned_user_details: Some(api::ChannelProfileDetails {
                    channel_id: Some(channel_id.to_owned()),
                    ..api::ChannelProfileDetails::default()
                }),
            }),
            ..api::LiveChatBan::default()
        };
        let mut seen = Seen::default();
        let methods = self.hub.live_chat_bans();
        let call = methods.insert(ban).add_part("snippet").delegate(&mut seen);
        let answered = timeout(CALL_TIMEOUT, Box::pin(call.doit())).await;
        let made = body(answered, &seen).await?;
        Ok(made["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Takes a ban back, by its id.
    ///
    /// # Errors
    /// Whatever the API says no with.
    pub async fn unban(&self, id: &str) -> Result<(), Trouble> {
        let mut seen = Seen::default();
        let methods = self.hub.live_chat_bans();
        let call = methods.delete(id).delegate(&mut seen);
        let answered = timeout(CALL_TIMEOUT, Box::pin(call.doit())).await;
        done(answered, &seen).await
    }
}

/// What came of a call whose answer is empty.
async fn done(
    answered: Result<common::Result<common::Response>, tokio::time::error::Elapsed>,
    seen: &Seen,
) -> Result<(), Trouble> {
    match answered {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => body::<()>(Ok(Err(error)), seen).await.map(drop),
        Err(late) => body::<()>(Err(late), seen).await.map(drop),
    }
}

async fn hub(
    base: &str,
    ca_file: Option<&Path>,
    auth: impl GetToken + 'static,
) -> Result<Hub, Trouble> {
    let tls = tls::client_config(ca_file)
        .await
        .map_err(|it| Trouble::Unreachable(format!("the file tls_ca_file cannot be used: {it}")))?;
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config((*tls).clone())
        .https_or_http()
        .enable_http1()
        .build();
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let mut hub = YouTube::new(client, auth);
    hub.base_url(format!("{}/", base.trim_end_matches('/')));
    Ok(hub)
}

/// How long a page asks to wait.
fn polling_interval(page: &Value) -> Option<Duration> {
    let millis = page["pollingIntervalMillis"].as_u64()?;
    Some(Duration::from_millis(millis).min(LONGEST_POLLING))
}

/// What the crate does not tell of a refusal.
#[derive(Default)]
struct Seen {
    status: u16,
    retry_after: Option<Duration>,
}

impl Delegate for Seen {
    fn http_failure(&mut self, response: &common::Response, _error: Option<&Value>) -> Retry {
        self.status = response.status().as_u16();
        let header = response.headers().get("retry-after").and_then(|it| it.to_str().ok());
        self.retry_after = header.and_then(|it| it.trim().parse().ok()).map(Duration::from_secs);
        Retry::Abort
    }
}

type Answered<T> = Result<common::Result<(common::Response, T)>, tokio::time::error::Elapsed>;

/// The raw JSON of an answer, whether the crate could read it or not.
async fn body<T>(answered: Answered<T>, seen: &Seen) -> Result<Value, Trouble> {
    let error = match answered {
        Err(_) => return Err(Trouble::Unreachable("the Data API does not answer".to_owned())),
        Ok(Ok((response, _))) => {
            let bytes = to_bytes(response.into_body()).await.unwrap_or_default();
            return serde_json::from_slice(&bytes).map_err(|_| not_json());
        }
        Ok(Err(error)) => error,
    };
    match error {
        // One strange item among many: they are read one by one.
        common::Error::JsonDecodeError(text, _) => {
            serde_json::from_str(&text).map_err(|_| not_json())
        }
        common::Error::BadRequest(error) => Err(refusal(&error, seen)),
        common::Error::Failure(_) => Err(refusal(&Value::Null, seen)),
        common::Error::HttpError(error) if error.is_connect() => {
            Err(Trouble::Unconnected(innermost(&error)))
        }
        common::Error::HttpError(error) => Err(Trouble::Unreachable(innermost(&error))),
        common::Error::Io(error) => Err(Trouble::Unreachable(error.to_string())),
        _ => Err(Trouble::Unreachable("the call could not be made".to_owned())),
    }
}

fn not_json() -> Trouble {
    Trouble::Busy("something that is not JSON".to_owned())
}

/// The cause of causes, which has no address in it.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// What a refusal means. Some bodies are a list that holds the error.
fn refusal(body: &Value, seen: &Seen) -> Trouble {
    let error = &body.get(0).unwrap_or(body)["error"];
    let code = error["code"].as_u64().and_then(|it| u16::try_from(it).ok()).unwrap_or(seen.status);
    let first = &error["errors"][0]["reason"];
    // A newer form of errors has its reason elsewhere.
    let reason = first
        .as_str()
        .or_else(|| error["details"][0]["reason"].as_str())
        .or_else(|| error["status"].as_str())
        .unwrap_or_default();
    match (reason, code) {
        ("quotaExceeded" | "dailyLimitExceeded", _) => Trouble::QuotaSpent(
            crate::quotas::reset_after(crate::model::Platform::Youtube, Timestamp::now()),
        ),
        ("rateLimitExceeded" | "userRateLimitExceeded" | "RATE_LIMIT_EXCEEDED", _) | (_, 429) => {
            Trouble::TooOften(seen.retry_after)
        }
        ("liveChatEnded", _) => Trouble::Ended,
        ("liveChatDisabled", _) => {
            Trouble::NoChat("the chat of this stream is switched off".to_owned())
        }
        ("liveChatNotFound" | "videoNotFound" | "notFound" | "playlistNotFound", _) => {
            Trouble::NotFound
        }
        ("pageTokenInvalid" | "invalidPageToken", _) => Trouble::Stale,
        (
            "keyInvalid"
            | "keyExpired"
            | "accessNotConfigured"
            | "ipRefererBlocked"
            | "authError"
            | "API_KEY_INVALID"
            | "API_KEY_SERVICE_BLOCKED"
            | "SERVICE_DISABLED"
            | "UNAUTHENTICATED"
            | "forbiddenByKey",
            _,
        )
        | (_, 401) => Trouble::Key(word(reason, code)),
        // A key that is none is a plain bad request in the older form.
        ("badRequest", 400)
            if error["message"].as_str().is_some_and(|it| it.contains("API key not valid")) =>
        {
            Trouble::Key("keyInvalid".to_owned())
        }
        ("badRequest", 400)
            if error["message"].as_str().is_some_and(|it| it.contains("API key")) =>
        {
            Trouble::Key(word(reason, code))
        }
        ("forbidden" | "insufficientPermissions", _) => {
            Trouble::NoChat("YouTube forbids reading the chat of this stream".to_owned())
        }
        (_, 500..) => Trouble::Busy(code.to_string()),
        (_, 404) => Trouble::NotFound,
        _ => Trouble::Refused(word(reason, code)),
    }
}

/// The reason, if it is a word; else the status.
fn word(reason: &str, code: u16) -> String {
    let plain = reason.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    if plain && (1..=60).contains(&reason.len()) { reason.to_owned() } else { code.to_string() }
}

fn items(answer: &Value) -> &[Value] {
    answer["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn read_video(item: &Value) -> Option<Video> {
    let (snippet, details) = (&item["snippet"], &item["liveStreamingDetails"]);
    let text = |it: &Value| it.as_str().filter(|it| !it.is_empty()).map(str::to_owned);
    let time = |name: &str| details[name].as_str().and_then(|it| Timestamp::parse(it).ok());
    let live = snippet["liveBroadcastContent"] == "live"
        || (time("actualStartTime").is_some() && time("actualEndTime").is_none());
    Some(Video {
        broadcast: Broadcast {
            video: text(&item["id"])?,
            channel_id: text(&snippet["channelId"]),
            channel_name: text(&snippet["channelTitle"]),
            title: text(&snippet["title"]),
            viewers: details["concurrentViewers"].as_str().and_then(|it| it.parse().ok()),
            sure: true,
        },
        live,
        starts_at: time("scheduledStartTime").filter(|_| time("actualStartTime").is_none()),
        live_chat_id: text(&details["activeLiveChatId"]),
    })
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|it| (*it).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(reason: &str, code: u16) -> Trouble {
        let error =
            json!({"error": {"code": code, "message": "no", "errors": [{"reason": reason}]}});
        let list = json!([error.clone()]);
        let seen = Seen { status: code, retry_after: None };
        assert_eq!(refusal(&error, &seen), refusal(&list, &seen), "as a list too");
        refusal(&error, &seen)
    }

    #[test]
    fn a_refusal_is_told_by_its_reason_before_its_status() {
        assert!(matches!(read("quotaExceeded", 403), Trouble::QuotaSpent(_)));
        assert!(matches!(read("dailyLimitExceeded", 403), Trouble::QuotaSpent(_)));
        assert_eq!(read("rateLimitExceeded", 403), Trouble::TooOften(None));
        assert_eq!(read("whatever", 429), Trouble::TooOften(None));
        assert_eq!(read("liveChatEnded", 403), Trouble::Ended);
        assert_eq!(read("liveChatNotFound", 404), Trouble::NotFound);
        assert_eq!(read("pageTokenInvalid", 400), Trouble::Stale);
        assert!(matches!(read("liveChatDisabled", 403), Trouble::NoChat(_)));
        assert!(matches!(read("forbidden", 403), Trouble::NoChat(_)));
        assert_eq!(read("keyInvalid", 400), Trouble::Key("keyInvalid".to_owned()));
        assert_eq!(read("authError", 401), Trouble::Key("authError".to_owned()));
        assert_eq!(read("backendError", 503), Trouble::Busy("503".to_owned()));
        assert_eq!(read("<b>what</b>", 400), Trouble::Refused("400".to_owned()));
        let seen = Seen { status: 502, retry_after: None };
        assert_eq!(refusal(&Value::Null, &seen), Trouble::Busy("502".to_owned()));
    }

    #[test]
    fn no_page_asks_for_more_than_a_minute() {
        for (said, taken) in
            [(json!(1_500), Some(1_500)), (json!(u64::MAX), Some(60_000)), (json!("x"), None)]
        {
            let page = json!({"pollingIntervalMillis": said});
            assert_eq!(polling_interval(&page), taken.map(Duration::from_millis));
        }
    }

    #[test]
    fn a_scheduled_stream_is_not_live_and_one_that_began_is() {
        let video = |details: Value| {
            read_video(&json!({"id": "aaaaaaaaaaa", "snippet": {"channelId": "UC", "title": "Hi"},
                               "liveStreamingDetails": details}))
            .unwrap()
        };
        let began = "2026-11-24T18:00:00Z";
        let scheduled = video(json!({"scheduledStartTime": began, "activeLiveChatId": "C"}));
        assert!(!scheduled.live && scheduled.starts_at.is_some());
        let live = video(json!({"scheduledStartTime": began, "actualStartTime": began,
                                "concurrentViewers": "42", "activeLiveChatId": "C"}));
        assert!(live.live && live.starts_at.is_none());
        assert_eq!(live.broadcast.viewers, Some(42));
        let over = video(json!({"actualStartTime": began, "actualEndTime": began}));
        assert!(!over.live && over.live_chat_id.is_none());
    }

    #[test]
    fn recorded_refusals_and_videos_are_what_they_were() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../shared/captures/youtube/data-api");
        if !folder.is_dir() {
            eprintln!("skipped: no captures at {}", folder.display());
            return;
        }
        let mut seen = 0;
        for path in std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let body: Value =
                serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let trouble = refusal(&body, &Seen::default());
            seen += 1;
            match name.split("--").next().unwrap() {
                "error-live-chat-disabled" | "error-stream-live-chat-disabled" => {
                    assert!(matches!(trouble, Trouble::NoChat(_)), "{name}: {trouble}");
                }
                "error-live-chat-ended" => assert_eq!(trouble, Trouble::Ended),
                "error-live-chat-not-found" => assert_eq!(trouble, Trouble::NotFound),
                "error-quota-exceeded-old-order" => {
                    assert!(matches!(trouble, Trouble::QuotaSpent(_)), "{name}: {trouble}");
                }
                "videos-list-live-2022" => {
                    let video = read_video(&items(&body)[0]).unwrap();
                    assert!(video.live && video.live_chat_id.is_some());
                }
                "videos-list-unknown-id-2022" => assert!(items(&body).is_empty()),
                "search-list-live-2022" => {
                    assert_eq!(items(&body)[0]["id"]["videoId"].as_str().unwrap().len(), 11);
                }
                "list-text-message-2022" => {
                    // The Data API's own id, written again from its parts.
                    let item = &items(&body)[0];
                    let id = item["id"].as_str().unwrap();
                    let chat = item["snippet"]["liveChatId"].as_str().unwrap();
                    let parts = super::super::message_id::MessageId::parse(id).unwrap();
                    assert_eq!(parts.for_data_api(chat).as_deref(), Some(id));
                }
                "list-all-types-fixture" => assert_eq!(items(&body).len(), 10),
                other => panic!("{other} is expected to be nothing"),
            }
        }
        assert!(seen > 0);
    }
}
