//! One group of events on its way into the file: one transaction, and what it changes of each room.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
};

use super::{
    index::{Index, Room},
    record::{Hidden, Record},
};
use crate::{
    model::{
        EventBody, FeedGap, SessionStart, Timestamp,
        snapshot::{BOARDS_MOST, PollSnapshot, ScoreboardSnapshot, TallySnapshot},
    },
    storage::{
        StorageError, Writing,
        tables::{
            RoomNumber,
            events::{EventRow, Events, HIDDEN, QUOTE_HIDDEN},
            marks::Marks,
            minutes::{Minute, Minutes, minute_of},
            rooms::{RoomRow, Rooms},
            sessions::{SessionRow, Sessions},
        },
    },
};

/// Events that are missing in the file, said where they are.
#[derive(Debug, Clone)]
pub(super) struct Gap {
    pub(super) room: Arc<Room>,
    pub(super) events: u64,
}

/// What a batch changed, for the memory: valid once its transaction is.
pub(super) struct Written {
    pub(super) rooms: Vec<(Arc<Room>, RoomRow)>,
    /// The deletions that were on their way, by their numbers.
    marks: Vec<(Arc<Room>, HashSet<u64>)>,
    pub(super) gaps: Vec<Gap>,
    pub(super) events: u64,
    /// Of a file that is no longer in place.
    pub(super) passed_over: u64,
    pub(super) next_number: RoomNumber,
}

/// Events on their way into the file.
pub(super) struct Batch<'tx> {
    tx: &'tx Writing,
    index: &'tx Index,
    events: Events<'tx>,
    marks: Marks<'tx>,
    rooms: HashMap<usize, (Arc<Room>, RoomRow)>,
    /// Minutes behind which others have begun.
    minutes: Vec<(RoomNumber, Minute)>,
    ended: Vec<(RoomNumber, SessionRow)>,
    gaps: Vec<Gap>,
    count: u64,
    passed_over: u64,
    next_number: RoomNumber,
    imported_at: Option<Timestamp>,
    /// What is featured, the queue and the boards are not those of these events.
    stage_stays: bool,
    row: Vec<u8>,
}

impl<'tx> Batch<'tx> {
    pub(super) fn new(
        tx: &'tx Writing,
        index: &'tx Index,
        next_number: RoomNumber,
    ) -> Result<Self, StorageError> {
        Ok(Self {
            tx,
            index,
            events: Events::open(tx)?,
            marks: Marks::open(tx)?,
            rooms: HashMap::new(),
            minutes: Vec::new(),
            ended: Vec::new(),
            gaps: Vec::new(),
            count: 0,
            passed_over: 0,
            next_number,
            imported_at: None,
            stage_stays: false,
            row: Vec::new(),
        })
    }

    /// Its sessions come from a recording. With `stage_stays`, what was featured and queued in it is not what is now.
    pub(super) fn imported(mut self, at: Timestamp, stage_stays: bool) -> Self {
        self.imported_at = Some(at);
        self.stage_stays = stage_stays;
        self
    }

    /// The room as this batch has made it so far.
    pub(super) fn room(&mut self, room: &Arc<Room>) -> &mut RoomRow {
        let next_number = &mut self.next_number;
        let (_, durable) = self.rooms.entry(Arc::as_ptr(room) as usize).or_insert_with(|| {
            let mut durable = room.durable().clone();
            if durable.number == 0 {
                durable.number = *next_number;
                *next_number += 1;
            }
            (Arc::clone(room), durable)
        });
        durable
    }

    /// Adds an event under the numbering in force; what is missing before it becomes a gap.
    ///
    /// One that is there already, or of a file that is no longer in place, is passed over.
    pub(super) fn add(&mut self, room: &Arc<Room>, record: &Record) -> Result<(), StorageError> {
        if room.generation != self.index.generation {
            self.passed_over += 1;
            return Ok(());
        }
        if record.seq <= self.room(room).head {
            return Ok(());
        }
        if record.seq > self.room(room).head + 1 {
            self.add_gap(room, record.seq - 1, record.ts)?;
        }
        self.put(room, record, self.index.epoch)
    }

    /// Writes the deletions that wait in a room, whether or not anything happened in it.
    pub(super) fn touch(&mut self, room: &Arc<Room>) {
        if room.generation == self.index.generation {
            self.room(room);
        }
    }

    /// Says that everything up to `last` is missing.
    pub(super) fn add_gap(
        &mut self,
        room: &Arc<Room>,
        last: u64,
        ts: Timestamp,
    ) -> Result<(), StorageError> {
        let head = self.room(room).head;
        if room.generation != self.index.generation || last <= head {
            return Ok(());
        }
        let events = last - head;
        self.gaps.push(Gap { room: Arc::clone(room), events });
        let body = EventBody::FeedGap(FeedGap { events });
        let record = Record::new(last, ts, &body, body.data_json().into());
        self.put(room, &record, self.index.epoch)
    }

    /// Writes an event in its place, under an epoch.
    pub(super) fn put(
        &mut self,
        room: &Arc<Room>,
        record: &Record,
        epoch: u32,
    ) -> Result<(), StorageError> {
        self.count += 1;
        let wording = record.wording.as_deref();
        let ts_ms = record.ts.unix_ms();
        self.row.clear();
        EventRow {
            kind: record.kind,
            platform: record.platform,
            flags: match record.hidden {
                Hidden::Nothing => 0,
                Hidden::Whole => HIDDEN,
                Hidden::Quote => QUOTE_HIDDEN,
            },
            epoch,
            ts_ms,
            id: wording.map_or("", |it| it.id.as_str()),
            author: wording.and_then(|it| it.author.as_ref()).map_or("", |it| it.as_str()),
            quoted: wording.and_then(|it| it.quotes.as_ref()).map_or("", |it| it.0.as_str()),
            quoted_author: wording.and_then(|it| it.quotes.as_ref()).map_or("", |it| it.1.as_str()),
            data: &record.data,
        }
        .write(&mut self.row);
        if record.kind == "session.start" {
            let start: SessionStart = read(record)?;
            self.end_session(room);
            self.begin_session(room, start.session_id, record.ts);
            self.room(room).session.iter_mut().for_each(|it| it.title.clone_from(&start.title));
        }
        let stage_stays = self.stage_stays;
        let row = self.room(room);
        let number = row.number;
        if row.epochs.last().is_none_or(|it| it.0 != epoch) {
            // A gap takes the places before its own as well.
            row.epochs.push((epoch, row.head + 1));
        }
        match record.kind {
            _ if stage_stays => {}
            "feature.show" => row.featured = Some(record.seq),
            "feature.clear" => row.featured = None,
            "poll.update" => note_board(row, record, read::<PollSnapshot>(record)?.poll_id),
            "tally.update" => note_board(row, record, read::<TallySnapshot>(record)?.tally_id),
            "score.update" => {
                note_board(row, record, read::<ScoreboardSnapshot>(record)?.scoreboard_id);
            }
            "queue.update" => row.queue = Some(record.seq),
            _ => {}
        }
        row.orderly &= ts_ms >= row.last_ms;
        row.last_ms = ts_ms;
        row.head = record.seq;
        let bytes = self.events.put(number, record.seq, &self.row)?;
        self.room(room).bytes += bytes;

        let (messages, activities) = match (record.content, record.kind) {
            (true, "chat.message") => (1, 0),
            (true, _) => (0, 1),
            (false, _) => (0, 0),
        };
        let minute = minute_of(ts_ms);
        let row = self.room(room);
        if let Some(over) = row.minute.take_if(|it| it.minute != minute) {
            self.minutes.push((number, over));
        }
        let (first_seq, last_seq) = (record.seq, record.seq);
        let empty = Minute { minute, first_seq, last_seq, messages: 0, activities: 0 };
        let slot = self.room(room).minute.get_or_insert(empty);
        slot.add(record.seq, messages, activities);

        if record.kind == "session.end" {
            self.end_session(room);
        } else if let Some(session) = self.room(room).session.as_mut().filter(|_| record.content) {
            session.messages += u64::from(messages);
            session.activities += u64::from(activities);
            session.platforms.extend(record.platform);
            session.last_at = record.ts.max(session.last_at);
        }
        self.mark(number, record)
    }

    /// Begins a session at the next place.
    pub(super) fn begin_session(&mut self, room: &Arc<Room>, session_id: String, at: Timestamp) {
        let imported_at = self.imported_at;
        let durable = self.room(room);
        let start_seq = durable.head + 1;
        durable.session = Some(SessionRow {
            session_id,
            title: None,
            start_seq,
            first_seq: start_seq,
            last_seq: None,
            started_at: at,
            last_at: at,
            messages: 0,
            activities: 0,
            platforms: Default::default(),
            imported_at,
        });
    }

    /// Ends the session that is open at the newest place.
    pub(super) fn end_session(&mut self, room: &Arc<Room>) {
        let durable = self.room(room);
        let (number, head) = (durable.number, durable.head);
        if let Some(mut session) = durable.session.take() {
            session.last_seq = Some(head);
            self.ended.push((number, session));
        }
    }

    /// A deletion is a mark: the words stay for the audit, and no viewer reads them again.
    fn mark(&mut self, room: RoomNumber, record: &Record) -> Result<(), StorageError> {
        match &record.deletion {
            Some(it) => self.marks.set(room, it.marked(), record.mark()),
            None => Ok(()),
        }
    }

    /// Writes what the events changed of their rooms.
    pub(super) fn finish(self) -> Result<Written, StorageError> {
        let Self {
            tx,
            mut marks,
            rooms,
            minutes,
            ended,
            gaps,
            count,
            passed_over,
            next_number,
            ..
        } = self;
        let mut marked = Vec::new();
        for (room, durable) in rooms.values() {
            let mut numbers = HashSet::new();
            // Those of events that could not be taken as well: what was deleted stays so.
            for it in room.pending().iter().filter(|it| it.mark.seq <= durable.head) {
                marks.set(durable.number, it.deletion.marked(), it.mark)?;
                numbers.insert(it.number);
            }
            marked.push((Arc::clone(room), numbers));
        }
        drop(marks);
        let mut table = Minutes::open(tx)?;
        for (room, minute) in &minutes {
            table.add(*room, minute)?;
        }
        let mut table = Sessions::open(tx)?;
        for (room, session) in &ended {
            table.put(*room, session)?;
        }
        let mut table = Rooms::open(tx)?;
        let rooms: Vec<_> = rooms.into_values().collect();
        for (_, row) in &rooms {
            table.put(row)?;
        }
        Ok(Written { rooms, marks: marked, gaps, events: count, passed_over, next_number })
    }
}

impl Written {
    /// Makes it known. Only after the commit: what is known is what the disk has.
    pub(super) fn publish(&self) {
        for (room, durable) in &self.rooms {
            room.offered.fetch_max(durable.head, Ordering::AcqRel);
            *room.durable() = durable.clone();
        }
        // Only those: another may have been noted since, at whatever place.
        for (room, numbers) in &self.marks {
            room.pending().retain(|it| !numbers.contains(&it.number));
        }
    }
}

/// Remembers where one of a room's boards was told last, and forgets those that nobody is told of any more.
fn note_board(row: &mut RoomRow, record: &Record, id: String) {
    row.boards.retain(|it| (it.0.as_str(), &it.1) != (record.kind, &id));
    row.boards.push((record.kind.to_owned(), id, record.seq));
    if row.boards.iter().filter(|it| it.0 == record.kind).count() > BOARDS_MOST {
        let oldest = row.boards.iter().position(|it| it.0 == record.kind);
        oldest.map(|it| row.boards.remove(it));
    }
}

fn read<T: serde::de::DeserializeOwned>(record: &Record) -> Result<T, StorageError> {
    serde_json::from_slice(&record.data)
        .map_err(|it| StorageError::damaged(format!("a {} that is none: {it}", record.kind)))
}
