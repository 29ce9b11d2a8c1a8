//! Which pictures lie in the cache folder, how large they are, and which was used longest ago.

use std::collections::{BTreeMap, HashMap};

/// The files of the cache, by name.
#[derive(Default)]
pub(super) struct Index {
    files: HashMap<String, Listed>,
    /// Turn of the last use, and whose it was: the first entry is evicted first.
    by_use: BTreeMap<u64, String>,
    turn: u64,
    bytes: u64,
}

struct Listed {
    turn: u64,
    bytes: u64,
}

impl Index {
    /// Whether there is such a file; if so, it has been used just now.
    pub(super) fn touch(&mut self, name: &str) -> bool {
        let Some(listed) = self.files.get_mut(name) else { return false };
        if let Some(name) = self.by_use.remove(&listed.turn) {
            self.turn += 1;
            listed.turn = self.turn;
            self.by_use.insert(self.turn, name);
        }
        true
    }

    /// Adds a file, or a new size of one, as used just now.
    pub(super) fn insert(&mut self, name: String, bytes: u64) {
        self.remove(&name);
        self.turn += 1;
        self.bytes += bytes;
        self.by_use.insert(self.turn, name.clone());
        self.files.insert(name, Listed { turn: self.turn, bytes });
    }

    /// Forgets a file.
    pub(super) fn remove(&mut self, name: &str) {
        if let Some(listed) = self.files.remove(name) {
            self.by_use.remove(&listed.turn);
            self.bytes -= listed.bytes;
        }
    }

    /// Forgets the files used longest ago until the rest takes at most `max_bytes`; returns them.
    pub(super) fn evict(&mut self, max_bytes: u64) -> Vec<String> {
        let mut evicted = Vec::new();
        while self.bytes > max_bytes {
            let Some((_, name)) = self.by_use.pop_first() else { break };
            if let Some(listed) = self.files.remove(&name) {
                self.bytes -= listed.bytes;
            }
            evicted.push(name);
        }
        evicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut index = Index::default();
        for name in ["a", "b", "c"] {
            index.insert(name.into(), 10);
        }
        assert!(index.touch("a"));
        assert!(!index.touch("d"));
        assert_eq!(index.evict(30), Vec::<String>::new());
        assert_eq!(index.evict(25), ["b"]);
        index.insert("c".into(), 5);
        assert_eq!(index.bytes, 15);
        assert_eq!(index.evict(0), ["a", "c"]);
        assert_eq!(index.bytes, 0);
    }
}
