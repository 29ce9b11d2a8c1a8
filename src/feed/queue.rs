//! What waits to be written: bounded, and never waited for by whoever fills it.

use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{index::Room, record::Record, writer::Job};
use crate::model::Timestamp;

/// An event and its room.
pub(super) struct Offered {
    pub(super) room: Arc<Room>,
    pub(super) record: Record,
}

/// The newest event of a room that could not be taken: its place and time.
pub(super) struct Loss {
    pub(super) room: Arc<Room>,
    pub(super) seq: u64,
    pub(super) ts: Timestamp,
}

/// What could not be taken, by the room's address.
pub(super) type Dropped = HashMap<usize, Loss>;

/// Rooms whose deletions are to be written with or without events, by their address.
pub(super) type Marked = HashMap<usize, Arc<Room>>;

#[derive(Default)]
struct Waiting {
    events: Vec<Offered>,
    bytes: usize,
    /// When the oldest of them came.
    since: Option<Instant>,
    /// What came while it was full.
    dropped: Dropped,
    /// Rooms with deletions that no event brings to the disk.
    marked: Marked,
    jobs: Vec<Job>,
    /// Somebody waits to read what waits to be written.
    hurry: bool,
    /// Nothing more is taken.
    closed: bool,
    /// Nobody takes anything out any more.
    abandoned: bool,
}

/// The queue before the log.
///
/// Full: the event is not taken, its room remembers up to where, and the log gets a gap in its place.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    most_bytes: usize,
}

/// What the writer gets at once.
pub(super) struct Taken {
    pub(super) events: Vec<Offered>,
    pub(super) dropped: Dropped,
    pub(super) marked: Marked,
    pub(super) jobs: Vec<Job>,
    /// Nothing comes any more.
    pub(super) closed: bool,
}

impl Queue {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { waiting: Mutex::default(), wake: Condvar::new(), most_bytes }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event, or says `false` at once.
    pub(super) fn offer(&self, room: &Arc<Room>, record: Record) -> bool {
        let mut waiting = self.waiting();
        let weight = record.weight();
        // Where a stream begins and ends is rare and small, and all that follows hangs on it.
        let full = waiting.bytes + weight > self.most_bytes && !record.is_session();
        if waiting.closed || full {
            let loss = Loss { room: Arc::clone(room), seq: record.seq, ts: record.ts };
            waiting.dropped.insert(Arc::as_ptr(room) as usize, loss);
            return false;
        }
        waiting.bytes += weight;
        let first = waiting.since.is_none();
        if first {
            waiting.since = Some(Instant::now());
        }
        // The writer lingers over the first; only a flood wakes it before its time.
        let wake = first || waiting.bytes > self.most_bytes / 4;
        waiting.events.push(Offered { room: Arc::clone(room), record });
        drop(waiting);
        if wake {
            self.wake.notify_one();
        }
        true
    }

    /// Takes a room whose deletions are to be written, though nothing may happen in it. One for each room: never full.
    pub(super) fn offer_marks(&self, room: &Arc<Room>) {
        let mut waiting = self.waiting();
        waiting.since.get_or_insert_with(Instant::now);
        waiting.marked.insert(Arc::as_ptr(room) as usize, Arc::clone(room));
        drop(waiting);
        self.wake.notify_one();
    }

    /// Asks the writer for something besides writing. One that has ended answers nobody.
    pub(super) fn ask(&self, job: Job) {
        let mut waiting = self.waiting();
        if !waiting.abandoned {
            waiting.jobs.push(job);
            self.wake.notify_one();
        }
    }

    /// Asks the writer not to linger: a reader waits.
    pub(super) fn hurry(&self) {
        self.waiting().hurry = true;
        self.wake.notify_one();
    }

    /// Takes what was asked of the writer.
    pub(super) fn take_jobs(&self) -> Vec<Job> {
        std::mem::take(&mut self.waiting().jobs)
    }

    /// Whether something came after the queue was closed, and is lost.
    pub(super) fn has_lost(&self) -> bool {
        let waiting = self.waiting();
        !waiting.dropped.is_empty() || !waiting.marked.is_empty()
    }

    /// The writer is gone: nothing is taken, and nobody waits for an answer.
    pub(super) fn abandon(&self) {
        let mut waiting = self.waiting();
        (waiting.closed, waiting.abandoned) = (true, true);
        waiting.events.clear();
        waiting.jobs.clear();
    }

    /// Takes nothing more; the writer ends once it is empty.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.wake.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.waiting().closed
    }

    /// What waits (bytes).
    pub(super) fn bytes(&self) -> usize {
        self.waiting().bytes
    }

    /// Waits for something to do, at most `patience`; then `linger` for what belongs to it.
    pub(super) fn take(&self, linger: Duration, patience: Duration) -> Taken {
        let deadline = Instant::now() + patience;
        let mut waiting = self.waiting();
        loop {
            let now = Instant::now();
            let due = waiting.since.map_or(deadline, |it| it + linger);
            let flooded = waiting.bytes > self.most_bytes / 4;
            let hurry = waiting.hurry && waiting.since.is_some();
            if flooded || hurry || waiting.closed || !waiting.jobs.is_empty() || now >= due {
                break;
            }
            let (guard, _) =
                self.wake.wait_timeout(waiting, due - now).unwrap_or_else(PoisonError::into_inner);
            waiting = guard;
        }
        waiting.bytes = 0;
        waiting.since = None;
        waiting.hurry = false;
        Taken {
            events: std::mem::take(&mut waiting.events),
            dropped: std::mem::take(&mut waiting.dropped),
            marked: std::mem::take(&mut waiting.marked),
            jobs: std::mem::take(&mut waiting.jobs),
            closed: waiting.closed,
        }
    }

    /// Waits until closed or asked for something, at most `patience`.
    pub(super) fn pause(&self, patience: Duration) {
        let waiting = self.waiting();
        let idle = |it: &mut Waiting| !it.closed && it.jobs.is_empty();
        // Early or late, the writer looks itself.
        drop(self.wake.wait_timeout_while(waiting, patience, idle));
    }
}
