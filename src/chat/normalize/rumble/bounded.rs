//! What is remembered, never more than so much of it: the oldest is forgotten.

use std::collections::{HashMap, HashSet, VecDeque};

/// Newest ids of messages that are remembered (count).
const MAX_SEEN: usize = 4_096;

/// The newest ids.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    /// Whether it is new.
    pub(super) fn insert(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > MAX_SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

/// A map that forgets what was put into it first.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    map: HashMap<K, V>,
    order: VecDeque<K>,
    most: usize,
}

impl<K: Clone + Eq + std::hash::Hash, V> Bounded<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { map: HashMap::new(), order: VecDeque::new(), most }
    }

    pub(super) fn get<Q: Eq + std::hash::Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.map.get(key)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.map.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
            if self.order.len() > self.most
                && let Some(oldest) = self.order.pop_front()
            {
                self.map.remove(&oldest);
            }
        }
    }

    pub(super) fn entry(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        if !self.map.contains_key(&key) {
            self.insert(key.clone(), new());
        }
        self.map.get_mut(&key).expect("it is there, or was put there just now")
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.order.iter().filter_map(|it| self.map.get_key_value(it))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.map.values()
    }
}
