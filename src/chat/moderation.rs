//! What was deleted, remembered, so that a message which arrives after its deletion stays hidden.

use std::collections::{HashMap, VecDeque};

use crate::{
    feed::{Tail, Wording},
    model::{
        Event, EventBody, Message, Platform, QualifiedId, Timestamp,
        redaction::{self, Words},
    },
};

use super::ring::{About, Entry};

/// Most deletions and most purges remembered; the oldest are forgotten.
const MOST_REMEMBERED: usize = 4096;

/// The deletions and purges of a room.
#[derive(Debug, Default)]
pub struct Moderation {
    deleted: Remembered<()>,
    /// Until when, by the platform's clock, a viewer's words were purged.
    purged: Remembered<Timestamp>,
    /// Until when, by the platform's clock, a whole chat was cleared.
    cleared: HashMap<Platform, Timestamp>,
}

/// What is known of the newest ids; the oldest are forgotten.
#[derive(Debug)]
struct Remembered<T> {
    known: HashMap<QualifiedId, T>,
    order: VecDeque<QualifiedId>,
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self { known: HashMap::new(), order: VecDeque::new() }
    }
}

impl<T> Remembered<T> {
    fn insert(&mut self, id: &QualifiedId, value: T) {
        if self.known.insert(id.clone(), value).is_some() {
            return;
        }
        self.order.push_back(id.clone());
        if self.order.len() > MOST_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    fn find(&self, id: &QualifiedId) -> Option<&T> {
        self.known.get(id)
    }
}

impl Moderation {
    /// Remembers a deletion. `at` is the platform's clock, where the platform told it.
    pub fn note(&mut self, body: &EventBody, at: Option<Timestamp>) {
        match (body, at) {
            (EventBody::ChatDelete(it), _) => self.deleted.insert(&it.message_id, ()),
            (EventBody::ChatRedacted(it), _) => self.deleted.insert(&it.message_id, ()),
            (EventBody::ChatClearUser(it), Some(at)) => self.note_purged(&it.author_id, at),
            (EventBody::ChatClear(it), Some(at)) => self.note_cleared(it.platform, at),
            _ => {}
        }
    }

    // Of two purges the one that reaches further counts, whichever came first.

    fn note_purged(&mut self, author: &QualifiedId, at: Timestamp) {
        let known = self.purged.find(author).copied();
        self.purged.insert(author, known.map_or(at, |it| it.max(at)));
    }

    fn note_cleared(&mut self, platform: Option<Platform>, at: Timestamp) {
        for platform in platform.map_or(Platform::ALL.to_vec(), |it| vec![it]) {
            let known = self.cleared.entry(platform).or_insert(at);
            *known = (*known).max(at);
        }
    }

    /// Remembers what the log remembers, as of before anything that came since.
    pub fn recall(&mut self, tail: &Tail) {
        self.note_deleted(&tail.deleted);
        for (author, at) in &tail.purged {
            at.iter().for_each(|at| self.note_purged(author, *at));
        }
        for (platform, at) in &tail.cleared {
            at.iter().for_each(|at| self.note_cleared(*platform, *at));
        }
    }

    /// Remembers messages that went with others.
    pub fn note_deleted(&mut self, ids: &[QualifiedId]) {
        for id in ids {
            self.deleted.insert(id, ());
        }
    }

    /// Whether something was deleted before it came.
    #[must_use]
    pub fn hides(&self, words: Words<'_>) -> bool {
        let Words { id, author, platform, sent_at } = words;
        let before = |at: Option<&Timestamp>| at.zip(sent_at).is_some_and(|(at, sent)| sent <= *at);
        self.deleted.find(id).is_some()
            || before(author.and_then(|it| self.purged.find(it)))
            || before(platform.and_then(|it| self.cleared.get(&it)))
    }

    /// Turns `body` into what viewers may read of it, when something in it was deleted before.
    #[must_use]
    pub fn censor(&self, body: &EventBody) -> Option<EventBody> {
        redaction::censor(
            body,
            |it| self.hides(it),
            // A purge covers what came before it, and when a quote was written is not known.
            |it| self.deleted.find(it.id).is_some(),
        )
    }
}

/// Whose words a deletion takes away.
#[derive(Debug, Clone, Copy)]
pub enum Reach<'a> {
    /// One message.
    Message(&'a QualifiedId),
    /// Everything of one viewer.
    Author(&'a QualifiedId),
    /// Everything of one platform, or of all.
    Chat(Option<Platform>),
}

impl<'a> Reach<'a> {
    /// How far a deletion reaches; `None` for any other event.
    #[must_use]
    pub fn of(body: &'a EventBody) -> Option<Self> {
        match body {
            EventBody::ChatDelete(it) => Some(Self::Message(&it.message_id)),
            // A source that already knows: the same as a deletion, should the message be here.
            EventBody::ChatRedacted(it) => Some(Self::Message(&it.message_id)),
            EventBody::ChatClearUser(it) => Some(Self::Author(&it.author_id)),
            EventBody::ChatClear(it) => Some(Self::Chat(it.platform)),
            _ => None,
        }
    }

    /// What stays of a message on the stage.
    #[must_use]
    pub fn censor_message(self, message: Box<Message>) -> Option<Box<Message>> {
        if self.covers(Words::of(&message)) {
            return None;
        }
        Some(redaction::without_hidden_quote(&message, |it| self.covers(it)).unwrap_or(message))
    }

    /// Takes what is covered out of a queue; `true` when that changed something.
    pub fn cut_queue(self, queue: &mut Vec<Message>) -> bool {
        let before = queue.len();
        queue.retain(|it| !self.covers(Words::of(it)));
        let mut changed = queue.len() != before;
        for item in queue {
            if let Some(unquoted) = redaction::without_hidden_quote(item, |it| self.covers(it)) {
                *item = *unquoted;
                changed = true;
            }
        }
        changed
    }

    /// Whether it takes these words away.
    #[must_use]
    pub fn covers(self, words: Words<'_>) -> bool {
        match self {
            Self::Message(it) => it == words.id,
            Self::Author(it) => words.author == Some(it),
            Self::Chat(only) => only.is_none() || only == words.platform,
        }
    }

    /// What must stand in the place of an event already in the feed; `None` where it may stay.
    ///
    /// The event is read back from its own JSON: deletions are rare, and keeping every event a second
    /// time in memory for their sake is not worth it.
    #[must_use]
    pub fn censor(self, entry: &Entry) -> Option<EventBody> {
        match &entry.about {
            About::Words(wording) => {
                let Wording { id, author, quotes } = &**wording;
                let (author, platform) = (author.as_ref(), entry.platform);
                let own = self.covers(Words { id, author, platform, sent_at: None });
                if own && entry.kind != "activity" {
                    return Some(redaction::redacted(id));
                }
                let quoted = quotes.as_ref().is_some_and(|(id, by)| {
                    self.covers(Words { id, author: Some(by), platform, sent_at: None })
                });
                if !own && !quoted {
                    return None;
                }
            }
            About::Messages(mentions) => {
                if !mentions.iter().any(|it| it.is_reached(self)) {
                    return None;
                }
            }
            About::Nothing | About::Deletion { .. } => return None,
        }
        let event: Event = serde_json::from_slice(&entry.frame.json()).ok()?;
        redaction::censor(&event.body, |it| self.covers(it), |it| self.covers(it))
    }
}
