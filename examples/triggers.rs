//! Measures what triggers cost: a chat line looked at for a hundred of them, and a recorded stream of six hours tried.
//!
//! ```text
//! cargo run --release --example triggers             # 216,000 messages: six hours at ten a second
//! cargo run --release --example triggers -- 1000000
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use streamsuites::{
    app::{self, Options},
    chat::room::Arrival,
    config::Sources,
    model::{
        EventBody, Platform, QualifiedId, Timestamp,
        trigger::{Access, Trigger},
    },
    triggers::{
        cooldowns::{Around, Cooldowns, PatternTime},
        line::Line,
        set::TriggerSet,
    },
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Lines measured (count).
const LINES: usize = 1_000_000;

/// What people write, more or less.
const CHAT: [&str; 12] = [
    "LUL",
    "that jump was so clean, how do you even practise something like this?",
    "hi chat! first time catching you live",
    "gg",
    "KEKW KEKW KEKW",
    "can you show the settings again please",
    "no way, no way, NO WAY",
    "@mira I think they said it starts at eight",
    "привет из Варшавы",
    "今日もかわいい",
    "what is the song?",
    "the second boss is much easier with the bow, trust me",
];

fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let messages: u64 = std::env::args().nth(1).map_or(Ok(216_000), |it| it.parse())?;
    println!("one line, looked at for all triggers of a room, one core:");
    measure("100 commands", &(0..100).map(command).collect::<Vec<_>>(), &CHAT)?;
    measure("100 keywords", &(0..100).map(keyword).collect::<Vec<_>>(), &CHAT)?;
    measure("100 patterns", &(0..100).map(pattern).collect::<Vec<_>>(), &CHAT)?;
    let mixed: Vec<_> = (0..100)
        .map(|it| match it % 5 {
            0..3 => command(it),
            3 => keyword(it),
            _ => pattern(it),
        })
        .collect();
    measure("100 mixed (60 commands, 20 keywords, 20 patterns)", &mixed, &CHAT)?;
    let busy: Vec<String> = (0..12).map(|it| format!("!word{it} and more")).collect();
    let busy: Vec<&str> = busy.iter().map(String::as_str).collect();
    measure("the same, every line a command", &mixed, &busy)?;
    hostile()?;
    tokio::runtime::Runtime::new()?.block_on(session(messages, &mixed))
}

fn trigger(mut value: Value) -> Trigger {
    value["actions"] = json!([{"action_type": "reply", "payload": {"text": "{user}: {args}"}}]);
    serde_json::from_value(value).expect("a trigger as it should be")
}

fn command(at: usize) -> Trigger {
    let id = format!("c{at}");
    trigger(json!({"trigger_id": id, "type": "command", "command": format!("word{at}"),
        "aliases": [format!("w{at}")], "cooldown_seconds": 5}))
}

fn keyword(at: usize) -> Trigger {
    let id = format!("k{at}");
    trigger(json!({"trigger_id": id, "type": "keyword",
        "keywords": [format!("phrase number {at}"), format!("word-{at}")]}))
}

fn pattern(at: usize) -> Trigger {
    let id = format!("r{at}");
    let pattern = [
        format!(r"\b(how|what)\s+(long|much)\s+is\s+item{at}\b"),
        format!(r"^(buy|sell)\s+\d+\s+(of\s+)?thing{at}$"),
        format!(r"(https?://)?(www\.)?site{at}\.example/\w+"),
        format!(r"\bcode\s*[:=]\s*[a-z0-9]{{4,8}}-{at}\b"),
    ];
    trigger(json!({"trigger_id": id, "type": "regex", "pattern": pattern[at % 4]}))
}

fn measure(name: &str, triggers: &[Trigger], chat: &[&str]) -> Result<()> {
    let set = TriggerSet::new(triggers.iter().map(|it| (Arc::new(it.clone()), None)).collect());
    let viewer = QualifiedId::new(Platform::Twitch, "1");
    let (mut cooldowns, none) = (Cooldowns::default(), |_: &str| None);
    let (mut patterns, mut fired) = (PatternTime::default(), 0_u64);
    let began = Instant::now();
    for number in 0..LINES {
        let now = Timestamp::from_unix_ms(1_700_000_000_000 + number as i64 * 10)
            .unwrap_or(Timestamp::now());
        let line = Line {
            text: chat[number % chat.len()],
            platform: Platform::Twitch,
            access: Access::Everyone,
            amount: None,
            viewer: &viewer,
        };
        let mut around = Around {
            cooldowns: &cooldowns,
            everywhere: &none,
            least_seconds: 0,
            now,
            patterns: Some(&mut patterns),
            began: None,
        };
        let fires = set.judge(&line, &mut around).fires;
        drop(around);
        if let Some((index, _)) = fires {
            fired += 1;
            cooldowns.note(&set.find(index).trigger, Some(&viewer), now);
        }
        // What is measured is all patterns, not what is left of their time.
        patterns = PatternTime::default();
    }
    let each = began.elapsed().as_nanos() as f64 / LINES as f64;
    println!("  {name:<52} {each:>8.0} ns a line ({fired} acted)");
    Ok(())
}

fn hostile() -> Result<()> {
    let evil = [
        r"(a+)+c",
        r"(a|a)*[cd]$",
        r"(.*a){12}[yz]",
        r"(x+x+)+y",
        r"[ab]*a[ab]{12}[cq]",
        r"(.*)(.*)(.*)(.*)(.*)#",
        r"\w{1,60}\d{1,60}!",
        r"(?:a?){60}a{60}",
        r"([a-z]+)*[0-9]$",
        r"(\S+\s+){10}\S+q$",
    ];
    let triggers: Vec<_> = (0..100)
        .map(|at| {
            trigger(json!({"trigger_id": format!("e{at}"), "type": "regex", "pattern": evil[at % evil.len()]}))
        })
        .filter(|it| it.check().is_empty())
        .collect();
    let set = TriggerSet::new(triggers.iter().map(|it| (Arc::new(it.clone()), None)).collect());
    let viewer = QualifiedId::new(Platform::Twitch, "1");
    let (cooldowns, none) = (Cooldowns::default(), |_: &str| None);
    // None of them fits, and each finds the letters that it ends with.
    let text = format!("z9cqy {}!", "ab".repeat(490));
    let line = Line {
        text: &text,
        platform: Platform::Twitch,
        access: Access::Everyone,
        amount: None,
        viewer: &viewer,
    };
    let mut patterns = PatternTime::default();
    let (began, mut lines, mut longest, mut inside) =
        (Instant::now(), 0_u64, Duration::ZERO, Duration::ZERO);
    while began.elapsed() < Duration::from_secs(3) {
        let mut around = Around {
            cooldowns: &cooldowns,
            everywhere: &none,
            least_seconds: 0,
            now: Timestamp::now(),
            patterns: Some(&mut patterns),
            began: None,
        };
        let line_began = Instant::now();
        let judged = set.judge(&line, &mut around);
        drop(around);
        let took = line_began.elapsed();
        longest = longest.max(took);
        if !judged.passed.is_empty() || took > Duration::from_micros(50) {
            inside += took;
        }
        lines += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    println!(
        "  {} hostile patterns, 1,000 characters, 3 s of lines: {lines} lines, the longest {longest:?}, {:.1} ms of each second",
        triggers.len(),
        inside.as_secs_f64() * 1000.0 / 3.0
    );
    Ok(())
}

async fn session(messages: u64, triggers: &[Trigger]) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("streamsuites-triggers-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("config"))?;
    std::fs::write(folder.join("config/creators.json"), r#"{"creators":[{"id":"bench"}]}"#)?;
    let mut sources = Sources { folder: folder.join("config"), ..Sources::default() };
    sources.flags.listen = Some("127.0.0.1:0".to_owned());
    sources.flags.data = Some(folder.join("data"));
    sources.flags.exports = Some(folder.join("exports"));
    let server = app::start(Options::new(sources)).await?;
    let room = server.hub.find_room("bench").ok_or("no room")?;
    for number in 0..messages {
        let text = match number % 50 {
            0 => format!("!word{} please", number % 60),
            _ => CHAT[number as usize % CHAT.len()].to_owned(),
        };
        let now = Timestamp::now();
        let viewer = number % 5_000;
        let message = json!({
            "id": format!("twitch:{number:032}"), "platform": "twitch",
            "channel": {"id": "twitch:1", "name": "bench"},
            "author": {"id": format!("twitch:{viewer}"), "login": format!("viewer{viewer}"),
                "name": format!("Viewer{viewer}"), "color": "#19AEF0", "roles": ["subscriber"],
                "badges": [{"set": "subscriber", "version": "12", "title": "12 months",
                    "url": "/media/at/static-cdn.jtvnw.net/badges/v1/0e4f2ce1-1b2a-4d8c-9f1e-3/2"}]},
            "text": text, "fragments": [{"type": "text", "text": text}], "flags": [],
            "sent_at": now, "received_at": now,
        });
        let body: EventBody =
            serde_json::from_value(json!({"type": "chat.message", "data": message}))?;
        room.publish(&body, &Arrival::now());
        if number % 256 == 0 {
            while server.hub.log().waiting_bytes() > 8 << 20 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    room.log().settled().await;
    let sessions = room.log().sessions(None, 1).await;
    let session = sessions.map_err(|it| it.to_string())?.into_iter().next().ok_or("no session")?;
    println!(
        "a recorded session of {} messages, tried with {} triggers:",
        session.messages,
        triggers.len()
    );
    for _ in 0..3 {
        let tried = server.triggers.try_session(&room, &session, Some(triggers.to_vec())).await;
        let tried = tried.map_err(|it| it.to_string())?;
        println!("  {} ms, {} acted upon", tried.took_ms, tried.matched);
    }
    server.life.stop.cancel();
    server.shut_down().await;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
