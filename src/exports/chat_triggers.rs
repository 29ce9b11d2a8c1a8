//! `state/chat_triggers.json`: what rooms react to.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::{
    model::{CreatorId, Timestamp, trigger::Trigger},
    triggers::Triggers,
};

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
    /// Those of `triggers.json` in its order, then those made on pages: by room, in the order in which they are tried.
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
    kind: &'static str,
    /// What is written to call it, where it is a command.
    command: Option<String>,
    /// How long it rests afterwards (s).
    cooldown_seconds: u32,
    /// For people.
    description: String,
    /// Whether it does anything.
    enabled: bool,
    /// When it last changed, where that is known.
    updated_at: Option<Timestamp>,
}

fn revision(sources: &Sources) -> u64 {
    sources.triggers.as_ref().map_or(0, Triggers::revision)
}

fn render(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let entry = |it: &Trigger, creator: Option<CreatorId>, updated_at| Entry {
        trigger_id: it.trigger_id.clone(),
        creator,
        kind: it.kind.as_str(),
        command: it.command.as_ref().map(|word| format!("{}{word}", it.prefix)),
        cooldown_seconds: it.cooldown_seconds,
        description: it.description.clone(),
        enabled: it.enabled,
        updated_at,
    };
    let of_file = &sources.config.triggers.triggers;
    let mut triggers: Vec<_> =
        of_file.iter().map(|it| entry(it, it.creator_id.clone(), None)).collect();
    for (room, kept) in sources.triggers.iter().flat_map(Triggers::list_kept) {
        triggers.extend(
            kept.iter().map(|it| entry(&it.trigger, Some(room.clone()), Some(it.updated_at))),
        );
    }
    let fields = ChatTriggers { triggers };
    to_bytes(&WithMeta { meta: Meta::new(EXPORT.path, EXPORT.visibility, now), fields })
}
