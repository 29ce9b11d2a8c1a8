//! What a viewer wrote.

use serde::Deserialize;
use serde_json::Value;

use super::{KickNormalizer, author, emotes, qualified};
use crate::{
    chat::normalize::{NormalizeError, Reading, clean},
    model::{EventBody, Flag, Message, Platform, ReplyTo, Timestamp},
    platforms::kick::wire::{ChatMessage, Person},
};

/// The platform's name for the kind, in errors.
const KIND: &str = "ChatMessageEvent";

impl KickNormalizer {
    /// A message of the socket.
    pub(super) fn read_chat(
        &self,
        data: &Value,
        received_at: Timestamp,
    ) -> Result<Reading, NormalizeError> {
        self.read_message(&decode(data)?, None, received_at)
    }

    /// A message of the recent history.
    pub(super) fn read_history(
        &self,
        data: &Value,
        historical: bool,
        received_at: Timestamp,
    ) -> Result<Reading, NormalizeError> {
        let flag = historical.then_some(Flag::Historical);
        self.read_message(&decode(data)?, flag, received_at)
    }

    pub(super) fn read_message(
        &self,
        sent: &ChatMessage,
        flag: Option<Flag>,
        received_at: Timestamp,
    ) -> Result<Reading, NormalizeError> {
        let missing = |what| NormalizeError::unparsed(KIND, what);
        let id = sent.id.as_ref().ok_or_else(|| missing("id"))?;
        let content = sent.content.as_deref().ok_or_else(|| missing("content"))?;
        let sender = sent.sender.as_ref().ok_or_else(|| missing("sender"))?;
        let (text, fragments) = emotes::read(content);
        let reply_to = self.find_reply(sent);
        let is_reply = reply_to.is_some() || sent.kind.as_deref() == Some("reply");
        let sent_at = sent.created_at.map(|it| it.0);
        let message = Message {
            id: qualified(id.as_str()),
            platform: Platform::Kick,
            channel: self.channel(),
            author: author::read_or_anonymous(Some(sender), &self.facts),
            text,
            fragments,
            flags: is_reply.then_some(Flag::Reply).into_iter().chain(flag).collect(),
            reply_to,
            source_channel: None,
            amount: None,
            sent_at: sent_at.unwrap_or(received_at),
            received_at,
        };
        Ok(Reading { body: EventBody::ChatMessage(Box::new(message)), sent_at, key: None })
    }

    /// What the message answers: in its metadata by the socket, as a message of its own by webhook.
    fn find_reply(&self, sent: &ChatMessage) -> Option<ReplyTo> {
        let quote = |id: &str, person: Option<&Person>, text: Option<&str>| ReplyTo {
            id: qualified(id),
            author: author::read_or_anonymous(person, &self.facts),
            text: clean(text.unwrap_or_default()).into_owned(),
        };
        if let Some(parent) = &sent.replies_to {
            let id = parent.id.as_ref()?;
            return Some(quote(id.as_str(), parent.sender.as_ref(), parent.content.as_deref()));
        }
        let parent = sent.metadata.original_message.as_ref()?;
        let person = sent.metadata.original_sender.as_ref();
        Some(quote(parent.id.as_str(), person, parent.content.as_deref()))
    }
}

pub(super) fn decode(data: &Value) -> Result<ChatMessage, NormalizeError> {
    ChatMessage::deserialize(data).map_err(|_| NormalizeError::unparsed(KIND, "shape"))
}
