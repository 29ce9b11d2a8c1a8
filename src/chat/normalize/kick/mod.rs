//! Kick's chat, as the feed understands it.

mod author;
mod badges;
mod emotes;
mod event;
mod message;
mod rules;
mod subscription;
mod webhook;

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::{NormalizeError, Reading};
use crate::{
    model::{
        Activity, ActivityKind, Author, Channel, EventBody, Platform, QualifiedId, RoomState,
        Timestamp,
    },
    platforms::kick::{ChannelFacts, Happening},
};

use self::event::Poll;

/// Reads one channel.
#[derive(Debug)]
pub struct KickNormalizer {
    facts: Arc<ChannelFacts>,
    /// The user's number was told once.
    user_id_taken: bool,
    /// The newest rules that were told: they come twice, in two units.
    rules: Option<RoomState>,
    /// The poll that runs.
    poll: Option<Poll>,
}

impl KickNormalizer {
    /// For the channel of this name.
    #[must_use]
    pub fn new(channel: &str) -> Self {
        let facts = ChannelFacts { slug: channel.to_owned(), ..ChannelFacts::default() };
        Self { facts: Arc::new(facts), user_id_taken: false, rules: None, poll: None }
    }

    /// The number of the channel's user, once, when it is first known: emote providers go by it.
    pub fn take_user_id(&mut self) -> Option<String> {
        let id = self.facts.user_id.filter(|_| !self.user_id_taken)?;
        self.user_id_taken = true;
        Some(id.to_string())
    }

    /// Turns what came into what the feed carries.
    ///
    /// # Errors
    /// When it lacks what cannot be invented: count it and go on.
    pub fn normalize(
        &mut self,
        raw: &Happening,
        received_at: Timestamp,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        match raw {
            Happening::Channel(facts) => {
                self.facts = Arc::clone(facts);
                if let Some(rules) = facts.rules {
                    readings.extend(self.tell_rules(rules));
                }
                Ok(())
            }
            Happening::Event(frame) => self.read_event(frame, received_at, readings),
            Happening::History { message, historical } => {
                readings.push(self.read_history(message, *historical, received_at)?);
                Ok(())
            }
            Happening::Subscription(it) => {
                readings.push(self.read_subscription(it, received_at)?);
                Ok(())
            }
            Happening::Gift(it) => {
                readings.push(self.read_gift(it, received_at));
                Ok(())
            }
            Happening::Webhook(notice) => self.read_webhook(notice, received_at, readings),
        }
    }

    /// The channel as messages name it; its slug stands in for an id that is not known.
    fn channel(&self) -> Channel {
        let id = match self.facts.channel_id {
            Some(id) => qualified(&id.to_string()),
            None => qualified(&self.facts.slug),
        };
        Channel { id, name: self.facts.slug.clone() }
    }
}

/// The platform's own id in the feed's form.
fn qualified(id: &str) -> QualifiedId {
    QualifiedId::new(Platform::Kick, id)
}

/// An id where the platform gives one, and otherwise one of ours.
fn id_or_invented(id: Option<&str>) -> QualifiedId {
    match id {
        Some(id) => qualified(id),
        None => qualified(&format!("local-{}", Uuid::now_v7())),
    }
}

/// Something that happened, of which nothing more is known yet.
fn activity(
    kind: ActivityKind,
    id: Option<&str>,
    raw_kind: &str,
    author: Option<Author>,
    system_text: String,
) -> Activity {
    Activity {
        kind,
        platform: Platform::Kick,
        id: id_or_invented(id),
        author,
        text: None,
        fragments: None,
        amount: None,
        count: None,
        months: None,
        tier: None,
        recipients: None,
        system_text,
        raw_kind: Some(raw_kind.to_owned()),
        part_of: None,
        flags: Vec::new(),
        source_channel: None,
        sent_at: None,
    }
}

/// An activity as it is published.
fn told(activity: Activity) -> Reading {
    let sent_at = activity.sent_at;
    Reading { body: EventBody::Activity(Box::new(activity)), sent_at, key: None }
}

/// Adds what somebody wrote; nothing, if that is empty.
fn with_words(mut activity: Activity, text: Option<&str>) -> Activity {
    if let Some(text) = text.filter(|it| !it.is_empty()) {
        let (text, fragments) = emotes::read(text);
        if !text.is_empty() {
            (activity.text, activity.fragments) = (Some(text), Some(fragments));
        }
    }
    activity
}

/// `1 viewer`, `2 viewers`.
fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// The name of whoever did something, for a sentence.
fn name_of(author: Option<&Author>) -> &str {
    author.map_or("Somebody", |it| it.name.as_str())
}

/// A text in the data of an event.
fn text_at<'a>(data: &'a Value, pointer: &str) -> Option<&'a str> {
    data.pointer(pointer)?.as_str().map(str::trim).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests;
