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
    import::{self, Import, ImportError},
    index::{Index, Room},
    queue::{Dropped, Marked, Offered, Queue, Taken},
    restore,
    retention::{self, Policies},
};
use crate::{
    storage::{
        Belongings, Database, StorageError, Writing, guarded,
        tables::{meta, records},
    },
    telemetry::{Severity, Telemetry},
};

/// How often it is looked whether something is old enough to go.
const RETENTION_EVERY: Duration = Duration::from_secs(60);
/// How long after the start it is looked for the first time.
const RETENTION_FIRST: Duration = Duration::from_secs(5);
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
    /// Take out what the copy that is in place carried.
    ForgetBelongings(oneshot::Sender<Result<(), StorageError>>),
    /// Take out the records that it carried.
    ForgetRecords(oneshot::Sender<Result<(), StorageError>>),
    /// Write a recording into a room.
    Import(Box<Import>),
    /// Look now what is old enough to go, all of it.
    Retain(oneshot::Sender<()>),
}

/// The file that is open, and what is known of it: always of one another.
struct Current {
    /// `None` while it is opened anew.
    database: Option<Arc<Database>>,
    index: Arc<Index>,
}

/// What the writer and the readers share.
pub(super) struct Shared {
    pub(super) path: PathBuf,
    opener: Opener,
    pub(super) queue: Queue,
    current: Mutex<Current>,
    /// Counts commits, and everything else that readers who wait for one must know.
    pub(super) committed: watch::Sender<u64>,
    pub(super) policies: ArcSwap<Policies>,
    telemetry: Telemetry,
    /// What keeps the disk from taking events, while it does.
    trouble: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn new(
        path: PathBuf,
        opener: Opener,
        queue: Queue,
        (database, index): (Database, Index),
        policies: Policies,
        telemetry: Telemetry,
    ) -> Self {
        let current = Current { database: Some(Arc::new(database)), index: Arc::new(index) };
        Self {
            path,
            opener,
            queue,
            current: Mutex::new(current),
            committed: watch::Sender::new(0),
            policies: ArcSwap::from_pointee(policies),
            telemetry,
            trouble: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database, while it is open, and what is known of it.
    pub(super) fn current(&self) -> (Option<Arc<Database>>, Arc<Index>) {
        let current = self.lock();
        (current.database.clone(), Arc::clone(&current.index))
    }

    pub(super) fn index(&self) -> Arc<Index> {
        Arc::clone(&self.lock().index)
    }

    pub(super) fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever waits to look again.
    fn tell(&self) {
        self.committed.send_modify(|it| *it += 1);
    }

    /// Closes the database; fails when a reader does not let go.
    fn close_database(&self) -> Result<(), StorageError> {
        let Some(mut database) = self.lock().database.take() else { return Ok(()) };
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
                    self.lock().database = Some(shared);
                    let slow = std::io::Error::other("a reader does not end");
                    return Err(StorageError::Io(slow));
                }
            }
        }
    }

    fn open_database(&self) -> Result<Arc<Database>, StorageError> {
        let database = Arc::new((self.opener)()?);
        self.lock().database = Some(Arc::clone(&database));
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
    held_marked: Marked,
    retention_due: Instant,
    /// Rooms that are still to be looked at in this round.
    retention_left: Vec<Arc<Room>>,
    /// The file was there when it was last looked for; what stands on something else never is.
    seen_file: bool,
}

/// Whatever ends the writer, nobody may wait for it any more.
struct Abandon(Arc<Shared>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.queue.abandon();
        if std::thread::panicking() {
            let reason = "the thread that writes has failed".to_owned();
            self.0.trouble().get_or_insert(reason);
            self.0.telemetry.meters.log_trouble.set(1.0);
        }
        self.0.tell();
    }
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, linger: Duration, next_number: u32) -> Self {
        Self {
            shared,
            linger,
            next_number,
            held: Vec::new(),
            held_dropped: Dropped::new(),
            held_marked: Marked::new(),
            // The first look comes soon: what a long pause made old goes.
            retention_due: Instant::now() + RETENTION_FIRST,
            retention_left: Vec::new(),
            seen_file: false,
        }
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let _abandon = Abandon(Arc::clone(&self.shared));
        loop {
            let patience = self.retention_due.saturating_duration_since(Instant::now());
            let Taken { events, dropped, marked, jobs, closed } =
                self.shared.queue.take(self.linger, patience.max(Duration::from_millis(1)));
            self.held.extend(events);
            self.held_dropped.extend(dropped);
            self.held_marked.extend(marked);
            self.write_held();
            for job in jobs {
                self.work(job);
            }
            if Instant::now() >= self.retention_due && !self.retain_some() {
                self.retention_due = Instant::now() + RETENTION_EVERY;
                self.look_for_file();
            }
            if closed {
                break;
            }
        }
        self.finish();
    }

    /// Writes what is held, and goes on trying until the disk takes it or the queue is closed.
    fn write_held(&mut self) {
        while self.holds_something() {
            match self.try_write() {
                Ok(written) => {
                    self.next_number = written.next_number;
                    written.publish();
                    self.held = Vec::new();
                    self.held_dropped.clear();
                    self.held_marked.clear();
                    self.report(&written);
                    self.shared.tell();
                }
                Err(error) => {
                    self.complain(&error);
                    self.shared.tell();
                    // Nobody who asks has to wait for the disk; a copy that is restored may even help.
                    for job in self.shared.queue.take_jobs() {
                        self.work(job);
                    }
                    if self.shared.queue.is_closed() {
                        return;
                    }
                    self.shared.queue.pause(RETRY_EVERY);
                }
            }
        }
    }

    fn holds_something(&self) -> bool {
        !self.held.is_empty() || !self.held_dropped.is_empty() || !self.held_marked.is_empty()
    }

    fn try_write(&mut self) -> Result<Written, StorageError> {
        // After an error of the disk, redb wants to be opened anew; until then nobody may hold it.
        let open = self.shared.trouble().is_none().then(|| self.shared.current().0).flatten();
        let database = match open {
            Some(it) => it,
            None => {
                self.shared.close_database()?;
                guarded(|| self.shared.open_database())?
            }
        };
        let index = self.shared.index();
        let (held, dropped, marked) = (&self.held, &self.held_dropped, &self.held_marked);
        let next = self.next_number;
        guarded(|| {
            database.write(|tx| {
                let mut batch = Batch::new(tx, &index, next)?;
                for it in held {
                    batch.add(&it.room, &it.record)?;
                }
                for loss in dropped.values() {
                    batch.add_gap(&loss.room, loss.seq, loss.ts)?;
                }
                marked.values().for_each(|it| batch.touch(it));
                batch.finish()
            })
        })
    }

    fn report(&self, written: &Written) {
        let telemetry = &self.shared.telemetry;
        telemetry.meters.recorded.increment(written.events);
        telemetry.meters.not_recorded.increment(written.passed_over);
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
        let name = self.shared.path.file_name();
        let name = name.map_or_else(String::new, |it| it.to_string_lossy().into());
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
            Job::ForgetBelongings(done) => {
                let _ = done.send(self.take_out(Belongings::remove));
            }
            Job::ForgetRecords(done) => {
                let _ = done.send(self.take_out(records::remove));
            }
            Job::Import(import) => {
                let (database, index) = self.shared.current();
                let outcome = match database {
                    Some(database) => {
                        let next = self.next_number;
                        catch_unwind(AssertUnwindSafe(|| {
                            import::write(&database, &index, next, &import)
                        }))
                        .unwrap_or_else(|_| Err(StorageError::damaged("it cannot be read").into()))
                    }
                    None => Err(ImportError::Closed),
                };
                let outcome = outcome.map(|(written, imported)| {
                    self.next_number = written.next_number;
                    written.publish();
                    self.shared.tell();
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
        let (Some(database), index) = self.shared.current() else { return false };
        if self.shared.trouble().is_some() {
            return false;
        }
        if self.retention_left.is_empty() {
            self.retention_left = index.rooms();
        }
        let policies = self.shared.policies.load();
        while let Some(room) = self.retention_left.pop() {
            match guarded(|| retention::retain_some(&database, &room, &policies)) {
                Ok(0) => {}
                Ok(removed) => {
                    self.shared.telemetry.meters.expired.increment(removed);
                    self.retention_left.push(room);
                    return true;
                }
                // What is wrong with one room keeps no other.
                Err(error) => {
                    tracing::warn!(creator.id = %room.name, %error, "what is too old cannot be removed");
                    let (name, message) = (room.name.as_str(), error.to_string());
                    self.shared.telemetry.recent.error("feed", "not_expired", name, message);
                }
            }
        }
        false
    }

    /// A file that is deleted while it is open takes everything that follows with it, without an error.
    fn look_for_file(&mut self) {
        let gone = self.seen_file && !self.shared.path.exists();
        self.seen_file = self.shared.path.exists();
        if gone {
            let sentence = "the file of the feed log was taken away: what is recorded now is lost \
                with the next stop";
            tracing::error!(file = %self.shared.path.display(), "{sentence}");
            self.shared.telemetry.recent.error("feed", "file_gone", "feed.redb", sentence);
        }
    }

    /// Takes out something that a copy carried.
    fn take_out(
        &self,
        remove: fn(&Writing) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        match self.shared.current().0 {
            Some(database) => guarded(|| database.write(remove)),
            None => Err(StorageError::Io(std::io::Error::other("the log is closed"))),
        }
    }

    /// Puts `file` in the place of the one in use, which stays beside it.
    fn restore(&mut self, file: &Path) -> Result<(), StorageError> {
        let (database, index) = self.shared.current();
        // Everything that can fail is tried on the copy, before anything is touched.
        let (ready, next_number) = guarded(|| {
            let candidate = Database::open(file)?;
            restore::make_ready(&candidate, (database.as_deref(), &index))
        })?;
        drop(database);
        self.shared.close_database()?;
        let path = &self.shared.path;
        let opened = restore::swap(file, path).map_err(StorageError::from).and_then(|aside| {
            let opened = guarded(|| (self.shared.opener)());
            if opened.is_err() {
                std::fs::rename(&aside, path)?;
            }
            Ok((opened?, aside))
        });
        let (database, aside) = match opened {
            Ok(it) => it,
            Err(error) => {
                self.shared.open_database()?;
                return Err(error);
            }
        };
        *self.shared.lock() =
            Current { database: Some(Arc::new(database)), index: Arc::new(ready) };
        self.next_number = next_number;
        self.retention_left.clear();
        // What waits belongs to the log that was.
        let held = std::mem::take(&mut self.held).len() as u64;
        self.held_dropped.clear();
        self.held_marked.clear();
        self.shared.telemetry.meters.not_recorded.increment(held);
        self.shared.trouble().take();
        self.shared.telemetry.meters.log_trouble.set(0.0);
        self.shared.tell();
        tracing::info!(before = %aside.display(), "another feed log is in place");
        Ok(())
    }

    /// The last thing: says that nothing is missing, when nothing is.
    fn finish(self) {
        let lost = self.held.len() as u64;
        if self.holds_something() || self.shared.queue.has_lost() {
            tracing::error!(events = lost, "the last events could not be recorded");
            self.shared.telemetry.meters.not_recorded.increment(lost);
        } else if let (Some(database), _) = self.shared.current() {
            let clean = guarded(|| {
                database.write(|tx| meta::set(&mut meta::open(tx)?, meta::CLEAN, "true"))
            });
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
fn sentence(path: &Path, error: &StorageError) -> String {
    format!("cannot write {}: {error}; live chat goes on, but is not recorded", path.display())
}
