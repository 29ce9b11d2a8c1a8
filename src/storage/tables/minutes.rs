//! What happened in each minute of a room: finds a moment in a million events, and draws the chat's density.

use redb::{ReadableTable, Table, TableDefinition};
use serde::{Deserialize, Serialize};

use super::{RoomNumber, key, parts};
use crate::storage::{Reading, StorageError, Writing};

/// Key: the room's number and the minute since 1970. Value: first and last place (u64), messages and
/// activities (u32), big-endian.
const MINUTES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("feed.minutes.v1");

/// Length of a minute (ms).
pub const MINUTE_MS: i64 = 60_000;

/// The minute a moment is in; before 1970 all is one.
#[must_use]
pub fn minute_of(unix_ms: i64) -> u64 {
    u64::try_from(unix_ms.div_euclid(MINUTE_MS)).unwrap_or(0)
}

/// A minute that had events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minute {
    /// Minutes since 1970.
    pub minute: u64,
    /// The least place of an event of this minute.
    pub first_seq: u64,
    /// The greatest.
    pub last_seq: u64,
    /// Chat messages (count).
    pub messages: u32,
    /// Activities (count).
    pub activities: u32,
}

impl Minute {
    /// With one event more.
    pub fn add(&mut self, seq: u64, messages: u32, activities: u32) {
        self.first_seq = self.first_seq.min(seq);
        self.last_seq = self.last_seq.max(seq);
        self.messages = self.messages.saturating_add(messages);
        self.activities = self.activities.saturating_add(activities);
    }

    fn read(key: &[u8], value: &[u8]) -> Result<Self, StorageError> {
        let damaged = || StorageError::damaged("feed.minutes: a row is too short");
        let number = |at: usize| -> Result<u64, StorageError> {
            let bytes = value.get(at..at + 8).ok_or_else(damaged)?;
            Ok(u64::from_be_bytes(bytes.try_into().map_err(|_| damaged())?))
        };
        let counts = number(16)?;
        Ok(Self {
            minute: parts(key)?.1,
            first_seq: number(0)?,
            last_seq: number(8)?,
            messages: (counts >> 32) as u32,
            activities: counts as u32,
        })
    }

    fn value(&self) -> [u8; 24] {
        let mut value = [0; 24];
        value[..8].copy_from_slice(&self.first_seq.to_be_bytes());
        value[8..16].copy_from_slice(&self.last_seq.to_be_bytes());
        value[16..20].copy_from_slice(&self.messages.to_be_bytes());
        value[20..].copy_from_slice(&self.activities.to_be_bytes());
        value
    }
}

/// The minutes, for writing.
pub struct Minutes<'tx>(Table<'tx, &'static [u8], &'static [u8]>);

impl<'tx> Minutes<'tx> {
    /// Inside the caller's transaction.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(tx: &'tx Writing) -> Result<Self, StorageError> {
        Ok(Self(tx.open_table(MINUTES)?))
    }

    /// Adds what happened in a minute to what is known of it.
    ///
    /// # Errors
    /// What the disk says.
    pub fn add(&mut self, room: RoomNumber, news: &Minute) -> Result<(), StorageError> {
        let key = key(room, news.minute);
        let known = self.0.get(key.as_slice())?;
        let known = known.map(|it| Minute::read(&key, it.value())).transpose()?;
        let mut minute = *news;
        if let Some(known) = known {
            minute.add(known.first_seq, known.messages, known.activities);
            minute.add(known.last_seq, 0, 0);
        }
        self.0.insert(key.as_slice(), minute.value().as_slice())?;
        Ok(())
    }

    /// Forgets a room's oldest minutes that have nothing behind `floor`.
    ///
    /// # Errors
    /// What the disk says.
    pub fn remove_below(&mut self, room: RoomNumber, floor: u64) -> Result<(), StorageError> {
        loop {
            let first = {
                let rows = self.0.range(key(room, 0).as_slice()..=key(room, u64::MAX).as_slice());
                let first = rows?.next().transpose()?;
                first.map(|(key, value)| Minute::read(key.value(), value.value())).transpose()?
            };
            match first {
                Some(it) if it.last_seq <= floor => {
                    self.0.remove(key(room, it.minute).as_slice())?;
                }
                _ => return Ok(()),
            }
        }
    }
}

/// The minutes of a room from one on to another, both included, in order, while `wanted` says so.
///
/// # Errors
/// What the disk says.
pub fn list(
    tx: &Reading,
    room: RoomNumber,
    from: u64,
    to: u64,
    mut wanted: impl FnMut(&Minute) -> bool,
) -> Result<Vec<Minute>, StorageError> {
    let table = tx.open_table(MINUTES)?;
    let mut minutes = Vec::new();
    if from > to {
        return Ok(minutes);
    }
    for row in table.range(key(room, from).as_slice()..=key(room, to).as_slice())? {
        let (key, value) = row?;
        let minute = Minute::read(key.value(), value.value())?;
        if !wanted(&minute) {
            break;
        }
        minutes.push(minute);
    }
    Ok(minutes)
}

/// The newest minute of a room that is not after the one given.
///
/// # Errors
/// What the disk says.
pub fn find_last(tx: &Reading, room: RoomNumber, to: u64) -> Result<Option<Minute>, StorageError> {
    let table = tx.open_table(MINUTES)?;
    let mut rows = table.range(key(room, 0).as_slice()..=key(room, to).as_slice())?;
    match rows.next_back().transpose()? {
        Some((key, value)) => Minute::read(key.value(), value.value()).map(Some),
        None => Ok(None),
    }
}

pub(super) fn make(tx: &Writing) -> Result<(), StorageError> {
    tx.open_table(MINUTES)?;
    Ok(())
}

pub(in crate::storage) fn copy(from: &Reading, to: &Writing) -> Result<(), StorageError> {
    super::copy_rows(MINUTES, from, to)
}
