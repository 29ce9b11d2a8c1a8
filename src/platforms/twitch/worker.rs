//! Reads one Twitch channel for one creator.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{
    TwitchPlan,
    pool::{Delivery, Pool},
};
use crate::{
    model::PlatformState,
    platforms::{Ingest, Liveness, PlatformWorker, Raw, WorkerError},
};

/// Lines taken at once before the room's audience is given a turn.
const BATCH_LINES: usize = 64;
/// How often liveness is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Reads one channel until it is lost.
pub struct TwitchWorker {
    pool: Arc<Pool>,
    plan: TwitchPlan,
}

impl TwitchWorker {
    /// For one attempt.
    #[must_use]
    pub fn new(pool: Arc<Pool>, plan: TwitchPlan) -> Self {
        Self { pool, plan }
    }
}

impl PlatformWorker for TwitchWorker {
    async fn run(self, ingest: &mut Ingest, stop: &CancellationToken) -> Result<(), WorkerError> {
        let mut subscription = self.pool.subscribe(&self.plan.login);
        let mut batch = Vec::with_capacity(BATCH_LINES);
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut liveness = Liveness::new(self.plan.quiet_seconds);
        let mut joined = false;
        let mut unanswered = 0_u32;
        loop {
            let count = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                count = subscription.deliveries.recv_many(&mut batch, BATCH_LINES) => count,
                _ = look.tick(), if joined => {
                    ingest.status(PlatformState::Live, liveness.detail(ingest));
                    continue;
                }
            };
            if count == 0 {
                return Err(WorkerError::transient("the connection was closed"));
            }
            for delivery in batch.drain(..) {
                match delivery {
                    Delivery::Line(line, received_at) => {
                        liveness.hear();
                        if let Some(error) = refusal(&line) {
                            return Err(error);
                        }
                        ingest.accept(Raw::Twitch(line), received_at);
                    }
                    Delivery::Joined => {
                        joined = true;
                        liveness.hear();
                        ingest.status(PlatformState::Live, "");
                    }
                    Delivery::Rejoining => {
                        joined = false;
                        ingest
                            .status(PlatformState::Connecting, "the server asked for a reconnect");
                    }
                    Delivery::Unreachable(problem) => {
                        joined = false;
                        ingest.status(PlatformState::Degraded, problem);
                    }
                    Delivery::NoAnswer => {
                        joined = false;
                        unanswered += 1;
                        let login = &self.plan.login;
                        ingest.status(
                            PlatformState::Degraded,
                            format!("Twitch does not answer for the channel `{login}`: is the name right?"),
                        );
                        if unanswered == 3 {
                            return Err(WorkerError::transient(format!(
                                "Twitch does not answer for the channel `{login}`: is the name right?"
                            )));
                        }
                    }
                    Delivery::Lost(error) => return Err(error),
                }
            }
            // Its room's audience may be long in catching up: a stop does not wait for that.
            if stop.run_until_cancelled(ingest.ready()).await.is_none() {
                return Ok(());
            }
        }
    }
}

/// A line by which Twitch says that the channel cannot be read at all.
fn refusal(line: &twitch_irc::message::IRCMessage) -> Option<WorkerError> {
    if line.command != "NOTICE" {
        return None;
    }
    match line.tags.0.get("msg-id").map(String::as_str) {
        Some("msg_channel_suspended") => {
            Some(WorkerError::permanent("the channel is suspended or does not exist"))
        }
        Some("tos_ban") => Some(WorkerError::permanent("the channel was closed by Twitch")),
        Some("msg_banned") => {
            Some(WorkerError::permanent("this account is banned from the channel"))
        }
        _ => None,
    }
}
