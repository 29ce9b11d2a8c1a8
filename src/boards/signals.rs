//! The newest votes, counts and scores of all rooms, for exports and dashboards.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use schemars::JsonSchema;
use serde::Serialize;

use super::limits::MOST_SIGNALS;
use crate::model::{CreatorId, QualifiedId, Timestamp};

/// Somebody voted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct VoteSignal {
    /// Unique.
    pub vote_id: String,
    /// In which poll.
    pub poll_id: String,
    /// For what.
    pub option_id: String,
    /// Whose poll.
    pub creator: CreatorId,
    /// The account that voted.
    pub voter_id: QualifiedId,
    /// When.
    pub voted_at: Timestamp,
}

/// A tally moved.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TallySignal {
    /// Unique.
    pub event_id: String,
    /// Which tally.
    pub tally_id: String,
    /// Whose tally.
    pub creator: CreatorId,
    /// By how much.
    pub delta: i64,
    /// When.
    pub updated_at: Timestamp,
}

/// Somebody scored.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ScoreSignal {
    /// Unique.
    pub event_id: String,
    /// On which scoreboard.
    pub scoreboard_id: String,
    /// Whose scoreboard.
    pub creator: CreatorId,
    /// Who scored.
    pub label: String,
    /// By how much.
    pub score_delta: i64,
    /// When.
    pub scored_at: Timestamp,
}

/// Of each, the newest; the oldest first.
#[derive(Default)]
pub(super) struct Signals {
    votes: Ring<VoteSignal>,
    tallies: Ring<TallySignal>,
    scores: Ring<ScoreSignal>,
}

struct Ring<T>(Mutex<VecDeque<T>>);

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Self(Mutex::new(VecDeque::with_capacity(MOST_SIGNALS)))
    }
}

impl<T: Clone> Ring<T> {
    fn push(&self, it: T) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() == MOST_SIGNALS {
            ring.pop_front();
        }
        ring.push_back(it);
    }

    fn to_vec(&self) -> Vec<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Signals {
    pub(super) fn voted(&self, it: VoteSignal) {
        self.votes.push(it);
    }

    pub(super) fn counted(&self, it: TallySignal) {
        self.tallies.push(it);
    }

    pub(super) fn scored(&self, it: ScoreSignal) {
        self.scores.push(it);
    }

    pub(super) fn votes(&self) -> Vec<VoteSignal> {
        self.votes.to_vec()
    }

    pub(super) fn tallies(&self) -> Vec<TallySignal> {
        self.tallies.to_vec()
    }

    pub(super) fn scores(&self) -> Vec<ScoreSignal> {
        self.scores.to_vec()
    }
}
