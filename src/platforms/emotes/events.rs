//! 7TV's socket: what changes in a set is shown within a second.
//!
//! Source: the project's own description of its EventAPI, v3.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use rand::RngExt;
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::list::{Named, SeventvActive};
use crate::{
    config::Config,
    platforms::{
        WorkerError,
        backoff::Backoff,
        socket::{Frame, Socket},
    },
};

/// Subscriptions of a socket when it does not say how many it takes (count).
const SUBSCRIPTION_LIMIT: usize = 500;
/// Time between two heartbeats when the socket does not say.
const HEARTBEAT: Duration = Duration::from_secs(45);
/// Heartbeats missed after which the socket counts as dead.
const MISSED: u32 = 3;
/// Wait after the socket was closed for maintenance, at least.
const MAINTENANCE: Duration = Duration::from_secs(300);
/// Wait after a close that says we did wrong, or too much.
const LONG: Duration = Duration::from_secs(900);

/// What the socket is to tell of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) sets: BTreeSet<String>,
    pub(super) users: BTreeSet<String>,
}

impl Wanted {
    fn subscriptions(&self) -> BTreeSet<(&'static str, String)> {
        let sets = self.sets.iter().map(|it| ("emote_set.update", it.clone()));
        let users = self.users.iter().map(|it| ("user.update", it.clone()));
        sets.chain(users).collect()
    }
}

/// What it told.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// Emotes came into a set, left it, or got another name.
    Set {
        id: String,
        /// By id.
        pulled: BTreeSet<String>,
        pushed: Vec<Named>,
    },
    /// Somebody chose another set.
    User { id: String },
    /// Something may have been missed.
    Reconnected,
}

/// How a socket ended, and how long to wait.
enum Ended {
    Stopped,
    Again,
    AfterPause(Duration),
}

/// Listens while something is wanted, until `stop`.
///
/// What one socket does not take (7TV allows some hundred subscriptions) is compared every few minutes alone.
pub(super) async fn listen(
    mut config: watch::Receiver<Arc<Config>>,
    mut wanted: watch::Receiver<Wanted>,
    tell: mpsc::Sender<Change>,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::default();
    let mut before = false;
    while !stop.is_cancelled() {
        let nothing = wanted.borrow_and_update().subscriptions().is_empty();
        if nothing || !config.borrow_and_update().platforms.emotes.enabled {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = wanted.changed() => if changed.is_err() { return },
                changed = config.changed() => if changed.is_err() { return },
            }
            continue;
        }
        let started = Instant::now();
        let platforms = config.borrow().platforms.clone();
        let url = platforms.emotes.seventv_events_url.as_str();
        let session = Session { wanted: &mut wanted, tell: &tell, stop: &stop };
        let ended = match Socket::connect(url, &[], platforms.tls_ca_file.as_deref()).await {
            Ok(socket) => session.run(socket, before).await,
            Err(error) => Err(error),
        };
        before = true;
        let pause = match ended {
            Ok(Ended::Stopped) => return,
            Ok(Ended::Again) => backoff.next_delay(started.elapsed()),
            Ok(Ended::AfterPause(least)) => least.mul_f64(rand::rng().random_range(1.0..1.5)),
            Err(error) => {
                tracing::debug!(%error, "7TV's socket is lost; its lists are compared instead");
                backoff.next_delay(started.elapsed())
            }
        };
        stop.run_until_cancelled(sleep(pause)).await;
    }
}

struct Session<'a> {
    wanted: &'a mut watch::Receiver<Wanted>,
    tell: &'a mpsc::Sender<Change>,
    stop: &'a CancellationToken,
}

impl Session<'_> {
    async fn run(self, mut socket: Socket, again: bool) -> Result<Ended, WorkerError> {
        let mut heartbeat = HEARTBEAT;
        let mut limit = SUBSCRIPTION_LIMIT;
        let mut greeted = false;
        let mut subscribed = BTreeSet::new();
        let mut heard = Instant::now();
        loop {
            let dead = heard + heartbeat * MISSED;
            let frame = tokio::select! {
                () = self.stop.cancelled() => {
                    socket.close().await;
                    return Ok(Ended::Stopped);
                }
                () = sleep_until(dead) => {
                    return Err(WorkerError::transient("no heartbeat"));
                }
                changed = self.wanted.changed(), if greeted => {
                    if changed.is_err() {
                        return Ok(Ended::Stopped);
                    }
                    self.subscribe(&mut socket, &mut subscribed, limit).await?;
                    continue;
                }
                frame = socket.next() => frame?,
            };
            heard = Instant::now();
            let text = match frame {
                Frame::Text(text) => text,
                Frame::Alive => continue,
                Frame::Closed { code, .. } => return Ok(after_close(code)),
            };
            let Ok(message) = serde_json::from_str::<Value>(&text) else { continue };
            let data = &message["d"];
            match message["op"].as_u64() {
                Some(1) => {
                    greeted = true;
                    if let Some(ms) = data["heartbeat_interval"].as_u64() {
                        heartbeat = Duration::from_millis(ms.clamp(500, 600_000));
                    }
                    if let Some(most) = data["subscription_limit"].as_u64() {
                        limit = usize::try_from(most).unwrap_or(SUBSCRIPTION_LIMIT);
                    }
                    self.subscribe(&mut socket, &mut subscribed, limit).await?;
                    if again && self.tell.send(Change::Reconnected).await.is_err() {
                        return Ok(Ended::Stopped);
                    }
                }
                Some(0) => {
                    if let Some(change) = read(data)
                        && self.tell.send(change).await.is_err()
                    {
                        return Ok(Ended::Stopped);
                    }
                }
                Some(4) => return Ok(Ended::Again),
                Some(7) => return Ok(after_close(code_of(data))),
                _ => {}
            }
        }
    }

    /// Asks for what is new, and lets go of what is no longer wanted.
    async fn subscribe(
        &self,
        socket: &mut Socket,
        subscribed: &mut BTreeSet<(&'static str, String)>,
        limit: usize,
    ) -> Result<(), WorkerError> {
        let mut wanted = self.wanted.borrow().subscriptions();
        while wanted.len() > limit {
            wanted.pop_last();
        }
        let command = |op: u32, (kind, id): &(&'static str, String)| {
            json!({"op": op, "d": {"type": kind, "condition": {"object_id": id}}}).to_string()
        };
        for gone in subscribed.difference(&wanted).cloned().collect::<Vec<_>>() {
            socket.send(command(36, &gone)).await?;
        }
        for new in wanted.difference(subscribed) {
            socket.send(command(35, new)).await?;
        }
        *subscribed = wanted;
        Ok(())
    }
}

fn code_of(data: &Value) -> u16 {
    data["code"].as_u64().and_then(|it| u16::try_from(it).ok()).unwrap_or(0)
}

fn after_close(code: u16) -> Ended {
    match code {
        4007 => Ended::AfterPause(MAINTENANCE),
        // Too much, or something we should not do: again only after a long while.
        4001..=4005 | 4009..=4011 => {
            tracing::warn!(code, "7TV closed its socket; its lists are compared instead");
            Ended::AfterPause(LONG)
        }
        _ => Ended::Again,
    }
}

/// What a dispatch means to the lists.
fn read(data: &Value) -> Option<Change> {
    let body = &data["body"];
    let id = body["id"].as_str()?.to_owned();
    match data["type"].as_str()? {
        "emote_set.update" => {
            let entries = |key: &str| body[key].as_array().cloned().unwrap_or_default();
            let mut pulled: BTreeSet<String> = BTreeSet::new();
            let mut pushed = Vec::new();
            let is_emote = |it: &&Value| it["key"] == "emotes";
            let old_id = |it: &Value| it["old_value"]["id"].as_str().map(str::to_owned);
            for entry in entries("pulled").iter().filter(is_emote) {
                pulled.extend(old_id(entry));
            }
            for entry in entries("updated").iter().chain(&entries("pushed")).filter(is_emote) {
                // A rename: its old name goes with its id.
                pulled.extend(old_id(entry));
                let active = serde_json::from_value::<SeventvActive>(entry["value"].clone());
                pushed.extend(active.ok().and_then(|it| it.named()));
            }
            (!pulled.is_empty() || !pushed.is_empty()).then_some(Change::Set { id, pulled, pushed })
        }
        "user.update" => {
            let sets = |it: &Value| it["key"] == "emote_set" || it["key"] == "emote_set_id";
            let connections =
                body["updated"].as_array()?.iter().filter(|it| it["key"] == "connections");
            let mut nested = connections.filter_map(|it| it["value"].as_array()).flatten();
            nested.any(sets).then_some(Change::User { id })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value: Value, old: Value) -> Value {
        json!({"key": "emotes", "index": 0, "value": value, "old_value": old})
    }

    fn active(id: &str, name: &str) -> Value {
        json!({"id": id, "name": name, "data": {"host": {"url": "//cdn.7tv.app/emote/x", "files": []}}})
    }

    #[test]
    fn what_comes_goes_and_is_renamed_is_read() {
        let data = json!({"type": "emote_set.update", "body": {"id": "s1",
            "pulled": [entry(Value::Null, active("a", "A"))],
            "pushed": [entry(active("b", "B"), Value::Null)],
            "updated": [entry(active("c", "New"), active("c", "Old")), json!({"key": "name", "value": "x"})]}});
        let Some(Change::Set { id, pulled, pushed }) = read(&data) else { panic!("a change") };
        assert_eq!(id, "s1");
        assert_eq!(pulled, BTreeSet::from(["a".to_owned(), "c".to_owned()]));
        assert_eq!(pushed.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["New", "B"]);
        for nothing in [json!({}), json!({"type": "emote_set.update", "body": {"id": "s1"}})] {
            assert_eq!(read(&nothing), None);
        }
    }

    #[test]
    #[allow(clippy::print_stderr)] // Says that it was skipped.
    fn the_recorded_change_of_a_set_is_understood() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(
            "../shared/captures/emotes/7tv-events/dispatch-user-update-set-changed--chatterino.json",
        );
        let Ok(text) = std::fs::read(&path) else {
            eprintln!("skipped: no {}", path.display());
            return;
        };
        let message: Value = serde_json::from_slice(&text).unwrap();
        let id = message["d"]["body"]["id"].as_str().unwrap().to_owned();
        assert_eq!(read(&message["d"]), Some(Change::User { id }));
    }
}
