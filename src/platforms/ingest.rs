//! The way from a platform's line into a creator's room, as the workers see it.

use std::{future::Future, pin::Pin, sync::Arc};

use twitch_irc::message::IRCMessage;

use super::{kick, rumble, twitch, youtube};
use crate::model::{CreatorId, EventBody, Platform, PlatformState, Timestamp};

/// One channel of one platform, read for one creator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// For whom.
    pub creator: CreatorId,
    /// Where.
    pub platform: Platform,
    /// The channel by its configured name.
    pub channel: Arc<str>,
    /// Played from a file: old events are not called stale.
    pub recorded: bool,
}

/// What a platform sent.
#[derive(Debug)]
pub enum Raw {
    /// A Twitch chat line.
    Twitch(Box<IRCMessage>),
    /// Something that Twitch tells beside chat.
    TwitchEvent(Box<twitch::Notification>),
    /// An item of a YouTube chat.
    Youtube(Box<youtube::Item>),
    /// Something that happened on Kick.
    Kick(Box<kick::Happening>),
    /// Something that happened on Rumble.
    Rumble(Box<rumble::Happening>),
    /// An event of the feed itself: from a recording, or one that a worker made because the platform says
    /// it in no words of its own.
    Event(Box<EventBody>),
}

/// Where workers deliver: the rooms. One inlet per source, made once and kept over reconnects.
pub trait Sink: Send + Sync {
    /// Opens the way into the creator's room; `None` when there is no such room.
    fn open(&self, source: Source) -> Option<Box<dyn Inlet>>;
}

/// The way into one room.
pub trait Inlet: Send + Sync {
    /// Waits until the room knows what came before the server was started, so that repeats are recognised.
    fn prepare(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Takes what the platform sent. Never waits.
    fn accept(&mut self, raw: Raw, received_at: Timestamp);

    /// Says how well the channel is being read. Repeats are ignored.
    fn status(&mut self, state: PlatformState, detail: &str);

    /// Says how many are watching on the platform; `None` when that is not known. Told to the room with the
    /// next status, and by itself at most every half minute.
    fn viewers(&mut self, count: Option<u64>);

    /// Waits while the room's audience cannot be written to as fast as events come.
    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// The platform's own delay of the newest line that told (ms); negative when clocks differ.
    fn delay_ms(&self) -> Option<i64>;
}

/// A worker's handle on its room.
pub struct Ingest {
    source: Source,
    inlet: Box<dyn Inlet>,
}

impl Ingest {
    /// Opens the way for `source`; `None` when its creator has no room.
    #[must_use]
    pub fn new(sink: &dyn Sink, source: Source) -> Option<Self> {
        let inlet = sink.open(source.clone())?;
        Some(Self { source, inlet })
    }

    /// What is read, and for whom.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Waits until the room knows what came before the server was started. To be called before the first
    /// [`Ingest::accept`].
    pub async fn prepare(&mut self) {
        self.inlet.prepare().await;
    }

    /// Takes what the platform sent at `received_at`.
    pub fn accept(&mut self, raw: Raw, received_at: Timestamp) {
        self.inlet.accept(raw, received_at);
    }

    /// Says how well the channel is being read; `detail` is for people and may be empty.
    pub fn status(&mut self, state: PlatformState, detail: impl AsRef<str>) {
        self.inlet.status(state, detail.as_ref());
    }

    /// Says how many are watching on the platform.
    pub fn viewers(&mut self, count: Option<u64>) {
        self.inlet.viewers(count);
    }

    /// Waits while the room's audience cannot be written to as fast as events come.
    pub async fn ready(&self) {
        self.inlet.ready().await;
    }

    /// The platform's own delay of the newest line that told (ms).
    #[must_use]
    pub fn delay_ms(&self) -> Option<i64> {
        self.inlet.delay_ms()
    }
}
