//! The one thread that writes: takes what waits, writes it as one group, and never gives up.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use tokio::sync::{oneshot, watch};

use super::{
    batch::{Batch, Written},
    import::{self, Import},
    index::Index,
    open,
    queue::{Dropped, Offered, Queue, Taken},
    retention::{self, Policies},
};
use crate::{
    model::Timestamp,
    storage::{Database, StorageError, tables::meta},
    telemetry::{Severity, Telemetry},
};

/// How often it is looked whether something is old enough to go.
const RETENTION_EVERY: Duration = Duration::from_secs(60);
/// Pause between two tries to write what the disk refused.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// Longest wait for readers to let go of a database that must be opened anew.
const READERS_LEAVE: Duration = Duration::from_secs(5);

/// Opens the database, again and again if need be.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, StorageError> + Send + Sync>;

/// What can be asked of the writer besides writing.
pub(super) enum Job {
    /// Tell when everything that was offered before is durable, or will never be.
    Flush(oneshot::Sender<()>),
    /// Put another file in place.
    Restore(PathBuf, oneshot::Sender<Result<(), StorageError>>),
    /// Write a recording into a room.
    Import(Box<Import>),
    /// Look now what is old enough to go, all of it.
    Retain(oneshot::Sender<()>),
}

/// What the writer and the readers share.
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) opener: Opener,
    pub(super) queue: Queue,
    pub(super) index: ArcSwap<Index>,
    pub(super) database: Mutex<Option<Arc<Database>>>,
    /// Counts commits: readers that wait for one follow it.
    pub(super) committed: watch::Sender<u64>,
    pub(super) policies: ArcSwap<Policies>,
    pub(super) telemetry: Telemetry,
    /// What keeps the disk from taking events, while it does.
    pub(super) trouble: Mutex<Option<String>>,
}

impl Shared {
    fn slot(&self) -> MutexGuard<'_, Option<Arc<Database>>> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database, while it is open.
    pub(super) fn database(&self) -> Option<Arc<Database>> {
        self.slot().clone()
    }

    pub(super) fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the database; fails when a reader does not let go.
    fn close_database(&self) -> Result<(), StorageError> {
        let Some(mut database) = self.slot().take() else { return Ok(()) };
        let deadline = Instant::now() + READERS_LEAVE;
        loop {
            match Arc::try_unwrap(database) {
                Ok(alone) => {
                    drop(alone);
                    return Ok(());
                }
                Err(shared) if Instant::now() < deadline => {
                    database = shared;
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(shared) => {
                    *self.slot() = Some(shared);
                    let slow = std::io::Error::other("a reader does not end");
                    return Err(StorageError::Io(slow));
                }
            }
        }
    }

    fn open_database(&self) -> Result<Arc<Database>, StorageError> {
        let database = Arc::new((self.opener)()?);
        *self.slot() = Some(Arc::clone(&database));
        Ok(database)
    }
}

/// The writer's own.
pub(super) struct Writer {
    shared: Arc<Shared>,
    linger: Duration,
    next_number: u32,
    /// What the disk has refused so far.
    held: Vec<Offered>,
    held_dropped: Dropped,
    retained_at: Instant,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, linger: Duration, next_number: u32) -> Self {
        Self {
            shared,
            linger,
            next_number,
            held: Vec::new(),
            held_dropped: Dropped::new(),
            // The first look comes soon: what a long pause made old goes.
            retained_at: Instant::now() - RETENTION_EVERY
                + Duration::from_secs(5).min(RETENTION_EVERY),
        }
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self) {
        loop {
            let patience = RETENTION_EVERY.saturating_sub(self.retained_at.elapsed());
            let Taken { events, dropped, jobs, closed } =
                self.shared.queue.take(self.linger, patience.max(Duration::from_millis(1)));
            self.held.extend(events);
            for (key, (room, last)) in dropped {
                self.held_dropped.entry(key).or_insert((room, 0)).1 = last;
            }
            self.write_held();
            for job in jobs {
                self.work(job);
            }
            if self.retained_at.elapsed() >= RETENTION_EVERY && !self.retain_some() {
                self.retained_at = Instant::now();
            }
            if closed {
                break;
            }
        }
        self.finish();
    }

    /// Writes what is held, and goes on trying until the disk takes it or the queue is closed.
    fn write_held(&mut self) {
        while !self.held.is_empty() || !self.held_dropped.is_empty() {
            match self.try_write() {
                Ok(written) => {
                    self.next_number = written.next_number;
                    written.publish();
                    self.shared.committed.send_modify(|it| *it += 1);
                    self.held = Vec::new();
                    self.held_dropped.clear();
                    self.report(&written);
                }
                Err(error) => {
                    self.complain(&error);
                    if self.shared.queue.is_closed() {
                        return;
                    }
                    self.shared.queue.pause(RETRY_EVERY);
                }
            }
        }
    }

    fn try_write(&mut self) -> Result<Written, StorageError> {
        // After an error of the disk, redb wants to be opened anew; until then nobody may hold it.
        let open = self.shared.trouble().is_none().then(|| self.shared.database()).flatten();
        let database = match open {
            Some(it) => it,
            None => {
                self.shared.close_database()?;
                self.shared.open_database()?
            }
        };
        let index = self.shared.index.load_full();
        let (held, dropped, next) = (&self.held, &self.held_dropped, self.next_number);
        let attempt = || {
            database.write(|tx| {
                let mut batch = Batch::new(tx, &index, next)?;
                for it in held {
                    batch.add(&it.room, &it.record)?;
                }
                for (room, last) in dropped.values() {
                    batch.add_gap(room, *last, Timestamp::now())?;
                }
                batch.finish()
            })
        };
        // A damaged file can make the database panic: to us that is the same.
        catch_unwind(AssertUnwindSafe(attempt))
            .unwrap_or_else(|_| Err(StorageError::damaged("its pages contradict each other")))
    }

    fn report(&self, written: &Written) {
        let telemetry = &self.shared.telemetry;
        telemetry.meters.recorded.increment(written.events);
        telemetry.meters.log_commits.increment(1);
        for gap in &written.gaps {
            let (room, events) = (&gap.room.name, gap.events);
            tracing::error!(creator.id = %room, events, "events were shown but not recorded");
            let message = format!("{events} events were shown but could not be recorded");
            telemetry.recent.error("feed", "not_recorded", room.as_str(), message);
        }
        if self.shared.trouble().take().is_some() {
            telemetry.meters.log_trouble.set(0.0);
            tracing::info!(file = %self.shared.path.display(), "events are recorded again");
            telemetry.recent.event(Severity::Info, "feed", "events are recorded again");
        }
    }

    /// Says once what is wrong.
    fn complain(&self, error: &StorageError) {
        let mut trouble = self.shared.trouble();
        let sentence = sentence(&self.shared.path, error);
        if trouble.as_deref() == Some(&sentence) {
            return;
        }
        tracing::error!("{sentence}");
        // The path may name a person: what is public names the file only.
        let name =
            self.shared.path.file_name().map_or_else(String::new, |it| it.to_string_lossy().into());
        self.shared.telemetry.recent.error("feed", "not_writable", name, error.to_string());
        self.shared.telemetry.meters.log_trouble.set(1.0);
        *trouble = Some(sentence);
    }

    fn work(&mut self, job: Job) {
        match job {
            // Here and below: whoever asked may have gone.
            Job::Flush(done) => {
                let _ = done.send(());
            }
            Job::Restore(file, done) => {
                let _ = done.send(self.restore(&file));
            }
            Job::Import(import) => {
                let outcome = match self.shared.database() {
                    Some(database) => {
                        let index = self.shared.index.load_full();
                        import::write(&database, &index, self.next_number, &import)
                    }
                    None => Err(import::ImportError::Storage(StorageError::Locked)),
                };
                let outcome = outcome.map(|(written, imported)| {
                    self.next_number = written.next_number;
                    written.publish();
                    self.shared.committed.send_modify(|it| *it += 1);
                    imported
                });
                let _ = import.done.send(outcome);
            }
            Job::Retain(done) => {
                while self.retain_some() {}
                let _ = done.send(());
            }
        }
    }

    /// Lets some of what is too old or too much go; `true` when there is more. Small steps: what waits to be
    /// written comes between.
    fn retain_some(&mut self) -> bool {
        let Some(database) = self.shared.database() else { return false };
        let index = self.shared.index.load_full();
        let expired = |count| self.shared.telemetry.meters.expired.increment(count);
        match retention::retain_some(&database, &index, &self.shared.policies.load(), expired) {
            Ok(more) => more,
            Err(error) => {
                self.complain(&error);
                false
            }
        }
    }

    /// Puts `file` in the place of the one in use, which stays beside it.
    fn restore(&mut self, file: &Path) -> Result<(), StorageError> {
        // Looked at before anything is touched: what cannot be opened replaces nothing.
        open::look_at(file)?;
        let path = &self.shared.path;
        self.shared.close_database()?;
        let aside = aside(path, "before-restore");
        std::fs::rename(path, &aside)?;
        if let Err(error) = std::fs::rename(file, path) {
            std::fs::rename(&aside, path)?;
            self.shared.open_database()?;
            return Err(error.into());
        }
        let database = self.shared.open_database()?;
        let generation = self.shared.index.load().generation + 1;
        let (index, next_number) = open::prepare(&database, generation)?;
        self.next_number = next_number;
        self.shared.index.store(Arc::new(index));
        self.shared.committed.send_modify(|it| *it += 1);
        tracing::info!(before = %aside.display(), "another feed log is in place");
        Ok(())
    }

    /// The last thing: says that nothing is missing, when nothing is.
    fn finish(self) {
        if !self.held.is_empty() || !self.held_dropped.is_empty() {
            let lost = self.held.len() as u64;
            tracing::error!(events = lost, "the last events could not be recorded");
            self.shared.telemetry.meters.not_recorded.increment(lost);
        } else if let Some(database) = self.shared.database() {
            let clean = database.write(|tx| meta::set(&mut meta::open(tx)?, meta::CLEAN, "true"));
            if let Err(error) = clean {
                self.complain(&error);
            }
        }
        if let Err(error) = self.shared.close_database() {
            tracing::warn!(%error, "the feed log is left open");
        }
    }
}

/// What is wrong, in one sentence.
pub(super) fn sentence(path: &Path, error: &StorageError) -> String {
    format!("cannot write {}: {error}; live chat goes on, but is not recorded", path.display())
}

/// `feed.redb` → `feed.before-restore-20261124T180311Z.redb`, which does not exist.
pub(super) fn aside(path: &Path, why: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let time = Timestamp::now().compact();
    (1..)
        .map(|count| {
            let suffix = if count == 1 { String::new() } else { format!("-{count}") };
            path.with_file_name(format!("{stem}.{why}-{time}{suffix}.redb"))
        })
        .find(|it| !it.exists())
        .unwrap_or_else(|| path.to_owned())
}
