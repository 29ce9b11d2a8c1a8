//! The boards of one room, and what is done to them. Whoever changes something here has kept it before it is told.

use std::collections::BTreeMap;

use super::{
    BoardError,
    board::Board,
    goal::{Feed, Moved},
    identity::{Identities, Identity, Link, NewIdentity},
    kept::Kept,
    limits::{
        MOST_COUNTED, MOST_OPEN, MOST_OPTIONS, MOST_POLLS, MOST_SCOREBOARDS, MOST_TALLIES,
        MOST_VOTERS, bounded,
    },
    poll::{NewPoll, Poll, PollChange, PollState, PollView, Voted},
    scoreboard::{
        Contestant, Entry, Import, NewScoreboard, Scoreboard, ScoreboardChange, ScoreboardView,
    },
    tally::{NewTally, Tally, TallyChange, TallyView},
    votes::{Vote, Votes},
};
use crate::{
    config::tiers::TierTerms,
    model::{
        CreatorId, EventBody, QualifiedId, Timestamp,
        snapshot::{ScoreboardSnapshot, TallySnapshot},
    },
};

/// What is done with many texts is done later, by and by: what their names begin with.
pub(super) type Leftover = String;

/// How much somebody may have at a time.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// Open polls (count).
    pub open_polls: u32,
    /// Options of a poll (count).
    pub options: u32,
}

impl Most {
    /// What a room's tier allows; without one, as much as there is.
    #[must_use]
    pub fn of(terms: Option<&TierTerms>) -> Self {
        terms.map_or_else(Self::default, |it| Self {
            open_polls: it.features.polls,
            options: it.features.poll_options,
        })
    }
}

impl Default for Most {
    /// Of a room that no tier limits.
    fn default() -> Self {
        Self { open_polls: MOST_OPEN, options: MOST_OPTIONS }
    }
}

/// A vote as it was counted, and who is told.
pub(super) struct Ballot {
    pub(super) voted: Voted,
    pub(super) vote: Vote,
}

/// Polls, tallies, scoreboards and people of one room.
pub(super) struct RoomBoards {
    pub(super) id: CreatorId,
    pub(super) kept: Kept,
    pub(super) polls: BTreeMap<String, Poll>,
    pub(super) tallies: BTreeMap<String, Tally>,
    pub(super) scoreboards: BTreeMap<String, Scoreboard>,
    pub(super) people: Identities,
    /// Boards that have to be told; each is marked as news itself.
    pub(super) news: Vec<Board>,
    /// It is among the rooms that have something to tell.
    pub(super) is_waiting: bool,
    /// Boards that are there no longer, as they are to be told.
    pub(super) gone: Vec<EventBody>,
    /// Names of texts begin so that nobody needs any more.
    pub(super) leftovers: Vec<Leftover>,
    /// The earliest moment at which time alone changes something.
    due: Option<Timestamp>,
}

impl RoomBoards {
    pub(super) fn new(id: CreatorId, kept: Kept) -> Self {
        Self {
            id,
            kept,
            polls: BTreeMap::new(),
            tallies: BTreeMap::new(),
            scoreboards: BTreeMap::new(),
            people: Identities::default(),
            news: Vec::new(),
            is_waiting: false,
            gone: Vec::new(),
            leftovers: Vec::new(),
            due: None,
        }
    }

    fn poll(&mut self, id: &str) -> Result<&mut Poll, BoardError> {
        self.polls.get_mut(id).ok_or(BoardError::Unknown("poll in this room"))
    }

    fn tally(&mut self, id: &str) -> Result<&mut Tally, BoardError> {
        self.tallies.get_mut(id).ok_or(BoardError::Unknown("tally in this room"))
    }

    fn scoreboard(&mut self, id: &str) -> Result<&mut Scoreboard, BoardError> {
        self.scoreboards.get_mut(id).ok_or(BoardError::Unknown("scoreboard in this room"))
    }

    pub(super) fn tell_poll(&mut self, id: &str) {
        if let Some(it) = self.polls.get_mut(id)
            && !std::mem::replace(&mut it.is_news, true)
        {
            self.news.push(Board::Poll(id.to_owned()));
        }
    }

    pub(super) fn tell_tally(&mut self, id: &str) {
        if let Some(it) = self.tallies.get_mut(id)
            && !std::mem::replace(&mut it.is_news, true)
        {
            self.news.push(Board::Tally(id.to_owned()));
        }
    }

    pub(super) fn tell_scoreboard(&mut self, id: &str) {
        if let Some(it) = self.scoreboards.get_mut(id)
            && !std::mem::replace(&mut it.is_news, true)
        {
            self.news.push(Board::Scoreboard(id.to_owned()));
        }
    }

    /// A board as it is told now; it is no news any more.
    pub(super) fn take_news(&mut self, board: &Board) -> Option<EventBody> {
        match board {
            Board::Poll(id) => {
                let it = self.polls.get_mut(id)?;
                it.is_news = false;
                // A draft is nobody's business, unless it was shown before.
                (it.state != PollState::Draft).then(|| EventBody::PollUpdate(it.snapshot(&self.id)))
            }
            Board::Tally(id) => {
                let it = self.tallies.get_mut(id)?;
                it.is_news = false;
                Some(EventBody::TallyUpdate(it.snapshot(&self.id)))
            }
            Board::Scoreboard(id) => {
                let it = self.scoreboards.get_mut(id)?;
                it.is_news = false;
                Some(EventBody::ScoreUpdate(it.snapshot(&self.id)))
            }
        }
    }

    // Polls.

    pub(super) fn add_poll(
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

    pub(super) fn close_poll(
        &mut self,
        id: Option<&str>,
        now: Timestamp,
    ) -> Result<PollView, BoardError> {
        self.advance(now);
        let id = self.find_open(id)?;
        self.close(&id, now)
    }

    fn close(&mut self, id: &str, now: Timestamp) -> Result<PollView, BoardError> {
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

    pub(super) fn change_poll(
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

    pub(super) fn remove_poll(&mut self, id: &str, now: Timestamp) -> Result<(), BoardError> {
        let mut poll = self.polls.remove(id).ok_or(BoardError::Unknown("poll in this room"))?;
        self.kept.remove_poll(id);
        self.leftovers.push(self.kept.votes_of(id));
        if poll.state != PollState::Draft {
            poll.state = PollState::Archived;
            self.gone.push(EventBody::PollUpdate(poll.snapshot(&self.id)));
        }
        self.note_due(now);
        Ok(())
    }

    pub(super) fn vote(
        &mut self,
        id: Option<&str>,
        voter: &QualifiedId,
        choice: &str,
        now: Timestamp,
    ) -> Result<Ballot, BoardError> {
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
    pub(super) fn cast(
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
    pub(super) fn remove_vote(
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

    // Tallies.

    pub(super) fn add_tally(
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

    pub(super) fn change_tally(
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

    fn keep_tally(&mut self, id: &str) {
        if let Some(it) = self.tallies.get(id) {
            self.kept.put_tally(it);
        }
        self.tell_tally(id);
    }

    pub(super) fn reset_tally(
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
    fn next_round(&mut self, id: &str) {
        if let Some(it) = self.tallies.get_mut(id) {
            let over = self.kept.counted_of(id, it.round);
            it.round += 1;
            if !std::mem::take(&mut it.counted).is_empty() {
                self.leftovers.push(over);
            }
        }
    }

    pub(super) fn remove_tally(&mut self, id: &str, now: Timestamp) -> Result<(), BoardError> {
        let tally = self.tallies.remove(id).ok_or(BoardError::Unknown("tally in this room"))?;
        self.kept.remove_tally(id);
        self.leftovers.push(self.kept.counted_of(id, tally.round));
        let told = TallySnapshot { removed: true, ..tally.snapshot(&self.id) };
        self.gone.push(EventBody::TallyUpdate(told));
        self.note_due(now);
        Ok(())
    }

    /// Counts; a voter who counted already, where each does once, changes nothing. Answers by how much it moved.
    pub(super) fn count(
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

    // Scoreboards.

    pub(super) fn add_scoreboard(
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

    pub(super) fn change_scoreboard(
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

    fn keep_scoreboard(&mut self, id: &str) {
        if let Some(it) = self.scoreboards.get(id) {
            self.kept.put_scoreboard(it);
        }
        self.tell_scoreboard(id);
    }

    pub(super) fn remove_scoreboard(&mut self, id: &str, now: Timestamp) -> Result<(), BoardError> {
        let unknown = BoardError::Unknown("scoreboard in this room");
        let scoreboard = self.scoreboards.remove(id).ok_or(unknown)?;
        self.kept.remove_scoreboard(id);
        let mut told = scoreboard.snapshot(&self.id);
        told.removed = true;
        self.gone.push(EventBody::ScoreUpdate(told));
        self.note_due(now);
        Ok(())
    }

    pub(super) fn score(
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
    pub(super) fn set_score(
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

    pub(super) fn import_scores(
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

    pub(super) fn finalize(&mut self, id: &str, now: Timestamp) -> Result<(), BoardError> {
        self.advance(now);
        self.scoreboard(id)?.finalize(now)?;
        self.keep_scoreboard(id);
        self.note_due(now);
        Ok(())
    }

    // People.

    pub(super) fn add_identity(
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
    pub(super) fn link(&mut self, link: &Link) {
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
    pub(super) fn unlink(&mut self, id: &str) -> Result<(), BoardError> {
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

    fn list_open(&self) -> impl Iterator<Item = &str> {
        let open = self.polls.values().filter(|it| it.state == PollState::Open);
        open.map(|it| it.poll_id.as_str())
    }

    /// Votes that a message is, by poll and place of the option.
    pub(super) fn find_votes(
        &self,
        text: &str,
        voter: &QualifiedId,
        now: Timestamp,
    ) -> Vec<(String, u16)> {
        let open = self.polls.values().filter(|it| it.state == PollState::Open && !it.is_due(now));
        let heard = open.filter(|it| it.hears(voter.platform()));
        let found = heard.filter_map(|it| {
            let option = it.find_option(it.find_choice(text)?)?;
            Some((it.poll_id.clone(), option))
        });
        found.collect()
    }

    /// Whether viewers vote now.
    pub(super) fn has_open(&self) -> bool {
        self.list_open().next().is_some()
    }

    /// Counts the votes that a message was which came at `then`.
    pub(super) fn hear_again(&mut self, voter: &QualifiedId, text: &str, then: Timestamp) {
        for (poll, option) in self.find_votes(text, voter, then) {
            if self.polls[&poll].opened_at.is_some_and(|it| it <= then) {
                // Full is full: nobody waits for an answer.
                let _ = self.cast(&poll, voter, option, then);
            }
        }
    }

    /// How far a feed moves a tally; whole units of money, the rest is remembered.
    pub(super) fn take(&mut self, id: &str, moved: Moved) -> i64 {
        let Some(tally) = self.tallies.get_mut(id) else { return 0 };
        let by = tally.take(moved);
        if by == 0 && matches!(moved, Moved::ByMinor(_)) {
            self.kept.put_tally(tally);
        }
        by
    }

    /// A scoreboard as viewers see it.
    pub(super) fn snapshot_of(&self, scoreboard: &str) -> Result<ScoreboardSnapshot, BoardError> {
        let unknown = BoardError::Unknown("scoreboard in this room");
        Ok(self.scoreboards.get(scoreboard).ok_or(unknown)?.snapshot(&self.id))
    }

    /// What viewers know of, in no order.
    pub(super) fn list_told(&self) -> Vec<EventBody> {
        let polls = self.polls.values().filter(|it| it.state != PollState::Draft);
        let polls = polls.map(|it| EventBody::PollUpdate(it.snapshot(&self.id)));
        let tallies = self.tallies.values().map(|it| EventBody::TallyUpdate(it.snapshot(&self.id)));
        let scoreboards = self.scoreboards.values();
        let scoreboards = scoreboards.map(|it| EventBody::ScoreUpdate(it.snapshot(&self.id)));
        polls.chain(tallies).chain(scoreboards).collect()
    }

    /// Of each kind the newest, the one that changed last being last; polls that are put away among them, so that they
    /// are not taken for open ones.
    pub(super) fn list_newest(&self, most: usize) -> Vec<EventBody> {
        fn newest<T>(mut all: Vec<T>, most: usize, at: impl Fn(&T) -> Timestamp) -> Vec<T> {
            all.sort_by_key(|it| at(it));
            all.split_off(all.len().saturating_sub(most))
        }
        let (shown, other): (Vec<_>, Vec<_>) = self
            .polls
            .values()
            .filter(|it| it.state != PollState::Draft)
            .partition(|it| it.state != PollState::Archived);
        let mut polls = newest(other, most, |it| it.moved_at());
        polls.extend(newest(shown, most, |it| it.moved_at()));
        let tallies = newest(self.tallies.values().collect(), most, |it| it.last_updated_at);
        let boards = newest(self.scoreboards.values().collect(), most, |it| it.last_updated_at);
        let polls = polls.into_iter().map(|it| EventBody::PollUpdate(it.snapshot(&self.id)));
        let tallies = tallies.into_iter().map(|it| EventBody::TallyUpdate(it.snapshot(&self.id)));
        let boards = boards.into_iter().map(|it| EventBody::ScoreUpdate(it.snapshot(&self.id)));
        polls.chain(tallies).chain(boards).collect()
    }

    /// Whether there is the board that was told of.
    pub(super) fn has(&self, told: &EventBody) -> bool {
        match told {
            EventBody::PollUpdate(it) => self.polls.contains_key(&it.poll_id),
            EventBody::TallyUpdate(it) => self.tallies.contains_key(&it.tally_id),
            EventBody::ScoreUpdate(it) => self.scoreboards.contains_key(&it.scoreboard_id),
            _ => false,
        }
    }

    /// Everything is news.
    pub(super) fn tell_all(&mut self) {
        let ids: Vec<_> = self.polls.keys().cloned().collect();
        ids.iter().for_each(|it| self.tell_poll(it));
        let ids: Vec<_> = self.tallies.keys().cloned().collect();
        ids.iter().for_each(|it| self.tell_tally(it));
        let ids: Vec<_> = self.scoreboards.keys().cloned().collect();
        ids.iter().for_each(|it| self.tell_scoreboard(it));
    }

    /// Tallies that move by themselves.
    pub(super) fn list_fed(&self) -> Vec<(String, Feed, Option<String>)> {
        let fed = self
            .tallies
            .values()
            .filter_map(|it| Some((it.tally_id.clone(), it.feed?, it.currency.clone())));
        fed.collect()
    }

    // Time.

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|it| it <= now)
    }

    pub(super) fn note_due(&mut self, now: Timestamp) {
        let polls = self.polls.values().filter(|it| it.state == PollState::Open);
        let polls = polls.filter_map(|it| it.closes_at);
        let tallies = self.tallies.values().filter_map(|it| it.course.due(now));
        let open = self.scoreboards.values().filter(|it| it.finalized_at.is_none());
        let scoreboards = open.filter_map(|it| it.course.due(now));
        self.due = polls.chain(tallies).chain(scoreboards).min();
    }

    /// Brings everything to the time it is: polls whose time is over are closed, periods end, days fall off.
    pub(super) fn advance(&mut self, now: Timestamp) {
        if !self.is_due(now) {
            return;
        }
        let over = self.polls.values().filter(|it| it.is_due(now));
        let over: Vec<_> = over.map(|it| it.poll_id.clone()).collect();
        for id in over {
            // It is there: it was found a moment ago.
            let _ = self.close(&id, now);
        }
        let mut changed = Vec::new();
        for (id, tally) in &mut self.tallies {
            let (past, different) = tally.advance(now);
            if different {
                changed.push((id.clone(), past));
            }
        }
        for (id, past) in changed {
            if let Some(past) = past {
                self.next_round(&id);
                self.kept.end_tally(&self.tallies[&id], &past);
            }
            self.keep_tally(&id);
        }
        let mut changed = Vec::new();
        for (id, scoreboard) in &mut self.scoreboards {
            let (past, different) = scoreboard.advance(now);
            if let Some(past) = &past {
                self.kept.end_scoreboard(scoreboard, past);
            } else if different {
                scoreboard.entries.values().for_each(|it| self.kept.put_entry(id, it));
            }
            if different {
                changed.push(id.clone());
            }
        }
        changed.iter().for_each(|it| self.keep_scoreboard(it));
        self.note_due(now);
    }

    /// Votes of an open poll as they were kept, counted.
    pub(super) fn recall_votes(&mut self) {
        let people = &self.people;
        for poll in self.polls.values_mut().filter(|it| it.state == PollState::Open) {
            poll.votes.recount(|account| {
                let id = QualifiedId::try_from(account.to_owned()).ok()?;
                people.find(&id).map(|it| it.accounts.as_slice())
            });
        }
    }

    /// Room for votes, where a poll was read from where it is kept.
    pub(super) fn ready(poll: &mut Poll) {
        if poll.state == PollState::Open {
            poll.votes = Votes::new(poll.options.len());
        }
    }
}
