//! After a kill: a vote that is in the log and was not written down as a vote yet counts all the same.
//!
//! What a platform tells again is dropped as a repeat where the log has it, so nobody else would count it. Beside the votes
//! stands up to which place of the feed those of each chat are counted; only what came later is heard, so that what
//! somebody changed since by another way (a moderator, a trigger) stays as it is.

use super::{Boards, lock};
use crate::{
    chat::{Hub, Room},
    feed::{Filter, Span},
    model::{Event, EventBody, Flag},
};

/// How much of the end of a log is heard again (ms): far more than the disk is ever behind.
const HEARD_AGAIN_MS: i64 = 30_000;
/// Events that are read at a time (count), and their size (bytes).
const PAGE: (usize, usize) = (2_000, 8 << 20);

impl Boards {
    /// Hears the end of every log again in which viewers vote. To be waited for before chats are read, and before polls
    /// are closed whose time ended meanwhile.
    pub async fn catch_up(&self, hub: &Hub) {
        for room in hub.list_rooms() {
            let votes = self.find(room.id()).is_some_and(|it| lock(&it).has_open());
            if votes && room.log().is_kept() {
                self.hear_again(&room).await;
            }
        }
    }

    async fn hear_again(&self, room: &Room) {
        let Some(last) = room.log().last_at() else { return };
        let Ok(filter) = Filter::parse(Some("chat.message"), None) else { return };
        let mut span = Span {
            from: Some(last.plus_ms(-HEARD_AGAIN_MS)),
            filter,
            most_events: PAGE.0,
            most_bytes: PAGE.1,
            // A vote counts whatever became of the message.
            originals: true,
            ..Span::default()
        };
        loop {
            let page = match room.log().page(span.clone()).await {
                Ok(it) => it,
                Err(error) => {
                    tracing::warn!(creator.id = %room.id(), %error, "the last votes before the stop are not known");
                    return;
                }
            };
            for stored in &page.events {
                let event = serde_json::from_slice(&stored.json);
                let Ok(Event { ts, seq, body: EventBody::ChatMessage(message), .. }) = event else {
                    continue;
                };
                if !message.is_of_a_viewer() || message.has(Flag::Historical) {
                    continue;
                }
                // Whether it was in time is for the clock of then.
                let _ = self.change(room.id(), |it| {
                    let (channel, voter) = (&message.channel.id, &message.author.id);
                    it.hear_again(channel, seq, voter, message.spoken(), ts);
                    Ok(())
                });
            }
            if !page.more {
                return;
            }
            span.after = page.reached;
        }
    }
}
