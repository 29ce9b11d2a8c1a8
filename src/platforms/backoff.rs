//! How long to wait before the next try.

use std::time::Duration;

use rand::RngExt;

/// Exponential back-off with full jitter: each pause is random between nothing and a bound that doubles.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    stable: Duration,
    failures: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(60), Duration::from_secs(60))
    }
}

impl Backoff {
    /// Bounds from `first`, doubling to `longest`; an attempt that held for `stable` starts over.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration, stable: Duration) -> Self {
        Self { first, longest, stable, failures: 0 }
    }

    /// The pause after an attempt that held for `held`.
    pub fn next_delay(&mut self, held: Duration) -> Duration {
        if held >= self.stable {
            self.failures = 0;
        }
        let bound = self.first.saturating_mul(1 << self.failures.min(16)).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(rand::rng().random_range(0.0..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_start_over_after_a_stable_minute() {
        let mut backoff = Backoff::default();
        let mut seen = Duration::ZERO;
        for failure in 0..200 {
            let bound = Duration::from_secs(1 << failure.min(6)).min(Duration::from_secs(60));
            let delay = backoff.next_delay(Duration::ZERO);
            assert!(delay <= bound, "{delay:?} after {failure} failures");
            seen = seen.max(delay);
        }
        assert!(seen > Duration::from_secs(30), "jitter uses the whole range");
        assert!(backoff.next_delay(Duration::from_secs(60)) <= Duration::from_secs(1));
    }
}
