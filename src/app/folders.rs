//! The folders of a server: usable, and used by one server only.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::StartError;

/// Keeps other servers out of the data folder for as long as the file is open. Blocking.
///
/// # Errors
/// When another process has it, or the folder cannot be used.
pub fn lock_folder(data: &Path) -> Result<fs::File, StartError> {
    let path = data.join("lock");
    let problem =
        |source| StartError::Folder { what: "data", path: data.to_owned(), source, flag: "--data" };
    let file = fs::File::create(&path).map_err(problem)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StartError::Locked { path }),
        Err(fs::TryLockError::Error(error)) => Err(problem(error)),
    }
}

/// Makes a folder and tries to write into it. Blocking, for a moment.
pub(super) fn usable_folder(
    what: &'static str,
    path: &Path,
    flag: &'static str,
) -> Result<PathBuf, StartError> {
    let attempt = || {
        if path.is_file() {
            return Err(io::Error::other("it is a file"));
        }
        fs::create_dir_all(path)?;
        let probe = path.join(".streamsuites-probe");
        fs::write(&probe, b"")?;
        fs::remove_file(&probe)
    };
    attempt().map_err(|source| StartError::Folder { what, path: path.to_owned(), source, flag })?;
    Ok(path.to_owned())
}
