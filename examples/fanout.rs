//! Measures the way from a Twitch line to every socket: the real server in a process of its own, fed by a
//! stand-in Twitch over IRC, read by raw sockets that check each delivery for loss, order and room.
//!
//! ```text
//! cargo run --release --example fanout                    # every scenario, as a table and as JSON
//! cargo run --release --example fanout -- steady 5        # one scenario, 5 seconds
//! ```
//!
//! With `FANOUT_SERVER` set to a command, that server is measured instead: it is given `FANOUT_IRC`
//! (address) and `FANOUT_ROOMS` (count), joins `#bench0000`…, prints its own address, and answers
//! `GET /ws/{room}` with events of the same shape. So two servers can be compared in one run.
//!
//! Scenarios: `steady` (1,000 sockets in one room, 100 messages/s), `saturated` (the same, as fast as it
//! goes), `rooms` (5,000 sockets in 500 rooms, 2 messages/s each), `idle` (10,000 sockets in 1,000 rooms),
//! `slow` (300 sockets, a tenth of which never read, 200 messages/s), `logins` (`steady` while 50 people sign in at
//! the same time with their passwords, over and over).
//!
//! Where `taskset` exists, the server runs on the first core and the load on the second. Latency runs from
//! the moment a line was due (not sent: a stalled sender cannot hide its queue) to the frame's arrival.
//! CPU is the server's own, from `/proc`; memory is its proportional set size.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example prints, and nobody links it"
)]

use std::{
    collections::HashMap,
    error::Error,
    io::Write as _,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    sockets: usize,
    rooms: usize,
    /// Messages per second and room; `None` is as fast as it goes, 0 is none.
    rate: Option<u32>,
    /// Sockets of every ten that never read.
    stopped_tenths: usize,
    /// People who sign in at the same time.
    logins: usize,
}

const STEADY: Scenario = Scenario {
    name: "steady",
    sockets: 1_000,
    rooms: 1,
    rate: Some(100),
    stopped_tenths: 0,
    logins: 0,
};

const SCENARIOS: [Scenario; 6] = [
    STEADY,
    Scenario { name: "saturated", rate: None, ..STEADY },
    Scenario { name: "rooms", sockets: 5_000, rooms: 500, rate: Some(2), ..STEADY },
    Scenario { name: "idle", sockets: 10_000, rooms: 1_000, rate: Some(0), ..STEADY },
    Scenario { name: "slow", sockets: 300, rate: Some(200), stopped_tenths: 1, ..STEADY },
    Scenario { name: "logins", logins: PEOPLE, ..STEADY },
];

fn main() -> Result<()> {
    // It fails only when it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|it| it == "server") {
        return server();
    }
    let pinned = pin_self();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seconds = arguments.get(1).map_or(Ok(10), |it| it.parse())?;
    let chosen: Vec<Scenario> = match arguments.first() {
        None => SCENARIOS.to_vec(),
        Some(name) => SCENARIOS.into_iter().filter(|it| it.name == name).collect(),
    };
    if chosen.is_empty() {
        return Err(format!("no such scenario: {}", arguments[0]).into());
    }
    let mut rows = Vec::new();
    for scenario in chosen {
        rows.push(runtime.block_on(measure(scenario, Duration::from_secs(seconds), pinned))?);
    }
    print_table(&rows);
    println!("{}", serde_json::to_string(&rows)?);
    Ok(())
}

/// The server under test: what `streamsuites serve` runs, on a port of its own.
fn server() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let folder = std::env::var("FANOUT_FOLDER")?;
        let folder = std::path::Path::new(&folder);
        let mut sources = streamsuites::config::Sources::from_process();
        sources.dotenv = None;
        sources.folder = folder.join("config");
        sources.flags.listen = Some("127.0.0.1:0".to_owned());
        sources.flags.data = Some(folder.join("data"));
        sources.flags.exports = Some(folder.join("exports"));
        let options = streamsuites::app::Options::new(sources);
        let server = streamsuites::app::start(options).await?;
        add_accounts(&server.accounts).await?;
        println!("{}", server.address);
        std::io::stdout().flush()?;
        // The parent ends us by closing our input.
        tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
        server.shut_down().await;
        Ok(())
    })
}

/// People of `logins`, each with an account and an address of their own.
const PEOPLE: usize = 50;
/// Tells from where each comes.
const ADDRESS_HEADER: &str = "x-forwarded-for";
const PASSWORD: &str = "a password of the benchmark";

fn email_of(person: usize) -> String {
    format!("bench{person}@example.com")
}

async fn add_accounts(accounts: &streamsuites::accounts::Accounts) -> Result<()> {
    let auth = accounts.config().system.auth.clone();
    let hash = accounts.passwords().hash(&auth, PASSWORD, &[]).await?;
    accounts
        .change(move |change| {
            for person in 0..PEOPLE {
                let email = email_of(person).parse().ok();
                let mut account = streamsuites::accounts::Account::new(email, "", change.at());
                account.email_verified = true;
                account.password = Some(hash.clone());
                change.put_account(account)?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}

/// Signs in over and over; counts how often it went well.
async fn sign_in(
    address: SocketAddr,
    person: usize,
    going: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
) -> Result<()> {
    let body = json!({ "email": email_of(person), "password": PASSWORD }).to_string();
    let request = format!(
        "POST /auth/login/password HTTP/1.1\r\nHost: {address}\r\n{ADDRESS_HEADER}: 198.51.100.{person}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    while going.load(Ordering::Relaxed) {
        stream.write_all(request.as_bytes()).await?;
        let (mut line, mut status, mut length) = (String::new(), String::new(), 0);
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Err("a sign-in was cut off".into());
            }
            if status.is_empty() {
                status.clone_from(&line);
            }
            if let Some(it) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = it.trim().parse()?;
            }
            if line == "\r\n" {
                break;
            }
        }
        stream.read_exact(&mut vec![0; length]).await?;
        if !status.starts_with("HTTP/1.1 200") {
            return Err(format!("a sign-in failed: {status}").into());
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

#[derive(Default)]
struct Tally {
    deliveries: AtomicU64,
    lost: AtomicU64,
    misplaced: AtomicU64,
    closed: AtomicU64,
    /// Latencies (µs), sampled when there are many.
    latencies: Mutex<Vec<u32>>,
    recording: AtomicBool,
}

async fn measure(scenario: Scenario, length: Duration, pinned: bool) -> Result<Value> {
    let Scenario { name, sockets, rooms, rate, stopped_tenths, logins } = scenario;
    let chat = TcpListener::bind("127.0.0.1:0").await?;
    let folder = std::env::temp_dir().join(format!("streamsuites-fanout-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let mut child = Server::start(&folder, chat.local_addr()?, rooms, pinned)?;
    let address = child.address;

    // The stand-in Twitch: every connection joins what it is asked to.
    let (joined, mut joins) = mpsc::unbounded_channel();
    let feeders = Arc::new(Mutex::new(Vec::<mpsc::Sender<Vec<u8>>>::new()));
    let owners = Arc::new(Mutex::new(HashMap::<usize, usize>::new()));
    tokio::spawn(stand_in(chat, joined, Arc::clone(&feeders), Arc::clone(&owners)));
    let mut count = 0;
    while count < rooms {
        joins.recv().await.ok_or("the stand-in ended")?;
        count += 1;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let idle_before = child.memory_kib()?;

    let started = Instant::now();
    let tally = Arc::new(Tally::default());
    let mut held = Vec::new();
    for index in 0..sockets {
        let stopped = stopped_tenths > 0 && index % 10 < stopped_tenths;
        let socket = connect(address, index % rooms).await?;
        if stopped {
            held.push(socket);
        } else {
            tokio::spawn(read(socket, index % rooms, started, rate.is_none(), Arc::clone(&tally)));
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle_after = child.memory_kib()?;

    // Warm-up, then what counts.
    let sending = Arc::new(AtomicBool::new(true));
    let sent = Arc::new(AtomicU64::new(0));
    let feeder = tokio::spawn(feed(
        scenario,
        started,
        feeders,
        owners,
        Arc::clone(&sending),
        Arc::clone(&sent),
    ));
    let signed_in = Arc::new(AtomicU64::new(0));
    let people: Vec<_> = (0..logins)
        .map(|it| tokio::spawn(sign_in(address, it, Arc::clone(&sending), Arc::clone(&signed_in))))
        .collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let signed_in_before = signed_in.load(Ordering::Relaxed);
    let (cpu_before, at) = (child.cpu()?, Instant::now());
    let (delivered_before, sent_before) =
        (tally.deliveries.load(Ordering::Relaxed), sent.load(Ordering::Relaxed));
    tally.recording.store(true, Ordering::Relaxed);
    tokio::time::sleep(length).await;
    tally.recording.store(false, Ordering::Relaxed);
    let (cpu, elapsed) = (child.cpu()? - cpu_before, at.elapsed());
    let delivered = tally.deliveries.load(Ordering::Relaxed) - delivered_before;
    let messages = sent.load(Ordering::Relaxed) - sent_before;
    let signed_in = signed_in.load(Ordering::Relaxed) - signed_in_before;
    let loaded = child.memory_kib()?;
    sending.store(false, Ordering::Relaxed);
    feeder.await??;
    for it in people {
        it.await??;
    }
    // What is on its way arrives; then nothing may be missing.
    let reading = (sockets - held.len()) as u64;
    let expected = sent.load(Ordering::Relaxed) * reading / rooms as u64;
    let deadline = Instant::now() + Duration::from_secs(10);
    while tally.deliveries.load(Ordering::Relaxed) < expected && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let missing = expected.saturating_sub(tally.deliveries.load(Ordering::Relaxed));
    drop(held);
    child.stop();
    let _ = std::fs::remove_dir_all(&folder);

    let mut latencies = std::mem::take(&mut *tally.latencies.lock().map_err(|_| "poisoned")?);
    latencies.sort_unstable();
    let at = |share: f64| {
        let index =
            ((latencies.len() as f64 * share) as usize).min(latencies.len().saturating_sub(1));
        latencies.get(index).map(|us| f64::from(*us) / 1000.0)
    };
    Ok(json!({
        "scenario": name,
        "sockets": sockets,
        "rooms": rooms,
        "messages_per_second": (messages as f64 / elapsed.as_secs_f64()).round(),
        "deliveries_per_second": (delivered as f64 / elapsed.as_secs_f64()).round(),
        "p50_ms": at(0.5), "p99_ms": at(0.99), "p999_ms": at(0.999),
        "cpu_us_per_delivery": (delivered > 0).then(|| cpu.as_secs_f64() * 1e6 / delivered as f64),
        "cpu_percent": cpu.as_secs_f64() / elapsed.as_secs_f64() * 100.0,
        "idle_socket_bytes": (idle_after.saturating_sub(idle_before)) * 1024 / sockets as u64,
        "empty_process_kib": idle_before,
        "idle_process_kib": idle_after,
        "loaded_process_kib": loaded,
        "lost": tally.lost.load(Ordering::Relaxed) + missing,
        "misplaced": tally.misplaced.load(Ordering::Relaxed),
        "closed": tally.closed.load(Ordering::Relaxed),
        "logins_per_second": (logins > 0).then(|| signed_in as f64 / elapsed.as_secs_f64()),
        "pinned": pinned,
    }))
}

/// The server's process.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(
        folder: &std::path::Path,
        chat: SocketAddr,
        rooms: usize,
        pinned: bool,
    ) -> Result<Self> {
        let config = folder.join("config");
        std::fs::create_dir_all(&config)?;
        let creators: Vec<Value> = (0..rooms)
            .map(|room| {
                json!({
                    "id": room_name(room), "always_on": true,
                    "channels": [{ "platform": "twitch", "name": room_name(room) }],
                })
            })
            .collect();
        std::fs::write(config.join("creators.json"), json!({ "creators": creators }).to_string())?;
        let mut words = match std::env::var("FANOUT_SERVER") {
            Ok(peer) => peer.split_whitespace().map(Into::into).collect(),
            Err(_) => vec![std::env::current_exe()?.into_os_string(), "server".into()],
        };
        if pinned {
            words.splice(0..0, ["taskset", "-c", "0"].map(Into::into));
        }
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .env("FANOUT_IRC", chat.to_string())
            .env("FANOUT_ROOMS", rooms.to_string())
            .env("FANOUT_FOLDER", folder)
            .env("STREAMSUITES__PLATFORMS__TWITCH__IRC_URL", format!("irc://{chat}"))
            .env("STREAMSUITES__PLATFORMS__TWITCH__JOINS_PER_10_SECONDS", "10000")
            .env("STREAMSUITES__PLATFORMS__TWITCH__CHANNELS_PER_CONNECTION", "1000")
            .env("STREAMSUITES__SYSTEM__AUTH__ATTEMPTS_PER_MINUTE", "100000")
            .env("STREAMSUITES__SYSTEM__WEB__CLIENT_ADDRESS_HEADER", ADDRESS_HEADER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("no output")?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)?;
        let address = line.trim().parse().map_err(|_| "the server did not start")?;
        Ok(Self { child, address })
    }

    /// CPU time of all threads so far.
    fn cpu(&self) -> Result<Duration> {
        let mut total = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            total += text.split(' ').next().and_then(|it| it.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(total))
    }

    /// Proportional set size.
    fn memory_kib(&self) -> Result<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let line = text.lines().find(|it| it.starts_with("Pss:")).ok_or("no Pss")?;
        Ok(line.split_whitespace().nth(1).ok_or("no Pss")?.parse()?)
    }

    fn stop(&mut self) {
        drop(self.child.stdin.take());
        // It is gone either way.
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn room_name(room: usize) -> String {
    format!("bench{room:04}")
}

/// Accepts the server's IRC connections.
async fn stand_in(
    listener: TcpListener,
    joined: mpsc::UnboundedSender<usize>,
    feeders: Arc<Mutex<Vec<mpsc::Sender<Vec<u8>>>>>,
    owners: Arc<Mutex<HashMap<usize, usize>>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let (reader, mut writer) = stream.into_split();
        let (sender, mut outgoing) = mpsc::channel::<Vec<u8>>(4);
        let index = feeders
            .lock()
            .map(|mut it| {
                it.push(sender.clone());
                it.len() - 1
            })
            .unwrap_or(0);
        tokio::spawn(async move {
            while let Some(bytes) = outgoing.recv().await {
                if writer.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        });
        let (joined, owners) = (joined.clone(), Arc::clone(&owners));
        tokio::spawn(async move {
            let mut lines = BufReader::new(reader).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = if line.starts_with("NICK") {
                    ":tmi.twitch.tv 001 justinfan1 :Welcome, GLHF!\r\n".to_owned()
                } else if line.starts_with("PING") {
                    ":tmi.twitch.tv PONG tmi.twitch.tv :streamsuites\r\n".to_owned()
                } else if let Some(channel) = line.strip_prefix("JOIN #") {
                    let room = channel.trim_start_matches("bench").parse().unwrap_or(0);
                    if let Ok(mut owners) = owners.lock() {
                        owners.insert(room, index);
                    }
                    let _ = joined.send(room);
                    format!(":justinfan1!justinfan1@justinfan1.tmi.twitch.tv JOIN #{channel}\r\n")
                } else {
                    continue;
                };
                let _ = sender.send(answer.into_bytes()).await;
            }
        });
    }
}

/// Sends lines when they are due, to each room in turn.
async fn feed(
    scenario: Scenario,
    started: Instant,
    feeders: Arc<Mutex<Vec<mpsc::Sender<Vec<u8>>>>>,
    owners: Arc<Mutex<HashMap<usize, usize>>>,
    sending: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
) -> Result<()> {
    if scenario.rate == Some(0) {
        return Ok(());
    }
    let feeders = feeders.lock().map_err(|_| "poisoned")?.clone();
    let owners = owners.lock().map_err(|_| "poisoned")?.clone();
    let first = started.elapsed();
    let mut number: u64 = 0;
    while sending.load(Ordering::Relaxed) {
        let batch = if scenario.rate.is_none() { 32 } else { 1 };
        let room = (number % scenario.rooms as u64) as usize;
        let due = match scenario.rate {
            // All rooms together, evenly spread.
            Some(rate) => {
                let per_second = f64::from(rate) * scenario.rooms as f64;
                let due = first + Duration::from_secs_f64(number as f64 / per_second);
                tokio::time::sleep_until((started + due).into()).await;
                due
            }
            None => started.elapsed(),
        };
        let mut lines = Vec::with_capacity(700 * batch);
        for _ in 0..batch {
            line(&mut lines, room, number, due)?;
            number += 1;
        }
        let feeder = &feeders[owners.get(&room).copied().unwrap_or(0)];
        feeder.send(lines).await?;
        sent.fetch_add(batch as u64, Ordering::Relaxed);
    }
    Ok(())
}

/// A line as Twitch sends it; the event it becomes is about 780 bytes of JSON.
fn line(out: &mut Vec<u8>, room: usize, number: u64, due: Duration) -> Result<()> {
    write!(
        out,
        "@badge-info=subscriber/14;badges=subscriber/12;client-nonce=8f1c0e5a7d3b49f2a6c4e1d0b9a87f65;\
         color=#1E90FF;display-name=BenchViewer{viewer};emotes=;first-msg=0;flags=;\
         id=00000000-0000-4000-8000-{number:012x};mod=0;returning-chatter=0;room-id={room};subscriber=1;\
         tmi-sent-ts={now};turbo=0;user-id=1000{viewer};user-type= \
         :benchviewer{viewer}!benchviewer{viewer}@benchviewer{viewer}.tmi.twitch.tv PRIVMSG #{name} \
         :due={due:016} what a run that was, nobody saw it coming\r\n",
        viewer = number % 500,
        now = streamsuites::model::Timestamp::now().unix_ms(),
        name = room_name(room),
        due = due.as_micros(),
    )?;
    Ok(())
}

/// Opens a socket and reads up to the end of the handshake.
async fn connect(address: SocketAddr, room: usize) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET /ws/{}?backlog=0 HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        room_name(room)
    );
    stream.write_all(request.as_bytes()).await?;
    let mut byte = [0];
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await? == 0 {
            return Err("closed in the handshake".into());
        }
        head.push(byte[0]);
    }
    if !head.starts_with(b"HTTP/1.1 101") {
        return Err(String::from_utf8_lossy(&head).into_owned().into());
    }
    Ok(stream)
}

/// Reads frames and checks each.
async fn read(stream: TcpStream, room: usize, started: Instant, sampled: bool, tally: Arc<Tally>) {
    let mut reader = Reader {
        room: format!("\"room\":\"{}\"", room_name(room)),
        started,
        sampled,
        tally: Arc::clone(&tally),
        held: Vec::new(),
        last: None,
        seen: 0,
    };
    // All readers share one buffer: a thousand of their own would measure this machine's cache.
    loop {
        let open = stream.readable().await.is_ok()
            && SCRATCH.with_borrow_mut(|scratch| {
                loop {
                    scratch.truncate(0);
                    scratch.append(&mut reader.held);
                    let held = scratch.len();
                    scratch.resize(held + READ_BYTES, 0);
                    match stream.try_read(&mut scratch[held..]) {
                        Ok(0) => break false,
                        Ok(count) => reader.take(&scratch[..held + count]),
                        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                            reader.held.extend_from_slice(&scratch[..held]);
                            break true;
                        }
                        Err(_) => break false,
                    }
                }
            });
        if !open {
            tally.closed.fetch_add(1, Ordering::Relaxed);
            return;
        }
    }
}

const READ_BYTES: usize = 256 * 1024;

thread_local! {
    static SCRATCH: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::default();
}

struct Reader {
    room: String,
    started: Instant,
    sampled: bool,
    tally: Arc<Tally>,
    /// The beginning of a frame whose end has not come.
    held: Vec<u8>,
    last: Option<u64>,
    seen: u64,
}

impl Reader {
    fn take(&mut self, bytes: &[u8]) {
        let now = self.started.elapsed();
        let recording = self.tally.recording.load(Ordering::Relaxed);
        let mut at = 0;
        let mut delivered = 0;
        while let Some((payload, end)) = frame(&bytes[at..]) {
            let text = &bytes[at..at + end][payload..];
            at += end;
            let Some((seq, rest)) = place_of(text) else { continue };
            // `{"v":1,"room":"bench0000",…`: always at the same place.
            if !text[7..].starts_with(self.room.as_bytes()) {
                self.tally.misplaced.fetch_add(1, Ordering::Relaxed);
            }
            if let Some(last) = self.last.filter(|last| *last + 1 != seq) {
                self.tally.lost.fetch_add(seq.abs_diff(last + 1), Ordering::Relaxed);
            }
            self.last = Some(seq);
            // `,"ts":"2026-11-20T18:03:11.412Z","type":"chat.message"`
            if !rest.get(41..).is_some_and(|it| it.starts_with(b"chat.message")) {
                continue;
            }
            delivered += 1;
            self.seen += 1;
            if recording
                && (!self.sampled || self.seen.is_multiple_of(256))
                && let Some(due) = due_of(text)
                && let Ok(mut latencies) = self.tally.latencies.lock()
            {
                let late = now.as_micros().saturating_sub(u128::from(due));
                latencies.push(u32::try_from(late).unwrap_or(u32::MAX));
            }
        }
        self.tally.deliveries.fetch_add(delivered, Ordering::Relaxed);
        self.held.extend_from_slice(&bytes[at..]);
    }
}

/// Where the payload of the first frame begins, and where the frame ends.
fn frame(bytes: &[u8]) -> Option<(usize, usize)> {
    let (header, len) = match *bytes.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize),
        len => (2, usize::from(len)),
    };
    (bytes.len() >= header + len).then_some((header, header + len))
}

/// An event's place, and what follows it; `None` for hello and position frames.
fn place_of(text: &[u8]) -> Option<(u64, &[u8])> {
    let at = memchr::memmem::find(text.get(..120.min(text.len()))?, b"\"seq\":")? + 6;
    let digits = text[at..].iter().take_while(|it| it.is_ascii_digit()).count();
    let rest = &text[at + digits..];
    if !rest.starts_with(b",\"ts\"") {
        return None;
    }
    Some((str::from_utf8(&text[at..at + digits]).ok()?.parse().ok()?, rest))
}

fn due_of(text: &[u8]) -> Option<u64> {
    let at = memchr::memmem::find(text, b"due=")? + 4;
    str::from_utf8(text.get(at..at + 16)?).ok()?.parse().ok()
}

/// Moves this process to the second core; `false` where that cannot be.
fn pin_self() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let id = std::process::id().to_string();
    cores > 1
        && Command::new("taskset")
            .args(["-cp", "1", &id])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|it| it.success())
}

fn print_table(rows: &[Value]) {
    println!(
        "{:<10} {:>7} {:>6} {:>9} {:>13} {:>8} {:>8} {:>8} {:>8} {:>7} {:>11} {:>9} {:>9} {:>6}",
        "scenario",
        "sockets",
        "rooms",
        "msg/s",
        "deliveries/s",
        "p50 ms",
        "p99 ms",
        "p99.9",
        "CPU µs",
        "CPU %",
        "idle B/sock",
        "idle KiB",
        "load KiB",
        "lost"
    );
    let number = |row: &Value, key: &str, digits: usize| {
        row[key].as_f64().map_or_else(|| "-".to_owned(), |it| format!("{it:.digits$}"))
    };
    for row in rows {
        println!(
            "{:<10} {:>7} {:>6} {:>9} {:>13} {:>8} {:>8} {:>8} {:>8} {:>7} {:>11} {:>9} {:>9} {:>6}",
            row["scenario"].as_str().unwrap_or_default(),
            number(row, "sockets", 0),
            number(row, "rooms", 0),
            number(row, "messages_per_second", 0),
            number(row, "deliveries_per_second", 0),
            number(row, "p50_ms", 2),
            number(row, "p99_ms", 2),
            number(row, "p999_ms", 2),
            number(row, "cpu_us_per_delivery", 2),
            number(row, "cpu_percent", 0),
            number(row, "idle_socket_bytes", 0),
            number(row, "idle_process_kib", 0),
            number(row, "loaded_process_kib", 0),
            number(row, "lost", 0)
        );
    }
}
