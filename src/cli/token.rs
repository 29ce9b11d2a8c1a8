//! `streamsuites token`: what scripts send to act as the operator.

use std::{fs, io, path::PathBuf};

use clap::Args;

use super::{Failure, print, serve::ServeArgs};

/// The flags of `token`: where the server that it is for keeps its files, as `serve` was told.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// Folder of the configuration files, when `serve` was given one [default: config]
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// Folder for what must outlive a restart, when `serve` was given one [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Prints it: the configured one, else that of the data folder.
///
/// # Errors
/// Where it was looked for, and why it is not there.
pub fn run(arguments: &TokenArgs) -> Result<(), Failure> {
    let TokenArgs { config, data } = arguments;
    let folders = ServeArgs { config: config.clone(), data: data.clone(), ..ServeArgs::default() };
    let config = crate::config::load(&folders.sources()).map_err(Failure::list)?;
    let token = match config.secrets.operator_token() {
        Some(it) => it.to_owned(),
        None => {
            let path = config.system.data_dir.join("operator.token");
            fs::read_to_string(&path).map_err(|error| {
                // Relative, it would not say where that is.
                let shown = std::path::absolute(&path).unwrap_or(path);
                Failure::new(match error.kind() {
                    io::ErrorKind::NotFound => format!(
                        "there is no {}: it is made when the server first starts; run this in the folder in which the \
                         server was started, with the same --config and --data",
                        shown.display()
                    ),
                    _ => format!("cannot read {}: {error}", shown.display()),
                })
            })?
        }
    };
    print(&format!("{}\n", token.trim()))
}
