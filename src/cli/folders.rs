//! Where a server that was started in the same way keeps its files.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, serve::ServeArgs};
use crate::config::Config;

/// The folders, as `serve` was told.
#[derive(Debug, Clone, Default, Args)]
pub struct Folders {
    /// Folder of the configuration files, when `serve` was given one [default: config]
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// Folder for what must outlive a restart, when `serve` was given one [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Folders {
    /// The configuration that such a server has.
    ///
    /// # Errors
    /// Every mistake in it.
    pub(super) fn load(&self) -> Result<Config, Failure> {
        let Self { config, data } = self.clone();
        let sources = ServeArgs { config, data, ..ServeArgs::default() }.sources();
        crate::config::load(&sources).map_err(Failure::list)
    }
}
