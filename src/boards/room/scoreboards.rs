//! Scoreboards of a room: points, imports, and their end.

use super::{
    super::{
        BoardError,
        limits::{MOST_SCOREBOARDS, bounded},
        scoreboard::{
            Contestant, Entry, Import, NewScoreboard, Scoreboard, ScoreboardChange, ScoreboardView,
        },
    },
    RoomBoards,
};
use crate::model::{EventBody, Timestamp};

impl RoomBoards {
    pub(in crate::boards) fn add_scoreboard(
        &mut self,
        said: &NewScoreboard,
        now: Timestamp,
    ) -> Result<ScoreboardView, BoardError> {
        let scoreboard = Scoreboard::new(said, now)?;
        if self.scoreboards.contains_key(&scoreboard.scoreboard_id) {
            return Err(BoardError::conflict(format!(
                "there is a scoreboard called {} already",
                scoreboard.scoreboard_id
            )));
        }
        if self.scoreboards.len() >= MOST_SCOREBOARDS {
            return Err(BoardError::conflict(format!(
                "this room keeps {MOST_SCOREBOARDS} scoreboards: delete one first"
            )));
        }
        let (id, view) = (scoreboard.scoreboard_id.clone(), scoreboard.view(&self.id, 0));
        self.kept.put_scoreboard(&scoreboard);
        self.scoreboards.insert(id.clone(), scoreboard);
        self.tell_scoreboard(&id);
        self.note_due(now);
        Ok(view)
    }

    pub(in crate::boards) fn change_scoreboard(
        &mut self,
        id: &str,
        change: &ScoreboardChange,
        now: Timestamp,
    ) -> Result<(), BoardError> {
        self.advance(now);
        let scoreboard = self.scoreboard(id)?;
        scoreboard.change(change, now)?;
        if change.aggregation.is_some() {
            let entries: Vec<_> = scoreboard.entries.values().cloned().collect();
            entries.iter().for_each(|it| self.kept.put_entry(id, it));
        }
        self.keep_scoreboard(id);
        self.note_due(now);
        Ok(())
    }

    pub(in crate::boards) fn keep_scoreboard(&mut self, id: &str) {
        if let Some(it) = self.scoreboards.get(id) {
            self.kept.put_scoreboard(it);
        }
        self.tell_scoreboard(id);
    }

    pub(in crate::boards) fn remove_scoreboard(
        &mut self,
        id: &str,
        now: Timestamp,
    ) -> Result<(), BoardError> {
        let unknown = BoardError::Unknown("scoreboard in this room");
        let scoreboard = self.scoreboards.remove(id).ok_or(unknown)?;
        self.kept.remove_scoreboard(id);
        let mut told = scoreboard.snapshot(&self.id);
        told.removed = true;
        self.gone.push(EventBody::ScoreUpdate(told));
        self.note_due(now);
        Ok(())
    }

    pub(in crate::boards) fn score(
        &mut self,
        id: &str,
        who: &Contestant,
        by: i64,
        now: Timestamp,
    ) -> Result<Entry, BoardError> {
        self.advance(now);
        let unknown = BoardError::Unknown("scoreboard in this room");
        let scoreboard = self.scoreboards.get_mut(id).ok_or(unknown)?;
        let person = who.user_id.as_ref().map(|it| self.people.person(it)).unwrap_or_default();
        let entry = scoreboard.score(who, person, bounded(by), now)?;
        self.kept.put_entry(id, &entry);
        self.keep_scoreboard(id);
        Ok(entry)
    }

    /// Gives as many points as are missing.
    pub(in crate::boards) fn set_score(
        &mut self,
        id: &str,
        who: &Contestant,
        points: i64,
        now: Timestamp,
    ) -> Result<(Entry, i64), BoardError> {
        self.advance(now);
        let person = who.user_id.as_ref().map(|it| self.people.person(it)).unwrap_or_default();
        let unknown = BoardError::Unknown("scoreboard in this room");
        let by = self.scoreboards.get(id).ok_or(unknown)?.missing(who, person, points);
        Ok((self.score(id, who, by, now)?, by))
    }

    pub(in crate::boards) fn import_scores(
        &mut self,
        id: &str,
        said: Import,
        now: Timestamp,
    ) -> Result<usize, BoardError> {
        self.advance(now);
        let (entries, gone) = self.scoreboard(id)?.import(said, now)?;
        gone.iter().for_each(|it| self.kept.remove_entry(id, it));
        entries.iter().for_each(|it| self.kept.put_entry(id, it));
        self.keep_scoreboard(id);
        Ok(entries.len())
    }

    pub(in crate::boards) fn finalize(
        &mut self,
        id: &str,
        now: Timestamp,
    ) -> Result<(), BoardError> {
        self.advance(now);
        self.scoreboard(id)?.finalize(now)?;
        self.keep_scoreboard(id);
        self.note_due(now);
        Ok(())
    }
}
