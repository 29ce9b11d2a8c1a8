//! A reader that does not read costs little and delays nobody.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::time::sleep;

use crate::support::{
    process::Process,
    raw::RawSocket,
    socket::Socket,
    twitch::{Twitch, privmsg},
};

/// A server, a reader that keeps up, a client with a tiny buffer that never reads, and lines past both of them;
/// fails when that takes memory.
struct Flood {
    process: Process,
    slow: RawSocket,
    twitch: Twitch,
}

impl Flood {
    const LINES: usize = 40_000;

    /// The binary, so that its memory is its own; long lines at the pace of the good reader.
    async fn run(variables: &[(&str, String)]) -> Self {
        const AHEAD: usize = 200;
        let twitch = Twitch::plain().await;
        let mut all = vec![("STREAMSUITES__PLATFORMS__TWITCH__IRC_URL", twitch.url())];
        all.extend_from_slice(variables);
        let process = Process::start(&["--listen", "127.0.0.1:0", "--channel", "twitch:ana"], &all);
        let address = process.address().await;
        let mut good = Socket::open(&format!("ws://{address}/ws/ana?types=chat")).await;
        let path = "/ws/ana?types=chat";
        let slow = RawSocket::open(address.parse().unwrap(), path, Some(4096)).await;
        assert_eq!(slow.status(), 101);
        let connection = twitch.joined("ana").await;
        let text = "x".repeat(1_500);

        let mut before = 0;
        let mut expected = VecDeque::new();
        for number in 0..Self::LINES {
            let id = format!("m{number}");
            twitch.send_on(connection, privmsg("ana", &id, "bo", &text));
            expected.push_back(format!("twitch:{id}"));
            while expected.len() > if number + 1 == Self::LINES { 0 } else { AHEAD } {
                let event = good.next_event().await;
                assert_eq!(event["data"]["id"], expected.pop_front().unwrap());
            }
            if number % 1_000 == 0 {
                // A slow disk's queue would look like the reader's.
                written(&address, number.saturating_sub(AHEAD)).await;
            }
            if number == Self::LINES / 4 {
                // The ring and the database's caches are full: nothing more is needed from here on.
                before = process.resident_bytes();
            }
        }
        let grown = process.resident_bytes().saturating_sub(before);
        assert!(grown < 32 << 20, "{} MiB more than when the caches were full", grown >> 20);
        Self { process, slow, twitch }
    }

    async fn counted(&self, name: &str) -> Option<usize> {
        counted(&self.process.address().await, name).await
    }
}

/// What `/metrics` says; `None` where it does not name it.
async fn counted(address: &str, name: &str) -> Option<usize> {
    let url = format!("http://{address}/metrics");
    let metrics = reqwest::get(url).await.unwrap().text().await.unwrap();
    let line = metrics.lines().find(|it| it.contains(name) && !it.starts_with('#'))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Waits until so many events are on the disk, where anything is recorded.
async fn written(address: &str, events: usize) {
    let started = Instant::now();
    while counted(address, "streamsuites_feed_log_commits_total").await.is_some_and(|it| it > 0)
        && counted(address, "streamsuites_events_recorded_total").await < Some(events)
    {
        assert!(started.elapsed() < Duration::from_secs(60), "the log does not follow");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Goal: whoever reads slowly loses nothing that is recorded, and delays nobody meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_was_asleep_is_caught_up_from_the_log_without_a_hole() {
    let mut flood = Flood::run(&[]).await;
    let mut seen = 0;
    while seen < Flood::LINES {
        let (opcode, payload) = flood.slow.next_frame().await.expect("caught up, not cut");
        if opcode != 0x1 {
            continue;
        }
        let frame: Value = serde_json::from_slice(&payload).unwrap();
        if frame["type"] == "chat.message" {
            assert_eq!(frame["data"]["id"], format!("twitch:m{seen}"));
            seen += 1;
        }
    }
    assert_eq!(flood.counted("too_slow").await, Some(0));
    drop(flood.twitch);
}

/// Goal: where nothing is recorded, the slow one is told to come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_log_a_reader_that_never_reads_is_let_go_and_costs_little() {
    let off = [("STREAMSUITES__SYSTEM__FEED__RECORD", "false".to_owned())];
    let mut flood = Flood::run(&off).await;
    // What had left before it fell behind is still there; behind it the server says why it ends.
    assert_eq!(flood.slow.close_code().await, Some(4008));
    assert_eq!(flood.counted("too_slow").await, Some(1));
    drop(flood.twitch);
}
