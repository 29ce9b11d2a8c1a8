//! The newest state of a room's polls, tallies and scoreboards: what a widget that comes later is told at once.

use std::collections::VecDeque;

use serde::Serialize;

use crate::{
    feed::Filter,
    model::{
        EventBody,
        snapshot::{BOARDS_MOST, PollSnapshot, ScoreboardSnapshot, TallySnapshot},
    },
};

/// Most of those that are shown no longer of which that is remembered (count).
const GONE_MOST: usize = 64;

/// Of each kind, the one that changed last first.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    polls: VecDeque<PollSnapshot>,
    tallies: VecDeque<TallySnapshot>,
    scoreboards: VecDeque<ScoreboardSnapshot>,
    /// Ids of those that are shown no longer, the newest last: what is remembered of them is old.
    gone: VecDeque<String>,
    /// How often any of them changed.
    changes: u64,
}

/// The boards of a room at one moment, of each kind the one that changed last first.
#[derive(Debug, Clone, Default)]
pub struct Snapshots {
    /// Polls that viewers see.
    pub polls: Vec<PollSnapshot>,
    /// Tallies, goals included.
    pub tallies: Vec<TallySnapshot>,
    /// Rankings.
    pub scoreboards: Vec<ScoreboardSnapshot>,
}

/// As much of them as a reader wants.
#[derive(Debug, Serialize)]
pub struct Wanted<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    polls: Option<&'a VecDeque<PollSnapshot>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tallies: Option<&'a VecDeque<TallySnapshot>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scoreboards: Option<&'a VecDeque<ScoreboardSnapshot>>,
}

impl Shown {
    /// Takes in what an event says of one of them.
    pub fn note(&mut self, body: &EventBody) {
        self.changes += u64::from(matches!(
            body,
            EventBody::PollUpdate(_) | EventBody::TallyUpdate(_) | EventBody::ScoreUpdate(_)
        ));
        // One that is put away, not yet asked or deleted is nobody's business.
        let (id, shown) = match body {
            EventBody::PollUpdate(it) => {
                put(&mut self.polls, &**it, it.is_shown(), |it| &it.poll_id);
                (&it.poll_id, it.is_shown())
            }
            EventBody::TallyUpdate(it) => {
                put(&mut self.tallies, it, !it.removed, |it| &it.tally_id);
                (&it.tally_id, !it.removed)
            }
            EventBody::ScoreUpdate(it) => {
                put(&mut self.scoreboards, it, !it.removed, |it| &it.scoreboard_id);
                (&it.scoreboard_id, !it.removed)
            }
            _ => return,
        };
        self.gone.retain(|it| it != id);
        if !shown {
            self.gone.push_back(id.clone());
            if self.gone.len() > GONE_MOST {
                self.gone.pop_front();
            }
        }
    }

    /// Takes in what was remembered, where nothing newer is known.
    pub fn recall(&mut self, before: &[EventBody]) {
        let newer = std::mem::take(self);
        self.changes = newer.changes + 1;
        before.iter().filter(|it| !newer.knows_as_gone(it)).for_each(|it| self.note(it));
        newer
            .polls
            .into_iter()
            .rev()
            .for_each(|it| self.note(&EventBody::PollUpdate(Box::new(it))));
        newer.tallies.into_iter().rev().for_each(|it| self.note(&EventBody::TallyUpdate(it)));
        newer.scoreboards.into_iter().rev().for_each(|it| self.note(&EventBody::ScoreUpdate(it)));
        self.gone = newer.gone;
    }

    fn knows_as_gone(&self, body: &EventBody) -> bool {
        let id = match body {
            EventBody::PollUpdate(it) => &it.poll_id,
            EventBody::TallyUpdate(it) => &it.tally_id,
            EventBody::ScoreUpdate(it) => &it.scoreboard_id,
            _ => return false,
        };
        self.gone.contains(id)
    }

    /// All of them.
    #[must_use]
    pub fn snapshots(&self) -> Snapshots {
        Snapshots {
            polls: self.polls.iter().cloned().collect(),
            tallies: self.tallies.iter().cloned().collect(),
            scoreboards: self.scoreboards.iter().cloned().collect(),
        }
    }

    /// Another number whenever any of them changed.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// Those whose events pass a filter.
    #[must_use]
    pub fn wanted(&self, filter: &Filter) -> Wanted<'_> {
        let wants = |kind| filter.wants(kind, None);
        Wanted {
            polls: wants("poll.update").then_some(&self.polls),
            tallies: wants("tally.update").then_some(&self.tallies),
            scoreboards: wants("score.update").then_some(&self.scoreboards),
        }
    }
}

fn put<T: Clone>(all: &mut VecDeque<T>, news: &T, shown: bool, id: impl Fn(&T) -> &str) {
    all.retain(|it| id(it) != id(news));
    if !shown {
        return;
    }
    all.push_front(news.clone());
    all.truncate(BOARDS_MOST);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn poll(id: &str, votes: u64, state: &str) -> EventBody {
        let data = json!({
            "poll_id": id, "creator": "ana", "question": "?", "state": state,
            "options": [{ "option_id": "1", "label": "a", "votes": votes }],
            "opened_at": null, "closed_at": null,
        });
        serde_json::from_value(json!({ "type": "poll.update", "data": data })).unwrap()
    }

    fn told(boards: &Shown) -> Vec<(String, u64)> {
        let json: Value = serde_json::to_value(boards.wanted(&Filter::default())).unwrap();
        let each = |it: &Value| {
            let votes = it["options"][0]["votes"].as_u64().unwrap();
            (it["poll_id"].as_str().unwrap().to_owned(), votes)
        };
        json["polls"].as_array().unwrap().iter().map(each).collect()
    }

    #[test]
    fn the_one_that_changed_last_is_first_and_each_is_there_once_as_it_is_now() {
        let mut boards = Shown::default();
        for body in [poll("a", 1, "open"), poll("b", 2, "open"), poll("a", 3, "open")] {
            boards.note(&body);
        }
        assert_eq!(told(&boards), [("a".to_owned(), 3), ("b".to_owned(), 2)]);
        boards.note(&poll("a", 3, "archived"));
        assert_eq!(told(&boards), [("b".to_owned(), 2)]);
    }

    #[test]
    fn there_are_never_more_than_the_most() {
        let mut boards = Shown::default();
        (0..100).for_each(|it| boards.note(&poll(&format!("p{it}"), it, "open")));
        let told = told(&boards);
        assert_eq!(told.len(), BOARDS_MOST);
        assert_eq!(told[0], ("p99".to_owned(), 99));
    }

    #[test]
    fn what_is_remembered_does_not_undo_what_is_news() {
        let mut boards = Shown::default();
        boards.note(&poll("a", 9, "open"));
        boards.recall(&[poll("a", 1, "open"), poll("b", 2, "open")]);
        assert_eq!(told(&boards), [("a".to_owned(), 9), ("b".to_owned(), 2)]);
    }

    #[test]
    fn what_is_known_to_be_gone_does_not_come_back_from_what_is_remembered() {
        let mut boards = Shown::default();
        boards.note(&poll("a", 1, "archived"));
        boards.recall(&[poll("a", 1, "open"), poll("b", 2, "open")]);
        assert_eq!(told(&boards), [("b".to_owned(), 2)]);
        boards.note(&poll("a", 1, "closed"));
        assert_eq!(told(&boards), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
    }

    #[test]
    fn a_reader_is_told_of_what_it_wants() {
        let boards = Shown::default();
        let chat = Filter::parse(Some("chat"), None).unwrap();
        assert_eq!(serde_json::to_value(boards.wanted(&chat)).unwrap(), json!({}));
    }
}
