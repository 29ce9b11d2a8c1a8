//! One open database file: reading never waits for writing, and a write is whole or not at all.

use std::{fs::File, io, path::Path};

use redb::{Builder, ReadableDatabase};

use super::StorageError;

pub use redb::{
    ReadTransaction as Reading, StorageBackend as Backend, WriteTransaction as Writing,
    backends::FileBackend,
};

/// What a [`Backend`] fails with.
pub type BackendIoError = std::io::Error;

/// Memory for pages of the file (bytes). The system keeps more of it in its own cache.
const CACHE_BYTES: usize = 16 << 20;

/// Opens a file for its owner's eyes only, also one that was copied here from where all could read it; makes it when
/// it is absent. Blocking.
///
/// # Errors
/// What the disk says.
pub fn open_private(path: &Path, truncate: bool) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(truncate);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata()?.permissions().mode();
        let narrow = || file.set_permissions(PermissionsExt::from_mode(0o600));
        if let Err(error) = make_private(mode, narrow) {
            tracing::warn!(
                file = %path.display(), %error,
                "others on this computer may be able to read this file, and that cannot be changed here"
            );
        }
    }
    Ok(file)
}

/// Takes a file from all but its owner, where it is not so already: file systems without owners of their own refuse
/// to be told, and that is no reason to keep nothing.
#[cfg(unix)]
fn make_private(mode: u32, narrow: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    if mode & 0o777 & !0o600 == 0 { Ok(()) } else { narrow() }
}

/// An open database.
#[derive(Debug)]
pub struct Database(redb::Database);

impl Database {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When another process has it, when it is damaged, or when the disk refuses.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        // It holds what was moderated as well.
        let backend = FileBackend::new(open_private(path, false)?)?;
        Ok(Self(Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(backend)?))
    }

    /// The same on something else than a file: tests stand between the database and its disk.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open_on(backend: impl Backend) -> Result<Self, StorageError> {
        Ok(Self(Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(backend)?))
    }

    /// Looks at what is there now; writes meanwhile change nothing of the view.
    ///
    /// # Errors
    /// Those of `look`, and of the disk.
    pub fn read<T>(
        &self,
        look: impl FnOnce(&Reading) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        look(&self.0.begin_read()?)
    }

    /// What is there now, for as long as it is kept and the database is open.
    ///
    /// # Errors
    /// What the disk says.
    pub fn moment(&self) -> Result<Reading, StorageError> {
        Ok(self.0.begin_read()?)
    }

    /// Does all that `change` does, durably once it returns `Ok`, or nothing of it.
    ///
    /// # Errors
    /// Those of `change`, and of the disk: after one of the disk, the database must be opened anew.
    pub fn write<T>(
        &self,
        change: impl FnOnce(&Writing) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut tx = self.0.begin_write()?;
        // What a kill leaves is then opened in a millisecond. Without it, every page is looked at first:
        // half a second a gigabyte.
        tx.set_quick_repair(true);
        let done = change(&tx)?;
        tx.commit()?;
        Ok(done)
    }
}

impl From<redb::Error> for StorageError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Self::Locked,
            redb::Error::Corrupted(what) => Self::Damaged(what),
            redb::Error::UpgradeRequired(version) => {
                Self::Damaged(format!("its file format {version} is too old"))
            }
            redb::Error::Io(error) => error.into(),
            redb::Error::TableTypeMismatch { table, .. } => {
                Self::Damaged(format!("table {table} is of another shape"))
            }
            other => Self::Io(std::io::Error::other(other.to_string())),
        }
    }
}

/// The errors of each step, by way of the one that knows them all.
macro_rules! from_redb {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for StorageError {
            fn from(error: redb::$error) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}

from_redb!(DatabaseError, TransactionError, TableError, StorageError, CommitError);

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_that_is_private_already_is_not_touched_and_a_wider_one_is_narrowed() {
        let refuse = || Err(io::ErrorKind::PermissionDenied.into());
        make_private(0o100_600, refuse).unwrap();
        make_private(0o100_400, refuse).unwrap();
        for wide in [0o100_644, 0o100_640, 0o100_700, 0o100_604] {
            make_private(wide, refuse).unwrap_err();
        }

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.redb");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let file = open_private(&path, false).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
