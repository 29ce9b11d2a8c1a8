//! The addresses from which the site is read without a key: our own, then each proxy in turn.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::http::Way;

/// The ways to the site, and which of them is in use. Shared by all workers: what blocks one blocks all.
#[derive(Debug)]
pub struct Ways {
    ways: Vec<Way>,
    current: AtomicUsize,
}

impl Ways {
    /// Straight, and through each of `proxies`.
    #[must_use]
    pub fn new(straight: &Way, proxies: &[String]) -> Self {
        let through = |it: &String| Way { proxy: Some(it.clone()), ..straight.clone() };
        let ways = std::iter::once(straight.clone()).chain(proxies.iter().map(through)).collect();
        Self { ways, current: AtomicUsize::new(0) }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ways.len()
    }

    /// The one in use, and its number.
    #[must_use]
    pub fn current(&self) -> (usize, &Way) {
        let number = self.current.load(Ordering::Relaxed) % self.ways.len();
        (number, &self.ways[number])
    }

    /// `number` was blocked: the next one is in use from now on, unless somebody else said so already.
    pub fn leave(&self, number: usize) {
        let next = (number + 1) % self.ways.len();
        // Whoever loses the race finds the other one's choice in use, which is as good.
        let _ = self.current.compare_exchange(number, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_seen_by_many_at_once_leaves_one_way_and_not_two() {
        let proxies = ["http://a.example:1".to_owned(), "http://b.example:1".to_owned()];
        let ways = Ways::new(&Way::default(), &proxies);
        assert_eq!((ways.count(), ways.current().0), (3, 0));
        ways.leave(0);
        ways.leave(0);
        assert_eq!(ways.current().1.proxy.as_deref(), Some("http://a.example:1"));
        ways.leave(1);
        ways.leave(2);
        assert_eq!(ways.current().1.proxy, None, "round again");
    }
}
