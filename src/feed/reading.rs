//! What can be asked of a room's log.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    filter::Filter,
    index::{Index, Room},
    session::{Histogram, StreamSession},
    view::{Pending, View},
};
use crate::{
    model::{
        ChatClear, ChatClearUser, ChatDelete, ChatRedacted, Event, EventBody, Message, Platform,
        QualifiedId, Timestamp,
    },
    storage::{
        Database, Reading, StorageError,
        tables::{
            RoomNumber,
            events::{EventRow, EventsView, HIDDEN},
            marks::{Marked, RoomMarks},
            minutes::{self, minute_of},
            rooms::{self, RoomRow},
            sessions,
        },
    },
};

/// Most rows looked at for one answer: what a filter passes over takes time as well.
const MOST_LOOKED_AT: usize = 20_000;
/// Most rows in which a message is looked for by its id.
const MOST_SEARCHED: usize = 100_000;
/// Most messages of one viewer that a purge names one by one (count): the pop-out shows no more rows.
const MOST_NAMED: usize = 1_000;
/// Buckets of a seek bar, about.
const BUCKETS: u64 = 240;
/// Up to so many events of a session are counted one by one, for a finer seek bar.
const COUNTED_ONE_BY_ONE: u64 = 20_000;

/// Which events are wanted, and how much of them at once.
#[derive(Debug, Clone)]
pub struct Span {
    /// Only those behind this place.
    pub after: u64,
    /// Only those before this place.
    pub before: u64,
    /// Only those from this moment on.
    pub from: Option<Timestamp>,
    /// Only those before this moment.
    pub to: Option<Timestamp>,
    /// Only those of these kinds.
    pub filter: Filter,
    /// At most so many (count).
    pub most_events: usize,
    /// And no more than this, but for the first (bytes).
    pub most_bytes: usize,
    /// The newest of them instead of the oldest; in the feed's order all the same.
    pub newest: bool,
    /// Moderated words as well: for the audit only.
    pub originals: bool,
}

impl Default for Span {
    fn default() -> Self {
        Self {
            after: 0,
            before: u64::MAX,
            from: None,
            to: None,
            filter: Filter::default(),
            most_events: usize::MAX,
            most_bytes: usize::MAX,
            newest: false,
            originals: false,
        }
    }
}

/// Some events of a room.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// In the feed's order.
    pub events: Vec<Stored>,
    /// How far that went, what was not wanted included: forward the last place looked at, and for the
    /// newest the first.
    pub reached: u64,
    /// There may be more beyond.
    pub more: bool,
    /// The place before the oldest event that was kept in the moment looked at.
    pub floor: u64,
}

/// One event as read back.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Place in the feed.
    pub seq: u64,
    /// Of the numbering: an older one's than the room's, where it was recorded before a kill.
    pub epoch: Arc<str>,
    /// The event: the whole JSON object.
    pub json: Bytes,
}

/// Why a reader that goes on from a place cannot.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What comes next is no longer kept.
    #[error("it is no longer kept")]
    Gone,
    /// The log cannot be read now.
    #[error("the feed log cannot be read now")]
    Unavailable,
}

/// What a room remembers of its past when it opens: recognised repeats and deletions.
#[derive(Debug, Default)]
pub struct Tail {
    /// Type and id of the newest events that have one, oldest first.
    pub seen: Vec<(&'static str, String)>,
    /// Messages that were deleted.
    pub deleted: Vec<QualifiedId>,
    /// Viewers whose words were purged, and until when by the platform's clock.
    pub purged: Vec<(QualifiedId, Option<Timestamp>)>,
    /// Chats that were cleared, and until when.
    pub cleared: Vec<(Option<Platform>, Option<Timestamp>)>,
}

/// A room, looked at in one moment of the database.
pub(super) struct Reader<'a> {
    pub(super) database: &'a Database,
    pub(super) index: &'a Index,
    pub(super) room: &'a Room,
    pending: Pending,
}

impl<'a> Reader<'a> {
    /// What is there now. Made before the file is looked at: see [`Pending`].
    pub(super) fn new(database: &'a Database, index: &'a Index, room: &'a Room) -> Self {
        Self { database, index, room, pending: Pending::of(room) }
    }

    fn view(
        &self,
        tx: &Reading,
        number: RoomNumber,
        originals: bool,
    ) -> Result<View<'_>, StorageError> {
        View::new(tx, self.index, &self.room.name, &self.pending, number, originals)
    }

    /// What the file says of the room in the moment looked at; nothing while nothing was recorded.
    fn row(&self, tx: &Reading) -> Result<RoomRow, StorageError> {
        let row = rooms::find(tx, &self.room.name)?;
        Ok(row.unwrap_or_else(|| self.room.durable().clone()))
    }

    /// Some of the events of a span.
    pub(super) fn page(&self, span: &Span) -> Result<Page, StorageError> {
        self.database.read(|tx| {
            let room = self.row(tx)?;
            let RoomRow { number, floor, head, .. } = room;
            let view = self.view(tx, number, span.originals)?;
            let mut first = span.after.max(floor).saturating_add(1);
            let mut last = span.before.saturating_sub(1).min(head);
            if let Some(from) = span.from {
                first = first.max(first_of(tx, &room, minute_of(from.unix_ms()))?);
            }
            if let Some(to) = span.to {
                last = last.min(last_of(tx, &room, minute_of(to.unix_ms()))?);
            }
            let mut page = Page { floor, ..Page::default() };
            let (mut looked_at, mut bytes) = (0, 0);
            let mut reached = None;
            let mut each = |seq: u64, row: &EventRow<'_>| {
                if page.events.len() >= span.most_events || looked_at >= MOST_LOOKED_AT {
                    page.more = true;
                    return Ok(false);
                }
                let in_time = span.from.is_none_or(|it| row.ts_ms >= it.unix_ms())
                    && span.to.is_none_or(|it| row.ts_ms < it.unix_ms());
                if in_time && view.wants(&span.filter, seq, row)? {
                    let json = view.json(seq, row)?;
                    if bytes > 0 && bytes + json.len() > span.most_bytes {
                        page.more = true;
                        return Ok(false);
                    }
                    bytes += json.len();
                    let epoch = view.epoch(row)?;
                    page.events.push(Stored { seq, epoch, json: json.into() });
                }
                looked_at += 1;
                reached = Some(seq);
                Ok(true)
            };
            let events = EventsView::look(tx)?;
            if span.newest {
                events.each(number, (first, last), true, &mut each)?;
                page.events.reverse();
                page.reached = reached.unwrap_or(first);
            } else {
                events.each(number, (first, last), false, &mut each)?;
                // What is beyond the last row in time is not there: nothing more is to be looked at.
                page.reached = reached.unwrap_or(span.after).max(span.after);
            }
            Ok(page)
        })
    }

    /// The events behind `after`, for a reader that must not miss one.
    pub(super) fn next(
        &self,
        after: u64,
        filter: &Filter,
        most_events: usize,
        most_bytes: usize,
    ) -> Result<Page, ReadError> {
        let broken = |error: StorageError| {
            tracing::warn!(creator.id = %self.room.name, %error, "the feed log cannot be read");
            ReadError::Unavailable
        };
        let span =
            Span { after, filter: filter.clone(), most_events, most_bytes, ..Span::default() };
        let page = self.page(&span).map_err(broken)?;
        // Retention may have passed by.
        if after < page.floor {
            return Err(ReadError::Gone);
        }
        // Rows that should be there are not: going on would be going in circles.
        if page.reached <= after { Err(ReadError::Unavailable) } else { Ok(page) }
    }

    /// The place behind which the newest `count` wanted events before `before` begin.
    pub(super) fn backlog_start(
        &self,
        before: u64,
        count: usize,
        filter: &Filter,
    ) -> Result<u64, StorageError> {
        let mut start = before.saturating_sub(1);
        self.database.read(|tx| {
            let RoomRow { number, floor, .. } = self.row(tx)?;
            let view = self.view(tx, number, false)?;
            let (mut found, mut looked_at) = (0, 0);
            EventsView::look(tx)?.each(
                number,
                (floor + 1, before.saturating_sub(1)),
                true,
                |seq, row| {
                    looked_at += 1;
                    if view.wants(filter, seq, row)? {
                        found += 1;
                        start = seq - 1;
                    }
                    Ok(found < count && looked_at < MOST_LOOKED_AT)
                },
            )
        })?;
        Ok(start)
    }

    /// What the room has to know of its newest `most` events.
    pub(super) fn tail(&self, most: usize) -> Result<Tail, StorageError> {
        let mut tail = Tail::default();
        self.database.read(|tx| {
            let RoomRow { number, floor, head, .. } = self.row(tx)?;
            let view = self.view(tx, number, false)?;
            let mut left = most;
            EventsView::look(tx)?.each(number, (floor + 1, head), true, |seq, row| {
                left = left.saturating_sub(1);
                // A purge deletes each of them: a reply that comes later must not quote them.
                if view.hides(seq, row)?
                    && let Ok(id) = QualifiedId::try_from(row.id.to_owned())
                {
                    tail.deleted.push(id);
                }
                let at = |what| -> Result<Option<Timestamp>, StorageError> {
                    let mark = view.marks().find(what)?.filter(|it| it.at_ms != 0);
                    Ok(mark.and_then(|it| Timestamp::from_unix_ms(it.at_ms)))
                };
                match row.kind {
                    "chat.message" | "activity" => tail.seen.push((row.kind, row.id.to_owned())),
                    "chat.delete" => {
                        let it: ChatDelete = parse(row)?;
                        tail.seen.push((row.kind, it.message_id.as_str().to_owned()));
                        tail.deleted.push(it.message_id);
                    }
                    "chat.redacted" => {
                        let it: ChatRedacted = parse(row)?;
                        tail.seen.push((row.kind, it.message_id.as_str().to_owned()));
                        tail.deleted.push(it.message_id);
                    }
                    "chat.clear_user" => {
                        let it: ChatClearUser = parse(row)?;
                        let at = at(Marked::author(&it.author_id))?;
                        tail.purged.push((it.author_id, at));
                    }
                    "chat.clear" => {
                        let it: ChatClear = parse(row)?;
                        tail.cleared.push((it.platform, at(Marked::Chat(it.platform))?));
                    }
                    _ => {}
                }
                Ok(left > 0)
            })
        })?;
        tail.seen.reverse();
        tail.deleted.reverse();
        tail.purged.reverse();
        tail.cleared.reverse();
        Ok(tail)
    }

    /// The message that is featured, as viewers may read it.
    pub(super) fn featured(&self) -> Result<Option<Box<Message>>, StorageError> {
        let seq = self.room.durable().featured;
        Ok(match self.at(seq)? {
            Some(EventBody::FeatureShow(it)) => Some(it),
            // It was moderated.
            _ => None,
        })
    }

    /// What polls, tallies and scoreboards are now; the one that changed last is last.
    pub(super) fn boards(&self) -> Result<Vec<EventBody>, StorageError> {
        let places: Vec<u64> = self.room.durable().boards.iter().map(|it| it.2).collect();
        // One that is older than all that is kept is gone.
        places.into_iter().filter_map(|seq| self.at(Some(seq)).transpose()).collect()
    }

    /// The queue, as viewers may read it.
    pub(super) fn queue(&self) -> Result<Vec<Message>, StorageError> {
        let seq = self.room.durable().queue;
        Ok(match self.at(seq)? {
            Some(EventBody::QueueUpdate(it)) => it.items,
            _ => Vec::new(),
        })
    }

    /// What stands at a place, as viewers may read it; `None` when it is no longer kept.
    fn at(&self, seq: Option<u64>) -> Result<Option<EventBody>, StorageError> {
        let Some(seq) = seq else { return Ok(None) };
        let span = Span { after: seq.saturating_sub(1), most_events: 1, ..Span::default() };
        let page = self.page(&span)?;
        let stored = page.events.first().filter(|it| it.seq == seq);
        stored.map(|it| body(&it.json)).transpose()
    }

    /// The message of that id, as viewers may read it, among the newest rows before `before`: ids have no index,
    /// because only what was said lately is ever asked for.
    pub(super) fn message(
        &self,
        id: &QualifiedId,
        before: u64,
    ) -> Result<Option<Box<Message>>, StorageError> {
        let mut found = None;
        self.database.read(|tx| {
            let RoomRow { number, floor, head, .. } = self.row(tx)?;
            let view = self.view(tx, number, false)?;
            let span = (floor + 1, before.saturating_sub(1).min(head));
            let mut left = MOST_SEARCHED;
            EventsView::look(tx)?.each(number, span, true, |seq, row| {
                left -= 1;
                if row.id != id.as_str() || !matches!(row.kind, "chat.message" | "feature.show") {
                    return Ok(left > 0);
                }
                if let EventBody::ChatMessage(it) | EventBody::FeatureShow(it) =
                    body(&view.json(seq, row)?)?
                {
                    found = Some(it);
                }
                Ok(false)
            })
        })?;
        Ok(found)
    }

    /// What one viewer said before the place `before` and has not been purged of yet, newest first.
    pub(super) fn said_by(
        &self,
        author: &QualifiedId,
        before: u64,
    ) -> Result<Vec<QualifiedId>, StorageError> {
        let mut said = Vec::new();
        self.database.read(|tx| {
            let RoomRow { number, floor, head, .. } = self.row(tx)?;
            let marks = RoomMarks::look(tx, number)?;
            let span = (floor + 1, before.saturating_sub(1).min(head));
            let mut left = MOST_LOOKED_AT;
            EventsView::look(tx)?.each(number, span, true, |_, row| {
                left -= 1;
                let purged = match row.kind {
                    "chat.clear_user" => parse::<ChatClearUser>(row)?.author_id == *author,
                    "chat.clear" => {
                        let only = parse::<ChatClear>(row)?.platform;
                        only.is_none() || only == author.platform()
                    }
                    _ => false,
                };
                if purged {
                    // What stands before it went then.
                    return Ok(false);
                }
                let shown = row.author == author.as_str()
                    && matches!(row.kind, "chat.message" | "activity")
                    && row.flags & HIDDEN == 0
                    && marks.find(Marked::Message(row.id))?.is_none();
                if shown && let Ok(id) = QualifiedId::try_from(row.id.to_owned()) {
                    said.push(id);
                }
                Ok(left > 0 && said.len() < MOST_NAMED)
            })
        })?;
        Ok(said)
    }

    /// Shows `each` the room's sessions, newest first, while it says `true`: the open one, then those that have ended.
    fn each_session(
        &self,
        mut each: impl FnMut(StreamSession) -> bool,
    ) -> Result<(), StorageError> {
        let now = Timestamp::now();
        self.database.read(|tx| {
            let RoomRow { number, head, session, .. } = self.row(tx)?;
            if let Some(open) = session
                && !each(StreamSession::new(open, head, now))
            {
                return Ok(());
            }
            sessions::each_newest(tx, number, |it| each(StreamSession::new(it, head, now)))
        })
    }

    /// A room's sessions, newest first, before the one given.
    pub(super) fn sessions(
        &self,
        before: Option<&str>,
        most: usize,
    ) -> Result<Vec<StreamSession>, StorageError> {
        let mut skip = before.is_some();
        let mut found = Vec::new();
        self.each_session(|it| {
            if skip {
                skip = Some(it.session_id.as_str()) != before;
            } else {
                found.push(it);
            }
            found.len() < most
        })?;
        Ok(found)
    }

    /// A session, by its id; the newest one for `latest`.
    pub(super) fn session(&self, id: &str) -> Result<Option<StreamSession>, StorageError> {
        let mut found = None;
        self.each_session(|it| {
            if id == "latest" || it.session_id == id {
                found = Some(it);
            }
            found.is_none()
        })?;
        Ok(found)
    }

    /// How much was said when in a session.
    pub(super) fn histogram(&self, session: &StreamSession) -> Result<Histogram, StorageError> {
        let start = session.started_at.unix_ms();
        let finely = session.events <= COUNTED_ONE_BY_ONE;
        let least = if finely { 1_000 } else { minutes::MINUTE_MS.unsigned_abs() };
        let bucket_ms = (session.duration_ms / BUCKETS).next_multiple_of(least).max(least);
        let mut counts = vec![0_u32; (session.duration_ms / bucket_ms + 1) as usize];
        let mut count = |ms: i64, more: u32| {
            let bucket = (ms - start).max(0).unsigned_abs() / bucket_ms;
            if let Some(slot) = counts.get_mut(bucket as usize) {
                *slot = slot.saturating_add(more);
            }
        };
        self.database.read(|tx| {
            let RoomRow { number, minute, .. } = self.row(tx)?;
            if finely {
                let events = EventsView::look(tx)?;
                let all = (session.first_seq, session.last_seq);
                return events.each(number, all, false, |_, row| {
                    if matches!(row.kind, "chat.message" | "activity") {
                        count(row.ts_ms, 1);
                    }
                    Ok(true)
                });
            }
            let end = minute_of(start + session.duration_ms as i64);
            let full = minutes::list(tx, number, minute_of(start), end, |_| true)?;
            for it in full.into_iter().chain(minute) {
                let mine = it.last_seq >= session.first_seq && it.first_seq <= session.last_seq;
                if mine {
                    count(it.minute as i64 * minutes::MINUTE_MS, it.messages + it.activities);
                }
            }
            Ok(())
        })?;
        Ok(Histogram { bucket_ms, counts })
    }
}

/// The first place that anything from this minute on can have.
fn first_of(tx: &Reading, room: &RoomRow, minute: u64) -> Result<u64, StorageError> {
    let mut first = u64::MAX;
    let current = room.minute.filter(|it| it.minute >= minute);
    minutes::list(tx, room.number, minute, u64::MAX, |it| {
        first = first.min(it.first_seq);
        !room.orderly
    })?;
    Ok(current.map_or(first, |it| first.min(it.first_seq)))
}

/// The last place that anything up to this minute can have.
fn last_of(tx: &Reading, room: &RoomRow, minute: u64) -> Result<u64, StorageError> {
    let current = room.minute.filter(|it| it.minute <= minute).map_or(0, |it| it.last_seq);
    let last = if room.orderly {
        minutes::find_last(tx, room.number, minute)?.map_or(0, |it| it.last_seq)
    } else {
        let all = minutes::list(tx, room.number, 0, minute, |_| true)?;
        all.iter().map(|it| it.last_seq).max().unwrap_or(0)
    };
    Ok(last.max(current))
}

/// What an event says that was read back.
fn body(json: &[u8]) -> Result<EventBody, StorageError> {
    let event: Event =
        serde_json::from_slice(json).map_err(|it| StorageError::damaged(it.to_string()))?;
    Ok(event.body)
}

fn parse<T: serde::de::DeserializeOwned>(row: &EventRow<'_>) -> Result<T, StorageError> {
    serde_json::from_slice(row.data)
        .map_err(|it| StorageError::damaged(format!("{}: {it}", row.kind)))
}
