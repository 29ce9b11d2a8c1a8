//! `state/chat_triggers.json`: what rooms react to.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::model::{CreatorId, Timestamp};

/// The file.
pub const EXPORT: Export = Export {
    path: "state/chat_triggers.json",
    visibility: Visibility::DashboardOnly,
    description: "What rooms react to.",
    json_schema: schema_of::<WithMeta<ChatTriggers>>,
    content: Content::OfRooms { render, revision },
};

/// What rooms react to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatTriggers {
    /// By room, in the order in which they are tried.
    triggers: Vec<Entry>,
}

/// A trigger.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// Unique in the room.
    trigger_id: String,
    /// Whose; null is every room.
    creator: Option<CreatorId>,
    /// `command regex keyword timer`
    #[serde(rename = "type")]
    kind: String,
    /// What is written to call it, where it is a command.
    command: Option<String>,
    /// How long it rests afterwards (s).
    cooldown_seconds: u32,
    /// For people.
    description: Option<String>,
    /// Whether it does anything.
    enabled: bool,
    /// When it last changed, where that is known.
    updated_at: Option<Timestamp>,
}

fn revision(_: &Sources) -> u64 {
    0
}

fn render(_: &Sources, now: Timestamp) -> Vec<u8> {
    let fields = ChatTriggers { triggers: Vec::new() };
    to_bytes(&WithMeta { meta: Meta::new(EXPORT.path, EXPORT.visibility, now), fields })
}
