//! What is too old, or too much, goes: the oldest first, a little at a time.

use std::{collections::HashMap, sync::Arc};

use super::index::Room;
use crate::{
    model::{ChatClearUser, ChatDelete, ChatRedacted, CreatorId, Timestamp},
    storage::{
        Database, StorageError,
        tables::{
            events::Events,
            marks::{Marked, Marks},
            minutes::{self, Minutes},
            rooms::{RoomRow, Rooms},
            sessions::{self, Sessions},
        },
    },
};

/// Events that go in one step: what waits to be written is held up no longer than this takes (some ms).
const EVENTS_AT_ONCE: usize = 2_000;
const DAY_MS: i64 = 86_400_000;

/// How much of a room is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Age at which events go (days).
    pub days: u32,
    /// What a room's events may take (bytes).
    pub bytes: u64,
}

/// How much is kept of whose room.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    /// Of a room that is not named.
    pub default: Option<Retention>,
    /// Of those that are.
    pub rooms: HashMap<CreatorId, Retention>,
}

impl Policies {
    fn of(&self, room: &CreatorId) -> Option<Retention> {
        self.rooms.get(room).copied().or(self.default)
    }
}

/// Lets a step's worth of a room's oldest events go; answers how many.
pub(super) fn retain_some(
    database: &Database,
    room: &Arc<Room>,
    policies: &Policies,
) -> Result<u64, StorageError> {
    let Some(policy) = policies.of(&room.name) else { return Ok(0) };
    let mut durable = room.durable().clone();
    let cutoff = Timestamp::now().unix_ms() - i64::from(policy.days) * DAY_MS;
    if durable.head == durable.floor
        || (durable.bytes <= policy.bytes && !begins_before(database, &durable, cutoff)?)
    {
        return Ok(0);
    }
    let before = durable.floor;
    database.write(|tx| {
        let row = &mut durable;
        // What was imported is as young as its import.
        let imported = sessions::list_oldest(tx, row.number, |_| true)?;
        let young = |seq: u64| {
            imported.iter().any(|it| {
                it.imported_at.is_some_and(|at| at.unix_ms() >= cutoff)
                    && (it.first_seq..=it.last_seq.unwrap_or(u64::MAX)).contains(&seq)
            })
        };
        let mut unmarked = Vec::new();
        let (number, floor) = (row.number, row.floor);
        let mut events = Events::open(tx)?;
        events.remove_oldest(number, floor, EVENTS_AT_ONCE, |seq, event, bytes| {
            let old = event.ts_ms < cutoff && !young(seq);
            // The last one stays, so that the log always knows how far it went.
            if seq >= row.head || !(old || row.bytes > policy.bytes) {
                return Ok(false);
            }
            row.bytes = row.bytes.saturating_sub(bytes);
            row.floor = seq;
            if event.kind.starts_with("chat.") && event.kind != "chat.message" {
                unmarked.push((seq, event.kind, event.data.to_vec()));
            }
            Ok(true)
        })?;
        drop(events);
        let mut marks = Marks::open(tx)?;
        for (seq, kind, data) in &unmarked {
            remove_mark(&mut marks, number, *seq, kind, data)?;
        }
        drop(marks);
        Minutes::open(tx)?.remove_below(number, row.floor)?;
        let floor = row.floor;
        let touched = sessions::list_oldest(tx, number, |it| it.first_seq <= floor)?;
        let mut table = Sessions::open(tx)?;
        for mut session in touched {
            if session.last_seq.is_some_and(|it| it <= floor) {
                table.remove(number, session.start_seq)?;
            } else {
                session.first_seq = floor + 1;
                table.put(number, &session)?;
            }
        }
        if let Some(session) = &mut durable.session {
            session.first_seq = session.first_seq.max(floor + 1);
        }
        Rooms::open(tx)?.put(&durable)
    })?;
    let removed = durable.floor - before;
    *room.durable() = durable;
    Ok(removed)
}

/// Whether the oldest events are older than `cutoff`: asked of whole minutes, which are few.
fn begins_before(
    database: &Database,
    durable: &RoomRow,
    cutoff: i64,
) -> Result<bool, StorageError> {
    let minute = minutes::minute_of(cutoff).saturating_sub(1);
    let number = durable.number;
    let floor = durable.floor;
    let old = database.read(|tx| {
        let mut found = None;
        minutes::list(tx, number, 0, minute, |it| {
            found = Some(*it);
            false
        })?;
        Ok(found)
    })?;
    let current = durable.minute.filter(|it| it.minute <= minute);
    Ok(old.into_iter().chain(current).any(|it| it.last_seq > floor))
}

/// A mark is of no use once the deletion that set it, and with it all that came before, is gone.
fn remove_mark(
    marks: &mut Marks<'_>,
    room: u32,
    seq: u64,
    kind: &str,
    data: &[u8],
) -> Result<(), StorageError> {
    match kind {
        "chat.delete" => match serde_json::from_slice::<ChatDelete>(data) {
            Ok(it) => marks.remove(room, Marked::message(&it.message_id), seq),
            Err(_) => Ok(()),
        },
        "chat.redacted" => match serde_json::from_slice::<ChatRedacted>(data) {
            Ok(it) => marks.remove(room, Marked::message(&it.message_id), seq),
            Err(_) => Ok(()),
        },
        "chat.clear_user" => match serde_json::from_slice::<ChatClearUser>(data) {
            Ok(it) => marks.remove(room, Marked::author(&it.author_id), seq),
            Err(_) => Ok(()),
        },
        // Those of whole chats are a handful.
        _ => Ok(()),
    }
}
