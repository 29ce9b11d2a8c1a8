//! Where the server that uses a data folder can be reached: for commands that ask it instead of the files.

use std::{fs, io, net::SocketAddr, path::Path};

use serde::{Deserialize, Serialize};

/// The file in the data folder.
const FILE: &str = "server.json";

/// A server that runs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
}

impl Running {
    /// Says so in the data folder. Blocking.
    pub(super) fn write(&self, data: &Path) -> io::Result<()> {
        crate::exports::replace_file(&data.join(FILE), &serde_json::to_vec(self)?)
    }

    /// Takes it back. Blocking.
    pub(super) fn remove(data: &Path) {
        // Nobody is misled by what is not there.
        let _ = fs::remove_file(data.join(FILE));
    }

    /// What the folder says. Blocking.
    ///
    /// # Errors
    /// When it says nothing that can be read.
    pub fn find(data: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(data.join(FILE))?)?)
    }
}
