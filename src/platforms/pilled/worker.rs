//! Watches whether a channel is live.

use std::{sync::Arc, time::Duration};

use rand::RngExt;
use reqwest::Client;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{
    Pilled, PilledPlan,
    api::{self, Found, Show, User},
    socket_io::{self, Packet},
};
use crate::{
    model::{EventBody, Platform, PlatformState, SessionStart, Timestamp},
    platforms::{Ingest, PlatformWorker, Raw, WorkerError, socket, socket::Socket},
};

/// Kept over restarts: the number of the user.
const USER: &str = "user";
/// The plain words for what cannot be done.
const NOT_READ: &str = "Pilled's chat protocol is not public, so its chat is not read";

/// Watches one channel.
pub struct PilledWorker {
    pilled: Arc<Pilled>,
    plan: PilledPlan,
}

impl PilledWorker {
    /// For one attempt.
    #[must_use]
    pub fn new(pilled: Arc<Pilled>, plan: PilledPlan) -> Self {
        Self { pilled, plan }
    }

    async fn look(&self, client: &Client) -> Result<Found, WorkerError> {
        let (api_url, channel) = (self.plan.config.api_url.as_str(), &*self.plan.channel);
        let found = self.pilled.streamers.find(client, api_url, channel).await;
        if matches!(found, Ok(Found::Live(_))) {
            return found;
        }
        let memory = &self.pilled.shared.memory;
        let known = memory.find(Platform::Pilled, channel, USER).and_then(|it| it.parse().ok());
        let user = match known {
            Some(user) => user,
            // Asked once: whether the name is right.
            None => match api::find_user(client, api_url, channel).await {
                Ok(User::Known(user)) => {
                    memory.remember(Platform::Pilled, channel, USER, &user.to_string());
                    user
                }
                // Without the list there is no telling: Pilled may be in trouble as a whole.
                Ok(User::Nobody) => return found.map(|_| Found::Nobody),
                Ok(User::Unclear) | Err(_) => return found,
            },
        };
        match found {
            Ok(found) => Ok(found),
            // The channel's own topics tell as well.
            Err(error) => api::find_topic(client, api_url, user).await.map_err(|_| error),
        }
    }

    /// Time to the next look, jittered: a thousand channels do not ask at once.
    fn pause(&self) -> Duration {
        let seconds = f64::from(self.plan.config.offline_seconds);
        Duration::from_secs_f64(seconds * rand::rng().random_range(0.8..=1.2))
    }

    /// Opens the chat's socket until the next look, and counts what comes; answers what is to be said of it.
    async fn listen(&self, until: Instant) -> String {
        let url = format!(
            "{}/socket.io/?EIO=4&transport=websocket",
            self.plan.config.socket_url.as_str()
        );
        let connected =
            timeout_at(until, Socket::connect(&url, &[], self.plan.way.ca_file.as_deref()));
        let mut socket = match connected.await {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => return error.to_string(),
            Err(_) => return "the socket cannot be opened: no answer in time".to_owned(),
        };
        let mut events = 0;
        let mut longest = Duration::from_secs(20);
        loop {
            let deadline = until.min(Instant::now() + longest);
            let frame = match timeout_at(deadline, socket.next()).await {
                Ok(Ok(frame)) => frame,
                Ok(Err(error)) => return error.to_string(),
                Err(_) if Instant::now() >= until => break,
                Err(_) => return "no sign of life from the socket".to_owned(),
            };
            let socket::Frame::Text(text) = frame else {
                if matches!(frame, socket::Frame::Closed { .. }) {
                    return "the socket was closed".to_owned();
                }
                continue;
            };
            let answer = match socket_io::read(&text) {
                Packet::Open(silence) => {
                    longest = silence;
                    Some(socket_io::JOIN)
                }
                Packet::Ping => Some(socket_io::PONG),
                Packet::Event(kind) => {
                    let telemetry = &self.pilled.shared.telemetry;
                    telemetry.meters.count_line(Platform::Pilled);
                    events = self.pilled.ring.note(&kind, &text, &self.plan.channel, telemetry);
                    None
                }
                Packet::Closed => return "the socket was closed".to_owned(),
                Packet::Joined | Packet::Other => None,
            };
            if let Some(answer) = answer
                && let Err(error) = socket.send(answer).await
            {
                return error.to_string();
            }
        }
        socket.close().await;
        format!("{events} events were counted")
    }
}

impl PlatformWorker for PilledWorker {
    async fn run(self, ingest: &mut Ingest, stop: &CancellationToken) -> Result<(), WorkerError> {
        let client = self.pilled.shared.clients.client(&self.plan.way).await?;
        let mut was_live: Option<bool> = None;
        let mut experiment = String::new();
        loop {
            let Some(found) = stop.run_until_cancelled(self.look(&client)).await else {
                return Ok(());
            };
            let live = match found? {
                Found::Nobody => {
                    return Err(WorkerError::permanent(format!(
                        "there is no channel `{}` on Pilled",
                        self.plan.channel
                    )));
                }
                Found::NotLive => {
                    ingest.viewers(None);
                    ingest.status(PlatformState::Offline, "not live");
                    false
                }
                Found::Live(show) => {
                    // Seen to begin: one that ran already when the watching began may be an old one.
                    if was_live == Some(false) {
                        ingest.accept(begins(&show), Timestamp::now());
                    }
                    ingest.viewers(show.viewers);
                    ingest.status(PlatformState::Degraded, detail(&show, &experiment));
                    true
                }
            };
            was_live = Some(live);
            let next = Instant::now() + self.pause();
            if live && self.plan.config.experimental_socket {
                match stop.run_until_cancelled(Box::pin(self.listen(next))).await {
                    Some(said) => experiment = said,
                    None => return Ok(()),
                }
            }
            if stop.run_until_cancelled(sleep_until(next)).await.is_none() {
                return Ok(());
            }
        }
    }
}

fn begins(show: &Show) -> Raw {
    let session_id = format!("pilled-{}", show.topic);
    Raw::Event(Box::new(EventBody::SessionStart(SessionStart {
        session_id,
        title: show.title.clone(),
    })))
}

fn detail(show: &Show, experiment: &str) -> String {
    let watching = match show.viewers {
        Some(1) => "live with 1 viewer; ".to_owned(),
        Some(count) => format!("live with {count} viewers; "),
        None => "live; ".to_owned(),
    };
    let experiment = match experiment {
        "" => String::new(),
        said => format!(" (experimental socket: {said})"),
    };
    format!("{watching}{NOT_READ}{experiment}")
}
