//! From a channel to the number of its chat, which is another one for each stream.
//!
//! Page → embed id → embed document → chat. A number that was found is remembered, checked before it is
//! used, and forgotten when it proves wrong. Each step that fails is named.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{
    page::{self, Live, Page},
    popup_url,
    value::{id, number, text},
};
use crate::{
    config::platforms::RumbleConfig,
    http::{Answer, CALL_TIMEOUT, failure, seconds},
    model::Platform,
    platforms::Memory,
};

/// Largest embed document (bytes).
const MAX_EMBED_BYTES: usize = 512 * 1024;
/// The name of what is remembered of a channel.
const FACT: &str = "chat";

/// A chat that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its number.
    pub(super) chat_id: String,
    /// Its server.
    pub(super) chat_url: String,
    /// The page it stands on.
    pub(super) page_url: String,
    /// The stream's embed id, where known.
    pub(super) embed: Option<String>,
    /// The stream's title, where known.
    pub(super) title: Option<String>,
    /// How it was learnt.
    pub(super) by: By,
}

/// How a chat's number was learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The site said so just now.
    Site,
    /// The configuration.
    Hand,
    /// The site said so once, and could not be asked now.
    Memory,
    /// The Live Stream API.
    Api,
}

/// What came of looking for a channel's chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    Live(Found),
    /// The channel is there and not live.
    NotLive,
    /// The site refuses this address, in words that name the step.
    Blocked(String),
    /// A step failed for now.
    Failed(String),
    /// The site is in trouble (503), or wants to be asked less often (429).
    Busy {
        words: String,
        /// It asks to wait.
        wait: Option<Duration>,
    },
    /// There is no such channel.
    NoSuchChannel,
}

/// What is remembered of a channel.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    chat_id: String,
    chat_url: String,
    #[serde(default)]
    embed: Option<String>,
}

/// A channel, and what is known of it without asking.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) config: Arc<RumbleConfig>,
    pub(super) memory: Memory,
    /// In its one spelling.
    pub(super) channel: Arc<str>,
    /// The chat's number, given by hand.
    pub(super) chat_id: Option<u64>,
}

impl Place {
    /// The pages on which the channel's stream may be, the likeliest first.
    pub(super) fn page_urls(&self) -> Vec<String> {
        let site = self.config.web_url.as_str();
        match self.channel.split_once('/') {
            Some(("c", name)) => {
                vec![format!("{site}/c/{name}/live"), format!("{site}/user/{name}/live")]
            }
            Some((kind, name)) => vec![format!("{site}/{kind}/{name}/live")],
            None => {
                vec![format!("{site}/{}", self.channel), format!("{site}/embed/{}/", self.channel)]
            }
        }
    }

    /// A page that shows the chat: nothing but that where its number is given or remembered.
    pub(super) fn chat_page(&self) -> String {
        let by_hand = self.chat_id.map(|it| it.to_string());
        match by_hand.or_else(|| Some(self.remembered()?.chat_id)) {
            Some(chat_id) => popup_url(&self.config, &chat_id),
            None => self.page_urls().swap_remove(0),
        }
    }

    fn remembered(&self) -> Option<Remembered> {
        let text = self.memory.find(Platform::Rumble, &self.channel, FACT)?;
        let it: Remembered = serde_json::from_str(&text).ok()?;
        page::is_chat_id(&it.chat_id).then_some(it)
    }

    /// Keeps what was found for the next start.
    pub(super) fn remember(&self, found: &Found) {
        let remembered = Remembered {
            chat_id: found.chat_id.clone(),
            chat_url: found.chat_url.clone(),
            embed: found.embed.clone(),
        };
        if let Ok(text) = serde_json::to_string(&remembered) {
            self.memory.remember(Platform::Rumble, &self.channel, FACT, &text);
        }
    }

    /// Lets go of what proved wrong.
    pub(super) fn forget(&self) {
        self.memory.forget(Platform::Rumble, &self.channel, FACT);
    }
}

/// Looks for the chat of one channel.
pub(super) struct Resolver {
    pub(super) client: Client,
    pub(super) place: Place,
    /// So many channels are looked at at once.
    pub(super) turns: Arc<Semaphore>,
}

impl Resolver {
    /// Looks once.
    pub(super) async fn look(&self) -> Look {
        let pages = self.place.page_urls();
        if let Some(number) = self.place.chat_id {
            return Look::Live(Found {
                chat_id: number.to_string(),
                chat_url: self.place.config.chat_url.as_str().to_owned(),
                page_url: pages[0].clone(),
                embed: None,
                title: None,
                by: By::Hand,
            });
        }
        // Never closed.
        let _turn = self.turns.acquire().await;
        let remembered = self.place.remembered();
        if let Some(Remembered { chat_id, chat_url, embed: Some(embed) }) = &remembered {
            match self.embed(embed).await {
                Ok(Some(it)) if it.chat_id == *chat_id && it.live != Some(false) => {
                    return Look::Live(Found {
                        chat_id: it.chat_id,
                        chat_url: chat_url.clone(),
                        page_url: pages[0].clone(),
                        embed: Some(embed.clone()),
                        title: it.title,
                        by: By::Site,
                    });
                }
                // It was true for another stream.
                Ok(_) => self.place.forget(),
                Err(_) => {}
            }
        }
        let mut missing = 0;
        for page_url in &pages {
            match self.look_at(page_url).await {
                Look::NoSuchChannel => missing += 1,
                Look::Live(found) => {
                    self.place.remember(&found);
                    return Look::Live(found);
                }
                look @ (Look::Blocked(_) | Look::Failed(_) | Look::Busy { .. }) => {
                    return self.take_remembered(&pages[0]).map_or(look, Look::Live);
                }
                Look::NotLive => return Look::NotLive,
            }
        }
        if missing == pages.len() { Look::NoSuchChannel } else { Look::NotLive }
    }

    /// What is remembered, when the site cannot be asked: the stream itself will tell whether it holds.
    fn take_remembered(&self, page_url: &str) -> Option<Found> {
        let Remembered { chat_id, chat_url, embed } = self.place.remembered()?;
        let page_url = page_url.to_owned();
        Some(Found { chat_id, chat_url, page_url, embed, title: None, by: By::Memory })
    }

    async fn look_at(&self, page_url: &str) -> Look {
        let PageAnswer { status, final_url, html, wait } = match self.read_page(page_url).await {
            Ok(it) => it,
            Err(words) => return Look::Failed(words),
        };
        match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => return Look::NoSuchChannel,
            it if it.is_success() && !is_challenge(&html) => {}
            it if it.is_success() || is_busy(it) && is_challenge(&html) => {
                return Look::Blocked(
                    "the channel page asks whether we are human: Rumble blocks this address"
                        .to_owned(),
                );
            }
            it if is_busy(it) => {
                let words = format!("the channel page answers {}", it.as_u16());
                return Look::Busy { words, wait };
            }
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
                let status = status.as_u16();
                return Look::Blocked(format!(
                    "the channel page answers {status}: Rumble blocks this address"
                ));
            }
            it => return Look::Failed(format!("the channel page answers {}", it.as_u16())),
        }
        let page = Page::read(&html, self.place.config.web_url.as_str());
        if page.live == Live::No {
            return Look::NotLive;
        }
        let chat_url =
            page.chat_url.clone().unwrap_or_else(|| self.place.config.chat_url.as_str().to_owned());
        // `v…` names a page; some people write the embed id, which looks alike.
        let embed = page.embed.clone().or_else(|| {
            (page_url.contains("/embed/") && page::is_embed(&self.place.channel))
                .then(|| self.place.channel.to_string())
        });
        let Some(embed) = embed else {
            return match page.chat_id {
                Some(chat_id) => Look::Live(Found {
                    chat_id,
                    chat_url,
                    page_url: final_url,
                    embed: None,
                    title: page.title,
                    by: By::Site,
                }),
                None => Look::NotLive,
            };
        };
        match self.embed(&embed).await {
            Ok(Some(it)) if it.live == Some(false) && page.live != Live::Yes => Look::NotLive,
            Ok(Some(it)) => Look::Live(Found {
                chat_id: it.chat_id,
                chat_url,
                page_url: final_url,
                embed: Some(embed),
                title: it.title.or(page.title),
                by: By::Site,
            }),
            Ok(None) => Look::NotLive,
            Err(failed) => failed,
        }
    }

    /// Reads a page's first part.
    async fn read_page(&self, url: &str) -> Result<PageAnswer, String> {
        let words = |error: &reqwest::Error| failure("the channel page", error).to_string();
        let request = self.client.get(url).header("user-agent", &self.place.config.user_agent);
        let request = request.header("accept", "text/html").timeout(CALL_TIMEOUT);
        let mut response = request.send().await.map_err(|it| words(&it))?;
        let (status, final_url) = (response.status(), response.url().to_string());
        let wait = retry_after(&response);
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|it| words(&it))? {
            let room = page::MAX_BYTES - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if body.len() == page::MAX_BYTES {
                break;
            }
        }
        let html = String::from_utf8_lossy(&body).into_owned();
        Ok(PageAnswer { status, final_url, html, wait })
    }

    /// The document of an embed; `Ok(None)` when nothing is live under it.
    async fn embed(&self, embed: &str) -> Result<Option<Embed>, Look> {
        let url = format!("{}/embedJS/u3/", self.place.config.web_url.as_str());
        let request = self
            .client
            .get(url)
            .query(&[("request", "video"), ("ver", "2"), ("v", embed)])
            .header("user-agent", &self.place.config.user_agent)
            .timeout(CALL_TIMEOUT);
        let response = request
            .send()
            .await
            .map_err(|it| Look::Failed(failure("the embed document", &it).to_string()))?;
        let answer = Answer::read(response, MAX_EMBED_BYTES)
            .await
            .map_err(|it| Look::Failed(format!("the embed document: {it}")))?;
        let status = answer.status;
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !status.is_success() {
            let words = format!("the embed document answers {}", status.as_u16());
            return Err(if is_busy(status) {
                Look::Busy { words, wait: answer.retry_after }
            } else if status.is_server_error() {
                Look::Failed(words)
            } else {
                Look::Blocked(format!("{words}: Rumble blocks this address"))
            });
        }
        match answer.json::<Value>() {
            Some(document) if document.is_object() => Ok(Embed::read(&document)),
            // The site answers a stream it does not know with `false`.
            Some(_) => Ok(None),
            None => Err(Look::Blocked("the embed document is no JSON".to_owned())),
        }
    }
}

/// A page.
struct PageAnswer {
    status: StatusCode,
    /// Where it was in the end.
    final_url: String,
    /// Its first part.
    html: String,
    /// The site asks to wait.
    wait: Option<Duration>,
}

/// Whether an answer is that of a site in trouble, or one that is asked too often: it passes.
fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

/// How long an answer asks to wait.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let told = response.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds(told))
}

/// What an embed document says.
struct Embed {
    chat_id: String,
    title: Option<String>,
    /// `None` when it does not say.
    live: Option<bool>,
}

impl Embed {
    /// `None` when it has no chat.
    fn read(document: &Value) -> Option<Self> {
        let chat_id = id(document, &["vid"]).filter(|it| page::is_chat_id(it))?;
        let live = match document.get("live") {
            Some(Value::Bool(it)) => Some(*it),
            Some(Value::Number(_) | Value::String(_)) => {
                number(document, &["live"]).map(|it| it != 0)
            }
            _ => None,
        };
        Some(Self { chat_id, title: text(document, &["title"]).map(str::to_owned), live })
    }
}

/// Whether a page that came with status 200 is the question of the site's guard.
pub(super) fn is_challenge(html: &str) -> bool {
    let start = html.get(..html.len().min(20_000)).unwrap_or(html);
    ["/cdn-cgi/challenge-platform/", "cf-chl-", "<title>Just a moment..."]
        .iter()
        .any(|it| start.contains(it))
        && !start.contains("videostream")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, Option<bool>)> {
        Embed::read(&serde_json::from_str(text).unwrap()).map(|it| (it.chat_id, it.live))
    }

    #[test]
    fn an_embed_has_a_chat_or_it_has_not() {
        assert_eq!(read(r#"{"vid":445201096,"live":2}"#), Some(("445201096".into(), Some(true))));
        assert_eq!(read(r#"{"vid":"7","live":0}"#), Some(("7".into(), Some(false))));
        assert_eq!(read(r#"{"vid":7}"#), Some(("7".into(), None)));
        assert_eq!(read(r#"{"vid":null,"unavailable":true}"#), None);
        let folder = env!("CARGO_MANIFEST_DIR").to_owned() + "/../shared/captures/rumble/resolve";
        match std::fs::read_to_string(folder.clone() + "/embed-offline--klatterino.json") {
            Ok(text) => assert_eq!(read(&text), None),
            Err(_) => eprintln!("skipped: no captures at {folder}"),
        }
    }
}
