//! `clips.json` and `state/clips.json`: clips of streams. This build makes none, and the files say so by being empty.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::model::{CreatorId, Timestamp, snapshot::ClipSnapshot};

/// For everyone.
pub const PUBLIC: Export = Export {
    path: "clips.json",
    visibility: Visibility::Public,
    description: "Published clips: none yet, because this build makes none.",
    json_schema: schema_of::<WithMeta<Clips>>,
    content: Content::OnChange { render: render_public, revision },
};

/// For dashboards.
pub const STATE: Export = Export {
    path: "state/clips.json",
    visibility: Visibility::DashboardOnly,
    description: "Every clip with its history: none yet, because this build makes none.",
    json_schema: schema_of::<WithMeta<ClipsState>>,
    content: Content::OnChange { render: render_state, revision },
};

/// Published clips.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Clips {
    /// The newest first.
    clips: Vec<ClipSnapshot>,
}

/// Every clip.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClipsState {
    /// The newest first.
    clips: Vec<ClipRecord>,
    /// What is done about them.
    jobs: Vec<ClipJob>,
    /// What became of them, the newest last.
    history: Vec<ClipChange>,
}

/// A clip.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClipRecord {
    /// Unique, six characters.
    clip_id: String,
    /// Whose.
    creator_id: CreatorId,
    /// `queued encoding encoded uploading published failed`
    state: String,
    /// When it was asked for.
    requested_at: Timestamp,
    /// When this last changed.
    updated_at: Timestamp,
}

/// Work on a clip.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClipJob {
    /// Which clip.
    clip_id: String,
    /// `clip encode upload`
    job_type: String,
    /// How far.
    state: String,
    /// For people.
    detail: Option<String>,
}

/// A clip became something else.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClipChange {
    /// Which clip.
    clip_id: String,
    /// What it became.
    state: String,
    /// Why.
    reason: Option<String>,
    /// When.
    created_at: Timestamp,
}

fn revision(_: &Sources) -> u64 {
    0
}

fn render_public(_: &Sources, now: Timestamp) -> Vec<u8> {
    let meta = Meta::new(PUBLIC.path, PUBLIC.visibility, now);
    to_bytes(&WithMeta { meta, fields: Clips { clips: Vec::new() } })
}

fn render_state(_: &Sources, now: Timestamp) -> Vec<u8> {
    let fields = ClipsState { clips: Vec::new(), jobs: Vec::new(), history: Vec::new() };
    to_bytes(&WithMeta { meta: Meta::new(STATE.path, STATE.visibility, now), fields })
}
