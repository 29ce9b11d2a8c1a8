//! One connection to Twitch chat, with the channels it carries.
//!
//! Reaching the server is tried here, every `probe_ms`, for as long as a channel is wanted: one small
//! connection attempt for all channels, so that everybody is back within a second of the server. What
//! happens once the server answers (a refused login, a cut) ends the connection, and each worker's own
//! back-off decides when it asks again.

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    time::{Instant, sleep, sleep_until, timeout},
};
use twitch_irc::message::IRCMessage;

use super::{
    endpoint::Link,
    line::LineReader,
    pool::{Delivery, Pool},
};
use crate::{
    http::plain_words,
    model::{Platform, Timestamp},
    platforms::WorkerError,
};

/// Longest wait for the server's welcome after the login.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for the answer to a JOIN.
const JOIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time that the old connection stays beside the one that takes over, unless the server ends it:
/// joining many channels takes its time.
const HANDOVER: Duration = Duration::from_secs(300);
/// Longest wait for one worker that is behind, before the others are read on without it.
const BEHIND: Duration = Duration::from_secs(1);
/// Longest time a write may take before the connection counts as dead.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// What Twitch says when an account cannot be logged in, however often it is tried.
const REFUSALS: [&str; 4] =
    ["authentication failed", "Improperly formatted auth", "Login unsuccessful", "Invalid NICK"];
/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// What the pool asks of a connection.
pub(super) enum Command {
    /// Read a channel for a subscriber.
    Join(Arc<str>, u64, mpsc::Sender<Delivery>),
    /// A subscriber has left.
    Part(Arc<str>, u64),
}

/// What a connection leaves to the one that takes over.
pub(super) struct Heirloom {
    channels: HashMap<Arc<str>, Channel>,
    /// Told when all channels are joined.
    ready: oneshot::Sender<()>,
}

struct Channel {
    subscribers: Vec<(u64, mpsc::Sender<Delivery>)>,
    join: Join,
}

#[derive(Clone, Copy, PartialEq)]
enum Join {
    Waiting,
    Asked(Instant),
    Done,
}

struct Connection {
    pool: Arc<Pool>,
    id: u64,
    inbox: mpsc::UnboundedReceiver<Command>,
    channels: HashMap<Arc<str>, Channel>,
    /// The predecessor, told when all of its channels are joined here.
    ready: Option<oneshot::Sender<()>>,
    /// Fires when the successor has joined everything.
    heir: Option<oneshot::Receiver<()>>,
}

/// Serves channels until the connection is lost, nobody wants it, or the server stops.
pub(super) async fn run(
    pool: Arc<Pool>,
    id: u64,
    inbox: mpsc::UnboundedReceiver<Command>,
    heirloom: Option<Heirloom>,
) {
    let (mut channels, ready) = match heirloom {
        Some(it) => (it.channels, Some(it.ready)),
        None => (HashMap::new(), None),
    };
    for channel in channels.values_mut() {
        channel.join = Join::Waiting;
    }
    let stop = pool.life.stop.clone();
    let mut this = Connection { pool, id, inbox, channels, ready, heir: None };
    let ended = stop.run_until_cancelled(this.serve()).await;
    this.pool.forget(id);
    // Whoever asked in the last moment is told as well.
    while let Ok(command) = this.inbox.try_recv() {
        this.command(command);
    }
    let error = match ended {
        Some(Err(error)) => error,
        // Stopped, or nobody wanted it.
        Some(Ok(())) | None => WorkerError::transient("the connection was closed"),
    };
    if let Some(mut ready) = this.heir.take() {
        if ready.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
            for (_, subscriber) in this.channels.into_values().flat_map(|it| it.subscribers) {
                // A worker that is gone or behind hears of the successor soon enough.
                let _ = subscriber.try_send(Delivery::Rejoining);
            }
        }
    } else {
        for channel in this.channels.into_values() {
            for (_, subscriber) in channel.subscribers {
                // A worker that is gone needs no telling.
                let _ = subscriber.send(Delivery::Lost(error.clone())).await;
            }
        }
    }
}

impl Connection {
    fn command(&mut self, command: Command) {
        match command {
            Command::Join(login, id, sender) => {
                let channel = self
                    .channels
                    .entry(login)
                    .or_insert_with(|| Channel { subscribers: Vec::new(), join: Join::Waiting });
                if channel.join == Join::Done {
                    // An empty queue takes one.
                    let _ = sender.try_send(Delivery::Joined);
                }
                channel.subscribers.push((id, sender));
            }
            Command::Part(login, id) => {
                if let Some(channel) = self.channels.get_mut(&login) {
                    channel.subscribers.retain(|(it, _)| *it != id);
                }
            }
        }
    }

    async fn serve(&mut self) -> Result<(), WorkerError> {
        // Nobody opens a connection for nothing: the first command says what for.
        if self.channels.is_empty() {
            match self.inbox.recv().await {
                Some(command) => self.command(command),
                None => return Ok(()),
            }
        }
        let Some(mut link) = self.reach().await else { return Ok(()) };
        let mut lines = LineReader::default();
        self.log_in(&mut link, &mut lines).await?;
        tracing::info!(platform = "twitch", endpoint = %self.pool.account.endpoint, "connected");
        self.read(&mut link, &mut lines).await
    }

    /// Tries until the server can be reached; `None` when nobody wants it any more.
    async fn reach(&mut self) -> Option<Link> {
        let account = self.pool.account.clone();
        let pause = Duration::from_millis(u64::from(account.probe_ms));
        let mut told = String::new();
        loop {
            while let Ok(command) = self.inbox.try_recv() {
                self.command(command);
            }
            self.channels.retain(|_, it| !it.subscribers.is_empty());
            if self.channels.is_empty() {
                return None;
            }
            match account.endpoint.connect().await {
                Ok(link) => return Some(link),
                Err(error) => {
                    let problem =
                        format!("cannot reach {}: {}", account.endpoint, plain_words(&error));
                    if problem != told {
                        tracing::warn!(platform = "twitch", "{problem}");
                        told = problem;
                    }
                    for (_, subscriber) in self.channels.values().flat_map(|it| &it.subscribers) {
                        // Full: it has been told.
                        let _ = subscriber.try_send(Delivery::Unreachable(told.clone()));
                    }
                }
            }
            // A little jitter, so that many servers behind one outage do not come back in step.
            sleep(pause.mul_f64(0.75 + rand::random::<f64>() / 4.0)).await;
        }
    }

    async fn log_in(&mut self, link: &mut Link, lines: &mut LineReader) -> Result<(), WorkerError> {
        let mut hello = String::from("CAP REQ :twitch.tv/tags twitch.tv/commands\r\n");
        match &self.pool.account.credentials {
            Some(it) => hello.push_str(&format!("PASS oauth:{}\r\nNICK {}\r\n", it.token, it.nick)),
            // Any number will do; the name is Twitch's own for those without one.
            None => hello.push_str(&format!("NICK justinfan{}\r\n", rand::random::<u16>())),
        }
        write(link, &hello).await?;
        let mut buffer = vec![0; READ_BYTES];
        let welcome = async {
            loop {
                let count = link.read(&mut buffer).await.map_err(|it| lost(&it))?;
                if count == 0 {
                    return Err(WorkerError::transient(
                        "the server closed the connection at login",
                    ));
                }
                let mut outcome = None;
                let mut pings = String::new();
                lines.feed(&buffer[..count], |line| match line.command.as_str() {
                    "001" => outcome = Some(Ok(())),
                    "PING" => pings.push_str(&pong(&line)),
                    "NOTICE" => {
                        let text = line.params.last().map_or("", String::as_str);
                        if REFUSALS.iter().any(|it| text.contains(it)) {
                            outcome = Some(Err(WorkerError::permanent(
                                "Twitch refused the token: get a new one for TWITCH_OAUTH_TOKEN_…",
                            )));
                        } else if outcome.is_none() {
                            outcome = Some(Err(WorkerError::transient("Twitch refused the login")));
                        }
                    }
                    _ => {}
                });
                if !pings.is_empty() {
                    write(link, &pings).await?;
                }
                if let Some(outcome) = outcome {
                    return outcome;
                }
            }
        };
        timeout(WELCOME_TIMEOUT, welcome)
            .await
            .unwrap_or_else(|_| Err(WorkerError::transient("no welcome from the server in 10 s")))
    }

    /// Reads and routes lines, joins and leaves channels, and keeps asking for signs of life.
    async fn read(&mut self, link: &mut Link, lines: &mut LineReader) -> Result<(), WorkerError> {
        let ping_after = Duration::from_secs(u64::from(self.pool.account.ping_seconds));
        let pong_within = Duration::from_secs(u64::from(self.pool.account.pong_seconds));
        let mut buffer = vec![0; READ_BYTES];
        let mut arrived: Vec<IRCMessage> = Vec::new();
        let mut heard = Instant::now();
        let mut asked: Option<Instant> = None;
        let mut handover_ends: Option<Instant> = None;
        loop {
            let next_join = self.join_some(link).await?;
            let life = asked.map_or(heard + ping_after, |it| it + pong_within);
            let handing_over = self.heir.is_some();
            let heir = async {
                match self.heir.as_mut() {
                    // Both answers mean the same: the successor is on its own now.
                    Some(ready) => drop(ready.await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                read = link.read(&mut buffer) => {
                    let count = match read {
                        Ok(0) => Err(WorkerError::transient("the server closed the connection")),
                        Ok(count) => Ok(count),
                        Err(error) => Err(lost(&error)),
                    }?;
                    (heard, asked) = (Instant::now(), None);
                    lines.feed(&buffer[..count], |line| arrived.push(line));
                    self.pool.telemetry.meters.unreadable.increment(lines.take_unreadable());
                    let received_at = Timestamp::now();
                    for line in arrived.drain(..) {
                        if self.take(line, received_at, link).await? && self.heir.is_none() {
                            tracing::info!(platform = "twitch", "the server asks for a reconnect");
                            self.hand_over();
                            handover_ends = Some(Instant::now() + HANDOVER);
                        }
                    }
                }
                command = self.inbox.recv(), if !handing_over => match command {
                    Some(command) => self.command(command),
                    None => return Ok(()),
                },
                () = sleep_until(life) => match asked {
                    Some(_) => {
                        let seconds = self.pool.account.pong_seconds;
                        return Err(WorkerError::transient(format!("no sign of life for {seconds} s after asking")));
                    }
                    None => {
                        write(link, "PING :streamsuites\r\n").await?;
                        asked = Some(Instant::now());
                    }
                },
                () = sleep_until(next_join.unwrap_or_else(Instant::now)), if next_join.is_some() => {}
                () = heir => return Ok(()),
                () = sleep_until(handover_ends.unwrap_or_else(Instant::now)), if handover_ends.is_some() => return Ok(()),
            }
            if !self.leave_some(link).await? && self.heir.is_none() {
                return Ok(());
            }
        }
    }

    /// Joins what waits, as fast as Twitch allows; answers when there is more to do.
    async fn join_some(&mut self, link: &mut Link) -> Result<Option<Instant>, WorkerError> {
        if self.heir.is_some() {
            return Ok(None);
        }
        let now = Instant::now();
        let mut next: Option<Instant> = None;
        let mut request = String::new();
        for (login, channel) in &mut self.channels {
            match channel.join {
                Join::Done => {}
                Join::Asked(at) if now.duration_since(at) >= JOIN_TIMEOUT => {
                    for (_, subscriber) in &channel.subscribers {
                        // Full: it has been told.
                        let _ = subscriber.try_send(Delivery::NoAnswer);
                    }
                    channel.join = Join::Waiting;
                    next = Some(next.map_or(now, |it| it.min(now)));
                }
                Join::Asked(at) => {
                    let at = at + JOIN_TIMEOUT;
                    next = Some(next.map_or(at, |it| it.min(at)));
                }
                Join::Waiting => match self.pool.next_join() {
                    Ok(()) => {
                        request.push_str(&format!("JOIN #{login}\r\n"));
                        channel.join = Join::Asked(now);
                        let at = now + JOIN_TIMEOUT;
                        next = Some(next.map_or(at, |it| it.min(at)));
                    }
                    Err(at) => {
                        let at = Instant::from_std(at);
                        next = Some(next.map_or(at, |it| it.min(at)));
                    }
                },
            }
        }
        if !request.is_empty() {
            write(link, &request).await?;
        }
        Ok(next)
    }

    /// Leaves channels that nobody reads any more; `false` when none is left.
    async fn leave_some(&mut self, link: &mut Link) -> Result<bool, WorkerError> {
        let mut request = String::new();
        self.channels.retain(|login, channel| {
            channel.subscribers.retain(|(_, it)| !it.is_closed());
            let wanted = !channel.subscribers.is_empty();
            if !wanted && channel.join != Join::Waiting {
                request.push_str(&format!("PART #{login}\r\n"));
            }
            wanted
        });
        if !request.is_empty() {
            write(link, &request).await?;
        }
        Ok(!self.channels.is_empty() || !self.inbox.is_empty())
    }

    /// Gives a line to whom it concerns; `true` when the server asks for a reconnect.
    async fn take(
        &mut self,
        line: IRCMessage,
        received_at: Timestamp,
        link: &mut Link,
    ) -> Result<bool, WorkerError> {
        match line.command.as_str() {
            "PING" => write(link, &pong(&line)).await?,
            "RECONNECT" => return Ok(true),
            _ => {}
        }
        let login = line.params.first().and_then(|it| it.strip_prefix('#'));
        let Some(channel) = login.and_then(|it| self.channels.get_mut(it)) else {
            return Ok(false);
        };
        self.pool.telemetry.meters.count_line(Platform::Twitch);
        if channel.join != Join::Done {
            channel.join = Join::Done;
            for (_, subscriber) in &channel.subscribers {
                // A worker that is gone needs no telling.
                let _ = subscriber.send(Delivery::Joined).await;
            }
            if self.channels.values().all(|it| it.join == Join::Done)
                && let Some(ready) = self.ready.take()
            {
                // The predecessor may have ended by itself.
                let _ = ready.send(());
            }
            // The borrow ended above; look the channel up again below.
            return self.route(line, received_at).await.map(|()| false);
        }
        self.route(line, received_at).await.map(|()| false)
    }

    async fn route(&mut self, line: IRCMessage, received_at: Timestamp) -> Result<(), WorkerError> {
        let login = line.params.first().and_then(|it| it.strip_prefix('#'));
        let Some(channel) = login.and_then(|it| self.channels.get_mut(it)) else { return Ok(()) };
        let mut behind = Vec::new();
        let mut line = Some(Box::new(line));
        let last = channel.subscribers.len().saturating_sub(1);
        for (index, (id, subscriber)) in channel.subscribers.iter().enumerate() {
            // Nearly always there is one, and it gets the line itself.
            let Some(line) = (if index == last { line.take() } else { line.clone() }) else {
                break;
            };
            let delivery = Delivery::Line(line, received_at);
            match subscriber.try_send(delivery) {
                Err(TrySendError::Full(delivery)) => {
                    if subscriber.send_timeout(delivery, BEHIND).await.is_err() {
                        behind.push(*id);
                    }
                }
                // A worker that is gone needs no line.
                Ok(()) | Err(TrySendError::Closed(_)) => {}
            }
        }
        // Let go, its worker sees the end of its queue and subscribes again.
        channel.subscribers.retain(|(id, _)| !behind.contains(id));
        Ok(())
    }

    /// Lets another connection join the same channels while this one is still read: no line is lost, and
    /// those that come over both are recognised by their ids.
    fn hand_over(&mut self) {
        let (ready, heir) = oneshot::channel();
        let channels = self
            .channels
            .iter()
            .map(|(login, channel)| {
                let channel =
                    Channel { subscribers: channel.subscribers.clone(), join: Join::Waiting };
                (Arc::clone(login), channel)
            })
            .collect();
        self.pool.replace(self.id, Heirloom { channels, ready });
        self.heir = Some(heir);
    }
}

fn pong(ping: &IRCMessage) -> String {
    format!("PONG :{}\r\n", ping.params.last().map_or("tmi.twitch.tv", String::as_str))
}

async fn write(link: &mut Link, text: &str) -> Result<(), WorkerError> {
    let writing = async {
        link.write_all(text.as_bytes()).await?;
        link.flush().await
    };
    match timeout(WRITE_TIMEOUT, writing).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(lost(&error)),
        Err(_) => Err(WorkerError::transient("the server takes no more input")),
    }
}

fn lost(error: &io::Error) -> WorkerError {
    WorkerError::transient(format!("the connection was lost: {}", plain_words(error)))
}
