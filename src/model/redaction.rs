//! What viewers may still read of an event once something in it was moderated.
//!
//! One place for all readers: what arrives late, what is in the ring, what lies in the log.

use super::{
    ChatRedacted, EventBody, Message, Platform, QualifiedId, QueueUpdate, ReplyTo, Timestamp,
};

/// Something a viewer wrote, as far as moderation asks.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// Of the message or activity.
    pub id: &'a QualifiedId,
    /// Who wrote it.
    pub author: Option<&'a QualifiedId>,
    /// Where.
    pub platform: Option<Platform>,
    /// By the platform's clock, where it told.
    pub sent_at: Option<Timestamp>,
}

impl<'a> Words<'a> {
    /// A message's own.
    #[must_use]
    pub fn of(message: &'a Message) -> Self {
        Self {
            id: &message.id,
            author: Some(&message.author.id),
            platform: Some(message.platform),
            sent_at: Some(message.sent_at),
        }
    }

    /// Those that a reply quotes; when they were written, it does not say.
    fn quoted(quote: &'a ReplyTo, platform: Platform) -> Self {
        Self {
            id: &quote.id,
            author: Some(&quote.author.id),
            platform: Some(platform),
            sent_at: None,
        }
    }
}

/// `body` as viewers may read it; `None` where it may be read as it is.
///
/// `is_hidden` says it of somebody's own words, `is_quote_hidden` of words that a reply repeats.
pub fn censor(
    body: &EventBody,
    is_hidden: impl Fn(Words<'_>) -> bool,
    is_quote_hidden: impl Fn(Words<'_>) -> bool,
) -> Option<EventBody> {
    match body {
        EventBody::ChatMessage(it) => {
            if is_hidden(Words::of(it)) {
                return Some(redacted(&it.id));
            }
            without_hidden_quote(it, is_quote_hidden).map(EventBody::ChatMessage)
        }
        EventBody::FeatureShow(it) => {
            if is_hidden(Words::of(it)) {
                return Some(redacted(&it.id));
            }
            without_hidden_quote(it, is_quote_hidden).map(EventBody::FeatureShow)
        }
        EventBody::Activity(it) => {
            it.text.as_ref()?;
            let words = Words {
                id: &it.id,
                author: it.author.as_ref().map(|it| &it.id),
                platform: Some(it.platform),
                sent_at: it.sent_at,
            };
            is_hidden(words).then(|| {
                // That it happened stays true; only the words go.
                let mut activity = it.clone();
                (activity.text, activity.fragments) = (None, None);
                EventBody::Activity(activity)
            })
        }
        EventBody::QueueUpdate(queue) => {
            let mut changed = false;
            let mut items = Vec::with_capacity(queue.items.len());
            for item in &queue.items {
                if is_hidden(Words::of(item)) {
                    changed = true;
                    continue;
                }
                let unquoted = without_hidden_quote(item, &is_quote_hidden);
                changed |= unquoted.is_some();
                items.push(unquoted.map_or_else(|| item.clone(), |it| *it));
            }
            changed.then_some(EventBody::QueueUpdate(QueueUpdate { items }))
        }
        _ => None,
    }
}

/// What stands in the place of a moderated message.
#[must_use]
pub fn redacted(id: &QualifiedId) -> EventBody {
    EventBody::ChatRedacted(ChatRedacted { message_id: id.clone() })
}

/// `message` with an empty quote, when that answers something moderated.
#[must_use]
pub fn without_hidden_quote(
    message: &Message,
    is_hidden: impl Fn(Words<'_>) -> bool,
) -> Option<Box<Message>> {
    let quote = message.reply_to.as_ref().filter(|it| !it.text.is_empty())?;
    is_hidden(Words::quoted(quote, message.platform)).then(|| {
        let mut message = message.clone();
        message.reply_to.iter_mut().for_each(|it| it.text.clear());
        Box::new(message)
    })
}
