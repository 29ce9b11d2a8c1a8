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

/// Of each kind, the one that changed last first.
#[derive(Debug, Clone, Default)]
pub struct Boards {
    polls: VecDeque<PollSnapshot>,
    tallies: VecDeque<TallySnapshot>,
    scoreboards: VecDeque<ScoreboardSnapshot>,
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

impl Boards {
    /// Takes in what an event says of one of them.
    pub fn note(&mut self, body: &EventBody) {
        self.changes += u64::from(matches!(
            body,
            EventBody::PollUpdate(_) | EventBody::TallyUpdate(_) | EventBody::ScoreUpdate(_)
        ));
        match body {
            EventBody::PollUpdate(it) => {
                put(&mut self.polls, it, |it| &it.poll_id);
                // One that is put away, or not yet asked, is nobody's business.
                self.polls.retain(PollSnapshot::is_shown);
            }
            EventBody::TallyUpdate(it) => put(&mut self.tallies, it, |it| &it.tally_id),
            EventBody::ScoreUpdate(it) => put(&mut self.scoreboards, it, |it| &it.scoreboard_id),
            _ => {}
        }
    }

    /// Takes in what was remembered, where nothing newer is known.
    pub fn recall(&mut self, before: &[EventBody]) {
        let newer = std::mem::take(self);
        self.changes = newer.changes + 1;
        before.iter().for_each(|it| self.note(it));
        newer.polls.into_iter().rev().for_each(|it| self.note(&EventBody::PollUpdate(it)));
        newer.tallies.into_iter().rev().for_each(|it| self.note(&EventBody::TallyUpdate(it)));
        newer.scoreboards.into_iter().rev().for_each(|it| self.note(&EventBody::ScoreUpdate(it)));
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

fn put<T: Clone>(all: &mut VecDeque<T>, news: &T, id: impl Fn(&T) -> &str) {
    all.retain(|it| id(it) != id(news));
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

    fn told(boards: &Boards) -> Vec<(String, u64)> {
        let json: Value = serde_json::to_value(boards.wanted(&Filter::default())).unwrap();
        let each = |it: &Value| {
            let votes = it["options"][0]["votes"].as_u64().unwrap();
            (it["poll_id"].as_str().unwrap().to_owned(), votes)
        };
        json["polls"].as_array().unwrap().iter().map(each).collect()
    }

    #[test]
    fn the_one_that_changed_last_is_first_and_each_is_there_once_as_it_is_now() {
        let mut boards = Boards::default();
        for body in [poll("a", 1, "open"), poll("b", 2, "open"), poll("a", 3, "open")] {
            boards.note(&body);
        }
        assert_eq!(told(&boards), [("a".to_owned(), 3), ("b".to_owned(), 2)]);
        boards.note(&poll("a", 3, "archived"));
        assert_eq!(told(&boards), [("b".to_owned(), 2)]);
    }

    #[test]
    fn there_are_never_more_than_the_most() {
        let mut boards = Boards::default();
        (0..100).for_each(|it| boards.note(&poll(&format!("p{it}"), it, "open")));
        let told = told(&boards);
        assert_eq!(told.len(), BOARDS_MOST);
        assert_eq!(told[0], ("p99".to_owned(), 99));
    }

    #[test]
    fn what_is_remembered_does_not_undo_what_is_news() {
        let mut boards = Boards::default();
        boards.note(&poll("a", 9, "open"));
        boards.recall(&[poll("a", 1, "open"), poll("b", 2, "open")]);
        assert_eq!(told(&boards), [("a".to_owned(), 9), ("b".to_owned(), 2)]);
    }

    #[test]
    fn a_reader_is_told_of_what_it_wants() {
        let boards = Boards::default();
        let chat = Filter::parse(Some("chat"), None).unwrap();
        assert_eq!(serde_json::to_value(boards.wanted(&chat)).unwrap(), json!({}));
    }
}
