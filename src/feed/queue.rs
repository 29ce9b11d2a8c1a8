//! What waits to be written: bounded, and never waited for by whoever fills it.

use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{index::Room, record::Record, writer::Job};

/// An event and its room.
pub(super) struct Offered {
    pub(super) room: Arc<Room>,
    pub(super) record: Record,
}

/// The last place of a room that could not be taken, by the room's address.
pub(super) type Dropped = HashMap<usize, (Arc<Room>, u64)>;

#[derive(Default)]
struct Waiting {
    events: Vec<Offered>,
    bytes: usize,
    /// When the oldest of them came.
    since: Option<Instant>,
    /// What came while it was full.
    dropped: Dropped,
    jobs: Vec<Job>,
    closed: bool,
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
        if waiting.closed || waiting.bytes + weight > self.most_bytes {
            let slot = waiting.dropped.entry(Arc::as_ptr(room) as usize);
            slot.or_insert_with(|| (Arc::clone(room), 0)).1 = record.seq;
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

    /// Asks the writer for something besides writing.
    pub(super) fn ask(&self, job: Job) {
        self.waiting().jobs.push(job);
        self.wake.notify_one();
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
            if flooded || waiting.closed || !waiting.jobs.is_empty() || now >= due {
                break;
            }
            let (guard, _) =
                self.wake.wait_timeout(waiting, due - now).unwrap_or_else(PoisonError::into_inner);
            waiting = guard;
        }
        waiting.bytes = 0;
        waiting.since = None;
        Taken {
            events: std::mem::take(&mut waiting.events),
            dropped: std::mem::take(&mut waiting.dropped),
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
