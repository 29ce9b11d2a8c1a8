//! Where workers' deliveries arrive: normalized here and published in the creator's room.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use twitch_irc::message::IRCMessage;

use super::{
    Hub, Room,
    normalize::{
        Normalized,
        twitch::{TwitchNormalizer, dedupe_key},
    },
    room::Arrival,
};
use crate::{
    model::{EventBody, Flag, PlatformState, PlatformStatus, Timestamp},
    platforms::{Inlet, Raw, Sink, Source},
    telemetry::Telemetry,
};

/// The rooms, as workers see them.
pub struct Rooms {
    hub: Arc<Hub>,
    telemetry: Telemetry,
    /// Age from which an event is history (s).
    stale_seconds: Arc<AtomicU32>,
}

impl Rooms {
    /// Delivers into the rooms of `hub`.
    #[must_use]
    pub fn new(hub: Arc<Hub>, telemetry: Telemetry, stale_seconds: u32) -> Self {
        Self { hub, telemetry, stale_seconds: Arc::new(AtomicU32::new(stale_seconds)) }
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
            twitch: TwitchNormalizer::new(&source.channel),
            stale_seconds: Arc::clone(&self.stale_seconds),
            delay_ms: None,
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
    twitch: TwitchNormalizer,
    stale_seconds: Arc<AtomicU32>,
    delay_ms: Option<i64>,
}

impl Inlet for RoomInlet {
    fn prepare(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.follow_room();
        // A recording is played to be seen, however often it was played before.
        let (room, recorded) = (&self.room, self.source.recorded);
        Box::pin(async move {
            if !recorded {
                room.recall().await;
            }
        })
    }

    fn accept(&mut self, raw: Raw, received_at: Timestamp) {
        self.follow_room();
        match raw {
            Raw::Event(body) => {
                let sent_at = sent_at_of(&body);
                self.room.publish(&body, &Arrival { received_at, sent_at, key: None });
            }
            Raw::Twitch(line) => self.twitch_line(&line, received_at),
        }
    }

    fn status(&mut self, state: PlatformState, detail: &str) {
        self.follow_room();
        self.room.set_status(PlatformStatus {
            platform: self.source.platform,
            channel: self.source.channel.to_string(),
            state,
            detail: detail.to_owned(),
            viewers: None,
        });
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

    fn twitch_line(&mut self, line: &IRCMessage, received_at: Timestamp) {
        let sent_at = line
            .tags
            .0
            .get("tmi-sent-ts")
            .and_then(|it| it.parse().ok())
            .and_then(Timestamp::from_unix_ms);
        match self.twitch.normalize(line, received_at) {
            Ok(Normalized::Event(mut body)) => {
                if let Some(sent_at) = sent_at {
                    self.delay_ms = Some(received_at.ms_since(sent_at));
                }
                self.mark_stale(&mut body, received_at, sent_at);
                let key = dedupe_key(line);
                self.room.publish(&body, &Arrival { received_at, sent_at, key });
            }
            Ok(Normalized::Nothing(_)) => {}
            Err(error) => {
                self.telemetry.meters.unreadable.increment(1);
                tracing::debug!(
                    creator.id = %self.source.creator, platform = %self.source.platform, %error,
                    "a line could not be normalized"
                );
            }
        }
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

fn sent_at_of(body: &EventBody) -> Option<Timestamp> {
    match body {
        EventBody::ChatMessage(it) | EventBody::FeatureShow(it) => Some(it.sent_at),
        EventBody::Activity(it) => it.sent_at,
        _ => None,
    }
}
