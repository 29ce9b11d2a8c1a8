//! The log of every room: where events outlive the ring, the process and the power.
//!
//! A room offers each event by reference, in order, and never waits. One thread writes what waits as one
//! group, within the commit delay; readers look at one moment of the file and never wait for the writer. What
//! was moderated stays in its row for the audit and is marked: `view` is the one way out for viewers.
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
mod room_log;
pub mod session;
mod view;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::{Semaphore, oneshot};

use self::{
    queue::Queue,
    writer::{Job, Shared, Writer},
};
use crate::{
    lifecycle::Lifecycle,
    model::CreatorId,
    storage::{Belongings, Database, Reading, Records, StorageError, copy_to, guarded},
    telemetry::Telemetry,
};

pub use filter::Filter;
pub use import::{ImportError, Imported, is_session_id};
pub use open::new_epoch;
pub use reading::{Page, ReadError, Span, Stored, Tail};
pub use record::{Deletion, Hidden, Record, Wording};
pub use restore::restore_file;
pub use retention::{Policies, Retention};
pub use room_log::{OpenSession, RoomLog};
pub use session::{Histogram, SessionState, StreamSession};

/// Readers that look at the file at the same time; more wait their turn.
const MOST_READERS: usize = 4;

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
pub struct FeedLog {
    open: Option<Arc<Open>>,
    /// Why it is not open, where it should be: a sentence.
    failure: Option<Arc<str>>,
}

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
        Self { open: None, failure: None }
    }

    /// Keeps nothing, because it cannot: `trouble` says why.
    #[must_use]
    pub fn failed(trouble: &str) -> Self {
        Self { open: None, failure: Some(trouble.into()) }
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
        let open = Open { shared, life, readers, thread, linger };
        Ok(Self { open: Some(Arc::new(open)), failure: None })
    }

    /// Whether anything is kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.open.is_some()
    }

    /// What keeps the disk from taking events now: a sentence.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        match &self.open {
            Some(open) => open.shared.trouble().clone(),
            None => self.failure.as_deref().map(str::to_owned),
        }
    }

    /// What waits for the disk (bytes).
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.open.as_ref().map_or(0, |it| it.shared.queue.bytes())
    }

    /// The log of a room; of one that is new, it holds nothing yet.
    #[must_use]
    pub fn room(&self, name: &CreatorId) -> RoomLog {
        RoomLog(self.open.as_ref().map(|open| {
            let index = open.shared.index();
            (Arc::clone(open), index.room(name))
        }))
    }

    /// Changes how much is kept.
    pub fn set_policies(&self, policies: Policies) {
        if let Some(open) = &self.open {
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
        let open = self.open.as_ref()?;
        let (done, answer) = oneshot::channel();
        open.shared.queue.ask(job(done));
        // A writer that has ended answers nobody.
        answer.await.ok()
    }

    /// Writes a copy of the whole log into a new file while it is in use, and with it what belongs to it; answers how
    /// many events it holds.
    ///
    /// # Errors
    /// When the file exists, and what the disk says.
    pub async fn back_up(
        &self,
        path: PathBuf,
        belongings: Belongings,
        records: Option<Records>,
    ) -> Result<u64, StorageError> {
        let Some(open) = self.open.clone() else { return Err(not_kept()) };
        self.flush().await;
        let database = open.shared.current().0.ok_or_else(not_kept)?;
        let life = open.life.clone();
        let copying = life.spawn_blocking(move || {
            guarded(|| {
                database.read(|tx| copy_to(tx, &path, &belongings, records.as_ref(), |_| {}))
            })
        });
        copying.await.unwrap_or_else(|_| Err(StorageError::damaged("it cannot be read whole")))
    }

    /// Puts a copy in the place of the log, which is moved aside. Rooms must be opened anew afterwards.
    ///
    /// # Errors
    /// When the file is no feed log, and what the disk says; the log in use stays then.
    pub async fn restore(&self, file: PathBuf) -> Result<(), StorageError> {
        self.ask(|done| Job::Restore(file, done)).await.unwrap_or_else(|| Err(not_kept()))
    }

    /// What the copy that was restored last carried, until it is forgotten. Blocking, for a moment.
    ///
    /// # Errors
    /// What the disk says.
    pub fn belongings(&self) -> Result<Option<Belongings>, StorageError> {
        let open = self.open.as_ref().ok_or_else(not_kept)?;
        let database = open.shared.current().0.ok_or_else(not_kept)?;
        guarded(|| database.read(Belongings::find))
    }

    /// One moment of the file, for whoever takes over what it carries. Blocking, for a moment.
    ///
    /// # Errors
    /// What the disk says.
    pub fn moment(&self) -> Result<Reading, StorageError> {
        let open = self.open.as_ref().ok_or_else(not_kept)?;
        let database = open.shared.current().0.ok_or_else(not_kept)?;
        guarded(|| database.moment())
    }

    /// Takes the records that a copy carried out of the log: they are where they belong.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn forget_records(&self) -> Result<(), StorageError> {
        self.ask(Job::ForgetRecords).await.unwrap_or_else(|| Err(not_kept()))
    }

    /// Takes that out of the log: it is where it belongs.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn forget_belongings(&self) -> Result<(), StorageError> {
        self.ask(Job::ForgetBelongings).await.unwrap_or_else(|| Err(not_kept()))
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
        let Some(open) = &self.open else { return };
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

/// Where what is in `path` now is kept when something that was restored takes its place.
#[must_use]
pub fn set_aside_copy(path: &Path) -> PathBuf {
    restore::aside(path, "before-restore")
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

#[cfg(test)]
mod tests;
