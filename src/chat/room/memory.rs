//! What a room knows of the time before it was opened: from the log, or from the room whose place it takes.

use super::Room;
use crate::{
    chat::seen::Seen,
    feed::ReadError,
    model::{EventBody, Message},
};

impl Room {
    /// Takes in what the log remembers: what came already, and what was deleted. To be waited for before anything
    /// that could be a repeat is published. Once; a second call returns at once.
    pub async fn recall(&self) {
        let recall = async || -> Result<(), ReadError> {
            if !self.log.is_kept() || self.log.head() == 0 {
                return Ok(());
            }
            let tail = self.log.tail(self.parts.dedupe_ids).await?;
            let mut state = self.state();
            for (kind, id) in &tail.seen {
                let platform = id.split_once(':').and_then(|it| it.0.parse().ok());
                state.seen.insert(platform, (*kind, id.as_str()));
            }
            state.moderation.recall(&tail);
            Ok(())
        };
        // What failed is tried again the next time somebody needs it.
        if let Err(error) = self.recalled.get_or_try_init(recall).await {
            tracing::warn!(creator.id = %self.id, %error, "what was said before is not known");
        }
    }

    /// Takes in what was featured, the queue and the boards: all that a reader has to know, so that thousands who come back
    /// after a restart do not wait for more.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn recall_stage(&self) -> Result<(), ReadError> {
        let recall = async || -> Result<(), ReadError> {
            let before = self.head();
            let featured = self.log.featured().await?;
            let boards = self.log.boards().await?;
            let queue = self.log.queue().await?;
            let mut state = self.state();
            // A deletion may have come while the disk was asked.
            let gone = |it: &Message| state.is_gone(it, before);
            let featured = featured.filter(|it| !gone(it));
            let queue: Vec<_> = queue.into_iter().filter(|it| !gone(it)).collect();
            if !state.stage_known {
                (state.featured, state.stage_known) = (featured, true);
            }
            state.boards.recall(&boards);
            if !state.queue_known {
                (state.queue, state.queue_known) = (queue.into(), true);
            }
            Ok(())
        };
        let recalled = self.stage_recalled.get_or_try_init(recall).await;
        recalled.copied().inspect_err(|error| {
            tracing::warn!(creator.id = %self.id, %error, "what is featured is not known");
        })
    }

    /// Notes how polls, tallies and scoreboards are that somebody else keeps, without an event: for whoever comes from now
    /// on, also where nothing is recorded. The one that changed last stands last.
    pub fn note_boards(&self, now: &[EventBody]) {
        let mut state = self.state();
        now.iter().for_each(|it| state.boards.note(it));
    }

    /// Goes on with what another of the same name knew: of its channels, of what came and what was deleted. One
    /// that is not recorded goes on with its stream as well.
    pub(in crate::chat) fn take_over(&self, before: &Self) {
        let mut before = before.state();
        let statuses = before.statuses.clone();
        let states = before.room_states.clone();
        let seen = std::mem::replace(&mut before.seen, Seen::new(self.parts.dedupe_ids));
        let moderation = std::mem::take(&mut before.moderation);
        let featured = before.featured.take();
        let boards = std::mem::take(&mut before.boards);
        let queue = std::mem::take(&mut before.queue);
        let (stage_known, queue_known) = (before.stage_known, before.queue_known);
        let stream = (!self.log.is_kept()).then(|| before.stream.clone());
        drop(before);
        let mut state = self.state();
        state.statuses = statuses;
        state.room_states = states;
        state.seen = seen;
        state.moderation = moderation;
        (state.featured, state.stage_known) = (featured, stage_known);
        (state.queue, state.queue_known) = (queue, queue_known);
        state.boards = boards;
        if let Some(stream) = stream {
            state.stream = stream;
        }
    }
}
