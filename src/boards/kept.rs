//! How boards are kept: one text each, and beside it what there is much of, one text apiece, so that a vote among a hundred
//! thousand is written alone.
//!
//! Written behind: what is older than a moment (see [`State`]) is on the disk.

use serde::{Serialize, de::DeserializeOwned};

use super::{
    identity::Identity,
    limits::MOST_PERIODS,
    poll::Poll,
    scoreboard::{Entry, PastScoreboard, Scoreboard},
    tally::{PastTally, Tally},
    votes::Vote,
};
use crate::{
    model::{CreatorId, QualifiedId, Timestamp},
    storage::{Kind, State},
};

/// Where boards of one room are kept.
#[derive(Clone)]
pub(super) struct Kept {
    state: State,
    /// The room's name in names of texts: its case is none of their business.
    room: String,
}

fn written<T: Serialize>(it: &T) -> Option<String> {
    Some(serde_json::to_string(it).expect("plain values always serialise"))
}

/// What a text says; one that cannot be read is left alone, and logged.
fn read<T: DeserializeOwned>(name: &str, text: &str) -> Option<T> {
    serde_json::from_str(text)
        .inspect_err(|error| tracing::error!(name, %error, "a board that was kept cannot be read"))
        .ok()
}

impl Kept {
    pub(super) fn new(state: State, room: &CreatorId) -> Self {
        Self { state, room: room.as_str().to_ascii_lowercase() }
    }

    pub(super) fn put_poll(&self, poll: &Poll) {
        let name = format!("{}/{}", self.room, poll.poll_id);
        self.state.set(Kind::Polls, &name, written(poll));
    }

    pub(super) fn remove_poll(&self, id: &str) {
        self.state.set(Kind::Polls, &format!("{}/{id}", self.room), None);
    }

    pub(super) fn put_vote(&self, poll: &str, account: &str, vote: Vote) {
        let name = format!("{}{account}", self.votes_of(poll));
        self.state.set(Kind::Votes, &name, Some(vote.text()));
    }

    pub(super) fn remove_vote(&self, poll: &str, account: &str) {
        self.state.set(Kind::Votes, &format!("{}{account}", self.votes_of(poll)), None);
    }

    /// What names of votes in a poll begin with.
    pub(super) fn votes_of(&self, poll: &str) -> String {
        format!("{}/p/{poll}/", self.room)
    }

    /// Keeps up to which place of the feed votes of a chat are counted.
    pub(super) fn put_heard(&self, channel: &QualifiedId, place: u64) {
        let (platform, own_id) = channel.as_str().split_once(':').unwrap_or_default();
        let name = format!("{}/h/{platform}/{own_id}", self.room);
        self.state.set(Kind::Votes, &name, Some(place.to_string()));
    }

    /// What names of those begin with who counted in a round of a tally.
    pub(super) fn counted_of(&self, tally: &str, round: u64) -> String {
        format!("{}/t/{tally}/{round}/", self.room)
    }

    pub(super) fn put_counted(&self, tally: &Tally, account: &str) {
        let name = format!("{}{account}", self.counted_of(&tally.tally_id, tally.round));
        self.state.set(Kind::Votes, &name, Some(String::new()));
    }

    pub(super) fn put_tally(&self, tally: &Tally) {
        let name = format!("{}/{}", self.room, tally.tally_id);
        self.state.set(Kind::Tallies, &name, written(tally));
    }

    /// Keeps a tally whose period is over, and that period.
    pub(super) fn end_tally(&self, tally: &Tally, past: &PastTally) {
        let id = &tally.tally_id;
        let period = self.period_name(id, &past.period_id, past.started);
        let mut changes = vec![(Kind::Tallies, format!("{}/{id}", self.room), written(tally))];
        // One in which nothing happened is not worth a line.
        if past.count != 0 || past.items.iter().any(|it| it.count != 0) {
            changes.push((Kind::Tallies, period, written(past)));
        }
        self.state.set_together(changes);
        self.limit_periods(Kind::Tallies, id);
    }

    pub(super) fn past_tallies(&self, tally: &str) -> Vec<PastTally> {
        self.periods(Kind::Tallies, tally)
    }

    pub(super) fn remove_tally(&self, id: &str) {
        self.state.set(Kind::Tallies, &format!("{}/{id}", self.room), None);
        self.remove_beginning(Kind::Tallies, &format!("{}/{id}/", self.room));
    }

    pub(super) fn put_scoreboard(&self, scoreboard: &Scoreboard) {
        let name = format!("{}/{}", self.room, scoreboard.scoreboard_id);
        self.state.set(Kind::Scoreboards, &name, written(scoreboard));
    }

    fn entry_name(&self, scoreboard: &str, key: &str) -> String {
        format!("{}/{scoreboard}/e/{key}", self.room)
    }

    pub(super) fn put_entry(&self, scoreboard: &str, entry: &Entry) {
        let name = self.entry_name(scoreboard, &entry.key());
        self.state.set(Kind::Scoreboards, &name, written(entry));
    }

    pub(super) fn remove_entry(&self, scoreboard: &str, key: &str) {
        self.state.set(Kind::Scoreboards, &self.entry_name(scoreboard, key), None);
    }

    /// Keeps a scoreboard whose period is over, and that period in place of its entries.
    pub(super) fn end_scoreboard(&self, scoreboard: &Scoreboard, past: &PastScoreboard) {
        let id = &scoreboard.scoreboard_id;
        let period = self.period_name(id, &past.period_id, past.started);
        let mut changes =
            vec![(Kind::Scoreboards, format!("{}/{id}", self.room), written(scoreboard))];
        if !past.entries.is_empty() {
            changes.push((Kind::Scoreboards, period, written(past)));
        }
        let entries = self.state.list_beginning(Kind::Scoreboards, &self.entry_name(id, ""));
        changes.extend(entries.into_iter().map(|it| (Kind::Scoreboards, it.0, None)));
        self.state.set_together(changes);
        self.limit_periods(Kind::Scoreboards, id);
    }

    pub(super) fn past_scoreboards(&self, scoreboard: &str) -> Vec<PastScoreboard> {
        self.periods(Kind::Scoreboards, scoreboard)
    }

    pub(super) fn remove_scoreboard(&self, id: &str) {
        self.state.set(Kind::Scoreboards, &format!("{}/{id}", self.room), None);
        self.remove_beginning(Kind::Scoreboards, &format!("{}/{id}/", self.room));
    }

    pub(super) fn put_identity(&self, identity: &Identity) {
        let name = format!("{}/{}", self.room, identity.identity_id);
        self.state.set(Kind::Identities, &name, written(identity));
    }

    pub(super) fn remove_identity(&self, id: &str) {
        self.state.set(Kind::Identities, &format!("{}/{id}", self.room), None);
    }

    /// The order of these names is that of time, from 1970 on.
    fn period_name(&self, board: &str, id: &str, started: Timestamp) -> String {
        format!("{}/{board}/p/{:015} {id}", self.room, started.unix_ms().max(0))
    }

    /// The oldest periods go where there are too many.
    fn limit_periods(&self, kind: Kind, board: &str) {
        let all = self.state.list_beginning(kind, &format!("{}/{board}/p/", self.room));
        for (name, _) in all.iter().take(all.len().saturating_sub(MOST_PERIODS)) {
            self.state.set(kind, name, None);
        }
    }

    /// The newest first.
    fn periods<T: DeserializeOwned>(&self, kind: Kind, board: &str) -> Vec<T> {
        let all = self.state.list_beginning(kind, &format!("{}/{board}/p/", self.room));
        all.iter().rev().filter_map(|(name, text)| read(name, text)).collect()
    }

    /// Removes everything of the room.
    pub(super) fn remove_all(&self) {
        for kind in [Kind::Polls, Kind::Votes, Kind::Tallies, Kind::Scoreboards, Kind::Identities] {
            self.remove_beginning(kind, &format!("{}/", self.room));
        }
    }

    fn remove_beginning(&self, kind: Kind, start: &str) {
        while self.state.remove_beginning(kind, start, usize::MAX) > 0 {}
    }
}

/// Everything that was kept, as it lay there: room (lower case), and what.
#[derive(Default)]
pub(super) struct Everything {
    pub(super) polls: Vec<(String, Poll)>,
    pub(super) tallies: Vec<(String, Tally)>,
    pub(super) scoreboards: Vec<(String, Scoreboard)>,
    pub(super) identities: Vec<(String, Identity)>,
    /// Room, poll, account.
    pub(super) votes: Vec<(String, String, String, Vote)>,
    /// Room, chat, and up to which place of the feed its votes are counted.
    pub(super) heard: Vec<(String, QualifiedId, u64)>,
    /// Room, tally, round, account.
    pub(super) counted: Vec<(String, String, u64, String)>,
    /// Room, scoreboard.
    pub(super) entries: Vec<(String, String, Entry)>,
}

impl Everything {
    pub(super) fn read(state: &State) -> Self {
        let mut all = Self::default();
        let room_of = |name: &str| name.split('/').next().unwrap_or_default().to_owned();
        for (name, text) in state.list(Kind::Polls) {
            all.polls.extend(read(&name, &text).map(|it| (room_of(&name), it)));
        }
        for (name, text) in state.list(Kind::Identities) {
            all.identities.extend(read(&name, &text).map(|it| (room_of(&name), it)));
        }
        for (name, text) in state.list(Kind::Tallies) {
            if name.split('/').count() == 2 {
                all.tallies.extend(read(&name, &text).map(|it| (room_of(&name), it)));
            }
        }
        for (name, text) in state.list(Kind::Scoreboards) {
            // What stands behind `e` is anything at all.
            let parts: Vec<_> = name.splitn(4, '/').collect();
            match parts.as_slice() {
                [room, _] => {
                    all.scoreboards.extend(read(&name, &text).map(|it| ((*room).to_owned(), it)));
                }
                [room, board, "e", _] => {
                    let entry = read(&name, &text);
                    all.entries
                        .extend(entry.map(|it| ((*room).to_owned(), (*board).to_owned(), it)));
                }
                _ => {}
            }
        }
        for (name, text) in state.list(Kind::Votes) {
            let parts: Vec<_> = name.splitn(4, '/').collect();
            let [room, what, board, rest] = parts.as_slice() else { continue };
            let (room, board) = ((*room).to_owned(), (*board).to_owned());
            match *what {
                "p" => all
                    .votes
                    .extend(Vote::parse(&text).map(|it| (room, board, (*rest).to_owned(), it))),
                "h" => {
                    let channel = QualifiedId::try_from(format!("{board}:{rest}")).ok();
                    all.heard.extend(channel.zip(text.parse().ok()).map(|it| (room, it.0, it.1)));
                }
                "t" => {
                    let Some((round, account)) = rest.split_once('/') else { continue };
                    let round = round.parse().unwrap_or_default();
                    all.counted.push((room, board, round, account.to_owned()));
                }
                _ => {}
            }
        }
        all
    }
}
