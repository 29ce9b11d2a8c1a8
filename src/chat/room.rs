//! A creator's room: where events of all platforms become one ordered feed, and who is watching.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

use super::{
    filter::Filter,
    frame::{Envelope, Frame},
    moderation::{Moderation, Reach},
    ring::{About, Entry, Ring},
    seen::Seen,
    shard::{Batch, BatchBuilder, MOST_OUTLETS, Shard},
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

/// What a reader gets next.
#[derive(Debug)]
pub enum Collected {
    /// There is nothing behind its place yet.
    Nothing,
    /// These.
    Batch(Batch),
    /// The ring no longer holds what comes next.
    Gone,
}

/// A place in a feed as a client remembers it: `epoch.seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// Of the numbering.
    pub epoch: String,
    /// The last place the client has.
    pub seq: u64,
}

impl Since {
    /// Reads `epoch.seq`; `None` when it is not of that shape.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, seq) = text.rsplit_once('.')?;
        Some(Self { epoch: epoch.to_owned(), seq: seq.parse().ok()? })
    }
}

/// How a reader begins.
#[derive(Debug)]
pub struct Entrance {
    /// The place behind which its events start.
    pub position: u64,
    /// The first frame.
    pub hello: Frame,
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

#[derive(Serialize)]
struct Hello<'a> {
    v: u8,
    #[serde(rename = "type")]
    kind: &'static str,
    room: &'a CreatorId,
    epoch: &'a str,
    seq: u64,
    recovered: bool,
    version: &'static str,
    build: &'static str,
    settings: &'a OverlaySettings,
    status: Vec<&'a PlatformStatus>,
    featured: Option<&'a Message>,
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

    /// Decides where a reader begins, and what it is told first.
    ///
    /// With a known `since` it goes on from there; otherwise it gets the newest `backlog` wanted events.
    pub async fn enter(&self, since: Option<&Since>, backlog: usize, filter: &Filter) -> Entrance {
        if let Some(since) = since.filter(|it| *it.epoch == *self.epoch) {
            let in_log = {
                let state = self.state();
                let ring = &state.ring;
                if (ring.floor()..=ring.head()).contains(&since.seq) {
                    return Entrance { position: since.seq, hello: self.hello(&state, true) };
                }
                since.seq < ring.floor()
            };
            // The ring went past it: the log may still have it.
            if in_log && self.parts.log.read(&self.id, &since.epoch, since.seq, 1).await.is_some() {
                return Entrance { position: since.seq, hello: self.hello(&self.state(), true) };
            }
        }
        let state = self.state();
        let position = state.ring.backlog_start(backlog, filter);
        Entrance { position, hello: self.hello(&state, false) }
    }

    fn hello(&self, state: &State, recovered: bool) -> Frame {
        let hello = Hello {
            v: 1,
            kind: "hello",
            room: &self.id,
            epoch: &self.epoch,
            seq: state.ring.head(),
            recovered,
            version: crate::VERSION,
            build: crate::BUILD,
            settings: &state.settings,
            status: state.statuses.values().collect(),
            featured: state.featured.as_deref(),
        };
        Frame::text(&serde_json::to_vec(&hello).expect("plain values always serialise"))
    }

    /// The unsequenced frame that tells a filtered reader how far it has come.
    #[must_use]
    pub fn position_frame(&self, position: u64) -> Frame {
        let epoch = &self.epoch;
        let json = format!(
            r#"{{"v":1,"type":"position","room":"{}","epoch":"{epoch}","seq":{position}}}"#,
            self.id
        );
        Frame::text(json.as_bytes())
    }

    /// The wanted events behind `after`, up to `until` when given, and up to about `most_bytes`.
    #[must_use]
    pub fn collect(
        &self,
        after: u64,
        until: Option<u64>,
        filter: &Filter,
        most_bytes: usize,
    ) -> Collected {
        let state = self.state();
        if after < state.ring.floor() {
            return Collected::Gone;
        }
        let until = until.unwrap_or(u64::MAX);
        let mut batch = BatchBuilder::default();
        let mut position = after;
        for entry in state.ring.behind(after).take_while(|it| it.seq <= until) {
            if filter.wants(entry.kind, entry.platform) {
                if batch.len() > 0 && batch.len() + entry.frame.wire().len() > most_bytes {
                    break;
                }
                batch.push(entry.seq, &entry.frame);
            }
            position = entry.seq;
        }
        if position == after {
            Collected::Nothing
        } else {
            Collected::Batch(batch.finish(after, position))
        }
    }

    /// Early copies of the deletions behind `after`, and how far that looked: for a reader that is
    /// behind, so that what must vanish does not wait for what came before it.
    #[must_use]
    pub fn early_deletions(&self, after: u64, filter: &Filter) -> (Vec<Frame>, u64) {
        let state = self.state();
        let early =
            state.ring.behind(after.max(state.ring.floor())).filter_map(|it| match &it.about {
                About::Deletion { early } if filter.wants(it.kind, it.platform) => {
                    Some(early.clone())
                }
                _ => None,
            });
        (early.collect(), state.ring.head())
    }

    /// The wanted events behind `after` in a range of time, at most `limit`: their JSON, and the place of
    /// the last when there may be more.
    #[must_use]
    pub fn page(
        &self,
        after: u64,
        limit: usize,
        filter: &Filter,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> (Vec<bytes::Bytes>, Option<u64>) {
        let state = self.state();
        let mut wanted = state
            .ring
            .behind(after.max(state.ring.floor()))
            .filter(|it| filter.wants(it.kind, it.platform))
            .filter(|it| from.is_none_or(|from| it.ts >= from) && to.is_none_or(|to| it.ts < to));
        let mut last = None;
        let mut events = Vec::new();
        for entry in wanted.by_ref().take(limit) {
            events.push(entry.frame.json());
            last = Some(entry.seq);
        }
        let more = wanted.next().is_some();
        (events, last.filter(|_| more))
    }

    /// A seat in a shard whose outlets want the same.
    #[must_use]
    pub fn seat(self: &Arc<Self>, filter: &Filter) -> Seat {
        let mut state = self.state();
        let free = state.shards.iter().find(|it| {
            it.filter == *filter && it.seats.load(Ordering::Relaxed) < MOST_OUTLETS as u64
        });
        let shard = match free {
            Some(shard) => Arc::clone(shard),
            None => {
                let shard = Arc::new(Shard::new(filter.clone(), state.ring.head()));
                state.shards.push(Arc::clone(&shard));
                self.parts.life.spawn(Arc::clone(&shard).write(Arc::clone(self)));
                shard
            }
        };
        shard.seats.fetch_add(1, Ordering::Relaxed);
        Seat { watch: self.watch(&mut state), shard }
    }

    /// Nothing comes any more: readers are to be told.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.head.send_modify(|_| {});
    }

    /// Whether the room was taken away.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Counts as a watcher for as long as it is kept.
    #[must_use]
    pub fn watching(self: &Arc<Self>) -> Watch {
        self.watch(&mut self.state())
    }

    /// Waits until somebody is watching.
    pub async fn watched(&self) {
        // Fails only when the room is gone, and then nobody asks.
        let _ = self.watchers.subscribe().wait_for(|it| *it > 0).await;
    }

    fn watch(self: &Arc<Self>, _ordered: &mut State) -> Watch {
        self.watchers.send_modify(|it| *it += 1);
        self.parts.demand.add_watcher(&self.id);
        Watch { room: Arc::clone(self) }
    }

    /// Whether the audience is so far behind that sources should wait; see [`Room::relieved`].
    #[must_use]
    pub fn is_pressed(&self) -> bool {
        let state = self.state();
        let slowest = state.shards.iter().map(|it| it.written.load(Ordering::Acquire)).min();
        let half = state.ring.capacity() as u64 / 2;
        slowest.is_some_and(|it| state.ring.head().saturating_sub(it) > half)
    }

    /// Waits until the audience has caught up with half of what the ring can hold. A socket that cannot
    /// take its bytes does not count: only the writers' own pace can hold a source back.
    pub async fn relieved(&self) {
        loop {
            let relieved = self.relieved.notified();
            if !self.is_pressed() {
                return;
            }
            relieved.await;
        }
    }

    /// Waits until every socket has been written everything there is now, at most `patience`: one that
    /// does not read is not waited for any longer.
    pub async fn settled(&self, patience: Duration) {
        let (head, shards) = {
            let state = self.state();
            (state.ring.head(), state.shards.clone())
        };
        let everybody = async {
            for shard in shards {
                shard.settled(head).await;
            }
        };
        // Late or not, it is time to go on.
        let _ = timeout(patience, everybody).await;
    }

    pub(super) fn relieve(&self) {
        self.relieved.notify_waiters();
    }
}

/// A reader of a room that is counted as watching.
pub struct Watch {
    room: Arc<Room>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let room = &self.room;
        // Under the lock, so that two changes reach the listeners in the order they happened.
        let _ordered = room.state();
        room.watchers.send_modify(|it| *it -= 1);
        room.parts.demand.remove_watcher(&room.id);
    }
}

/// A socket's place in the audience, given back when dropped.
pub struct Seat {
    watch: Watch,
    /// Where it sits.
    pub shard: Arc<Shard>,
}

impl Seat {
    /// The room it is in.
    #[must_use]
    pub fn room(&self) -> &Arc<Room> {
        &self.watch.room
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.watch.room.state();
        if self.shard.seats.fetch_sub(1, Ordering::Relaxed) == 1 {
            state.shards.retain(|it| !Arc::ptr_eq(it, &self.shard));
            self.shard.close();
            drop(state);
            // Whoever waited for this shard waits for nobody now.
            self.watch.room.relieve();
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
