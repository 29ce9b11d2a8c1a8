//! One session of the socket, over as many sockets as Twitch moves it to.

use std::{
    collections::{HashSet, VecDeque},
    future::Future,
    pin::Pin,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{
    EventSubPlan, Told, ended_by,
    envelope::{self, Said},
    wanted,
};
use crate::{
    model::Timestamp,
    platforms::{
        WorkerError,
        socket::{Frame, Socket},
        twitch::helix::{Helix, HelixError},
    },
};

/// Longest wait for the welcome.
const WELCOME: Duration = Duration::from_secs(10);
/// What is allowed beyond the time within which Twitch promises a sign of life.
const SLACK: Duration = Duration::from_secs(2);
/// Ids remembered to recognise what is delivered twice (count).
const REMEMBERED: usize = 1_024;
/// Older messages are replayed by somebody, or were long under way: Twitch asks to drop them (ms).
const OLDEST_MS: i64 = 10 * 60_000;

/// Why a session ended.
pub(super) enum Ended {
    /// The worker listens no more.
    Unheard,
    /// The token is no longer good.
    Revoked(String),
    /// The token allows nothing that could be read here.
    NothingToRead(String),
    /// Again after a pause.
    Lost(String),
}

impl From<WorkerError> for Ended {
    fn from(error: WorkerError) -> Self {
        Self::Lost(error.to_string())
    }
}

/// A socket that has been welcomed.
struct Welcomed {
    socket: Socket,
    session_id: String,
    keepalive: Duration,
}

type Move<'a> = Pin<Box<dyn Future<Output = Result<Welcomed, WorkerError>> + Send + 'a>>;

/// Connects, asks for everything the token allows, and tells what happens.
pub(super) async fn run(
    helix: &Helix,
    plan: &EventSubPlan,
    login: &str,
    tell: &mpsc::Sender<Told>,
) -> Ended {
    match attempt(helix, plan, login, tell).await {
        Ok(never) => match never {},
        Err(ended) => ended,
    }
}

enum Never {}

async fn attempt(
    helix: &Helix,
    plan: &EventSubPlan,
    login: &str,
    tell: &mpsc::Sender<Told>,
) -> Result<Never, Ended> {
    // Asked anew each time: the reason for a lost session may be that the token is no longer good.
    let account = helix.ask_who().await.map_err(ended_by)?;
    let broadcaster = helix.find_user(login).await.map_err(ended_by)?;
    let broadcaster = broadcaster
        .ok_or_else(|| Ended::NothingToRead(format!("Twitch knows no channel `{login}`")))?;
    let mut welcomed = welcome(plan.url.as_str(), plan).await?;
    let (subscriptions, mut missing) = wanted::list(&account, &broadcaster);
    let mut made = 0;
    for it in &subscriptions {
        let asked = helix.subscribe(it.name, it.version, &it.condition, &welcomed.session_id).await;
        match asked {
            Ok(()) => made += 1,
            Err(HelixError::Refused { status: 400 | 403, .. }) => {
                // Not this channel's owner, or not its moderator.
                if !missing.contains(&it.words) && it.words != "raids" {
                    missing.push(it.words);
                }
            }
            Err(error) => return Err(ended_by(error)),
        }
    }
    if account.user_id != broadcaster {
        // A bot's token: what only the owner may read is not missed.
        missing.clear();
    }
    let note = match missing.as_slice() {
        [] => String::new(),
        _ => format!("the token does not allow to read {}", missing.join(", ")),
    };
    if made == 0 {
        return Err(Ended::NothingToRead(note));
    }
    if tell.send(Told::Missing(note)).await.is_err() {
        return Err(Ended::Unheard);
    }

    let mut seen = Seen::default();
    let mut moving: Option<Move<'_>> = None;
    let mut heard = Instant::now();
    loop {
        let dead = heard + welcomed.keepalive + SLACK;
        let frame = tokio::select! {
            moved = async { moving.as_mut().expect("guarded").await }, if moving.is_some() => {
                moving = None;
                let Ok(moved) = moved else {
                    // The old one is good until Twitch closes it.
                    continue;
                };
                let mut old = std::mem::replace(&mut welcomed, moved);
                heard = Instant::now();
                // What waits on the old one is read before it goes.
                while let Ok(Ok(Frame::Text(text))) =
                    timeout(Duration::from_millis(50), old.socket.next()).await
                {
                    if let Some(Said::Happened(it)) = envelope::read(&text)
                        && seen.insert(&it.message_id)
                        && tell.send(Told::Happened(it)).await.is_err()
                    {
                        return Err(Ended::Unheard);
                    }
                }
                old.socket.close().await;
                continue;
            }
            frame = welcomed.socket.next() => match frame {
                Ok(frame) => frame,
                // The old socket may go before the new one is there.
                Err(_) if moving.is_some() => Frame::Closed { code: 4004, reason: String::new() },
                Err(error) => return Err(error.into()),
            },
            () = sleep_until(dead) => {
                return Err(Ended::Lost("Twitch's socket gives no sign of life".to_owned()));
            }
        };
        heard = Instant::now();
        let text = match frame {
            Frame::Text(text) => text,
            Frame::Alive => continue,
            Frame::Closed { code, .. } => match moving.take() {
                Some(moved) => {
                    welcomed = moved.await?;
                    continue;
                }
                None => return Err(Ended::Lost(format!("Twitch closed the socket ({code})"))),
            },
        };
        match envelope::read(&text) {
            Some(Said::Happened(it)) => {
                let old = it.sent_at.is_some_and(|at| Timestamp::now().ms_since(at) > OLDEST_MS);
                if old || !seen.insert(&it.message_id) {
                    continue;
                }
                if tell.send(Told::Happened(it)).await.is_err() {
                    return Err(Ended::Unheard);
                }
            }
            Some(Said::Reconnect { url }) => {
                moving = Some(Box::pin(async move { welcome(&url, plan).await }));
            }
            Some(Said::Revoked { kind, status }) => {
                let reason = format!("Twitch no longer tells of {kind}: {status}");
                if matches!(status.as_str(), "authorization_revoked" | "user_removed") {
                    return Err(Ended::Revoked(format!(
                        "the token was withdrawn ({status}): get a new one for TWITCH_OAUTH_TOKEN_…"
                    )));
                }
                if tell.send(Told::Missing(reason)).await.is_err() {
                    return Err(Ended::Unheard);
                }
            }
            Some(Said::KeepAlive | Said::Welcome { .. } | Said::Unknown) | None => {}
        }
    }
}

async fn welcome(url: &str, plan: &EventSubPlan) -> Result<Welcomed, WorkerError> {
    let mut socket = Socket::connect(url, &[], plan.ca_file.as_deref()).await?;
    let greeting = async {
        loop {
            match socket.next().await? {
                Frame::Text(text) => {
                    if let Some(Said::Welcome { session_id, keepalive_seconds }) =
                        envelope::read(&text)
                    {
                        let keepalive = Duration::from_secs(keepalive_seconds.clamp(1, 600));
                        return Ok((session_id, keepalive));
                    }
                }
                Frame::Alive => {}
                Frame::Closed { code, .. } => {
                    return Err(WorkerError::transient(format!(
                        "Twitch closed the socket ({code}) before its welcome"
                    )));
                }
            }
        }
    };
    let (session_id, keepalive) = timeout(WELCOME, greeting)
        .await
        .unwrap_or_else(|_| Err(WorkerError::transient("Twitch's socket gives no welcome")))?;
    Ok(Welcomed { socket, session_id, keepalive })
}

/// What came already.
#[derive(Default)]
struct Seen {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    fn insert(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}
