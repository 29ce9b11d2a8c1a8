//! A recording put into a room's log: as it was, and all of it or nothing.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::oneshot;

use super::{
    batch::{Batch, Written},
    index::Index,
    record::{Deletion, Hidden, Record},
};
use crate::{
    model::{CreatorId, Event, EventBody, QualifiedId, Timestamp},
    storage::{
        Database, StorageError,
        tables::{epochs, sessions},
    },
};

/// Longest line of a recording (bytes).
const MAX_LINE: usize = 1 << 20;

/// A recording that is to be written.
pub(super) struct Import {
    pub(super) room: CreatorId,
    pub(super) file: PathBuf,
    pub(super) done: oneshot::Sender<Result<Imported, ImportError>>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Events (count).
    pub events: u64,
    /// The place of the first.
    pub first_seq: u64,
    /// The place of the last.
    pub last_seq: u64,
    /// Whether they kept their places and epochs: the room had no log before.
    pub as_numbered: bool,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A line is no event.
    #[error("line {0}: {1}")]
    Line(u64, String),
    /// The file holds none.
    #[error("it holds no events")]
    Empty,
    /// The room has a session of that name already.
    #[error("the room already has the session {0}")]
    Exists(String),
    /// An event is older than the one before it.
    #[error("it is out of order: an event of {0} stands behind a later one")]
    Disordered(Timestamp),
    /// The file has two sessions of one name.
    #[error("the session {0} begins in it twice")]
    Twice(String),
    /// The log is not kept, or was closed.
    #[error("the feed log is closed")]
    Closed,
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The log refused.
    #[error("the feed log: {0}")]
    Storage(#[from] StorageError),
}

/// What a first look at a recording finds.
struct Look {
    events: u64,
    first: Event,
    /// Every place follows on the one before.
    consecutive: bool,
    sessions: Vec<String>,
}

fn each_event(
    file: &Path,
    mut each: impl FnMut(Event) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut lines = BufReader::with_capacity(1 << 16, File::open(file)?);
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        number += 1;
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        if text.len() > MAX_LINE {
            return Err(ImportError::Line(number, format!("longer than {MAX_LINE} bytes")));
        }
        let event: Event = serde_json::from_slice(text)
            .map_err(|error| ImportError::Line(number, error.to_string()))?;
        check(&event).map_err(|problem| ImportError::Line(number, problem))?;
        each(event)?;
    }
}

/// What becomes a part of addresses and of every event must be of the kind we make.
fn check(event: &Event) -> Result<(), String> {
    let epoch = &event.epoch;
    if !(1..=64).contains(&epoch.len()) || !epoch.bytes().all(|it| it.is_ascii_alphanumeric()) {
        return Err("the epoch is not 1 to 64 letters and digits".to_owned());
    }
    match &event.body {
        EventBody::SessionStart(it) if !is_session_id(&it.session_id) => Err(format!(
            "`{}` is not a session id: 1 to 64 letters, digits, `.`, `_` or `-`",
            it.session_id
        )),
        _ => Ok(()),
    }
}

/// Whether a text can be the id of a stream session.
#[must_use]
pub fn is_session_id(text: &str) -> bool {
    let fits = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'_' | b'-');
    (1..=64).contains(&text.len())
        && text.bytes().all(fits)
        && text != "latest"
        && !text.ends_with(".jsonl")
}

/// The first place that an event takes: a gap stands for those before it as well.
fn first_place(event: &Event) -> u64 {
    match &event.body {
        EventBody::FeedGap(it) => (event.seq + 1).saturating_sub(it.events),
        _ => event.seq,
    }
}

fn look(file: &Path) -> Result<Look, ImportError> {
    let mut found: Option<(Look, u64)> = None;
    let mut before = None;
    each_event(file, |event| {
        // In a stream time never goes back: this one was put together by hand, or shuffled.
        if before.is_some_and(|it| event.ts < it) {
            return Err(ImportError::Disordered(event.ts));
        }
        before = Some(event.ts);
        let (look, last) = found.get_or_insert_with(|| {
            let consecutive = first_place(&event) > 0;
            let look = Look { events: 0, first: event.clone(), consecutive, sessions: Vec::new() };
            (look, first_place(&event).saturating_sub(1))
        });
        look.consecutive &= first_place(&event) == *last + 1;
        look.events += 1;
        *last = event.seq;
        if let EventBody::SessionStart(it) = event.body {
            if look.sessions.contains(&it.session_id) {
                return Err(ImportError::Twice(it.session_id));
            }
            look.sessions.push(it.session_id);
        }
        Ok(())
    })?;
    found.map(|it| it.0).ok_or(ImportError::Empty)
}

/// Writes a recording: into an empty room with its own places and epochs, so that what is downloaded again is
/// the same to the byte; behind what another room holds with the next ones.
pub(super) fn write(
    database: &Database,
    index: &Index,
    next_number: u32,
    import: &Import,
) -> Result<(Written, Imported), ImportError> {
    let look = look(&import.file)?;
    let room = index.room(&import.room);
    let as_numbered = room.durable().number == 0 && look.consecutive;
    let now = Timestamp::now();
    // What stops the transaction is no fault of the database.
    let mut stopped = None;
    let mut first_seq = 0;
    let mut made: Vec<(u32, Arc<str>)> = Vec::new();
    let mut deleted: HashSet<QualifiedId> = HashSet::new();
    let outcome = database.write(|tx| {
        let number = room.durable().number;
        let mut there = sessions::list_oldest(tx, number, |_| true)?;
        there.extend(room.durable().session.clone());
        if let Some(twice) = there.iter().find(|it| look.sessions.contains(&it.session_id)) {
            stopped = Some(ImportError::Exists(twice.session_id.clone()));
            return Err(StorageError::damaged("import stopped"));
        }
        let mut batch = Batch::new(tx, index, next_number)?.imported(now, !as_numbered);
        if as_numbered {
            let durable = batch.room(&room);
            durable.floor = first_place(&look.first) - 1;
            durable.head = durable.floor;
        } else {
            batch.end_session(&room);
        }
        first_seq = batch.room(&room).head + 1;
        if !matches!(look.first.body, EventBody::SessionStart(_)) {
            let id = look.first.ts.compact();
            let taken = |id: &str| {
                there.iter().any(|it| it.session_id == id)
                    || look.sessions.iter().any(|it| it == id)
            };
            let mut ids = (2..).map(|count| format!("{id}-{count}"));
            let id = if taken(&id) { ids.find(|it| !taken(it)).unwrap_or(id) } else { id };
            batch.begin_session(&room, id, look.first.ts);
        }
        let read = each_event(&import.file, |event| {
            let epoch = if as_numbered {
                let known = index.epoch_number(&event.epoch);
                match known.or_else(|| made.iter().find(|it| *it.1 == *event.epoch).map(|it| it.0))
                {
                    Some(it) => it,
                    None => {
                        let number = index.next_epoch() + made.len() as u32;
                        epochs::add(tx, number, &event.epoch)?;
                        made.push((number, event.epoch.as_str().into()));
                        number
                    }
                }
            } else {
                index.epoch
            };
            let seq = if as_numbered { event.seq } else { batch.room(&room).head + 1 };
            let body = &event.body;
            let mut record = Record::new(seq, event.ts, body, body.data_json().into());
            match (&record.deletion, &record.wording) {
                (Some(Deletion::Message(id)), _) => drop(deleted.insert(id.clone())),
                // It came after its own deletion, and was never shown.
                (None, Some(it)) if deleted.contains(&it.id) => record.hidden = Hidden::Whole,
                _ => {}
            }
            batch.put(&room, &record, epoch)?;
            Ok(())
        });
        match read {
            Ok(()) => {}
            Err(ImportError::Storage(error)) => return Err(error),
            Err(error) => {
                stopped = Some(error);
                return Err(StorageError::damaged("import stopped"));
            }
        }
        // What comes live is another stream.
        batch.end_session(&room);
        batch.finish()
    });
    if let Some(stopped) = stopped {
        return Err(stopped);
    }
    let written = outcome?;
    for (number, name) in made {
        index.add_epoch(number, name);
    }
    let last_seq = written.rooms.first().map_or(0, |it| it.1.head);
    let imported = Imported { events: look.events, first_seq, last_seq, as_numbered };
    Ok((written, imported))
}
