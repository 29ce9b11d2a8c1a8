//! Reads one Rumble channel for one creator: looks for its chat, and takes the best way to read it that
//! works.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use reqwest::Client;
use tokio::time::{Instant, sleep_until};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Rumble, RumblePlan,
    api::{Heard, LiveStream, News, Poller},
    browser::Browser,
    mode::{Ladder, Mode},
    resolve::{By, Found, Look, Resolver},
};
use crate::{
    config::platforms::RumbleConfig,
    model::{PlatformState, Timestamp},
    platforms::{Ingest, Liveness, PlatformWorker, WorkerError, absence::Absence},
    telemetry::Severity,
};

/// Longest wait that the site may ask for at once.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Reads one channel until it is lost.
pub struct RumbleWorker {
    shared: Arc<Rumble>,
    plan: RumblePlan,
}

impl RumbleWorker {
    /// For one attempt.
    #[must_use]
    pub fn new(shared: Arc<Rumble>, plan: RumblePlan) -> Self {
        Self { shared, plan }
    }
}

impl PlatformWorker for RumbleWorker {
    async fn run(self, ingest: &mut Ingest, stop: &CancellationToken) -> Result<(), WorkerError> {
        let client = self.shared.shared.clients.client(&self.plan.way()).await?;
        let streams = self.shared.stream_client(self.plan.ca_file.as_ref()).await?;
        let config = Arc::clone(&self.plan.config);
        let api = self.plan.api_key.clone().map(|key| {
            let every = Duration::from_secs(u64::from(config.api_seconds));
            let life = &self.shared.shared.life;
            Poller::start(life, client.clone(), config.api_url.as_str(), key, every)
        });
        let reader = Reader {
            resolver: Arc::new(self.shared.resolver(&self.plan, client.clone())),
            ladder: Ladder::new(Duration::from_secs(u64::from(config.try_better_seconds))),
            liveness: Liveness::new(config.quiet_seconds),
            shared: &self.shared,
            plan: &self.plan,
            config,
            ingest,
            stop,
            client,
            streams,
            api,
            api_since: None,
            api_live: None,
            api_newest: None,
            api_trouble: None,
            held: VecDeque::new(),
            started: Timestamp::now(),
            chat: None,
            newest: None,
            page_newest: None,
            recent: Recent::default(),
            last_event_id: None,
            was_offline: false,
            reading: false,
            counting: None,
            counted_at: None,
            absence: Absence::default(),
        };
        // A stop waits for nothing: what is open is closed when it is let go.
        stop.run_until_cancelled(Box::pin(reader.run())).await.unwrap_or(Ok(()))
    }
}

/// What comes after a way of reading has ended.
pub(super) enum Next {
    /// The worker is told to stop.
    Stop,
    /// Look for the chat, and go on in the same mode.
    Again,
    /// This mode does not work: a lower one.
    Down {
        why: String,
        /// The site refuses, or has changed. Otherwise it is in trouble, and would be in any mode.
        refused: bool,
    },
    /// A better mode works again.
    Up(Mode),
    /// Nothing helps.
    Fail(WorkerError),
}

/// Newest ids of messages, by which it is told whether a connection missed any.
#[derive(Default)]
pub(super) struct Recent {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Recent {
    const MOST: usize = 1_024;

    pub(super) fn insert(&mut self, id: &str) {
        if self.ids.insert(id.to_owned()) {
            self.order.push_back(id.to_owned());
            if self.order.len() > Self::MOST
                && let Some(oldest) = self.order.pop_front()
            {
                self.ids.remove(&oldest);
            }
        }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// One attempt at a channel.
pub(super) struct Reader<'a> {
    pub(super) shared: &'a Rumble,
    pub(super) plan: &'a RumblePlan,
    pub(super) config: Arc<RumbleConfig>,
    pub(super) ingest: &'a mut Ingest,
    pub(super) stop: &'a CancellationToken,
    pub(super) client: Client,
    pub(super) streams: Client,
    pub(super) resolver: Arc<Resolver>,
    pub(super) ladder: Ladder,
    pub(super) liveness: Liveness,
    pub(super) api: Option<Poller>,
    /// Older things of the API are history.
    pub(super) api_since: Option<Timestamp>,
    pub(super) api_live: Option<LiveStream>,
    /// The newest message the API told.
    pub(super) api_newest: Option<Timestamp>,
    pub(super) api_trouble: Option<String>,
    /// Messages of the API that are told if nobody else tells them.
    pub(super) held: VecDeque<(Instant, News)>,
    pub(super) started: Timestamp,
    /// The chat that is read.
    pub(super) chat: Option<String>,
    /// The newest message of the chat's stream.
    pub(super) newest: Option<Timestamp>,
    /// The newest message the page shows.
    pub(super) page_newest: Option<Timestamp>,
    pub(super) recent: Recent,
    /// Of the chat's stream, sent back with the next request.
    pub(super) last_event_id: Option<String>,
    /// The site said that the channel is not live, since this attempt began.
    pub(super) was_offline: bool,
    /// The chat is read now.
    pub(super) reading: bool,
    /// How many are watching, being asked.
    pub(super) counting: Option<AbortOnDropHandle<Option<u64>>>,
    pub(super) counted_at: Option<Instant>,
    /// Since when the site says that there is no such channel.
    pub(super) absence: Absence,
}

/// What is heard of the API; never anything without a key.
pub(super) async fn api_next(api: &mut Option<Poller>) -> Heard {
    match api {
        Some(it) => it.next().await,
        None => std::future::pending().await,
    }
}

impl Reader<'_> {
    async fn run(mut self) -> Result<(), WorkerError> {
        loop {
            let next = match self.ladder.mode() {
                Mode::SseBestEffort => match Box::pin(self.find_chat()).await {
                    Ok(found) => Box::pin(self.read_stream(&found)).await,
                    Err(next) => next,
                },
                Mode::PageTap | Mode::DomMutation => Box::pin(self.read_page()).await,
                Mode::Disabled => Box::pin(self.read_api_alone()).await,
            };
            self.reading = false;
            match next {
                Next::Stop => return Ok(()),
                Next::Again => {}
                Next::Down { why, refused } => self.step_down(why, refused).await,
                Next::Up(mode) => {
                    self.ladder.up(mode);
                    self.say_change();
                }
                Next::Fail(error) => return Err(error),
            }
        }
    }

    /// Looks for the chat until there is one.
    async fn find_chat(&mut self) -> Result<Found, Next> {
        let mut failures = 0_u32;
        loop {
            let resolver = Arc::clone(&self.resolver);
            let Some(look) = self.stop.run_until_cancelled(resolver.look()).await else {
                return Err(Next::Stop);
            };
            match look {
                Look::Live(found) => {
                    self.absence.end();
                    return Ok(found);
                }
                Look::NotLive => self.wait_offline("not live").await?,
                Look::NoSuchChannel => self.wait_absent().await?,
                Look::Blocked(words) => {
                    if let Some(found) = self.found_by_api() {
                        tracing::warn!(words, "the chat is known from the Live Stream API");
                        return Ok(found);
                    }
                    self.say(PlatformState::Degraded, &words);
                    // The browser may be let in where we are not; without one, it may pass.
                    if Browser::is_there(&self.config) || self.ladder.refused() {
                        return Err(Next::Down { why: words, refused: true });
                    }
                    self.pause(self.offline_time()).await?;
                }
                Look::Failed(words) => {
                    failures += 1;
                    self.say(PlatformState::Degraded, &words);
                    self.pause(self.retry_time(failures)).await?;
                }
                Look::Busy { words, wait } => {
                    failures += 1;
                    self.say(PlatformState::Degraded, &words);
                    let asked = wait.unwrap_or_default().min(LONGEST_WAIT);
                    self.pause(self.retry_time(failures).max(asked)).await?;
                }
            }
        }
    }

    /// Says that the site knows no such channel, and waits until it is worth looking again.
    pub(super) async fn wait_absent(&mut self) -> Result<(), Next> {
        self.reading = false;
        self.ingest.viewers(None);
        let words = format!("Rumble has no channel `{}`: is the name right?", self.plan.channel);
        let pause = self.absence.tell(&self.shared.shared.telemetry, self.ingest, &words);
        self.pause(pause).await
    }

    /// The chat that the API names: the same number, written otherwise.
    pub(super) fn found_by_api(&self) -> Option<Found> {
        let live = self.api_live.as_ref()?;
        Some(Found {
            chat_id: live.chat_id()?,
            chat_url: self.config.chat_url.as_str().to_owned(),
            page_url: self.resolver.place.page_urls().swap_remove(0),
            embed: None,
            title: live.title.clone(),
            by: By::Api,
        })
    }

    /// Says that the channel is not live, and waits until it is worth looking again.
    pub(super) async fn wait_offline(&mut self, words: &str) -> Result<(), Next> {
        self.reading = false;
        self.was_offline = true;
        self.absence.end();
        self.ladder.works();
        self.ingest.viewers(None);
        let trouble = self.api_trouble.clone().map(|it| format!("; {it}")).unwrap_or_default();
        self.ingest.status(PlatformState::Offline, format!("{words}{trouble}"));
        let until = Instant::now() + self.offline_time();
        let was_live = self.api_live.is_some();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Err(Next::Stop),
                () = sleep_until(until) => return Ok(()),
                heard = api_next(&mut self.api) => {
                    self.hear_api(heard);
                    // The API knows it first.
                    if !was_live && self.api_live.is_some() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Waits; what the API tells meanwhile is taken.
    pub(super) async fn pause(&mut self, time: Duration) -> Result<(), Next> {
        let until = Instant::now() + time;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Err(Next::Stop),
                () = sleep_until(until) => return Ok(()),
                heard = api_next(&mut self.api) => self.hear_api(heard),
            }
        }
    }

    /// Between two looks at a channel that is not live: a thousand creators do not look at once.
    pub(super) fn offline_time(&self) -> Duration {
        let time = Duration::from_secs(u64::from(self.config.offline_seconds));
        time.mul_f64(0.8 + 0.4 * rand::random::<f64>())
    }

    /// Behind so many failures in a row.
    pub(super) fn retry_time(&self, failures: u32) -> Duration {
        let first = Duration::from_millis(u64::from(self.config.retry_ms));
        let longest = Duration::from_millis(u64::from(self.config.longest_retry_ms));
        let bound = first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest);
        bound.mul_f64(0.5 + 0.5 * rand::random::<f64>())
    }

    /// Says how it goes, and in which mode.
    pub(super) fn say(&mut self, state: PlatformState, words: &str) {
        let mode = self.ladder.words();
        let words = if words.is_empty() { mode } else { format!("{mode}: {words}") };
        self.ingest.status(state, words);
    }

    /// Says that the chat is read, and whether it is quiet or late.
    pub(super) fn say_live(&mut self) {
        self.reading = true;
        let detail = self.liveness.detail(self.ingest);
        let trouble = self.api_trouble.clone().unwrap_or_default();
        let words = [detail, trouble].into_iter().filter(|it| !it.is_empty());
        let words = words.collect::<Vec<_>>().join("; ");
        self.say(PlatformState::Live, &words);
    }

    fn say_change(&mut self) {
        let words = format!("the chat is read in the mode {}", self.ladder.words());
        let source = format!("rumble:{}", self.plan.channel);
        self.shared.shared.telemetry.recent.event(Severity::Warning, &source, words);
        let is_disabled = self.ladder.mode() == Mode::Disabled;
        self.say(if is_disabled { PlatformState::Disabled } else { PlatformState::Connecting }, "");
    }

    /// Takes the next mode that this machine can offer.
    async fn step_down(&mut self, why: String, refused: bool) {
        let mode = self.ladder.mode();
        let browser = Browser::is_there(&self.config);
        let to = match mode {
            Mode::SseBestEffort if browser => Mode::PageTap,
            Mode::PageTap if browser => Mode::DomMutation,
            _ => Mode::Disabled,
        };
        if to == Mode::Disabled && !refused {
            // The site is in trouble: it would be in any mode. Again from the top, with patience.
            self.say(PlatformState::Degraded, &why);
            if mode == Mode::SseBestEffort {
                self.ladder.works();
            } else {
                self.ladder.up(Mode::SseBestEffort);
            }
            let wait = Duration::from_millis(u64::from(self.config.longest_retry_ms));
            // A stop ends the next step at once.
            let _ = self.pause(wait.mul_f64(0.5 + 0.5 * rand::random::<f64>())).await;
            return;
        }
        let why = match (to, browser) {
            (Mode::Disabled, false) => {
                format!("{why}; PAGE_TAP and DOM_MUTATION are skipped: this machine has no browser")
            }
            _ => why,
        };
        self.ladder.down(to, why);
        self.say_change();
    }

    /// No mode works; the API may still tell something. Until it is time to try the best mode again.
    async fn read_api_alone(&mut self) -> Next {
        let has_api = self.api.is_some();
        while !self.ladder.is_time() {
            let trouble = self.api_trouble.clone();
            match (&self.api_live, trouble) {
                (_, Some(trouble)) => self.say(PlatformState::Disabled, &trouble),
                _ if !has_api => self.say(PlatformState::Disabled, ""),
                (Some(_), None) => {
                    self.say(PlatformState::Degraded, "what the Live Stream API tells is shown");
                }
                (None, None) => {
                    self.say(PlatformState::Offline, "not live, says the Live Stream API")
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => return Next::Stop,
                () = sleep_until(self.ladder.try_at()) => {}
                heard = api_next(&mut self.api) => self.hear_api(heard),
            }
        }
        Next::Up(Mode::SseBestEffort)
    }
}
