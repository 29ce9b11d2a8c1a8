//! The newest events of a room, in memory: for joiners, for readers that fell behind, for moderation.

use std::{collections::VecDeque, sync::Arc};

use super::frame::Frame;
use crate::{
    feed::{Filter, Wording},
    model::{Platform, Timestamp},
};

/// One event in its place.
#[derive(Debug)]
pub struct Entry {
    /// Place in the feed.
    pub seq: u64,
    /// When the server received it.
    pub ts: Timestamp,
    /// Its `type`.
    pub kind: &'static str,
    /// The platform it concerns.
    pub platform: Option<Platform>,
    /// As sockets get it.
    pub frame: Frame,
    /// What moderation has to know about it.
    pub about: About,
}

/// What moderation has to know about an event.
#[derive(Debug)]
pub enum About {
    /// Nothing a viewer wrote.
    Nothing,
    /// A viewer's words.
    Words(Arc<Wording>),
    /// A list of messages.
    Messages,
    /// A deletion, with the early copy that overtakes what waits.
    Deletion {
        /// Without a place in the feed.
        early: Frame,
    },
}

/// The newest events, bounded: adding to a full ring forgets the oldest.
#[derive(Debug)]
pub struct Ring {
    entries: VecDeque<Arc<Entry>>,
    capacity: usize,
    head: u64,
}

impl Ring {
    /// Empty, with `head` as the last place taken so far.
    #[must_use]
    pub fn new(capacity: usize, head: u64) -> Self {
        Self { entries: VecDeque::new(), capacity, head }
    }

    /// The last place taken; 0 before the first event.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The place before the oldest event held: a reader at or behind it has lost nothing.
    #[must_use]
    pub fn floor(&self) -> u64 {
        self.head - self.entries.len() as u64
    }

    /// Most events held.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Adds the event of the next place.
    pub fn push(&mut self, entry: Entry) {
        debug_assert_eq!(entry.seq, self.head + 1, "the feed has no holes");
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
        }
        self.head = entry.seq;
        self.entries.push_back(Arc::new(entry));
    }

    /// Events behind place `after`, oldest first. `after` is not below [`Ring::floor`].
    pub fn behind(&self, after: u64) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        let skip = after.saturating_sub(self.floor()) as usize;
        self.entries.range(skip.min(self.entries.len())..)
    }

    /// The place to start from so that the newest `count` wanted events follow, and how many do.
    #[must_use]
    pub fn backlog_start(&self, count: usize, filter: &Filter) -> (u64, usize) {
        let wanted = self.entries.iter().rev().filter(|it| filter.wants(it.kind, it.platform));
        wanted.take(count).fold((self.head, 0), |(_, found), it| (it.seq - 1, found + 1))
    }

    /// Looks at every event and puts another in its place where `change` says so.
    pub fn replace(&mut self, mut change: impl FnMut(&Entry) -> Option<Entry>) -> usize {
        let mut changed = 0;
        for slot in &mut self.entries {
            if let Some(entry) = change(slot) {
                *slot = Arc::new(entry);
                changed += 1;
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(capacity: usize, events: u64) -> Ring {
        let mut ring = Ring::new(capacity, 0);
        for seq in 1..=events {
            ring.push(Entry {
                seq,
                ts: Timestamp::now(),
                kind: if seq % 2 == 0 { "chat.message" } else { "activity" },
                platform: None,
                frame: Frame::text(b"{}"),
                about: About::Nothing,
            });
        }
        ring
    }

    #[test]
    fn a_full_ring_forgets_the_oldest() {
        let ring = ring(4, 10);
        assert_eq!((ring.floor(), ring.head()), (6, 10));
        assert_eq!(ring.behind(6).map(|it| it.seq).collect::<Vec<_>>(), [7, 8, 9, 10]);
        assert_eq!(ring.behind(9).map(|it| it.seq).collect::<Vec<_>>(), [10]);
        assert_eq!(ring.behind(10).count(), 0);
    }

    #[test]
    fn a_backlog_counts_only_wanted_events() {
        let ring = ring(64, 10);
        let chat = Filter::parse(Some("chat"), None).unwrap();
        assert_eq!(ring.backlog_start(2, &chat), (7, 2));
        assert_eq!(ring.backlog_start(2, &Filter::default()), (8, 2));
        assert_eq!(ring.backlog_start(0, &chat), (10, 0));
        assert_eq!(ring.backlog_start(500, &chat), (1, 5));
        assert_eq!(super::Ring::new(8, 0).backlog_start(5, &chat), (0, 0));
    }
}
