//! One event as the log is told of it.

use std::sync::Arc;

use bytes::Bytes;

use crate::model::{EventBody, Message, Platform, QualifiedId, Timestamp};

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
    /// The platform's clock, where it told.
    pub sent_at: Option<Timestamp>,
}

impl Record {
    /// What it takes in memory, about (bytes).
    pub(super) fn weight(&self) -> usize {
        const FIXED: usize = 256;
        FIXED + self.data.len()
    }
}
