//! What a worker tells of its channel, for the normalizer to turn into events.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Frame,
    wire::{ChatMessage, Person},
};
use crate::model::Timestamp;

/// What the platform sent, or what several of its frames say together.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// What is known of the channel: comes before everything else, and again when more is known.
    Channel(Arc<ChannelFacts>),
    /// An event of the socket.
    Event(Frame),
    /// A message of the recent history.
    History {
        /// As the site sent it.
        message: Value,
        /// It is older than the reading: shown as history.
        historical: bool,
    },
    /// A subscription, told by one frame or by many.
    Subscription(Box<Subscription>),
    /// Subscriptions given to others.
    Gift(Box<Gift>),
    /// An event of the official API.
    Webhook(Notice),
}

/// What is known of a channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChannelFacts {
    /// The channel's number.
    pub channel_id: Option<u64>,
    /// The number of its owner's account.
    pub user_id: Option<u64>,
    /// The slug.
    pub slug: String,
    /// Pictures of subscriber badges: from how many months on, and the platform's address of the picture.
    pub badges: Vec<(u64, String)>,
    /// The chat's rules, as the site's answer holds them.
    pub rules: Option<ChatRules>,
}

/// The rules of a chat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChatRules {
    /// Least time between two messages of a viewer (s); 0 is off.
    pub slow_seconds: u64,
    /// Who has followed for less may not chat (minutes); `None` is off.
    pub followers_only_minutes: Option<u64>,
    /// Only subscribers may chat.
    pub subscribers_only: bool,
    /// Only emotes may be written.
    pub emote_only: bool,
}

/// A subscription that begins or goes on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subscription {
    /// The platform's own id, where one of the frames had one.
    pub id: Option<String>,
    /// Who.
    pub(crate) person: Person,
    /// Months so far.
    pub months: Option<u32>,
    /// Level, where told.
    pub tier: Option<String>,
    /// What was written with it.
    pub(crate) words: Option<Box<ChatMessage>>,
    /// The platform's clock.
    pub sent_at: Option<Timestamp>,
    /// The platform's word for the frame that counts.
    pub raw_kind: String,
}

/// Subscriptions given to others.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gift {
    /// The platform's own id, where one of the frames had one.
    pub id: Option<String>,
    /// What binds the parts of a large gift together.
    pub correlation: Option<String>,
    /// Who gave; `None` is somebody who wished not to be named.
    pub(crate) giver: Option<Person>,
    /// Who received, each once.
    pub(crate) receivers: Vec<Person>,
    /// How many in all, where told.
    pub total: Option<u64>,
    /// The rest of one that was told: its parts came too late.
    pub rest: bool,
    /// Level, where told.
    pub tier: Option<String>,
    /// The platform's clock.
    pub sent_at: Option<Timestamp>,
    /// The platform's word for the frame that counts.
    pub raw_kind: String,
}

/// An event that the official API delivered, its signature checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The delivery's id, the same however often it is repeated.
    pub id: String,
    /// `channel.followed`, …
    pub kind: String,
    /// When the platform signed it.
    pub sent_at: Timestamp,
    /// Its body.
    pub body: Value,
}
