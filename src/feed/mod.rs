//! The log of every room: where events outlive the ring, the process and the power.
//!
//! A room offers each event by reference, in order, and never waits. One thread writes what waits as one
//! group, within the commit delay; readers look at one moment of the file and never wait for the writer. What
//! was moderated stays in its row for the audit and is marked: [`view`] is the one way out for viewers.
//!
//! Numbers. The log says where a room goes on after a restart. A client may hold a number that was given
//! and never reached the disk; after anything but a stop in order a new epoch says so, and
//! [`RoomLog::find_place`] tells where a client of an older epoch goes on.

mod batch;
pub mod envelope;
pub mod filter;
mod import;
mod index;
mod open;
mod queue;
mod reading;
pub mod record;
mod restore;
pub mod retention;
pub mod session;
mod view;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    sync::{Semaphore, oneshot},
    time::{Instant, timeout_at},
};

use self::{
    index::Room,
    queue::Queue,
    reading::Reader,
    writer::{Job, Shared, Writer},
};
use crate::{
    lifecycle::Lifecycle,
    model::CreatorId,
    storage::{Database, StorageError, copy_to, guarded},
    telemetry::Telemetry,
};

pub use filter::Filter;
pub use import::{ImportError, Imported, is_session_id};
pub use open::new_epoch;
pub use reading::{Page, ReadError, Span, Stored, Tail};
pub use record::{Deletion, Hidden, Record, Wording};
pub use restore::restore_file;
pub use retention::{Policies, Retention};
pub use session::{Histogram, SessionState, StreamSession};

/// Readers that look at the file at the same time; more wait their turn.
const MOST_READERS: usize = 4;
/// Longest wait of a reader for what was offered and is not yet on the disk.
const COMMIT_PATIENCE: Duration = Duration::from_secs(10);

/// How the log is kept.
pub struct Options {
    /// The file.
    pub path: PathBuf,
    /// An event is on the disk this long after it was shown, unless the disk itself is slower.
    pub commit_delay: Duration,
    /// Most of what waits for the disk (bytes).
    pub queue_bytes: usize,
    /// How much is kept.
    pub policies: Policies,
}

/// The feed log of a server. Cheap to clone.
#[derive(Clone)]
pub struct FeedLog(Option<Arc<Open>>);

struct Open {
    shared: Arc<Shared>,
    life: Lifecycle,
    readers: Semaphore,
    thread: Mutex<Option<JoinHandle<()>>>,
    linger: Duration,
}

impl FeedLog {
    /// Keeps nothing: a room remembers what its ring holds and no more.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Opens the file, or makes it. Blocking, for some milliseconds.
    ///
    /// # Errors
    /// When another process has it, when it is damaged or of a newer version, or when the disk refuses.
    pub fn open(
        options: Options,
        life: Lifecycle,
        telemetry: Telemetry,
    ) -> Result<Self, StorageError> {
        let path = options.path.clone();
        Self::open_with(move || Database::open(&path), options, life, telemetry)
    }

    /// The same with something else behind the database than a file.
    ///
    /// # Errors
    /// As [`FeedLog::open`].
    pub fn open_with(
        opener: impl Fn() -> Result<Database, StorageError> + Send + Sync + 'static,
        options: Options,
        life: Lifecycle,
        telemetry: Telemetry,
    ) -> Result<Self, StorageError> {
        let (database, index, next_number) = guarded(|| {
            let database = opener()?;
            let (index, next_number) = open::prepare(&database, 0)?;
            Ok((database, index, next_number))
        })?;
        let queue = Queue::new(options.queue_bytes);
        let shared = Arc::new(Shared::new(
            options.path,
            Box::new(opener),
            queue,
            (database, index),
            options.policies,
            telemetry,
        ));
        // What comes right after a group was taken waits for that group's commit, lingers, and is written
        // itself: half the delay leaves the other half to the disk.
        let linger = options.commit_delay / 2;
        let writer = Writer::new(Arc::clone(&shared), linger, next_number);
        let thread = std::thread::Builder::new()
            .name("feed-log".to_owned())
            .spawn(move || writer.run())
            .map_err(StorageError::Io)?;
        let readers = Semaphore::new(MOST_READERS);
        let thread = Mutex::new(Some(thread));
        Ok(Self(Some(Arc::new(Open { shared, life, readers, thread, linger }))))
    }

    /// Whether anything is kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// What keeps the disk from taking events now: a sentence.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.as_ref().and_then(|it| it.shared.trouble().clone())
    }

    /// What waits for the disk (bytes).
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |it| it.shared.queue.bytes())
    }

    /// The log of a room; of one that is new, it holds nothing yet.
    #[must_use]
    pub fn room(&self, name: &CreatorId) -> RoomLog {
        RoomLog(self.0.as_ref().map(|open| {
            let index = open.shared.index();
            (Arc::clone(open), index.room(name))
        }))
    }

    /// Changes how much is kept.
    pub fn set_policies(&self, policies: Policies) {
        if let Some(open) = &self.0 {
            open.shared.policies.store(Arc::new(policies));
        }
    }

    /// Waits until everything that was offered before is durable, or the disk refuses it.
    pub async fn flush(&self) {
        self.ask(Job::Flush).await;
    }

    /// Waits until everything that is too old or too much is gone.
    pub async fn retain(&self) {
        self.ask(Job::Retain).await;
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Option<T> {
        let open = self.0.as_ref()?;
        let (done, answer) = oneshot::channel();
        open.shared.queue.ask(job(done));
        // A writer that has ended answers nobody.
        answer.await.ok()
    }

    /// Writes a copy of the whole log into a new file while it is in use; answers how many events it holds.
    ///
    /// # Errors
    /// When the file exists, and what the disk says.
    pub async fn back_up(&self, path: PathBuf) -> Result<u64, StorageError> {
        let Some(open) = self.0.clone() else { return Err(not_kept()) };
        self.flush().await;
        let database = open.shared.current().0.ok_or_else(not_kept)?;
        let life = open.life.clone();
        let copying =
            life.spawn_blocking(move || guarded(|| database.read(|tx| copy_to(tx, &path, |_| {}))));
        copying.await.unwrap_or_else(|_| Err(StorageError::damaged("it cannot be read whole")))
    }

    /// Puts a copy in the place of the log, which is moved aside. Rooms must be opened anew afterwards.
    ///
    /// # Errors
    /// When the file is no feed log, and what the disk says; the log in use stays then.
    pub async fn restore(&self, file: PathBuf) -> Result<(), StorageError> {
        self.ask(|done| Job::Restore(file, done)).await.unwrap_or_else(|| Err(not_kept()))
    }

    /// Writes a recording (JSONL) into a room's log. A room that is open must be opened anew afterwards.
    ///
    /// # Errors
    /// The first line that is no event, and all that keeps it from being written; nothing is, then.
    pub async fn import(&self, room: CreatorId, file: PathBuf) -> Result<Imported, ImportError> {
        let import = |done| Job::Import(Box::new(import::Import { room, file, done }));
        self.ask(import).await.unwrap_or(Err(ImportError::Closed))
    }

    /// Writes what waits, and closes the file. Nothing is taken any more.
    pub async fn close(&self) {
        let Some(open) = &self.0 else { return };
        open.shared.queue.close();
        let thread = open.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Outside the tracker: it ends behind all that is tracked. A panic was reported where it was.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}

fn not_kept() -> StorageError {
    StorageError::Io(std::io::Error::other("the feed log is not kept"))
}

/// Moves a file that cannot be used aside, and says where it is now. Blocking.
///
/// # Errors
/// What the file system says.
pub fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    let aside = restore::aside(path, "damaged");
    std::fs::rename(path, &aside)?;
    Ok(aside)
}

/// The log of one room. Cheap to clone.
#[derive(Clone)]
pub struct RoomLog(Option<(Arc<Open>, Arc<Room>)>);

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
    pub fn last_at(&self) -> Option<crate::model::Timestamp> {
        let (_, room) = self.0.as_ref()?;
        let last_ms = room.durable().row.last_ms;
        crate::model::Timestamp::from_unix_ms(last_ms).filter(|_| last_ms != i64::MIN)
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
        let epochs = &durable.row.epochs;
        let end = match epochs.iter().rposition(|it| it.0 == number) {
            // The next one began behind the last of this one.
            Some(at) => epochs.get(at + 1).map_or(durable.row.head, |next| next.1 - 1),
            // Nothing of it reached the disk: it is in force now, or was between two that are there.
            None if number == index.epoch => durable.row.head,
            None => epochs.iter().find(|it| it.0 > number).map_or(durable.row.head, |it| it.1 - 1),
        };
        let place = seq.min(end);
        (place >= durable.row.floor).then_some(place)
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
            look(Reader { database: &database, index: &index, room: &room })
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
    pub started_at: crate::model::Timestamp,
    /// When something last happened in it.
    pub last_at: crate::model::Timestamp,
}

#[cfg(test)]
mod tests;
