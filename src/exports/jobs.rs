//! `state/jobs.json`: work that waits, and what became of it; without what it carries.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::{
    jobs::{JobKind, JobState},
    model::{CreatorId, Timestamp},
};

/// Jobs in the file, at most; `/api/jobs` gives all.
const MOST_JOBS: usize = 1_000;

/// The file.
pub const EXPORT: Export = Export {
    path: "state/jobs.json",
    visibility: Visibility::DashboardOnly,
    description: "Work that waits, and what became of it.",
    json_schema: schema_of::<WithMeta<JobsState>>,
    content: Content::OfRooms { render, revision },
};

/// Work that waits, and what became of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JobsState {
    /// The newest 1,000, the newest first.
    #[schemars(length(max = 1_000))]
    jobs: Vec<Entry>,
}

/// A job.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// Unique, in the order of adding.
    job_id: String,
    /// What kind of work.
    #[serde(rename = "type")]
    kind: JobKind,
    /// For whom.
    creator: CreatorId,
    /// How far it is.
    state: JobState,
    /// Times it was begun (count).
    attempts: u32,
    /// Who asked for it, in words.
    by: String,
    /// When it was added.
    queued_at: Timestamp,
    /// When anything of it last changed.
    last_updated_at: Timestamp,
    /// What went wrong last, in a sentence.
    error: Option<String>,
}

fn revision(sources: &Sources) -> u64 {
    sources.jobs.as_ref().map_or(0, crate::jobs::Jobs::revision)
}

fn render(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let jobs = sources.jobs.as_ref().map(|it| it.list(None)).unwrap_or_default();
    let jobs = jobs.into_iter().take(MOST_JOBS).map(|it| Entry {
        job_id: it.job_id,
        kind: it.kind,
        creator: it.creator,
        state: it.state,
        attempts: it.attempts,
        by: it.by,
        queued_at: it.queued_at,
        last_updated_at: it.updated_at,
        error: it.error,
    });
    let fields = JobsState { jobs: jobs.collect() };
    to_bytes(&WithMeta { meta: Meta::new(EXPORT.path, EXPORT.visibility, now), fields })
}
