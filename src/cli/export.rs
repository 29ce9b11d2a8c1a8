//! `streamsuites export`

use std::path::PathBuf;

use clap::Args;

use super::{Failure, print, serve::ServeArgs};
use crate::app::export::{Exported, export};

/// What is exported, and where to.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Write the public files to the publish root as well
    #[arg(long)]
    publish: bool,
    /// Folder of the configuration files [default: config]
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// Folder for what must outlive a restart [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder that receives the exported files [default: exports]
    #[arg(long, value_name = "DIR")]
    exports: Option<PathBuf>,
}

/// Writes them.
///
/// # Errors
/// Every mistake of the configuration, or one sentence: what is in the way.
pub fn run(arguments: ExportArgs) -> Result<(), Failure> {
    let ExportArgs { publish, config, data, exports } = arguments;
    let sources = ServeArgs { config, data, exports, ..ServeArgs::default() }.sources();
    let config = crate::config::load(&sources).map_err(Failure::list)?;
    let folder = config.system.exports_dir.clone();
    let root = config.system.exports.publish_root.clone().filter(|_| publish);
    let whose = match config.system.exports.publish_dashboard_too {
        true => "those for everyone and for dashboards",
        false => "the public ones",
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|it| Failure::new(format!("cannot start threads: {it}")))?;
    let exported = runtime.block_on(export(config, publish));
    let Exported { files, beside_a_server } = exported.map_err(Failure::new)?;
    print(&format!("{} files are in {}\n", files.len(), folder.display()))?;
    if beside_a_server {
        print("  a server runs: what only it knows, it keeps up to date itself\n")?;
    }
    match root {
        Some(root) => print(&format!("  {whose} are in {}\n", root.display())),
        None => Ok(()),
    }
}
