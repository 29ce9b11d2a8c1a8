//! `streamsuites config`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{Failure, old_config, print};
use crate::config::{Sources, check, load, schema, schemas, show};

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every problem of the configuration, not only the first.
    #[command(after_help = "Example:\n  streamsuites config check --config config")]
    Check(Folder),
    /// Print the configuration in force, secrets left out.
    #[command(after_help = "Example:\n  streamsuites config show")]
    Show(Folder),
    /// Read the configuration of the older program from a folder, and write ours.
    #[command(
        after_help = "Example:\n  streamsuites config import old-runtime/shared/config --config config"
    )]
    Import {
        /// The folder with the old files
        #[arg(value_name = "OLD_FOLDER")]
        old: PathBuf,
        /// Replace files that are there
        #[arg(long)]
        force: bool,
        /// Where the new files go
        #[command(flatten)]
        folder: Folder,
    },
    /// Print the JSON Schemas of the files, or write them beside the files.
    #[command(after_help = "Example:\n  streamsuites config schema --write")]
    Schema {
        /// Write them to config/schemas, and .env.example beside config
        #[arg(long)]
        write: bool,
    },
}

/// Which configuration.
#[derive(Debug, Args)]
pub struct Folder {
    /// Folder of the configuration files [default: config]
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
}

impl Folder {
    fn sources(self) -> Sources {
        let mut sources = Sources::from_process();
        if let Some(folder) = self.config {
            sources.folder = folder;
            sources.folder_must_exist = true;
        }
        sources
    }
}

/// Does it.
///
/// # Errors
/// Every problem of the configuration, a line each.
pub fn run(command: ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check(folder) => {
            print(&format!("{}\n", check(&folder.sources()).map_err(Failure::list)?))
        }
        ConfigCommand::Show(folder) => {
            print(&format!("{}\n", show(&load(&folder.sources()).map_err(Failure::list)?)))
        }
        ConfigCommand::Import { old, force, folder } => {
            let new = folder.config.unwrap_or_else(|| "config".into());
            let imported = old_config::import(&old, &new, force).map_err(Failure::new)?;
            for note in &imported.notes {
                print(&format!("not taken over: {note}\n"))?;
            }
            for path in &imported.written {
                print(&format!("{}\n", path.display()))?;
            }
            let (files, notes) = (imported.written.len(), imported.notes.len());
            print(&format!("{files} files were written; {notes} things were not taken over\n"))
        }
        ConfigCommand::Schema { write: true } => {
            let folder = Path::new("config/schemas");
            let problem = |it| Failure::new(format!("cannot write to {}: {it}", folder.display()));
            let mut written = schema::write_schemas(folder).map_err(problem)?;
            written
                .extend(crate::exports::write_schemas(&folder.join("exports")).map_err(problem)?);
            let example = PathBuf::from(".env.example");
            std::fs::write(&example, crate::config::secrets::env_example()).map_err(problem)?;
            written.push(example);
            written.iter().try_for_each(|it| print(&format!("{}\n", it.display())))
        }
        ConfigCommand::Schema { write: false } => {
            let all: serde_json::Map<_, _> =
                schemas().into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
            print(&format!("{:#}\n", serde_json::Value::Object(all)))
        }
    }
}
