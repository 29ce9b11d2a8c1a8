//! What is done to tallies, for whoever runs them.

use super::{BoardError, Boards, NewTally, TallyChange, TallySignal, TallyView};
use crate::model::{CreatorId, QualifiedId, Timestamp, snapshot::TallySnapshot};

impl Boards {
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

    pub(super) fn note_count(&self, room: &CreatorId, tally: &str, delta: i64, now: Timestamp) {
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
}
