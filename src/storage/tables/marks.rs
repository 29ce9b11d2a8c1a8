//! What was moderated. The words stay in their rows for the audit; whoever reads for viewers asks here.

use redb::{ReadOnlyTable, ReadableTable, Table, TableDefinition};

use super::RoomNumber;
use crate::{
    model::{Platform, QualifiedId},
    storage::{Reading, StorageError, Writing},
};

/// Key: the room's number, a letter for what is marked, and which. Value: the place of the newest event
/// that says so (u64) and the platform's clock of it (i64, ms since 1970; 0 is unknown), big-endian.
const MARKS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("feed.marks.v1");

/// What is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked<'a> {
    /// One message or activity, wherever it stands.
    Message(&'a str),
    /// All that one viewer wrote before the mark.
    Author(&'a str),
    /// All that was written on one platform before the mark, or on all.
    Chat(Option<Platform>),
}

impl<'a> Marked<'a> {
    /// One message.
    #[must_use]
    pub fn message(id: &'a QualifiedId) -> Self {
        Self::Message(id.as_str())
    }

    /// One viewer.
    #[must_use]
    pub fn author(id: &'a QualifiedId) -> Self {
        Self::Author(id.as_str())
    }

    fn key(self, room: RoomNumber) -> Vec<u8> {
        let (letter, which) = match self {
            Self::Message(it) => (b'm', it),
            Self::Author(it) => (b'a', it),
            Self::Chat(it) => (b'c', it.map_or("", Platform::as_str)),
        };
        let mut key = Vec::with_capacity(5 + which.len());
        key.extend_from_slice(&room.to_be_bytes());
        key.push(letter);
        key.extend_from_slice(which.as_bytes());
        key
    }
}

/// A mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The place of the event that says so.
    pub seq: u64,
    /// The platform's clock (ms since 1970); 0 where it did not tell.
    pub at_ms: i64,
}

impl Mark {
    fn read(value: &[u8]) -> Result<Self, StorageError> {
        let damaged = || StorageError::damaged("feed.marks: a row is too short");
        let (seq, at) = value.split_first_chunk::<8>().ok_or_else(damaged)?;
        let at = at.try_into().map_err(|_| damaged())?;
        Ok(Self { seq: u64::from_be_bytes(*seq), at_ms: i64::from_be_bytes(at) })
    }

    fn value(&self) -> [u8; 16] {
        let mut value = [0; 16];
        value[..8].copy_from_slice(&self.seq.to_be_bytes());
        value[8..].copy_from_slice(&self.at_ms.to_be_bytes());
        value
    }
}

/// The marks, for writing.
pub struct Marks<'tx>(Table<'tx, &'static [u8], &'static [u8]>);

impl<'tx> Marks<'tx> {
    /// Inside the caller's transaction.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(tx: &'tx Writing) -> Result<Self, StorageError> {
        Ok(Self(tx.open_table(MARKS)?))
    }

    /// Sets a mark. One that is there and reaches further stays: a purge may come late.
    ///
    /// # Errors
    /// What the disk says.
    pub fn set(
        &mut self,
        room: RoomNumber,
        what: Marked<'_>,
        mark: Mark,
    ) -> Result<(), StorageError> {
        let key = what.key(room);
        let old = self.0.get(key.as_slice())?.map(|it| Mark::read(it.value())).transpose()?;
        let mark = old.map_or(mark, |old| Mark {
            seq: old.seq.max(mark.seq),
            at_ms: old.at_ms.max(mark.at_ms),
        });
        self.0.insert(key.as_slice(), mark.value().as_slice())?;
        Ok(())
    }

    /// Takes a mark away that stands at this place or before.
    ///
    /// # Errors
    /// What the disk says.
    pub fn remove(
        &mut self,
        room: RoomNumber,
        what: Marked<'_>,
        seq: u64,
    ) -> Result<(), StorageError> {
        let key = what.key(room);
        let old = self.0.get(key.as_slice())?.map(|it| Mark::read(it.value())).transpose()?;
        if old.is_some_and(|it| it.seq <= seq) {
            self.0.remove(key.as_slice())?;
        }
        Ok(())
    }
}

/// The marks of one room, for reading.
pub struct RoomMarks {
    table: ReadOnlyTable<&'static [u8], &'static [u8]>,
    room: RoomNumber,
    /// None at all: nothing has to be asked.
    empty: bool,
    /// Clears, which are few.
    all: u64,
    by_platform: [u64; Platform::ALL.len()],
}

impl RoomMarks {
    /// Those of `room`.
    ///
    /// # Errors
    /// What the disk says.
    pub fn look(tx: &Reading, room: RoomNumber) -> Result<Self, StorageError> {
        let table = tx.open_table(MARKS)?;
        let (first, behind) = (room.to_be_bytes(), room.saturating_add(1).to_be_bytes());
        let empty = table.range(first.as_slice()..behind.as_slice())?.next().is_none();
        let mut marks = Self { table, room, empty, all: 0, by_platform: [0; Platform::ALL.len()] };
        marks.all = marks.find(Marked::Chat(None))?.map_or(0, |it| it.seq);
        for (slot, platform) in Platform::ALL.into_iter().enumerate() {
            let mark = marks.find(Marked::Chat(Some(platform)))?;
            marks.by_platform[slot] = mark.map_or(0, |it| it.seq);
        }
        Ok(marks)
    }

    /// Whether nothing was ever moderated in the room.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.empty
    }

    /// The mark of something.
    ///
    /// # Errors
    /// What the disk says.
    pub fn find(&self, what: Marked<'_>) -> Result<Option<Mark>, StorageError> {
        if self.empty {
            return Ok(None);
        }
        let row = self.table.get(what.key(self.room).as_slice())?;
        row.map(|it| Mark::read(it.value())).transpose()
    }

    /// Whether what stands at `seq` was moderated: itself, its author's words, or its whole chat.
    ///
    /// # Errors
    /// What the disk says.
    pub fn hide(
        &self,
        seq: u64,
        id: &str,
        author: &str,
        platform: Option<Platform>,
    ) -> Result<bool, StorageError> {
        if self.empty {
            return Ok(false);
        }
        let cleared = platform
            .and_then(|it| Platform::ALL.iter().position(|other| *other == it))
            .map_or(0, |slot| self.by_platform[slot]);
        if self.all.max(cleared) > seq {
            return Ok(true);
        }
        if self.find(Marked::Message(id))?.is_some() {
            return Ok(true);
        }
        Ok(!author.is_empty() && self.find(Marked::Author(author))?.is_some_and(|it| it.seq > seq))
    }
}

/// Takes the marks of one room of a file over into another file's room, so that nothing that was deleted comes
/// back with an older copy. `head` is the last place of the other: all before it is covered.
///
/// # Errors
/// What the disk says.
pub fn carry_over(
    from: &Reading,
    from_room: RoomNumber,
    to: &mut Marks<'_>,
    to_room: RoomNumber,
    head: u64,
) -> Result<(), StorageError> {
    let table = from.open_table(MARKS)?;
    let (first, behind) = (from_room.to_be_bytes(), from_room.saturating_add(1).to_be_bytes());
    for row in table.range(first.as_slice()..behind.as_slice())? {
        let (key, value) = row?;
        let mut own = to_room.to_be_bytes().to_vec();
        own.extend_from_slice(key.value().get(4..).unwrap_or_default());
        let known = to.0.get(own.as_slice())?.is_some_and(|it| it.value() == value.value());
        if known {
            continue;
        }
        let mut mark = Mark::read(value.value())?;
        if own.get(4) != Some(&b'm') {
            // It came after everything the copy holds.
            mark.seq = head + 1;
        }
        to.0.insert(own.as_slice(), mark.value().as_slice())?;
    }
    Ok(())
}

pub(super) fn make(tx: &Writing) -> Result<(), StorageError> {
    tx.open_table(MARKS)?;
    Ok(())
}

pub(in crate::storage) fn copy(from: &Reading, to: &Writing) -> Result<(), StorageError> {
    super::copy_rows(MARKS, from, to)
}
