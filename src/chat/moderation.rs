//! What was deleted, remembered, so that a message which arrives after its deletion stays hidden.

use std::collections::{HashMap, VecDeque};

use crate::model::{ChatRedacted, EventBody, Message, Platform, QualifiedId, Timestamp};

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
            (EventBody::ChatClearUser(it), Some(at)) => self.purged.insert(&it.author_id, at),
            (EventBody::ChatClear(it), Some(at)) => match it.platform {
                Some(platform) => drop(self.cleared.insert(platform, at)),
                None => self.cleared.extend(Platform::ALL.map(|platform| (platform, at))),
            },
            _ => {}
        }
    }

    /// Remembers messages that went with others.
    pub fn note_deleted(&mut self, ids: &[QualifiedId]) {
        for id in ids {
            self.deleted.insert(id, ());
        }
    }

    /// Whether what `author` wrote as `id` at `sent_at` was deleted before it came.
    #[must_use]
    pub fn hides(
        &self,
        id: &QualifiedId,
        author: Option<&QualifiedId>,
        platform: Platform,
        sent_at: Option<Timestamp>,
    ) -> bool {
        let before = |at: Option<&Timestamp>| at.zip(sent_at).is_some_and(|(at, sent)| sent <= *at);
        self.deleted.find(id).is_some()
            || before(author.and_then(|it| self.purged.find(it)))
            || before(self.cleared.get(&platform))
    }

    /// Turns `body` into what viewers may read of it, when something in it was deleted before.
    #[must_use]
    pub fn censor(&self, body: &EventBody) -> Option<EventBody> {
        match body {
            EventBody::ChatMessage(it) | EventBody::FeatureShow(it) => {
                if self.hides(&it.id, Some(&it.author.id), it.platform, Some(it.sent_at)) {
                    let message_id = it.id.clone();
                    return Some(EventBody::ChatRedacted(ChatRedacted { message_id }));
                }
                let quote = it.reply_to.as_ref()?;
                (self.deleted.find(&quote.id).is_some()).then(|| {
                    let message = Box::new(without_quote(it));
                    match body {
                        EventBody::FeatureShow(_) => EventBody::FeatureShow(message),
                        _ => EventBody::ChatMessage(message),
                    }
                })
            }
            EventBody::Activity(it) => {
                let author = it.author.as_ref().map(|it| &it.id);
                it.text.as_ref()?;
                self.hides(&it.id, author, it.platform, it.sent_at).then(|| {
                    let mut activity = it.clone();
                    (activity.text, activity.fragments) = (None, None);
                    EventBody::Activity(activity)
                })
            }
            _ => None,
        }
    }
}

/// `message` with an empty quote: it answers something that was deleted.
fn without_quote(message: &Message) -> Message {
    let mut message = message.clone();
    if let Some(quote) = &mut message.reply_to {
        quote.text.clear();
    }
    message
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

    /// What stays on the stage of a featured message.
    #[must_use]
    pub fn censor_featured(self, message: Box<Message>) -> Option<Box<Message>> {
        if self.covers_message(&message) {
            return None;
        }
        let quoted = message
            .reply_to
            .as_ref()
            .is_some_and(|it| self.covers(&it.id, Some(&it.author.id), Some(message.platform)));
        Some(if quoted { Box::new(without_quote(&message)) } else { message })
    }

    fn covers_message(self, message: &Message) -> bool {
        self.covers(&message.id, Some(&message.author.id), Some(message.platform))
    }

    fn covers(
        self,
        id: &QualifiedId,
        author: Option<&QualifiedId>,
        platform: Option<Platform>,
    ) -> bool {
        match self {
            Self::Message(it) => it == id,
            Self::Author(it) => author == Some(it),
            Self::Chat(only) => only.is_none() || only == platform,
        }
    }

    /// What must stand in the place of an event already in the feed; `None` where it may stay.
    ///
    /// The event is read back from its own JSON: deletions are rare, and keeping every event a second
    /// time in memory for their sake is not worth it.
    #[must_use]
    pub fn censor(self, entry: &Entry) -> Option<EventBody> {
        let read = || serde_json::from_slice::<crate::model::Event>(&entry.frame.json()).ok();
        match &entry.about {
            About::Words { id, author, quotes } => {
                if self.covers(id, author.as_ref(), entry.platform) {
                    if entry.kind == "activity"
                        && let EventBody::Activity(mut activity) = read()?.body
                    {
                        // That it happened stays true; only the words go.
                        activity.text.as_ref()?;
                        (activity.text, activity.fragments) = (None, None);
                        return Some(EventBody::Activity(activity));
                    }
                    return Some(EventBody::ChatRedacted(ChatRedacted { message_id: id.clone() }));
                }
                let (quoted, by) = quotes.as_ref()?;
                if !self.covers(quoted, Some(by), entry.platform) {
                    return None;
                }
                match read()?.body {
                    EventBody::ChatMessage(it) => {
                        Some(EventBody::ChatMessage(Box::new(without_quote(&it))))
                    }
                    EventBody::FeatureShow(it) => {
                        Some(EventBody::FeatureShow(Box::new(without_quote(&it))))
                    }
                    _ => None,
                }
            }
            About::Messages => {
                let EventBody::QueueUpdate(mut queue) = read()?.body else { return None };
                let before = queue.items.len();
                queue.items.retain(|it| !self.covers_message(it));
                (queue.items.len() < before).then_some(EventBody::QueueUpdate(queue))
            }
            About::Nothing | About::Deletion { .. } => None,
        }
    }
}
