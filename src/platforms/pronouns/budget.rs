//! How much may be asked: so much a minute, and as much at once when nothing was.

use tokio::time::Instant;

/// What is left of one budget.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    left: f64,
    at: Instant,
}

impl Budget {
    /// A full one.
    pub(super) fn new(per_minute: u32, now: Instant) -> Self {
        Self { left: f64::from(per_minute), at: now }
    }

    /// Lets it grow to what it is now.
    pub(super) fn refill(&mut self, per_minute: u32, now: Instant) {
        let most = f64::from(per_minute);
        let grown = now.saturating_duration_since(self.at).as_secs_f64() * most / 60.0;
        (self.left, self.at) = ((self.left + grown).min(most), now);
    }

    /// Whether one more may be asked for.
    pub(super) fn is_left(&self) -> bool {
        self.left >= 1.0
    }

    /// Whether nothing is missing: then it need not be remembered.
    pub(super) fn is_full(&self, per_minute: u32) -> bool {
        self.left >= f64::from(per_minute)
    }

    /// Takes one.
    pub(super) fn take(&mut self) {
        self.left -= 1.0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_budget_is_spent_grows_with_time_and_never_beyond_a_minutes_worth() {
        let mut budget = Budget::new(6, Instant::now());
        let take = |budget: &mut Budget| {
            budget.refill(6, Instant::now());
            let left = budget.is_left();
            if left {
                budget.take();
            }
            left
        };
        assert_eq!((0..8).filter(|_| take(&mut budget)).count(), 6);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!((0..8).filter(|_| take(&mut budget)).count(), 1);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!((0..8).filter(|_| take(&mut budget)).count(), 6);
    }
}
