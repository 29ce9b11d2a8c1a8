//! What Twitch tells beside chat, where a token allows: follows, polls, redemptions, the stream's state.
//!
//! It runs beside the chat of the same channel and never harms it: what goes wrong here is said in the channel's
//! detail, and tried again.

mod envelope;
mod session;
mod wanted;

use std::{path::PathBuf, sync::Arc};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

pub use envelope::Notification;

use self::session::Ended;
use super::helix::{Helix, HelixError, HelixPlan};
use crate::{
    config::{Config, WsUrl},
    http::Clients,
    platforms::backoff::Backoff,
};

/// Everything it is started with.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSubPlan {
    url: WsUrl,
    ca_file: Option<PathBuf>,
    helix: HelixPlan,
}

impl EventSubPlan {
    /// With the token of the creator whose secrets end in `suffix`; `None` without one.
    #[must_use]
    pub fn new(config: &Config, suffix: &str) -> Option<Self> {
        let twitch = &config.platforms.twitch;
        let ca_file = twitch.tls_ca_file.clone().or_else(|| config.platforms.tls_ca_file.clone());
        let helix = HelixPlan::new(config, suffix)?;
        Some(Self { url: twitch.eventsub_url.clone(), ca_file, helix })
    }
}

/// What the worker beside it hears.
#[derive(Debug)]
pub(super) enum Told {
    /// Something happened.
    Happened(Box<Notification>),
    /// What is not read, for people; empty when all is well.
    Missing(String),
    /// The token was withdrawn or refused: nothing of this is read until there is another.
    Revoked(String),
}

/// Reads until `stop`, or until nobody listens.
pub(super) async fn run(
    clients: Arc<Clients>,
    plan: EventSubPlan,
    login: Arc<str>,
    tell: mpsc::Sender<Told>,
    stop: CancellationToken,
) {
    let helix = Helix::new(clients, plan.helix.clone());
    let mut backoff = Backoff::default();
    let mut failures = 0_u32;
    loop {
        let started = Instant::now();
        let session = session::run(&helix, &plan, &login, &tell);
        let ended = match stop.run_until_cancelled(Box::pin(session)).await {
            None => return,
            Some(ended) => ended,
        };
        match ended {
            // The worker is gone.
            Ended::Unheard => return,
            Ended::Revoked(reason) => {
                tracing::warn!("{reason}");
                if tell.send(Told::Revoked(reason)).await.is_ok() {
                    stop.cancelled().await;
                }
                return;
            }
            Ended::NothingToRead(reason) => {
                if tell.send(Told::Missing(reason)).await.is_ok() {
                    stop.cancelled().await;
                }
                return;
            }
            Ended::Lost(reason) => {
                failures = if started.elapsed().as_secs() >= 60 { 0 } else { failures + 1 };
                tracing::debug!(reason, "EventSub is lost for now");
                // One that comes back at once is nobody's business.
                if failures > 1
                    && tell
                        .send(Told::Missing(format!(
                            "follows and polls are not read now: {reason}"
                        )))
                        .await
                        .is_err()
                {
                    return;
                }
            }
        }
        let pause = backoff.next_delay(started.elapsed());
        if stop.run_until_cancelled(sleep(pause)).await.is_none() {
            return;
        }
    }
}

/// What a failure of the API means to a session.
fn ended_by(error: HelixError) -> Ended {
    match error {
        HelixError::Unauthorized => Ended::Revoked(error.to_string()),
        other => Ended::Lost(other.to_string()),
    }
}
