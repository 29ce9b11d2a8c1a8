//! The events of every room, in order.

use redb::{ReadOnlyTable, ReadableTable, Table, TableDefinition};

use super::{RoomNumber, key, parts};
use crate::{
    model::{Platform, event::KINDS},
    storage::{Reading, StorageError, Writing},
};

/// Key: the room's number and the event's place. Value: [`EventRow`] as bytes.
const EVENTS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("feed.events.v1");

/// The shape of a row; its first byte.
const SHAPE: u8 = 1;

/// Moderated before it came: viewers never read its words.
pub const HIDDEN: u8 = 1;
/// What it quotes was.
pub const QUOTE_HIDDEN: u8 = 2;

/// An event as the file has it.
///
/// As bytes: shape, place in [`KINDS`], platform (its place in [`Platform::ALL`] from 1, or 0), flags (a
/// byte each), epoch (u32), time (i64, ms since 1970), the lengths of four ids (u16 each), the ids, and
/// `data` to the end; numbers big-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRow<'a> {
    /// Its `type`.
    pub kind: &'static str,
    /// What it concerns.
    pub platform: Option<Platform>,
    /// [`HIDDEN`], [`QUOTE_HIDDEN`].
    pub flags: u8,
    /// The number of its epoch.
    pub epoch: u32,
    /// When the server received it (ms since 1970).
    pub ts_ms: i64,
    /// Of the message or activity; empty for anything else.
    pub id: &'a str,
    /// Who wrote it; may be empty.
    pub author: &'a str,
    /// The message it quotes; may be empty.
    pub quoted: &'a str,
    /// Who wrote that; may be empty.
    pub quoted_author: &'a str,
    /// What happened, as JSON, as it came.
    pub data: &'a [u8],
}

impl<'a> EventRow<'a> {
    /// Writes it behind what `out` holds.
    pub fn write(&self, out: &mut Vec<u8>) {
        let kind = KINDS.iter().position(|it| *it == self.kind).unwrap_or(usize::from(u8::MAX));
        let platform =
            self.platform.and_then(|it| Platform::ALL.iter().position(|other| *other == it));
        out.extend_from_slice(&[
            SHAPE,
            kind as u8,
            platform.map_or(0, |it| it as u8 + 1),
            self.flags,
        ]);
        out.extend_from_slice(&self.epoch.to_be_bytes());
        out.extend_from_slice(&self.ts_ms.to_be_bytes());
        let ids = [self.id, self.author, self.quoted, self.quoted_author].map(short_enough);
        for id in ids {
            out.extend_from_slice(&(id.len() as u16).to_be_bytes());
        }
        for id in ids {
            out.extend_from_slice(id.as_bytes());
        }
        out.extend_from_slice(self.data);
    }

    /// Reads what [`EventRow::write`] wrote.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] for anything else.
    pub fn read(bytes: &'a [u8]) -> Result<Self, StorageError> {
        let damaged = || StorageError::damaged("feed.events: a row cannot be read");
        let (head, rest) = bytes.split_first_chunk::<24>().ok_or_else(damaged)?;
        let [shape, kind, platform, flags, ..] = *head;
        if shape != SHAPE {
            return Err(StorageError::damaged(format!("feed.events: a row of shape {shape}")));
        }
        let number = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let mut rest = rest;
        let mut ids = [""; 4];
        for (slot, id) in ids.iter_mut().enumerate() {
            let len = usize::from(number(16 + 2 * slot));
            let (text, behind) = rest.split_at_checked(len).ok_or_else(damaged)?;
            *id = str::from_utf8(text).map_err(|_| damaged())?;
            rest = behind;
        }
        let [epoch, ts] = [&head[4..8], &head[8..16]];
        Ok(Self {
            kind: KINDS.get(usize::from(kind)).ok_or_else(damaged)?,
            platform: match platform {
                0 => None,
                it => Some(*Platform::ALL.get(usize::from(it) - 1).ok_or_else(damaged)?),
            },
            flags,
            epoch: u32::from_be_bytes(epoch.try_into().map_err(|_| damaged())?),
            ts_ms: i64::from_be_bytes(ts.try_into().map_err(|_| damaged())?),
            id: ids[0],
            author: ids[1],
            quoted: ids[2],
            quoted_author: ids[3],
            data: rest,
        })
    }
}

/// An id that is longer than a row can say is no platform's: it is left out, and nothing can be asked by it.
fn short_enough(id: &str) -> &str {
    if id.len() <= usize::from(u16::MAX) { id } else { "" }
}

/// The events, for writing.
pub struct Events<'tx>(Table<'tx, &'static [u8], &'static [u8]>);

impl<'tx> Events<'tx> {
    /// Inside the caller's transaction.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(tx: &'tx Writing) -> Result<Self, StorageError> {
        Ok(Self(tx.open_table(EVENTS)?))
    }

    /// Puts a row in its place. Answers what it takes (bytes).
    ///
    /// # Errors
    /// What the disk says.
    pub fn put(&mut self, room: RoomNumber, seq: u64, row: &[u8]) -> Result<u64, StorageError> {
        let key = key(room, seq);
        self.0.insert(key.as_slice(), row)?;
        Ok((key.len() + row.len()) as u64)
    }

    /// Removes a room's rows behind `floor`, from the oldest on, while `unwanted` says so, at most `most`.
    ///
    /// `unwanted` is given the place, the row and what it takes (bytes).
    ///
    /// # Errors
    /// What the disk says, and those of `unwanted`.
    pub fn remove_oldest(
        &mut self,
        room: RoomNumber,
        floor: u64,
        most: usize,
        mut unwanted: impl FnMut(u64, &EventRow<'_>, u64) -> Result<bool, StorageError>,
    ) -> Result<(), StorageError> {
        let mut gone = Vec::new();
        for row in self
            .0
            .range(key(room, floor + 1).as_slice()..=key(room, u64::MAX).as_slice())?
            .take(most)
        {
            let (key, value) = row?;
            let bytes = (key.value().len() + value.value().len()) as u64;
            if !unwanted(parts(key.value())?.1, &EventRow::read(value.value())?, bytes)? {
                break;
            }
            gone.push(key.value().to_vec());
        }
        for key in gone {
            self.0.remove(key.as_slice())?;
        }
        Ok(())
    }
}

/// The events, for reading.
pub struct EventsView(ReadOnlyTable<&'static [u8], &'static [u8]>);

impl EventsView {
    /// Inside the caller's transaction.
    ///
    /// # Errors
    /// What the disk says.
    pub fn look(tx: &Reading) -> Result<Self, StorageError> {
        Ok(Self(tx.open_table(EVENTS)?))
    }

    /// Shows `each` the events of a room from one place to another, both included, in order or from the end,
    /// while it says `true`.
    ///
    /// # Errors
    /// What the disk says, and those of `each`.
    pub fn each(
        &self,
        room: RoomNumber,
        (from, to): (u64, u64),
        newest_first: bool,
        mut each: impl FnMut(u64, &EventRow<'_>) -> Result<bool, StorageError>,
    ) -> Result<(), StorageError> {
        if from > to {
            return Ok(());
        }
        let mut rows = self.0.range(key(room, from).as_slice()..=key(room, to).as_slice())?;
        while let Some(row) = if newest_first { rows.next_back() } else { rows.next() } {
            let (key, value) = row?;
            if !each(parts(key.value())?.1, &EventRow::read(value.value())?)? {
                break;
            }
        }
        Ok(())
    }
}

/// Makes every table of the feed log, so that readers find them all.
///
/// # Errors
/// What the disk says.
pub fn make_all(tx: &Writing) -> Result<(), StorageError> {
    tx.open_table(EVENTS)?;
    super::sessions::make(tx)?;
    super::minutes::make(tx)?;
    super::marks::make(tx)?;
    super::epochs::list(tx)?;
    super::rooms::list(tx)?;
    Ok(())
}

/// Copies rows behind `after`; answers how many, and the last key when there may be more.
pub(in crate::storage) fn copy(
    from: &Reading,
    to: &Writing,
    after: Option<&[u8]>,
    most: usize,
) -> Result<(usize, Option<Vec<u8>>), StorageError> {
    let mut table = to.open_table(EVENTS)?;
    let source = from.open_table(EVENTS)?;
    let start = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
    let (mut count, mut last) = (0, None);
    for row in source.range::<&[u8]>((start, std::ops::Bound::Unbounded))?.take(most) {
        let (key, value) = row?;
        table.insert(key.value(), value.value())?;
        count += 1;
        last = Some(key.value().to_vec());
    }
    Ok((count, last.filter(|_| count == most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_back_as_itself_and_anything_else_is_damaged() {
        let row = EventRow {
            kind: "chat.message",
            platform: Some(Platform::Kick),
            flags: QUOTE_HIDDEN,
            epoch: 7,
            ts_ms: -5,
            id: "kick:1",
            author: "kick:ü",
            quoted: "",
            quoted_author: "kick:9",
            data: b"{\"text\":\"hi\"}",
        };
        let mut bytes = Vec::new();
        row.write(&mut bytes);
        assert_eq!(EventRow::read(&bytes).unwrap(), row);
        let whole = bytes.len() - row.data.len();
        for cut in 0..whole {
            assert!(EventRow::read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        bytes[0] = 9;
        assert!(EventRow::read(&bytes).is_err());
    }
}
