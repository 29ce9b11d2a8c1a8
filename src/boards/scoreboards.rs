//! What is done to scoreboards, for whoever runs them.

use super::{
    BoardError, Boards, Contestant, Entry, Import, NewScoreboard, ScoreSignal, ScoreboardChange,
    ScoreboardView, limits, room::RoomBoards,
};
use crate::model::{CreatorId, Timestamp, snapshot::ScoreboardSnapshot};

impl Boards {
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

    pub(super) fn note_score(
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
}
