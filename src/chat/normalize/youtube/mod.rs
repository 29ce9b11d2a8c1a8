//! YouTube's chat, as the feed understands it: the site's actions and the Data API's resources.
//!
//! Both are read into the same events with the same ids, so that what comes by both ways is one event. Where
//! both have a word for a kind, `raw_kind` is the Data API's.
//!
//! Source: <https://developers.google.com/youtube/v3/live/docs/liveChatMessages>; the site has no
//! documentation, its shapes are as recorded from 2019 to 2026.

mod action;
mod amount;
mod author;
mod banner;
mod item;
mod poll;
mod resource;
mod rules;
mod text;
mod twins;

#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde_json::Value;
use uuid::Uuid;

use self::{poll::Polls, rules::Rules, twins::Twins};
use super::{NormalizeError, Reading};
use crate::{
    model::{
        Activity, ActivityKind, Author, Channel, EventBody, Flag, Message, Platform, QualifiedId,
        Timestamp,
    },
    platforms::youtube::{Item, message_id},
};

/// Unknown kinds of actions that are remembered (count).
const MAX_UNKNOWN: usize = 64;
/// Viewers remembered as cleared (count).
const MAX_CLEARED: usize = 512;

/// Reads one channel, over streams and reconnects.
#[derive(Debug)]
pub struct YoutubeNormalizer {
    channel: Channel,
    /// When the first thing came: what was written before is history.
    began: Option<Timestamp>,
    rules: Rules,
    polls: Polls,
    twins: Twins,
    /// Kinds of actions that nobody knows, each told once.
    unknown: HashSet<String>,
    /// Whose messages were cleared, while they wrote nothing since.
    cleared: HashSet<QualifiedId>,
}

/// What one item is read with.
struct Context<'a> {
    channel: &'a Channel,
    received_at: Timestamp,
    began: Timestamp,
    /// It tells what was said before.
    backlog: bool,
}

impl YoutubeNormalizer {
    /// For the channel of this name.
    #[must_use]
    pub fn new(channel: &str) -> Self {
        Self {
            channel: Channel {
                id: QualifiedId::new(Platform::Youtube, channel),
                name: channel.to_owned(),
            },
            began: None,
            rules: Rules::default(),
            polls: Polls::default(),
            twins: Twins::default(),
            unknown: HashSet::new(),
            cleared: HashSet::new(),
        }
    }

    /// Turns what came into what the feed carries.
    ///
    /// # Errors
    /// When it lacks what cannot be invented: count it and go on.
    pub fn normalize(
        &mut self,
        raw: &Item,
        received_at: Timestamp,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        let began = *self.began.get_or_insert(received_at);
        match raw {
            Item::Channel { id, name } => {
                self.channel.id = QualifiedId::new(Platform::Youtube, id);
                if let Some(name) = name {
                    self.channel.name = super::clean(name).into_owned();
                }
                Ok(())
            }
            Item::Action { action, backlog } => {
                let channel = self.channel.clone();
                let context = Context { channel: &channel, received_at, began, backlog: *backlog };
                self.read_action(action, &context, readings)
            }
            Item::Resource { resource } => {
                let channel = self.channel.clone();
                let context = Context { channel: &channel, received_at, began, backlog: false };
                self.read_resource(resource, &context, readings)
            }
        }
    }
}

impl Context<'_> {
    /// The flags of something that was sent then.
    fn flags(&self, sent_at: Option<Timestamp>) -> Vec<Flag> {
        let historical = match sent_at {
            Some(sent_at) => sent_at < self.began,
            None => self.backlog,
        };
        if historical { vec![Flag::Historical] } else { Vec::new() }
    }

    fn message(
        &self,
        id: QualifiedId,
        author: Author,
        body: text::Body,
        sent_at: Option<Timestamp>,
    ) -> Message {
        Message {
            id,
            platform: Platform::Youtube,
            channel: self.channel.clone(),
            author,
            text: body.text,
            fragments: body.fragments,
            flags: self.flags(sent_at),
            reply_to: None,
            source_channel: None,
            amount: None,
            sent_at: sent_at.unwrap_or(self.received_at),
            received_at: self.received_at,
        }
    }

    fn activity(
        &self,
        kind: ActivityKind,
        raw_kind: &str,
        id: QualifiedId,
        author: Option<Author>,
        sent_at: Option<Timestamp>,
    ) -> Activity {
        Activity {
            kind,
            platform: Platform::Youtube,
            id,
            author,
            text: None,
            fragments: None,
            amount: None,
            count: None,
            months: None,
            tier: None,
            recipients: None,
            system_text: String::new(),
            raw_kind: Some(raw_kind.to_owned()),
            part_of: None,
            flags: self.flags(sent_at),
            source_channel: None,
            sent_at,
        }
    }
}

/// What a viewer wrote with an activity.
fn write_with(activity: &mut Activity, body: text::Body) {
    if !body.text.is_empty() {
        activity.text = Some(body.text);
        activity.fragments = Some(body.fragments);
    }
}

fn push_activity(mut activity: Activity, readings: &mut Vec<Reading>) {
    if activity.system_text.trim().is_empty() {
        let kind = activity.raw_kind.as_deref().unwrap_or_default();
        activity.system_text = format!("YouTube: {kind}");
    }
    let sent_at = activity.sent_at;
    let body = EventBody::Activity(Box::new(activity));
    readings.push(Reading { body, sent_at, key: None });
}

fn push_event(
    body: EventBody,
    sent_at: Option<Timestamp>,
    key: Option<u64>,
    readings: &mut Vec<Reading>,
) {
    readings.push(Reading { body, sent_at, key });
}

/// The feed's id for an id of YouTube's, whichever way it came.
fn qualified(id: &str) -> QualifiedId {
    QualifiedId::new(Platform::Youtube, &message_id::canonical(id))
}

/// The same where an id may be missing: then a unique one.
fn id_or_invented(id: &Value) -> QualifiedId {
    match id.as_str().filter(|it| !it.is_empty()) {
        Some(id) => qualified(id),
        None => QualifiedId::new(Platform::Youtube, &format!("local-{}", Uuid::now_v7())),
    }
}

/// Identifies what has no id, within this process.
fn key_of(parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    ("youtube", parts).hash(&mut hasher);
    hasher.finish()
}

/// `timestampUsec`, as text or number.
fn sent_at(renderer: &Value) -> Option<Timestamp> {
    let usec = &renderer["timestampUsec"];
    let usec = usec.as_str().and_then(|it| it.parse().ok()).or_else(|| usec.as_i64())?;
    Timestamp::from_unix_ms(usec / 1000).filter(|_| usec > 0)
}

/// The name in a sentence.
fn name_of(author: Option<&Author>) -> &str {
    author.map_or("Somebody", |it| it.name.as_str())
}
