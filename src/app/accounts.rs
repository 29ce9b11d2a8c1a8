//! Accounts: opened, or the server does not start.

use std::path::Path;

use super::StartError;
use crate::{
    accounts::{Accounts, FILE, Parts},
    storage::StorageError,
};

/// Opens them. Unlike what is learnt and recorded, a damaged file of accounts is for people to decide: a server that
/// began with none would let others take the names. Blocking, for a moment.
///
/// # Errors
/// When another process has the file, or it cannot be read.
pub(super) fn open(data: &Path, parts: Parts) -> Result<Accounts, StartError> {
    let path = data.join(FILE);
    Accounts::open(data, parts).map_err(|error| match error {
        StorageError::Locked => StartError::Locked { path },
        other => StartError::Stored { path, reason: other.to_string() },
    })
}
