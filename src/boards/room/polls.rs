//! Polls of a room: asked, voted in, ended.

use super::{
    super::{
        BoardError,
        limits::{MOST_OPEN, MOST_OPTIONS, MOST_POLLS, MOST_VOTERS},
        poll::{NewPoll, Poll, PollChange, PollState, PollView, Voted},
    },
    Ballot, Most, RoomBoards,
};
use crate::{
    boards::words::check_account,
    model::{EventBody, QualifiedId, Timestamp},
};

impl RoomBoards {
    pub(in crate::boards) fn add_poll(
        &mut self,
        said: &NewPoll,
        by: &str,
        most: Most,
        now: Timestamp,
    ) -> Result<PollView, BoardError> {
        let poll = Poll::new(said, by, most.options.min(MOST_OPTIONS), now)?;
        if self.polls.len() >= MOST_POLLS {
            let oldest = self.polls.values().filter(|it| it.state == PollState::Archived);
            let oldest = oldest.min_by_key(|it| it.created_at).map(|it| it.poll_id.clone());
            let full = || {
                BoardError::conflict(format!(
                    "this room keeps {MOST_POLLS} polls, and none of them is archived: archive or delete some"
                ))
            };
            let oldest = oldest.ok_or_else(full)?;
            self.polls.remove(&oldest);
            self.kept.remove_poll(&oldest);
        }
        let id = poll.poll_id.clone();
        if said.draft {
            self.kept.put_poll(&poll);
            self.polls.insert(id.clone(), poll);
        } else {
            self.open_as(poll, most, now)?;
        }
        let creator = self.id.clone();
        Ok(self.poll(&id)?.view(&creator))
    }

    /// Opens a poll that is in the list, or comes into it.
    fn open_as(&mut self, mut poll: Poll, most: Most, now: Timestamp) -> Result<(), BoardError> {
        self.advance(now);
        let open = self.polls.values().filter(|it| it.state == PollState::Open);
        let most = most.open_polls.min(MOST_OPEN);
        if open.clone().count() >= most as usize {
            return Err(BoardError::conflict(match most {
                0 => "no polls here: the tier of this room's owner has none".to_owned(),
                1 => "another poll is open, and one at a time is all there may be: close that one first".to_owned(),
                _ => format!("{most} polls are open, and no more may be at a time: close one first"),
            }));
        }
        if let Some(clash) = open.clone().find_map(|it| poll.find_clash(it)) {
            return Err(BoardError::Conflict(clash));
        }
        poll.open(now);
        self.kept.put_poll(&poll);
        let id = poll.poll_id.clone();
        self.polls.insert(id.clone(), poll);
        self.tell_poll(&id);
        self.note_due(now);
        Ok(())
    }

    pub(in crate::boards) fn close_poll(
        &mut self,
        id: Option<&str>,
        now: Timestamp,
    ) -> Result<PollView, BoardError> {
        self.advance(now);
        let id = self.find_open(id)?;
        self.close(&id, now)
    }

    pub(in crate::boards) fn close(
        &mut self,
        id: &str,
        now: Timestamp,
    ) -> Result<PollView, BoardError> {
        let creator = self.id.clone();
        let poll = self.poll(id)?;
        poll.close(now);
        let view = poll.view(&creator);
        // First the outcome, then the votes go: whatever happens in between, nothing is lost.
        self.kept.put_poll(&self.polls[id]);
        self.leftovers.push(self.kept.votes_of(id));
        self.tell_poll(id);
        self.note_due(now);
        Ok(view)
    }

    /// The poll that is meant: the one that is named, or the only one that is open.
    fn find_open(&self, id: Option<&str>) -> Result<String, BoardError> {
        if let Some(id) = id {
            let poll = self.polls.get(id).ok_or(BoardError::Unknown("poll in this room"))?;
            return match poll.state {
                PollState::Open => Ok(id.to_owned()),
                state => Err(BoardError::conflict(format!(
                    "“{}” is not open: it is {}",
                    poll.question,
                    match state {
                        PollState::Draft => "a draft",
                        PollState::Archived => "archived",
                        _ => "closed",
                    }
                ))),
            };
        }
        let mut open = self.polls.values().filter(|it| it.state == PollState::Open);
        match (open.next(), open.next()) {
            (Some(it), None) => Ok(it.poll_id.clone()),
            (None, _) => Err(BoardError::conflict("no poll is open")),
            _ => Err(BoardError::conflict("several polls are open: say which")),
        }
    }

    pub(in crate::boards) fn change_poll(
        &mut self,
        id: &str,
        change: &PollChange,
        most: Most,
        now: Timestamp,
    ) -> Result<PollView, BoardError> {
        self.advance(now);
        let creator = self.id.clone();
        let state = self.poll(id)?.state;
        let wanted = change.state.unwrap_or(state);
        if change.is_of_text() && state != PollState::Draft {
            return Err(BoardError::conflict(format!(
                "“{}” is {}: only a draft can be written anew",
                self.poll(id)?.question,
                state.as_str()
            )));
        }
        let allowed = matches!(
            (state, wanted),
            (PollState::Draft, PollState::Draft | PollState::Open | PollState::Archived)
                | (PollState::Open, PollState::Open | PollState::Closed | PollState::Archived)
                | (PollState::Closed, PollState::Closed | PollState::Archived)
                | (PollState::Archived, PollState::Archived)
        );
        if !allowed {
            return Err(BoardError::conflict(format!(
                "a poll that is {} cannot become {}",
                state.as_str(),
                wanted.as_str()
            )));
        }
        if state == PollState::Draft {
            let written = self.poll(id)?.changed(change, most.options.min(MOST_OPTIONS), now)?;
            if wanted == PollState::Open {
                // It may have been written when more were allowed.
                if written.options.len() > most.options as usize {
                    let why = format!("at most {} options here", most.options);
                    return Err(BoardError::invalid("/options", why));
                }
                self.open_as(written, most, now)?;
                return Ok(self.poll(id)?.view(&creator));
            }
            *self.poll(id)? = written;
        }
        if state == PollState::Open && wanted != PollState::Open {
            self.close(id, now)?;
        }
        if wanted == PollState::Archived && state != PollState::Archived {
            let poll = self.poll(id)?;
            (poll.state, poll.changed_at) = (PollState::Archived, Some(now));
            self.tell_poll(id);
        }
        self.kept.put_poll(&self.polls[id]);
        Ok(self.poll(id)?.view(&creator))
    }

    pub(in crate::boards) fn remove_poll(
        &mut self,
        id: &str,
        now: Timestamp,
    ) -> Result<(), BoardError> {
        let mut poll = self.polls.remove(id).ok_or(BoardError::Unknown("poll in this room"))?;
        self.kept.remove_poll(id);
        self.leftovers.push(self.kept.votes_of(id));
        if poll.state != PollState::Draft {
            poll.state = PollState::Archived;
            self.gone.push(EventBody::PollUpdate(Box::new(poll.snapshot(&self.id))));
        }
        self.note_due(now);
        Ok(())
    }

    pub(in crate::boards) fn vote(
        &mut self,
        id: Option<&str>,
        voter: &QualifiedId,
        choice: &str,
        now: Timestamp,
    ) -> Result<Ballot, BoardError> {
        check_account(voter, "/voter")?;
        self.advance(now);
        let id = self.find_open(id)?;
        let poll = &self.polls[&id];
        if !poll.hears(voter.platform()) {
            return Err(BoardError::conflict(format!(
                "votes from there do not count in “{}”",
                poll.question
            )));
        }
        let option = poll.find_option(choice).ok_or_else(|| {
            let why = format!("“{}” has no such option", poll.question);
            BoardError::invalid("/choice", why)
        })?;
        self.cast(&id, voter, option, now)
    }

    /// Counts a vote for an option of an open poll.
    pub(in crate::boards) fn cast(
        &mut self,
        id: &str,
        voter: &QualifiedId,
        option: u16,
        now: Timestamp,
    ) -> Result<Ballot, BoardError> {
        let poll = self.polls.get_mut(id).ok_or(BoardError::Unknown("poll in this room"))?;
        if poll.votes.len() >= MOST_VOTERS && poll.votes.of(voter.as_str()).is_none() {
            return Err(BoardError::conflict(format!(
                "“{}” has {MOST_VOTERS} votes, and takes those of no further voters",
                poll.question
            )));
        }
        let (before, vote) = poll.votes.cast(voter, self.people.person(voter), option);
        self.kept.put_vote(id, voter.as_str(), vote);
        poll.changed_at = Some(now);
        let of = |it: u16| &poll.options[usize::from(it)];
        let voted = Voted {
            poll_id: id.to_owned(),
            option_id: of(option).option_id.clone(),
            label: of(option).label.clone(),
            before: before.map(|it| of(it.option).option_id.clone()),
        };
        if before.is_none_or(|it| it.option != option) {
            self.tell_poll(id);
        }
        Ok(Ballot { voted, vote })
    }

    /// Takes a person's vote out of an open poll.
    pub(in crate::boards) fn remove_vote(
        &mut self,
        id: &str,
        voter: &QualifiedId,
        now: Timestamp,
    ) -> Result<(), BoardError> {
        self.advance(now);
        let id = self.find_open(Some(id))?;
        let poll = self.polls.get_mut(&id).ok_or(BoardError::Unknown("poll in this room"))?;
        let removed = poll.votes.remove(self.people.person(voter));
        if removed.is_empty() {
            return Err(BoardError::Unknown("vote in this poll"));
        }
        removed.iter().for_each(|it| self.kept.remove_vote(&id, it.as_str()));
        poll.changed_at = Some(now);
        self.tell_poll(&id);
        Ok(())
    }
}
