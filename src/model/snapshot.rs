//! The public state of polls, tallies, scoreboards and clips, as events and exports show it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CreatorId, Platform, Timestamp};

/// Of polls, of tallies and of scoreboards, the most that a reader who comes later is told (count): those that changed last.
pub const BOARDS_MOST: usize = 12;

/// A poll and its votes so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PollSnapshot {
    /// Unique.
    pub poll_id: String,
    /// Whose poll.
    pub creator: CreatorId,
    /// What is asked.
    pub question: String,
    /// In the order shown.
    pub options: Vec<PollOption>,
    /// `draft open closed archived`.
    pub state: String,
    /// When voting began.
    pub opened_at: Option<Timestamp>,
    /// When voting will end by itself, if it will.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Timestamp>,
    /// When voting ended.
    pub closed_at: Option<Timestamp>,
    /// More about it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The word in chat that a vote begins with: `!vote` for `!vote 2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vote_trigger: Option<String>,
    /// Whether a message that is only a number is a vote.
    #[serde(default, skip_serializing_if = "is_false")]
    pub bare_numbers: bool,
    /// Where votes count; on every platform if it names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
}

impl PollSnapshot {
    /// Whether viewers see it: it is asked, or its outcome is known.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        matches!(self.state.as_str(), "open" | "closed")
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
const fn is_false(it: &bool) -> bool {
    !*it
}

/// One answer of a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PollOption {
    /// Unique in the poll.
    pub option_id: String,
    /// For people.
    pub label: String,
    /// Votes so far (count).
    pub votes: u64,
}

/// A counter; one with a target is a goal, one with items counts each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TallySnapshot {
    /// Unique.
    pub tally_id: String,
    /// Whose tally.
    pub creator: CreatorId,
    /// For people.
    pub label: String,
    /// The count.
    pub count: i64,
    /// When it last changed.
    pub last_updated_at: Timestamp,
    /// What it is to reach, if it is a goal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<i64>,
    /// Of what, if the label does not say: stands behind the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What is counted, where that is more than one thing; in any order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<TallyItem>,
    /// The period that is counted, where there are periods: `2024-08`, `2024-W31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// It was deleted: nobody shows it any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub removed: bool,
}

/// One of the things that a tally counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TallyItem {
    /// For people; unique in the tally.
    pub label: String,
    /// The count.
    pub count: i64,
}

/// A ranking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreboardSnapshot {
    /// Unique.
    pub scoreboard_id: String,
    /// Whose scoreboard.
    pub creator: CreatorId,
    /// For people.
    pub title: String,
    /// Best first.
    pub entries: Vec<ScoreboardEntry>,
    /// When it was closed, if it was.
    pub finalized_at: Option<Timestamp>,
    /// The period it is about, where there are periods: `2024-08`, `2024-W31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// It was deleted: nobody shows it any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub removed: bool,
}

/// One line of a ranking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreboardEntry {
    /// 1 is the best.
    pub position: u32,
    /// Who.
    pub label: String,
    /// Points.
    pub score: i64,
}

/// A clip as the public sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClipSnapshot {
    /// Unique, six characters.
    pub clip_id: String,
    /// Whose clip.
    pub creator: CreatorId,
    /// For people.
    pub title: String,
    /// `pending encoding published`.
    pub state: String,
    /// When it was published, if it was.
    pub published_at: Option<Timestamp>,
    /// Length (s).
    pub duration_seconds: f64,
    /// Where to watch it.
    pub url: Option<String>,
    /// A still.
    pub thumbnail_url: Option<String>,
}
