//! `streamsuites replay`

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, print, serve};
use crate::{
    app,
    feed::Imported,
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
    /// Put a recorded feed (.jsonl) into the room's log as it was, to be replayed; plays and serves nothing
    #[arg(long, conflicts_with_all = ["wait", "exit", "speed"])]
    pub import: bool,
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
    let ReplayArgs { file, into, speed, wait, import, exit, serve } = arguments;
    if Format::of(&file).is_none() {
        return Err(Failure::new(format!(
            "cannot play {}: the name must end with .jsonl or .irc",
            file.display()
        )));
    }
    if import {
        if Format::of(&file) != Some(Format::Jsonl) {
            return Err(Failure::new(format!(
                "cannot import {}: only a recorded feed (.jsonl) can be; play it instead",
                file.display()
            )));
        }
        return import_file(&file, into, &serve);
    }
    serve::run(serve, Some(serve::Play { file, room: into, speed, wait, exit }))
}

/// Puts a recorded feed into the log of a room, while no server runs.
fn import_file(file: &Path, room: CreatorId, serve: &serve::ServeArgs) -> Result<(), Failure> {
    let config = crate::config::load(&serve.sources()).map_err(Failure::list)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|it| Failure::new(format!("cannot start threads: {it}")))?;
    let imported =
        runtime.block_on(app::import(&config, room.clone(), file)).map_err(Failure::new)?;
    let Imported { events, first_seq, last_seq, as_numbered } = imported;
    let how = match (as_numbered, first_seq) {
        (true, _) => "as it was",
        (false, 1) => "numbered anew",
        (false, _) => "behind what the room has",
    };
    print(&format!("{events} events are in {room}, {how}: {first_seq} to {last_seq}\n"))?;
    if !config.creators.creators.iter().any(|it| it.id == room) {
        print(&format!(
            "  to see them, give {room} a room: {{\"id\": \"{room}\"}} in creators.json\n"
        ))?;
    }
    Ok(())
}
