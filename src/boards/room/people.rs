//! People of a room: linked and taken apart, and what that changes in votes and points.

use super::{
    super::{
        BoardError,
        identity::{Identity, Link, NewIdentity},
        poll::PollState,
    },
    RoomBoards,
};
use crate::model::Timestamp;

impl RoomBoards {
    pub(in crate::boards) fn add_identity(
        &mut self,
        said: &NewIdentity,
        by: &str,
        now: Timestamp,
    ) -> Result<Identity, BoardError> {
        let link = self.people.plan(said, by, now)?;
        let identity = link.identity.clone();
        self.link(&link);
        Ok(identity)
    }

    /// Makes one person of several: whose votes count once from now on.
    pub(in crate::boards) fn link(&mut self, link: &Link) {
        let open: Vec<_> = self.list_open().map(str::to_owned).collect();
        for id in &open {
            let Some(poll) = self.polls.get_mut(id) else { continue };
            link.before.iter().for_each(|it| poll.votes.uncount_person(it));
            poll.votes.count_person(&link.identity.accounts);
            self.tell_poll(id);
        }
        self.people.link(link);
        link.gone.iter().for_each(|it| self.kept.remove_identity(it));
        self.kept.put_identity(&link.identity);
        let mut merged = Vec::new();
        for (id, scoreboard) in &mut self.scoreboards {
            if let Some((entry, gone)) = scoreboard.merge(&link.identity.accounts) {
                gone.iter().for_each(|it| self.kept.remove_entry(id, it));
                self.kept.put_entry(id, &entry);
                merged.push(id.clone());
            }
        }
        merged.iter().for_each(|it| self.keep_scoreboard(it));
    }

    /// Makes several of one person again: each account's own vote counts.
    pub(in crate::boards) fn unlink(&mut self, id: &str) -> Result<(), BoardError> {
        let unknown = BoardError::Unknown("identity in this room");
        let identity = self.people.unlink(id).ok_or(unknown)?;
        let open: Vec<_> = self.list_open().map(str::to_owned).collect();
        for id in &open {
            let Some(poll) = self.polls.get_mut(id) else { continue };
            poll.votes.uncount_person(&identity.accounts);
            for account in &identity.accounts {
                poll.votes.count_person(std::slice::from_ref(account));
            }
            self.tell_poll(id);
        }
        self.kept.remove_identity(id);
        Ok(())
    }

    pub(in crate::boards) fn list_open(&self) -> impl Iterator<Item = &str> {
        let open = self.polls.values().filter(|it| it.state == PollState::Open);
        open.map(|it| it.poll_id.as_str())
    }
}
