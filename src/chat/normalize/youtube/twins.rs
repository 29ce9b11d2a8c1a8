//! Recognises a message that comes by both ways under two ids.
//!
//! Normally an id is the same whichever way it came (`platforms/youtube/message_id.rs`). Should one be written
//! in a form that is not understood, the two are told to be one by who wrote it and when, to the millisecond:
//! nobody writes two messages in one. Deletions of the second id then mean the first.

use std::collections::{HashMap, VecDeque};

use crate::{
    model::{Message, QualifiedId},
    platforms::youtube::message_id::MessageId,
};

/// Messages remembered: a change of ways repeats a few minutes (count).
const MAX_MESSAGES: usize = 2_048;

/// Which way something came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Site,
    Api,
}

type Key = (QualifiedId, i64);

#[derive(Debug, Default)]
pub(super) struct Twins {
    known: HashMap<Key, (QualifiedId, Origin, bool)>,
    order: VecDeque<Key>,
    others: HashMap<QualifiedId, QualifiedId>,
    others_order: VecDeque<QualifiedId>,
}

impl Twins {
    /// Takes in a message whose id came as `raw_id`; `true` when it came by the other way before.
    pub(super) fn is_repeat(&mut self, message: &Message, raw_id: &str, origin: Origin) -> bool {
        let understood = MessageId::parse(raw_id).is_some();
        let key = (message.author.id.clone(), message.sent_at.unix_ms());
        if let Some((id, first, first_understood)) = self.known.get(&key) {
            // With two ids that are understood, two are two.
            let doubtful = !(understood && *first_understood);
            if doubtful && *first != origin && *id != message.id {
                let id = id.clone();
                self.note_other(message.id.clone(), id);
                return true;
            }
            return false;
        }
        if self.order.len() == MAX_MESSAGES
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.known.insert(key, (message.id.clone(), origin, understood));
        false
    }

    fn note_other(&mut self, other: QualifiedId, id: QualifiedId) {
        if self.others_order.len() == MAX_MESSAGES
            && let Some(oldest) = self.others_order.pop_front()
        {
            self.others.remove(&oldest);
        }
        self.others_order.push_back(other.clone());
        self.others.insert(other, id);
    }

    /// The id under which the feed knows a message.
    pub(super) fn known_as(&self, id: QualifiedId) -> QualifiedId {
        self.others.get(&id).cloned().unwrap_or(id)
    }
}
