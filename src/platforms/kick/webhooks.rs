//! Webhooks on their way to the workers: checked, told apart from repeats, delivered or sent back.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use serde_json::Value;
use tokio::{
    sync::{Mutex as AsyncMutex, mpsc},
    time::Instant,
};

use super::{
    happening::Notice,
    official::EVENTS,
    ours::{Ours, Whose},
    signature::PublicKey,
};
use crate::model::Timestamp;

/// Most webhooks that wait for a worker; the next one is sent back, and Kick repeats it later.
const QUEUE: usize = 256;
/// Largest body (bytes). A chat message has some 2 KiB; a gift names each receiver.
pub const MAX_BODY_BYTES: usize = 128 << 10;
/// Age at which a delivery is refused (ms). Kick repeats what failed for a day, and each try is signed anew or
/// not: nobody says. What is late is shown as history.
const OLDEST_MS: i64 = 26 * 3_600_000;
/// How far a delivery may be ahead of our clock (ms).
const MOST_AHEAD_MS: i64 = 10 * 60_000;
/// Most deliveries remembered; the oldest are forgotten.
const MOST_REMEMBERED: usize = 65_536;
/// For how long the next reader of a channel is waited for once the last one left (a changed configuration, a
/// restart): Kick repeats what it is told to. Not longer: Kick ends what fails for a day, and a channel may be
/// read no more.
pub(super) const AWAITED_FOR: Duration = Duration::from_secs(120);
/// Shortest time between two questions for the key: a forged signature must not make us ask each time.
const KEY_AGAIN: Duration = Duration::from_secs(30);

/// What came with a delivery.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a> {
    /// `Kick-Event-Message-Id`.
    pub id: &'a str,
    /// `Kick-Event-Subscription-Id`.
    pub subscription: &'a str,
    /// `Kick-Event-Message-Timestamp`.
    pub timestamp: &'a str,
    /// `Kick-Event-Signature`.
    pub signature: &'a str,
    /// `Kick-Event-Type`.
    pub kind: &'a str,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// A worker has it.
    Delivered,
    /// It came before.
    Repeat,
    /// Nobody reads that channel now.
    Unwanted,
}

/// Why a delivery is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// It is not of the shape of one.
    #[error("this is no webhook of Kick: {0}")]
    Malformed(&'static str),
    /// Its time is too far from now.
    #[error("the delivery is too old, or from the future")]
    Untimely,
    /// Kick did not sign it.
    #[error("the signature is wrong")]
    Forged,
    /// The key that would tell is not to be had now.
    #[error("the signature cannot be checked now")]
    NoKey,
    /// Kick signed it for somebody else's application.
    #[error("the subscription is none of ours")]
    Foreign,
    /// Those who would read it are behind.
    #[error("the channel's queue is full")]
    Busy,
    /// Those who will read it are not there yet, or it is not known yet whether it is for them.
    #[error("the channel, or its subscription, is not known yet")]
    Early,
}

/// All webhooks of a server.
#[derive(Default)]
pub struct Webhooks {
    held: Mutex<Held>,
    /// One question for the key at a time.
    asking: AsyncMutex<()>,
}

#[derive(Default)]
struct Held {
    key: Option<(PublicKey, Instant)>,
    asked: Option<Instant>,
    /// By the channel's user.
    readers: HashMap<u64, Vec<Reader>>,
    next_reader: u64,
    ours: Ours,
    /// Users whose last reader left a short while ago.
    left: HashMap<u64, Instant>,
    /// Slugs of channels that are about to be read, though the number of their user may not be known.
    expected: HashMap<String, usize>,
    seen: HashSet<String>,
    order: VecDeque<String>,
}

struct Reader {
    number: u64,
    /// The application that it has webhooks delivered by.
    client_id: String,
    sender: mpsc::Sender<Notice>,
}

/// A worker's place; given up when dropped.
pub(super) struct Registration {
    webhooks: Arc<Webhooks>,
    user_id: u64,
    client_id: String,
    reader: u64,
    queue: mpsc::Receiver<Notice>,
}

impl Registration {
    /// The next one. Safe to cancel.
    pub(super) async fn next(&mut self) -> Option<Notice> {
        self.queue.recv().await
    }

    /// One that waits.
    pub(super) fn take(&mut self) -> Option<Notice> {
        self.queue.try_recv().ok()
    }

    /// Nothing comes from now on; what waits is still there.
    pub(super) fn close(&mut self) {
        let mut held = self.webhooks.held();
        let Some(readers) = held.readers.get_mut(&self.user_id) else { return };
        readers.retain(|it| it.number != self.reader);
        let (none_left, none_of_app) =
            (readers.is_empty(), readers.iter().all(|it| it.client_id != self.client_id));
        if none_of_app {
            // The next one asks anew before anything is taken for it.
            held.ours.forget(self.user_id, &self.client_id);
        }
        if none_left {
            held.readers.remove(&self.user_id);
            held.left.retain(|_, it| it.elapsed() < AWAITED_FOR);
            held.left.insert(self.user_id, Instant::now());
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.close();
    }
}

/// Somebody is about to read a channel; until this is dropped.
pub(super) struct Expectation {
    webhooks: Arc<Webhooks>,
    slug: String,
}

impl Drop for Expectation {
    fn drop(&mut self) {
        let mut held = self.webhooks.held();
        if let Some(count) = held.expected.get_mut(&self.slug) {
            *count -= 1;
            if *count == 0 {
                held.expected.remove(&self.slug);
            }
        }
    }
}

/// A slug as it is compared: the same channel is written with `_` or with `-`.
pub(super) fn comparable(slug: &str) -> String {
    slug.to_lowercase().replace('_', "-")
}

impl Webhooks {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, what that application's subscriptions to this user's channel bring goes to whoever asked.
    pub(super) fn register(self: &Arc<Self>, user_id: u64, client_id: &str) -> Registration {
        let (sender, queue) = mpsc::channel(QUEUE);
        let mut held = self.held();
        held.next_reader += 1;
        let number = held.next_reader;
        let client_id = client_id.to_owned();
        let reader = Reader { number, client_id: client_id.clone(), sender };
        held.readers.entry(user_id).or_default().push(reader);
        Registration { webhooks: Arc::clone(self), user_id, client_id, reader: number, queue }
    }

    /// Kick told which subscriptions an application has to a channel; `all` unless it is asked for more.
    pub(super) fn know(&self, user_id: u64, client_id: &str, ids: Vec<String>, all: bool) {
        let ours = &mut self.held().ours;
        if all { ours.know(user_id, client_id, ids) } else { ours.ask(user_id, client_id, ids) }
    }

    /// From now on, what concerns a channel is sent back while nobody reads it.
    pub(super) fn expect(self: &Arc<Self>, slug: &str) -> Expectation {
        let slug = comparable(slug);
        *self.held().expected.entry(slug.clone()).or_default() += 1;
        Expectation { webhooks: Arc::clone(self), slug }
    }

    /// Takes a delivery. `ask` is asked for Kick's public key (PEM) where the known one does not do,
    /// `will_be_read` whether the channel of a user with that slug is about to be read.
    ///
    /// # Errors
    /// [`WebhookError`]: only [`WebhookError::NoKey`], [`WebhookError::Busy`] and [`WebhookError::Early`] are worth a
    /// repetition.
    pub async fn receive<F: Future<Output = Option<String>>>(
        &self,
        headers: Headers<'_>,
        body: &Bytes,
        now: Timestamp,
        ask: impl Fn() -> F,
        will_be_read: impl Fn(u64, &str) -> bool,
    ) -> Result<Received, WebhookError> {
        let malformed = WebhookError::Malformed;
        if headers.id.is_empty() || headers.id.len() > 100 {
            return Err(malformed("its id"));
        }
        // Not signed: what nobody asked for is nobody's.
        if !EVENTS.contains(&headers.kind) {
            return Err(malformed("its type"));
        }
        let sent_at = Timestamp::parse(headers.timestamp).map_err(|_| malformed("its time"))?;
        let age = now.ms_since(sent_at);
        if !(-MOST_AHEAD_MS..=OLDEST_MS).contains(&age) {
            return Err(WebhookError::Untimely);
        }
        self.check(headers, body, ask).await?;
        let value: Value = serde_json::from_slice(body).map_err(|_| malformed("its body"))?;
        let user_id = value["broadcaster"]["user_id"].as_u64();
        let slug = value["broadcaster"]["channel_slug"].as_str().unwrap_or_default().to_owned();
        let notice = Notice {
            id: headers.id.to_owned(),
            kind: headers.kind.to_owned(),
            sent_at,
            body: value,
        };
        match (self.deliver(user_id, headers.subscription, notice)?, user_id) {
            (Received::Unwanted, Some(id)) if self.awaits(id, &slug) || will_be_read(id, &slug) => {
                Err(WebhookError::Early)
            }
            (received, _) => Ok(received),
        }
    }

    /// Whether there will be a reader, as far as is known here.
    fn awaits(&self, user_id: u64, slug: &str) -> bool {
        let held = self.held();
        held.left.get(&user_id).is_some_and(|it| it.elapsed() < AWAITED_FOR)
            || held.expected.contains_key(&comparable(slug))
    }

    fn deliver(
        &self,
        user_id: Option<u64>,
        subscription: &str,
        notice: Notice,
    ) -> Result<Received, WebhookError> {
        let mut held = self.held();
        if held.seen.contains(&notice.id) {
            return Ok(Received::Repeat);
        }
        let id = user_id.unwrap_or_default();
        let readers = user_id.and_then(|it| held.readers.get(&it)).map_or(&[][..], Vec::as_slice);
        let whose = |it: &Reader| held.ours.whose(id, &it.client_id, subscription);
        let of = |wanted: Whose| readers.iter().filter(move |it| whose(it) == wanted);
        if !readers.is_empty() && of(Whose::Ours).next().is_none() {
            let unknown = of(Whose::Unknown).next().is_some();
            return Err(if unknown { WebhookError::Early } else { WebhookError::Foreign });
        }
        // All of them or none: a repetition would otherwise reach some of them twice.
        let mut places = Vec::with_capacity(readers.len());
        for Reader { sender, .. } in of(Whose::Ours) {
            match sender.try_reserve() {
                Ok(place) => places.push(place),
                Err(mpsc::error::TrySendError::Full(())) => return Err(WebhookError::Busy),
                Err(mpsc::error::TrySendError::Closed(())) => {}
            }
        }
        let wanted = !places.is_empty();
        for place in places {
            place.send(notice.clone());
        }
        if !wanted {
            return Ok(Received::Unwanted);
        }
        if held.order.len() == MOST_REMEMBERED
            && let Some(oldest) = held.order.pop_front()
        {
            held.seen.remove(&oldest);
        }
        held.order.push_back(notice.id.clone());
        held.seen.insert(notice.id);
        Ok(Received::Delivered)
    }

    /// A follow without its signature.
    #[cfg(test)]
    pub(super) fn deliver_for_tests(&self, user_id: u64, id: &str, sent_at: Timestamp) {
        let (id, kind) = (id.to_owned(), "channel.followed".to_owned());
        let notice = Notice { id, kind, sent_at, body: Value::Null };
        assert_eq!(self.deliver(Some(user_id), "sub", notice), Ok(Received::Delivered));
    }

    async fn check<F: Future<Output = Option<String>>>(
        &self,
        headers: Headers<'_>,
        body: &Bytes,
        ask: impl Fn() -> F,
    ) -> Result<(), WebhookError> {
        let Headers { id, timestamp, signature, .. } = headers;
        let verifies = |key: &PublicKey| key.verify(id, timestamp, body, signature);
        let known = self.held().key.clone();
        if known.as_ref().is_some_and(|it| verifies(&it.0)) {
            return Ok(());
        }
        // The key may have changed: asked for once more, by one of those who wait.
        let _turn = self.asking.lock().await;
        let (newer, may_ask) = {
            let held = self.held();
            let newer = held.key.clone().filter(|it| known.as_ref().map(|it| it.1) != Some(it.1));
            (newer, held.asked.is_none_or(|it| it.elapsed() >= KEY_AGAIN))
        };
        let key = match newer {
            Some((key, _)) => Some(key),
            None if may_ask => {
                let pem = ask().await;
                let key = pem.as_deref().and_then(PublicKey::from_pem);
                let mut held = self.held();
                held.asked = Some(Instant::now());
                if let Some(key) = &key {
                    held.key = Some((key.clone(), Instant::now()));
                }
                key
            }
            None => None,
        };
        match key {
            Some(key) if verifies(&key) => Ok(()),
            Some(_) => Err(WebhookError::Forged),
            None if known.is_some() => Err(WebhookError::Forged),
            None => Err(WebhookError::NoKey),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn notice(id: usize) -> Notice {
        let (id, kind) = (format!("n{id}"), "channel.followed".to_owned());
        let sent_at = Timestamp::from_unix_ms(0).unwrap();
        Notice { id, kind, sent_at, body: json!({}) }
    }

    /// A reader of whom Kick told which subscription is theirs.
    fn reader(webhooks: &Arc<Webhooks>) -> Registration {
        let reader = webhooks.register(7, "app");
        webhooks.know(7, "app", vec!["sub".to_owned()], true);
        reader
    }

    #[tokio::test]
    async fn a_full_queue_takes_nothing_and_the_repetition_is_taken() {
        let webhooks = Arc::new(Webhooks::default());
        let mut slow = reader(&webhooks);
        for id in 0..QUEUE {
            assert_eq!(webhooks.deliver(Some(7), "sub", notice(id)), Ok(Received::Delivered));
        }
        // A second reader has room; it gets all of it or nothing.
        let mut quick = reader(&webhooks);
        assert_eq!(webhooks.deliver(Some(7), "sub", notice(QUEUE)), Err(WebhookError::Busy));
        assert_eq!(quick.take(), None);
        assert_eq!(slow.next().await.unwrap().id, "n0");
        assert_eq!(webhooks.deliver(Some(7), "sub", notice(QUEUE)), Ok(Received::Delivered));
        assert_eq!(webhooks.deliver(Some(7), "sub", notice(QUEUE)), Ok(Received::Repeat));
        assert_eq!(quick.take().unwrap().id, format!("n{QUEUE}"));
        assert_eq!(quick.take(), None);
    }

    #[tokio::test]
    async fn what_nobody_wants_is_not_remembered_as_taken() {
        let webhooks = Arc::new(Webhooks::default());
        assert_eq!(webhooks.deliver(Some(7), "sub", notice(1)), Ok(Received::Unwanted));
        let mut place = reader(&webhooks);
        assert_eq!(webhooks.deliver(Some(8), "sub", notice(1)), Ok(Received::Unwanted));
        assert_eq!(webhooks.deliver(None, "sub", notice(1)), Ok(Received::Unwanted));
        assert_eq!(webhooks.deliver(Some(7), "sub", notice(1)), Ok(Received::Delivered));
        assert!(place.take().is_some());
        drop(place);
        assert_eq!(webhooks.deliver(Some(7), "sub", notice(2)), Ok(Received::Unwanted));
        assert!(webhooks.held().readers.is_empty(), "a place that is given up is gone");
    }

    /// Goal: between two readers nothing is lost; of what nobody is about to read, nothing is sent back.
    #[tokio::test(start_paused = true)]
    async fn what_is_about_to_be_read_is_awaited() {
        let webhooks = Arc::new(Webhooks::default());
        let expected = webhooks.expect("Ana_B");
        assert!(webhooks.awaits(7, "ana-b") && !webhooks.awaits(7, "bo"));
        let twice = webhooks.expect("ana-b");
        drop(expected);
        assert!(webhooks.awaits(7, "ana-b"), "somebody else expects it");
        drop(twice);
        assert!(!webhooks.awaits(7, "ana-b"));
        let mut place = reader(&webhooks);
        webhooks.deliver(Some(7), "sub", notice(1)).unwrap();
        place.close();
        assert_eq!(webhooks.deliver(Some(7), "sub", notice(2)), Ok(Received::Unwanted));
        assert!(webhooks.awaits(7, "") && !webhooks.awaits(8, ""));
        assert_eq!(place.take().unwrap().id, "n1", "what was taken is still there");
        drop(place);
        tokio::time::advance(AWAITED_FOR).await;
        assert!(!webhooks.awaits(7, ""), "not for ever");
    }

    #[tokio::test]
    async fn what_somebody_elses_subscription_brings_reaches_nobody() {
        let webhooks = Arc::new(Webhooks::default());
        let mut place = webhooks.register(7, "app");
        assert_eq!(webhooks.deliver(Some(7), "sub", notice(1)), Err(WebhookError::Early));
        webhooks.know(7, "app", Vec::new(), false);
        assert_eq!(webhooks.deliver(Some(7), "sub", notice(1)), Err(WebhookError::Early), "made");
        webhooks.know(7, "app", vec!["sub".to_owned()], true);
        assert_eq!(webhooks.deliver(Some(7), "other", notice(1)), Err(WebhookError::Foreign));
        // A second application of ours: each reader has its own copies, and no others.
        let mut second = webhooks.register(7, "second");
        assert_eq!(webhooks.deliver(Some(7), "other", notice(1)), Err(WebhookError::Early));
        webhooks.know(7, "second", vec!["other".to_owned()], true);
        assert_eq!(webhooks.deliver(Some(7), "other", notice(1)), Ok(Received::Delivered));
        assert!(second.take().is_some());
        assert_eq!(place.take(), None);
        assert_eq!(webhooks.deliver(Some(7), "sub", notice(2)), Ok(Received::Delivered));
        assert!(place.take().is_some() && second.take().is_none());
        // A reading that begins anew asks anew.
        drop(place);
        let _place = webhooks.register(7, "app");
        assert_eq!(webhooks.deliver(Some(7), "sub", notice(3)), Err(WebhookError::Early));
    }

    #[tokio::test]
    async fn a_kind_that_nobody_asked_for_is_none() {
        let webhooks = Webhooks::default();
        let now = Timestamp::from_unix_ms(1_000_000_000_000).unwrap();
        let at = now.to_string();
        let kind = "an advertisement";
        let headers =
            Headers { id: "a", timestamp: &at, signature: "bm8=", subscription: "sub", kind };
        let never = || async { panic!("asked for the key") };
        let received =
            webhooks.receive(headers, &Bytes::new(), now, never, |_, _: &str| false).await;
        assert_eq!(received, Err(WebhookError::Malformed("its type")));
    }

    /// Goal: a change of Kick's key costs no delivery, and a forgery does not make us ask again and again.
    #[tokio::test(start_paused = true)]
    async fn the_key_is_asked_for_once_more_when_it_does_not_fit() {
        const PEM: &str = include_str!("../../../tests/fixtures/kick/webhook_key.pem");
        let webhooks = Webhooks::default();
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let ask = || {
            asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            std::future::ready(Some(PEM.to_owned()))
        };
        let nobody = |_, _: &str| false;
        let count = || asked.load(std::sync::atomic::Ordering::Relaxed);
        let now = Timestamp::from_unix_ms(1_000_000_000_000).unwrap();
        let at = now.to_string();
        let forged = Headers {
            id: "a",
            timestamp: &at,
            signature: "bm8=",
            subscription: "sub",
            kind: "kicks.gifted",
        };
        let body = Bytes::from_static(b"{}");
        for expected in [1, 1, 1] {
            let refused = webhooks.receive(forged, &body, now, ask, nobody).await;
            assert_eq!((refused, count()), (Err(WebhookError::Forged), expected));
        }
        tokio::time::advance(KEY_AGAIN).await;
        let refused = webhooks.receive(forged, &body, now, ask, nobody).await;
        assert_eq!((refused, count()), (Err(WebhookError::Forged), 2));
        let keyless = Webhooks::default();
        let none = || std::future::ready(None);
        let refused = keyless.receive(forged, &body, now, none, nobody).await;
        assert_eq!(refused, Err(WebhookError::NoKey));
    }
}
