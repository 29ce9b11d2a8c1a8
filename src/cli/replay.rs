//! `streamsuites replay`

use std::path::PathBuf;

use clap::Args;

use super::{Failure, serve};
use crate::{
    model::CreatorId,
    platforms::recording::{Format, Speed},
};

/// The flags of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The recording: .jsonl (a feed) or .irc (Twitch chat as received)
    pub file: PathBuf,
    /// The room to play it into
    #[arg(long, value_name = "ROOM")]
    pub into: CreatorId,
    /// How fast: a number, or max
    #[arg(long, value_name = "N|max", default_value = "1")]
    pub speed: Speed,
    /// Begin when the first overlay or chat opens
    #[arg(long)]
    pub wait: bool,
    /// Stop when the recording has ended
    #[arg(long)]
    pub exit: bool,
    #[command(flatten)]
    serve: serve::ServeArgs,
}

/// Plays and serves.
///
/// # Errors
/// What keeps the server from starting, or the file from being played.
pub fn run(arguments: ReplayArgs) -> Result<(), Failure> {
    let ReplayArgs { file, into, speed, wait, exit, serve } = arguments;
    if Format::of(&file).is_none() {
        return Err(Failure::new(format!(
            "cannot play {}: the name must end with .jsonl or .irc",
            file.display()
        )));
    }
    serve::run(serve, Some(serve::Play { file, room: into, speed, wait, exit }))
}
