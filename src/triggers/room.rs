//! The triggers of one room at work: what they wait for, and what was decided.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;

use super::{
    cooldowns::{Acted, Cooldowns, PatternTime},
    decision::Decision,
    set::TriggerSet,
};
use crate::model::{QualifiedId, Timestamp, trigger::Trigger};

/// Decisions remembered of a room (count): the oldest is forgotten.
pub const MOST_DECISIONS: usize = 200;
/// Lines that a timer waits for where it says nothing (count): nobody is talked to who is not there.
pub const LEAST_LINES: u32 = 5;

/// What a room's tier allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Triggers of its own (count); `None` is without end.
    pub most: Option<u32>,
    /// Least time between two answers of one (s).
    pub least_seconds: u32,
    /// Whether things may be done by themselves: timers, and what reaches outside the chats.
    pub automation: bool,
}

impl Terms {
    /// Of the operator's rooms.
    pub const NONE: Self = Self { most: None, least_seconds: 0, automation: true };
}

/// A trigger that was made on a page.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Kept {
    /// What it is.
    pub trigger: Arc<Trigger>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The triggers in force in a room.
#[derive(Debug, Clone)]
pub struct InForce {
    /// Ready, in their order: those of the file first.
    pub set: Arc<TriggerSet>,
    /// How many of them are the file's.
    pub of_file: usize,
    /// Those made on a page.
    pub kept: Arc<Vec<Kept>>,
    /// What the tier allows.
    pub terms: Terms,
}

impl InForce {
    /// Whether a trigger is the operator's.
    #[must_use]
    pub fn is_of_file(&self, trigger: &str) -> bool {
        self.set.list().iter().take(self.of_file).any(|it| it.trigger.trigger_id == trigger)
    }
}

/// One room's triggers.
#[derive(Debug)]
pub struct RoomTriggers {
    /// What is in force.
    pub in_force: ArcSwap<InForce>,
    live: Mutex<Live>,
}

/// What changes while a room is listened to.
#[derive(Debug, Default)]
pub struct Live {
    /// When each last acted.
    pub cooldowns: Cooldowns,
    /// What patterns took lately.
    pub patterns: PatternTime,
    decisions: VecDeque<Decision>,
    /// They are not all on their way to the disk.
    pub unwritten: bool,
    /// Chat lines since the start, over all platforms (count).
    pub lines: u64,
    timers: HashMap<String, Wait>,
}

/// What a timer waits for.
#[derive(Debug, Clone, Copy)]
struct Wait {
    since_ms: i64,
    lines: u64,
}

impl RoomTriggers {
    /// With what is in force, and what is remembered.
    #[must_use]
    pub fn new(in_force: InForce, live: Live) -> Self {
        Self { in_force: ArcSwap::from_pointee(in_force), live: Mutex::new(live) }
    }

    /// What changes.
    pub fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// With what is remembered: cooldowns, and decisions, oldest first.
    #[must_use]
    pub fn with(cooldowns: Cooldowns, decisions: Vec<Decision>) -> Self {
        let decisions = decisions.into_iter().rev().take(MOST_DECISIONS).rev().collect();
        Self { cooldowns, decisions, ..Self::default() }
    }

    /// Notes a decision.
    pub fn note(&mut self, decision: Decision) {
        if self.decisions.len() == MOST_DECISIONS {
            self.decisions.pop_front();
        }
        self.decisions.push_back(decision);
        self.unwritten = true;
    }

    /// What was decided, oldest first.
    pub fn decisions(&self) -> impl DoubleEndedIterator<Item = &Decision> {
        self.decisions.iter()
    }

    /// How many of them there are (count).
    #[must_use]
    pub fn count_decisions(&self) -> usize {
        self.decisions.len()
    }

    /// Whether a timer's time has come; it begins to wait when it is seen first.
    pub fn is_due(&mut self, trigger: &Trigger, now: Timestamp) -> bool {
        let Some(minutes) = trigger.minutes else { return false };
        let lines = self.lines;
        let acted = self.cooldowns.rooms.get(&trigger.trigger_id);
        let now_ms = now.unix_ms();
        let wait = self.timers.entry(trigger.trigger_id.clone()).or_insert_with(|| Wait {
            // After a restart it goes on where it was.
            since_ms: acted.map_or(now_ms, |it| it.at_ms.min(now_ms)),
            lines,
        });
        // A clock that was set back does not make it wait for ever.
        wait.since_ms = wait.since_ms.min(now_ms);
        let waited = now_ms - wait.since_ms >= i64::from(minutes) * 60_000;
        waited && lines - wait.lines >= u64::from(trigger.least_lines.unwrap_or(LEAST_LINES))
    }

    /// A timer acts: it waits anew.
    pub fn wait_anew(&mut self, trigger: &Trigger, now: Timestamp) {
        let wait = Wait { since_ms: now.unix_ms(), lines: self.lines };
        self.timers.insert(trigger.trigger_id.clone(), wait);
    }

    /// Forgets what is no more.
    pub fn keep_only(&mut self, is_there: impl Fn(&str) -> bool) -> Vec<String> {
        let gone: Vec<String> =
            self.cooldowns.rooms.keys().filter(|it| !is_there(it)).cloned().collect();
        for id in &gone {
            self.cooldowns.forget_trigger(id);
            self.timers.remove(id);
        }
        gone
    }
}

/// A cooldown as it is kept: the name below its room, and the text.
#[must_use]
pub fn written(acted: Acted) -> String {
    format!("{} {}", acted.at_ms, acted.count)
}

/// Reads what [`written`] wrote.
#[must_use]
pub fn read(text: &str) -> Option<Acted> {
    let (at_ms, count) = text.split_once(' ')?;
    Some(Acted { at_ms: at_ms.parse().ok()?, count: count.parse().ok()? })
}

/// Takes in what is kept of a room's cooldowns: names below the room, and texts.
#[must_use]
pub fn recall(rows: impl Iterator<Item = (String, String)>) -> Cooldowns {
    let mut cooldowns = Cooldowns::default();
    let mut viewers = Vec::new();
    for (name, text) in rows {
        match name.split_once('/') {
            None => {
                if let Some(acted) = read(&text) {
                    cooldowns.rooms.insert(name, acted);
                }
            }
            Some((trigger, viewer)) => {
                if let (Ok(viewer), Ok(at_ms)) =
                    (QualifiedId::try_from(viewer.to_owned()), text.parse::<i64>())
                {
                    viewers.push((at_ms, trigger.to_owned(), viewer));
                }
            }
        }
    }
    viewers.sort_unstable_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    for (at_ms, trigger, viewer) in viewers {
        cooldowns.note_viewer(&trigger, &viewer, at_ms);
    }
    cooldowns
}
