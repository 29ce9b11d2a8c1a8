//! Finds the stream of a channel that is live now: by its page, or with the Data API where that is refused.

use std::{sync::Arc, time::Duration};

use rand::RngExt;
use tokio::time::{Instant, sleep};

use super::{
    PRESENCE, VIDEO,
    broadcast::Broadcast,
    data_api::{ChannelBy, DataApi, Video, cost},
    page::Look,
    site::{PAGE_PATIENCE, Site},
    trouble::{Trouble, hour},
};
use crate::{
    config::channel_name::YoutubeChannel,
    model::{Platform, PlatformState, Timestamp},
    platforms::{Ingest, Memory},
    quotas::{Quota, Standing},
};

/// So long all looks must say that there is no such channel before that is believed.
const NOT_FOUND_FOR: Duration = Duration::from_secs(180);
/// Pause between two looks for a channel that is believed to be none.
const ABSENT_PAUSE: Duration = Duration::from_secs(3_600);
/// Pause between two looks where the first one failed.
const RETRY: Duration = Duration::from_secs(3);
/// Least pause between two looks that cost units.
const PAID_PAUSE: Duration = Duration::from_secs(120);
/// Least time between two searches, which are dear.
const SEARCH_EVERY: Duration = Duration::from_secs(6 * 3_600);

/// The Data API, and what may be spent.
pub struct Paid {
    /// The API.
    pub api: DataApi,
    /// Whose units.
    pub quota: Quota,
}

/// Looks for a channel's stream.
pub struct Finder {
    site: Site,
    paid: Option<Paid>,
    memory: Memory,
    name: Arc<str>,
    channel: YoutubeChannel,
    offline: Duration,
    searched: Option<Instant>,
    /// Whether the channel was seen without a stream by this finder.
    was_offline: bool,
    failures: u32,
    absence: Absence,
    /// The site is of no use: each look costs units.
    paying: bool,
}

/// A stream that is left alone for a while.
#[derive(Debug)]
pub struct Except {
    video: String,
    until: Instant,
}

impl Except {
    /// For so long.
    #[must_use]
    pub fn new(video: String, pause: Duration) -> Self {
        Self { video, until: Instant::now() + pause }
    }

    /// Whether it is that stream, whenever.
    #[must_use]
    pub fn is_of(&self, video: &str) -> bool {
        self.video == video
    }

    fn is_meant(&self, video: &str) -> bool {
        self.is_of(video) && Instant::now() < self.until
    }
}

/// A stream that is live, and how that was learnt.
#[derive(Debug)]
pub struct Found {
    /// The stream.
    pub broadcast: Broadcast,
    /// Its chat, where the Data API was asked.
    pub live_chat_id: Option<String>,
    /// Why the site was of no use.
    pub site_trouble: Option<Trouble>,
    /// Whether it began while this server looked.
    pub is_new: bool,
}

impl Finder {
    /// For the channel called `name`.
    #[must_use]
    pub fn new(
        site: Site,
        paid: Option<Paid>,
        memory: Memory,
        name: Arc<str>,
        channel: YoutubeChannel,
        offline_seconds: u32,
    ) -> Self {
        Self {
            site,
            paid,
            memory,
            name,
            channel,
            offline: Duration::from_secs(u64::from(offline_seconds)),
            searched: None,
            was_offline: false,
            failures: 0,
            absence: Absence::default(),
            paying: false,
        }
    }

    /// Waits until a stream is live: another than the one of `except`, before that one's time.
    pub async fn wait(&mut self, ingest: &mut Ingest, except: Option<&Except>) -> Found {
        loop {
            let pause = match Box::pin(self.look()).await {
                Ok(found) if !except.is_some_and(|it| it.is_meant(&found.broadcast.video)) => {
                    self.failures = 0;
                    return found;
                }
                // What was said of that stream stays true.
                Ok(_) => self.offline_pause(),
                Err((state, detail)) => {
                    if state == PlatformState::Offline {
                        self.was_offline = true;
                        ingest.viewers(None);
                        self.note_presence("");
                    } else {
                        self.note_presence(&detail);
                    }
                    ingest.status(state, detail);
                    self.pause_after(state)
                }
            };
            sleep(pause).await;
        }
    }

    /// Says that nothing is live, and waits as long as until the next look.
    pub async fn rest(&mut self, ingest: &mut Ingest, detail: &str) {
        self.was_offline = true;
        self.note_presence("");
        ingest.viewers(None);
        ingest.status(PlatformState::Offline, detail);
        sleep(self.offline_pause()).await;
    }

    /// For whoever speaks in the channel: empty when nothing is live, else why that is not known.
    fn note_presence(&self, trouble: &str) {
        let known = self.memory.find(Platform::Youtube, &self.name, PRESENCE);
        if known.as_deref() != Some(trouble) {
            self.memory.remember(Platform::Youtube, &self.name, PRESENCE, trouble);
        }
        if trouble.is_empty() {
            self.memory.forget(Platform::Youtube, &self.name, VIDEO);
        }
    }

    fn pause_after(&self, state: PlatformState) -> Duration {
        match state {
            PlatformState::Offline => self.offline_pause(),
            // Somebody may take the name.
            PlatformState::Disabled => jittered(ABSENT_PAUSE),
            _ => self.failed_pause(),
        }
    }

    /// One look: a stream, or what is to be said instead.
    async fn look(&mut self) -> Result<Found, (PlatformState, String)> {
        let offline = |detail: &str| Err((PlatformState::Offline, detail.to_owned()));
        let trouble = match self.site.look(&self.channel, Instant::now() + PAGE_PATIENCE).await {
            Ok(look) => {
                self.absence = Absence::default();
                self.failures = 0;
                self.paying = false;
                return match look {
                    Look::Live(broadcast) | Look::Unclear(broadcast) => {
                        Ok(self.found(broadcast, None, None))
                    }
                    Look::Scheduled(Some(at)) => {
                        let day = at.to_string().chars().take(10).collect::<String>();
                        offline(&format!("not live, scheduled for {day} {}", hour(at)))
                    }
                    Look::Scheduled(None) => offline("not live, scheduled"),
                    Look::NotLive => offline("not live"),
                };
            }
            Err(trouble) => trouble,
        };
        self.failures += 1;
        if trouble == Trouble::NotFound {
            let detail = format!("YouTube has no channel `{}`: is the name right?", self.name);
            let state = match self.absence.note(Instant::now()) {
                true => PlatformState::Disabled,
                false => PlatformState::Degraded,
            };
            return Err((state, detail));
        }
        self.absence = Absence::default();
        match self.look_paid().await {
            Ok(Some(video)) => {
                let (broadcast, chat) = (video.broadcast, video.live_chat_id);
                Ok(self.found(broadcast, chat, Some(trouble)))
            }
            Ok(None) => {
                self.paying = true;
                offline(&format!("not live, says the Data API; {trouble}"))
            }
            Err(None) => Err((PlatformState::Degraded, trouble.to_string())),
            Err(Some(also)) => Err((PlatformState::Degraded, format!("{trouble}; {also}"))),
        }
    }

    /// Asks the Data API; `Err(None)` when it cannot be asked.
    async fn look_paid(&mut self) -> Result<Option<Video>, Option<Trouble>> {
        if self.paid.is_none() {
            return Err(None);
        }
        let channel = self.channel.clone();
        let ids = match &channel {
            YoutubeChannel::Video(id) => vec![id.clone()],
            other => {
                let Some(id) = self.channel_id(other).await? else { return Err(None) };
                let newest = self.list_newest(&id).await?;
                match self.pick_live(&newest).await? {
                    Some(video) => return Ok(Some(video)),
                    None => self.search(&id).await?,
                }
            }
        };
        self.pick_live(&ids).await
    }

    async fn channel_id(&self, channel: &YoutubeChannel) -> Result<Option<String>, Trouble> {
        let by = match channel {
            YoutubeChannel::Id(id) => return Ok(Some(id.clone())),
            YoutubeChannel::Handle(name) => ChannelBy::Handle(name),
            YoutubeChannel::User(name) => ChannelBy::User(name),
            // Of old addresses only the site knows whose they are.
            YoutubeChannel::Custom(_) | YoutubeChannel::Video(_) => {
                return Ok(self.memory.find(Platform::Youtube, &self.name, "channel id"));
            }
        };
        if let Some(known) = self.memory.find(Platform::Youtube, &self.name, "channel id") {
            return Ok(Some(known));
        }
        let paid = self.pay(cost::LIST)?;
        let id = paid.api.find_channel(by).await;
        let id = paid.note(id, cost::LIST)?;
        if let Some(id) = &id {
            self.memory.remember(Platform::Youtube, &self.name, "channel id", id);
        }
        Ok(id)
    }

    async fn list_newest(&self, channel_id: &str) -> Result<Vec<String>, Trouble> {
        let paid = self.pay(cost::LIST)?;
        match paid.api.list_newest_videos(channel_id).await {
            // A channel that never uploaded anything has no list.
            Err(Trouble::NotFound) => Ok(Vec::new()),
            other => paid.note(other, cost::LIST),
        }
    }

    async fn pick_live(&self, ids: &[String]) -> Result<Option<Video>, Option<Trouble>> {
        if ids.is_empty() {
            return Ok(None);
        }
        let paid = self.pay(cost::LIST)?;
        let videos = paid.note(paid.api.list_videos(ids).await, cost::LIST)?;
        Ok(videos.into_iter().find(|it| it.live))
    }

    /// What the list of uploads does not show; seldom, and only while there is plenty.
    async fn search(&mut self, channel_id: &str) -> Result<Vec<String>, Trouble> {
        let due = self.searched.is_none_or(|it| it.elapsed() >= SEARCH_EVERY);
        let standing = self.paid.as_ref().map(|it| it.quota.snapshot(Timestamp::now()).standing);
        if !due || standing != Some(Standing::Free) {
            return Ok(Vec::new());
        }
        self.searched = Some(Instant::now());
        let paid = self.pay(cost::SEARCH)?;
        paid.note(paid.api.search_live(channel_id).await, cost::SEARCH)
    }

    fn pay(&self, units: u32) -> Result<&Paid, Trouble> {
        let paid = self.paid.as_ref().ok_or(Trouble::Refused("no key".to_owned()))?;
        match paid.quota.spend(units, Timestamp::now()) {
            Ok(_) => Ok(paid),
            Err(spent) => Err(Trouble::QuotaSpent(spent.until)),
        }
    }

    fn found(
        &self,
        broadcast: Broadcast,
        live_chat_id: Option<String>,
        site_trouble: Option<Trouble>,
    ) -> Found {
        if let Some(id) = &broadcast.channel_id
            && !matches!(self.channel, YoutubeChannel::Video(_))
        {
            self.memory.remember(Platform::Youtube, &self.name, "channel id", id);
        }
        Found { is_new: self.was_offline, broadcast, live_chat_id, site_trouble }
    }

    /// Not all creators at once.
    fn offline_pause(&self) -> Duration {
        let pause = if self.paying { self.offline.max(PAID_PAUSE) } else { self.offline };
        jittered(pause)
    }

    /// Soon at first, then as for a channel that is offline; slower where each look costs units.
    fn failed_pause(&self) -> Duration {
        let soon = RETRY.saturating_mul(1 << self.failures.min(8).saturating_sub(1));
        let least = if self.paid.is_some() { PAID_PAUSE.max(self.offline) } else { self.offline };
        jittered(soon.min(least))
    }
}

fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::rng().random_range(0.75..=1.25))
}

/// Since when every look says that there is no such channel.
#[derive(Debug, Default)]
struct Absence(Option<Instant>);

impl Absence {
    /// One more says so; `true` when that is to be believed.
    fn note(&mut self, now: Instant) -> bool {
        now.duration_since(*self.0.get_or_insert(now)) >= NOT_FOUND_FOR
    }
}

impl Paid {
    /// Believes the API when it says that nothing is left; what never left this machine cost nothing.
    fn note<T>(&self, answer: Result<T, Trouble>, units: u32) -> Result<T, Trouble> {
        let now = Timestamp::now();
        match &answer {
            Ok(_) => self.quota.note_answer(now),
            Err(Trouble::QuotaSpent(_)) => {
                return Err(Trouble::QuotaSpent(self.quota.note_refusal(now)));
            }
            Err(Trouble::Unconnected(_)) => self.quota.give_back(units, now),
            Err(_) => {}
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_of_absence_are_believed_and_seconds_are_not() {
        let mut absence = Absence::default();
        let began = Instant::now();
        for seconds in [0, 3, 9, 21, 60, 179] {
            assert!(!absence.note(began + Duration::from_secs(seconds)), "{seconds}");
        }
        assert!(absence.note(began + Duration::from_secs(180)));
    }

    #[tokio::test]
    async fn a_channel_that_is_none_is_looked_for_about_hourly() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ways = super::super::ways::Ways::new(&crate::http::Way::default(), &[]);
        let site = Site::new(Arc::default(), Arc::new(ways), "http://127.0.0.1:9");
        let memory = Memory::new(crate::storage::State::in_memory());
        let channel = YoutubeChannel::parse("@ana").unwrap();
        let finder = Finder::new(site, None, memory.clone(), "@ana".into(), channel, 60);
        let minutes = finder.pause_after(PlatformState::Disabled).as_secs() / 60;
        assert!((45..=75).contains(&minutes), "{minutes}");
        assert!(finder.pause_after(PlatformState::Offline) < Duration::from_secs(90));
        // Whoever speaks in the channel hears the difference.
        let known = |fact| memory.find(Platform::Youtube, "@ana", fact);
        memory.remember(Platform::Youtube, "@ana", VIDEO, "aaaaaaaaaaa");
        finder.note_presence("YouTube cannot be reached");
        assert_eq!(known(PRESENCE).as_deref(), Some("YouTube cannot be reached"));
        assert!(known(VIDEO).is_some());
        finder.note_presence("");
        assert_eq!((known(PRESENCE).as_deref(), known(VIDEO)), (Some(""), None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_without_a_chat_is_tried_again_after_a_while() {
        let except = Except::new("aaaaaaaaaaa".to_owned(), Duration::from_secs(300));
        assert!(except.is_meant("aaaaaaaaaaa") && !except.is_meant("bbbbbbbbbbb"));
        tokio::time::advance(Duration::from_secs(300)).await;
        assert!(!except.is_meant("aaaaaaaaaaa"));
    }
}
