//! One room fed by four platforms at once, each of which has its bad days: nothing is lost, nothing is doubled.
//!
//! A run of any length: `MERGED_SECONDS=600 cargo test --test it merged -- --nocapture` prints the table of ten
//! minutes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use tokio::{sync::watch, time::sleep};

use crate::support::{
    Setup,
    kick::{self, Kick},
    rumble::{Answer, Rumble},
    socket::Socket,
    twitch::{Twitch, privmsg},
    youtube::{SiteFault, Youtube},
};

/// Length of an ordinary run (s).
const SECONDS: u64 = 12;
/// Longest wait for the last message, once every fault is over.
const SETTLE: Duration = Duration::from_secs(60);
/// Shorter than a socket of these tests waits for its next frame.
const QUIET: Duration = Duration::from_secs(5);
const PLATFORMS: [&str; 4] = ["twitch", "youtube", "kick", "rumble"];

/// What was said and what was shown, by platform.
#[derive(Default)]
struct Ledger {
    sent: BTreeMap<&'static str, BTreeSet<String>>,
    faults: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    shown: BTreeMap<String, BTreeMap<String, usize>>,
    /// Places of the feed that were not one more than the one before.
    out_of_order: usize,
}

#[derive(Clone)]
struct Book {
    ledger: Arc<Mutex<Ledger>>,
    changed: Arc<watch::Sender<()>>,
}

impl Book {
    fn sent(&self, platform: &'static str, text: &str) {
        let mut ledger = self.ledger.lock().unwrap();
        ledger.sent.entry(platform).or_default().insert(text.to_owned());
    }

    fn fault(&self, platform: &'static str, fault: &'static str) {
        let mut ledger = self.ledger.lock().unwrap();
        *ledger.faults.entry(platform).or_default().entry(fault).or_default() += 1;
    }

    fn shown(&self, platform: &str, text: &str) {
        let mut ledger = self.ledger.lock().unwrap();
        let of_platform = ledger.shown.entry(platform.to_owned()).or_default();
        *of_platform.entry(text.to_owned()).or_default() += 1;
        drop(ledger);
        self.changed.send_replace(());
    }

    /// How many that were said are not shown yet.
    fn missing(&self, platform: &str) -> usize {
        let ledger = self.ledger.lock().unwrap();
        let Some(sent) = ledger.sent.get(platform) else { return 0 };
        let shown = ledger.shown.get(platform);
        sent.iter().filter(|it| !shown.is_some_and(|shown| shown.contains_key(*it))).count()
    }

    /// Waits until everything of a platform is shown; answers whether it is.
    async fn all_shown(&self, platform: &str, within: Duration) -> bool {
        let mut changed = self.changed.subscribe();
        let wait = async {
            while self.missing(platform) > 0 {
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(within, wait).await.is_ok()
    }
}

/// A run's clock and dice.
struct Run {
    book: Book,
    over: Arc<AtomicBool>,
    dice: StdRng,
    count: usize,
}

impl Run {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    async fn pause(&mut self, from_ms: u64, to_ms: u64) {
        sleep(Duration::from_millis(self.dice.random_range(from_ms..to_ms))).await;
    }

    fn text(&mut self, platform: &'static str) -> String {
        self.count += 1;
        let text = format!("{platform} says {}", self.count);
        self.book.sent(platform, &text);
        text
    }

    /// One time in so many.
    fn one_in(&mut self, many: u32) -> bool {
        self.dice.random_range(0..many) == 0
    }
}

/// Twitch keeps no history: what is said while nobody is connected is not said to us. So nothing is said then.
async fn twitch(twitch: Arc<Twitch>, mut run: Run) {
    let mut moves = 0;
    while run.goes_on() {
        run.pause(10, 60).await;
        let carrier = twitch.joined("ana").await;
        let text = run.text("twitch");
        let line = privmsg("ana", &text.replace(' ', "-"), "bo", &text);
        twitch.send_on(carrier, line.clone());
        if run.one_in(5) {
            twitch.send_on(carrier, line); // Delivered twice.
        }
        if run.one_in(60) {
            assert!(run.book.all_shown("twitch", SETTLE).await, "before the cut");
            run.book.fault("twitch", "cut");
            twitch.cut(carrier);
            twitch.until("the cut", |it| it.connections[carrier].closed.then_some(())).await;
        } else if run.one_in(60) && moves < 3 {
            moves += 1;
            run.book.fault("twitch", "moved");
            twitch.send_on(carrier, ":tmi.twitch.tv RECONNECT\r\n");
        }
    }
}

async fn youtube(youtube: Arc<Youtube>, mut run: Run) {
    let mut number = 0;
    while run.goes_on() {
        run.pause(20, 90).await;
        number += 1;
        let text = run.text("youtube");
        youtube.say(&format!("CLive{number:06}"), "@bo", &text);
        if run.one_in(60) {
            let (name, fault) = match run.dice.random_range(0..5) {
                0 => ("429", SiteFault::Answers(429, "<html>slow down</html>")),
                1 => ("500", SiteFault::Answers(500, "no")),
                2 => ("hangs", SiteFault::Hangs),
                3 => ("no continuation", SiteFault::NoContinuation),
                _ => ("half an answer", SiteFault::Answers(200, "{\"continuationContents\":{")),
            };
            run.book.fault("youtube", name);
            youtube.seen().site_fault = Some(fault);
            run.pause(200, 1_500).await;
            youtube.seen().site_fault = None;
        }
    }
}

async fn kick(kick: Arc<Kick>, mut run: Run) {
    let mut reading = kick.reading(0).await;
    while run.goes_on() {
        run.pause(10, 60).await;
        let text = run.text("kick");
        let message = kick.message(&text);
        {
            // The site's history has what was said while nobody was connected; newest first.
            let mut seen = kick.seen();
            seen.history.insert(0, message.clone());
            seen.history.truncate(200);
        }
        kick.publish(&kick::chat(), "App\\Events\\ChatMessageEvent", &message);
        if run.one_in(5) {
            kick.publish(&kick::chat(), "App\\Events\\ChatMessageEvent", &message);
        }
        if run.one_in(20) {
            // Of another room, on the same socket.
            let stray = kick.message("a stray");
            kick.publish_on(reading, "chatrooms.999.v2", "App\\Events\\ChatMessageEvent", &stray);
        }
        if run.one_in(60) {
            let before = kick.seen().connections.len();
            if run.one_in(2) {
                run.book.fault("kick", "cut in a frame");
                kick.cut(reading);
            } else {
                run.book.fault("kick", "closed");
                kick.close(reading, 3001, "shutdown");
            }
            run.pause(10, 400).await;
            reading = kick.reading(before).await;
        }
    }
}

async fn rumble(rumble: Arc<Rumble>, mut run: Run) {
    let mut number: u64 = 9_007_199_254_740_993; // Above what a float can tell apart.
    while run.goes_on() {
        run.pause(10, 60).await;
        number += 1;
        let text = run.text("rumble");
        rumble.say(&number.to_string(), &text);
        if run.one_in(60) {
            let name = match run.dice.random_range(0..5) {
                0 => {
                    rumble.seen().answers.push_back(Answer::Status(204));
                    rumble.cut();
                    "204"
                }
                1 => {
                    rumble.seen().answers.push_back(Answer::Status(502));
                    rumble.cut();
                    "502"
                }
                2 => {
                    rumble.end();
                    "ended"
                }
                3 => {
                    rumble.write_bytes(b"data: {\"type\":\"mess");
                    rumble.cut();
                    "cut in a record"
                }
                _ => {
                    rumble.cut();
                    "cut"
                }
            };
            run.book.fault("rumble", name);
            run.pause(10, 400).await;
        }
    }
}

/// Reads the room as an overlay does, and comes back with its place whenever it is cut.
async fn watch_room(url: String, book: Book, over: Arc<AtomicBool>, dice: u64) {
    let mut dice = StdRng::seed_from_u64(dice);
    let mut since: Option<String> = None;
    let mut last = 0;
    while !over.load(Ordering::Relaxed) {
        let query = since.as_ref().map(|it| format!("?since={it}")).unwrap_or_default();
        let mut socket = Socket::open(&format!("{url}{query}")).await;
        let frames = dice.random_range(200..2_000);
        for _ in 0..frames {
            let event = tokio::select! {
                event = tokio::time::timeout(QUIET, socket.next_event()) => match event {
                    Ok(event) => event,
                    Err(_) => continue, // Nobody speaks any more: some are waited for.
                },
                () = async { while !over.load(Ordering::Relaxed) { sleep(Duration::from_millis(50)).await } } => return,
            };
            let seq = event["seq"].as_u64().unwrap();
            if last > 0 && seq != last + 1 {
                book.ledger.lock().unwrap().out_of_order += 1;
            }
            last = seq;
            if event["type"] == "chat.message" {
                let data = &event["data"];
                book.shown(data["platform"].as_str().unwrap(), data["text"].as_str().unwrap());
            }
        }
        since = Some(format!("{}.{last}", socket.hello["epoch"].as_str().unwrap()));
    }
}

/// Prints what was sent and shown as a table and fails if anything was lost or doubled.
#[allow(clippy::print_stdout)] // The table is what a long run is for.
fn judge(ledger: &Ledger) {
    println!("| platform | sent | shown | doubled | lost | faults |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let (mut doubled, mut lost) = (0, 0);
    for platform in PLATFORMS {
        let sent = &ledger.sent[platform];
        let empty = BTreeMap::new();
        let shown = ledger.shown.get(platform).unwrap_or(&empty);
        let twice = shown.values().filter(|it| **it > 1).count();
        let missing: Vec<_> = sent.iter().filter(|it| !shown.contains_key(*it)).collect();
        let faults = ledger.faults.get(platform).map(|it| {
            it.iter()
                .map(|(name, count)| format!("{count} × {name}"))
                .collect::<Vec<_>>()
                .join(", ")
        });
        println!(
            "| {platform} | {} | {} | {twice} | {} | {} |",
            sent.len(),
            shown.len(),
            missing.len(),
            faults.unwrap_or_default()
        );
        if !missing.is_empty() {
            println!("{platform} lost {:?} …", &missing[..missing.len().min(8)]);
        }
        assert!(shown.keys().all(|it| sent.contains(it)), "nobody said that");
        doubled += twice;
        lost += missing.len();
    }
    assert_eq!((doubled, lost, ledger.out_of_order), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout)] // The table is what a long run is for.
#[expect(clippy::disallowed_methods, reason = "a longer run is asked for by hand")]
async fn a_room_of_four_platforms_loses_and_doubles_nothing_whatever_they_do() {
    let seconds = std::env::var("MERGED_SECONDS").ok().and_then(|it| it.parse().ok());
    let length = Duration::from_secs(seconds.unwrap_or(SECONDS));
    let dice: u64 = rand::random();
    let (tw, yt) = (Arc::new(Twitch::plain().await), Arc::new(Youtube::live().await));
    let (ki, ru) = (Arc::new(Kick::start().await), Arc::new(Rumble::start().await));
    let mut setup = Setup::new().twitch(&tw).youtube(&yt).kick(&ki);
    for (key, value) in ru.settings() {
        setup = setup.set(&key, value);
    }
    let channel = |platform: &str, name: &str| json!({"platform": platform, "name": name});
    let channels = [
        channel("twitch", "ana"),
        channel("youtube", "@ana"),
        channel("kick", kick::SLUG),
        channel("rumble", "c/ana"),
    ];
    let server = setup
        .creators(&json!({"creators": [{"id": "ana", "always_on": true, "channels": channels}]}))
        .start()
        .await;

    let book = Book { ledger: Arc::default(), changed: Arc::new(watch::Sender::new(())) };
    let (over, unwatched) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let url = server.url("/ws/ana").replacen("http", "ws", 1);
    let watching = tokio::spawn(watch_room(url, book.clone(), Arc::clone(&unwatched), dice));
    tw.joined("ana").await;
    ki.reading(0).await;
    ru.opened(1).await;
    yt.until_more("chat", 2).await;

    let run = |offset: u64| Run {
        book: book.clone(),
        over: Arc::clone(&over),
        dice: StdRng::seed_from_u64(dice.wrapping_add(offset)),
        count: 0,
    };
    let started = Instant::now();
    // The stand-ins live on here until everything is shown.
    let speaking = [
        tokio::spawn(twitch(Arc::clone(&tw), run(1))),
        tokio::spawn(youtube(Arc::clone(&yt), run(2))),
        tokio::spawn(kick(Arc::clone(&ki), run(3))),
        tokio::spawn(rumble(Arc::clone(&ru), run(4))),
    ];
    sleep(length).await;
    over.store(true, Ordering::Relaxed);
    for speaking in speaking {
        speaking.await.unwrap();
    }
    for platform in PLATFORMS {
        if !book.all_shown(platform, SETTLE).await {
            println!("{:?}", server.room("ana").summary().status);
        }
    }
    unwatched.store(true, Ordering::Relaxed);
    watching.await.unwrap();

    println!("{} s, dice {dice}", started.elapsed().as_secs());
    judge(&book.ledger.lock().unwrap());
    server.stop().await;
}
