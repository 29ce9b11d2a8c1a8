//! `streamsuites token`: what scripts send to act as the operator.

use std::{fs, io};

use clap::{Args, Subcommand};

use super::{Failure, account, folders::Folders, print};

/// The flags of `token`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct TokenArgs {
    #[command(subcommand)]
    command: Option<TokenCommand>,
    #[command(flatten)]
    folders: Folders,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token for an account's programs, while no server runs, and print it this once.
    #[command(
        after_help = "Example:\n  streamsuites token create --account ana@example.com --name bot --days 90"
    )]
    Create(account::NewTokenArgs),
}

/// Prints the operator's: the configured one, else that of the data folder. Or makes one for an account.
///
/// # Errors
/// Where it was looked for, and why it is not there.
pub fn run(arguments: TokenArgs) -> Result<(), Failure> {
    if let Some(TokenCommand::Create(new)) = arguments.command {
        return account::create_token(new);
    }
    let config = arguments.folders.load()?;
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
