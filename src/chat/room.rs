//! A creator's room: where events of all platforms become one ordered feed, and who is watching.

mod audience;
mod reading;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use serde::Serialize;
use tokio::sync::{Notify, watch};

use super::{
    frame::Envelope,
    moderation::{Moderation, Reach},
    ring::{About, Entry, Ring},
    seen::Seen,
    shard::Shard,
};
use crate::{
    feed::{FeedLog, Record},
    lifecycle::Lifecycle,
    model::{
        CreatorId, EventBody, Message, OverlaySettings, Platform, PlatformStatus, QualifiedId,
        RoomState, Timestamp,
    },
    platforms::Demand,
    telemetry::{Rate, Telemetry},
};

pub use audience::{Seat, Watch};
pub use reading::{Collected, Entrance, Since};

/// What a room needs from the rest of the server.
#[derive(Clone)]
pub struct RoomParts {
    /// Where its writers run.
    pub life: Lifecycle,
    /// Where it is counted.
    pub telemetry: Telemetry,
    /// Where its events outlive the ring.
    pub log: Arc<dyn FeedLog>,
    /// Who is told how many are watching.
    pub demand: Arc<Demand>,
    /// Newest events held in memory (count).
    pub ring_events: usize,
    /// Newest ids remembered to recognise repeats (count).
    pub dedupe_ids: usize,
}

/// One creator's feed and its audience.
pub struct Room {
    id: CreatorId,
    epoch: Arc<str>,
    envelope: Envelope,
    parts: RoomParts,
    state: Mutex<State>,
    head: watch::Sender<u64>,
    /// Sockets and streams reading now.
    watchers: watch::Sender<usize>,
    messages: AtomicU64,
    relieved: Notify,
    closed: AtomicBool,
}

struct State {
    ring: Ring,
    seen: Seen,
    moderation: Moderation,
    shards: Vec<Arc<Shard>>,
    statuses: BTreeMap<(Platform, String), PlatformStatus>,
    room_states: BTreeMap<Platform, RoomState>,
    settings: Arc<OverlaySettings>,
    /// What is on the stage now.
    featured: Option<Box<Message>>,
}

/// How an event came.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// This server's clock.
    pub received_at: Timestamp,
    /// The platform's clock, where it told.
    pub sent_at: Option<Timestamp>,
    /// What identifies an event that has no id of its own, where repeats can come.
    pub key: Option<u64>,
}

impl Arrival {
    /// Made here, now.
    #[must_use]
    pub fn now() -> Self {
        Self { received_at: Timestamp::now(), sent_at: None, key: None }
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It has this place in the feed.
    At(u64),
    /// It was already there.
    Repeat,
}

/// A room as lists show it.
#[derive(Debug, Clone, Serialize)]
pub struct RoomSummary {
    /// Its name.
    pub room: CreatorId,
    /// Of its numbering.
    pub epoch: Arc<str>,
    /// The last place taken.
    pub seq: u64,
    /// Sockets and streams reading now.
    pub watchers: usize,
    /// Chat messages since the start.
    pub messages: u64,
    /// How well each channel is being read.
    pub status: Vec<PlatformStatus>,
    /// The chat's rules, where known.
    pub states: Vec<RoomState>,
}

impl Room {
    /// An empty room with a numbering of its own.
    #[must_use]
    pub fn new(id: CreatorId, settings: OverlaySettings, parts: RoomParts) -> Self {
        let epoch = ulid::Ulid::from_parts(
            Timestamp::now().unix_ms().unsigned_abs(),
            u128::from(rand::random::<u64>()) << 16 | u128::from(rand::random::<u16>()),
        );
        let epoch: Arc<str> = epoch.to_string().into();
        Self {
            envelope: Envelope::new(id.as_str(), &epoch),
            state: Mutex::new(State {
                ring: Ring::new(parts.ring_events, 0),
                seen: Seen::new(parts.dedupe_ids),
                moderation: Moderation::default(),
                shards: Vec::new(),
                statuses: BTreeMap::new(),
                room_states: BTreeMap::new(),
                settings: Arc::new(settings),
                featured: None,
            }),
            head: watch::Sender::new(0),
            watchers: watch::Sender::new(0),
            messages: AtomicU64::new(0),
            relieved: Notify::new(),
            closed: AtomicBool::new(false),
            id,
            epoch,
            parts,
        }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &CreatorId {
        &self.id
    }

    /// Of its numbering.
    #[must_use]
    pub fn epoch(&self) -> &Arc<str> {
        &self.epoch
    }

    /// The last place taken.
    #[must_use]
    pub fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// Follows the last place taken.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Where events outlive the ring.
    #[must_use]
    pub fn log(&self) -> &Arc<dyn FeedLog> {
        &self.parts.log
    }

    /// Where it is counted.
    #[must_use]
    pub fn telemetry(&self) -> &Telemetry {
        &self.parts.telemetry
    }

    /// What starts its tasks.
    #[must_use]
    pub fn life(&self) -> &Lifecycle {
        &self.parts.life
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held left the room as it was before that event.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an event the next place in the feed and everybody who reads it.
    ///
    /// A repeat of one that is there is dropped. A deletion takes the words away from what is there; a
    /// message that was deleted before it came takes its place as `chat.redacted`. Never waits.
    pub fn publish(&self, body: &EventBody, arrival: &Arrival) -> Published {
        let data = data_of(body);
        let mut state = self.state();

        let new = match (identity(body), arrival.key) {
            (Some(id), _) => state.seen.insert((body.kind(), id.as_str())),
            (None, Some(key)) => state.seen.insert((body.kind(), key)),
            (None, None) => true,
        };
        if !new {
            drop(state);
            self.parts.telemetry.meters.duplicates.increment(1);
            return Published::Repeat;
        }

        let seq = state.ring.head() + 1;
        let ts = arrival.received_at;
        if let Some(reach) = Reach::of(body) {
            state.moderation.note(body, arrival.sent_at);
            if let Some(featured) = state.featured.take() {
                state.featured = reach.censor_featured(featured);
            }
            let mut gone = Vec::new();
            state.ring.replace(|entry| {
                let body = reach.censor(entry)?;
                if let EventBody::ChatRedacted(it) = &body {
                    gone.push(it.message_id.clone());
                }
                Some(self.entry(&body, &data_of(&body), entry.seq, entry.ts))
            });
            // A purge deletes each of them: a reply that comes later must not quote them.
            state.moderation.note_deleted(&gone);
        }
        let (entry, moderated) = match state.moderation.censor(body) {
            None => (self.entry(body, &data, seq, ts), None),
            Some(shown) => {
                let original = self.envelope.frame(Some(seq), ts, body.kind(), &data).json();
                (self.entry(&shown, &data_of(&shown), seq, ts), Some(original))
            }
        };
        let record = Record {
            room: self.id.clone(),
            epoch: Arc::clone(&self.epoch),
            seq,
            ts,
            kind: entry.kind,
            json: entry.frame.json(),
            moderated,
        };
        let moderated_is_none = record.moderated.is_none();
        match body {
            EventBody::PlatformStatus(it) => {
                state.statuses.insert((it.platform, it.channel.clone()), it.clone());
            }
            EventBody::RoomState(it) => drop(state.room_states.insert(it.platform, it.clone())),
            EventBody::SettingsUpdate(it) => state.settings = Arc::new((**it).clone()),
            EventBody::FeatureShow(it) if moderated_is_none => state.featured = Some(it.clone()),
            EventBody::FeatureClear(_) => state.featured = None,
            _ => {}
        }
        state.ring.push(entry);
        // Told under the lock, so that the log has the feed's order; it never waits.
        if !self.parts.log.append(record) {
            self.parts.telemetry.meters.not_recorded.increment(1);
        }
        self.head.send_replace(seq);
        for shard in &state.shards {
            shard.wake();
        }
        drop(state);

        self.count(body);
        Published::At(seq)
    }

    fn count(&self, body: &EventBody) {
        let telemetry = &self.parts.telemetry;
        telemetry.meters.count_event(body.platform());
        if let EventBody::ChatMessage(it) = body {
            self.messages.fetch_add(1, Ordering::Relaxed);
            telemetry.rates.count(Rate::Messages, it.platform);
        }
    }

    fn entry(&self, body: &EventBody, data: &[u8], seq: u64, ts: Timestamp) -> Entry {
        let kind = body.kind();
        let about = match body {
            EventBody::ChatMessage(it) | EventBody::FeatureShow(it) => About::Words {
                id: it.id.clone(),
                author: Some(it.author.id.clone()),
                quotes: it.reply_to.as_ref().map(|it| (it.id.clone(), it.author.id.clone())),
            },
            EventBody::Activity(it) => About::Words {
                id: it.id.clone(),
                author: it.author.as_ref().map(|it| it.id.clone()),
                quotes: None,
            },
            EventBody::QueueUpdate(_) => About::Messages,
            body if body.is_deletion() => {
                About::Deletion { early: self.envelope.frame(None, ts, kind, data) }
            }
            _ => About::Nothing,
        };
        let frame = self.envelope.frame(Some(seq), ts, kind, data);
        Entry { seq, ts, kind, platform: body.platform(), frame, about }
    }

    /// Notes how well a channel is being read, and says so when that is news.
    pub fn set_status(&self, status: PlatformStatus) {
        let known = self.state().statuses.get(&(status.platform, status.channel.clone())).cloned();
        if known.as_ref() != Some(&status) {
            self.publish(&EventBody::PlatformStatus(status), &Arrival::now());
        }
    }

    /// Forgets a channel that is no longer configured.
    pub fn forget_status(&self, platform: Platform, channel: &str) {
        self.state().statuses.remove(&(platform, channel.to_owned()));
    }

    /// Changes how the room's overlays look, and tells them.
    pub fn set_settings(&self, settings: OverlaySettings) {
        if *self.settings() != settings {
            self.publish(&EventBody::SettingsUpdate(Box::new(settings)), &Arrival::now());
        }
    }

    /// How the room's overlays look.
    #[must_use]
    pub fn settings(&self) -> Arc<OverlaySettings> {
        Arc::clone(&self.state().settings)
    }

    /// The room in a line.
    #[must_use]
    pub fn summary(&self) -> RoomSummary {
        let state = self.state();
        RoomSummary {
            room: self.id.clone(),
            epoch: Arc::clone(&self.epoch),
            seq: state.ring.head(),
            watchers: *self.watchers.borrow(),
            messages: self.messages.load(Ordering::Relaxed),
            status: state.statuses.values().cloned().collect(),
            states: state.room_states.values().cloned().collect(),
        }
    }
}

/// What identifies an event: a message's or activity's own id.
fn identity(body: &EventBody) -> Option<&QualifiedId> {
    match body {
        EventBody::ChatMessage(it) => Some(&it.id),
        EventBody::Activity(it) => Some(&it.id),
        EventBody::ChatDelete(it) => Some(&it.message_id),
        EventBody::ChatRedacted(it) => Some(&it.message_id),
        _ => None,
    }
}

/// The `data` of an event, serialised.
fn data_of(body: &EventBody) -> Vec<u8> {
    let mut data = Vec::with_capacity(1024);
    let written = match body {
        EventBody::ChatMessage(it) | EventBody::FeatureShow(it) => {
            serde_json::to_writer(&mut data, it)
        }
        EventBody::ChatDelete(it) => serde_json::to_writer(&mut data, it),
        EventBody::ChatClearUser(it) => serde_json::to_writer(&mut data, it),
        EventBody::ChatClear(it) => serde_json::to_writer(&mut data, it),
        EventBody::ChatRedacted(it) => serde_json::to_writer(&mut data, it),
        EventBody::Activity(it) => serde_json::to_writer(&mut data, it),
        EventBody::RoomState(it) => serde_json::to_writer(&mut data, it),
        EventBody::PlatformStatus(it) => serde_json::to_writer(&mut data, it),
        EventBody::FeatureClear(it) => serde_json::to_writer(&mut data, it),
        EventBody::QueueUpdate(it) => serde_json::to_writer(&mut data, it),
        EventBody::PollUpdate(it) => serde_json::to_writer(&mut data, it),
        EventBody::TallyUpdate(it) => serde_json::to_writer(&mut data, it),
        EventBody::ScoreUpdate(it) => serde_json::to_writer(&mut data, it),
        EventBody::ClipUpdate(it) => serde_json::to_writer(&mut data, it),
        EventBody::SettingsUpdate(it) => serde_json::to_writer(&mut data, it),
        EventBody::SessionStart(it) => serde_json::to_writer(&mut data, it),
        EventBody::SessionEnd(it) => serde_json::to_writer(&mut data, it),
    };
    written.expect("plain values always serialise");
    data
}
