//! The chat as the Data API tells it: one page after another.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    chat::{Chat, Looked},
    data_api::{DataApi, cost},
    item::Item,
    trouble::Trouble,
};
use crate::{
    model::{Platform, Timestamp},
    platforms::{
        Memory,
        http::{Clients, Way, failure},
    },
    quotas::Quota,
};

/// Never asked faster.
pub const SHORTEST_PAUSE: Duration = Duration::from_secs(2);
/// When an answer does not say.
const USUAL_PAUSE: Duration = Duration::from_secs(5);
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
    page_token: Option<String>,
    viewers_due: Instant,
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
}

impl ApiChat {
    /// For the stream `video`, from where it was left off.
    #[must_use]
    pub fn new(place: ApiPlace, video: &str, live_chat_id: Option<String>) -> Self {
        let ApiPlace { api, quota, memory, clients, way, base, channel } = place;
        // Of the newest stream only, so that what is kept does not grow with every stream.
        let known = |fact| {
            let kept = memory.find(Platform::Youtube, &channel, fact)?;
            kept.strip_prefix(video)?.strip_prefix(' ').map(str::to_owned)
        };
        Self {
            live_chat_id: live_chat_id.or_else(|| known("chat")),
            page_token: known("page"),
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
        let page = match self.api.list_chat(&chat, self.page_token.as_deref()).await {
            Ok(page) => page,
            Err(Trouble::Stale) => {
                self.forget("page");
                self.page_token = None;
                return Err(Trouble::Stale);
            }
            Err(Trouble::NotFound) if !self.asked_again => {
                // The chat's id may have changed, with the stream going on.
                self.asked_again = true;
                self.live_chat_id = None;
                self.page_token = None;
                self.forget("chat");
                self.forget("page");
                return Err(Trouble::Stale);
            }
            Err(Trouble::NotFound) => return Err(Trouble::Ended),
            Err(trouble) => return Err(trouble),
        };
        self.asked_again = false;
        if let Some(token) = &page.next_page_token {
            self.remember("page", token);
        }
        self.page_token = page.next_page_token.or(self.page_token.take());
        if page.ended && page.items.is_empty() {
            self.forget("page");
            return Err(Trouble::Ended);
        }
        let pause = page.polling_interval.unwrap_or(USUAL_PAUSE).max(SHORTEST_PAUSE);
        let items = page.items.into_iter().map(|resource| Item::Resource { resource }).collect();
        Ok(Looked { items, pause, viewers: self.find_viewers().await, remark: "" })
    }

    /// Finds the chat of the stream.
    async fn find_chat(&mut self) -> Result<String, Trouble> {
        self.pay(cost::LIST)?;
        let videos = self.api.list_videos(std::slice::from_ref(&self.video)).await?;
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
        let videos = self.api.list_videos(std::slice::from_ref(&self.video)).await.ok()?;
        videos.first()?.broadcast.viewers
    }

    fn pay(&self, units: u32) -> Result<(), Trouble> {
        match self.quota.spend(units, Timestamp::now()) {
            Ok(_) => Ok(()),
            Err(spent) => Err(Trouble::QuotaSpent(spent.resets_at)),
        }
    }

    fn remember(&self, fact: &str, text: &str) {
        let text = format!("{} {text}", self.video);
        self.memory.remember(Platform::Youtube, &self.channel, fact, &text);
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
    fn begin_anew(&mut self) {}
}
