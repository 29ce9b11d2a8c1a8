//! The chat as the Data API tells it: one page after another.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    chat::{Chat, Looked},
    data_api::{DataApi, Video, cost},
    item::Item,
    trouble::Trouble,
};
use crate::{
    http::{Clients, Way, failure},
    model::{CreatorId, Platform, Timestamp},
    platforms::Memory,
    quotas::Quota,
};

/// Never asked faster.
pub const SHORTEST_PAUSE: Duration = Duration::from_secs(2);
/// When an answer does not say.
const USUAL_PAUSE: Duration = Duration::from_secs(5);
/// Age of a place in the chat from which it is let go when reading begins (ms): what was said lately is told
/// without one, too.
const OLD_PLACE_MS: i64 = 600_000;
/// How often it is asked how many watch.
const VIEWERS_EVERY: Duration = Duration::from_secs(300);

/// Reads the chat of one stream with the Data API. Whoever calls pays for [`Chat::look`]; what else is asked
/// is paid from `quota` here.
pub struct ApiChat {
    api: DataApi,
    quota: Quota,
    memory: Memory,
    /// To knock at the door without a key.
    clients: Arc<Clients>,
    way: Way,
    base: Arc<str>,
    channel: Arc<str>,
    video: String,
    live_chat_id: Option<String>,
    /// Asked for anew since it was not found.
    asked_again: bool,
    page: Option<Place>,
    /// The fact under which its place is kept: each creator has their own.
    page_fact: String,
    viewers_due: Instant,
}

/// Where it goes on, and when it came there.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    at: Timestamp,
    token: String,
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let (at, token) = text.split_once(' ')?;
        Some(Self { at: Timestamp::from_unix_ms(at.parse().ok()?)?, token: token.to_owned() })
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        now.ms_since(self.at) < OLD_PLACE_MS
    }
}

/// Where an [`ApiChat`] reads.
pub struct ApiPlace {
    /// The API.
    pub api: DataApi,
    /// What may be spent.
    pub quota: Quota,
    /// Where places are kept over restarts.
    pub memory: Memory,
    /// To knock at the door without a key.
    pub clients: Arc<Clients>,
    /// The way out for that.
    pub way: Way,
    /// The API's address, without a slash at its end.
    pub base: Arc<str>,
    /// The channel by its configured name: what is learnt is kept under it.
    pub channel: Arc<str>,
    /// For whom.
    pub creator: CreatorId,
}

impl ApiChat {
    /// For the stream `video`, from where it was left off.
    #[must_use]
    pub fn new(place: ApiPlace, video: &str, live_chat_id: Option<String>) -> Self {
        let ApiPlace { api, quota, memory, clients, way, base, channel, creator } = place;
        let page_fact = format!("page {creator}");
        // Of the newest stream only, so that what is kept does not grow with every stream.
        let known = |fact: &str| {
            let kept = memory.find(Platform::Youtube, &channel, fact)?;
            kept.strip_prefix(video)?.strip_prefix(' ').map(str::to_owned)
        };
        Self {
            live_chat_id: live_chat_id.or_else(|| known("chat")),
            page: known(&page_fact).and_then(|it| Place::parse(&it)),
            page_fact,
            asked_again: false,
            viewers_due: Instant::now() + VIEWERS_EVERY,
            video: video.to_owned(),
            api,
            quota,
            memory,
            clients,
            way,
            base,
            channel,
        }
    }

    async fn read(&mut self) -> Result<Looked, Trouble> {
        let chat = match &self.live_chat_id {
            Some(chat) => chat.clone(),
            None => self.find_chat().await?,
        };
        let page =
            match self.api.list_chat(&chat, self.page.as_ref().map(|it| it.token.as_str())).await {
                Ok(page) => page,
                Err(Trouble::Stale) => {
                    self.forget_page();
                    return Err(Trouble::Stale);
                }
                Err(Trouble::NotFound) if !self.asked_again => {
                    // The chat's id may have changed, with the stream going on.
                    self.asked_again = true;
                    self.live_chat_id = None;
                    self.forget("chat");
                    self.forget_page();
                    return Err(Trouble::Stale);
                }
                Err(Trouble::NotFound) => return Err(Trouble::Ended),
                Err(trouble) => return Err(trouble),
            };
        self.asked_again = false;
        if let Some(token) = page.next_page_token {
            let at = Timestamp::now();
            self.remember(&self.page_fact, &format!("{} {token}", at.unix_ms()));
            self.page = Some(Place { at, token });
        }
        if page.ended && page.items.is_empty() {
            self.forget_page();
            return Err(Trouble::Ended);
        }
        let pause = page.polling_interval.unwrap_or(USUAL_PAUSE).max(SHORTEST_PAUSE);
        let items = page.items.into_iter().map(|resource| Item::Resource { resource }).collect();
        Ok(Looked { items, pause, viewers: self.find_viewers().await, remark: "" })
    }

    /// Finds the chat of the stream.
    async fn find_chat(&mut self) -> Result<String, Trouble> {
        self.pay(cost::LIST)?;
        let videos = self.list_video().await?;
        let video = videos.into_iter().next().ok_or(Trouble::Ended)?;
        let Some(chat) = video.live_chat_id else {
            return Err(match video.live {
                true => Trouble::NoChat("the chat of this stream is switched off".to_owned()),
                false => Trouble::Ended,
            });
        };
        self.remember("chat", &chat);
        self.live_chat_id = Some(chat.clone());
        Ok(chat)
    }

    /// How many watch, now and then.
    async fn find_viewers(&mut self) -> Option<u64> {
        if Instant::now() < self.viewers_due {
            return None;
        }
        self.viewers_due = Instant::now() + VIEWERS_EVERY;
        self.pay(cost::LIST).ok()?;
        let videos = self.list_video().await.ok()?;
        videos.first()?.broadcast.viewers
    }

    /// What is known of the stream; paid before.
    async fn list_video(&self) -> Result<Vec<Video>, Trouble> {
        let found = self.api.list_videos(std::slice::from_ref(&self.video)).await;
        if matches!(found, Err(Trouble::Unconnected(_))) {
            self.quota.give_back(cost::LIST, Timestamp::now());
        }
        found
    }

    fn pay(&self, units: u32) -> Result<(), Trouble> {
        match self.quota.spend(units, Timestamp::now()) {
            Ok(_) => Ok(()),
            Err(spent) => Err(Trouble::QuotaSpent(spent.until)),
        }
    }

    fn remember(&self, fact: &str, text: &str) {
        let text = format!("{} {text}", self.video);
        self.memory.remember(Platform::Youtube, &self.channel, fact, &text);
    }

    fn forget_page(&mut self) {
        self.page = None;
        self.forget(&self.page_fact);
    }

    fn forget(&self, fact: &str) {
        self.memory.forget(Platform::Youtube, &self.channel, fact);
    }
}

impl Chat for ApiChat {
    async fn look(&mut self) -> Result<Looked, Trouble> {
        Box::pin(self.read()).await
    }

    async fn knock(&mut self) -> Result<(), Trouble> {
        let client = self
            .clients
            .client(&self.way)
            .await
            .map_err(|it| Trouble::Unreachable(it.to_string()))?;
        // Without a key this is refused at once, and costs nobody anything.
        let request = client.get(format!("{}/youtube/v3/videos?part=id", self.base));
        let answer = request.timeout(Duration::from_secs(4)).send().await;
        let answer =
            answer.map_err(|it| Trouble::Unreachable(failure("the Data API", &it).to_string()))?;
        match answer.status().as_u16() {
            status @ 500.. => Err(Trouble::Busy(status.to_string())),
            _ => Ok(()),
        }
    }

    // Its place in the chat stays good for a while, and one that is not is let go by itself.
    fn begin_anew(&mut self) {
        let now = Timestamp::now();
        if self.page.as_ref().is_some_and(|it| !it.is_fresh(now)) {
            self.forget_page();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::quotas::QuotasConfig, quotas::Quotas, storage::State};

    async fn chat(memory: &Memory, creator: &str) -> ApiChat {
        let creator = creator.parse::<CreatorId>().unwrap();
        let quotas = Quotas::new(State::in_memory(), QuotasConfig::default());
        let place = ApiPlace {
            api: DataApi::with_key("http://127.0.0.1:9", None, "key").await.unwrap(),
            quota: quotas.open(&creator, Platform::Youtube, Some(1)),
            memory: memory.clone(),
            clients: Arc::default(),
            way: Way::default(),
            base: "".into(),
            channel: "@ana".into(),
            creator,
        };
        ApiChat::new(place, "aaaaaaaaaaa", None)
    }

    fn token(chat: &ApiChat) -> Option<&str> {
        chat.page.as_ref().map(|it| it.token.as_str())
    }

    #[tokio::test]
    async fn each_creator_has_their_own_place_and_an_old_one_is_let_go() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let memory = Memory::new(State::in_memory());
        let before = |ms: i64| Timestamp::now().plus_ms(-ms).unix_ms();
        let ana = chat(&memory, "ana").await;
        ana.remember(&ana.page_fact, &format!("{} young", before(60_000)));
        assert_eq!(token(&chat(&memory, "ben").await), None, "another's place");
        let mut ana = chat(&memory, "ana").await;
        ana.begin_anew();
        assert_eq!(token(&ana), Some("young"));
        ana.remember(&ana.page_fact, &format!("{} old", before(OLD_PLACE_MS)));
        let mut ana = chat(&memory, "ana").await;
        ana.begin_anew();
        assert_eq!(token(&ana), None);
        assert_eq!(token(&chat(&memory, "ana").await), None, "for good");
    }
}
