//! The small state of this server: opened so that whatever is wrong with it, live chat is not harmed.

use std::path::Path;

use super::StartError;
use crate::{
    feed::set_aside,
    storage::{State, StorageError},
    telemetry::Telemetry,
};

/// The file in the data folder.
pub(super) const FILE: &str = "state.redb";

/// Opens it. One that is damaged is moved aside; and when the disk refuses, it is kept in memory alone.
///
/// # Errors
/// When another process has it, or a newer version wrote it: that is for people to decide.
pub(super) fn open(data: &Path, telemetry: &Telemetry) -> Result<State, StartError> {
    let path = data.join(FILE);
    let without = |reason: &str| {
        tracing::error!(
            "cannot open {}: {reason}; what is learnt and spent is forgotten at the next start",
            path.display()
        );
        telemetry.recent.error("runtime", "state_not_kept", FILE, "the log says why");
        Ok(State::in_memory())
    };
    match State::open(&path) {
        Ok(state) => Ok(state),
        Err(StorageError::Locked) => Err(StartError::Locked { path }),
        Err(error @ StorageError::Newer { .. }) => {
            Err(StartError::Stored { path, reason: error.to_string() })
        }
        Err(StorageError::Io(error)) => without(&error.to_string()),
        Err(StorageError::Damaged(reason)) => match set_aside(&path) {
            Ok(aside) => {
                tracing::error!(
                    "{} is damaged ({reason}): it was moved to {}",
                    path.display(),
                    aside.display()
                );
                State::open(&path).or_else(|it| without(&it.to_string()))
            }
            Err(error) => without(&error.to_string()),
        },
    }
}
