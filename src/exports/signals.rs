//! `signals/poll_votes.json`, `signals/tally_events.json` and `signals/score_events.json`: who voted lately, and what
//! moved.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::model::{CreatorId, QualifiedId, Timestamp};

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
    votes: Vec<PollVote>,
}

/// Somebody voted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PollVote {
    /// Unique.
    vote_id: String,
    /// In which poll.
    poll_id: String,
    /// For what.
    option_id: String,
    /// Whose poll.
    creator: CreatorId,
    /// Platform-qualified id of the viewer.
    voter_id: QualifiedId,
    /// When.
    voted_at: Timestamp,
}

/// What was counted lately.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TallyEvents {
    /// The newest 200, newest last; those since the start of the server.
    #[schemars(length(max = 200))]
    events: Vec<TallyEvent>,
}

/// A tally moved.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TallyEvent {
    /// Unique.
    event_id: String,
    /// Which tally.
    tally_id: String,
    /// Whose tally.
    creator: CreatorId,
    /// By how much.
    delta: i64,
    /// When.
    updated_at: Timestamp,
}

/// Who scored lately.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ScoreEvents {
    /// The newest 200, newest last; those since the start of the server.
    #[schemars(length(max = 200))]
    events: Vec<ScoreEvent>,
}

/// Somebody scored.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ScoreEvent {
    /// Unique.
    event_id: String,
    /// Which scoreboard.
    scoreboard_id: String,
    /// Whose scoreboard.
    creator: CreatorId,
    /// Who, as shown.
    label: String,
    /// By how much.
    score_delta: i64,
    /// When.
    scored_at: Timestamp,
}

fn revision(_: &Sources) -> u64 {
    0
}

fn render_votes(_: &Sources, now: Timestamp) -> Vec<u8> {
    let votes: Vec<PollVote> = Vec::new();
    let meta = Meta::new(POLL_VOTES.path, POLL_VOTES.visibility, now);
    let meta = meta.captured_at(votes.last().map(|it| it.voted_at));
    to_bytes(&WithMeta { meta, fields: PollVotes { votes } })
}

fn render_tallies(_: &Sources, now: Timestamp) -> Vec<u8> {
    let events: Vec<TallyEvent> = Vec::new();
    let meta = Meta::new(TALLY_EVENTS.path, TALLY_EVENTS.visibility, now);
    let meta = meta.captured_at(events.last().map(|it| it.updated_at));
    to_bytes(&WithMeta { meta, fields: TallyEvents { events } })
}

fn render_scores(_: &Sources, now: Timestamp) -> Vec<u8> {
    let events: Vec<ScoreEvent> = Vec::new();
    let meta = Meta::new(SCORE_EVENTS.path, SCORE_EVENTS.visibility, now);
    let meta = meta.captured_at(events.last().map(|it| it.scored_at));
    to_bytes(&WithMeta { meta, fields: ScoreEvents { events } })
}
