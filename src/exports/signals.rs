//! `signals/poll_votes.json`, `signals/tally_events.json` and `signals/score_events.json`: who voted lately, and what
//! moved.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::{
    boards::{Boards, ScoreSignal, TallySignal, VoteSignal},
    model::Timestamp,
};

/// Of each, in the file, at most.
const MOST_SIGNALS: usize = 200;

/// The votes.
pub const POLL_VOTES: Export = Export {
    path: "signals/poll_votes.json",
    visibility: Visibility::DashboardOnly,
    description: "The newest votes of all polls.",
    json_schema: schema_of::<WithMeta<PollVotes>>,
    content: Content::OfRooms { render: render_votes, revision },
};

/// What tallies counted.
pub const TALLY_EVENTS: Export = Export {
    path: "signals/tally_events.json",
    visibility: Visibility::DashboardOnly,
    description: "What was counted lately.",
    json_schema: schema_of::<WithMeta<TallyEvents>>,
    content: Content::OfRooms { render: render_tallies, revision },
};

/// Who scored.
pub const SCORE_EVENTS: Export = Export {
    path: "signals/score_events.json",
    visibility: Visibility::DashboardOnly,
    description: "Who scored lately.",
    json_schema: schema_of::<WithMeta<ScoreEvents>>,
    content: Content::OfRooms { render: render_scores, revision },
};

/// The newest votes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PollVotes {
    /// The newest 200, newest last; those since the start of the server.
    #[schemars(length(max = 200))]
    votes: Vec<VoteSignal>,
}

/// What was counted lately.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TallyEvents {
    /// The newest 200, newest last; those since the start of the server.
    #[schemars(length(max = 200))]
    events: Vec<TallySignal>,
}

/// Who scored lately.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ScoreEvents {
    /// The newest 200, newest last; those since the start of the server.
    #[schemars(length(max = 200))]
    events: Vec<ScoreSignal>,
}

fn revision(sources: &Sources) -> u64 {
    sources.boards.as_ref().map_or(0, Boards::revision)
}

fn render_votes(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let votes = newest(sources, Boards::newest_votes);
    let meta = Meta::new(POLL_VOTES.path, POLL_VOTES.visibility, now);
    let meta = meta.captured_at(votes.last().map(|it| it.voted_at));
    to_bytes(&WithMeta { meta, fields: PollVotes { votes } })
}

fn render_tallies(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let events = newest(sources, Boards::newest_counts);
    let meta = Meta::new(TALLY_EVENTS.path, TALLY_EVENTS.visibility, now);
    let meta = meta.captured_at(events.last().map(|it| it.updated_at));
    to_bytes(&WithMeta { meta, fields: TallyEvents { events } })
}

fn render_scores(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let events = newest(sources, Boards::newest_scores);
    let meta = Meta::new(SCORE_EVENTS.path, SCORE_EVENTS.visibility, now);
    let meta = meta.captured_at(events.last().map(|it| it.scored_at));
    to_bytes(&WithMeta { meta, fields: ScoreEvents { events } })
}

fn newest<T>(sources: &Sources, of: impl Fn(&Boards) -> Vec<T>) -> Vec<T> {
    let mut all = sources.boards.as_ref().map(of).unwrap_or_default();
    all.drain(..all.len().saturating_sub(MOST_SIGNALS));
    all
}
