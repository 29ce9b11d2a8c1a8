//! Every room there is a feed of: where it begins, how far it goes, what it takes.

use redb::{ReadableTable, Table, TableDefinition};
use serde::{Deserialize, Serialize};

use super::{RoomNumber, from_json, minutes::Minute, sessions::SessionRow, to_json};
use crate::{
    model::CreatorId,
    storage::{Reading, StorageError, Writing},
};

/// Key: the room's name in lower case. Value: [`RoomRow`] as JSON.
const ROOMS: TableDefinition<&str, &[u8]> = TableDefinition::new("feed.rooms.v1");

/// A room's feed as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRow {
    /// Of the keys of its rows.
    pub number: RoomNumber,
    /// As written.
    pub name: CreatorId,
    /// The place before the first event kept.
    pub floor: u64,
    /// The place of the last one.
    pub head: u64,
    /// What its events take (bytes).
    pub bytes: u64,
    /// Its numberings: an epoch's number and the first place taken under it, in the feed's order.
    pub epochs: Vec<(u32, u64)>,
    /// The stream session that is open; it gets its row in the table of sessions when it ends.
    pub session: Option<SessionRow>,
    /// The newest minute; it gets its row in the table of minutes when another begins.
    pub minute: Option<Minute>,
    /// The place of what is featured.
    pub featured: Option<u64>,
    /// The place of the newest queue; files of before there was one have none.
    #[serde(default)]
    pub queue: Option<u64>,
    /// Time never went back from one event to the next, so that a moment is found without looking at all.
    pub orderly: bool,
    /// The last event's `ts` (ms since 1970).
    pub last_ms: i64,
}

/// All rooms, by name.
///
/// # Errors
/// What the disk says.
pub fn list(tx: &Writing) -> Result<Vec<RoomRow>, StorageError> {
    all(&tx.open_table(ROOMS)?)
}

fn all(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Vec<RoomRow>, StorageError> {
    table.iter()?.map(|row| from_json("feed.rooms", row?.1.value())).collect()
}

/// All rooms, for a reader.
///
/// # Errors
/// What the disk says.
pub fn look(tx: &Reading) -> Result<Vec<RoomRow>, StorageError> {
    all(&tx.open_table(ROOMS)?)
}

/// One room, as a reader's moment of the file has it.
///
/// # Errors
/// What the disk says.
pub fn find(tx: &Reading, name: &CreatorId) -> Result<Option<RoomRow>, StorageError> {
    let table = tx.open_table(ROOMS)?;
    let row = table.get(name.as_str().to_ascii_lowercase().as_str())?;
    row.map(|it| from_json("feed.rooms", it.value())).transpose()
}

/// The rooms, for writing.
pub struct Rooms<'tx>(Table<'tx, &'static str, &'static [u8]>);

impl<'tx> Rooms<'tx> {
    /// Inside the caller's transaction.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(tx: &'tx Writing) -> Result<Self, StorageError> {
        Ok(Self(tx.open_table(ROOMS)?))
    }

    /// Puts a room's row in place.
    ///
    /// # Errors
    /// What the disk says.
    pub fn put(&mut self, row: &RoomRow) -> Result<(), StorageError> {
        let key = row.name.as_str().to_ascii_lowercase();
        self.0.insert(key.as_str(), to_json(row).as_slice())?;
        Ok(())
    }
}

pub(in crate::storage) fn copy(from: &Reading, to: &Writing) -> Result<(), StorageError> {
    super::copy_rows(ROOMS, from, to)
}
