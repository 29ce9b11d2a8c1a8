//! Who is told what happens in rooms: the boards first, so that a trigger sees what a vote came to.

use std::sync::Arc;

use crate::{
    boards::Boards,
    chat::{Listener, Room},
    model::{EventBody, Message},
    triggers::Triggers,
};

/// Boards and triggers, as the ingest sees them.
pub(super) struct Ears {
    pub(super) boards: Boards,
    pub(super) triggers: Triggers,
}

impl Listener for Ears {
    fn heard(&self, room: &Arc<Room>, body: &EventBody, seq: u64) {
        self.boards.hear(room, body, seq);
        if let EventBody::ChatMessage(message) = body {
            self.triggers.hear(room, message);
        }
    }

    fn played(&self, room: &Arc<Room>, body: &EventBody, seq: u64) {
        self.boards.pass_over(room, body, seq);
    }

    fn heard_late(&self, room: &Arc<Room>, message: &Message) {
        self.triggers.hear_late(room, message);
    }
}
