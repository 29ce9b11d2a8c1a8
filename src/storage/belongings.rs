//! What a copy carries besides the feed log: the small state, and small files of the data folder. Accounts are carried
//! as [`super::Records`].
//!
//! They lie in tables of the copy itself, so that one file takes the log's place and brings all of it, or nothing.
//! From there they are taken over; until then they stay, and the next start goes on.

use std::collections::HashSet;

use super::{
    Reading, State, StorageError, Writing,
    tables::{
        files,
        texts::{self, Kind},
    },
};

/// What a copy carries besides the feed log.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Belongings {
    /// The small state: kind, name and text.
    pub texts: Vec<(Kind, String, String)>,
    /// Small files of the data folder: name and text.
    pub files: Vec<(String, String)>,
}

impl Belongings {
    /// What a small state holds now, and no files.
    #[must_use]
    pub fn of(state: &State) -> Self {
        Self::gather(|kind| Ok(state.list(kind))).unwrap_or_default()
    }

    /// The same of one that nobody has open.
    ///
    /// # Errors
    /// What the disk says.
    pub fn read_state(tx: &Reading) -> Result<Self, StorageError> {
        Self::gather(|kind| texts::list(tx, kind))
    }

    fn gather(
        list: impl Fn(Kind) -> Result<Vec<(String, String)>, StorageError>,
    ) -> Result<Self, StorageError> {
        let mut found = Vec::new();
        for kind in Kind::ALL {
            found.extend(list(kind)?.into_iter().map(|(name, text)| (kind, name, text)));
        }
        Ok(Self { texts: found, files: Vec::new() })
    }

    /// What a log carries; `None` when it is none that was just restored.
    ///
    /// # Errors
    /// What the disk says.
    pub fn find(tx: &Reading) -> Result<Option<Self>, StorageError> {
        let Some(files) = files::list(tx)? else { return Ok(None) };
        Ok(Some(Self { files, ..Self::read_state(tx)? }))
    }

    /// Puts them into a copy.
    ///
    /// # Errors
    /// What the disk says.
    pub fn put(&self, tx: &Writing) -> Result<(), StorageError> {
        for kind in Kind::ALL {
            let of_kind = self.texts.iter().filter(|it| it.0 == kind);
            let of_kind: Vec<_> = of_kind.map(|it| (it.1.clone(), Some(it.2.clone()))).collect();
            if !of_kind.is_empty() {
                texts::set(tx, kind, &of_kind)?;
            }
        }
        files::set(tx, &self.files)
    }

    /// Takes them out of a log that they were taken over from.
    ///
    /// # Errors
    /// What the disk says.
    pub fn remove(tx: &Writing) -> Result<(), StorageError> {
        for kind in Kind::ALL {
            texts::remove(tx, kind)?;
        }
        files::remove(tx)
    }

    /// The text of a file.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&str> {
        self.files.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }

    /// Brings the small state to what these say, as far as it is ours to say. Blocking.
    ///
    /// # Errors
    /// What the disk says; then nothing that is shown to anybody has changed.
    pub fn bring(&self, state: &State) -> Result<(), StorageError> {
        let mut changes = Vec::new();
        for kind in Kind::ALL.into_iter().filter(|it| it.is_ours()) {
            let here = state.list(kind);
            let there = self.texts.iter().filter(|it| it.0 == kind);
            let names: HashSet<_> = there.clone().map(|it| it.1.as_str()).collect();
            let gone = here.iter().filter(|(name, _)| !names.contains(name.as_str()));
            changes.extend(gone.map(|(name, _)| (kind, name.clone(), None)));
            changes.extend(there.map(|it| (kind, it.1.clone(), Some(it.2.clone()))));
        }
        if !changes.is_empty() {
            state.save(&changes)?;
        }
        for (kind, name, text) in self.texts.iter().filter(|it| !it.0.is_ours()) {
            state.set_absent(*kind, name, text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Database;

    #[test]
    fn looks_are_as_in_the_copy_and_what_the_world_has_moved_on_from_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("state.redb")).unwrap();
        let save = |kind, name: &str, text: &str| {
            state.save(&[(kind, name.to_owned(), Some(text.to_owned()))]).unwrap();
        };
        save(Kind::Looks, "ana", "before");
        save(Kind::Platforms, "kick token ana", "first");
        let mut belongings = Belongings::of(&state);
        belongings.files.push(("channels.json".to_owned(), "[]".to_owned()));

        let copy = Database::open(&folder.path().join("copy.redb")).unwrap();
        assert_eq!(copy.read(Belongings::find).unwrap(), None);
        copy.write(|tx| belongings.put(tx)).unwrap();
        assert_eq!(copy.read(Belongings::find).unwrap(), Some(belongings.clone()));

        save(Kind::Looks, "ana", "after");
        save(Kind::Themes, "ana/new", "x");
        save(Kind::Platforms, "kick token ana", "second");
        belongings.bring(&state).unwrap();
        assert_eq!(state.find(Kind::Looks, "ana").as_deref(), Some("before"));
        assert_eq!(state.find(Kind::Themes, "ana/new"), None);
        assert_eq!(state.find(Kind::Platforms, "kick token ana").as_deref(), Some("second"));

        let empty = State::open(&folder.path().join("empty.redb")).unwrap();
        belongings.bring(&empty).unwrap();
        assert_eq!(empty.find(Kind::Platforms, "kick token ana").as_deref(), Some("first"));

        copy.write(Belongings::remove).unwrap();
        assert_eq!(copy.read(Belongings::find).unwrap(), None);
    }
}
