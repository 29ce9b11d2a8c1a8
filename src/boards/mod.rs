//! Polls, tallies, scoreboards, and the people who count in them once.
//!
//! All of a room is in memory behind one lock, which is never held across an await; what changes is kept written behind
//! (`kept`), and told to the room at once, then at most every quarter of a second a board (`teller`). Live events come
//! from the rooms' own tasks (`hear`); nothing here waits for anything.

mod board;
mod catch_up;
mod error;
mod goal;
mod hear;
mod identity;
mod kept;
pub mod limits;
mod lists;
mod people;
mod period;
mod poll;
mod polls;
mod recall;
mod room;
mod scoreboard;
mod scoreboards;
mod signals;
mod tallies;
mod tally;
mod teller;
mod votes;
mod words;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;

use kept::Kept;
use recall::recall;
use room::RoomBoards;
use signals::Signals;

use crate::{
    chat::Room,
    model::{
        CreatorId, EventBody, Timestamp,
        snapshot::{BOARDS_MOST, ScoreboardSnapshot, TallySnapshot},
    },
    storage::State,
};

pub use error::BoardError;
pub use goal::Feed;
pub use identity::{Identity, NewIdentity};
pub use period::{Aggregation, NewAggregation, Period};
pub use poll::{NewPoll, PollChange, PollState, PollView, VOTE_TRIGGER, Voted};
pub use room::Most;
pub use scoreboard::{
    Contestant, Entry, Import, NewScoreboard, PastScoreboard, ScoreboardChange, ScoreboardView,
};
pub use signals::{ScoreSignal, TallySignal, VoteSignal};
pub use tally::{NewTally, PastTally, TallyChange, TallyView};

/// The boards of every room. Cheap to clone.
#[derive(Clone)]
pub struct Boards(Arc<Inner>);

struct Inner {
    state: State,
    rooms: RwLock<Rooms>,
    signals: Signals,
    revision: AtomicU64,
    /// Rooms that have something to tell.
    news: Mutex<Vec<CreatorId>>,
    /// What names of texts begin with that nobody needs any more.
    leftovers: Mutex<Vec<String>>,
    changed: Notify,
}

/// By name: rooms that have something.
type Rooms = BTreeMap<CreatorId, Arc<Mutex<RoomBoards>>>;

impl Boards {
    /// As they were kept.
    #[must_use]
    pub fn new(state: State) -> Self {
        let (rooms, leftovers) = recall(&state);
        Self(Arc::new(Inner {
            state,
            rooms: RwLock::new(rooms),
            signals: Signals::default(),
            // Numbers of signals go on over restarts.
            revision: AtomicU64::new(Timestamp::now().unix_ms().unsigned_abs() << 12),
            news: Mutex::default(),
            leftovers: Mutex::new(leftovers),
            changed: Notify::new(),
        }))
    }

    /// Forgets what is known, and reads what is kept: a copy took its place. Rooms are told of all of it.
    pub fn read_again(&self) {
        let (next, mut leftovers) = recall(&self.0.state);
        let before = {
            let mut rooms = self.0.rooms.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *rooms, next)
        };
        self.0.leftovers().append(&mut leftovers);
        let now = Timestamp::now();
        for (id, before) in &before {
            let before = lock(before);
            let mut gone = before.list_told();
            let after = self.room(id);
            let mut after = lock(&after);
            gone.retain(|it| !after.has(it));
            after.gone.extend(gone.into_iter().map(as_gone));
        }
        for it in self.list_rooms() {
            let mut it = lock(&it);
            it.tell_all();
            it.advance(now);
            self.settle(&mut it);
        }
    }

    /// Changes whenever something here does.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.0.revision.load(Ordering::Relaxed)
    }

    fn find(&self, id: &CreatorId) -> Option<Arc<Mutex<RoomBoards>>> {
        self.0.rooms.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// The boards of a room, made when there are none.
    fn room(&self, id: &CreatorId) -> Arc<Mutex<RoomBoards>> {
        if let Some(it) = self.find(id) {
            return it;
        }
        let mut rooms = self.0.rooms.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = || {
            let kept = Kept::new(self.0.state.clone(), id);
            Arc::new(Mutex::new(RoomBoards::new(id.clone(), kept)))
        };
        Arc::clone(rooms.entry(id.clone()).or_insert_with(fresh))
    }

    fn list_rooms(&self) -> Vec<Arc<Mutex<RoomBoards>>> {
        let rooms = self.0.rooms.read().unwrap_or_else(PoisonError::into_inner);
        rooms.values().cloned().collect()
    }

    /// Passes on what was changed under this lock.
    fn settle(&self, room: &mut RoomBoards) {
        if !room.leftovers.is_empty() {
            self.0.leftovers().append(&mut room.leftovers);
            self.0.changed.notify_one();
        }
        if room.news.is_empty() && room.gone.is_empty() {
            return;
        }
        self.0.revision.fetch_add(1, Ordering::Relaxed);
        if !std::mem::replace(&mut room.is_waiting, true) {
            let mut news = self.0.news.lock().unwrap_or_else(PoisonError::into_inner);
            news.push(room.id.clone());
            drop(news);
            self.0.changed.notify_one();
        }
    }

    /// Does something to the boards of a room, and passes on what came of it.
    fn change<T>(
        &self,
        id: &CreatorId,
        change: impl FnOnce(&mut RoomBoards) -> Result<T, BoardError>,
    ) -> Result<T, BoardError> {
        let room = self.room(id);
        let mut room = lock(&room);
        let changed = change(&mut room);
        if changed.is_ok() {
            self.0.revision.fetch_add(1, Ordering::Relaxed);
        }
        self.settle(&mut room);
        changed
    }

    /// Reads something of the boards of a room.
    fn read<T>(&self, id: &CreatorId, read: impl FnOnce(&RoomBoards) -> T) -> T {
        match self.find(id) {
            Some(room) => read(&lock(&room)),
            None => read(&RoomBoards::new(id.clone(), Kept::new(self.0.state.clone(), id))),
        }
    }

    /// A number that no other signal has.
    fn next_number(&self) -> u64 {
        self.0.revision.fetch_add(1, Ordering::Relaxed)
    }

    /// Tells a room that was just opened how its boards are, for whoever comes.
    pub fn greet(&self, room: &Room) {
        let Some(boards) = self.find(room.id()) else { return };
        let mut boards = lock(&boards);
        if room.log().is_kept() {
            boards.forget_places_behind(room.log().head());
        }
        room.note_boards(&boards.list_newest(BOARDS_MOST));
    }

    /// Forgets a room that is retired.
    pub fn forget_room(&self, id: &CreatorId) {
        let mut rooms = self.0.rooms.write().unwrap_or_else(PoisonError::into_inner);
        let Some(room) = rooms.remove(id) else { return };
        drop(rooms);
        lock(&room).kept.remove_all();
        self.0.revision.fetch_add(1, Ordering::Relaxed);
    }
}

impl Inner {
    fn leftovers(&self) -> MutexGuard<'_, Vec<String>> {
        self.leftovers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(room: &Mutex<RoomBoards>) -> MutexGuard<'_, RoomBoards> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same as it is told when there is no such board any more.
fn as_gone(body: EventBody) -> EventBody {
    match body {
        EventBody::PollUpdate(mut it) => {
            it.state = PollState::Archived.as_str().to_owned();
            EventBody::PollUpdate(it)
        }
        EventBody::TallyUpdate(it) => EventBody::TallyUpdate(TallySnapshot { removed: true, ..it }),
        EventBody::ScoreUpdate(it) => {
            EventBody::ScoreUpdate(ScoreboardSnapshot { removed: true, ..it })
        }
        other => other,
    }
}
