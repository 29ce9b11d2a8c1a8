//! One event as the log is told of it.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    model::{EventBody, Message, Platform, QualifiedId, Timestamp},
    storage::tables::marks::{Mark, Marked},
};

/// Whose words an event holds, as far as moderation asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// Of the message or activity.
    pub id: QualifiedId,
    /// Who wrote it.
    pub author: Option<QualifiedId>,
    /// The message quoted in it, and who wrote that.
    pub quotes: Option<(QualifiedId, QualifiedId)>,
}

impl Wording {
    /// Of what a viewer wrote; `None` for anything else.
    #[must_use]
    pub fn of(body: &EventBody) -> Option<Self> {
        let of_message = |it: &Message| Self {
            id: it.id.clone(),
            author: Some(it.author.id.clone()),
            quotes: it.reply_to.as_ref().map(|it| (it.id.clone(), it.author.id.clone())),
        };
        match body {
            EventBody::ChatMessage(it) | EventBody::FeatureShow(it) => Some(of_message(it)),
            EventBody::Activity(it) => Some(Self {
                id: it.id.clone(),
                author: it.author.as_ref().map(|it| it.id.clone()),
                quotes: None,
            }),
            _ => None,
        }
    }
}

/// What an event takes away from viewers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Deletion {
    /// One message or activity.
    Message(QualifiedId),
    /// All that one viewer wrote before.
    Author(QualifiedId),
    /// All that was written before on one platform, or on all.
    Chat(Option<Platform>),
}

impl Deletion {
    /// Of a deletion; `None` for anything else.
    #[must_use]
    pub fn of(body: &EventBody) -> Option<Self> {
        match body {
            EventBody::ChatDelete(it) => Some(Self::Message(it.message_id.clone())),
            EventBody::ChatRedacted(it) => Some(Self::Message(it.message_id.clone())),
            EventBody::ChatClearUser(it) => Some(Self::Author(it.author_id.clone())),
            EventBody::ChatClear(it) => Some(Self::Chat(it.platform)),
            _ => None,
        }
    }

    /// As the table of marks names it.
    pub(super) fn marked(&self) -> Marked<'_> {
        match self {
            Self::Message(id) => Marked::message(id),
            Self::Author(id) => Marked::author(id),
            Self::Chat(platform) => Marked::Chat(*platform),
        }
    }
}

/// What was moderated of an event before it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hidden {
    /// Nothing.
    #[default]
    Nothing,
    /// Its own words.
    Whole,
    /// Those it quotes.
    Quote,
}

/// One event as the log is told of it.
#[derive(Debug, Clone)]
pub struct Record {
    /// Place in the feed.
    pub seq: u64,
    /// When the server received it.
    pub ts: Timestamp,
    /// The event's `type`.
    pub kind: &'static str,
    /// The platform it concerns.
    pub platform: Option<Platform>,
    /// Whether it is what a stream consists of: see [`EventBody::is_content`].
    pub content: bool,
    /// What happened, as JSON, as it came: moderated words included, for the audit.
    pub data: Bytes,
    /// Whose words it holds.
    pub wording: Option<Arc<Wording>>,
    /// What of them viewers may not read.
    pub hidden: Hidden,
    /// What it takes away from viewers.
    pub deletion: Option<Deletion>,
    /// The platform's clock, where it told.
    pub sent_at: Option<Timestamp>,
}

impl Record {
    /// Of an event whose serialised `data` is given: nothing of it hidden, the platform's clock unknown.
    #[must_use]
    pub fn new(seq: u64, ts: Timestamp, body: &EventBody, data: Bytes) -> Self {
        Self {
            seq,
            ts,
            kind: body.kind(),
            platform: body.platform(),
            content: body.is_content(),
            data,
            wording: Wording::of(body).map(Arc::new),
            hidden: Hidden::Nothing,
            deletion: Deletion::of(body),
            sent_at: None,
        }
    }

    /// The mark that its deletion sets.
    pub(super) fn mark(&self) -> Mark {
        Mark { seq: self.seq, at_ms: self.sent_at.map_or(0, Timestamp::unix_ms) }
    }

    /// Whether it begins or ends a stream session.
    pub(super) fn is_session(&self) -> bool {
        matches!(self.kind, "session.start" | "session.end")
    }

    /// What it takes in memory, about (bytes).
    pub(super) fn weight(&self) -> usize {
        const FIXED: usize = 256;
        FIXED + self.data.len()
    }
}
