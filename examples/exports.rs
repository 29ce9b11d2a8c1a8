//! Measures what the exports of many creators cost: rooms with triggers, polls, tallies and scoreboards, in memory.
//!
//! ```text
//! cargo run --release --example exports              # 1,000 creators
//! cargo run --release --example exports -- 200
//! ```
//!
//! `first`: everything is made and written. `again`: everything is made again, as every 30 s. `files` is the size of all of
//! them. `longest lock` is the longest that one list of boards took: a vote of any room waits for a part of it at most.
//! Memory is the process's own peak, from `/proc`; what the rooms take themselves is told apart.

#![expect(clippy::print_stdout, reason = "an example prints, and nobody links it")]

use std::{
    error::Error,
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use streamsuites::{
    accounts::{Accounts, Parts, system_clock},
    boards::{Boards, Contestant, Most},
    chat::{Hub, RoomParts},
    config::Config,
    exports::{EXPORTS, Newest, Sources, write_once},
    feed::FeedLog,
    lifecycle::Lifecycle,
    model::{CreatorId, OverlaySettings, Timestamp},
    platforms::Demand,
    storage::{Kind, State},
    telemetry::Telemetry,
    triggers::{self, NoHands, Triggers},
};
use tokio::sync::watch;

/// Of each of polls, tallies and scoreboards in a room (count).
const BOARDS: usize = 5;
/// Triggers of a room (count).
const TRIGGERS: usize = 20;
/// Lines of a scoreboard (count).
const SCORES: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let creators: usize = std::env::args().nth(1).map_or(Ok(1_000), |it| it.parse())?;
    let telemetry = Telemetry::new();
    let (state, life) = (State::in_memory(), Lifecycle::new());
    let hub = Arc::new(Hub::new(RoomParts {
        life: life.clone(),
        telemetry: telemetry.clone(),
        log: FeedLog::none(),
        demand: Arc::new(Demand::default()),
        ring_events: 64,
        dedupe_ids: 256,
        idle_minutes: 30,
    }));
    let boards = Boards::new(state.clone());
    let mut listed = Vec::new();
    for it in 0..creators {
        let room: CreatorId = format!("creator-{it:04}").parse()?;
        hub.open_room(&room, OverlaySettings::default(), false);
        fill(&boards, &room)?;
        state.set(Kind::Triggers, room.as_str(), Some(triggers_of_room()));
        listed.push(json!({"id": room, "channels": [{"platform": "twitch", "name": room}]}));
    }
    let creators_file = serde_json::from_value(json!({ "creators": listed }))?;
    let config = Arc::new(Config { creators: creators_file, ..Config::default() });
    let folder = std::env::temp_dir().join(format!("exports-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let accounts = Accounts::open(
        &folder,
        Parts {
            life: Lifecycle::new(),
            config: watch::channel(Arc::clone(&config)).1,
            clock: system_clock(),
            base_url: "http://127.0.0.1:8080".to_owned(),
        },
    )?;
    let triggers = Triggers::new(triggers::Parts {
        hub: Arc::clone(&hub),
        config: watch::channel(Arc::clone(&config)).1,
        accounts: accounts.clone(),
        state,
        telemetry: telemetry.clone(),
        hands: Arc::new(NoHands),
        life: life.clone(),
    });
    let sources = Sources {
        hub: Some(hub),
        telemetry,
        config,
        restart: Vec::new(),
        quotas: None,
        accounts: Some(accounts),
        jobs: None,
        boards: Some(boards.clone()),
        triggers: Some(triggers),
        newest: Newest::default(),
        started_at: Some(Timestamp::now()),
    };
    let before = peak_kib();

    let mut rounds = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        write_once(&sources, &folder, None, false, Timestamp::now())?;
        rounds.push(began.elapsed());
    }
    let files: u64 = EXPORTS
        .iter()
        .filter_map(|it| fs::metadata(it.path_in(&folder)).ok())
        .map(|it| it.len())
        .sum();
    let longest = [
        timed(|| drop(boards.polls())),
        timed(|| drop(boards.tallies())),
        timed(|| drop(boards.scoreboards())),
    ];
    fs::remove_dir_all(&folder)?;
    println!(
        "creators            {creators}, each {BOARDS} polls, tallies, scoreboards, {TRIGGERS} triggers"
    );
    println!("first               {:.0?}", rounds[0]);
    println!("again               {:.0?}", rounds[1..].iter().min().copied().unwrap_or_default());
    println!("files               {:.1} MiB", files as f64 / 1_048_576.0);
    println!("list of all boards  {:.1?} (polls, tallies, scoreboards)", longest);
    println!(
        "peak memory         {} MiB, {} MiB of them before the first round",
        peak_kib() / 1024,
        before / 1024
    );
    Ok(())
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

fn fill(boards: &Boards, room: &CreatorId) -> Result<(), Box<dyn Error>> {
    let now = Timestamp::now();
    let most = Most { open_polls: 100, options: 10 };
    for it in 0..BOARDS {
        let poll = json!({"question": "What next?", "options": ["left", "right", "straight on"], "vote_trigger": format!("!vote{it}")});
        boards.open_poll(room, &serde_json::from_value(poll)?, "ana", most, now)?;
        let tally = serde_json::from_value(json!({"label": format!("Falls {it}")}))?;
        let tally = boards.add_tally(room, &tally, now)?;
        boards.count(room, &tally.tally_id, None, 3, None, now)?;
        let board = serde_json::from_value(json!({"title": format!("Quiz {it}")}))?;
        let board = boards.add_scoreboard(room, &board, now)?;
        for score in 0..SCORES {
            let who = Contestant { label: format!("Viewer {score}"), user_id: None };
            boards.score(room, &board.scoreboard_id, &who, 10, now)?;
        }
    }
    Ok(())
}

fn triggers_of_room() -> String {
    let trigger = |it: usize| {
        json!({"updated_at": Timestamp::now(), "trigger": {
            "trigger_id": format!("t{it}"), "type": "command", "command": format!("word{it}"),
            "description": "says something", "actions": [{"action_type": "reply", "payload": {"text": "hello {user}"}}],
        }})
    };
    json!((0..TRIGGERS).map(trigger).collect::<Vec<_>>()).to_string()
}

/// The most memory that this process had (KiB).
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|it| it.starts_with("VmHWM:"));
    line.and_then(|it| it.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
