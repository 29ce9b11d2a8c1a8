//! Connections shared by channels: thousands of channels need tens of connections, not thousands.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::mpsc;
use twitch_irc::message::IRCMessage;

use super::{
    Account, TwitchPlan,
    connection::{self, Command},
};
use crate::{lifecycle::Lifecycle, model::Timestamp, platforms::WorkerError, telemetry::Telemetry};

/// Lines waiting for one worker. When it is full the connection is not read for up to a second (the
/// platform holds the rest, nothing is lost); then that worker loses it, and the others are read on.
const QUEUE_LINES: usize = 512;
/// The window that Twitch counts joins in.
const JOIN_WINDOW: Duration = Duration::from_secs(10);

/// What a connection tells a worker.
#[derive(Debug)]
pub enum Delivery {
    /// The server cannot be reached; it is tried again and again.
    Unreachable(String),
    /// The channel's lines come from now on.
    Joined,
    /// The connection ended while another is still on its way to the channel.
    Rejoining,
    /// The server did not answer the JOIN.
    NoAnswer,
    /// A line of the channel.
    Line(Box<IRCMessage>, Timestamp),
    /// The connection is gone, and why.
    Lost(WorkerError),
}

/// Pools by account.
pub struct Pools {
    life: Lifecycle,
    telemetry: Telemetry,
    pools: Mutex<Vec<Arc<Pool>>>,
}

impl Pools {
    /// None yet.
    #[must_use]
    pub fn new(life: Lifecycle, telemetry: Telemetry) -> Arc<Self> {
        Arc::new(Self { life, telemetry, pools: Mutex::default() })
    }

    /// The pool of the plan's account.
    pub fn pool(&self, plan: &TwitchPlan) -> Arc<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.iter().find(|it| it.account == plan.account) {
            return Arc::clone(pool);
        }
        let pool = Arc::new_cyclic(|this| Pool {
            this: this.clone(),
            account: plan.account.clone(),
            life: self.life.clone(),
            telemetry: self.telemetry.clone(),
            connections: Mutex::default(),
            pacer: Mutex::default(),
            next_id: AtomicU64::new(1),
        });
        pools.push(Arc::clone(&pool));
        pool
    }

    /// Forgets pools that nobody uses.
    pub fn sweep(&self) {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|it| Arc::strong_count(it) > 1 || !it.connections().is_empty());
    }
}

/// The connections of one account.
pub struct Pool {
    this: Weak<Self>,
    pub(super) account: Account,
    pub(super) life: Lifecycle,
    pub(super) telemetry: Telemetry,
    connections: Mutex<HashMap<u64, Handle>>,
    pacer: Mutex<VecDeque<Instant>>,
    next_id: AtomicU64,
}

/// A connection as the pool knows it.
struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    /// Channels on it or on their way to it.
    logins: HashMap<Arc<str>, HashSet<u64>>,
}

/// A worker's interest in a channel; dropping it leaves.
pub struct Subscription {
    pool: Arc<Pool>,
    login: Arc<str>,
    id: u64,
    /// What the connection tells.
    pub deliveries: mpsc::Receiver<Delivery>,
}

impl Pool {
    fn connections(&self) -> MutexGuard<'_, HashMap<u64, Handle>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a channel over a connection that has room for it, or over a new one.
    #[must_use]
    pub fn subscribe(self: &Arc<Self>, login: &Arc<str>) -> Subscription {
        let (sender, deliveries) = mpsc::channel(QUEUE_LINES);
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let most = self.account.channels_per_connection;
        let mut connections = self.connections();
        let join = |connection: &mut Handle| {
            let sent =
                connection.commands.send(Command::Join(Arc::clone(login), id, sender.clone()));
            if sent.is_ok() {
                connection.logins.entry(Arc::clone(login)).or_default().insert(id);
            }
            sent.is_ok()
        };
        // The one that reads the channel already comes first: two would each count and leave alone.
        let joined = connections.values_mut().filter(|it| it.logins.contains_key(login)).any(join)
            || connections.values_mut().filter(|it| it.logins.len() < most).any(join);
        if !joined {
            let mut connection = self.open(&mut connections, None);
            join(&mut connection.1);
            connections.insert(connection.0, connection.1);
        }
        drop(connections);
        Subscription { pool: Arc::clone(self), login: Arc::clone(login), id, deliveries }
    }

    fn open(
        &self,
        _connections: &mut HashMap<u64, Handle>,
        heirloom: Option<connection::Heirloom>,
    ) -> (u64, Handle) {
        let (commands, inbox) = mpsc::unbounded_channel();
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        if let Some(pool) = self.this.upgrade() {
            self.life.spawn(connection::run(pool, id, inbox, heirloom));
        }
        (id, Handle { commands, logins: HashMap::new() })
    }

    /// Opens a connection that takes over everything of `id`, which the server is about to close.
    pub(super) fn replace(&self, id: u64, heirloom: connection::Heirloom) {
        let mut connections = self.connections();
        let logins = connections.remove(&id).map(|it| it.logins).unwrap_or_default();
        let (heir, mut handle) = self.open(&mut connections, Some(heirloom));
        handle.logins = logins;
        connections.insert(heir, handle);
    }

    /// Forgets a connection that ended.
    pub(super) fn forget(&self, id: u64) {
        self.connections().remove(&id);
    }

    fn leave(&self, login: &Arc<str>, id: u64) {
        let mut connections = self.connections();
        for handle in connections.values_mut() {
            let Some(subscribers) = handle.logins.get_mut(login) else { continue };
            if !subscribers.remove(&id) {
                continue;
            }
            if subscribers.is_empty() {
                handle.logins.remove(login);
            }
            // A connection that just ended needs no goodbye.
            let _ = handle.commands.send(Command::Part(Arc::clone(login), id));
            return;
        }
    }

    /// Takes the next slot in Twitch's allowance of joins: now, or the moment to try again at.
    pub(super) fn next_join(&self) -> Result<(), Instant> {
        let now = Instant::now();
        let mut joins = self.pacer.lock().unwrap_or_else(PoisonError::into_inner);
        while joins.front().is_some_and(|it| now.duration_since(*it) >= JOIN_WINDOW) {
            joins.pop_front();
        }
        match joins.front() {
            Some(oldest) if joins.len() >= self.account.joins_per_10_seconds => {
                Err(*oldest + JOIN_WINDOW)
            }
            _ => {
                joins.push_back(now);
                Ok(())
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.pool.leave(&self.login, self.id);
    }
}
