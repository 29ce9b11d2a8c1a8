//! How much happened in the last minutes, per platform.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::model::{Platform, Timestamp};

/// Longest window kept (s).
const SECONDS: usize = 300;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rate {
    /// Chat messages.
    Messages,
    /// Triggers that matched.
    Triggers,
    /// Actions carried out.
    Actions,
    /// Actions that failed.
    ActionsFailed,
}

impl Rate {
    /// All of them, in the order exports show them.
    pub const ALL: [Self; 4] = [Self::Messages, Self::Triggers, Self::Actions, Self::ActionsFailed];

    /// The name used in exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Triggers => "triggers",
            Self::Actions => "actions",
            Self::ActionsFailed => "actions_failed",
        }
    }
}

/// Counts per second over the last five minutes, and since the start.
pub struct Rates {
    started: Instant,
    counts: Mutex<BTreeMap<(Rate, Platform), Window>>,
}

struct Window {
    per_second: Box<[u32; SECONDS]>,
    /// The second the newest slot stands for.
    newest: u64,
    /// Since the start.
    total: u64,
    /// When the last one was counted.
    last: Timestamp,
}

impl Default for Rates {
    fn default() -> Self {
        Self { started: Instant::now(), counts: Mutex::default() }
    }
}

impl Rates {
    /// Counts one.
    pub fn count(&self, rate: Rate, platform: Platform) {
        let now = self.started.elapsed().as_secs();
        let last = Timestamp::now();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let window = counts.entry((rate, platform)).or_insert_with(|| Window {
            per_second: Box::new([0; SECONDS]),
            newest: now,
            total: 0,
            last,
        });
        window.advance(now);
        window.total += 1;
        window.last = last;
        let slot = &mut window.per_second[(now % SECONDS as u64) as usize];
        *slot = slot.saturating_add(1);
    }

    /// How many in the last `seconds` (at most 300), per platform; platforms never seen are absent.
    pub fn sum(&self, rate: Rate, seconds: u64) -> BTreeMap<Platform, u64> {
        let now = self.started.elapsed().as_secs();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .iter_mut()
            .filter(|((it, _), _)| *it == rate)
            .map(|((_, platform), window)| {
                window.advance(now);
                let total = (0..seconds.min(SECONDS as u64))
                    .filter_map(|back| now.checked_sub(back))
                    .map(|second| u64::from(window.per_second[(second % SECONDS as u64) as usize]))
                    .sum();
                (*platform, total)
            })
            .collect()
    }

    /// How many since the start.
    pub fn total(&self, rate: Rate, platform: Platform) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&(rate, platform)).map_or(0, |it| it.total)
    }

    /// When the last one was counted; `None` before the first.
    pub fn find_last(&self, rate: Rate, platform: Platform) -> Option<Timestamp> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&(rate, platform)).map(|it| it.last)
    }
}

impl Window {
    /// Clears the slots of the seconds that passed since the last look.
    fn advance(&mut self, now: u64) {
        let passed = now.saturating_sub(self.newest).min(SECONDS as u64);
        for second in (now + 1 - passed)..=now {
            self.per_second[(second % SECONDS as u64) as usize] = 0;
        }
        self.newest = self.newest.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_seconds_leave_the_window() {
        let mut window = Window {
            per_second: Box::new([1; SECONDS]),
            newest: 1_000,
            total: SECONDS as u64,
            last: Timestamp::now(),
        };
        window.advance(1_010);
        assert_eq!(window.per_second.iter().sum::<u32>(), SECONDS as u32 - 10);
        window.advance(5_000);
        assert_eq!(window.per_second.iter().sum::<u32>(), 0);
    }

    #[test]
    fn counts_are_kept_apart_by_platform() {
        let rates = Rates::default();
        rates.count(Rate::Messages, Platform::Twitch);
        rates.count(Rate::Messages, Platform::Twitch);
        rates.count(Rate::Messages, Platform::Kick);
        let sums = rates.sum(Rate::Messages, 60);
        assert_eq!(sums[&Platform::Twitch], 2);
        assert_eq!(sums[&Platform::Kick], 1);
        assert!(rates.sum(Rate::Actions, 60).is_empty());
        assert_eq!(rates.total(Rate::Messages, Platform::Twitch), 2);
        assert_eq!(rates.total(Rate::Messages, Platform::X), 0);
        assert!(rates.find_last(Rate::Messages, Platform::Kick).is_some());
        assert_eq!(rates.find_last(Rate::Actions, Platform::Kick), None);
    }
}
