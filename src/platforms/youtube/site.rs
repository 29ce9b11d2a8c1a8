//! The site over HTTP, as a browser that is signed in to nothing would ask it.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Client, RequestBuilder,
    header::{ACCEPT_LANGUAGE, COOKIE, USER_AGENT},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    page::{self, Look, Popout},
    trouble::Trouble,
    ways::Ways,
};
use crate::{
    config::channel_name::YoutubeChannel,
    http::{Answer, Clients, failure},
};

/// What an answer may take.
#[derive(Clone, Copy)]
struct Limits {
    /// Whichever way, and however many are tried.
    deadline: Instant,
    most_bytes: usize,
}

/// Patience with the page of a channel that is not read yet.
pub const PAGE_PATIENCE: Duration = Duration::from_secs(8);
/// Largest page; it has a good megabyte (bytes).
const MAX_PAGE_BYTES: usize = 12 * 1024 * 1024;
/// Largest answer of the chat (bytes).
const MAX_CHAT_BYTES: usize = 8 * 1024 * 1024;
/// Says that cookies were answered for: no, thank you.
const CONSENT_COOKIE: &str = "CONSENT=YES+1; SOCS=CAI";
/// The site has another page for programs it does not know.
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                       Chrome/142.0.0.0 Safari/537.36";
/// What the site's program is called while no page said so.
const CLIENT_VERSION: &str = "2.20261101.00.00";

/// The site. Cheap to clone.
#[derive(Clone)]
pub struct Site {
    clients: Arc<Clients>,
    ways: Arc<Ways>,
    base: Arc<str>,
}

impl Site {
    /// At `base`, without a slash at its end.
    #[must_use]
    pub fn new(clients: Arc<Clients>, ways: Arc<Ways>, base: &str) -> Self {
        Self { clients, ways, base: base.into() }
    }

    /// Whether the channel is live, or the video is; known by `deadline`.
    ///
    /// # Errors
    /// [`Trouble::NotFound`] when the site knows no such channel, and all that can be in a page's place.
    pub async fn look(&self, channel: &YoutubeChannel, deadline: Instant) -> Result<Look, Trouble> {
        let address = self.address_of(channel);
        let limits = Limits { deadline, most_bytes: MAX_PAGE_BYTES };
        self.by_any_way(limits, |client| client.get(&address), |it| page::read_look(&it.text()))
            .await
    }

    /// Where the chat of `video` begins.
    ///
    /// # Errors
    /// As [`page::read_popout`] says.
    pub async fn popout(&self, video: &str, deadline: Instant) -> Result<Popout, Trouble> {
        let address = format!("{}/live_chat?is_popout=1&v={video}&hl=en", self.base);
        let limits = Limits { deadline, most_bytes: MAX_PAGE_BYTES };
        self.by_any_way(limits, |client| client.get(&address), |it| page::read_popout(&it.text()))
            .await
    }

    /// What came behind `continuation`.
    ///
    /// # Errors
    /// [`Trouble::Stale`] when the site does not take the continuation, and what else can go wrong.
    pub async fn chat(
        &self,
        popout: &Popout,
        continuation: &str,
        deadline: Instant,
    ) -> Result<Value, Trouble> {
        let address =
            format!("{}/youtubei/v1/live_chat/get_live_chat?prettyPrint=false", self.base);
        let body = json!({"context": context(popout), "continuation": continuation});
        let limits = Limits { deadline, most_bytes: MAX_CHAT_BYTES };
        self.by_any_way(limits, |client| client.post(&address).json(&body), read_json).await
    }

    /// How many watch; `None` when it is not told.
    pub async fn viewers(&self, popout: &Popout, video: &str, deadline: Instant) -> Option<u64> {
        let address = format!("{}/youtubei/v1/updated_metadata?prettyPrint=false", self.base);
        let body = json!({"context": context(popout), "videoId": video});
        let (_, way) = self.ways.current();
        let client = self.clients.client(way).await.ok()?;
        let limits = Limits { deadline, most_bytes: MAX_CHAT_BYTES };
        let answer = send(client.post(&address).json(&body), limits).await.ok()?;
        let answer = read_json(answer).ok()?;
        let actions = answer["actions"].as_array()?;
        let count = actions.iter().find_map(|it| {
            let count = &it["updateViewershipAction"]["viewCount"]["videoViewCountRenderer"];
            let text = match count["originalViewCount"].as_str() {
                Some(text) => text.to_owned(),
                None => page::plain_text(&count["viewCount"]),
            };
            // "1,234 watching now"
            let number = text.split_whitespace().next()?.replace([',', '.'], "");
            number.parse::<u64>().ok()
        })?;
        (count > 0).then_some(count)
    }

    fn address_of(&self, channel: &YoutubeChannel) -> String {
        let base = &self.base;
        match channel {
            YoutubeChannel::Handle(name) => format!("{base}/@{}/live?hl=en", encoded(name)),
            YoutubeChannel::Id(id) => format!("{base}/channel/{id}/live?hl=en"),
            YoutubeChannel::Video(id) => format!("{base}/watch?v={id}&hl=en"),
            YoutubeChannel::Custom(name) => format!("{base}/c/{}/live?hl=en", encoded(name)),
            YoutubeChannel::User(name) => format!("{base}/user/{}/live?hl=en", encoded(name)),
        }
    }

    /// Tries each way once, from the one in use on, as long as it is the address that is refused and there is
    /// time left.
    async fn by_any_way<T>(
        &self,
        limits: Limits,
        request: impl Fn(&Client) -> RequestBuilder,
        read: impl Fn(Answer) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let mut refused = None;
        for _ in 0..self.ways.count() {
            if limits.deadline <= Instant::now() {
                break;
            }
            let (number, way) = self.ways.current();
            let client = match self.clients.client(way).await {
                Ok(client) => client,
                Err(error) => {
                    refused.get_or_insert(Trouble::Unreachable(error.to_string()));
                    self.ways.leave(number);
                    continue;
                }
            };
            let by_proxy = way.proxy.is_some();
            match send(request(&client), limits).await.and_then(&read) {
                Err(trouble) if trouble.is_about_the_address() => {
                    refused = Some(trouble);
                    self.ways.leave(number);
                }
                // A proxy that is gone is no better than one that is blocked.
                Err(trouble @ Trouble::Unreachable(_)) if by_proxy => {
                    refused = Some(trouble);
                    self.ways.leave(number);
                }
                other => return other,
            }
        }
        Err(refused.unwrap_or(Trouble::Unreachable("no answer in time".to_owned())))
    }
}

/// What the site's own program says of itself with each call.
fn context(popout: &Popout) -> Value {
    let version = popout.client_version.as_deref().unwrap_or(CLIENT_VERSION);
    let mut client = json!({"clientName": "WEB", "clientVersion": version, "hl": "en"});
    if let Some(visitor) = &popout.visitor {
        client["visitorData"] = visitor.as_str().into();
    }
    json!({ "client": client })
}

fn read_json(answer: Answer) -> Result<Value, Trouble> {
    answer.json().ok_or_else(|| {
        page::instead(&answer.text())
            .unwrap_or_else(|| Trouble::Shape("an answer that is not JSON".to_owned()))
    })
}

async fn send(request: RequestBuilder, limits: Limits) -> Result<Answer, Trouble> {
    let request = request
        .header(COOKIE, CONSENT_COOKIE)
        .header(ACCEPT_LANGUAGE, "en")
        .header(USER_AGENT, BROWSER)
        .timeout(limits.deadline.saturating_duration_since(Instant::now()));
    let response = request
        .send()
        .await
        .map_err(|it| Trouble::Unreachable(failure("asking", &it).to_string()))?;
    // Where redirects led: the site sends there instead of answering.
    let (host, path) = {
        let url = response.url();
        (url.host_str().unwrap_or_default().to_owned(), url.path().to_owned())
    };
    if host.starts_with("consent.") {
        return Err(Trouble::Consent);
    }
    if path.starts_with("/sorry/") {
        return Err(Trouble::Blocked("it asks whether this is a robot".to_owned()));
    }
    let answer = Answer::read(response, limits.most_bytes)
        .await
        .map_err(|it| Trouble::Unreachable(it.to_string()))?;
    match answer.status.as_u16() {
        200..=299 => Ok(answer),
        status @ (403 | 429) => Err(Trouble::Blocked(status.to_string())),
        404 | 410 => Err(Trouble::NotFound),
        400 => Err(Trouble::Stale),
        status => Err(Trouble::Busy(status.to_string())),
    }
}

/// A name of any script as one segment of a path.
fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::http::Way;

    #[tokio::test]
    async fn all_ways_together_take_no_longer_than_one_look_may() {
        // Takes calls in and never answers any.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = format!("http://{}", listener.local_addr().unwrap());
        let proxies = vec![silent.clone(); 20];
        let ways = Arc::new(Ways::new(&Way::default(), &proxies));
        ways.leave(0);
        let site = Site::new(Arc::default(), Arc::clone(&ways), &silent);
        let popout = Popout {
            continuation: "a".to_owned(),
            whole: true,
            client_version: None,
            visitor: None,
        };
        let patience = Duration::from_millis(300);
        let since = Instant::now();
        let trouble = site.chat(&popout, "a", since + patience).await.unwrap_err();
        assert!(matches!(trouble, Trouble::Unreachable(_)), "{trouble:?}");
        assert!(since.elapsed() < 5 * patience, "{:?}", since.elapsed());
        assert_eq!(ways.current().0, 2, "the next look tries the next one");
    }
}
