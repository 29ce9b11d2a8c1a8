//! Which events a room already has, by the platform's own id, bounded.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    hash::{BuildHasher, Hash, RandomState},
};

use crate::model::Platform;

/// The newest keys seen of each platform; the oldest are forgotten.
///
/// Each platform has its own: a slow chat that is read again from an hour ago must not double because a fast one
/// beside it has filled the memory meanwhile.
///
/// Only a keyed 64-bit hash is kept: two different keys among ten thousand are taken for one once in
/// some 10^15 events.
#[derive(Debug)]
pub struct Seen {
    hasher: RandomState,
    of: BTreeMap<Option<Platform>, Window>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Window {
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Seen {
    /// Remembers `capacity` keys of each platform.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { hasher: RandomState::new(), of: BTreeMap::new(), capacity }
    }

    /// Notes `key`; `false` when it was known.
    pub fn insert(&mut self, platform: Option<Platform>, key: impl Hash) -> bool {
        let hash = self.hasher.hash_one(key);
        let window = self.of.entry(platform).or_default();
        if !window.known.insert(hash) {
            return false;
        }
        if window.order.len() == self.capacity
            && let Some(oldest) = window.order.pop_front()
        {
            window.known.remove(&oldest);
        }
        window.order.push_back(hash);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_recognised_until_it_is_forgotten() {
        let mut seen = Seen::new(2);
        assert!(seen.insert(None, "a"));
        assert!(!seen.insert(None, "a"));
        assert!(seen.insert(None, "b"));
        assert!(seen.insert(None, "c"));
        assert!(seen.insert(None, "a"), "forgotten: two newer ones came");
        assert_eq!(seen.of[&None].known.len(), 2);
    }

    #[test]
    fn a_fast_platform_does_not_make_a_slow_one_forgotten() {
        let mut seen = Seen::new(2);
        let (slow, fast) = (Some(Platform::Youtube), Some(Platform::Twitch));
        assert!(seen.insert(slow, "a"));
        for number in 0..100 {
            assert!(seen.insert(fast, number));
        }
        assert!(!seen.insert(slow, "a"));
    }
}
