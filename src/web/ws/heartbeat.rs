//! One clock for all sockets: pings them in turn, and cuts those that do not answer.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{CloseCode, Socket};
use crate::chat::room::Closed;

/// Each socket is pinged once in so many seconds.
const PING_SECONDS: usize = 25;
/// A client that was not heard for longer is cut (s).
pub(super) const SILENCE_SECONDS: u32 = 60;
/// Silence and rooms that are gone are looked for once in so many seconds.
const LOOK_SECONDS: u32 = 5;
/// How long clients have to answer the close when the server stops.
const GOODBYE: Duration = Duration::from_millis(750);

/// How often it is looked whether all have.
const GOODBYE_LOOK: Duration = Duration::from_millis(10);

/// Every open socket, in twenty-five groups of which one is pinged each second.
pub struct Heartbeat {
    groups: [Mutex<Vec<Weak<Socket>>>; PING_SECONDS],
    next: AtomicUsize,
    seconds: AtomicU32,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self {
            groups: std::array::from_fn(|_| Mutex::default()),
            next: AtomicUsize::new(0),
            // Later than the longest silence, so that a moment before the start can be written.
            seconds: AtomicU32::new(2 * SILENCE_SECONDS),
        }
    }
}

impl Heartbeat {
    /// Seconds, from some moment before the start.
    #[must_use]
    pub fn now(&self) -> u32 {
        self.seconds.load(Ordering::Relaxed)
    }

    /// Looks after a socket for as long as it lives.
    pub fn add(&self, socket: &Arc<Socket>) {
        let group = self.next.fetch_add(1, Ordering::Relaxed) % PING_SECONDS;
        self.groups[group]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::downgrade(socket));
    }

    /// The living sockets of a group; the others are forgotten.
    fn living(&self, group: usize) -> Vec<Arc<Socket>> {
        let mut living = Vec::new();
        let mut group = self.groups[group].lock().unwrap_or_else(PoisonError::into_inner);
        group.retain(|it| it.upgrade().map(|it| living.push(it)).is_some());
        living
    }

    /// Closes the sockets whose passes have ended.
    pub fn close_ended(&self) {
        for socket in (0..PING_SECONDS).flat_map(|group| self.living(group)) {
            if socket.is_revoked() {
                socket.close(CloseCode::AccessRevoked);
            }
        }
    }

    /// Beats until `stop`, then says goodbye to everybody.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut tick = interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            let now = self.seconds.fetch_add(1, Ordering::Relaxed) + 1;
            for socket in self.living(now as usize % PING_SECONDS) {
                socket.ping();
            }
            if now.is_multiple_of(LOOK_SECONDS) {
                for socket in (0..PING_SECONDS).flat_map(|group| self.living(group)) {
                    if now.saturating_sub(socket.heard()) > SILENCE_SECONDS {
                        socket.cut();
                    } else if let Some(why) = socket.orphaned() {
                        socket.close(match why {
                            Closed::Gone => CloseCode::RoomClosed,
                            Closed::Reopened => CloseCode::RoomReopened,
                        });
                    }
                }
            }
        }
        for socket in (0..PING_SECONDS).flat_map(|group| self.living(group)) {
            socket.close(CloseCode::GoingAway);
        }
        let deadline = tokio::time::Instant::now() + GOODBYE;
        while tokio::time::Instant::now() < deadline
            && (0..PING_SECONDS).any(|group| !self.living(group).is_empty())
        {
            tokio::time::sleep(GOODBYE_LOOK).await;
        }
        for socket in (0..PING_SECONDS).flat_map(|group| self.living(group)) {
            socket.cut();
        }
    }
}
