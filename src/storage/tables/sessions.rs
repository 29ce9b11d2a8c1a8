//! The stream sessions of every room that have ended: stretches of its feed.

use std::collections::BTreeSet;

use redb::{ReadableTable, Table, TableDefinition};
use serde::{Deserialize, Serialize};

use super::{RoomNumber, from_json, key, to_json};
use crate::{
    model::{Platform, Timestamp},
    storage::{Reading, StorageError, Writing},
};

/// Key: the room's number and the session's first place. Value: [`SessionRow`] as JSON.
const SESSIONS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("feed.sessions.v1");

/// A stream session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Unique in its room.
    pub session_id: String,
    /// The stream's title, where known.
    pub title: Option<String>,
    /// The place of its start; also its key, and kept when retention takes the beginning.
    pub start_seq: u64,
    /// The first place that is kept.
    pub first_seq: u64,
    /// The last place, once it has ended.
    pub last_seq: Option<u64>,
    /// When it began.
    pub started_at: Timestamp,
    /// When something last happened in it.
    pub last_at: Timestamp,
    /// Chat messages (count).
    pub messages: u64,
    /// Activities (count).
    pub activities: u64,
    /// Where they came from.
    pub platforms: BTreeSet<Platform>,
    /// When it was imported; it is as young as that, whatever its own times.
    pub imported_at: Option<Timestamp>,
}

/// The sessions, for writing.
pub struct Sessions<'tx>(Table<'tx, &'static [u8], &'static [u8]>);

impl<'tx> Sessions<'tx> {
    /// Inside the caller's transaction.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(tx: &'tx Writing) -> Result<Self, StorageError> {
        Ok(Self(tx.open_table(SESSIONS)?))
    }

    /// Puts a session in place.
    ///
    /// # Errors
    /// What the disk says.
    pub fn put(&mut self, room: RoomNumber, row: &SessionRow) -> Result<(), StorageError> {
        self.0.insert(key(room, row.start_seq).as_slice(), to_json(row).as_slice())?;
        Ok(())
    }

    /// Takes a session away.
    ///
    /// # Errors
    /// What the disk says.
    pub fn remove(&mut self, room: RoomNumber, start_seq: u64) -> Result<(), StorageError> {
        self.0.remove(key(room, start_seq).as_slice())?;
        Ok(())
    }
}

/// A room's sessions from the oldest on, while `wanted` says so.
///
/// # Errors
/// What the disk says.
pub fn list_oldest(
    tx: &Writing,
    room: RoomNumber,
    mut wanted: impl FnMut(&SessionRow) -> bool,
) -> Result<Vec<SessionRow>, StorageError> {
    let table = tx.open_table(SESSIONS)?;
    let mut sessions = Vec::new();
    for row in table.range(key(room, 0).as_slice()..=key(room, u64::MAX).as_slice())? {
        let session = from_json("feed.sessions", row?.1.value())?;
        if !wanted(&session) {
            break;
        }
        sessions.push(session);
    }
    Ok(sessions)
}

/// Shows `each` a room's sessions, newest first, while it says `true`.
///
/// # Errors
/// What the disk says.
pub fn each_newest(
    tx: &Reading,
    room: RoomNumber,
    mut each: impl FnMut(SessionRow) -> bool,
) -> Result<(), StorageError> {
    let table = tx.open_table(SESSIONS)?;
    for row in table.range(key(room, 0).as_slice()..=key(room, u64::MAX).as_slice())?.rev() {
        if !each(from_json("feed.sessions", row?.1.value())?) {
            break;
        }
    }
    Ok(())
}

pub(super) fn make(tx: &Writing) -> Result<(), StorageError> {
    tx.open_table(SESSIONS)?;
    Ok(())
}

pub(in crate::storage) fn copy(from: &Reading, to: &Writing) -> Result<(), StorageError> {
    super::copy_rows(SESSIONS, from, to)
}
