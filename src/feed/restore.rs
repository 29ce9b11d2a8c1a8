//! A copy of a log takes the log's place: checked whole before anything is touched, and undone when it fails.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    index::{Index, PendingMark},
    open::prepare,
    record::Deletion,
};
use crate::{
    model::Timestamp,
    storage::{
        Database, StorageError, guarded, migrate,
        tables::{epochs, marks, meta, rooms::RoomRow},
    },
};

/// Makes a copy ready to be written on, and reads what is kept in memory.
///
/// It counts as killed, wherever it comes from: numbers that were given after it was made are given again, under
/// another epoch. What was deleted since in the log it replaces stays deleted.
pub(super) fn make_ready(
    candidate: &Database,
    current: (Option<&Database>, &Index),
) -> Result<(Index, u32), StorageError> {
    let (current, known) = current;
    if !candidate.read(epochs::is_there)? {
        return Err(StorageError::damaged("it is no feed log"));
    }
    candidate.write(|tx| {
        migrate(tx)?;
        meta::set(&mut meta::open(tx)?, meta::CLEAN, "false")
    })?;
    let ready = prepare(candidate, known.generation + 1)?;
    if let Some(current) = current {
        let rooms = current.read(crate::storage::tables::rooms::look)?;
        current.read(|from| {
            candidate.write(|tx| {
                let mut to = marks::Marks::open(tx)?;
                for row in &rooms {
                    let Some(room) = ready.0.find(&row.name) else { continue };
                    let RoomRow { number, head, .. } = room.durable().clone();
                    marks::carry_over(from, row.number, &mut to, number, head)?;
                }
                Ok(())
            })
        })?;
    }
    // And what the disk does not know of yet, or will never know.
    candidate.write(|tx| {
        let mut marks = marks::Marks::open(tx)?;
        for old in known.rooms() {
            let Some(room) = ready.0.find(&old.name) else { continue };
            let RoomRow { number, head, .. } = room.durable().clone();
            for PendingMark { deletion, mut mark, .. } in old.pending().iter().cloned() {
                if !matches!(deletion, Deletion::Message(_)) {
                    mark.seq = head + 1;
                }
                marks.set(number, deletion.marked(), mark)?;
            }
        }
        Ok(())
    })?;
    Ok(ready)
}

/// Puts `candidate` in the place of `path`; answers where that is now. At no moment is there neither.
pub(super) fn swap(candidate: &Path, path: &Path) -> io::Result<PathBuf> {
    let aside = aside(path, "before-restore");
    if path.exists() && fs::hard_link(path, &aside).is_err() {
        // A file system without links: for a moment there is only the one aside.
        fs::rename(path, &aside)?;
    }
    fs::rename(candidate, path)?;
    Ok(aside)
}

/// Puts a copy of `file` in the place of the log at `path` while no server uses it; answers where the log is now.
/// Blocking.
///
/// # Errors
/// When the file is no feed log, and what the disk says; the log stays then.
pub fn restore_file(file: &Path, path: &Path) -> Result<PathBuf, StorageError> {
    let part = path.with_extension("restore.part");
    let ready = || {
        fs::copy(file, &part)?;
        guarded(|| {
            let candidate = Database::open(&part)?;
            // One that cannot be opened has nothing that could be taken over.
            let current = path.is_file().then(|| Database::open(path).ok()).flatten();
            make_ready(&candidate, (current.as_ref(), &Index::default()))
        })?;
        Ok(swap(&part, path)?)
    };
    let outcome = ready();
    if outcome.is_err() {
        // It may not be there; the error that matters is the first.
        let _ = fs::remove_file(&part);
    }
    outcome
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
