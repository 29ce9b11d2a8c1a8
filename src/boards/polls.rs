//! What is done to polls, for whoever runs them: each call takes the room's lock for a moment.

use super::{
    BoardError, Boards, Most, NewPoll, PollChange, PollState, PollView, VoteSignal, Voted, room,
};
use crate::model::{CreatorId, QualifiedId, Timestamp};

impl Boards {
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

    pub(super) fn note_vote(
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
}
