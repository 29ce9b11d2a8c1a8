//! Records of a database of their own, on their way into a copy.

use std::path::Path;

use super::{Database, Reading, StorageError, tables::records};

/// Rows copied in one transaction: bounds the memory of a copy.
const ROWS_AT_ONCE: usize = 4096;

/// One moment of such records, without some kinds.
pub struct Records {
    from: Reading,
    but: &'static [&'static str],
}

impl Records {
    /// All that `from` shows, but for these kinds.
    #[must_use]
    pub fn new(from: Reading, but: &'static [&'static str]) -> Self {
        Self { from, but }
    }

    /// Writes them into a database that has none; one that is there afterwards says that there were none.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn copy_into(&self, to: &Database) -> Result<(), StorageError> {
        let mut after: Option<String> = None;
        loop {
            after = to.write(|tx| {
                records::copy(&self.from, tx, after.as_deref(), ROWS_AT_ONCE, self.but)
            })?;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Writes them into a new file. Blocking.
    ///
    /// # Errors
    /// What the disk says.
    pub fn write_file(&self, path: &Path) -> Result<(), StorageError> {
        let to = Database::open(path)?;
        to.write(super::migrate)?;
        self.copy_into(&to)
    }
}
