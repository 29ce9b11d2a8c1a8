//! The tables, one file each: of the feed log, `texts` of the small state beside it, and `files` of copies. Rows are bytes whose shape is ours and has a number.

pub mod epochs;
pub mod events;
pub mod files;
pub mod marks;
pub mod meta;
pub mod minutes;
pub mod records;
pub mod rooms;
pub mod sessions;
pub mod texts;

use redb::{Key, ReadableTable, TableDefinition, Value};

use super::{Reading, StorageError, Writing};

/// The number of a room in the file: keys are short, and a room may be written in any case.
pub type RoomNumber = u32;

/// A room's number and something in order behind it.
pub(super) fn key(room: RoomNumber, place: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&room.to_be_bytes());
    key[4..].copy_from_slice(&place.to_be_bytes());
    key
}

/// What [`key`] put together.
pub(super) fn parts(key: &[u8]) -> Result<(RoomNumber, u64), StorageError> {
    let (room, place) = key.split_first_chunk::<4>().ok_or_else(short)?;
    let place = place.try_into().map_err(|_| short())?;
    Ok((u32::from_be_bytes(*room), u64::from_be_bytes(place)))
}

fn short() -> StorageError {
    StorageError::damaged("a key is too short")
}

/// Copies a whole table.
fn copy_rows<K: Key + 'static, V: Value + 'static>(
    definition: TableDefinition<'_, K, V>,
    from: &Reading,
    to: &Writing,
) -> Result<(), StorageError> {
    let mut table = to.open_table(definition)?;
    for row in from.open_table(definition)?.iter()? {
        let (key, value) = row?;
        table.insert(key.value(), value.value())?;
    }
    Ok(())
}

/// Reads a row of JSON.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(
    table: &str,
    bytes: &[u8],
) -> Result<T, StorageError> {
    serde_json::from_slice(bytes).map_err(|it| StorageError::damaged(format!("{table}: {it}")))
}

/// Writes a row of JSON.
pub(super) fn to_json<T: serde::Serialize>(row: &T) -> Vec<u8> {
    serde_json::to_vec(row).expect("plain values always serialise")
}
