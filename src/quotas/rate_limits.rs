//! How much may happen within a minute, and what has.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    config::{Limited, RateLimitsConfig},
    model::{CreatorId, Platform, Timestamp},
};

/// What is looked back at (ms).
const MINUTE_MS: i64 = 60_000;
/// Counters after which those are dropped in which nothing happened for a minute.
const TIDIED_AT: usize = 10_000;
/// Most counters: with more, the one that was asked longest ago is forgotten.
const MOST: usize = 50_000;

/// What happened within the last minute, by creator and platform. Cheap to clone.
#[derive(Clone)]
pub struct RateLimits(Arc<Mutex<Held>>);

struct Held {
    config: RateLimitsConfig,
    counters: HashMap<Key, Counter>,
    tidied_at: usize,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    what: Limited,
    creator: CreatorId,
    platform: Option<Platform>,
}

/// What happened, in seconds: at most sixty-one of them.
#[derive(Default)]
struct Counter {
    seconds: VecDeque<(i64, u32)>,
    asked_at: i64,
}

impl RateLimits {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(config: RateLimitsConfig) -> Self {
        let held = Held { config, counters: HashMap::new(), tidied_at: TIDIED_AT };
        Self(Arc::new(Mutex::new(held)))
    }

    /// Puts other limits in force; what happened stays counted.
    pub fn set_config(&self, config: RateLimitsConfig) {
        self.held().config = config;
    }

    /// Counts one more, if the limit of that minute allows it.
    ///
    /// # Errors
    /// The time after which it does (ms).
    pub fn take(
        &self,
        what: Limited,
        creator: &CreatorId,
        platform: Option<Platform>,
        now: Timestamp,
    ) -> Result<(), u64> {
        let now = now.unix_ms();
        let mut held = self.held();
        let limit = held.config.limit(what, creator, platform);
        held.tidy(now);
        let key = Key { what, creator: creator.clone(), platform };
        let counter = held.counters.entry(key).or_default();
        counter.take(limit, now)
    }

    /// Takes one back that did not happen after all.
    pub fn give_back(&self, what: Limited, creator: &CreatorId, platform: Option<Platform>) {
        let key = Key { what, creator: creator.clone(), platform };
        if let Some(last) = self.held().counters.get_mut(&key).and_then(|it| it.seconds.back_mut())
        {
            last.1 = last.1.saturating_sub(1);
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Forgets counters that say nothing any more, once there are many.
    fn tidy(&mut self, now: i64) {
        if self.counters.len() < self.tidied_at {
            return;
        }
        self.counters.retain(|_, it| (0..MINUTE_MS).contains(&(now - it.asked_at)));
        if self.counters.len() >= MOST {
            let oldest = self.counters.iter().min_by_key(|it| it.1.asked_at);
            if let Some(oldest) = oldest.map(|it| it.0.clone()) {
                self.counters.remove(&oldest);
            }
        }
        self.tidied_at = (self.counters.len() * 2).clamp(TIDIED_AT, MOST);
    }
}

impl Counter {
    fn take(&mut self, limit: u32, now: i64) -> Result<(), u64> {
        let second = now.div_euclid(1_000);
        self.asked_at = now;
        // A clock that was set back forgets what came after it.
        self.seconds.retain(|it| it.0 <= second && it.0 * 1_000 > now - MINUTE_MS - 1_000);
        let used: u64 = self.seconds.iter().map(|it| u64::from(it.1)).sum();
        if used >= u64::from(limit) {
            // Until enough of the oldest is a minute old.
            let mut left = used;
            let frees = self.seconds.iter().find(|it| {
                left -= u64::from(it.1);
                left < u64::from(limit)
            });
            let frees_at = frees.map_or(now, |it| it.0 * 1_000 + 1_000) + MINUTE_MS;
            return Err(u64::try_from(frees_at - now).unwrap_or(0).max(1));
        }
        match self.seconds.back_mut() {
            Some(last) if last.0 == second => last.1 += 1,
            _ => self.seconds.push_back((second, 1)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(chat: u32) -> RateLimits {
        let text = format!(r#"{{"global": {{"chat_messages_per_minute": {chat}}}}}"#);
        RateLimits::new(serde_json::from_str(&text).unwrap())
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_700_000_000_000 + ms).unwrap()
    }

    #[test]
    fn within_any_minute_there_are_no_more_than_the_limit_and_the_wait_is_as_said() {
        let limits = limits(3);
        let ana: CreatorId = "ana".parse().unwrap();
        let take = |ms| limits.take(Limited::ChatMessages, &ana, None, at(ms));
        let mut taken: Vec<i64> = Vec::new();
        let mut now = 0;
        while taken.len() < 100 {
            match take(now) {
                Ok(()) => {
                    taken.push(now);
                    now += 400;
                }
                Err(wait) => {
                    assert!(wait <= 61_000, "{wait}");
                    let wait = i64::try_from(wait).unwrap();
                    assert!(take(now + wait - 1).is_err(), "a shorter wait would have done");
                    now += wait;
                    assert!(take(now).is_ok(), "the wait was too short");
                    taken.push(now);
                }
            }
        }
        for window in taken.windows(4) {
            assert!(window[3] - window[0] >= MINUTE_MS, "{window:?}");
        }
    }

    #[test]
    fn creators_platforms_and_kinds_are_counted_apart_and_one_can_be_given_back() {
        let limits = limits(1);
        let (ana, ben) = ("ana".parse().unwrap(), "ben".parse().unwrap());
        let take = |what, who: &CreatorId, platform| limits.take(what, who, platform, at(0));
        let twitch = Some(Platform::Twitch);
        assert!(take(Limited::ChatMessages, &ana, twitch).is_ok());
        assert!(take(Limited::ChatMessages, &ana, twitch).is_err());
        assert!(take(Limited::ChatMessages, &ana, Some(Platform::Kick)).is_ok());
        assert!(take(Limited::ChatMessages, &ben, twitch).is_ok());
        assert!(take(Limited::Jobs, &ana, None).is_ok());
        limits.give_back(Limited::ChatMessages, &ana, twitch);
        assert!(take(Limited::ChatMessages, &ana, twitch).is_ok());
        limits.set_config(RateLimitsConfig::default());
        assert!(take(Limited::ChatMessages, &ana, twitch).is_ok());
    }

    #[test]
    fn a_limit_of_none_and_a_clock_that_jumps_are_no_trouble() {
        let none = limits(0);
        let ana: CreatorId = "ana".parse().unwrap();
        assert!(none.take(Limited::ChatMessages, &ana, None, at(0)).unwrap_err() > 0);
        let one = limits(1);
        assert!(one.take(Limited::ChatMessages, &ana, None, at(0)).is_ok());
        assert!(one.take(Limited::ChatMessages, &ana, None, at(-600_000)).is_ok());
    }

    #[test]
    fn memory_is_bounded_however_many_ask() {
        let limits = limits(5);
        for it in 0..(MOST + 100) {
            let who: CreatorId = format!("c{it}").parse().unwrap();
            limits.take(Limited::Jobs, &who, None, at(0)).unwrap();
        }
        assert!(limits.held().counters.len() <= MOST);
    }
}
