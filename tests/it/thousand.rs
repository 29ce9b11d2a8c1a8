//! A thousand creators in one process.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use crate::support::{
    kick::{CHANNEL, CHATROOM, Kick},
    process::Process,
    soon,
    twitch::{Twitch, privmsg},
};

const CREATORS: usize = 1_000;
const STARTS_PER_SECOND: usize = 100;
/// What the server of a debug build may hold with two channels for each of them; measured at 101 MiB.
const MEMORY: u64 = 250 << 20;

/// One number of `/metrics`; 0 where it is not told.
async fn metric(address: &str, start: &str) -> usize {
    let text =
        reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    let line = text.lines().find_map(|it| it.strip_prefix(start)?.strip_prefix(' '));
    line.map_or(0, |it| it.trim().parse::<f64>().unwrap() as usize)
}

/// Goal: many creators start, are live and stop without a herd at the platforms' doors, and in bounded memory.
/// Method: the real binary with channels on two platforms for each creator; all of them are taken out of the
/// configuration while it runs.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_creators_start_are_live_and_stop_in_an_orderly_way() {
    let (twitch, kick) = (Twitch::plain().await, Kick::start().await);
    let folder = tempfile::tempdir().unwrap();
    let name = |number: usize| format!("creator{number:04}");
    let list: Vec<_> = (0..CREATORS)
        .map(name)
        .map(|name| {
            json!({"id": name, "always_on": true, "channels": [
                {"platform": "twitch", "name": name},
                {"platform": "kick", "name": name, "channel_id": CHANNEL, "chat_id": CHATROOM},
            ]})
        })
        .collect();
    let config = folder.path().join("config");
    std::fs::create_dir(&config).unwrap();
    let write = |value: serde_json::Value| {
        std::fs::write(config.join("creators.json"), value.to_string()).unwrap();
    };
    write(json!({ "creators": list }));
    let variables = [
        ("STREAMSUITES__PLATFORMS__TWITCH__IRC_URL", twitch.url()),
        ("STREAMSUITES__PLATFORMS__TWITCH__JOINS_PER_10_SECONDS", "10000".to_owned()),
        ("STREAMSUITES__PLATFORMS__KICK__WEB_URL", kick.http.clone()),
        ("STREAMSUITES__PLATFORMS__KICK__REALTIME_URL", kick.http.clone()),
        ("STREAMSUITES__PLATFORMS__KICK__PUSHER_URL", kick.socket.clone()),
        ("STREAMSUITES__PLATFORMS__STARTS_PER_SECOND", STARTS_PER_SECOND.to_string()),
        ("STREAMSUITES__SYSTEM__FEED__MAX_ROOMS", "2000".to_owned()),
        ("STREAMSUITES__SYSTEM__LOG__LEVEL", "error".to_owned()),
    ];
    let started = Instant::now();
    let process = Process::start_at(folder.path(), &["--listen", "127.0.0.1:0"], &variables);
    let address = process.address().await;
    let live =
        |platform: &str| format!("streamsuites_channels{{platform=\"{platform}\",state=\"live\"}}");

    soon("everybody live", async {
        loop {
            let sockets = kick.seen().connections.len();
            let allowed = STARTS_PER_SECOND * (started.elapsed().as_secs() as usize + 2);
            assert!(sockets <= allowed, "{sockets} came at once, {allowed} may have");
            let counts =
                [metric(&address, &live("twitch")).await, metric(&address, &live("kick")).await];
            if counts == [CREATORS; 2] {
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
    })
    .await;
    let connections = kick.seen().connections.len();
    assert!(connections >= CREATORS, "{connections}");

    // All of them are read.
    for number in 0..CREATORS {
        let carrier = twitch.joined(&name(number)).await;
        twitch.send_on(carrier, privmsg(&name(number), &format!("m{number}"), "bo", "hello"));
    }
    let events = "streamsuites_events_total{platform=\"twitch\"}";
    soon("a message of each", async {
        while metric(&address, events).await < CREATORS {
            sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    let memory = process.resident_bytes();
    assert!(memory < MEMORY, "{} MiB", memory >> 20);

    write(json!({ "creators": [] }));
    soon("nobody is read any more", async {
        while metric(&address, "streamsuites_workers").await > 0 {
            sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    println!(
        "{CREATORS} creators: {} MiB with all of them live, {} MiB after they went",
        memory >> 20,
        process.resident_bytes() >> 20
    );
}
