//! Records of a database of their own, on their way into a copy.

use std::path::Path;

use super::{Database, Reading, StorageError, tables::records};

/// Rows copied in one transaction: bounds the memory of a copy.
const ROWS_AT_ONCE: usize = 4096;

/// One moment of such records, without some kinds.
pub struct Records {
    from: Reading,
    but: &'static [&'static str],
    /// What `from` is of, where nobody else keeps it open.
    _database: Option<Database>,
}

impl Records {
    /// All that `from` shows, but for these kinds, for as long as somebody keeps its database open.
    #[must_use]
    pub fn new(from: Reading, but: &'static [&'static str]) -> Self {
        Self { from, but, _database: None }
    }

    /// All that a database holds that nobody else has open, but for these kinds.
    ///
    /// # Errors
    /// What the disk says.
    pub fn of(database: Database, but: &'static [&'static str]) -> Result<Self, StorageError> {
        Ok(Self { from: database.moment()?, but, _database: Some(database) })
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
