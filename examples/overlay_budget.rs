//! Measures what the overlay costs under fire: the real server in this process, a stand-in for the platforms that says
//! so many messages a second, and the overlay at 1920×1080 in a headless Chromium, as a source in OBS has it.
//!
//! ```text
//! cargo run --release --example overlay_budget                 # 200 and 500 messages/s, 300 s each
//! SECONDS=20 PICTURES=. cargo run --release --example overlay_budget -- 2000     # and 2000.png
//! ```
//!
//! The chat is a mix of emotes, badges, names, replies, long lines, what everybody says at once, moderators, first-timers
//! and paid messages; twice a second one of the lines on screen is deleted. The overlay measures itself
//! (`static/js/beacon.js`): frames, tasks of over 50 ms, the time from a line, or a deletion, at its socket to the end of
//! the page's work on the frame that shows it. Chromium says how long scripts, styles and layout took, and, after
//! collecting garbage, how large the heap is. Chromium draws on the CPU here, so a busy machine fails the budgets: the
//! exit code is 1 if one of them does not hold.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example prints, and nobody links it"
)]

use std::{
    collections::HashMap,
    env,
    error::Error,
    fs,
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use chromiumoxide::{
    Browser, BrowserConfig, Page,
    cdp::{
        browser_protocol::{
            dom::Rgba,
            emulation::SetDefaultBackgroundColorOverrideParams,
            performance::{EnableParams, GetMetricsParams},
        },
        js_protocol::heap_profiler::CollectGarbageParams,
    },
    handler::viewport::Viewport,
    page::ScreenshotParams,
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use streamsuites::{
    app::{self, Options},
    chat::{Room, room::Arrival},
    config::{Flags, Sources},
    model::{EventBody, Timestamp},
};
use tokio::time::{MissedTickBehavior, interval, sleep};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Pictures come, code is compiled and the screen is full before anything counts.
const WARM_UP: Duration = Duration::from_secs(8);
const DELETE_EVERY: Duration = Duration::from_millis(500);
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

#[tokio::main]
async fn main() -> Result<ExitCode> {
    // It fails only when it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let seconds = env::var("SECONDS").map_or(Ok(300), |it| it.parse())?;
    let mut rates: Vec<u32> =
        env::args().skip(1).map(|it| it.parse()).collect::<std::result::Result<_, _>>()?;
    if rates.is_empty() {
        rates = vec![200, 500];
    }
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("config"))?;
    fs::write(folder.path().join("config/creators.json"), r#"{"creators":[{"id":"ana"}]}"#)?;
    let sources = Sources {
        folder: folder.path().join("config"),
        folder_must_exist: true,
        environment: std::iter::empty::<(String, String)>().collect(),
        dotenv: None,
        flags: Flags {
            listen: Some("127.0.0.1:0".to_owned()),
            data: Some(folder.path().join("data")),
            exports: Some(folder.path().join("exports")),
            public_url: None,
            channels: Vec::new(),
        },
    };
    let server = app::start(Options::new(sources)).await?;
    let room = server.hub.find_room("ana").ok_or("the room is missing")?;

    println!(
        "| | budget | {} |",
        rates.iter().map(|it| format!("{it}/s")).collect::<Vec<_>>().join(" | ")
    );
    println!("| --- | --- |{}", " --- |".repeat(rates.len()));
    let mut columns = Vec::new();
    for rate in rates {
        let profile = folder.path().join(format!("chromium-{rate}"));
        let url = format!("http://{}/overlay/ana?beacon=1&backlog=0", server.address);
        columns.push(measure(&room, &url, &profile, rate, Duration::from_secs(seconds)).await?);
    }
    let mut held = true;
    for (row, (name, budget, ..)) in columns[0].iter().enumerate() {
        let cells: Vec<&Row> = columns.iter().map(|it| &it[row]).collect();
        held &= cells.iter().all(|it| it.3);
        let words = |it: &&Row| format!("{}{}", it.2, if it.3 { "" } else { " ✗" });
        println!(
            "| {name} | {budget} | {} |",
            cells.iter().map(words).collect::<Vec<_>>().join(" | ")
        );
    }
    server.shut_down().await;
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is measured, the budget, the value, and whether it holds.
type Row = (&'static str, &'static str, String, bool);

/// One column of the table.
async fn measure(
    room: &Arc<Room>,
    url: &str,
    profile: &Path,
    rate: u32,
    length: Duration,
) -> Result<Vec<Row>> {
    let (mut browser, page) = open(url, profile).await?;
    page.execute(EnableParams::default()).await?;
    wait_until(&page, "window.beacon !== undefined").await?;

    let chat = tokio::spawn(speak(Arc::clone(room), rate));
    sleep(WARM_UP).await;
    let heap_before = heap(&page).await?;
    let before = metrics(&page).await?;
    page.evaluate("beacon.forget(); window.counted = beacon.summary()").await?;
    let started = Instant::now();
    let mut tick = interval(DELETE_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while started.elapsed() < length {
        tick.tick().await;
        delete_one(room, &page).await?;
    }
    let elapsed = started.elapsed().as_secs_f64();
    let seen: Value =
        page.evaluate("({ before: counted, ...beacon.summary() })").await?.into_value()?;
    let after = metrics(&page).await?;
    let heap_after = heap(&page).await?;
    if let Some(folder) = env::var_os("PICTURES") {
        let picture = ScreenshotParams::builder().omit_background(true).build();
        page.save_screenshot(picture, Path::new(&folder).join(format!("{rate}.png"))).await?;
    }
    // A chat that ended, or a page that hears only a part of it, makes everything else look easy.
    let spoke = !chat.is_finished();
    chat.abort();
    browser.close().await?;
    browser.wait().await?;

    let spent = |name: &str| after.get(name).unwrap_or(&0.0) - before.get(name).unwrap_or(&0.0);
    let number = |pointer: &str| seen.pointer(pointer).and_then(Value::as_f64).unwrap_or(0.0);
    let per_second =
        |name: &str| (number(&format!("/{name}")) - number(&format!("/before/{name}"))) / elapsed;
    let frames = number("/frame/count") / elapsed;
    let work = (spent("ScriptDuration") + spent("LayoutDuration") + spent("RecalcStyleDuration"))
        / elapsed;
    let task = number("/task/longest");
    let removals = number("/removal/count");
    Ok(vec![
        ("frames/s", "≥ 55", format!("{frames:.1}"), frames >= 55.0),
        (
            "between frames p99 (longest)",
            "",
            format!("{} ({}) ms", number("/frame/p99"), number("/frame/longest")),
            true,
        ),
        (
            "longest task",
            "≤ 50 ms",
            if task > 0.0 { format!("{task} ms") } else { "≤ 50 ms".to_owned() },
            task <= 50.0,
        ),
        ("script, style and layout, of a core", "", format!("{:.1} %", work * 100.0), true),
        (
            "all tasks of the page, of a core",
            "",
            format!("{:.1} %", spent("TaskDuration") / elapsed * 100.0),
            true,
        ),
        (
            "heap at the start and at the end",
            "flat",
            format!("{heap_before:.2} → {heap_after:.2} MiB"),
            heap_after <= heap_before * 1.1 + 0.5,
        ),
        (
            "received to painted p50, p99",
            "≤ 50 ms",
            format!("{}, {} ms", number("/paint/p50"), number("/paint/p99")),
            number("/paint/p99") <= 50.0 && number("/paint/count") > 0.0,
        ),
        (
            "deleted to gone p99 (of)",
            "≤ 100 ms",
            format!("{} ms ({removals})", number("/removal/p99")),
            number("/removal/p99") <= 100.0 && removals > 0.0,
        ),
        (
            "messages received/s",
            "≥ 95 %",
            format!("{:.1}", per_second("received")),
            spoke && per_second("received") >= 0.95 * f64::from(rate),
        ),
        (
            "of them collapsed, skipped/s",
            "",
            format!("{:.1}, {:.1}", per_second("collapsed"), per_second("skipped")),
            true,
        ),
        ("step", "", seen["step"].as_str().unwrap_or("?").to_owned(), true),
    ])
}

/// The overlay in a browser of its own.
async fn open(url: &str, profile: &Path) -> Result<(Browser, Page)> {
    let path = env::var_os("PATH").unwrap_or_default();
    let program = NAMES
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |it| it.join(name)))
        .find(|it| it.is_file())
        .ok_or("there is no Chromium on this machine")?;
    let more: Vec<String> = env::var("CHROMIUM_FLAGS")
        .unwrap_or_default()
        .split_whitespace()
        .map(|it| it.trim_start_matches('-').to_owned())
        .collect();
    let config = BrowserConfig::builder()
        .chrome_executable(program)
        .user_data_dir(profile)
        .no_sandbox()
        .viewport(Viewport { width: 1920, height: 1080, ..Viewport::default() })
        .window_size(1920, 1080)
        .args([
            "disable-gpu",
            "disable-quic",
            "no-first-run",
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
            "disable-dev-shm-usage",
            "hide-scrollbars",
            "mute-audio",
        ])
        .args(more)
        .build()?;
    let (browser, mut events) = Browser::launch(config).await?;
    // An error is one event that could not be read, not the end.
    tokio::spawn(async move { while events.next().await.is_some() {} });
    let page = browser.new_page("about:blank").await?;
    let nothing = Rgba { r: 0, g: 0, b: 0, a: Some(0.0) };
    page.execute(SetDefaultBackgroundColorOverrideParams::builder().color(nothing).build()).await?;
    page.goto(url).await?;
    Ok((browser, page))
}

async fn wait_until(page: &Page, script: &str) -> Result<()> {
    for _ in 0..200 {
        if page.evaluate(script).await?.into_value::<bool>()? {
            return Ok(());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Err(format!("waited in vain for {script}").into())
}

async fn metrics(page: &Page) -> Result<HashMap<String, f64>> {
    let answer = page.execute(GetMetricsParams::default()).await?;
    Ok(answer.result.metrics.into_iter().map(|it| (it.name, it.value)).collect())
}

/// What is alive (MiB).
async fn heap(page: &Page) -> Result<f64> {
    page.execute(CollectGarbageParams::default()).await?;
    Ok(metrics(page).await?.get("JSHeapUsedSize").unwrap_or(&0.0) / 1024.0 / 1024.0)
}

/// Deletes one of the lines on screen.
async fn delete_one(room: &Room, page: &Page) -> Result<()> {
    let script = "(() => { const all = document.querySelectorAll('#chat .message'); \
        return all.length ? all[Math.floor(all.length / 3)].dataset.messageId : ''; })()";
    let id: String = page.evaluate(script).await?.into_value()?;
    if !id.is_empty() {
        publish(
            room,
            json!({"type": "chat.delete", "data": {"message_id": id, "platform": "twitch"}}),
        )?;
    }
    Ok(())
}

fn publish(room: &Room, event: Value) -> Result<()> {
    let body: EventBody = serde_json::from_value(event)?;
    room.publish(&body, &Arrival::now());
    Ok(())
}

/// Says so many messages a second, until it is ended.
async fn speak(room: Arc<Room>, rate: u32) {
    let mut tick = interval(Duration::from_millis(10));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut dice = Dice(u64::from(rate));
    let mut owed = 0;
    for number in 0_u64.. {
        if owed < 100 {
            tick.tick().await;
            owed += rate;
            if owed < 100 {
                continue;
            }
        }
        owed -= 100;
        publish(&room, message(number, rate, &mut dice)).expect("the message is one");
    }
}

/// Chance that falls the same way each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const EMOTES: [&str; 8] =
    ["blobDance", "bunBun", "kettleRage", "novaCheer", "novaGG", "novaHype", "novaLol", "novaWow"];
const WORDS: [&str; 16] = [
    "that",
    "jump",
    "was",
    "so",
    "close",
    "how",
    "did",
    "you",
    "even",
    "see",
    "it",
    "coming",
    "again",
    "please",
    "the",
    "lighthouse",
];
const SAID_BY_ALL: [&str; 6] = ["gg", "GG", "lets go", "no way", "W", "what a play"];
const NAMES_OF: [&str; 8] = [
    "Mira",
    "old_pell",
    "suna砂",
    "ليلى",
    "Tobi & the Fog",
    "Orin",
    "a_rather_long_name_25",
    "Zoë",
];
const COLOURS: [Option<&str>; 5] =
    [Some("#1E90FF"), Some("#FF7F50"), Some("#53FC18"), None, Some("#0000FF")];
const BADGES: [&str; 5] = ["subscriber", "vip", "premium", "bits", "turbo"];

/// One message of a lively chat.
fn message(number: u64, rate: u32, dice: &mut Dice) -> Value {
    let author = author(dice);
    let mut fragments = Vec::new();
    match dice.below(100) {
        0..25 => fragments.push(json!({"type": "text", "text": dice.pick(&SAID_BY_ALL)})),
        25..45 => {
            for _ in 0..=dice.below(4) {
                fragments.push(emote(dice));
            }
        }
        kind => {
            let count = if kind < 50 { 30 } else { 2 + dice.below(9) };
            let words: Vec<&str> = (0..count).map(|_| dice.pick(&WORDS)).collect();
            fragments.push(
                json!({"type": "text", "text": format!("{} {} ", words.join(" "), number % 977)}),
            );
            if dice.below(3) == 0 {
                fragments.push(emote(dice));
            }
        }
    }
    let text: String = fragments.iter().filter_map(|it| it["text"].as_str()).collect();
    let now = Timestamp::now().to_string();
    let mut data = json!({
        "id": format!("twitch:{rate}-{number}"), "platform": "twitch",
        "channel": {"id": "twitch:1001", "name": "ana"},
        "author": author, "text": text, "fragments": fragments, "flags": [], "sent_at": now, "received_at": now,
    });
    match dice.below(1000) {
        0..60 => {
            let quoted = json!({"id": format!("twitch:{rate}-q{number}"), "author": self::author(dice), "text": "is that a real lighthouse?"});
            data["reply_to"] = quoted;
        }
        60..63 => data["author"]["roles"] = json!(["moderator"]),
        63..66 => data["flags"] = json!(["first_message"]),
        66..68 => data["amount"] = json!({"value": 500, "currency": "USD", "display": "$5.00"}),
        _ => {}
    }
    json!({"type": "chat.message", "data": data})
}

fn author(dice: &mut Dice) -> Value {
    let number = dice.below(700);
    let name = format!("{}{number}", NAMES_OF[number % NAMES_OF.len()]);
    let badges: Vec<Value> = BADGES[..number % 3]
        .iter()
        .map(|it| json!({"set": it, "version": "1", "title": it}))
        .collect();
    json!({
        "id": format!("twitch:viewer-{number}"), "login": format!("viewer{number}"), "name": name,
        "color": COLOURS[number % COLOURS.len()], "badges": badges, "roles": [],
    })
}

fn emote(dice: &mut Dice) -> Value {
    let name = dice.pick(&EMOTES);
    json!({"type": "emote", "text": name, "emote": {
        "provider": "streamsuites", "id": name, "url": format!("/static/demo/emotes/{name}.svg"),
        "animated": false, "zero_width": false,
    }})
}
