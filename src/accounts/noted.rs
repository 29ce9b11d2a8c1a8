//! What is audited a little later: what strangers can do as often as they like must not cost a write each.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Actor, AuditEntry};
use crate::model::Timestamp;

/// Most entries kept of a minute; of the others it is kept how many there were.
const MOST_OF_A_MINUTE: u32 = 60;
/// Most entries that wait while the disk refuses.
const MOST_WAITING: usize = 1_000;
/// What is counted together (ms).
const MINUTE_MS: i64 = 60_000;

#[derive(Default)]
struct Minute {
    /// Its number since 1970.
    number: i64,
    kept: u32,
    left_out: u64,
}

#[derive(Default)]
struct Waiting {
    entries: Vec<AuditEntry>,
    minute: Minute,
}

/// Entries that wait to be written with others.
#[derive(Default)]
pub(super) struct Noted(Mutex<Waiting>);

impl Noted {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts one in; `false` when it is only counted.
    pub(super) fn put(&self, entry: AuditEntry) -> bool {
        let mut waiting = self.waiting();
        waiting.turn(entry.ts);
        let fits = waiting.entries.len() < MOST_WAITING;
        if !fits || waiting.minute.kept >= MOST_OF_A_MINUTE {
            waiting.minute.left_out += 1;
            return false;
        }
        waiting.minute.kept += 1;
        waiting.entries.push(entry);
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        let waiting = self.waiting();
        waiting.entries.is_empty() && waiting.minute.left_out == 0
    }

    /// Takes all out, to be written.
    pub(super) fn take(&self, at: Timestamp) -> Vec<AuditEntry> {
        let mut waiting = self.waiting();
        waiting.turn(at);
        std::mem::take(&mut waiting.entries)
    }

    /// Puts back what could not be written.
    pub(super) fn put_back(&self, entries: Vec<AuditEntry>) {
        let mut waiting = self.waiting();
        let since = std::mem::replace(&mut waiting.entries, entries);
        waiting.entries.extend(since);
    }
}

impl Waiting {
    /// Begins another minute when it is one, and says what was left out of the last.
    fn turn(&mut self, at: Timestamp) {
        let number = at.unix_ms().div_euclid(MINUTE_MS);
        if number == self.minute.number {
            return;
        }
        let ended = std::mem::replace(&mut self.minute, Minute { number, ..Minute::default() });
        if ended.left_out > 0 {
            let entry = AuditEntry::new(at, Actor::System, "audit_condensed");
            self.entries.push(entry.with("left_out", ended.left_out));
        }
    }
}
