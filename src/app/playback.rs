//! Recordings that this server plays into its own rooms: the demo, and a file.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    boards::Boards,
    chat::{Hub, Rooms},
    lifecycle::Lifecycle,
    model::{CreatorId, Platform, PlatformState},
    platforms::{
        Ingest, Source,
        recording::{Played, Player, Speed, demo},
    },
    web::{assets, looks::Looks},
};

/// How long the audience of a recording that has ended is given to receive the rest of it.
const LAST_FRAMES: Duration = Duration::from_secs(2);

/// A file to be played into a room.
pub struct Playback {
    /// The recording.
    pub file: PathBuf,
    /// The room.
    pub room: CreatorId,
    /// How fast.
    pub speed: Speed,
    /// Begin when somebody watches.
    pub wait: bool,
    /// Told what was played.
    pub done: tokio::sync::oneshot::Sender<io::Result<Played>>,
}

/// Plays the demo for as long as the server runs.
pub(super) fn start_demo(
    hub: &Hub,
    looks: &Looks,
    boards: &Boards,
    sink: &Arc<Rooms>,
    life: &Lifecycle,
) {
    let Ok(room) = demo::ROOM.parse::<CreatorId>() else { return };
    boards.greet(&hub.open_room(&room, looks.of(&room), true));
    let source = Source {
        creator: room,
        platform: Platform::Streamsuites,
        channel: "demo".into(),
        recorded: true,
    };
    let (sink, stop) = (Arc::clone(sink), life.stop.clone());
    life.spawn(async move {
        let Some(mut ingest) = Ingest::new(&*sink, source) else { return };
        ingest.prepare().await;
        ingest.status(PlatformState::Live, "demo");
        if let Err(error) = demo::play(&assets::demo_recording(), &mut ingest, &stop).await {
            tracing::error!(%error, "the demo cannot be played");
        }
    });
}

/// Plays a file into its room, and tells what was played.
pub(super) fn start_playback(
    playback: Playback,
    hub: &Arc<Hub>,
    looks: &Looks,
    boards: &Boards,
    sink: &Arc<Rooms>,
    life: &Lifecycle,
) {
    let room = hub.open_room(&playback.room, looks.of(&playback.room), true);
    boards.greet(&room);
    let (sink, stop) = (Arc::clone(sink), life.stop.clone());
    life.spawn(async move {
        if playback.wait && stop.run_until_cancelled(room.watched()).await.is_none() {
            return;
        }
        let mut player = Player::new(&*sink, playback.room, playback.speed, stop);
        let played = player.play_file(&playback.file).await;
        // Told when it has ended, the program may stop: nobody who watches shall miss the end.
        room.settled(LAST_FRAMES).await;
        // Nobody waits for the answer any more: the server stops.
        let _ = playback.done.send(played);
    });
}
