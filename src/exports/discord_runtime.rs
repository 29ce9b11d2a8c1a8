//! `discord/runtime.json`: how the control plane on Discord is. This build has none, and the file says so.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::model::Timestamp;

/// The file.
pub const EXPORT: Export = Export {
    path: "discord/runtime.json",
    visibility: Visibility::DashboardOnly,
    description: "The control plane on Discord: not running, because this build has none.",
    json_schema: schema_of::<WithMeta<DiscordRuntime>>,
    content: Content::OnChange { render, revision: |_| 0 },
};

/// How the control plane is.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct DiscordRuntime {
    /// Whether it runs.
    running: bool,
    /// Whether it is connected.
    connected: bool,
    /// Its last sign of life.
    last_heartbeat_ts: Option<Timestamp>,
    /// What it does now (count).
    task_count: u32,
    /// What it does now.
    tasks: Vec<String>,
    /// Guilds that it is in (count).
    guild_count: u32,
    /// Guilds that it is in, by id.
    guilds: Vec<Guild>,
    /// What it says of itself.
    status: Status,
    /// How it lives.
    heartbeat: Heartbeat,
}

/// A guild.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Guild {
    /// Discord's number, as text.
    guild_id: String,
    /// For people.
    guild_name: String,
    /// Whether the bot is there.
    bot_present: bool,
}

/// What the bot says of itself.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Status {
    /// In words.
    text: Option<String>,
    /// With a picture.
    emoji: Option<String>,
}

/// How it lives.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Heartbeat {
    /// When it began.
    started_at: Option<Timestamp>,
    /// When it last looked around.
    last_tick_at: Option<Timestamp>,
    /// Whether it is connected.
    connected: bool,
}

fn render(_: &Sources, now: Timestamp) -> Vec<u8> {
    let meta = Meta::new(EXPORT.path, EXPORT.visibility, now);
    to_bytes(&WithMeta { meta, fields: DiscordRuntime::default() })
}
