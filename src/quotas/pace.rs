//! How fast something is spent, by the last minutes.

use std::collections::VecDeque;

use crate::model::Timestamp;

/// How far back the pace looks (ms).
const WINDOW_MS: i64 = 15 * 60_000;
/// Least time that a pace is made from (ms): the first calls come close together.
const LEAST_MS: i64 = 60_000;

/// What was spent in the last minutes: a sum for each.
#[derive(Debug, Default)]
pub(super) struct Pace {
    minutes: VecDeque<(i64, u64)>,
    first: Option<Timestamp>,
}

impl Pace {
    pub(super) fn note(&mut self, units: u32, now: Timestamp) {
        self.first.get_or_insert(now);
        let minute = now.unix_ms() / 60_000;
        match self.minutes.back_mut() {
            Some(last) if last.0 == minute => last.1 += u64::from(units),
            _ => self.minutes.push_back((minute, u64::from(units))),
        }
        self.forget_before(now);
    }

    pub(super) fn take_back(&mut self, units: u32) {
        if let Some(last) = self.minutes.back_mut() {
            last.1 = last.1.saturating_sub(u64::from(units));
        }
    }

    fn forget_before(&mut self, now: Timestamp) {
        let oldest = (now.unix_ms() - WINDOW_MS) / 60_000;
        while self.minutes.front().is_some_and(|it| it.0 < oldest) {
            self.minutes.pop_front();
        }
    }

    /// Units an hour.
    pub(super) fn per_hour(&self, now: Timestamp) -> f64 {
        let oldest = (now.unix_ms() - WINDOW_MS) / 60_000;
        let spent: u64 = self.minutes.iter().filter(|it| it.0 >= oldest).map(|it| it.1).sum();
        let since = self.first.map_or(0, |it| now.ms_since(it));
        spent as f64 * 3_600_000.0 / since.clamp(LEAST_MS, WINDOW_MS) as f64
    }
}
