//! `signals/chat_events.json`: the newest chat messages of all rooms.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::{
    chat::{Hub, Room},
    feed::{Filter, Span, Stored},
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
    content: Content::OfRooms { render, revision },
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
    let newest = sources.hub.as_deref().map(|it| sources.newest.list(it)).unwrap_or_default();
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

/// What was read of the log for the newest messages, so that it is not read every second. Cheap to clone.
#[derive(Clone, Default)]
pub struct Newest(Arc<Mutex<HashMap<CreatorId, Known>>>);

/// The newest messages of a room that its ring no longer holds.
struct Known {
    epoch: String,
    /// Any event behind it may be the deletion of one of them.
    head: u64,
    messages: Vec<Found>,
}

/// A message, and what it is sorted by: its time, then its room, then its place.
#[derive(Clone)]
struct Found {
    ts: Vec<u8>,
    room: CreatorId,
    seq: u64,
    json: Bytes,
}

impl Found {
    fn of(room: &Room, stored: Stored) -> Self {
        let room = room.id().clone();
        Self { ts: time_of(&stored.json), room, seq: stored.seq, json: stored.json }
    }
}

impl Newest {
    /// The newest messages of all rooms in the order they came, as viewers may read them now: what was moderated is
    /// no `chat.message` any more. What the rings no longer hold comes from the log, also right after a restart.
    fn list(&self, hub: &Hub) -> Vec<Event> {
        let rooms = hub.list_rooms();
        // Only what may be among the newest is parsed: the time stands in every event's head.
        let mut newest = list_recent(&rooms);
        keep_newest(&mut newest);

        // Of the log only what may be newer than the oldest of these, the most promising room first.
        let mut behind: Vec<_> =
            rooms.iter().filter_map(|it| Some((newest_behind(it)?, it))).collect();
        behind.sort_by(|a, b| b.0.cmp(&a.0));
        for (ts, room) in behind {
            let is_enough = newest.len() >= MOST_MESSAGES;
            if is_enough && newest.first().is_some_and(|it| it.ts > ts) {
                break;
            }
            newest.extend(self.list_behind(room));
            keep_newest(&mut newest);
        }
        self.known().retain(|id, _| rooms.iter().any(|it| it.id() == id));
        newest.iter().filter_map(|it| serde_json::from_slice(&it.json).ok()).collect()
    }

    /// The newest messages of a room that its ring no longer holds.
    fn list_behind(&self, room: &Room) -> Vec<Found> {
        let (epoch, head) = (room.epoch().to_string(), room.head());
        if let Some(known) = self.known().get(room.id())
            && known.epoch == epoch
            && known.head == head
        {
            return known.messages.clone();
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return Vec::new() };
        let span = Span {
            before: ring_floor(room) + 1,
            filter: messages(),
            most_events: MOST_MESSAGES,
            newest: true,
            ..Span::default()
        };
        // Logged where it fails, and asked again in the next round.
        let Ok(page) = runtime.block_on(room.log().page(span)) else { return Vec::new() };
        let messages: Vec<_> = page.events.into_iter().map(|it| Found::of(room, it)).collect();
        let known = Known { epoch, head, messages: messages.clone() };
        self.known().insert(room.id().clone(), known);
        messages
    }

    fn known(&self) -> MutexGuard<'_, HashMap<CreatorId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sorts them, and leaves the newest.
fn keep_newest(found: &mut Vec<Found>) {
    found.sort_by(|a, b| (&a.ts, &a.room, a.seq).cmp(&(&b.ts, &b.room, b.seq)));
    found.drain(..found.len().saturating_sub(MOST_MESSAGES));
}

fn messages() -> Filter {
    Filter::parse(Some("chat.message"), None).unwrap_or_default()
}

/// The place before the oldest event that the ring holds.
fn ring_floor(room: &Room) -> u64 {
    room.recent(&Span { most_events: 0, ..Span::default() }).floor
}

/// The time before which the log has something that the ring no longer holds; `None` where it has nothing.
fn newest_behind(room: &Room) -> Option<Vec<u8>> {
    let log = room.log();
    let oldest = room.recent(&Span { most_events: 1, ..Span::default() });
    if !log.is_kept() || log.floor() >= oldest.floor {
        return None;
    }
    match oldest.events.first() {
        Some(it) => Some(time_of(&it.json)),
        None => log.last_at().map(|it| it.to_string().into_bytes()),
    }
}

/// The text of an event's `ts`; times of one length in UTC sort as texts do.
fn time_of(json: &Bytes) -> Vec<u8> {
    let start = memchr::memmem::find(json, b"\"ts\":\"").map_or(0, |it| it + 6);
    json[start..].iter().copied().take_while(|it| *it != b'"').collect()
}

/// Messages that the rings hold: at least the newest 200 of all, or all there are.
fn list_recent(rooms: &[Arc<Room>]) -> Vec<Found> {
    let filter = messages();
    let since = |from| -> Vec<Found> {
        let span = Span {
            filter: filter.clone(),
            from,
            most_events: MOST_MESSAGES,
            newest: true,
            ..Span::default()
        };
        let page = |room: &Arc<Room>| {
            let events = room.recent(&span).events;
            events.into_iter().map(|it| Found::of(room, it)).collect::<Vec<_>>()
        };
        rooms.iter().flat_map(page).collect()
    };
    let now = Timestamp::now();
    let looks = LOOKS_BACK_MS.map(|it| Some(now.plus_ms(-it)));
    let enough = |found: &Vec<Found>| found.len() >= MOST_MESSAGES;
    looks.into_iter().map(since).find(enough).unwrap_or_else(|| since(None))
}
