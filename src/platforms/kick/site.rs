//! The site's own interfaces: the channel, the recent messages, the way to the chat socket.
//!
//! Nothing here is promised by Kick, and its front turns away what it does not like: every way of that is told
//! in words.

use std::time::Duration;

use reqwest::{Client, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    happening::ChatRules,
    wire::{Id, When, lenient},
};
use crate::{
    http::{Answer, HttpError, failure},
    model::Timestamp,
};

/// Longest time a call to the site may take.
const TIMEOUT: Duration = Duration::from_secs(6);
/// Largest answer (bytes). A channel with its categories and badges has some 60 KiB.
const MAX_BYTES: usize = 2 << 20;

/// The site.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) client: Client,
    pub(super) web_url: String,
    pub(super) realtime_url: String,
    pub(super) user_agent: String,
}

/// Why the site did not answer as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SiteError {
    /// There is no such channel.
    #[error("there is no such channel on Kick")]
    NotFound,
    /// It was not reached, or its answer did not come whole; in words.
    #[error("{0}")]
    Unreachable(String),
    /// It will not; the text says how it put it.
    #[error("{text}")]
    Refused {
        /// In words.
        text: String,
        /// Not before.
        retry_after: Option<Duration>,
    },
}

impl From<HttpError> for SiteError {
    fn from(error: HttpError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

fn refused(text: impl Into<String>) -> SiteError {
    SiteError::Refused { text: text.into(), retry_after: None }
}

/// A channel, as the site describes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SiteChannel {
    pub(super) channel_id: u64,
    pub(super) user_id: Option<u64>,
    pub(super) chatroom_id: u64,
    pub(super) slug: String,
    pub(super) badges: Vec<(u64, String)>,
    pub(super) rules: Option<ChatRules>,
    pub(super) stream: Stream,
}

/// Whether a channel is live.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) live: bool,
    pub(super) viewers: Option<u64>,
}

/// The socket that the site names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Centrifugo { url: String },
    Pusher { key: Option<String>, cluster: Option<String> },
}

impl Site {
    /// Looks a channel up by its slug.
    pub(super) async fn channel(&self, slug: &str) -> Result<SiteChannel, SiteError> {
        let answer = self.get(&format!("{}/api/v2/channels/{slug}", self.web_url)).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Err(SiteError::NotFound);
        }
        let value: Value = decoded(&answer, "kick.com")?;
        read_channel(&value)
            .ok_or_else(|| refused("kick.com describes the channel in another shape"))
    }

    /// The recent messages, oldest first.
    pub(super) async fn messages(&self, channel_id: u64) -> Result<Vec<Value>, SiteError> {
        let url = format!("{}/api/v2/channels/{channel_id}/messages", self.web_url);
        let answer = self.get(&url).await?;
        let value: Value = decoded(&answer, "kick.com")?;
        read_messages(&value).ok_or_else(|| refused("kick.com tells the history in another shape"))
    }

    /// Asks which socket the chat is to be read from.
    pub(super) async fn negotiate(
        &self,
        channel_id: u64,
        client: Uuid,
    ) -> Result<Named, SiteError> {
        let url =
            format!("{}/api/v1/realtime/channels/{channel_id}/chat/connection", self.realtime_url);
        let body = json!({
            "client": {"id": client.to_string(), "type": "web"},
            "capabilities": {"accepted_providers": [{"provider": "pusher"}, {"provider": "centrifugo"}]},
        });
        let answer = self.post(&url, &body).await?;
        let value: Value = decoded(&answer, "Kick's chat negotiation")?;
        // Over a plain connection only where the whole site is plain: a stand-in.
        let named = read_named(&value, self.realtime_url.starts_with("http://"));
        named.ok_or_else(|| refused("Kick's chat negotiation names no socket that is known"))
    }

    /// A guest's token for the socket.
    pub(super) async fn guest_token(&self, client: Uuid) -> Result<String, SiteError> {
        #[derive(Deserialize)]
        struct Granted {
            data: Data,
        }
        #[derive(Deserialize)]
        struct Data {
            token: String,
        }
        let url = format!("{}/api/v1/realtime/auth/connection", self.realtime_url);
        let answer = self.post(&url, &json!({ "client_id": client.to_string() })).await?;
        let Granted { data } = decoded(&answer, "Kick's chat token")?;
        Ok(data.token)
    }

    async fn get(&self, url: &str) -> Result<Answer, SiteError> {
        self.send(self.client.get(url)).await
    }

    async fn post(&self, url: &str, body: &Value) -> Result<Answer, SiteError> {
        self.send(self.client.post(url).json(body)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, SiteError> {
        let referer = format!("{}/", self.web_url);
        let answer = async {
            let response = request
                .header(header::USER_AGENT, &self.user_agent)
                .header(header::REFERER, referer)
                .header(header::ACCEPT, "application/json")
                .header("x-app-platform", "web")
                .timeout(TIMEOUT)
                .send()
                .await
                .map_err(|it| failure("kick.com", &it))?;
            Answer::read(response, MAX_BYTES).await
        };
        Ok(answer.await?)
    }
}

/// The answer as JSON; otherwise what stands in its way, in words.
fn decoded<T: for<'de> Deserialize<'de>>(answer: &Answer, who: &str) -> Result<T, SiteError> {
    let retry_after = answer.retry_after;
    let text = answer.text();
    let is_html = answer.content_type.contains("html") || text.trim_start().get(..1) == Some("<");
    let status = answer.status.as_u16();
    let words = match status {
        200..=299 if is_html => {
            format!("{who} answered with a page (HTML) where data was asked for")
        }
        200..=299 => match serde_json::from_slice(&answer.body) {
            Ok(it) => return Ok(it),
            Err(_) => format!("{who} answered in another shape"),
        },
        403 if is_html => {
            format!("{who} turned this server away (403, a Cloudflare challenge in HTML)")
        }
        403 if text.contains("security policy") => {
            format!("{who} turned this server away (403, blocked by its security policy)")
        }
        401 | 403 => format!("{who} turned this server away ({status})"),
        429 => match retry_after {
            Some(it) => format!("{who} asks for a pause of {} s (429)", it.as_secs()),
            None => format!("{who} asks for a pause (429)"),
        },
        _ => format!("{who} answered {status}"),
    };
    Err(SiteError::Refused { text: words, retry_after })
}

/// The messages of a history, oldest first.
fn read_messages(value: &Value) -> Option<Vec<Value>> {
    let messages = value["data"]["messages"].as_array()?;
    Some(messages.iter().rev().cloned().collect())
}

/// The first socket that is named and known here.
fn read_named(value: &Value, may_be_plain: bool) -> Option<Named> {
    #[derive(Deserialize)]
    struct Negotiated {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        connections: Vec<Connection>,
    }
    #[derive(Deserialize)]
    struct Connection {
        provider: String,
        #[serde(default)]
        credentials: Credentials,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Credentials {
        #[serde(deserialize_with = "lenient")]
        url: Option<String>,
        #[serde(deserialize_with = "lenient")]
        app_key: Option<String>,
        #[serde(deserialize_with = "lenient")]
        cluster: Option<String>,
    }
    let Negotiated { data } = Negotiated::deserialize(value).ok()?;
    data.connections.into_iter().find_map(|it| match it.provider.as_str() {
        "centrifugo" => {
            let url = it.credentials.url?;
            let is_socket = url.starts_with("wss://") || (may_be_plain && url.starts_with("ws://"));
            is_socket.then_some(Named::Centrifugo { url })
        }
        "pusher" => {
            let plain = |it: &String| {
                !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
            };
            let Credentials { app_key, cluster, .. } = it.credentials;
            Some(Named::Pusher { key: app_key.filter(plain), cluster: cluster.filter(plain) })
        }
        _ => None,
    })
}

fn read_channel(value: &Value) -> Option<SiteChannel> {
    #[derive(Deserialize)]
    struct Sent {
        id: u64,
        #[serde(default, deserialize_with = "lenient")]
        user_id: Option<u64>,
        #[serde(default, deserialize_with = "lenient")]
        slug: Option<String>,
        chatroom: Chatroom,
        #[serde(default, deserialize_with = "lenient")]
        livestream: Option<Livestream>,
        #[serde(default, deserialize_with = "lenient")]
        subscriber_badges: Option<Vec<Value>>,
    }
    #[derive(Deserialize)]
    struct Chatroom {
        id: u64,
        #[serde(default, deserialize_with = "lenient")]
        slow_mode: Option<bool>,
        #[serde(default, deserialize_with = "lenient")]
        followers_mode: Option<bool>,
        #[serde(default, deserialize_with = "lenient")]
        subscribers_mode: Option<bool>,
        #[serde(default, deserialize_with = "lenient")]
        emotes_mode: Option<bool>,
        #[serde(default, deserialize_with = "lenient")]
        message_interval: Option<u64>,
        #[serde(default, deserialize_with = "lenient")]
        following_min_duration: Option<u64>,
    }
    #[derive(Deserialize)]
    struct Badge {
        months: u64,
        badge_image: Image,
    }
    #[derive(Deserialize)]
    struct Image {
        src: String,
    }
    let sent = Sent::deserialize(value).ok()?;
    let room = sent.chatroom;
    // Without these fields the rules are not told here.
    let rules = room.slow_mode.map(|slow| ChatRules {
        slow_seconds: if slow { room.message_interval.unwrap_or(0) } else { 0 },
        followers_only_minutes: room
            .followers_mode
            .unwrap_or(false)
            .then(|| room.following_min_duration.unwrap_or(0)),
        subscribers_only: room.subscribers_mode.unwrap_or(false),
        emote_only: room.emotes_mode.unwrap_or(false),
    });
    let badges = sent.subscriber_badges.unwrap_or_default();
    let badges = badges.iter().filter_map(|it| Badge::deserialize(it).ok());
    let mut badges: Vec<(u64, String)> = badges.map(|it| (it.months, it.badge_image.src)).collect();
    badges.sort_unstable();
    Some(SiteChannel {
        channel_id: sent.id,
        user_id: sent.user_id,
        chatroom_id: room.id,
        slug: sent.slug.unwrap_or_default(),
        badges,
        rules,
        stream: sent.livestream.as_ref().map_or_else(Stream::default, Livestream::stream),
    })
}

/// A live stream, as the site and its events describe one.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Livestream {
    #[serde(deserialize_with = "lenient")]
    pub(super) id: Option<Id>,
    #[serde(deserialize_with = "lenient")]
    session_title: Option<String>,
    #[serde(deserialize_with = "lenient")]
    title: Option<String>,
    #[serde(deserialize_with = "lenient")]
    is_live: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    viewer_count: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    viewers: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    start_time: Option<When>,
    #[serde(deserialize_with = "lenient")]
    started_at: Option<When>,
    #[serde(deserialize_with = "lenient")]
    created_at: Option<When>,
}

impl Livestream {
    /// One that is described is live unless it says otherwise.
    pub(super) fn stream(&self) -> Stream {
        let live = self.is_live.unwrap_or(true);
        Stream { live, viewers: self.viewer_count.or(self.viewers).filter(|_| live) }
    }

    /// Its title.
    pub(super) fn title(&self) -> Option<&str> {
        let title = self.session_title.as_deref().or(self.title.as_deref())?;
        Some(title.trim()).filter(|it| !it.is_empty())
    }

    /// When it began.
    pub(super) fn started_at(&self) -> Option<Timestamp> {
        let told = [self.start_time, self.started_at, self.created_at];
        told.into_iter().flatten().next().map(|it| it.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            etag: None,
            content_type: content_type.to_owned(),
            body: body.to_owned().into(),
        }
    }

    fn words(status: u16, content_type: &str, body: &str) -> String {
        decoded::<Vec<u8>>(&answer(status, content_type, body), "kick.com").unwrap_err().to_string()
    }

    #[test]
    fn every_way_of_being_turned_away_is_named() {
        assert!(words(403, "text/html; charset=UTF-8", "<!DOCTYPE html>").contains("challenge"));
        let policy = r#"{"error":"Request blocked by security policy.","reference":"1"}"#;
        assert!(words(403, "application/json", policy).contains("security policy"));
        assert!(words(200, "application/json", "<html>").contains("HTML"));
        assert!(words(200, "application/json", "{}").contains("another shape"));
        assert!(words(502, "text/html", "<html>").contains("502"));
    }

    #[test]
    fn a_channel_is_read_with_or_without_a_stream() {
        let mut sent = json!({
            "id": 11, "user_id": 12, "slug": "ana", "livestream": null,
            "chatroom": {"id": 13, "slow_mode": true, "message_interval": 6, "followers_mode": true,
                         "following_min_duration": 10, "subscribers_mode": false, "emotes_mode": false},
            "subscriber_badges": [
                {"months": 6, "badge_image": {"src": "https://files.kick.com/b"}},
                {"months": 1, "badge_image": {"src": "https://files.kick.com/a"}}, 5],
        });
        let channel = read_channel(&sent).unwrap();
        assert_eq!((channel.channel_id, channel.chatroom_id, channel.user_id), (11, 13, Some(12)));
        assert_eq!(channel.badges[0].0, 1);
        assert_eq!(channel.rules.unwrap().followers_only_minutes, Some(10));
        assert!(!channel.stream.live);
        sent["livestream"] =
            json!({"id": 5, "is_live": true, "viewer_count": 42, "session_title": "hi"});
        assert_eq!(read_channel(&sent).unwrap().stream, Stream { live: true, viewers: Some(42) });
        sent["chatroom"] = json!(null);
        assert_eq!(read_channel(&sent), None);
    }

    #[test]
    fn a_plain_socket_is_taken_from_a_plain_site_only() {
        let connection = json!({"provider": "centrifugo", "credentials": {"url": "ws://a/b"}});
        let named = json!({"data": {"connections": [{"provider": "new"}, connection]}});
        assert_eq!(
            read_named(&named, true),
            Some(Named::Centrifugo { url: "ws://a/b".to_owned() })
        );
        assert_eq!(read_named(&named, false), None);
    }

    /// Goal: every recorded answer of the site is understood, or its refusal named.
    #[test]
    fn recorded_answers_are_understood() {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/kick");
        if !folder.exists() {
            eprintln!("skipped: there is no {}", folder.display());
            return;
        }
        let text = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        let json_of = |file: &str| serde_json::from_str::<Value>(&text(file)).unwrap();
        let named = json_of("centrifugo/chat-connection-response--chat-downloader-fork.json");
        let Some(Named::Centrifugo { url }) = read_named(&named, false) else { panic!("{named}") };
        assert!(url.starts_with("wss://") && url.ends_with("/connection/websocket"));
        let connection = json_of("centrifugo/chat-connection-response-pusher--giftdeck.json");
        let named = json!({"data": {"connections": [connection]}});
        let Some(Named::Pusher { key: Some(key), cluster: Some(_) }) = read_named(&named, false)
        else {
            panic!("{named}")
        };
        assert_eq!(key.len(), 20);
        let policy = text("rest/error-403-security-policy--kickdevdocs-issue.json");
        assert!(words(403, "application/json", &policy).contains("security policy"));
        let challenge = text("rest/site-cloudflare-challenge--chat-downloader-fork.html");
        assert!(words(403, "text/html", &challenge).contains("challenge"));
        let history = json_of("rest/site-messages-with-pin--chat-downloader-fork.json");
        assert_eq!(read_messages(&history).map(|it| it.len()), Some(1));
        // Answers that are none of a channel are not taken for one.
        for other in [
            "rest/site-api-v2-channel-me--kickbot.json",
            "rest/site-error-invalid-chatroom--kick-api-docs.json",
            "rest/site-chatroom-of-channel--kickbot.json",
            "rest/site-clips--kick-api-docs.json",
        ] {
            assert_eq!(read_channel(&json_of(other)), None, "{other}");
        }
    }
}
