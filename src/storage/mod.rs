//! The embedded database: opened, read, written, migrated and copied here. Nothing else names `redb`.
//!
//! Everything in this module blocks: a commit waits for the disk. Callers are on threads of their own.

use std::panic::{AssertUnwindSafe, catch_unwind};

mod belongings;
mod copy;
mod database;
#[cfg(test)]
pub(crate) mod disk;
mod migrate;
mod records;
mod state;
pub mod tables;

pub use belongings::Belongings;
pub use copy::copy_to;
pub use database::{
    Backend, BackendIoError, Database, FileBackend, Reading, Writing, open_private,
};
pub use migrate::{Migration, VERSION, migrate};
pub use records::Records;
pub use state::{Kind, State};

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another process has it.
    #[error("another process uses it")]
    Locked,
    /// What is there cannot be what was written.
    #[error("it is damaged ({0})")]
    Damaged(String),
    /// It is of a later version of this program.
    #[error("a newer version of this program wrote it (format {found}, this one knows {known})")]
    Newer {
        /// What it says.
        found: u32,
        /// What is known here.
        known: u32,
    },
    /// The disk refused.
    #[error("{0}")]
    Io(std::io::Error),
}

/// Does something with a database that may be damaged: that can make it panic, and to us is the same.
///
/// # Errors
/// Those of `work`, and [`StorageError::Damaged`] for a panic.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, StorageError>) -> Result<T, StorageError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(StorageError::damaged("its pages contradict each other")))
}

impl StorageError {
    /// A damage that was found in a row.
    #[must_use]
    pub fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }
}

impl From<std::io::Error> for StorageError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            // What redb says of a file that is none of its own, or cut short.
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Io(error),
        }
    }
}
