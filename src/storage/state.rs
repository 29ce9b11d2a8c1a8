//! Small things kept over restarts, and held in memory.
//!
//! What may lose its last quarter of a second to a power cut (what a worker learnt, what was spent) is written
//! behind, and nobody waits for the disk. What somebody is told was kept (how a room looks) is there first.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{Database, StorageError, migrate, tables::texts};

pub use texts::Kind;

/// Time from a change to its way to the disk: what comes meanwhile goes with it.
const WRITE_DELAY: Duration = Duration::from_millis(250);
/// Pause after a write that the disk refused.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Texts by kind and name. Cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Shared>);

struct Shared {
    /// `None` keeps everything in memory alone.
    database: Option<Database>,
    held: Mutex<Held>,
    changed: Notify,
    /// One writing at a time, so that an older text never replaces a newer one.
    turn: Mutex<()>,
}

#[derive(Default)]
struct Held {
    texts: BTreeMap<(Kind, String), String>,
    unwritten: BTreeSet<(Kind, String)>,
}

impl State {
    /// Opens the file, or makes it. Blocking.
    ///
    /// # Errors
    /// As [`Database::open`] and [`migrate`] say.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        super::guarded(|| {
            let database = Database::open(path)?;
            database.write(migrate)?;
            let mut held = Held::default();
            for kind in Kind::ALL {
                let found = database.read(|tx| texts::list(tx, kind))?;
                held.texts.extend(found.into_iter().map(|(name, text)| ((kind, name), text)));
            }
            Ok(Self::new(Some(database), held))
        })
    }

    /// Keeps everything until the process ends, and no longer.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(None, Held::default())
    }

    fn new(database: Option<Database>, held: Held) -> Self {
        let (held, changed, turn) = (Mutex::new(held), Notify::new(), Mutex::default());
        Self(Arc::new(Shared { database, held, changed, turn }))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text of a name.
    #[must_use]
    pub fn find(&self, kind: Kind, name: &str) -> Option<String> {
        self.held().texts.get(&(kind, name.to_owned())).cloned()
    }

    /// All texts of a kind, in the order of names.
    #[must_use]
    pub fn list(&self, kind: Kind) -> Vec<(String, String)> {
        let held = self.held();
        let of_kind = held.texts.range((kind, String::new())..).take_while(|it| it.0.0 == kind);
        of_kind.map(|((_, name), text)| (name.clone(), text.clone())).collect()
    }

    /// Sets the text of a name, or with `None` removes it. Never waits; on the disk in a moment.
    pub fn set(&self, kind: Kind, name: &str, text: Option<String>) {
        let key = (kind, name.to_owned());
        let mut held = self.held();
        let same = held.texts.get(&key) == text.as_ref();
        if same {
            return;
        }
        match text {
            Some(text) => drop(held.texts.insert(key.clone(), text)),
            None => drop(held.texts.remove(&key)),
        }
        held.unwritten.insert(key);
        drop(held);
        self.0.changed.notify_one();
    }

    /// Sets and removes texts that belong together: the disk has all of them, or none yet. Never waits.
    pub fn set_together(&self, changes: Vec<(Kind, String, Option<String>)>) {
        let mut held = self.held();
        for (kind, name, text) in changes {
            let key = (kind, name);
            match text {
                Some(text) => drop(held.texts.insert(key.clone(), text)),
                None => drop(held.texts.remove(&key)),
            }
            held.unwritten.insert(key);
        }
        drop(held);
        self.0.changed.notify_one();
    }

    /// Sets the text of a name that has none.
    pub(super) fn set_absent(&self, kind: Kind, name: &str, text: &str) {
        let key = (kind, name.to_owned());
        let mut held = self.held();
        if !held.texts.contains_key(&key) {
            held.texts.insert(key.clone(), text.to_owned());
            held.unwritten.insert(key);
            self.0.changed.notify_one();
        }
    }

    /// Removes those whose names begin with `start`, at most `most` of them; answers how many that were. Never waits: for
    /// many, it is called again and again.
    pub fn remove_beginning(&self, kind: Kind, start: &str, most: usize) -> usize {
        let mut held = self.held();
        let from = held.texts.range((kind, start.to_owned())..);
        let found = from.take_while(|((of, name), _)| *of == kind && name.starts_with(start));
        let found: Vec<_> = found.take(most).map(|it| it.0.clone()).collect();
        for key in &found {
            held.texts.remove(key);
        }
        let count = found.len();
        held.unwritten.extend(found);
        drop(held);
        if count > 0 {
            self.0.changed.notify_one();
        }
        count
    }

    /// Those whose names begin with `start`, in the order of names.
    #[must_use]
    pub fn list_beginning(&self, kind: Kind, start: &str) -> Vec<(String, String)> {
        let held = self.held();
        let from = held.texts.range((kind, start.to_owned())..);
        let found = from.take_while(|((of, name), _)| *of == kind && name.starts_with(start));
        found.map(|((_, name), text)| (name.clone(), text.clone())).collect()
    }

    /// Sets and removes texts, all or none, and returns once the disk has them. Blocking.
    ///
    /// Not for names that [`State::set`] is used for.
    ///
    /// # Errors
    /// What the disk says; then nothing has changed. Also when everything is kept in memory alone.
    pub fn save(&self, changes: &[(Kind, String, Option<String>)]) -> Result<(), StorageError> {
        let Some(database) = &self.0.database else {
            return Err(StorageError::Io(std::io::Error::other("the file could not be opened")));
        };
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        super::guarded(|| {
            database.write(|tx| {
                changes.iter().try_for_each(|(kind, name, text)| {
                    texts::set(tx, *kind, &[(name.clone(), text.clone())])
                })
            })
        })?;
        let mut held = self.held();
        for (kind, name, text) in changes {
            let key = (*kind, name.clone());
            match text {
                Some(text) => drop(held.texts.insert(key, text.clone())),
                None => drop(held.texts.remove(&key)),
            }
        }
        Ok(())
    }

    /// Brings changes to the disk until `stop`. What comes after that is for [`State::close`].
    pub async fn run(self, stop: CancellationToken) {
        while stop.run_until_cancelled(self.0.changed.notified()).await.is_some() {
            if stop.run_until_cancelled(sleep(WRITE_DELAY)).await.is_none() {
                return;
            }
            if let Err(error) = self.write_off_thread().await {
                tracing::error!(%error, "what was learnt of the platforms cannot be kept");
                if stop.run_until_cancelled(sleep(RETRY_AFTER)).await.is_none() {
                    return;
                }
                self.0.changed.notify_one();
            }
        }
    }

    /// Brings the last changes to the disk.
    pub async fn close(&self) {
        if let Err(error) = self.write_off_thread().await {
            tracing::error!(%error, "what was learnt of the platforms cannot be kept");
        }
    }

    /// Brings what was set to the disk now, and returns once it is there.
    ///
    /// # Errors
    /// What the disk says; it is tried again with the next change.
    pub async fn flush(&self) -> Result<(), StorageError> {
        self.write_off_thread().await
    }

    async fn write_off_thread(&self) -> Result<(), StorageError> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.write())
            .await
            .unwrap_or_else(|it| Err(StorageError::Io(std::io::Error::other(it.to_string()))))
    }

    fn write(&self) -> Result<(), StorageError> {
        let Some(database) = &self.0.database else {
            self.held().unwritten.clear();
            return Ok(());
        };
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changes: BTreeMap<Kind, Vec<(String, Option<String>)>> = BTreeMap::new();
        let taken = {
            let mut held = self.held();
            let taken = std::mem::take(&mut held.unwritten);
            for key in &taken {
                let text = held.texts.get(key).cloned();
                changes.entry(key.0).or_default().push((key.1.clone(), text));
            }
            taken
        };
        if taken.is_empty() {
            return Ok(());
        }
        let written = super::guarded(|| {
            database.write(|tx| {
                changes.iter().try_for_each(|(kind, changes)| texts::set(tx, *kind, changes))
            })
        });
        if written.is_err() {
            self.held().unwritten.extend(taken);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_set_is_there_after_a_restart_and_what_was_removed_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.redb");
        let state = State::open(&path).unwrap();
        state.set(Kind::Platforms, "a", Some("1".into()));
        state.set(Kind::Quotas, "a", Some("2".into()));
        state.set(Kind::Platforms, "b", Some("3".into()));
        state.close().await;
        state.set(Kind::Platforms, "b", None);
        state.set(Kind::Platforms, "c", Some("4".into()));
        state.close().await;
        drop(state);

        let state = State::open(&path).unwrap();
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(state.list(Kind::Platforms), [pair("a", "1"), pair("c", "4")]);
        assert_eq!(state.find(Kind::Quotas, "a").as_deref(), Some("2"));
        assert_eq!(state.find(Kind::Platforms, "b"), None);
    }

    #[test]
    fn what_is_saved_is_on_the_disk_at_once_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("state.redb")).unwrap();
        let change =
            |kind, name: &str, text: Option<&str>| (kind, name.to_owned(), text.map(str::to_owned));
        let written = |kind| state.0.database.as_ref().unwrap().read(|tx| texts::list(tx, kind));
        let both = [change(Kind::Looks, "a", Some("1")), change(Kind::Themes, "a/x", Some("2"))];
        state.save(&both).unwrap();
        assert_eq!(written(Kind::Looks).unwrap(), [("a".to_owned(), "1".to_owned())]);
        assert_eq!(state.find(Kind::Themes, "a/x").as_deref(), Some("2"));
        state.save(&[change(Kind::Themes, "ab/x", Some("3"))]).unwrap();
        assert_eq!(state.list_beginning(Kind::Themes, "a/").len(), 1);
        state.save(&[change(Kind::Looks, "a", None)]).unwrap();
        assert!(written(Kind::Looks).unwrap().is_empty());

        let state = State::in_memory();
        assert!(state.save(&both).is_err());
        assert_eq!(state.find(Kind::Looks, "a"), None);
    }

    #[tokio::test]
    async fn a_change_reaches_the_disk_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.redb");
        let state = State::open(&path).unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(state.clone().run(stop.clone()));
        state.set(Kind::Platforms, "a", Some("1".into()));
        let database = state.0.database.as_ref().unwrap();
        while database.read(|tx| texts::list(tx, Kind::Platforms)).unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        task.await.unwrap();
    }
}
