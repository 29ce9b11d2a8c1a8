//! Why a server does not start.

use std::{io, path::PathBuf};

use crate::config::ConfigErrors;

/// Why a server did not start: one sentence that names the file, key or flag.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Everything that is wrong with the configuration, a line each.
    #[error("{0}")]
    Config(ConfigErrors),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {reason}; choose another with --listen")]
    Listen {
        /// As configured.
        address: String,
        /// In words.
        reason: String,
    },
    /// A folder cannot be used.
    #[error("cannot use the {what} folder {}: {source}; choose another with {flag}", path.display())]
    Folder {
        /// Which folder.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
        /// What chooses another.
        flag: &'static str,
    },
    /// Another server uses the data folder.
    #[error("another StreamSuites uses {}; stop it, or choose another folder with --data", path.display())]
    Locked {
        /// The file that is locked.
        path: PathBuf,
    },
    /// A file of ours in the data folder cannot be read.
    #[error("cannot read {}: {reason}; mend it or move it away", path.display())]
    Stored {
        /// Which.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The file to play cannot be read.
    #[error("cannot play {}: {source}", path.display())]
    Playback {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The configuration cannot be watched.
    #[error("cannot watch the configuration: {0}")]
    Watch(String),
}
