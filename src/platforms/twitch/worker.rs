//! Reads one Twitch channel for one creator.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    Notification, TwitchPlan,
    eventsub::{self, Told},
    pool::{Delivery, Pool},
};
use crate::{
    http::Clients,
    model::{EventBody, PlatformState, SessionStart, Timestamp},
    platforms::{Ingest, Liveness, PlatformWorker, Raw, WorkerError},
};

/// Lines taken at once before the room's audience is given a turn.
const BATCH_LINES: usize = 64;
/// Things told beside chat that wait to be taken (count). When full, EventSub is not read.
const TOLD: usize = 64;
/// How often liveness is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Reads one channel until it is lost.
pub struct TwitchWorker {
    pool: Arc<Pool>,
    clients: Arc<Clients>,
    plan: TwitchPlan,
}

impl TwitchWorker {
    /// For one attempt.
    #[must_use]
    pub fn new(pool: Arc<Pool>, clients: Arc<Clients>, plan: TwitchPlan) -> Self {
        Self { pool, clients, plan }
    }
}

impl PlatformWorker for TwitchWorker {
    async fn run(self, ingest: &mut Ingest, stop: &CancellationToken) -> Result<(), WorkerError> {
        let mut subscription = self.pool.subscribe(&self.plan.login);
        let mut batch = Vec::with_capacity(BATCH_LINES);
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut liveness = Liveness::new(self.plan.quiet_seconds);
        let mut beside = Beside::default();
        let (tell, mut told) = mpsc::channel(TOLD);
        // Runs on this task, so that it ends with it.
        let eventsub = async {
            match self.plan.eventsub.clone() {
                Some(plan) => {
                    let login = Arc::clone(&self.plan.login);
                    eventsub::run(Arc::clone(&self.clients), plan, login, tell, stop.clone()).await;
                }
                None => drop(tell),
            }
            std::future::pending::<()>().await;
        };
        let mut eventsub = std::pin::pin!(eventsub);
        let mut joined = false;
        let mut unanswered = 0_u32;
        loop {
            let count = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                count = subscription.deliveries.recv_many(&mut batch, BATCH_LINES) => count,
                Some(told) = told.recv() => {
                    match told {
                        Told::Happened(it) => {
                            if let Some(start) = started(&it) {
                                ingest.accept(Raw::Event(Box::new(start)), Timestamp::now());
                            }
                            ingest.accept(Raw::TwitchEvent(it), Timestamp::now());
                        }
                        Told::Missing(what) => beside.missing = what,
                        Told::Revoked(why) => beside.revoked = Some(why),
                    }
                    if joined {
                        beside.tell(ingest, &liveness);
                    }
                    continue;
                }
                () = &mut eventsub => continue,
                _ = look.tick(), if joined => {
                    beside.tell(ingest, &liveness);
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
                        beside.tell(ingest, &liveness);
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

/// A stream that begins, if that is what happened.
fn started(it: &Notification) -> Option<EventBody> {
    let id = it.event["id"].as_str().filter(|_| it.kind == "stream.online")?;
    let session_id = format!("twitch-{id}");
    Some(EventBody::SessionStart(SessionStart { session_id, title: None }))
}

/// How what is read beside chat is doing.
#[derive(Default)]
struct Beside {
    /// What is not read; empty when all is well.
    missing: String,
    revoked: Option<String>,
}

impl Beside {
    /// Says how the channel is read.
    fn tell(&self, ingest: &mut Ingest, liveness: &Liveness) {
        if let Some(why) = &self.revoked {
            // Chat goes on; but whoever gave the token expects more.
            return ingest.status(PlatformState::Degraded, why);
        }
        match liveness.detail(ingest) {
            it if it.is_empty() => ingest.status(PlatformState::Live, &self.missing),
            it => ingest.status(PlatformState::Live, it),
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
