//! The command line.

pub mod account;
pub mod backup;
pub mod config;
pub mod export;
pub mod folders;
mod offline;
mod old_config;
pub mod password;
pub mod replay;
pub mod rumble;
pub mod serve;
pub mod share;
pub mod token;

use clap::{CommandFactory, Parser, Subcommand};

use serve::ServeArgs;

/// One runtime for livestream creators: many chats, one feed, overlays that never die silently.
#[derive(Debug, Parser)]
#[command(
    name = "streamsuites",
    version = concat!(env!("CARGO_PKG_VERSION"), " (build ", env!("STREAMSUITES_BUILD"), ")"),
    args_conflicts_with_subcommands = true,
    after_help = "Example:\n  streamsuites --channel twitch:yourname\n\nWithout a command it serves; with no channel at all it shows a demo."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read the chats and serve overlays, pop-outs and the socket feed (the default).
    #[command(after_help = "Example:\n  streamsuites serve --channel twitch:yourname --open")]
    Serve(ServeArgs),
    /// Play a recorded feed (.jsonl) or recorded Twitch chat (.irc) into a room, and serve it.
    #[command(
        after_help = "Examples:\n  streamsuites replay last-night.jsonl --into demo --speed 4\n  streamsuites replay last-night.jsonl --into ana --import"
    )]
    Replay(replay::ReplayArgs),
    /// Write a copy of everything recorded, of looks and typed channels into a file, while the server runs or not.
    #[command(after_help = "Example:\n  streamsuites backup friday.redb")]
    Backup(backup::BackupArgs),
    /// Put such a copy in place, while the server runs or not; what was there is kept beside it.
    #[command(after_help = "Example:\n  streamsuites restore friday.redb")]
    Restore(backup::RestoreArgs),
    /// Write the exported files once, while the server runs or not.
    #[command(after_help = "Examples:\n  streamsuites export\n  streamsuites export --publish")]
    Export(export::ExportArgs),
    /// Check, show, describe or import the configuration.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Sign in to Rumble, once and by hand, for what is read and sent through the browser.
    #[command(subcommand)]
    Rumble(rumble::RumbleCommand),
    /// Make admins, reset passwords, list accounts and set what they may, while no server runs.
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Print the operator's token, for scripts that write; or make one for an account's programs.
    #[command(
        after_help = "Examples:\n  curl -H \"Authorization: Bearer $(streamsuites token)\" …\n  streamsuites token create --account ana@example.com --name bot"
    )]
    Token(token::TokenArgs),
    /// Print version and build.
    #[command(after_help = "Example:\n  streamsuites version")]
    Version,
    /// Print completions for a shell.
    #[command(
        after_help = "Example:\n  streamsuites completions bash > /etc/bash_completion.d/streamsuites"
    )]
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// How a command failed: what is printed to standard error, behind exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String, pub Shape);

/// How a failure is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One sentence, behind the program's name.
    Sentence,
    /// Lines that name their file themselves.
    List,
}

impl Failure {
    /// From anything that can say what is wrong.
    pub fn new(problem: impl std::fmt::Display) -> Self {
        Self(problem.to_string(), Shape::Sentence)
    }

    /// From everything that is wrong with the configuration.
    pub fn list(problems: crate::config::ConfigErrors) -> Self {
        Self(problems.to_string(), Shape::List)
    }
}

/// Runs what the command line says.
///
/// # Errors
/// One sentence, or one line per problem.
pub fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        None => serve::run(cli.serve, None),
        Some(Command::Serve(arguments)) => serve::run(arguments, None),
        Some(Command::Replay(arguments)) => replay::run(arguments),
        Some(Command::Backup(arguments)) => backup::back_up(arguments),
        Some(Command::Restore(arguments)) => backup::restore(arguments),
        Some(Command::Export(arguments)) => export::run(arguments),
        Some(Command::Config(command)) => config::run(command),
        Some(Command::Rumble(command)) => rumble::run(command),
        Some(Command::Account(command)) => account::run(command),
        Some(Command::Token(arguments)) => token::run(arguments),
        Some(Command::Version) => {
            print(&format!("streamsuites {} (build {})\n", crate::VERSION, crate::BUILD))
        }
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "streamsuites", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    }
}

/// Writes to standard output. A reader that has gone away (`| head`) is no failure.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(error)),
        _ => Ok(()),
    }
}
