//! What is known of every room's log without asking the disk.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use super::record::Deletion;
use crate::{
    model::CreatorId,
    storage::tables::{marks::Mark, rooms::RoomRow},
};

/// One room of the log.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: CreatorId,
    /// Of which opening of the file its places are: after another file was put in place, what is still on
    /// its way belongs nowhere.
    pub(super) generation: u64,
    /// The place of the last event that was offered to the log, taken or not.
    pub(super) offered: AtomicU64,
    /// What it holds, as the disk has it.
    durable: Mutex<RoomRow>,
    /// Deletions that are not on the disk yet, or never will be as events: their marks are written with the
    /// next group, and until then readers ask here.
    pending: Mutex<Vec<PendingMark>>,
    /// Deletions noted so far.
    noted: AtomicU64,
}

/// A deletion that readers must know of before the disk does.
#[derive(Debug, Clone)]
pub(super) struct PendingMark {
    /// What tells it from the others of its room. Its place does not: one that comes late marks a place that was
    /// written long ago.
    pub(super) number: u64,
    pub(super) deletion: Deletion,
    pub(super) mark: Mark,
}

/// Most deletions of a room that wait for the disk; beyond, everything before them is hidden instead.
const MOST_PENDING: usize = 100_000;

impl Room {
    /// Notes a deletion, before anything else is done with it.
    pub(super) fn note_deletion(&self, deletion: Deletion, mark: Mark) {
        let mut pending = self.pending();
        let number = || self.noted.fetch_add(1, Ordering::Relaxed);
        if pending.len() >= MOST_PENDING {
            // A disk that has failed for a very long time: what was deleted must not come back.
            pending.clear();
            pending.push(PendingMark { number: number(), deletion: Deletion::Chat(None), mark });
        }
        pending.push(PendingMark { number: number(), deletion, mark });
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, Vec<PendingMark>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn durable(&self) -> MutexGuard<'_, RoomRow> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn floor(&self) -> u64 {
        self.durable().floor
    }

    pub(super) fn head(&self) -> u64 {
        self.durable().head
    }

    pub(super) fn offered(&self) -> u64 {
        self.offered.load(Ordering::Acquire)
    }
}

/// All rooms of an open file, and its numberings.
#[derive(Debug, Default)]
pub(super) struct Index {
    rooms: RwLock<HashMap<CreatorId, Arc<Room>>>,
    epochs: RwLock<Vec<(u32, Arc<str>)>>,
    pub(super) generation: u64,
    /// The numbering in force.
    pub(super) epoch: u32,
}

impl Index {
    pub(super) fn new(
        generation: u64,
        epoch: u32,
        epochs: Vec<(u32, Arc<str>)>,
        rooms: Vec<RoomRow>,
    ) -> Self {
        let rooms = rooms.into_iter().map(|it| (it.name.clone(), room(generation, it)));
        Self { rooms: RwLock::new(rooms.collect()), epochs: RwLock::new(epochs), generation, epoch }
    }

    /// The room of that name; one that has no log yet begins at nothing.
    pub(super) fn room(&self, name: &CreatorId) -> Arc<Room> {
        if let Some(room) = self.find(name) {
            return room;
        }
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = || {
            let row = RoomRow {
                number: 0,
                name: name.clone(),
                floor: 0,
                head: 0,
                bytes: 0,
                epochs: Vec::new(),
                session: None,
                minute: None,
                featured: None,
                boards: Vec::new(),
                queue: None,
                orderly: true,
                last_ms: i64::MIN,
            };
            room(self.generation, row)
        };
        Arc::clone(rooms.entry(name.clone()).or_insert_with(fresh))
    }

    pub(super) fn find(&self, name: &CreatorId) -> Option<Arc<Room>> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub(super) fn rooms(&self) -> Vec<Arc<Room>> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(super) fn epoch_name(&self, number: u32) -> Option<Arc<str>> {
        let epochs = self.epochs.read().unwrap_or_else(PoisonError::into_inner);
        epochs.iter().find(|it| it.0 == number).map(|it| Arc::clone(&it.1))
    }

    pub(super) fn epoch_number(&self, name: &str) -> Option<u32> {
        let epochs = self.epochs.read().unwrap_or_else(PoisonError::into_inner);
        epochs.iter().find(|it| &*it.1 == name).map(|it| it.0)
    }

    pub(super) fn add_epoch(&self, number: u32, name: Arc<str>) {
        self.epochs.write().unwrap_or_else(PoisonError::into_inner).push((number, name));
    }

    pub(super) fn next_epoch(&self) -> u32 {
        let epochs = self.epochs.read().unwrap_or_else(PoisonError::into_inner);
        epochs.iter().map(|it| it.0).max().unwrap_or(0) + 1
    }
}

fn room(generation: u64, durable: RoomRow) -> Arc<Room> {
    Arc::new(Room {
        name: durable.name.clone(),
        generation,
        offered: AtomicU64::new(durable.head),
        durable: Mutex::new(durable),
        pending: Mutex::default(),
        noted: AtomicU64::new(0),
    })
}
