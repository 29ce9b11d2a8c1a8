//! How long triggers rest: on the wall clock, so that a restart is no way around it.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use super::{decision::Whose, line::Line, set::Surroundings};
use crate::model::{QualifiedId, Timestamp, trigger::Trigger};

/// Viewers whose cooldowns a room remembers (count): who set one off longest ago is forgotten.
const MOST_VIEWERS: usize = 20_000;
/// What patterns of a room may take (ms of each second).
const PATTERN_MS: u64 = 50;

/// When a trigger last acted, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acted {
    /// When (Unix ms).
    pub at_ms: i64,
    /// How often in all.
    pub count: u64,
}

/// When the triggers of one room last acted.
#[derive(Debug, Default)]
pub struct Cooldowns {
    /// By trigger.
    pub rooms: HashMap<String, Acted>,
    viewers: HashMap<(String, QualifiedId), i64>,
    /// In the order they acted; one that acted again is there twice.
    oldest: VecDeque<(String, QualifiedId, i64)>,
    /// Those that were too many: they are kept on the disk still.
    too_many: Vec<(String, QualifiedId)>,
}

/// What remains of `seconds` since `at_ms`. A moment further ahead than all of it is one of a clock that was set back
/// since: nothing rests for that.
fn left_ms(at_ms: i64, seconds: u32, now: Timestamp) -> Option<u64> {
    let whole = i64::from(seconds) * 1000;
    let passed = now.unix_ms().saturating_sub(at_ms);
    if passed < -whole {
        return None;
    }
    u64::try_from(whole - passed.max(0)).ok().filter(|it| *it > 0)
}

impl Cooldowns {
    /// How long a trigger rests still. `least` is what the tier asks for (s).
    #[must_use]
    pub fn find_rest(
        &self,
        trigger: &Trigger,
        viewer: Option<&QualifiedId>,
        everywhere_ms: Option<i64>,
        least: u32,
        now: Timestamp,
    ) -> Option<(u64, Whose)> {
        let id = trigger.trigger_id.as_str();
        let of_room = self.rooms.get(id).and_then(|it| {
            left_ms(it.at_ms, trigger.cooldown_seconds.max(least), now).map(|it| (it, Whose::Room))
        });
        let of_viewer = viewer.filter(|_| trigger.viewer_cooldown_seconds > 0).and_then(|viewer| {
            let at_ms = self.viewers.get(&(id.to_owned(), viewer.clone()))?;
            let left = left_ms(*at_ms, trigger.viewer_cooldown_seconds, now)?;
            Some((left, Whose::Viewer))
        });
        let everywhere = everywhere_ms.and_then(|it| {
            left_ms(it, trigger.global_cooldown_seconds, now).map(|it| (it, Whose::Everywhere))
        });
        // The one that lasts longest is the honest answer.
        [of_room, of_viewer, everywhere].into_iter().flatten().max_by_key(|it| it.0)
    }

    /// What a look at the triggers for one viewer needs to know, for a look that takes its time.
    #[must_use]
    pub fn of_viewer(&self, viewer: &QualifiedId) -> Self {
        let theirs = self.viewers.iter().filter(|it| it.0.1 == *viewer);
        Self {
            rooms: self.rooms.clone(),
            viewers: theirs.map(|(key, at_ms)| (key.clone(), *at_ms)).collect(),
            ..Self::default()
        }
    }

    /// Notes that a trigger acts now; answers how often it has.
    pub fn note(&mut self, trigger: &Trigger, viewer: Option<&QualifiedId>, now: Timestamp) -> u64 {
        let at_ms = now.unix_ms();
        let acted = self
            .rooms
            .entry(trigger.trigger_id.clone())
            .and_modify(|it| *it = Acted { at_ms, count: it.count.saturating_add(1) })
            .or_insert(Acted { at_ms, count: 1 });
        let count = acted.count;
        if let Some(viewer) = viewer.filter(|_| trigger.viewer_cooldown_seconds > 0) {
            self.note_viewer(&trigger.trigger_id, viewer, at_ms);
        }
        count
    }

    /// Takes in when a trigger acted for a viewer.
    pub fn note_viewer(&mut self, trigger: &str, viewer: &QualifiedId, at_ms: i64) {
        self.viewers.insert((trigger.to_owned(), viewer.clone()), at_ms);
        self.oldest.push_back((trigger.to_owned(), viewer.clone(), at_ms));
        while self.oldest.len() > MOST_VIEWERS {
            let gone = self.forget_oldest();
            self.too_many.extend(gone);
        }
    }

    fn forget_oldest(&mut self) -> Option<(String, QualifiedId)> {
        let (trigger, viewer, at_ms) = self.oldest.pop_front()?;
        let key = (trigger, viewer);
        if self.viewers.get(&key) != Some(&at_ms) {
            return None; // It acted again since.
        }
        self.viewers.remove(&key);
        Some(key)
    }

    /// Forgets viewers that acted before `before_ms`; answers which, and which were forgotten since the last time because
    /// there were too many.
    pub fn forget_before(&mut self, before_ms: i64) -> Vec<(String, QualifiedId)> {
        let mut gone = std::mem::take(&mut self.too_many);
        gone.retain(|it| !self.viewers.contains_key(it));
        while self.oldest.front().is_some_and(|it| it.2 < before_ms) {
            gone.extend(self.forget_oldest());
        }
        gone
    }

    /// Forgets triggers that are no more.
    pub fn forget_trigger(&mut self, trigger: &str) {
        self.rooms.remove(trigger);
        self.viewers.retain(|it, _| it.0 != trigger);
        self.oldest.retain(|it| it.0 != trigger);
        self.too_many.retain(|it| it.0 != trigger);
    }
}

/// How much time the patterns of a room may take: a little of each second, so that no creator's pattern holds up the
/// chats of others.
#[derive(Debug)]
pub struct PatternTime {
    second: Instant,
    spent: Duration,
}

impl Default for PatternTime {
    fn default() -> Self {
        Self { second: Instant::now(), spent: Duration::ZERO }
    }
}

impl PatternTime {
    /// Whether there is any left.
    pub fn has_left(&mut self, now: Instant) -> bool {
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            *self = Self { second: now, spent: Duration::ZERO };
        }
        self.spent < Duration::from_millis(PATTERN_MS)
    }

    /// Takes what a look took.
    pub fn spend(&mut self, time: Duration) {
        self.spent += time;
    }
}

/// What stands around a look at a room's triggers now.
pub struct Around<'a> {
    /// Of the room.
    pub cooldowns: &'a Cooldowns,
    /// When each last acted anywhere (Unix ms).
    pub everywhere: &'a dyn Fn(&str) -> Option<i64>,
    /// The tier's least cooldown (s).
    pub least_seconds: u32,
    /// Now.
    pub now: Timestamp,
    /// Of the room; absent where time does not matter.
    pub patterns: Option<&'a mut PatternTime>,
    /// When the last pattern began.
    pub began: Option<Instant>,
}

impl Surroundings for Around<'_> {
    fn find_rest(&self, trigger: &Trigger, line: &Line<'_>) -> Option<(u64, Whose)> {
        let everywhere = (trigger.global_cooldown_seconds > 0)
            .then(|| (self.everywhere)(&trigger.trigger_id))
            .flatten();
        let least = self.least_seconds;
        self.cooldowns.find_rest(trigger, Some(line.viewer), everywhere, least, self.now)
    }

    fn may_try_pattern(&mut self) -> bool {
        let Some(patterns) = &mut self.patterns else { return true };
        let now = Instant::now();
        if let Some(began) = self.began.replace(now) {
            patterns.spend(now.duration_since(began));
        }
        patterns.has_left(now)
    }
}

impl Drop for Around<'_> {
    fn drop(&mut self) {
        if let (Some(patterns), Some(began)) = (&mut self.patterns, self.began) {
            patterns.spend(began.elapsed());
        }
    }
}
