//! Tallies of a room: counted, set to 0, brought into another period.

use super::{
    super::{
        BoardError,
        limits::{MOST_COUNTED, MOST_TALLIES, bounded},
        tally::{NewTally, Tally, TallyChange, TallyView},
    },
    RoomBoards,
};
use crate::model::{EventBody, QualifiedId, Timestamp, snapshot::TallySnapshot};

impl RoomBoards {
    pub(in crate::boards) fn add_tally(
        &mut self,
        said: &NewTally,
        now: Timestamp,
    ) -> Result<TallyView, BoardError> {
        let tally = Tally::new(said, now)?;
        if self.tallies.contains_key(&tally.tally_id) {
            return Err(BoardError::conflict(format!(
                "there is a tally called {} already",
                tally.tally_id
            )));
        }
        if self.tallies.len() >= MOST_TALLIES {
            return Err(BoardError::conflict(format!(
                "this room keeps {MOST_TALLIES} tallies: delete one first"
            )));
        }
        let (id, view) = (tally.tally_id.clone(), tally.view(&self.id));
        self.kept.put_tally(&tally);
        self.tallies.insert(id.clone(), tally);
        self.tell_tally(&id);
        self.note_due(now);
        Ok(view)
    }

    pub(in crate::boards) fn change_tally(
        &mut self,
        id: &str,
        change: &TallyChange,
        now: Timestamp,
    ) -> Result<TallyView, BoardError> {
        self.advance(now);
        let creator = self.id.clone();
        let tally = self.tally(id)?;
        tally.change(change, now)?;
        let view = tally.view(&creator);
        self.keep_tally(id);
        self.note_due(now);
        Ok(view)
    }

    pub(in crate::boards) fn keep_tally(&mut self, id: &str) {
        if let Some(it) = self.tallies.get(id) {
            self.kept.put_tally(it);
        }
        self.tell_tally(id);
    }

    pub(in crate::boards) fn reset_tally(
        &mut self,
        id: &str,
        now: Timestamp,
    ) -> Result<TallyView, BoardError> {
        self.advance(now);
        let creator = self.id.clone();
        self.tally(id)?.reset(now);
        self.next_round(id);
        let view = self.tally(id)?.view(&creator);
        self.keep_tally(id);
        Ok(view)
    }

    /// Everybody may count again.
    pub(in crate::boards) fn next_round(&mut self, id: &str) {
        if let Some(it) = self.tallies.get_mut(id) {
            let over = self.kept.counted_of(id, it.round);
            it.round += 1;
            if !std::mem::take(&mut it.counted).is_empty() {
                self.leftovers.push(over);
            }
        }
    }

    pub(in crate::boards) fn remove_tally(
        &mut self,
        id: &str,
        now: Timestamp,
    ) -> Result<(), BoardError> {
        let tally = self.tallies.remove(id).ok_or(BoardError::Unknown("tally in this room"))?;
        self.kept.remove_tally(id);
        self.leftovers.push(self.kept.counted_of(id, tally.round));
        let told = TallySnapshot { removed: true, ..tally.snapshot(&self.id) };
        self.gone.push(EventBody::TallyUpdate(told));
        self.note_due(now);
        Ok(())
    }

    /// Counts; a voter who counted already, where each does once, changes nothing. Answers by how much it moved.
    pub(in crate::boards) fn count(
        &mut self,
        id: &str,
        item: Option<&str>,
        by: i64,
        voter: Option<&QualifiedId>,
        now: Timestamp,
    ) -> Result<(TallySnapshot, i64), BoardError> {
        self.advance(now);
        let creator = self.id.clone();
        let tally = self.tallies.get_mut(id).ok_or(BoardError::Unknown("tally in this room"))?;
        let voter = voter.filter(|_| tally.once_per_viewer);
        if let Some(voter) = voter {
            let mut person = self.people.person(voter).iter();
            if person.any(|it| tally.counted.contains(it.as_str())) {
                return Ok((tally.snapshot(&creator), 0));
            }
            if tally.counted.len() >= MOST_COUNTED {
                return Err(BoardError::conflict(format!(
                    "“{}” counted {MOST_COUNTED} viewers, and takes no further ones",
                    tally.label
                )));
            }
        }
        let before = tally.count;
        tally.count(item, bounded(by), now)?;
        if let Some(voter) = voter {
            tally.counted.insert(voter.as_str().into());
            self.kept.put_counted(tally, voter.as_str());
        }
        let answer = (tally.snapshot(&creator), tally.count.saturating_sub(before));
        self.keep_tally(id);
        Ok(answer)
    }
}
