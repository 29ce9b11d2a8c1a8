//! The boards of one room, and what is done to them. Whoever changes something here has kept it before it is told.

mod people;
mod polls;
mod scoreboards;
mod tallies;

use std::collections::{BTreeMap, HashMap};

use super::{
    BoardError,
    board::Board,
    goal::{Feed, Moved},
    identity::Identities,
    kept::Kept,
    limits::{MOST_OPEN, MOST_OPTIONS},
    poll::{Poll, PollState, Voted},
    scoreboard::Scoreboard,
    tally::Tally,
    votes::{Vote, Votes},
};
use crate::{
    config::tiers::TierTerms,
    model::{CreatorId, EventBody, QualifiedId, Timestamp, snapshot::ScoreboardSnapshot},
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
    /// Up to which place of the feed votes of each chat are counted.
    heard: HashMap<QualifiedId, u64>,
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
            heard: HashMap::new(),
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
                (it.state != PollState::Draft)
                    .then(|| EventBody::PollUpdate(Box::new(it.snapshot(&self.id))))
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

    /// Notes that what a chat said at a place of the feed is counted. What it said before is so as well: each chat is
    /// heard in the order of the feed.
    pub(super) fn note_heard(&mut self, channel: &QualifiedId, place: u64) {
        self.heard.insert(channel.clone(), place);
        self.kept.put_heard(channel, place);
    }

    /// Takes in what was kept of that.
    pub(super) fn recall_heard(&mut self, channel: QualifiedId, place: u64) {
        self.heard.insert(channel, place);
    }

    /// The feed goes on behind `last`: what was heard at places behind that is lost, and others take them.
    pub(super) fn forget_places_behind(&mut self, last: u64) {
        for (channel, place) in self.heard.iter_mut().filter(|it| *it.1 > last) {
            *place = last;
            self.kept.put_heard(channel, last);
        }
    }

    /// Counts the votes that a message was which came at `then`, unless they are counted.
    pub(super) fn hear_again(
        &mut self,
        channel: &QualifiedId,
        place: u64,
        voter: &QualifiedId,
        text: &str,
        then: Timestamp,
    ) {
        if self.heard.get(channel).is_some_and(|it| *it >= place) {
            return;
        }
        let votes = self.find_votes(text, voter, then);
        if !votes.is_empty() {
            self.note_heard(channel, place);
        }
        for (poll, option) in votes {
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
        let polls = polls.map(|it| EventBody::PollUpdate(Box::new(it.snapshot(&self.id))));
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
        let polls =
            polls.into_iter().map(|it| EventBody::PollUpdate(Box::new(it.snapshot(&self.id))));
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
