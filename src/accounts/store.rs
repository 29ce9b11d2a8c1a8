//! The file of accounts: opened, read, changed.

mod audit_log;

pub use audit_log::AuditPage;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, broadcast, watch};

use super::{
    AccountError, AccountId, AuditEntry, Book, Change, Lockout, Mail, Paces, Passwords, Record,
    Tiers,
    noted::Noted,
    record::row_key,
    rooms::give_rooms,
    turns::{Turn, Turns},
};
use crate::{
    config::Config,
    lifecycle::Lifecycle,
    model::Timestamp,
    storage::{Database, StorageError, guarded, migrate, tables::records},
};

/// The file in the data folder.
pub const FILE: &str = "accounts.redb";
/// Most accounts whose end waits to be heard of by whoever cuts sockets off; behind that, it looks at all.
const ENDED_WAITING: usize = 1024;
/// Most entries of the audit that wait for whoever shows them.
const AUDITED_WAITING: usize = 1024;
/// Most changes that wait for their turn; further people are asked to try again.
const MOST_WAITING: usize = 512;

/// Tells the time: the system's, but in tests.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The system's clock.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(Timestamp::now)
}

/// What accounts need of the server.
#[derive(Clone)]
pub struct Parts {
    /// Who owns the tasks.
    pub life: Lifecycle,
    /// The configuration in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// The clock.
    pub clock: Clock,
    /// The address pages are reached at, without a slash at the end.
    pub base_url: String,
}

/// All accounts. Cheap to clone.
#[derive(Clone)]
pub struct Accounts(Arc<Shared>);

/// Opens the file.
type Open = Box<dyn Fn() -> Result<Database, StorageError> + Send + Sync>;

struct Shared {
    open: Open,
    /// `None` once the disk has refused: opened anew for the next change. Written only by who holds `changing`.
    database: RwLock<Option<Database>>,
    /// Held by who changes something.
    changing: Mutex<()>,
    /// Whose turn it is to change something.
    turns: Turns,
    noted: Noted,
    book: ArcSwap<Book>,
    /// Another number after every change.
    revision: AtomicU64,
    ended: broadcast::Sender<AccountId>,
    audited: broadcast::Sender<AuditEntry>,
    /// Counts changes of who owns which room, and of what flows into it.
    rooms: watch::Sender<u64>,
    mailed: Notify,
    passwords: Passwords,
    lockout: Lockout,
    paces: Paces,
    parts: Parts,
}

impl Accounts {
    /// Opens the file in the data folder, or makes it. Blocking.
    ///
    /// # Errors
    /// As [`Database::open`] and [`migrate`] say.
    pub fn open(data: &Path, parts: Parts) -> Result<Self, StorageError> {
        let path = data.join(FILE);
        Self::on(Box::new(move || Database::open(&path)), parts)
    }

    /// The same on something else than a file: tests stand between the database and its disk.
    ///
    /// # Errors
    /// As [`Accounts::open`].
    pub(super) fn on(open: Open, parts: Parts) -> Result<Self, StorageError> {
        let config = Arc::clone(&parts.config.borrow());
        let (database, book) = guarded(|| read_book(&open, &config))?;
        let auth = parts.config.borrow().system.auth.clone();
        Ok(Self(Arc::new(Shared {
            open,
            database: RwLock::new(Some(database)),
            changing: Mutex::default(),
            turns: Turns::new(1, MOST_WAITING),
            noted: Noted::default(),
            book: ArcSwap::from_pointee(book),
            revision: AtomicU64::new(0),
            ended: broadcast::Sender::new(ENDED_WAITING),
            audited: broadcast::Sender::new(AUDITED_WAITING),
            rooms: watch::Sender::new(0),
            mailed: Notify::new(),
            passwords: Passwords::new(parts.life.clone(), auth.password_parallel as usize),
            lockout: Lockout::default(),
            paces: Paces::new(auth.attempts_per_minute, auth.mails_per_hour),
            parts,
        })))
    }

    /// Everything that is known at this moment.
    #[must_use]
    pub fn book(&self) -> Arc<Book> {
        self.0.book.load_full()
    }

    /// Another number after every change of the book.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.0.revision.load(Ordering::Acquire)
    }

    /// Puts in force what the files now say of tiers. Blocking, while a change is under way.
    pub fn renew_tiers(&self) {
        let _changing = self.changing();
        let mut book = (*self.book()).clone();
        let tiers = Tiers::of(&self.config().tiers, &book);
        if tiers != *book.tiers() {
            book.set_tiers(tiers);
            self.0.book.store(Arc::new(book));
            self.0.revision.fetch_add(1, Ordering::Release);
        }
    }

    /// The clock of accounts.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0.parts.clock)()
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.0.parts.config.borrow())
    }

    /// The address pages are reached at, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.0.parts.base_url
    }

    /// Hashes and compares passwords.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// Whose attempts are held up.
    #[must_use]
    pub fn lockout(&self) -> &Lockout {
        &self.0.lockout
    }

    /// How fast attempts and mails may follow each other.
    #[must_use]
    pub fn paces(&self) -> &Paces {
        &self.0.paces
    }

    /// Tells, from now on, which accounts may do less than before: their sockets are looked at anew.
    pub fn ended(&self) -> broadcast::Receiver<AccountId> {
        self.0.ended.subscribe()
    }

    /// Wakes one who waits, once mails were put in or changed.
    pub(super) fn mailed(&self) -> &Notify {
        &self.0.mailed
    }

    /// Tells, from now on, what is audited.
    pub fn audited(&self) -> broadcast::Receiver<AuditEntry> {
        self.0.audited.subscribe()
    }

    /// Tells, from now on, that rooms of accounts are otherwise than before.
    pub fn rooms_changed(&self) -> watch::Receiver<u64> {
        self.0.rooms.subscribe()
    }

    /// Changes the book: all that `work` does, on the disk once this returns `Ok`, or nothing of it. One change at a
    /// time.
    ///
    /// # Errors
    /// Those of `work`; [`AccountError::Busy`] when too many wait; [`AccountError::Storage`] when the disk does not take
    /// it.
    pub async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Change) -> Result<T, AccountError> + Send + 'static,
    ) -> Result<T, AccountError> {
        let Turn { permit, place: _place } = self.0.turns.wait().await?;
        let this = self.clone();
        let task = self.0.parts.life.spawn_blocking(move || {
            let done = this.change_now(work);
            drop(permit);
            done
        });
        task.await.unwrap_or_else(|error| {
            Err(StorageError::Io(std::io::Error::other(error.to_string())).into())
        })
    }

    /// The same on this thread. Blocking.
    ///
    /// # Errors
    /// As [`Accounts::change`].
    pub fn change_now<T>(
        &self,
        work: impl FnOnce(&mut Change) -> Result<T, AccountError>,
    ) -> Result<T, AccountError> {
        let changing = self.changing();
        self.mend(&changing)?;
        let mut change = Change::new((*self.book()).clone(), self.now());
        let done = work(&mut change)?;
        change.renew_tiers(&self.config().tiers);
        if change.concerns_addresses() {
            give_rooms(&mut change, &self.config().creators)?;
        }
        let noted = self.0.noted.take(self.now());
        for it in &noted {
            change.write_noted(it);
        }
        let outcome = change.finish();
        let mails = row_key(Mail::KIND, "");
        let mailed = outcome.rows.iter().any(|it| it.0.starts_with(&mails) && it.1.is_some());
        if !outcome.rows.is_empty() {
            let rows = outcome.rows.iter().map(|(key, row)| (key.as_str(), row.as_deref()));
            let written = self.with_database(|it| it.write(|tx| records::set(tx, rows)));
            if let Err(error) = written {
                self.refused();
                self.0.noted.put_back(noted);
                tracing::error!(%error, "a change of accounts cannot be kept");
                return Err(error.into());
            }
        }
        self.0.book.store(Arc::new(outcome.book));
        self.0.revision.fetch_add(1, Ordering::Release);
        drop(changing);
        if mailed {
            self.0.mailed.notify_one();
        }
        if outcome.rooms {
            self.0.rooms.send_modify(|it| *it += 1);
        }
        self.tell(outcome.ended, outcome.audited);
        Ok(done)
    }

    fn tell(&self, ended: Vec<AccountId>, audited: Vec<AuditEntry>) {
        for it in ended {
            // Nobody may listen: then nothing is open that could be cut off.
            let _ = self.0.ended.send(it);
        }
        for it in audited {
            let _ = self.0.audited.send(it);
        }
    }

    /// What the disk has by now is what is true.
    pub(super) fn put_in_force(
        &self,
        mut book: Book,
        ended: Vec<AccountId>,
        audited: Vec<AuditEntry>,
    ) {
        let tiers = Tiers::of(&self.config().tiers, &book);
        book.set_tiers(tiers);
        self.0.book.store(Arc::new(book));
        self.0.revision.fetch_add(1, Ordering::Release);
        self.0.rooms.send_modify(|it| *it += 1);
        self.tell(ended, audited);
    }

    pub(super) fn changing(&self) -> MutexGuard<'_, ()> {
        self.0.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn with_database<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let database = self.0.database.read().unwrap_or_else(PoisonError::into_inner);
        let refused = || StorageError::Io(std::io::Error::other("the disk refused it before"));
        let database = database.as_ref().ok_or_else(refused)?;
        guarded(|| work(database))
    }

    /// After a failure of the disk: nothing is done on what is open any more.
    pub(super) fn refused(&self) {
        *self.0.database.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Opens the file anew where the disk has refused. A change that failed in the commit may be there after all: what
    /// the disk holds is what is true.
    pub(super) fn mend(&self, _changing: &MutexGuard<'_, ()>) -> Result<(), StorageError> {
        if self.0.database.read().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Ok(());
        }
        let (database, book) = guarded(|| read_book(&self.0.open, &self.config()))?;
        let before = self.book();
        book.remember_uses(&before);
        let ended = before.list_ended(&book);
        *self.0.database.write().unwrap_or_else(PoisonError::into_inner) = Some(database);
        self.put_in_force(book, ended, Vec::new());
        tracing::info!("the file of accounts was opened anew");
        Ok(())
    }

    /// Looks at the file. Blocking work, off the async threads.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&crate::storage::Reading) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, AccountError> {
        let this = self.clone();
        let task = self.0.parts.life.spawn_blocking(move || {
            if this.0.database.read().unwrap_or_else(PoisonError::into_inner).is_none() {
                this.mend(&this.changing())?;
            }
            this.with_database(|it| it.read(look))
        });
        let read = task
            .await
            .unwrap_or_else(|it| Err(StorageError::Io(std::io::Error::other(it.to_string()))));
        Ok(read?)
    }
}

fn read_book(open: &Open, config: &Config) -> Result<(Database, Book), StorageError> {
    let database = open()?;
    database.write(migrate)?;
    let mut book = Book::default();
    database
        .read(|tx| records::each_but(tx, AuditEntry::KIND, |key, json| book.take_row(key, json)))?;
    for (kind, count) in book.count_unreadable() {
        tracing::error!(
            kind,
            count,
            "rows of accounts cannot be read: they are kept, and count for nothing"
        );
    }
    let tiers = Tiers::of(&config.tiers, &book);
    book.set_tiers(tiers);
    Ok((database, book))
}
