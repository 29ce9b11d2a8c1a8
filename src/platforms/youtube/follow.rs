//! Follows the chat of one stream to its end, by the site, by the Data API, or from one over to the other.
//!
//! A change of ways overlaps: the new one has to deliver before the old one is let go. Each tells what was
//! said lately when it begins, so nothing is lost, and the feed knows what it has by the messages' ids.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{
    chat::{Chat, Looked},
    data_api::cost,
    item::Item,
    pacing::{self, Primary, Situation},
    reader::{KEY_REFUSALS, Reader},
    trouble::{Trouble, hour},
};
use crate::{
    config::platforms::YoutubeReading,
    model::{PlatformState, Timestamp},
    platforms::{Ingest, Liveness, Raw, WorkerError},
    quotas::{Quota, Snapshot, Standing},
};

/// Pause between two looks from which on the door is knocked at meanwhile: with the patience for an answer,
/// what is gone would not be seen within 10 s.
const KNOCK_PAUSE: Duration = Duration::from_secs(5);
/// Pause from which on events do not arrive as they happen.
const SLOW_PAUSE: Duration = Duration::from_secs(12);
/// Time between two knocks.
const KNOCK_EVERY: Duration = Duration::from_secs(4);
/// How often the site is tried while it is not needed, so that it is known whether it would stand in.
const REHEARSE_EVERY: Duration = Duration::from_secs(600);
/// How often the forecast is put into words.
const FORECAST_EVERY: Duration = Duration::from_secs(300);
/// A forecast beyond this is nobody's concern.
const FORECAST_MS: i64 = 3_600_000;

/// Reads the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Why a chat is not followed any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It ended; whether anything was ever read.
    Ended {
        /// Whether its chat was read at all.
        delivered: bool,
    },
    /// The stream has no chat that could be read, for this reason.
    NoChat(String),
}

/// The quota of a key, and those who spend from it.
#[derive(Clone)]
pub struct Purse {
    /// What may be spent.
    pub quota: Quota,
    /// How many chats are read with it now.
    pub sharers: Arc<dyn Fn() -> usize + Send + Sync>,
}

/// Follows one chat.
pub struct Follow<S, A> {
    reading: YoutubeReading,
    site: Option<Reader<S>>,
    api: Option<Reader<A>>,
    purse: Option<Purse>,
    clock: Clock,
    liveness: Liveness,
    primary: Primary,
    delivered: bool,
    rehearse_due: Instant,
    knock_due: Instant,
    forecast: Option<(Instant, String)>,
}

impl<S: Chat, A: Chat> Follow<S, A> {
    /// By `site`, by `api`, or by both as `reading` says.
    pub fn new(
        reading: YoutubeReading,
        site: Option<S>,
        api: Option<(A, Purse)>,
        clock: Clock,
        quiet_seconds: u32,
    ) -> Self {
        let (api, purse) = api.unzip();
        let now = Instant::now();
        Self {
            reading,
            site: site.map(Reader::new),
            api: api.map(Reader::new),
            purse,
            clock,
            liveness: Liveness::new(quiet_seconds),
            primary: Primary::Site,
            delivered: false,
            rehearse_due: now + REHEARSE_EVERY,
            knock_due: now,
            forecast: None,
        }
    }

    /// Takes over what is known of the site already.
    pub fn note_site_trouble(&mut self, trouble: Trouble) {
        if let Some(site) = &mut self.site {
            site.fail(trouble);
        }
    }

    /// Reads until the chat ends.
    ///
    /// # Errors
    /// When the only way there is will never work.
    pub async fn run(&mut self, ingest: &mut Ingest) -> Result<Outcome, WorkerError> {
        loop {
            self.choose();
            let site = look_if_due(self.site.as_mut());
            let api = look_if_paid(self.api.as_mut(), self.purse.as_ref(), &self.clock);
            let (site, api) = tokio::join!(site, api);
            let site = site.map(|it| self.take_site(it, ingest));
            let api = api.map(|it| self.take_api(it, ingest));
            for outcome in [site, api].into_iter().flatten() {
                if let Some(outcome) = outcome? {
                    return Ok(outcome);
                }
            }
            self.knock().await;
            // Another way may be better now: it is switched on before this one's pause is over.
            self.choose();
            self.tell(ingest);
            ingest.ready().await;
            sleep_until(self.next_due()).await;
        }
    }

    /// Switches the ways on and off, and paces the Data API by what is left now.
    fn choose(&mut self) {
        let snapshot = self.snapshot();
        let standing = snapshot.as_ref().map_or(Standing::Spent, |it| it.standing);
        let lasting = |it: &Reader<S>| it.trouble.as_ref().is_some_and(Trouble::is_lasting);
        let relieved = self.reading == YoutubeReading::Auto
            && self.site.as_ref().is_some_and(|it| !(it.is_failing() && lasting(it)));
        if let (Some(api), Some(purse), Some(snapshot)) = (&mut self.api, &self.purse, &snapshot) {
            let (now, sharers) = ((self.clock)(), (purse.sharers)());
            let pause = pacing::api_pause(api.asked, snapshot, now, sharers, relieved);
            api.revive();
            api.least = pause;
            if api.delivered && api.failures == 0 {
                api.set_pause(pause);
            }
        }
        self.primary = pacing::choose(Situation {
            reading: self.reading,
            has_key: self.api.as_ref().is_some_and(|it| !it.dead),
            standing,
            site_down: self.site.as_ref().is_none_or(Reader::is_down),
            api_down: self.api.as_ref().is_none_or(Reader::is_down),
        });
        match self.primary {
            Primary::Site => hand_over(self.site.as_mut(), self.api.as_mut()),
            Primary::Api => hand_over(self.api.as_mut(), self.site.as_mut()),
        }
        let now = Instant::now();
        if self.primary == Primary::Api
            && let Some(site) = self.site.as_mut().filter(|it| !it.on)
            && if site.is_failing() { site.due <= now } else { self.rehearse_due <= now }
        {
            self.rehearse_due = now + REHEARSE_EVERY;
            site.out_of_turn = true;
            site.switch_on();
        }
    }

    fn take_site(
        &mut self,
        looked: Result<Looked, Trouble>,
        ingest: &mut Ingest,
    ) -> Result<Option<Outcome>, WorkerError> {
        let delivered = self.delivered;
        let primary = self.primary == Primary::Site;
        // With a key there is somebody else to ask.
        let alone = self.api.as_ref().is_none_or(|it| it.dead || it.is_failing())
            || self.snapshot().is_none_or(|it| it.standing == Standing::Spent);
        let Some(site) = &mut self.site else { return Ok(None) };
        match looked {
            Ok(looked) => {
                site.succeed(looked.pause, looked.remark);
                self.give(looked, ingest);
            }
            Err(Trouble::Ended) if primary => return Ok(Some(Outcome::Ended { delivered })),
            Err(Trouble::NoChat(reason)) if alone => return Ok(Some(Outcome::NoChat(reason))),
            Err(trouble) => site.fail(trouble),
        }
        Ok(None)
    }

    fn take_api(
        &mut self,
        (looked, paid): (Result<Looked, Trouble>, bool),
        ingest: &mut Ingest,
    ) -> Result<Option<Outcome>, WorkerError> {
        let delivered = self.delivered;
        let primary = self.primary == Primary::Api;
        let site_fails = self.site.as_ref().is_none_or(Reader::is_failing);
        let (Some(api), Some(purse)) = (&mut self.api, &self.purse) else { return Ok(None) };
        match looked {
            Ok(looked) => {
                api.succeed(looked.pause, looked.remark);
                purse.quota.note_answer((self.clock)());
                self.give(looked, ingest);
            }
            Err(Trouble::Ended) if primary => return Ok(Some(Outcome::Ended { delivered })),
            Err(Trouble::NoChat(reason)) if site_fails => {
                return Ok(Some(Outcome::NoChat(reason)));
            }
            Err(trouble @ Trouble::Key(_)) => {
                let was_tried = api.key_refusals >= KEY_REFUSALS;
                api.fail(trouble.clone());
                if trouble.is_invalid_key() && self.reading == YoutubeReading::DataApi {
                    return Err(WorkerError::permanent(trouble.to_string()));
                }
                if api.dead && !was_tried {
                    tracing::warn!(%trouble, "YouTube is read without the key for now");
                }
            }
            Err(Trouble::QuotaSpent(until)) => {
                // It was refused by the platform, unless it was not even asked.
                let until = if paid { purse.quota.note_refusal((self.clock)()) } else { until };
                api.fail(Trouble::QuotaSpent(until));
            }
            Err(trouble) => api.fail(trouble),
        }
        Ok(None)
    }

    fn give(&mut self, looked: Looked, ingest: &mut Ingest) {
        self.delivered = true;
        let received_at = (self.clock)();
        if looked.viewers.is_some() {
            ingest.viewers(looked.viewers);
        }
        if !looked.items.is_empty() {
            self.liveness.hear();
        }
        for item in looked.items {
            ingest.accept(Raw::Youtube(Box::new(item)), received_at);
        }
    }

    /// Between two looks that are far apart, whether anybody is there at all.
    async fn knock(&mut self) {
        let now = Instant::now();
        if self.primary != Primary::Api || self.knock_due > now {
            return;
        }
        self.knock_due = now + KNOCK_EVERY;
        let Some(api) = self.api.as_mut() else { return };
        if api.pause < KNOCK_PAUSE || !api.on || !api.delivered || api.due <= now {
            return;
        }
        match api.chat.knock().await {
            Ok(()) => {
                // What a look found is left to the next look, which is made at once where the door was shut meanwhile:
                // one such look until one is answered, since each costs units.
                let opened = api.knock.take().is_some();
                if opened && api.failures > 0 && !api.hurried {
                    api.hurried = true;
                    api.due = now;
                }
            }
            Err(trouble) => {
                let knocks = api.knock.as_ref().map_or(0, |it| it.1);
                api.knock = Some((trouble, knocks + 1));
            }
        }
    }

    fn next_due(&self) -> Instant {
        let site = self.site.as_ref().filter(|it| it.on && !it.dead).map(|it| it.due);
        let api = self.api.as_ref().filter(|it| it.on && !it.dead).map(|it| it.due);
        let slow = self.api.as_ref().is_some_and(|it| it.pause >= KNOCK_PAUSE);
        let knock = (slow && self.primary == Primary::Api).then_some(self.knock_due);
        // What is down is tried again when it may be.
        let later = |it: &Instant| *it > Instant::now();
        let site_again = self.site.as_ref().filter(|it| it.is_failing()).map(|it| it.due);
        let api_again = self.api.as_ref().filter(|it| it.is_failing()).map(|it| it.due);
        let (site_again, api_again) = (site_again.filter(later), api_again.filter(later));
        // However long the pauses are, the state is looked at.
        let soon = Instant::now() + Duration::from_secs(5);
        let dues = [site, api, knock, site_again, api_again].into_iter().flatten();
        dues.fold(soon, Instant::min).max(Instant::now() + Duration::from_millis(10))
    }

    fn snapshot(&self) -> Option<Snapshot> {
        self.purse.as_ref().map(|it| it.quota.snapshot((self.clock)()))
    }

    /// Says how well the chat is being read.
    fn tell(&mut self, ingest: &mut Ingest) {
        let snapshot = self.snapshot();
        let site_well = self.site.as_ref().is_some_and(Reader::is_well);
        let api_well = self.api.as_ref().is_some_and(Reader::is_well);
        let site_trouble = self.site.as_ref().filter(|it| it.is_failing());
        let site_trouble = site_trouble.and_then(Reader::why);
        let api_trouble = self.api.as_ref().filter(|it| it.dead || it.is_failing());
        let api_trouble = api_trouble.and_then(Reader::why);
        let mut said: Vec<String> = Vec::new();
        if !site_well && !api_well {
            let troubles = match self.primary {
                Primary::Site => [site_trouble, api_trouble],
                Primary::Api => [api_trouble, site_trouble],
            };
            said.extend(troubles.into_iter().flatten());
            let spent = snapshot.filter(|it| it.standing == Standing::Spent);
            if let Some(spent) = spent.filter(|_| self.reading != YoutubeReading::InnerTube) {
                let until = spent.spent_until.unwrap_or(spent.resets_at);
                let words = format!("quota spent until {}", hour(until));
                if !said.iter().any(|it| it.contains("quota")) {
                    said.push(words);
                }
            }
            if !said.is_empty() {
                // A key that is refused and refused again, where there is no other way, is wrong until somebody changes it.
                let refused = self.api.as_ref().is_some_and(|it| it.key_refusals >= KEY_REFUSALS);
                let state = if refused && self.site.is_none() {
                    PlatformState::Disabled
                } else {
                    PlatformState::Degraded
                };
                ingest.status(state, said.join("; "));
            }
            return;
        }
        let by_api_alone = api_well && !site_well;
        let pause = self.api.as_ref().map(|it| it.pause).unwrap_or_default();
        let slow = by_api_alone && pause >= SLOW_PAUSE;
        if by_api_alone {
            said.extend(site_trouble);
        } else {
            said.extend(api_trouble.filter(|_| !api_well));
        }
        if let Some(snapshot) = snapshot.filter(|_| by_api_alone) {
            if slow {
                // In steps, so that it does not change with every look.
                let seconds = pause.as_secs().next_multiple_of(5);
                let until = hour(snapshot.resets_at);
                said.push(format!("read every {seconds} s so that the quota lasts until {until}"));
            } else {
                said.extend(self.forecast(&snapshot));
            }
        }
        let detail = self.liveness.detail(ingest);
        // Slow by our own choice is no lag of the platform's.
        said.extend(
            Some(detail).filter(|it| !(it.is_empty() || slow && it.starts_with("lagging"))),
        );
        let remark = self.site.as_ref().filter(|it| it.is_well()).map_or("", |it| it.remark);
        said.extend(Some(remark.to_owned()).filter(|it| !it.is_empty()));
        let wanted = self.reading == YoutubeReading::DataApi;
        let state = if slow && !wanted { PlatformState::Degraded } else { PlatformState::Live };
        ingest.status(state, said.join("; "));
    }

    /// `quota lasts until 23:40 UTC`, when that is soon.
    fn forecast(&mut self, snapshot: &Snapshot) -> Option<String> {
        let now = Instant::now();
        if let Some((at, words)) = &self.forecast
            && now.duration_since(*at) < FORECAST_EVERY
        {
            return Some(words.clone()).filter(|it| !it.is_empty());
        }
        const STEP_MS: i64 = 600_000;
        let end = snapshot.lasts_until.filter(|it| it.ms_since((self.clock)()) < FORECAST_MS);
        let end = end.and_then(|it| Timestamp::from_unix_ms(it.unix_ms() / STEP_MS * STEP_MS));
        let words = end.map(|it| format!("quota lasts until {}", hour(it))).unwrap_or_default();
        self.forecast = Some((now, words.clone()));
        Some(words).filter(|it| !it.is_empty())
    }
}

/// Switches `to` on, and `from` off once `to` delivers.
fn hand_over<T: Chat, F: Chat>(to: Option<&mut Reader<T>>, from: Option<&mut Reader<F>>) {
    let Some(to) = to else { return };
    to.switch_on();
    if let Some(from) = from
        && (to.is_well() || from.dead)
    {
        from.on = from.out_of_turn;
    }
}

async fn look_if_due<C: Chat>(reader: Option<&mut Reader<C>>) -> Option<Result<Looked, Trouble>> {
    let reader = reader.filter(|it| it.is_due())?;
    Some(reader.chat.look().await)
}

/// Looks if there is something to pay with; whether it was paid.
async fn look_if_paid<C: Chat>(
    reader: Option<&mut Reader<C>>,
    purse: Option<&Purse>,
    clock: &Clock,
) -> Option<(Result<Looked, Trouble>, bool)> {
    let reader = reader.filter(|it| it.is_due())?;
    let quota = &purse?.quota;
    if let Err(spent) = quota.spend(cost::CHAT, clock()) {
        return Some((Err(Trouble::QuotaSpent(spent.until)), false));
    }
    let looked = reader.chat.look().await;
    if matches!(looked, Err(Trouble::Unconnected(_))) {
        quota.give_back(cost::CHAT, clock());
    }
    Some((looked, true))
}

/// What a normalizer is told of a channel.
pub fn channel_item(id: Option<&str>, name: Option<&str>) -> Option<Item> {
    Some(Item::Channel { id: id?.to_owned(), name: name.map(str::to_owned) })
}

#[cfg(test)]
mod tests;
