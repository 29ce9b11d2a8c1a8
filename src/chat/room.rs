//! A creator's room: where events of all platforms become one ordered feed, and who is watching.

mod audience;
mod memory;
mod queue;
mod reading;
mod stage;
mod stream;

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::{Notify, OnceCell, watch};

use super::{
    boards::Shown,
    frame::Frame,
    moderation::{Moderation, Reach},
    ring::{About, Entry, Mention, Ring},
    seen::Seen,
    shard::Shard,
};
use crate::{
    feed::{Deletion, FeedLog, Hidden, Record, RoomLog, Wording, envelope::Envelope, new_epoch},
    lifecycle::Lifecycle,
    model::{
        ChatDelete, CreatorId, Event, EventBody, Message, OverlaySettings, Platform,
        PlatformStatus, QualifiedId, QueueUpdate, RoomState, Timestamp,
    },
    platforms::Demand,
    telemetry::{Rate, Telemetry},
};

pub use audience::{Seat, Watch};
use queue::Queue;
pub use reading::{Collected, Entrance, Since};
pub use stage::{Found, MOST_QUEUED, Queued};
use stream::Stream;

/// What a room needs from the rest of the server.
#[derive(Clone)]
pub struct RoomParts {
    /// Where its writers run.
    pub life: Lifecycle,
    /// Where it is counted.
    pub telemetry: Telemetry,
    /// Where events outlive the ring.
    pub log: FeedLog,
    /// Who is told how many are watching.
    pub demand: Arc<Demand>,
    /// Newest events held in memory (count).
    pub ring_events: usize,
    /// Newest ids remembered to recognise repeats (count).
    pub dedupe_ids: usize,
    /// Silence after which what comes is another stream session (min).
    pub idle_minutes: u32,
}

/// Why a room is no longer read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It was taken away.
    Gone,
    /// Another of the same name is in its place.
    Reopened,
}

/// One creator's feed and its audience.
pub struct Room {
    id: CreatorId,
    epoch: Arc<str>,
    envelope: Envelope,
    log: RoomLog,
    parts: RoomParts,
    /// What the log remembers was taken in.
    recalled: OnceCell<()>,
    /// So was what is featured, and the queue.
    stage_recalled: OnceCell<()>,
    state: Mutex<State>,
    head: watch::Sender<u64>,
    /// Sockets and streams reading now.
    watchers: watch::Sender<usize>,
    messages: AtomicU64,
    relieved: Notify,
    /// 0 while it is open; then why it is not.
    closed: AtomicU8,
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
    /// It is known: told by the log, or something was put there or taken away since this room was opened.
    stage_known: bool,
    /// Polls, tallies and scoreboards as they are now.
    boards: Shown,
    /// What is marked for discussion, next first.
    queue: Queue,
    /// So is this.
    queue_known: bool,
    /// A deletion took something out of it, and that has not been said yet.
    queue_cut: bool,
    /// That it was full when a paid message came has been said.
    queue_full_told: bool,
    stream: Stream,
    /// The newest event's time: another worker's clock may have been read a moment earlier.
    last_ts: Option<Timestamp>,
}

/// Age from which a purge is late: its viewer may have come back and written since (ms).
const LATE_MS: i64 = 60_000;
/// Disorder of two readings of the clock that is put right (ms). More is a clock that was set.
const CLOCK_DISORDER_MS: i64 = 2_000;

impl State {
    /// The time of an event that was received at `received_at`: in the feed's order it does not go back for
    /// moments, only when the clock was set.
    fn time_of(&self, received_at: Timestamp) -> Timestamp {
        match self.last_ts {
            Some(last) if (0..CLOCK_DISORDER_MS).contains(&last.ms_since(received_at)) => last,
            _ => received_at,
        }
    }
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// It has this place in the feed.
    At(u64),
    /// It has this place in the feed, and was deleted before it came: nobody reads it.
    Hidden(u64),
    /// It was already there.
    Repeat,
    /// A purge that came late: what the ring holds of it was told as deletions. What is older is hidden, and screens
    /// that still show it are told by [`Room::tell_purged`].
    Purged(LatePurge),
}

/// Whose words of before the ring a late purge took away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatePurge {
    author: QualifiedId,
    platform: Platform,
    /// The oldest place of the ring.
    before: u64,
}

/// A room as lists show it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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
    /// A room that goes on where its log ends; without a log, one with a numbering of its own.
    #[must_use]
    pub fn new(id: CreatorId, settings: OverlaySettings, log: RoomLog, parts: RoomParts) -> Self {
        let epoch = log.epoch().unwrap_or_else(|| new_epoch().into());
        let head = log.head();
        Self {
            envelope: Envelope::new(id.as_str(), &epoch),
            state: Mutex::new(State {
                ring: Ring::new(parts.ring_events, head),
                seen: Seen::new(parts.dedupe_ids),
                moderation: Moderation::default(),
                shards: Vec::new(),
                statuses: BTreeMap::new(),
                room_states: BTreeMap::new(),
                settings: Arc::new(settings),
                featured: None,
                stage_known: false,
                boards: Shown::default(),
                queue: Queue::default(),
                queue_known: false,
                queue_cut: false,
                queue_full_told: false,
                stream: Stream::new(log.open_session(), parts.idle_minutes),
                last_ts: log.last_at(),
            }),
            head: watch::Sender::new(head),
            watchers: watch::Sender::new(0),
            messages: AtomicU64::new(0),
            relieved: Notify::new(),
            closed: AtomicU8::new(0),
            recalled: OnceCell::new(),
            stage_recalled: OnceCell::new(),
            id,
            epoch,
            log,
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
    pub fn log(&self) -> &RoomLog {
        &self.log
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
    /// message that was deleted before it came takes its place as `chat.redacted`. What is said after a
    /// silence comes behind the start of a stream session. Never waits.
    pub fn publish(&self, body: &EventBody, arrival: &Arrival) -> Published {
        if let Some((of_before, purge)) = self.late_purge(body, arrival) {
            for it in of_before {
                self.publish(&EventBody::ChatDelete(it), arrival);
            }
            return Published::Purged(purge);
        }
        let data = body.data_json();
        let mut state = self.state();

        let new = match (body.identity(), arrival.key) {
            (Some(id), _) => state.seen.insert(id.platform(), (body.kind(), id.as_str())),
            (None, Some(key)) => state.seen.insert(body.platform(), (body.kind(), key)),
            (None, None) => !state.stream.is_repeat(body),
        };
        if !new {
            drop(state);
            self.parts.telemetry.meters.duplicates.increment(1);
            return Published::Repeat;
        }
        let ts = state.time_of(arrival.received_at);
        for said in state.stream.before(body, ts) {
            self.push(&mut state, &said, said.data_json(), ts, None);
        }
        let (seq, is_hidden) = self.push(&mut state, body, data, ts, arrival.sent_at);
        let shorter = std::mem::take(&mut state.queue_cut).then(|| {
            let items = state.queue.to_vec();
            EventBody::QueueUpdate(QueueUpdate { items })
        });
        if let Some(queue) = &shorter {
            self.push(&mut state, queue, queue.data_json(), ts, None);
        }
        for shard in &state.shards {
            shard.wake();
        }
        drop(state);

        self.count(body);
        shorter.iter().for_each(|it| self.count(it));
        if is_hidden { Published::Hidden(seq) } else { Published::At(seq) }
    }

    /// The deletions that a purge amounts to which came late, when its viewer has written since: what was written
    /// after it is none of its business. `None` for everything else.
    fn late_purge(
        &self,
        body: &EventBody,
        arrival: &Arrival,
    ) -> Option<(Vec<ChatDelete>, LatePurge)> {
        let EventBody::ChatClearUser(purge) = body else { return None };
        let at = arrival.sent_at.filter(|it| arrival.received_at.ms_since(*it) > LATE_MS)?;
        let mut state = self.state();
        let mut before = Vec::new();
        let mut since = None;
        let of_items = |items: &[Message], before: &mut Vec<QualifiedId>| {
            let theirs = items.iter().filter(|it| it.author.id == purge.author_id);
            before.extend(theirs.filter(|it| it.sent_at <= at).map(|it| it.id.clone()));
        };
        // The stage holds what may be older than the ring.
        of_items(&state.queue, &mut before);
        of_items(state.featured.as_deref().map_or(&[], std::slice::from_ref), &mut before);
        for entry in state.ring.behind(state.ring.floor()) {
            let wording = match &entry.about {
                About::Words(wording) => wording,
                About::Messages(mentions) => {
                    if !mentions.iter().any(|it| it.is_by(&purge.author_id)) {
                        continue;
                    }
                    let event =
                        serde_json::from_slice(&entry.frame.json()).map(|it: Event| it.body);
                    if let Ok(EventBody::QueueUpdate(it)) = event {
                        of_items(&it.items, &mut before);
                    }
                    continue;
                }
                About::Nothing | About::Deletion { .. } => continue,
            };
            if wording.author.as_ref() != Some(&purge.author_id) {
                continue;
            }
            // By the platform's clock, which only the event itself tells; a purge that comes late is rare.
            let said_at = match serde_json::from_slice(&entry.frame.json()).map(|it: Event| it.body)
            {
                Ok(EventBody::ChatMessage(it) | EventBody::FeatureShow(it)) => it.sent_at,
                Ok(EventBody::Activity(it)) => it.sent_at.unwrap_or(entry.ts),
                _ => continue,
            };
            if said_at <= at {
                before.push(wording.id.clone());
            } else if entry.kind != "feature.show" {
                since.get_or_insert(entry.seq);
            }
        }
        let since = since?;
        state.moderation.note(body, Some(at));
        // What is older than the ring is the log's alone.
        self.log.hide_before(Deletion::Author(purge.author_id.clone()), since, at);
        let mut told = HashSet::new();
        before.retain(|it| told.insert(it.clone()));
        let (platform, author) = (purge.platform, &purge.author_id);
        let delete =
            |message_id| ChatDelete { message_id, platform, author_id: Some(author.clone()) };
        let deletions = before.into_iter().map(delete).collect();
        let before = state.ring.floor() + 1;
        Some((deletions, LatePurge { author: author.clone(), platform, before }))
    }

    /// Tells screens what a late purge took away that is older than the ring: they may show it still. Reads the log.
    pub async fn tell_purged(&self, purge: &LatePurge) {
        let LatePurge { author, platform, before } = purge;
        if !self.log.is_kept() || *before <= 1 {
            return;
        }
        // What has just left the ring may be on its way to the disk.
        if self.log.reaches(before - 1) {
            self.log.settled().await;
        }
        // Logged where it fails; for whoever reads anew it is hidden in any case.
        let Ok(said) = self.log.said_by(author, *before).await else { return };
        for message_id in said {
            let author_id = Some(author.clone());
            let delete = ChatDelete { message_id, platform: *platform, author_id };
            self.publish(&EventBody::ChatDelete(delete), &Arrival::now());
            self.relieved().await;
        }
    }

    /// Puts an event in the next place, for the ring, the log and whoever follows. Answers its place, and whether nobody
    /// may read it.
    fn push(
        &self,
        state: &mut State,
        body: &EventBody,
        data: Vec<u8>,
        ts: Timestamp,
        sent_at: Option<Timestamp>,
    ) -> (u64, bool) {
        let seq = state.ring.head() + 1;
        state.last_ts = Some(ts);
        if let Some(reach) = Reach::of(body) {
            state.moderation.note(body, sent_at);
            if let Some(featured) = state.featured.take() {
                state.featured = reach.censor_message(featured);
            }
            state.queue_cut |= state.queue.cut(reach);
            let mut gone = Vec::new();
            state.ring.replace(|entry| {
                let body = reach.censor(entry)?;
                if let EventBody::ChatRedacted(it) = &body {
                    gone.push(it.message_id.clone());
                }
                let wording = Wording::of(&body).map(Arc::new);
                Some(self.entry(&body, &body.data_json(), entry.seq, entry.ts, wording))
            });
            // A purge deletes each of them: a reply that comes later must not quote them.
            state.moderation.note_deleted(&gone);
        }
        let mut record = Record::new(seq, ts, body, Bytes::new());
        let (entry, data, hidden) = match state.moderation.censor(body) {
            None => {
                if let EventBody::QueueUpdate(it) = body {
                    state.queue = it.items.clone().into();
                }
                let entry = self.entry(body, &data, seq, ts, record.wording.clone());
                // The log shares the bytes with the sockets.
                let json = entry.frame.json();
                let end = json.len() - 1;
                (entry, json.slice(end - data.len()..end), Hidden::Nothing)
            }
            Some(shown) => {
                let shown_data = shown.data_json();
                let shown_wording = Wording::of(&shown).map(Arc::new);
                let entry = self.entry(&shown, &shown_data, seq, ts, shown_wording);
                match shown {
                    // A queue says nothing that is not said elsewhere: the audit needs no second copy.
                    EventBody::QueueUpdate(it) => {
                        state.queue = it.items.into();
                        (entry, shown_data.into(), Hidden::Nothing)
                    }
                    EventBody::ChatMessage(_) => (entry, data.into(), Hidden::Quote),
                    EventBody::FeatureShow(it) => {
                        state.featured = Some(it);
                        (entry, data.into(), Hidden::Quote)
                    }
                    _ => (entry, data.into(), Hidden::Whole),
                }
            }
        };
        match body {
            EventBody::PlatformStatus(it) => {
                state.statuses.insert((it.platform, it.channel.clone()), it.clone());
            }
            EventBody::RoomState(it) => drop(state.room_states.insert(it.platform, it.clone())),
            EventBody::SettingsUpdate(it) => state.settings = Arc::new((**it).clone()),
            EventBody::FeatureShow(it) if hidden == Hidden::Nothing => {
                state.featured = Some(it.clone());
            }
            EventBody::FeatureClear(_) => state.featured = None,
            _ => {}
        }
        state.stage_known |= matches!(body, EventBody::FeatureShow(_) | EventBody::FeatureClear(_));
        state.boards.note(body);
        state.queue_known |= matches!(body, EventBody::QueueUpdate(_));
        state.stream.note(body, ts);
        state.ring.push(entry);
        (record.data, record.hidden, record.sent_at) = (data, hidden, sent_at);
        // Told under the lock, so that the log has the feed's order; it never waits.
        if !self.log.append(record) {
            self.parts.telemetry.meters.not_recorded.increment(1);
        }
        self.head.send_replace(seq);
        (seq, hidden == Hidden::Whole)
    }

    /// Ends the stream session when nothing has happened in it for long enough.
    pub fn end_idle_session(&self, now: Timestamp) {
        let mut state = self.state();
        let Some(end) = state.stream.end_if_idle(now) else { return };
        let ts = state.time_of(now);
        self.push(&mut state, &end, end.data_json(), ts, None);
        for shard in &state.shards {
            shard.wake();
        }
    }

    fn count(&self, body: &EventBody) {
        let telemetry = &self.parts.telemetry;
        telemetry.meters.count_event(body.platform());
        if let EventBody::ChatMessage(it) = body {
            self.messages.fetch_add(1, Ordering::Relaxed);
            telemetry.rates.count(Rate::Messages, it.platform);
        }
    }

    fn entry(
        &self,
        body: &EventBody,
        data: &[u8],
        seq: u64,
        ts: Timestamp,
        wording: Option<Arc<Wording>>,
    ) -> Entry {
        let kind = body.kind();
        let frame = |seq| Frame::text(&self.envelope.json(seq, ts, kind, data));
        let about = match (wording, body) {
            (Some(wording), _) => About::Words(wording),
            (None, EventBody::QueueUpdate(it)) => {
                About::Messages(it.items.iter().map(Mention::of).collect())
            }
            (None, body) if body.is_deletion() => About::Deletion { early: frame(None) },
            (None, _) => About::Nothing,
        };
        Entry { seq, ts, kind, platform: body.platform(), frame: frame(Some(seq)), about }
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
