//! Where workers' deliveries arrive: normalized here and published in the creator's room.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use super::{
    Hub, Room,
    normalize::{NormalizeError, Normalizer, Reading},
    room::{Arrival, LatePurge, Published},
};
use crate::{
    model::{EventBody, Flag, Message, PlatformState, PlatformStatus, Role, Timestamp},
    platforms::{Emotes, Inlet, Raw, Sink, Source, emotes::RoomEmotes, sending::Echoes},
    telemetry::Telemetry,
};

/// How often the number of viewers alone is worth an event.
const VIEWERS_EVERY: Duration = Duration::from_secs(30);

/// Most late purges of one source that are looked up in the log at the same time (count).
const MOST_PURGES: usize = 16;

/// Is told what happens in chats as it happens: each thing once, and nothing that is history or was recorded.
pub trait Listener: Send + Sync {
    /// `body` was published in `room` just now, at this place of its feed. Called in the order of the feed of one source,
    /// on its own task and under no lock: it must not wait.
    fn heard(&self, room: &Arc<Room>, body: &EventBody, seq: u64);

    /// The same of what was played from a recording: it is there to be seen.
    fn played(&self, _room: &Arc<Room>, _body: &EventBody, _seq: u64) {}

    /// The same of a message that came too late to be news.
    fn heard_late(&self, _room: &Arc<Room>, _message: &Message) {}
}

/// Who listens, once somebody does.
type Listening = Arc<OnceLock<Arc<dyn Listener>>>;

/// The rooms, as workers see them.
pub struct Rooms {
    hub: Arc<Hub>,
    telemetry: Telemetry,
    emotes: Emotes,
    echoes: Echoes,
    /// Age from which an event is history (s).
    stale_seconds: Arc<AtomicU32>,
    listener: Listening,
}

impl Rooms {
    /// Delivers into the rooms of `hub`.
    #[must_use]
    pub fn new(
        hub: Arc<Hub>,
        telemetry: Telemetry,
        emotes: Emotes,
        echoes: Echoes,
        stale_seconds: u32,
    ) -> Self {
        Self {
            hub,
            telemetry,
            emotes,
            echoes,
            stale_seconds: Arc::new(AtomicU32::new(stale_seconds)),
            listener: Listening::default(),
        }
    }

    /// Sets who is told what happens; the first one stays.
    pub fn set_listener(&self, listener: Arc<dyn Listener>) {
        if self.listener.set(listener).is_err() {
            tracing::error!("somebody listens to the rooms already");
        }
    }

    /// Changes the age from which an event is history (s).
    pub fn set_stale_seconds(&self, seconds: u32) {
        self.stale_seconds.store(seconds, Ordering::Relaxed);
    }
}

impl Sink for Rooms {
    fn open(&self, source: Source) -> Option<Box<dyn Inlet>> {
        Some(Box::new(RoomInlet {
            room: self.hub.find_room(source.creator.as_str())?,
            hub: Arc::clone(&self.hub),
            telemetry: self.telemetry.clone(),
            echoes: self.echoes.clone(),
            emotes: self.emotes.open(&source.creator),
            normalizer: Normalizer::new(source.platform, &source.channel),
            readings: Vec::new(),
            stale_seconds: Arc::clone(&self.stale_seconds),
            listener: Arc::clone(&self.listener),
            delay_ms: None,
            viewers: Viewers::default(),
            told: None,
            purges: Arc::new(Semaphore::new(MOST_PURGES)),
            source,
        }))
    }
}

/// The way of one source into its room.
struct RoomInlet {
    hub: Arc<Hub>,
    room: Arc<Room>,
    source: Source,
    telemetry: Telemetry,
    normalizer: Normalizer,
    emotes: RoomEmotes,
    echoes: Echoes,
    /// What the last thing that came was read as; kept for its room.
    readings: Vec<Reading>,
    stale_seconds: Arc<AtomicU32>,
    listener: Listening,
    delay_ms: Option<i64>,
    viewers: Viewers,
    /// The newest state that was said.
    told: Option<(PlatformState, String)>,
    /// Turns to look up what a late purge took away.
    purges: Arc<Semaphore>,
}

/// How many watch on the platform, and when that was last said.
#[derive(Default)]
struct Viewers {
    count: Option<u64>,
    told: Option<u64>,
    told_at: Option<Instant>,
}

impl Inlet for RoomInlet {
    fn prepare(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.follow_room();
        // A recording is played to be seen, however often it was played before.
        let (room, recorded) = (&self.room, self.source.recorded);
        Box::pin(async move {
            if !recorded {
                room.recall().await;
                // Logged where it fails; until it is known, nothing goes to the queue by itself.
                let _ = room.recall_stage().await;
            }
        })
    }

    fn accept(&mut self, raw: Raw, received_at: Timestamp) {
        self.follow_room();
        let mut readings = std::mem::take(&mut self.readings);
        if let Err(error) = self.normalizer.normalize(raw, received_at, &mut readings) {
            self.count_unreadable(&error);
        }
        for reading in readings.drain(..) {
            self.publish(reading, received_at);
        }
        self.readings = readings;
        if let Some(id) = self.normalizer.take_channel_id() {
            self.emotes.note_channel(self.source.platform, &id);
        }
    }

    fn status(&mut self, state: PlatformState, detail: &str) {
        self.log_change(state, detail);
        self.told = Some((state, detail.to_owned()));
        self.tell_status();
    }

    fn viewers(&mut self, count: Option<u64>) {
        self.viewers.count = count;
        let changed = self.viewers.told != count;
        let due = self.viewers.told_at.is_none_or(|it| it.elapsed() >= VIEWERS_EVERY);
        if changed && due && self.told.is_some() {
            self.tell_status();
        }
    }

    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.room.relieved())
    }

    fn delay_ms(&self) -> Option<i64> {
        self.delay_ms
    }
}

impl RoomInlet {
    /// Goes on in the room that took the place of this one.
    fn follow_room(&mut self) {
        if self.room.closed().is_some()
            && let Some(room) = self.hub.find_room(self.source.creator.as_str())
        {
            self.room = room;
        }
    }

    /// What the panel says belongs in the log as well, but each thing once: a try is no news.
    fn log_change(&self, state: PlatformState, detail: &str) {
        let before = self.told.as_ref();
        if before.is_some_and(|it| it.0 == state && it.1 == detail) {
            return;
        }
        match state {
            PlatformState::Disabled => tracing::error!(detail, "the channel cannot be read"),
            PlatformState::Degraded => tracing::warn!(detail, "the channel has trouble"),
            PlatformState::Live if before.is_some_and(|it| it.0 == PlatformState::Degraded) => {
                tracing::info!(detail, "the channel is read again");
            }
            _ => tracing::debug!(?state, detail, "the channel's state changed"),
        }
    }

    fn tell_status(&mut self) {
        self.follow_room();
        let Some((state, detail)) = self.told.clone() else { return };
        let viewers = self.viewers.count.filter(|_| state == PlatformState::Live);
        (self.viewers.told, self.viewers.told_at) = (self.viewers.count, Some(Instant::now()));
        self.room.set_status(PlatformStatus {
            platform: self.source.platform,
            channel: self.source.channel.to_string(),
            state,
            detail,
            viewers,
        });
    }

    fn publish(&mut self, reading: Reading, received_at: Timestamp) {
        let Reading { mut body, sent_at, key } = reading;
        if let Some(sent_at) = sent_at.filter(|_| !is_history(&body)) {
            self.delay_ms = Some(received_at.ms_since(sent_at));
        }
        self.mark_stale(&mut body, received_at, sent_at);
        if !self.source.recorded {
            // What was recorded has its emotes.
            self.emotes.place(&mut body);
            self.mark_ours(&mut body);
        }
        let published = self.room.publish(&body, &Arrival { received_at, sent_at, key });
        match published {
            Published::At(seq) if !self.source.recorded => self.tell(&body, seq),
            Published::At(seq) => {
                self.listener.get().inspect(|it| it.played(&self.room, &body, seq));
            }
            Published::Purged(purge) => self.tell_purged(purge),
            _ => {}
        }
    }

    /// Tells whoever does something about what happens now.
    fn tell(&self, body: &EventBody, seq: u64) {
        let listener = self.listener.get();
        match body {
            EventBody::ChatMessage(it) if body.is_content() => self.room.enqueue_paid(it),
            EventBody::ChatMessage(it) => {
                listener.inspect(|listener| listener.heard_late(&self.room, it));
                return;
            }
            _ if body.is_content() => {}
            _ => return,
        }
        listener.inspect(|listener| listener.heard(&self.room, body, seq));
    }

    /// Has the log asked what a late purge took away; the chat goes on meanwhile. Too many at once: they are hidden all
    /// the same, and only screens that show them still are not told.
    fn tell_purged(&self, purge: LatePurge) {
        let Ok(turn) = Arc::clone(&self.purges).try_acquire_owned() else {
            tracing::warn!("too many late purges at once: open screens are not told of this one");
            return;
        };
        let room = Arc::clone(&self.room);
        self.room.life().spawn(async move {
            room.tell_purged(&purge).await;
            drop(turn);
        });
    }

    /// Marks what this server said as a bot's: it triggers nothing.
    fn mark_ours(&self, body: &mut EventBody) {
        if let EventBody::ChatMessage(it) = body
            && self.echoes.is_ours(&self.source.creator, it)
            && !it.author.roles.contains(&Role::Bot)
        {
            it.author.roles.push(Role::Bot);
        }
    }

    fn count_unreadable(&self, error: &NormalizeError) {
        self.telemetry.meters.unreadable.increment(1);
        tracing::debug!(
            creator.id = %self.source.creator, platform = %self.source.platform, %error,
            "a line could not be normalized"
        );
    }

    /// Marks what came late as history: it is shown as such and fires nothing.
    fn mark_stale(&self, body: &mut EventBody, received_at: Timestamp, sent_at: Option<Timestamp>) {
        let stale_ms = i64::from(self.stale_seconds.load(Ordering::Relaxed)) * 1000;
        let late = sent_at.is_some_and(|it| received_at.ms_since(it) > stale_ms);
        if !late || self.source.recorded {
            return;
        }
        let flags = match body {
            EventBody::ChatMessage(it) => &mut it.flags,
            EventBody::Activity(it) => &mut it.flags,
            _ => return,
        };
        if !flags.contains(&Flag::Historical) {
            flags.push(Flag::Historical);
        }
    }
}

/// Whether the platform itself sent it as history: it says nothing of the delay now.
fn is_history(body: &EventBody) -> bool {
    match body {
        EventBody::ChatMessage(it) => it.flags.contains(&Flag::Historical),
        EventBody::Activity(it) => it.flags.contains(&Flag::Historical),
        _ => false,
    }
}
