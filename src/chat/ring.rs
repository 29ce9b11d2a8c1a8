//! The newest events of a room, in memory: for joiners, for readers that fell behind, for moderation.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use super::{frame::Frame, moderation::Reach};
use crate::{
    feed::{Filter, Wording},
    model::{Message, Platform, QualifiedId, Timestamp},
};

/// Bytes that a ring holds for each event that it may hold: several times what a chat line takes. Whole queues and
/// stylesheets are larger, and many of them shorten the ring instead of filling the memory.
const BYTES_EACH: usize = 4096;
/// The smallest ring holds this much (bytes).
const LEAST_BYTES: usize = 1 << 20;

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
    /// A list of messages, and whose words those are.
    Messages(Box<[Mention]>),
    /// A deletion, with the early copy that overtakes what waits.
    Deletion {
        /// Without a place in the feed.
        early: Frame,
    },
}

/// One message in a list, as far as it must be known whether a deletion may concern it: ids by their hashes, so that
/// two hundred of them cost little. Who is hit looks into the list itself.
#[derive(Debug, Clone, Copy)]
pub struct Mention {
    id: u64,
    author: u64,
    quoted: u64,
    quoted_author: u64,
    platform: Platform,
}

impl Mention {
    /// Of a message.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let quote = message.reply_to.as_ref();
        Self {
            id: hash(&message.id),
            author: hash(&message.author.id),
            quoted: quote.map_or(0, |it| hash(&it.id)),
            quoted_author: quote.map_or(0, |it| hash(&it.author.id)),
            platform: message.platform,
        }
    }

    /// Whether a viewer may have written it.
    #[must_use]
    pub fn is_by(&self, author: &QualifiedId) -> bool {
        self.author == hash(author)
    }

    /// Whether a deletion may take something of it away.
    #[must_use]
    pub fn is_reached(&self, reach: Reach<'_>) -> bool {
        match reach {
            Reach::Message(it) => [self.id, self.quoted].contains(&hash(it)),
            Reach::Author(it) => [self.author, self.quoted_author].contains(&hash(it)),
            Reach::Chat(only) => only.is_none_or(|it| it == self.platform),
        }
    }
}

fn hash(id: &QualifiedId) -> u64 {
    let mut hash = DefaultHasher::new();
    id.hash(&mut hash);
    hash.finish()
}

impl Entry {
    /// What it takes in memory, about (bytes).
    fn weight(&self) -> usize {
        const FIXED: usize = 256;
        let about = match &self.about {
            About::Messages(it) => size_of_val(&**it),
            About::Deletion { early } => early.wire().len(),
            About::Nothing | About::Words(_) => 0,
        };
        FIXED + self.frame.wire().len() + about
    }
}

/// The newest events, bounded in number and in bytes: adding to a full ring forgets the oldest.
#[derive(Debug)]
pub struct Ring {
    entries: VecDeque<Arc<Entry>>,
    capacity: usize,
    bytes: usize,
    most_bytes: usize,
    head: u64,
}

impl Ring {
    /// Empty, with `head` as the last place taken so far.
    #[must_use]
    pub fn new(capacity: usize, head: u64) -> Self {
        let most_bytes = (capacity * BYTES_EACH).max(LEAST_BYTES);
        Self { entries: VecDeque::new(), capacity, bytes: 0, most_bytes, head }
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

    /// Whether a reader that has everything up to `place` is in danger of being overtaken: half of what can be held
    /// lies before it.
    #[must_use]
    pub fn is_pressed(&self, place: u64) -> bool {
        let behind = self.head.saturating_sub(place);
        let half_full = self.bytes > self.most_bytes / 2;
        behind > self.capacity as u64 / 2 || (half_full && behind > self.entries.len() as u64 / 2)
    }

    /// Adds the event of the next place.
    pub fn push(&mut self, entry: Entry) {
        debug_assert_eq!(entry.seq, self.head + 1, "the feed has no holes");
        self.bytes += entry.weight();
        // The newest is always held, however large.
        while self.entries.len() == self.capacity || self.bytes > self.most_bytes {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.weight();
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
                self.bytes = self.bytes + entry.weight() - slot.weight();
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

    fn large(seq: u64, bytes: usize) -> Entry {
        Entry {
            seq,
            ts: Timestamp::now(),
            kind: "queue.update",
            platform: None,
            frame: Frame::text(&vec![b' '; bytes]),
            about: About::Messages(Box::default()),
        }
    }

    #[test]
    fn many_large_events_shorten_the_ring_instead_of_filling_the_memory() {
        let mut ring = Ring::new(1024, 0);
        let most = 1024 * BYTES_EACH;
        for seq in 1..=1000 {
            ring.push(large(seq, 180_000));
            let held: usize = ring.behind(ring.floor()).map(|it| it.frame.wire().len()).sum();
            assert!(held <= most, "{held}");
        }
        let places: Vec<u64> = ring.behind(ring.floor()).map(|it| it.seq).collect();
        assert_eq!(places, (ring.floor() + 1..=1000).collect::<Vec<_>>());
        assert!((20..30).contains(&places.len()), "{places:?}");
        // A writer is waited for before the ring, which is shorter now, goes on past it.
        assert!(ring.is_pressed(1000 - 15) && !ring.is_pressed(1000 - 5));
        assert!(!Ring::new(1024, 9).is_pressed(9));
        // What is moderated makes room again, and one that is larger than everything is held alone.
        ring.replace(|it| Some(large(it.seq, 10)));
        ring.push(large(1001, 4_000_000));
        assert_eq!(ring.floor(), 1000 - places.len() as u64);
        ring.push(large(1002, 2 * most));
        assert_eq!(ring.floor(), 1001);
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
