//! Measures the feed log: how fast it takes events, what they take on the disk, and how soon they are read again.
//!
//! ```text
//! cargo run --release --example feed_log              # a million events
//! cargo run --release --example feed_log -- 100000    # fewer
//! ```
//!
//! Writes into a folder under the system's temporary one (`TMPDIR` chooses another disk), which goes at the end.
//! Rates are those of durable events: the clock stops when the last group is on the disk. Resuming and seeking are
//! asked of the real server over a real socket, as a page does it, on a log of all the events.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::{
    error::Error,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use serde_json::json;
use streamsuites::{
    app,
    config::Sources,
    feed::{FeedLog, Options, Policies, Record},
    lifecycle::Lifecycle,
    model::{CreatorId, EventBody, Timestamp},
    telemetry::Telemetry,
};
use tokio_tungstenite::tungstenite::Message;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const QUEUE_BYTES: usize = 32 << 20;
/// Messages per second of the stream that is recorded: so many fit into a long evening.
const PER_SECOND: i64 = 50;

fn main() -> Result<()> {
    // It fails only when it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let events: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |it| it.parse())?;
    let folder = std::env::temp_dir().join(format!("streamsuites-feed-log-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(measure(&folder, events));
    std::fs::remove_dir_all(&folder)?;
    outcome
}

async fn measure(folder: &Path, events: u64) -> Result<()> {
    let start = Timestamp::parse("2026-11-01T18:00:00Z")?;
    let data = folder.join("data");
    std::fs::create_dir_all(&data)?;
    let file = data.join(app::FEED_LOG_FILE);

    let log = open(&file)?;
    let (seconds, json_bytes) = write(&log, &["bench".parse()?], events, start).await;
    log.close().await;
    let bytes = std::fs::metadata(&file)?.len();
    println!(
        "append, one room        {:>10.0} events/s   ({events} events, groups of up to 50 ms)",
        events as f64 / seconds
    );
    println!(
        "file                    {:>10} bytes an event, of which {} are its JSON",
        bytes / events,
        json_bytes / events
    );

    let many = folder.join("many.redb");
    let log = open(&many)?;
    let rooms: Vec<CreatorId> =
        (0..500).map(|it| format!("room{it}").parse()).collect::<std::result::Result<_, _>>()?;
    let (seconds, _) = write(&log, &rooms, events / 10, start).await;
    println!("append, 500 rooms       {:>10.0} events/s", (events / 10) as f64 / seconds);
    log.close().await;

    let log = open(&file)?;
    // The file as a kill leaves it.
    let killed = folder.join("killed.redb");
    std::fs::copy(&file, &killed)?;
    // Not what is measured: the copy's own way to the disk.
    std::fs::File::open(&killed)?.sync_all()?;
    log.close().await;
    let started = Instant::now();
    let log = open(&killed)?;
    println!("open after a kill       {:>10.1} ms", ms(started.elapsed()));
    log.close().await;
    serve(folder, events, start).await
}

fn open(file: &Path) -> Result<FeedLog> {
    let options = Options {
        path: file.to_owned(),
        commit_delay: Duration::from_millis(100),
        queue_bytes: QUEUE_BYTES,
        policies: Policies::default(),
    };
    Ok(FeedLog::open(options, Lifecycle::new(), Telemetry::new())?)
}

/// Writes events as fast as the log takes them; answers the time until all are durable, and their size.
async fn write(log: &FeedLog, rooms: &[CreatorId], events: u64, start: Timestamp) -> (f64, u64) {
    let bodies: Vec<EventBody> = (0..64).map(body).collect();
    let rooms: Vec<_> = rooms.iter().map(|it| log.room(it)).collect();
    let (mut json, mut lost) = (0, 0);
    let started = Instant::now();
    for number in 0..events {
        let room = &rooms[(number % rooms.len() as u64) as usize];
        let body = renewed(&bodies[(number % 64) as usize], number);
        let data = body.data_json();
        json += data.len() as u64;
        let seq = room.head() + 1;
        let ts = start.plus_ms(number as i64 * 1000 / PER_SECOND);
        let record = Record::new(seq, ts, &body, data.into());
        lost += u64::from(!room.append(record));
        // A source would be slower than the disk; this one is not, and waits instead.
        while log.waiting_bytes() > QUEUE_BYTES / 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    log.flush().await;
    assert_eq!(lost, 0, "the queue was never full");
    (started.elapsed().as_secs_f64(), json)
}

/// Resume and seek, asked of the server.
async fn serve(folder: &Path, events: u64, start: Timestamp) -> Result<()> {
    let config = folder.join("config");
    std::fs::create_dir_all(&config)?;
    std::fs::write(
        config.join("creators.json"),
        json!({"creators": [{"id": "bench", "retention_days": 3650, "retention_bytes": 1_u64 << 40}]})
            .to_string(),
    )?;
    let mut sources = Sources { folder: config, folder_must_exist: true, ..Sources::default() };
    sources.flags.listen = Some("127.0.0.1:0".to_owned());
    sources.flags.data = Some(folder.join("data"));
    sources.flags.exports = Some(PathBuf::from(folder).join("exports"));
    let started = Instant::now();
    let server = app::start(app::Options::new(sources)).await?;
    println!("start on that log       {:>10.1} ms", ms(started.elapsed()));
    let room = server.hub.find_room("bench").ok_or("no room")?;
    let epoch = room.epoch();

    let mut resumes = Vec::new();
    for round in 0..40 {
        // Each from another place, far behind the ring.
        let since = events * (round + 1) / 42;
        let started = Instant::now();
        let url = format!("ws://{}/ws/bench?since={epoch}.{since}", server.address);
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
        let mut got = 0;
        while got < 500 {
            if let Message::Text(text) = socket.next().await.ok_or("the socket ended")?? {
                got += u64::from(text.contains(r#""seq":"#) && text.contains(r#""data":"#));
            }
        }
        resumes.push(ms(started.elapsed()));
    }
    println!("resume of 500 events    {}", spread(&mut resumes));

    let http = reqwest::Client::builder().no_proxy().build()?;
    let length = events as i64 * 1000 / PER_SECOND;
    let (mut seeks, mut backs) = (Vec::new(), Vec::new());
    for round in 0..100_i64 {
        let at = start.plus_ms(length * (round * 37 % 100) / 100);
        let base = format!("http://{}/api/rooms/bench/events", server.address);
        let started = Instant::now();
        let url = format!("{base}?from={at}&limit=1");
        let answer: serde_json::Value =
            serde_json::from_slice(&http.get(url).send().await?.bytes().await?)?;
        seeks.push(ms(started.elapsed()));
        let seq = answer["events"][0]["seq"].as_u64().ok_or("no event at that moment")?;
        let started = Instant::now();
        http.get(format!("{base}?before={seq}&limit=500")).send().await?.bytes().await?;
        backs.push(ms(started.elapsed()));
    }
    println!("seek to a moment        {}", spread(&mut seeks));
    println!("500 events before it    {}", spread(&mut backs));
    server.shut_down().await;
    Ok(())
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn spread(times: &mut [f64]) -> String {
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    format!("{:>10.2} ms median, {:.2} p99, {:.2} worst", at(0.5), at(0.99), at(1.0))
}

/// A chat message of usual size.
fn body(number: u64) -> EventBody {
    let text = "that jump was closer than it looked, do it again ".repeat(1 + number as usize % 3);
    let data = json!({
        "id": "twitch:b34ccfc7-4977-403a-8a94-33c6bac34fb8", "platform": "twitch",
        "channel": {"id": "twitch:1001", "name": "bench"},
        "author": {"id": format!("twitch:{}", 20_000 + number), "login": format!("viewer{number}"),
            "name": format!("Viewer{number}"), "color": "#1E90FF", "badges": [
                {"set": "subscriber", "version": "12", "title": "1-Year Subscriber",
                    "url": "/media/twitch/badges/1001/subscriber/12"}], "roles": ["subscriber"]},
        "text": text, "fragments": [{"type": "text", "text": text}], "flags": [],
        "sent_at": "2026-11-01T18:00:00.000Z", "received_at": "2026-11-01T18:00:00.040Z",
    });
    serde_json::from_value(json!({"type": "chat.message", "data": data})).expect("a message")
}

fn renewed(body: &EventBody, number: u64) -> EventBody {
    let mut body = body.clone();
    if let EventBody::ChatMessage(it) = &mut body {
        let id = format!("twitch:b34ccfc7-4977-403a-8a94-{number:012}");
        it.id = id.try_into().expect("an id");
    }
    body
}
