//! Boards of all rooms, for exports.

use super::{Boards, PollState, ScoreSignal, TallySignal, VoteSignal, lock, room::RoomBoards};
use crate::model::snapshot::{PollSnapshot, ScoreboardSnapshot, TallySnapshot};

impl Boards {
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
