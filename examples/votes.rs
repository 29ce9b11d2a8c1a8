//! Measures what a vote costs: heard in chat, counted, kept, and told to the room.
//!
//! ```text
//! cargo run --release --example votes
//! ```
//!
//! One room with 50,000 viewers who vote twice, and a thousand rooms with fifty each. The state is written to a file in a
//! temporary folder meanwhile, as a server does; no sockets.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::{error::Error, sync::Arc, time::Instant};

use serde_json::json;
use streamsuites::{
    boards::{Boards, Most, NewPoll},
    chat::{Hub, Room, RoomParts},
    feed::FeedLog,
    lifecycle::Lifecycle,
    model::{CreatorId, EventBody, OverlaySettings, Timestamp},
    platforms::Demand,
    storage::State,
    telemetry::Telemetry,
};

/// Viewers of the one room, and of all of the thousand (count).
const VIEWERS: usize = 50_000;
/// Rooms of the second measure (count).
const ROOMS: usize = 1_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    measure("1 room", 1).await?;
    measure("1,000 rooms", ROOMS).await
}

async fn measure(name: &str, rooms: usize) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let life = Lifecycle::new();
    let state = State::open(&folder.path().join("state.redb"))?;
    let hub = Arc::new(Hub::new(RoomParts {
        life: life.clone(),
        telemetry: Telemetry::new(),
        log: FeedLog::none(),
        demand: Arc::new(Demand::default()),
        ring_events: 1024,
        dedupe_ids: 1024,
        idle_minutes: 30,
    }));
    let boards = Boards::new(state.clone());
    let mut tasks = vec![
        tokio::spawn(state.clone().run(life.stop.clone())),
        tokio::spawn(boards.clone().run(Arc::clone(&hub), life.stop.clone())),
    ];
    let new = NewPoll {
        question: "Where next?".to_owned(),
        options: ["North", "South", "East", "West"].map(str::to_owned).to_vec(),
        ..NewPoll::default()
    };
    let mut open: Vec<Arc<Room>> = Vec::with_capacity(rooms);
    for number in 0..rooms {
        let id: CreatorId = format!("room{number}").parse()?;
        open.push(hub.open_room(&id, OverlaySettings::default(), false));
        boards.open_poll(&id, &new, "bench", Most::default(), Timestamp::now())?;
    }
    let mut messages = Vec::with_capacity(VIEWERS);
    for viewer in 0..VIEWERS {
        messages.push(vote(viewer)?);
    }
    let before = resident_bytes();
    for round in 1..=2 {
        let started = Instant::now();
        for (viewer, message) in messages.iter().enumerate() {
            boards.hear(&open[viewer % rooms], message, 1 + viewer as u64);
        }
        let took = started.elapsed();
        let each = took.as_secs_f64() / VIEWERS as f64;
        println!("{name}, round {round}: {:.0} votes/s, {:.2} µs each", 1.0 / each, each * 1e6);
    }
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        let each = after.saturating_sub(before) / VIEWERS as u64;
        println!("{name}: {each} bytes a voter, what is written at the moment included");
    }
    let counted: u64 = boards.polls().iter().flat_map(|it| &it.options).map(|it| it.votes).sum();
    assert_eq!(counted, VIEWERS as u64, "each counts once");
    let started = Instant::now();
    life.stop.cancel();
    for task in tasks.drain(..) {
        task.await?;
    }
    state.close().await;
    println!("{name}: the rest is on the disk after {} ms", started.elapsed().as_millis());
    drop(boards);
    let started = Instant::now();
    let again = Boards::new(state);
    println!("{name}: read again in {} ms", started.elapsed().as_millis());
    assert_eq!(again.polls().len(), rooms);
    Ok(())
}

fn vote(viewer: usize) -> Result<EventBody, serde_json::Error> {
    let platform = ["twitch", "youtube", "kick"][viewer % 3];
    let now = Timestamp::now();
    let text = format!("!vote {}", 1 + viewer % 4);
    let login = format!("viewer_{viewer}");
    serde_json::from_value(json!({"type": "chat.message", "data": {
        "id": format!("{platform}:m{viewer}"), "platform": platform,
        "channel": {"id": format!("{platform}:1"), "name": "bench"},
        "author": {"id": format!("{platform}:{}", 100_000_000 + viewer), "login": login, "name": login, "color": null,
            "badges": [], "roles": []},
        "text": text, "fragments": [{"type": "text", "text": text}], "flags": [],
        "sent_at": now, "received_at": now,
    }}))
}

/// Memory of this process (bytes), where the system tells.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|it| it.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}
