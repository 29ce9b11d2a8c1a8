//! Measures what many creators cost: the real server in a process of its own, with four channels for each creator,
//! read from stand-ins for Twitch, YouTube, Kick and Rumble in this one.
//!
//! ```text
//! cargo build --release && cargo run --release --example creators              # 1,000 idle, then 100 busy
//! cargo run --release --example creators -- 200 20 30                          # idle, busy, seconds
//! ```
//!
//! Idle: every channel is live and nobody writes. Busy: so many of them get five messages a second on Twitch and one
//! on each of the other three. CPU is the server's own, from `/proc`; memory is its proportional set size.

#![expect(clippy::print_stdout, reason = "an example prints, and nobody links it")]

use std::{
    error::Error,
    fs,
    future::Future,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval, sleep};

// The stand-ins of the tests.
#[allow(dead_code)]
#[path = "../tests/it/support/kick.rs"]
mod kick;
#[allow(dead_code)]
#[path = "../tests/it/support/rumble.rs"]
mod rumble;
#[allow(dead_code)]
#[path = "../tests/it/support/twitch/mod.rs"]
mod twitch;
#[allow(dead_code)]
#[path = "../tests/it/support/youtube.rs"]
mod youtube;

/// Variables for the server.
#[derive(Default)]
struct Setup(Vec<(String, String)>);

#[allow(dead_code)]
impl Setup {
    fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.0.push((format!("STREAMSUITES__{key}"), value.to_string()));
        self
    }

    fn variable(mut self, name: &str, value: impl ToString) -> Self {
        self.0.push((name.to_owned(), value.to_string()));
        self
    }
}

async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(600), event).await {
        Ok(it) => it,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

use kick::Kick;
use rumble::Rumble;
use twitch::{Twitch, privmsg};
use youtube::Youtube;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const PLATFORMS: [&str; 4] = ["twitch", "youtube", "kick", "rumble"];

/// The server's process.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is gone either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(folder: &Path, variables: &[(String, String)]) -> Result<Self> {
        let program = std::env::current_exe()?;
        let program = program.parent().and_then(Path::parent).ok_or("no folder")?;
        let program = program.join(format!("streamsuites{}", std::env::consts::EXE_SUFFIX));
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let child = Command::new(&program)
            .args(["serve", "--listen", &address])
            .current_dir(folder)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .env("STREAMSUITES__SYSTEM__LOG__LEVEL", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|it| {
                format!("{}: {it}; run `cargo build --release` first", program.display())
            })?;
        Ok(Self { child, address })
    }

    /// Time on the CPU so far.
    fn cpu(&self) -> Result<Duration> {
        let mut total = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            total += text.split(' ').next().and_then(|it| it.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(total))
    }

    /// Proportional set size (MiB).
    fn memory(&self) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let line = text.lines().find(|it| it.starts_with("Pss:")).ok_or("no Pss")?;
        Ok(line.split_whitespace().nth(1).ok_or("no Pss")?.parse::<f64>()? / 1024.0)
    }

    /// Channels that are live, by platform, and events so far.
    async fn counts(&self) -> Result<(Vec<u64>, u64)> {
        let url = format!("http://{}/metrics", self.address);
        let text = reqwest::get(url).await?.text().await?;
        let of = |start: String| -> u64 {
            let line = text.lines().find_map(|it| it.strip_prefix(&start));
            line.and_then(|it| it.trim().parse::<f64>().ok()).unwrap_or(0.0) as u64
        };
        let live = PLATFORMS
            .map(|it| of(format!("streamsuites_channels{{platform=\"{it}\",state=\"live\"}} ")));
        let events =
            PLATFORMS.map(|it| of(format!("streamsuites_events_total{{platform=\"{it}\"}} ")));
        Ok((live.to_vec(), events.iter().sum()))
    }
}

struct StandIns {
    twitch: Twitch,
    youtube: Youtube,
    kick: Kick,
    rumble: Rumble,
}

#[tokio::main]
async fn main() -> Result<()> {
    let numbers: Vec<usize> =
        std::env::args().skip(1).map(|it| it.parse()).collect::<std::result::Result<_, _>>()?;
    let number = |index: usize, usual: usize| numbers.get(index).copied().unwrap_or(usual);
    let (idle, busy, seconds) = (number(0, 1_000), number(1, 100), number(2, 30));
    let stand_ins = Arc::new(StandIns {
        twitch: Twitch::plain().await,
        youtube: Youtube::live().await,
        kick: Kick::start().await,
        rumble: Rumble::start().await,
    });
    println!("| creators | channels live | memory | CPU of one core | messages/s in |");
    println!("| --- | --- | --- | --- | --- |");
    measure(&stand_ins, 0, 0, seconds).await?;
    measure(&stand_ins, idle, 0, seconds).await?;
    measure(&stand_ins, busy, busy, seconds).await
}

/// One line of the table: so many creators, so many of which get messages.
async fn measure(
    stand_ins: &Arc<StandIns>,
    creators: usize,
    busy: usize,
    seconds: usize,
) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("streamsuites-creators-{}", std::process::id()));
    fs::create_dir_all(folder.join("config"))?;
    let name = |number: usize| format!("creator{number:04}");
    let list: Vec<Value> = (0..creators)
        .map(|number| {
            let name = name(number);
            json!({"id": name, "always_on": true, "channels": [
                {"platform": "twitch", "name": name},
                {"platform": "youtube", "name": youtube::CHANNEL_ID},
                {"platform": "kick", "name": name, "channel_id": kick::CHANNEL, "chat_id": kick::CHATROOM},
                {"platform": "rumble", "name": format!("c/{name}")},
            ]})
        })
        .collect();
    fs::write(folder.join("config/creators.json"), json!({ "creators": list }).to_string())?;
    {
        let mut seen = stand_ins.rumble.seen();
        let live = seen.channels["c/ana"].clone();
        seen.channels.extend((0..creators).map(|it| (format!("c/{}", name(it)), live.clone())));
    }
    let mut setup = Setup::default()
        .set("PLATFORMS__TWITCH__IRC_URL", stand_ins.twitch.url())
        .set("PLATFORMS__TWITCH__JOINS_PER_10_SECONDS", 10_000)
        .set("PLATFORMS__EMOTES__ENABLED", false)
        .set("PLATFORMS__STARTS_PER_SECOND", 100)
        .set("SYSTEM__FEED__MAX_ROOMS", 5_000)
        .youtube(&stand_ins.youtube)
        .kick(&stand_ins.kick);
    // Where it is, and not the short waits of the tests.
    let places = ["WEB_URL", "CHAT_URL", "VIEWERS_URL", "API_URL", "BROWSER_PATH"];
    for (key, value) in stand_ins.rumble.settings() {
        if places.iter().any(|it| key.ends_with(it)) {
            setup = setup.set(&key, value);
        }
    }
    let server = Server::start(&folder, &setup.0)?;
    let started = Instant::now();
    let live = loop {
        sleep(Duration::from_secs(1)).await;
        let Ok((live, _)) = server.counts().await else { continue };
        if live.iter().all(|it| *it as usize >= creators) || started.elapsed().as_secs() > 180 {
            break live;
        }
    };
    let took = started.elapsed();
    sleep(Duration::from_secs(5)).await;

    let speaking = (busy > 0).then(|| {
        let stand_ins = Arc::clone(stand_ins);
        let names: Vec<String> = (0..busy).map(name).collect();
        tokio::spawn(async move { speak(&stand_ins, &names).await })
    });
    sleep(Duration::from_secs(2)).await;
    let (cpu, (_, events), from) = (server.cpu()?, server.counts().await?, Instant::now());
    sleep(Duration::from_secs(seconds as u64)).await;
    let spent = server.cpu()? - cpu;
    let (_, now) = server.counts().await?;
    let elapsed = from.elapsed().as_secs_f64();
    println!(
        "| {creators}{} | {} in {:.0} s | {:.0} MiB | {:.1} % | {:.0} |",
        if busy > 0 { " busy" } else { " idle" },
        live.iter().sum::<u64>(),
        took.as_secs_f64(),
        server.memory()?,
        spent.as_secs_f64() / elapsed * 100.0,
        (now - events) as f64 / elapsed,
    );
    if let Some(it) = speaking {
        it.abort();
    }
    drop(server);
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// Five messages a second for each creator on Twitch; one on Kick and one on Rumble reach all of them.
async fn speak(stand_ins: &StandIns, names: &[String]) {
    let mut tick = interval(Duration::from_millis(200));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut number: u64 = 1_000_000;
    loop {
        tick.tick().await;
        number += 1;
        for name in names {
            if let Some(carrier) = { stand_ins.twitch.seen().carrier(name) } {
                let line = privmsg(
                    name,
                    &format!("{name}-{number}"),
                    "bo",
                    "a message of ordinary length",
                );
                stand_ins.twitch.send_on(carrier, line);
            }
        }
        if number.is_multiple_of(5) {
            stand_ins.kick.say("a message of ordinary length");
            stand_ins.rumble.say(&number.to_string(), "a message of ordinary length");
            stand_ins.youtube.say(&format!("CLive{number}"), "@bo", "a message of ordinary length");
        }
    }
}
