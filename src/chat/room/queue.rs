//! The queue of messages that are marked for discussion, and how a hello tells it.

use std::{ops::Deref, sync::OnceLock};

use serde_json::value::{RawValue, to_raw_value};

use crate::{chat::moderation::Reach, model::Message};

/// What is marked for discussion, next first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    items: Vec<Message>,
    /// The items as JSON: made once for all who come between two changes.
    json: OnceLock<Box<RawValue>>,
}

impl Deref for Queue {
    type Target = [Message];

    fn deref(&self) -> &[Message] {
        &self.items
    }
}

impl From<Vec<Message>> for Queue {
    fn from(items: Vec<Message>) -> Self {
        Self { items, json: OnceLock::new() }
    }
}

impl Queue {
    /// Takes out what a deletion reaches; `true` when that changed something.
    pub(super) fn cut(&mut self, reach: Reach<'_>) -> bool {
        let cut = reach.cut_queue(&mut self.items);
        if cut {
            self.json = OnceLock::new();
        }
        cut
    }

    /// The items as JSON.
    pub(super) fn json(&self) -> &RawValue {
        self.json.get_or_init(|| to_raw_value(&self.items).expect("plain values always serialise"))
    }
}
