//! The official Live Stream API: follows, subscribers, gifts and viewers beside the chat, and the chat itself
//! when nothing else works.
//!
//! Its address is made on the creator's account page and is itself the secret; the document holds another
//! one, `stream_key`. Neither is ever logged or shown: only the fields named here are read.
//!
//! Source: "Rumble's Live Stream API" at rumble.support, and clients that read it. Times
//! have whole seconds, messages have no ids, and at most 50 things are told at once.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt,
    time::Duration,
};

use reqwest::{Client, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::{sync::mpsc, task::JoinHandle, time::sleep};

use super::value::{find, number, text, time};
use crate::{
    http::{Answer, CALL_TIMEOUT, failure},
    lifecycle::Lifecycle,
    model::Timestamp,
};

/// Largest document (bytes).
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// What is remembered as told (count).
const MAX_SEEN: usize = 8_192;
/// News that wait for the worker (count). Full: the next call waits.
const QUEUE: usize = 16;
/// Longest wait behind failures.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The key of a creator's API. Shown, it tells nothing.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ApiKey(String);

impl ApiKey {
    /// From what a person copied: the key, or the whole address that holds it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let key = match text.split_once("key=") {
            Some((_, rest)) => rest.split(['&', '#']).next()?,
            None if text.contains('/') => return None,
            None => text,
        };
        (!key.is_empty()).then(|| Self(key.to_owned()))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// Something the API tells for the first time.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// Unique and stable: a hash of all that identifies it, and how many alike came before.
    pub id: String,
    /// Who.
    pub name: String,
    /// When, by the site's clock.
    pub at: Option<Timestamp>,
    /// What.
    pub what: What,
}

/// What the API tells.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Somebody follows.
    Follow,
    /// Somebody subscribed, for so much (US cents).
    Subscribe(Option<i64>),
    /// Somebody gave so many subscriptions of a kind.
    Gift(Option<u64>, Option<String>),
    /// Somebody wrote something.
    Say(Said),
}

/// A chat message, as the API tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Plain.
    pub text: String,
    /// The site's names.
    pub badges: Vec<String>,
    /// What was paid with it (US cents).
    pub rant_cents: Option<i64>,
}

/// What one call told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Told {
    /// The stream that is live: its base-36 id, title and viewers.
    pub(super) live: Option<LiveStream>,
    /// What is new, oldest first.
    pub(super) news: Vec<News>,
    /// The server's clock.
    pub(super) now: Option<Timestamp>,
    /// The newest message, new or not.
    pub(super) newest_message: Option<Timestamp>,
}

/// A stream that is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LiveStream {
    pub(super) id: String,
    pub(super) title: Option<String>,
    pub(super) viewers: Option<u64>,
}

impl LiveStream {
    /// The number of its chat: the same number, there in base 36.
    pub(super) fn chat_id(&self) -> Option<String> {
        let digits = self.id.strip_prefix('v').unwrap_or(&self.id);
        u64::from_str_radix(digits, 36).ok().filter(|it| *it > 0).map(|it| it.to_string())
    }
}

/// What the caller of the API says.
#[derive(Debug)]
pub(super) enum Heard {
    Told(Box<Told>),
    /// The key is wrong: not asked again.
    Refused(&'static str),
    /// For now.
    Failed(String),
}

/// Asks the API until dropped.
pub(super) struct Poller {
    heard: mpsc::Receiver<Heard>,
    asking: JoinHandle<()>,
}

impl Poller {
    pub(super) fn start(
        life: &Lifecycle,
        client: Client,
        url: &str,
        key: ApiKey,
        every: Duration,
    ) -> Self {
        let (tell, heard) = mpsc::channel(QUEUE);
        Self { heard, asking: life.spawn(ask(client, format!("{url}/get-data"), key, every, tell)) }
    }

    /// What is heard next. Never comes back once the key was refused.
    pub(super) async fn next(&mut self) -> Heard {
        match self.heard.recv().await {
            Some(it) => it,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

async fn ask(client: Client, url: String, key: ApiKey, every: Duration, tell: mpsc::Sender<Heard>) {
    let mut differ = Differ::default();
    let mut failures = 0_u32;
    loop {
        let heard = call(&client, &url, &key, &mut differ).await;
        let refused = matches!(heard, Heard::Refused(_));
        failures = if matches!(heard, Heard::Failed(_)) { failures.saturating_add(1) } else { 0 };
        if tell.send(heard).await.is_err() || refused {
            return;
        }
        let wait = every.saturating_mul(1 << failures.min(5)).min(LONGEST_WAIT.max(every));
        sleep(wait.mul_f64(0.9 + 0.2 * rand::random::<f64>())).await;
    }
}

async fn call(client: &Client, url: &str, key: &ApiKey, differ: &mut Differ) -> Heard {
    let request = client.get(url).query(&[("key", &key.0)]).timeout(CALL_TIMEOUT);
    let response = match request.send().await {
        Ok(it) => it,
        Err(error) => return Heard::Failed(failure("the Live Stream API", &error).to_string()),
    };
    let answer = match Answer::read(response, MAX_BYTES).await {
        Ok(it) => it,
        Err(error) => return Heard::Failed(format!("the Live Stream API: {error}")),
    };
    match answer.status {
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => {
            Heard::Refused("the Live Stream API takes RUMBLE_LIVESTREAM_KEY for none")
        }
        // The site's guard answers 403 too, in HTML.
        StatusCode::FORBIDDEN if answer.json::<Value>().is_some() => Heard::Refused(
            "the Live Stream API refuses RUMBLE_LIVESTREAM_KEY: it was reset, or is wrong",
        ),
        it if !it.is_success() => {
            Heard::Failed(format!("the Live Stream API answers {}", it.as_u16()))
        }
        _ => match answer.json::<Value>() {
            Some(document) if document.is_object() => Heard::Told(Box::new(differ.read(&document))),
            _ => Heard::Failed("the Live Stream API answers with no JSON".to_owned()),
        },
    }
}

/// Tells what of a document was not told before.
#[derive(Debug, Default)]
pub(super) struct Differ {
    seen: HashSet<String>,
    order: VecDeque<String>,
}

impl Differ {
    /// Reads a whole document.
    pub(super) fn read(&mut self, document: &Value) -> Told {
        let mut alike = HashMap::new();
        let mut told = Told { now: time(document, &["now"]), ..Told::default() };
        let list = |parent: &str, name: &str| -> Vec<Value> {
            let list = document.get(parent).and_then(|it| it.get(name)).and_then(Value::as_array);
            list.cloned().unwrap_or_default()
        };
        for it in list("followers", "recent_followers") {
            let at = time(&it, &["followed_on"]);
            let Some(name) = text(&it, &["username"]) else { continue };
            self.note(&mut told, &mut alike, "follow", "", name, at, What::Follow);
        }
        for it in list("subscribers", "recent_subscribers") {
            let at = time(&it, &["subscribed_on"]);
            let Some(name) = text(&it, &["username", "user"]) else { continue };
            let what = What::Subscribe(number(&it, &["amount_cents"]));
            self.note(&mut told, &mut alike, "subscribe", "", name, at, what);
        }
        for it in list("gifted_subs", "recent_gifted_subs") {
            let Some(name) = text(&it, &["purchased_by", "username"]) else { continue };
            let at = time(&it, &["purchased_on", "created_on"]);
            let total = number(&it, &["total_gifts"]).and_then(|it| it.try_into().ok());
            let kind = text(&it, &["gift_type"]).map(str::to_owned);
            let video = find(&it, &["video_id"]).map(ToString::to_string).unwrap_or_default();
            let rest = format!("{video} {total:?} {kind:?}");
            self.note(&mut told, &mut alike, "gift", &rest, name, at, What::Gift(total, kind));
        }
        let streams = document.get("livestreams").and_then(Value::as_array);
        for stream in streams.into_iter().flatten() {
            let live = stream.get("is_live").and_then(Value::as_bool).unwrap_or(false);
            let id = text(stream, &["id"]).unwrap_or_default();
            if live && told.live.is_none() {
                let viewers = number(stream, &["watching_now"]).and_then(|it| it.try_into().ok());
                let title = text(stream, &["title"]).map(str::to_owned);
                told.live = Some(LiveStream { id: id.to_owned(), title, viewers });
            }
            let Some(chat) = stream.get("chat") else { continue };
            for name in ["recent_messages", "recent_rants"] {
                let list = chat.get(name).and_then(Value::as_array);
                for it in list.into_iter().flatten() {
                    let Some(name) = text(it, &["username"]) else { continue };
                    let at = time(it, &["created_on"]);
                    told.newest_message = told.newest_message.max(at);
                    let said = said(it);
                    let rest = format!("{id} {:?} {}", said.rant_cents, said.text);
                    self.note(&mut told, &mut alike, "say", &rest, name, at, What::Say(said));
                }
            }
        }
        // The newest comes first in each list.
        told.news.sort_by_key(|it| it.at);
        told
    }

    #[expect(clippy::too_many_arguments, reason = "what identifies a thing, part by part")]
    fn note(
        &mut self,
        told: &mut Told,
        alike: &mut HashMap<String, u32>,
        kind: &str,
        rest: &str,
        name: &str,
        at: Option<Timestamp>,
        what: What,
    ) {
        let at_text = at.map(|it| it.to_string()).unwrap_or_default();
        let hash = hash(&[kind, name, &at_text, rest]);
        let count = alike.entry(hash.clone()).or_default();
        *count += 1;
        let id = format!("{kind}-{hash}-{count}");
        if self.seen.insert(id.clone()) {
            self.order.push_back(id.clone());
            if self.order.len() > MAX_SEEN
                && let Some(oldest) = self.order.pop_front()
            {
                self.seen.remove(&oldest);
            }
            told.news.push(News { id, name: name.to_owned(), at, what });
        }
    }
}

fn said(value: &Value) -> Said {
    let badges = value.get("badges").and_then(Value::as_array);
    let badges = badges.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    Said {
        text: text(value, &["text"]).unwrap_or_default().to_owned(),
        badges: badges.collect(),
        // `amount_dollars` rounds down.
        rant_cents: number(value, &["amount_cents"]),
    }
}

/// Sixteen hexadecimal digits that stay the same over versions.
pub(super) fn hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().iter().take(8).map(|it| format!("{it:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(text: &str) -> Value {
        json!({ "username": "Ana", "text": text, "created_on": "2026-03-01T12:00:00+00:00", "badges": [] })
    }

    fn document(messages: &[Value]) -> Value {
        json!({ "now": 1_772_366_400, "livestreams": [{
            "id": "abc123", "is_live": true, "watching_now": 5, "stream_key": "verysecret",
            "chat": { "recent_messages": messages },
        }]})
    }

    #[test]
    fn a_key_is_taken_from_whatever_was_copied_and_never_shown() {
        let key = |text| ApiKey::parse(text).map(|it| it.0);
        assert_eq!(key(" abc-D_1 ").as_deref(), Some("abc-D_1"));
        let address = "https://rumble.com/-livestream-api/get-data?key=abc-D_1&x=2";
        assert_eq!(key(address).as_deref(), Some("abc-D_1"));
        assert_eq!(key("https://rumble.com/-livestream-api/get-data"), None);
        assert!(!format!("{:?}", ApiKey::parse("verysecret")).contains("verysecret"));
    }

    #[test]
    fn what_was_told_is_not_told_again_and_two_honest_repeats_are_two() {
        let mut differ = Differ::default();
        let told = differ.read(&document(&[message("hi"), message("hi")]));
        assert_eq!(told.news.len(), 2);
        assert_ne!(told.news[0].id, told.news[1].id);
        assert_eq!(differ.read(&document(&[message("hi"), message("hi")])).news, []);
        let told =
            differ.read(&document(&[message("hi"), message("new"), message("hi"), message("hi")]));
        assert_eq!(told.news.len(), 2);
    }

    #[test]
    fn the_stream_key_is_read_by_nobody() {
        let told = Differ::default().read(&document(&[message("hi")]));
        assert!(!format!("{told:?}").contains("verysecret"));
        let live = told.live.unwrap();
        assert_eq!(live.viewers, Some(5));
        assert_eq!(live.chat_id().as_deref(), Some("623698779"));
    }
}
