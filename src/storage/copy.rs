//! A copy of a database while it is in use.

use std::path::Path;

use super::{
    Belongings, Database, Reading, Records, StorageError,
    tables::{epochs, events, marks, meta, minutes, rooms, sessions},
};

/// Rows copied in one transaction: bounds the memory of a copy.
const ROWS_AT_ONCE: usize = 4096;

/// Writes everything that `from` shows into a new file, and `belongings` and `records` with it: one moment of the
/// database, without holes.
///
/// Answers how many events were copied. `progress` is told their number now and then.
///
/// # Errors
/// When the file exists, and what the disk says.
pub fn copy_to(
    from: &Reading,
    path: &Path,
    belongings: &Belongings,
    records: Option<&Records>,
    progress: impl FnMut(u64),
) -> Result<u64, StorageError> {
    if path.exists() {
        let exists = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "it exists already");
        return Err(StorageError::Io(exists));
    }
    let copied = copy(from, path, belongings, records, progress);
    if copied.is_err() {
        // Half a copy is none. That it was never begun is fine too.
        let _ = std::fs::remove_file(path);
    }
    copied
}

fn copy(
    from: &Reading,
    path: &Path,
    belongings: &Belongings,
    records: Option<&Records>,
    mut progress: impl FnMut(u64),
) -> Result<u64, StorageError> {
    let to = Database::open(path)?;
    to.write(|tx| {
        meta::copy(from, tx)?;
        // Whoever had numbers of the original may have more of them than the copy.
        meta::set(&mut meta::open(tx)?, meta::CLEAN, "false")?;
        epochs::copy(from, tx)?;
        rooms::copy(from, tx)?;
        sessions::copy(from, tx)?;
        minutes::copy(from, tx)?;
        marks::copy(from, tx)?;
        belongings.put(tx)
    })?;
    if let Some(records) = records {
        records.copy_into(&to)?;
    }
    let mut copied = 0;
    let mut after: Option<Vec<u8>> = None;
    loop {
        let (count, last) =
            to.write(|tx| events::copy(from, tx, after.as_deref(), ROWS_AT_ONCE))?;
        copied += count as u64;
        progress(copied);
        if last.is_none() {
            return Ok(copied);
        }
        after = last;
    }
}
