//! The log as one room sees it: what it appends, and what it can be asked.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

use super::{
    Open,
    filter::Filter,
    index::Room,
    reading::{Page, ReadError, Reader, Span, Tail},
    record::{Deletion, Record},
    session::{Histogram, StreamSession},
};
use crate::{
    model::{EventBody, Message, QualifiedId, Timestamp},
    storage::{StorageError, tables::marks::Mark},
};

/// Longest wait of a reader for what was offered and is not yet on the disk.
const COMMIT_PATIENCE: Duration = Duration::from_secs(10);

/// The log of one room. Cheap to clone.
#[derive(Clone)]
pub struct RoomLog(pub(super) Option<(Arc<Open>, Arc<Room>)>);

impl RoomLog {
    /// Keeps nothing.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Whether anything is kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// The epoch in force; `None` where nothing is kept.
    #[must_use]
    pub fn epoch(&self) -> Option<Arc<str>> {
        let (open, _) = self.0.as_ref()?;
        let index = open.shared.index();
        index.epoch_name(index.epoch)
    }

    /// The place behind which the room goes on.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.0.as_ref().map_or(0, |(_, room)| room.offered())
    }

    /// The place before the oldest event kept.
    #[must_use]
    pub fn floor(&self) -> u64 {
        self.0.as_ref().map_or(u64::MAX, |(_, room)| room.floor())
    }

    /// When the newest event came; `None` before the first.
    #[must_use]
    pub fn last_at(&self) -> Option<Timestamp> {
        let (_, room) = self.0.as_ref()?;
        let last_ms = room.durable().last_ms;
        Timestamp::from_unix_ms(last_ms).filter(|_| last_ms != i64::MIN)
    }

    /// The session that is open: its id, title, beginning, and when something last happened in it.
    #[must_use]
    pub fn open_session(&self) -> Option<OpenSession> {
        let (_, room) = self.0.as_ref()?;
        let session = room.durable().session.clone()?;
        Some(OpenSession {
            session_id: session.session_id,
            title: session.title,
            started_at: session.started_at,
            last_at: session.last_at,
        })
    }

    /// Takes one event, or says `false` at once when it cannot: the log gets a gap in its place.
    pub fn append(&self, record: Record) -> bool {
        let Some((open, room)) = &self.0 else { return true };
        // Before anything else: no reader may find what this takes away, whatever becomes of the event.
        if let Some(deletion) = &record.deletion {
            room.note_deletion(deletion.clone(), record.mark());
        }
        room.offered.store(record.seq, Ordering::Release);
        open.shared.queue.offer(room, record)
    }

    /// Takes away from viewers what stands before `seq`, without an event that says so. On the disk within the
    /// commit delay, as events are.
    pub fn hide_before(&self, deletion: Deletion, seq: u64, at: Timestamp) {
        if let Some((open, room)) = &self.0 {
            room.note_deletion(deletion, Mark { seq, at_ms: at.unix_ms() });
            open.shared.queue.offer_marks(room);
        }
    }

    /// Where a client goes on that has `seq` of `epoch`; `None` where that is not known.
    ///
    /// Numbers of an older epoch that never reached the disk were given again: whoever holds one goes on
    /// behind the last that did.
    #[must_use]
    pub fn find_place(&self, epoch: &str, seq: u64) -> Option<u64> {
        let (open, room) = self.0.as_ref()?;
        let index = open.shared.index();
        let number = index.epoch_number(epoch)?;
        let durable = room.durable();
        let epochs = &durable.epochs;
        let end = match epochs.iter().rposition(|it| it.0 == number) {
            // The next one began behind the last of this one.
            Some(at) => epochs.get(at + 1).map_or(durable.head, |next| next.1 - 1),
            // Nothing of it reached the disk: it is in force now, or was between two that are there.
            None if number == index.epoch => durable.head,
            None => epochs.iter().find(|it| it.0 > number).map_or(durable.head, |it| it.1 - 1),
        };
        let place = seq.min(end);
        (place >= durable.floor).then_some(place)
    }

    /// Whether the events behind a place are kept.
    #[must_use]
    pub fn holds(&self, after: u64) -> bool {
        self.0.as_ref().is_some_and(|(_, room)| after >= room.floor())
    }

    /// Whether everything up to a place can be read, now or within moments. While the disk refuses, nobody knows
    /// when what was shown meanwhile will be there.
    #[must_use]
    pub fn reaches(&self, seq: u64) -> bool {
        self.0.as_ref().is_some_and(|(open, room)| {
            room.head() >= seq || (open.shared.trouble().is_none() && room.offered() >= seq)
        })
    }

    /// Waits until `seq` is on the disk; `false` when that takes too long.
    async fn committed(&self, seq: u64) -> bool {
        let Some((open, room)) = &self.0 else { return false };
        let mut commits = open.shared.committed.subscribe();
        let deadline = Instant::now() + COMMIT_PATIENCE.max(open.linger * 20);
        if room.head() < seq {
            open.shared.queue.hurry();
        }
        loop {
            if room.head() >= seq {
                return true;
            }
            // While the disk refuses, nobody knows for how long.
            if open.shared.trouble().is_some() {
                return false;
            }
            if !matches!(timeout_at(deadline, commits.changed()).await, Ok(Ok(()))) {
                return false;
            }
        }
    }

    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(Reader<'_>) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, ReadError> {
        self.read(move |it| {
            look(it).map_err(|error| {
                tracing::warn!(%error, "the feed log cannot be read");
                ReadError::Unavailable
            })
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(Reader<'_>) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let (open, room) = self.0.clone().ok_or(ReadError::Gone)?;
        let turn = open.readers.acquire().await.map_err(|_| ReadError::Unavailable)?;
        let shared = Arc::clone(&open.shared);
        let reading = open.life.spawn_blocking(move || {
            let (database, index) = shared.current();
            let database = database.ok_or(ReadError::Unavailable)?;
            if room.generation != index.generation {
                // Of a file that is no longer in place: its places are not those of this one.
                return Err(ReadError::Unavailable);
            }
            look(Reader::new(&database, &index, &room))
        });
        let read = reading.await.unwrap_or(Err(ReadError::Unavailable));
        drop(turn);
        read
    }

    /// The events behind `after` that `filter` wants, in order and without a hole, waiting for those that were
    /// shown and are not on the disk yet.
    ///
    /// # Errors
    /// When what comes next is no longer kept, or the log cannot be read.
    pub async fn next(
        &self,
        after: u64,
        filter: &Filter,
        most_events: usize,
        most_bytes: usize,
    ) -> Result<Page, ReadError> {
        let (_, room) = self.0.as_ref().ok_or(ReadError::Gone)?;
        if after < room.floor() {
            return Err(ReadError::Gone);
        }
        if room.head() <= after && !self.committed(after + 1).await {
            return Err(ReadError::Unavailable);
        }
        let filter = filter.clone();
        self.read(move |it| it.next(after, &filter, most_events, most_bytes)).await
    }

    /// Some of the events of a span, as they are on the disk.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn page(&self, span: Span) -> Result<Page, ReadError> {
        self.look(move |it| it.page(&span)).await
    }

    /// The place behind which the newest `count` wanted events before `before` begin.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn backlog_start(
        &self,
        before: u64,
        count: usize,
        filter: &Filter,
    ) -> Result<u64, ReadError> {
        let filter = filter.clone();
        self.look(move |it| it.backlog_start(before, count, &filter)).await
    }

    /// The message that is featured; asks the disk only when there is one.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn featured(&self) -> Result<Option<Box<Message>>, ReadError> {
        let any = |(_, room): &(_, Arc<Room>)| room.durable().featured.is_some();
        if self.0.as_ref().is_some_and(any) {
            self.look(|it| it.featured()).await
        } else {
            Ok(None)
        }
    }

    /// What polls, tallies and scoreboards are now, the one that changed last being last; asks the disk only when there are
    /// any.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn boards(&self) -> Result<Vec<EventBody>, ReadError> {
        let any = |(_, room): &(_, Arc<Room>)| !room.durable().boards.is_empty();
        if self.0.as_ref().is_some_and(any) {
            self.look(|it| it.boards()).await
        } else {
            Ok(Vec::new())
        }
    }

    /// The queue; asks the disk only when there was one.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn queue(&self) -> Result<Vec<Message>, ReadError> {
        let any = |(_, room): &(_, Arc<Room>)| room.durable().queue.is_some();
        if self.0.as_ref().is_some_and(any) {
            self.look(|it| it.queue()).await
        } else {
            Ok(Vec::new())
        }
    }

    /// The message of that id, among the newest rows before the place `before`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn message(
        &self,
        id: &QualifiedId,
        before: u64,
    ) -> Result<Option<Box<Message>>, ReadError> {
        let id = id.clone();
        self.look(move |it| it.message(&id, before)).await
    }

    /// What one viewer said before the place `before` and has not been purged of yet, newest first, as far back as a
    /// screen may still show it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn said_by(
        &self,
        author: &QualifiedId,
        before: u64,
    ) -> Result<Vec<QualifiedId>, ReadError> {
        let author = author.clone();
        self.look(move |it| it.said_by(&author, before)).await
    }

    /// What the room has to know of its newest `most` events.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn tail(&self, most: usize) -> Result<Tail, ReadError> {
        self.look(move |it| it.tail(most)).await
    }

    /// The room's sessions, newest first, those before the one named.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn sessions(
        &self,
        before: Option<String>,
        most: usize,
    ) -> Result<Vec<StreamSession>, ReadError> {
        self.look(move |it| it.sessions(before.as_deref(), most)).await
    }

    /// The session of that id; the newest one for `latest`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn session(&self, id: &str) -> Result<Option<StreamSession>, ReadError> {
        let id = id.to_owned();
        self.look(move |it| it.session(&id)).await
    }

    /// How much was said when in a session.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn histogram(&self, session: &StreamSession) -> Result<Histogram, ReadError> {
        let session = session.clone();
        self.look(move |it| it.histogram(&session)).await
    }

    /// Waits until everything that was shown so far can be read from the disk, or that takes too long.
    pub async fn settled(&self) {
        // Late or not, what is there is shown.
        let _ = self.committed(self.head()).await;
    }
}

/// The session that a room was in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// Unique in its room.
    pub session_id: String,
    /// The stream's title, where known.
    pub title: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When something last happened in it.
    pub last_at: Timestamp,
}
