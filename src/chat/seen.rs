//! Which events a room already has, by the platform's own id, bounded.

use std::{
    collections::{HashSet, VecDeque},
    hash::{BuildHasher, Hash, RandomState},
};

/// The newest keys seen; the oldest are forgotten.
///
/// Only a keyed 64-bit hash is kept: two different keys among ten thousand are taken for one once in
/// some 10^15 events.
#[derive(Debug)]
pub struct Seen {
    hasher: RandomState,
    known: HashSet<u64>,
    order: VecDeque<u64>,
    capacity: usize,
}

impl Seen {
    /// Remembers `capacity` keys.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { hasher: RandomState::new(), known: HashSet::new(), order: VecDeque::new(), capacity }
    }

    /// Notes `key`; `false` when it was known.
    pub fn insert(&mut self, key: impl Hash) -> bool {
        let hash = self.hasher.hash_one(key);
        if !self.known.insert(hash) {
            return false;
        }
        if self.order.len() == self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(hash);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_recognised_until_it_is_forgotten() {
        let mut seen = Seen::new(2);
        assert!(seen.insert("a"));
        assert!(!seen.insert("a"));
        assert!(seen.insert("b"));
        assert!(seen.insert("c"));
        assert!(seen.insert("a"), "forgotten: two newer ones came");
        assert_eq!(seen.known.len(), 2);
    }
}
