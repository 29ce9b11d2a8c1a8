//! A stream session: a stretch of a room's feed, from one silence to the next.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    model::{Platform, Timestamp},
    storage::tables::sessions::SessionRow,
};

/// A stream session as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StreamSession {
    /// Unique in its room.
    pub session_id: String,
    /// The stream's title, where known.
    pub title: Option<String>,
    /// `open` while it goes on, then `closed`.
    pub state: SessionState,
    /// When it began.
    pub started_at: Timestamp,
    /// When something last happened in it; null while it goes on.
    pub ended_at: Option<Timestamp>,
    /// From its beginning to when something last happened, or to now while it goes on (ms).
    pub duration_ms: u64,
    /// The first place kept.
    pub first_seq: u64,
    /// The last place, as of now.
    pub last_seq: u64,
    /// Places (count).
    pub events: u64,
    /// Chat messages (count).
    pub messages: u64,
    /// Activities (count).
    pub activities: u64,
    /// Where they came from.
    pub platforms: Vec<Platform>,
    /// Its beginning is no longer kept.
    pub truncated: bool,
    /// It came from a file.
    pub imported: bool,
}

/// Whether a session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// It does.
    Open,
    /// It has ended.
    Closed,
}

impl StreamSession {
    /// From its row; `head` is the room's last place.
    pub(super) fn new(row: SessionRow, head: u64, now: Timestamp) -> Self {
        let until = if row.last_seq.is_some() { row.last_at } else { now.max(row.last_at) };
        let last_seq = row.last_seq.unwrap_or(head).max(row.first_seq);
        Self {
            state: if row.last_seq.is_some() { SessionState::Closed } else { SessionState::Open },
            ended_at: row.last_seq.map(|_| row.last_at),
            duration_ms: until.ms_since(row.started_at).max(0).unsigned_abs(),
            events: last_seq + 1 - row.first_seq,
            truncated: row.first_seq > row.start_seq,
            imported: row.imported_at.is_some(),
            session_id: row.session_id,
            title: row.title,
            started_at: row.started_at,
            first_seq: row.first_seq,
            last_seq,
            messages: row.messages,
            activities: row.activities,
            platforms: row.platforms.into_iter().collect(),
        }
    }
}

/// How much was said when, for a seek bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Histogram {
    /// Length of a bucket (ms).
    pub bucket_ms: u64,
    /// Messages and activities in each, from the session's beginning on (count).
    pub counts: Vec<u32>,
}
