//! Polls, tallies, scoreboards, and the people who count in them once.
//!
//! All of a room is in memory behind one lock, which is never held across an await; what changes is kept written behind
//! ([`kept`]), and told to the room at once, then at most every quarter of a second a board ([`teller`]). Live events come
//! from the rooms' own tasks ([`hear`]); nothing here waits for anything.

mod board;
mod catch_up;
mod error;
mod goal;
mod hear;
mod identity;
mod kept;
pub mod limits;
mod period;
mod poll;
mod room;
mod scoreboard;
mod signals;
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

use kept::{Everything, Kept};
use room::RoomBoards;
use signals::Signals;

use crate::{
    chat::Room,
    model::{
        CreatorId, EventBody, QualifiedId, Timestamp,
        snapshot::{BOARDS_MOST, PollSnapshot, ScoreboardSnapshot, TallySnapshot},
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
    /// By name: rooms that have something.
    rooms: RwLock<BTreeMap<CreatorId, Arc<Mutex<RoomBoards>>>>,
    signals: Signals,
    revision: AtomicU64,
    /// Rooms that have something to tell.
    news: Mutex<Vec<CreatorId>>,
    /// What names of texts begin with that nobody needs any more.
    leftovers: Mutex<Vec<String>>,
    changed: Notify,
}

/// Where a test of a million votes, or a restore, need not wait for each.
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
        let boards = lock(&boards);
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

    // Polls.

    /// Asks a poll, or writes a draft of one. `by` is whoever asks, in words.
    ///
    /// # Errors
    /// What is wrong with it, or that another is open that it cannot stand beside.
    pub fn open_poll(
        &self,
        room: &CreatorId,
        new: &NewPoll,
        by: &str,
        most: Most,
        now: Timestamp,
    ) -> Result<PollView, BoardError> {
        self.change(room, |it| it.add_poll(new, by, most, now))
    }

    /// Changes a draft, opens it, or brings a poll to another state.
    ///
    /// # Errors
    /// What is wrong with it, and why it cannot be in that state.
    pub fn change_poll(
        &self,
        room: &CreatorId,
        id: &str,
        change: &PollChange,
        most: Most,
        now: Timestamp,
    ) -> Result<PollView, BoardError> {
        self.change(room, |it| it.change_poll(id, change, most, now))
    }

    /// Ends voting in a poll; `None` is the one that is open.
    ///
    /// # Errors
    /// When it is not open, or it is not clear which is meant.
    pub fn close_poll(
        &self,
        room: &CreatorId,
        id: Option<&str>,
        now: Timestamp,
    ) -> Result<PollView, BoardError> {
        self.change(room, |it| it.close_poll(id, now))
    }

    /// Deletes a poll and its votes.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove_poll(
        &self,
        room: &CreatorId,
        id: &str,
        now: Timestamp,
    ) -> Result<(), BoardError> {
        self.change(room, |it| it.remove_poll(id, now))
    }

    /// Counts a vote: for an option by its words, its id or its number, in place of what this person wanted before. `None`
    /// is the poll that is open.
    ///
    /// # Errors
    /// When it is not open, or has no such option.
    pub fn vote(
        &self,
        room: &CreatorId,
        poll: Option<&str>,
        voter: &QualifiedId,
        choice: &str,
        now: Timestamp,
    ) -> Result<Voted, BoardError> {
        self.change(room, |it| {
            let ballot = it.vote(poll, voter, choice, now)?;
            self.note_vote(room, voter, &ballot, now);
            Ok(ballot.voted)
        })
    }

    fn note_vote(
        &self,
        room: &CreatorId,
        voter: &QualifiedId,
        ballot: &room::Ballot,
        now: Timestamp,
    ) {
        let voted = &ballot.voted;
        self.0.signals.voted(VoteSignal {
            vote_id: format!("{}-{}", voted.poll_id, ballot.vote.order),
            poll_id: voted.poll_id.clone(),
            option_id: voted.option_id.clone(),
            creator: room.clone(),
            voter_id: voter.clone(),
            voted_at: now,
        });
    }

    /// Takes a person's vote out of an open poll.
    ///
    /// # Errors
    /// When it is not open, or there is no such vote.
    pub fn remove_vote(
        &self,
        room: &CreatorId,
        poll: &str,
        voter: &QualifiedId,
        now: Timestamp,
    ) -> Result<(), BoardError> {
        self.change(room, |it| it.remove_vote(poll, voter, now))
    }

    /// Polls of a room, the newest first; drafts among them when `drafts` says so.
    #[must_use]
    pub fn list_polls(&self, room: &CreatorId, drafts: bool) -> Vec<PollView> {
        self.read(room, |it| {
            let shown = it.polls.values().filter(|it| drafts || it.state != PollState::Draft);
            let mut polls: Vec<_> = shown.map(|poll| poll.view(&it.id)).collect();
            polls.sort_by(|a, b| (b.created_at, &b.poll_id).cmp(&(a.created_at, &a.poll_id)));
            polls
        })
    }

    /// One of them.
    #[must_use]
    pub fn find_poll(&self, room: &CreatorId, id: &str) -> Option<PollView> {
        self.read(room, |it| it.polls.get(id).map(|poll| poll.view(&it.id)))
    }

    // Tallies.

    /// Keeps a tally from now on.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add_tally(
        &self,
        room: &CreatorId,
        new: &NewTally,
        now: Timestamp,
    ) -> Result<TallyView, BoardError> {
        self.change(room, |it| it.add_tally(new, now))
    }

    /// Changes a tally.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn change_tally(
        &self,
        room: &CreatorId,
        id: &str,
        change: &TallyChange,
        now: Timestamp,
    ) -> Result<TallyView, BoardError> {
        self.change(room, |it| it.change_tally(id, change, now))
    }

    /// Deletes a tally and its past periods.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove_tally(
        &self,
        room: &CreatorId,
        id: &str,
        now: Timestamp,
    ) -> Result<(), BoardError> {
        self.change(room, |it| it.remove_tally(id, now))
    }

    /// Sets a tally to 0, and lets everybody count again.
    ///
    /// # Errors
    /// When there is none.
    pub fn reset_tally(
        &self,
        room: &CreatorId,
        id: &str,
        now: Timestamp,
    ) -> Result<TallyView, BoardError> {
        self.change(room, |it| it.reset_tally(id, now))
    }

    /// Counts `by` on a tally, of an item where it counts several things. A `voter` who counted already, where each does
    /// once, changes nothing.
    ///
    /// # Errors
    /// When there is none, or it takes no further item.
    pub fn count(
        &self,
        room: &CreatorId,
        tally: &str,
        item: Option<&str>,
        by: i64,
        voter: Option<&QualifiedId>,
        now: Timestamp,
    ) -> Result<TallySnapshot, BoardError> {
        self.change(room, |it| {
            let (snapshot, delta) = it.count(tally, item, by, voter, now)?;
            self.note_count(room, tally, delta, now);
            Ok(snapshot)
        })
    }

    fn note_count(&self, room: &CreatorId, tally: &str, delta: i64, now: Timestamp) {
        if delta != 0 {
            self.0.signals.counted(TallySignal {
                event_id: format!("{tally}-{}", self.next_number()),
                tally_id: tally.to_owned(),
                creator: room.clone(),
                delta,
                updated_at: now,
            });
        }
    }

    /// Tallies of a room, in the order of their ids.
    #[must_use]
    pub fn list_tallies(&self, room: &CreatorId) -> Vec<TallyView> {
        self.read(room, |it| it.tallies.values().map(|tally| tally.view(&it.id)).collect())
    }

    /// One of them, with its past periods.
    #[must_use]
    pub fn find_tally(&self, room: &CreatorId, id: &str) -> Option<TallyView> {
        self.read(room, |it| {
            let view = it.tallies.get(id)?.view(&it.id);
            Some(TallyView { periods: Some(it.kept.past_tallies(id)), ..view })
        })
    }

    // Scoreboards.

    /// Keeps a scoreboard from now on.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add_scoreboard(
        &self,
        room: &CreatorId,
        new: &NewScoreboard,
        now: Timestamp,
    ) -> Result<ScoreboardView, BoardError> {
        self.change(room, |it| it.add_scoreboard(new, now))
    }

    /// Changes a scoreboard.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn change_scoreboard(
        &self,
        room: &CreatorId,
        id: &str,
        change: &ScoreboardChange,
        now: Timestamp,
    ) -> Result<(), BoardError> {
        self.change(room, |it| it.change_scoreboard(id, change, now))
    }

    /// Deletes a scoreboard and its past periods.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove_scoreboard(
        &self,
        room: &CreatorId,
        id: &str,
        now: Timestamp,
    ) -> Result<(), BoardError> {
        self.change(room, |it| it.remove_scoreboard(id, now))
    }

    /// Gives somebody points, or takes them.
    ///
    /// # Errors
    /// When there is no such scoreboard, it is final, or full.
    pub fn score(
        &self,
        room: &CreatorId,
        scoreboard: &str,
        who: &Contestant,
        by: i64,
        now: Timestamp,
    ) -> Result<ScoreboardSnapshot, BoardError> {
        self.change(room, |it| {
            let entry = it.score(scoreboard, who, by, now)?;
            self.note_score(room, scoreboard, &entry, by, now);
            it.snapshot_of(scoreboard)
        })
    }

    /// Gives somebody so many points that they have `points`.
    ///
    /// # Errors
    /// As [`Boards::score`].
    pub fn set_score(
        &self,
        room: &CreatorId,
        scoreboard: &str,
        who: &Contestant,
        points: i64,
        now: Timestamp,
    ) -> Result<ScoreboardSnapshot, BoardError> {
        self.change(room, |it| {
            let (entry, by) = it.set_score(scoreboard, who, points, now)?;
            self.note_score(room, scoreboard, &entry, by, now);
            it.snapshot_of(scoreboard)
        })
    }

    fn note_score(
        &self,
        room: &CreatorId,
        scoreboard: &str,
        entry: &Entry,
        by: i64,
        now: Timestamp,
    ) {
        self.0.signals.scored(ScoreSignal {
            event_id: format!("{scoreboard}-{}", self.next_number()),
            scoreboard_id: scoreboard.to_owned(),
            creator: room.clone(),
            label: entry.display_name.clone(),
            score_delta: by,
            scored_at: now,
        });
    }

    /// Closes a scoreboard: nobody scores any more.
    ///
    /// # Errors
    /// When there is none, or it is final already.
    pub fn finalize(&self, room: &CreatorId, id: &str, now: Timestamp) -> Result<(), BoardError> {
        self.change(room, |it| it.finalize(id, now))
    }

    /// Takes entries in; answers how many.
    ///
    /// # Errors
    /// What is wrong with them; nothing is changed then.
    pub fn import_scores(
        &self,
        room: &CreatorId,
        id: &str,
        said: Import,
        now: Timestamp,
    ) -> Result<usize, BoardError> {
        self.change(room, |it| it.import_scores(id, said, now))
    }

    /// Scoreboards of a room, in the order of their ids, with the best of each.
    #[must_use]
    pub fn list_scoreboards(&self, room: &CreatorId) -> Vec<ScoreboardView> {
        let view = |it: &RoomBoards| {
            let all = it.scoreboards.values();
            all.map(|board| board.view(&it.id, limits::MOST_SHOWN)).collect()
        };
        self.read(room, view)
    }

    /// One of them, with all entries and past periods.
    #[must_use]
    pub fn find_scoreboard(&self, room: &CreatorId, id: &str) -> Option<ScoreboardView> {
        self.read(room, |it| {
            let view = it.scoreboards.get(id)?.view(&it.id, usize::MAX);
            Some(ScoreboardView { periods: Some(it.kept.past_scoreboards(id)), ..view })
        })
    }

    // People.

    /// Says that accounts are one person's. `by` is whoever says so, in words.
    ///
    /// # Errors
    /// What is wrong with it, or that they are linked already.
    pub fn link(
        &self,
        room: &CreatorId,
        new: &NewIdentity,
        by: &str,
        now: Timestamp,
    ) -> Result<Identity, BoardError> {
        self.change(room, |it| it.add_identity(new, by, now))
    }

    /// Takes a link back: each account counts for itself.
    ///
    /// # Errors
    /// When there is none.
    pub fn unlink(&self, room: &CreatorId, id: &str) -> Result<(), BoardError> {
        self.change(room, |it| it.unlink(id))
    }

    /// Everybody in a room who is linked, the newest first.
    #[must_use]
    pub fn list_identities(&self, room: &CreatorId) -> Vec<Identity> {
        self.read(room, |it| {
            let mut all: Vec<_> = it.people.list().cloned().collect();
            all.sort_by(|a, b| (b.linked_at, &b.identity_id).cmp(&(a.linked_at, &a.identity_id)));
            all
        })
    }

    // Exports.

    fn collect<T>(&self, of: impl Fn(&RoomBoards, &mut Vec<T>)) -> Vec<T> {
        let mut all = Vec::new();
        for room in self.list_rooms() {
            of(&lock(&room), &mut all);
        }
        all
    }

    /// Every poll of every room that viewers may know of, by room and id.
    #[must_use]
    pub fn polls(&self) -> Vec<PollSnapshot> {
        self.collect(|it, all| {
            let known = it.polls.values().filter(|it| it.state != PollState::Draft);
            all.extend(known.map(|poll| poll.snapshot(&it.id)));
        })
    }

    /// Every tally of every room, by room and id.
    #[must_use]
    pub fn tallies(&self) -> Vec<TallySnapshot> {
        self.collect(|it, all| all.extend(it.tallies.values().map(|tally| tally.snapshot(&it.id))))
    }

    /// Every scoreboard of every room with the best of it, by room and id.
    #[must_use]
    pub fn scoreboards(&self) -> Vec<ScoreboardSnapshot> {
        self.collect(|it, all| {
            all.extend(it.scoreboards.values().map(|board| board.snapshot(&it.id)));
        })
    }

    /// The newest votes of all rooms, the oldest first.
    #[must_use]
    pub fn newest_votes(&self) -> Vec<VoteSignal> {
        self.0.signals.votes()
    }

    /// How tallies of all rooms moved last, the oldest first.
    #[must_use]
    pub fn newest_counts(&self) -> Vec<TallySignal> {
        self.0.signals.tallies()
    }

    /// Who scored last in all rooms, the oldest first.
    #[must_use]
    pub fn newest_scores(&self) -> Vec<ScoreSignal> {
        self.0.signals.scores()
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
        EventBody::PollUpdate(it) => {
            EventBody::PollUpdate(PollSnapshot { state: "archived".to_owned(), ..it })
        }
        EventBody::TallyUpdate(it) => EventBody::TallyUpdate(TallySnapshot { removed: true, ..it }),
        EventBody::ScoreUpdate(it) => {
            EventBody::ScoreUpdate(ScoreboardSnapshot { removed: true, ..it })
        }
        other => other,
    }
}

/// Everything that is kept, by room; and what of it nobody needs: votes of polls that are closed, left by a kill.
fn recall(state: &State) -> (Rooms, Vec<String>) {
    let all = Everything::read(state);
    let mut rooms: BTreeMap<CreatorId, RoomBoards> = BTreeMap::new();
    // Names are in lower case; one that is no name of a room is nobody's.
    let of = |rooms: &mut BTreeMap<CreatorId, RoomBoards>, name: &str| {
        let id: CreatorId = name.parse().ok()?;
        let fresh = || RoomBoards::new(id.clone(), Kept::new(state.clone(), &id));
        rooms.entry(id.clone()).or_insert_with(fresh);
        Some(id)
    };
    for (name, mut poll) in all.polls {
        if let Some(room) = of(&mut rooms, &name).and_then(|it| rooms.get_mut(&it)) {
            RoomBoards::ready(&mut poll);
            room.polls.insert(poll.poll_id.clone(), poll);
        }
    }
    for (name, tally) in all.tallies {
        if let Some(room) = of(&mut rooms, &name).and_then(|it| rooms.get_mut(&it)) {
            room.tallies.insert(tally.tally_id.clone(), tally);
        }
    }
    for (name, scoreboard) in all.scoreboards {
        if let Some(room) = of(&mut rooms, &name).and_then(|it| rooms.get_mut(&it)) {
            room.scoreboards.insert(scoreboard.scoreboard_id.clone(), scoreboard);
        }
    }
    for (name, identity) in all.identities {
        if let Some(room) = of(&mut rooms, &name).and_then(|it| rooms.get_mut(&it)) {
            room.people.recall(identity);
        }
    }
    let room_of = |name: &str| name.parse::<CreatorId>().ok();
    let mut leftovers = Vec::new();
    let mut leave = |start: String| {
        if leftovers.last() != Some(&start) {
            leftovers.push(start);
        }
    };
    for (name, poll, account, vote) in all.votes {
        let room = room_of(&name).and_then(|it| rooms.get_mut(&it));
        let poll_of = room.and_then(|it| it.polls.get_mut(&poll));
        match poll_of.filter(|it| it.state == PollState::Open) {
            Some(it) => it.votes.recall(&account, vote),
            None => leave(format!("{name}/p/{poll}/")),
        }
    }
    for (name, tally, round, account) in all.counted {
        let room = room_of(&name).and_then(|it| rooms.get_mut(&it));
        let tally_of = room.and_then(|it| it.tallies.get_mut(&tally));
        match tally_of.filter(|it| it.round == round) {
            Some(it) => drop(it.counted.insert(account.into())),
            None => leave(format!("{name}/t/{tally}/{round}/")),
        }
    }
    for (name, scoreboard, entry) in all.entries {
        let room = room_of(&name).and_then(|it| rooms.get_mut(&it));
        if let Some(it) = room.and_then(|it| it.scoreboards.get_mut(&scoreboard)) {
            it.entries.insert(entry.key(), entry);
        }
    }
    let now = Timestamp::now();
    let ready = |(id, mut room): (CreatorId, RoomBoards)| {
        room.recall_votes();
        room.note_due(now);
        (id, Arc::new(Mutex::new(room)))
    };
    (rooms.into_iter().map(ready).collect(), leftovers)
}
