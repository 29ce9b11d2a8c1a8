//! `signals/chat_events.json`: the newest chat messages of all rooms.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::{
    chat::Hub,
    feed::{Filter, Span},
    model::{CreatorId, Event, EventBody, Platform, QualifiedId, Timestamp},
};

/// Messages in the file, at most.
const MOST_MESSAGES: usize = 200;

/// How far back to look (ms), in steps: busy servers find enough in the last seconds.
const LOOKS_BACK_MS: [i64; 3] = [2_000, 30_000, 600_000];

/// The file.
pub const EXPORT: Export = Export {
    path: "signals/chat_events.json",
    visibility: Visibility::DashboardOnly,
    description: "The newest chat messages of all rooms, without those that were moderated.",
    json_schema: schema_of::<WithMeta<ChatEvents>>,
    content: Content::OnChange { render, revision },
};

/// The newest chat messages of all rooms.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatEvents {
    /// The newest 200, newest last.
    #[schemars(length(max = 200))]
    events: Vec<ChatEvent>,
}

/// A chat message.
#[derive(Debug, Serialize, JsonSchema)]
struct ChatEvent {
    /// Platform-qualified id of the message.
    event_id: QualifiedId,
    /// Whose room.
    creator: CreatorId,
    /// Where it was written.
    platform: Platform,
    /// Platform-qualified id of the viewer.
    user_id: QualifiedId,
    /// The viewer's account name.
    username: String,
    /// Plain text.
    message: String,
    /// The platform's clock.
    message_at: Timestamp,
}

/// Another number whenever any room took an event: a deletion is one too.
fn revision(sources: &Sources) -> u64 {
    let mut hasher = DefaultHasher::new();
    for room in sources.hub.iter().flat_map(|it| it.list_rooms()) {
        (room.epoch(), room.head()).hash(&mut hasher);
    }
    hasher.finish()
}

fn render(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let newest = sources.hub.as_deref().map(list_newest).unwrap_or_default();
    let captured_at = newest.last().map(|it| it.ts);
    let events = newest.into_iter().filter_map(|event| {
        let EventBody::ChatMessage(message) = event.body else { return None };
        Some(ChatEvent {
            event_id: message.id,
            creator: event.room,
            platform: message.platform,
            user_id: message.author.id,
            username: message.author.login,
            message: message.text,
            message_at: message.sent_at,
        })
    });
    let fields = ChatEvents { events: events.collect() };
    let meta = Meta::new(EXPORT.path, EXPORT.visibility, now).captured_at(captured_at);
    to_bytes(&WithMeta { meta, fields })
}

/// The newest messages of all rooms in the order they came, as viewers may read them now: what was
/// moderated is no `chat.message` any more.
fn list_newest(hub: &Hub) -> Vec<Event> {
    // Only what may be among the newest is parsed: the time stands in every event's head.
    let mut newest: Vec<(Vec<u8>, Bytes)> = list_recent(hub)
        .iter()
        .flat_map(|room| room.iter().skip(room.len().saturating_sub(MOST_MESSAGES)))
        .map(|json| (time_of(json), json.clone()))
        .collect();
    // Rooms come by name and their events by place, which a stable sort keeps for equal times.
    newest.sort_by(|a, b| a.0.cmp(&b.0));
    newest.drain(..newest.len().saturating_sub(MOST_MESSAGES));
    newest.iter().filter_map(|(_, json)| serde_json::from_slice(json).ok()).collect()
}

/// The text of an event's `ts`; times of one length in UTC sort as texts do.
fn time_of(json: &Bytes) -> Vec<u8> {
    let start = memchr::memmem::find(json, b"\"ts\":\"").map_or(0, |it| it + 6);
    json[start..].iter().copied().take_while(|it| *it != b'"').collect()
}

/// Messages of each room, oldest first: at least the newest 200 of all, or all there are.
fn list_recent(hub: &Hub) -> Vec<Vec<Bytes>> {
    let messages = Filter::parse(Some("chat.message"), None).unwrap_or_default();
    let rooms = hub.list_rooms();
    let since = |from| -> Vec<_> {
        let page = |room: &std::sync::Arc<crate::chat::Room>| {
            let span = Span { filter: messages.clone(), from, ..Span::default() };
            room.recent(&span).events.into_iter().map(|it| it.json).collect()
        };
        rooms.iter().map(page).collect()
    };
    let now = Timestamp::now();
    let looks = LOOKS_BACK_MS.map(|it| Some(now.plus_ms(-it)));
    let enough =
        |found: &Vec<Vec<Bytes>>| found.iter().map(Vec::len).sum::<usize>() >= MOST_MESSAGES;
    looks.into_iter().map(since).find(enough).unwrap_or_else(|| since(None))
}
