//! Measures what one Twitch line costs on its way into the feed: parsed, normalized, encoded, published.
//!
//! ```text
//! cargo run --release --example lines                 # the project's own fixtures
//! cargo run --release --example lines -- chat.irc …   # recorded chat
//! ```
//!
//! The fixtures are rich in deletions, each of which looks through the ring: recorded chat is the better
//! measure. One core, no sockets. Lines are read again and again with ids of their own, so that none is a repeat.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::{error::Error, path::PathBuf, sync::Arc, time::Instant};

use streamsuites::{
    chat::{
        Room, RoomParts,
        normalize::{Normalized, TwitchNormalizer},
        room::Arrival,
    },
    feed::{FeedLog, RoomLog},
    lifecycle::Lifecycle,
    model::{EventBody, OverlaySettings, Platform, QualifiedId, Timestamp},
    platforms::Demand,
    telemetry::Telemetry,
};
use twitch_irc::message::IRCMessage;

/// Lines measured (count).
const LINES: usize = 300_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut files: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    if files.is_empty() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/twitch");
        let found = std::fs::read_dir(folder)?.filter_map(|it| Some(it.ok()?.path()));
        files = found.filter(|it| it.extension().is_some_and(|it| it == "irc")).collect();
    }
    let mut texts = Vec::new();
    for file in &files {
        texts.push(std::fs::read_to_string(file)?);
    }
    let lines: Vec<&str> =
        texts.iter().flat_map(|it| it.lines()).filter(|it| !it.is_empty()).collect();
    let parts = RoomParts {
        life: Lifecycle::new(),
        telemetry: Telemetry::new(),
        log: FeedLog::none(),
        demand: Arc::new(Demand::default()),
        ring_events: 1024,
        dedupe_ids: 8192,
        idle_minutes: 30,
    };
    let room = Room::new("bench".parse()?, OverlaySettings::default(), RoomLog::none(), parts);
    let mut normalizer = TwitchNormalizer::new("bench");
    let (mut parsing, mut events, mut bytes) = (std::time::Duration::ZERO, 0_u64, 0_usize);
    let started = Instant::now();
    for (number, line) in lines.iter().cycle().take(LINES).enumerate() {
        let received_at = Timestamp::now();
        bytes += line.len();
        let before = Instant::now();
        let Ok(line) = IRCMessage::parse(line) else { continue };
        parsing += before.elapsed();
        let Ok(Normalized::Event(mut body)) = normalizer.normalize(&line, received_at) else {
            continue;
        };
        let id = QualifiedId::new(Platform::Twitch, &number.to_string());
        match &mut body {
            EventBody::ChatMessage(it) => it.id = id,
            EventBody::Activity(it) => it.id = id,
            _ => {}
        }
        room.publish(&body, &Arrival { received_at, sent_at: None, key: None });
        events += 1;
    }
    let each = |it: std::time::Duration| it.as_secs_f64() * 1e6 / LINES as f64;
    println!(
        "{} lines of {} bytes on average, {events} events: {:.2} µs a line, {:.2} of it parsing",
        LINES,
        bytes / LINES,
        each(started.elapsed()),
        each(parsing),
    );
    Ok(())
}
