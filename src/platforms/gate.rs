//! How many workers of a platform may begin at once: a thousand that start, or come back after an outage, go in
//! one after another.

use std::{num::NonZeroU32, sync::Arc};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// The way in for the workers of one platform. Cheap to clone.
#[derive(Clone)]
pub struct Gate(Arc<DefaultDirectRateLimiter>);

impl Gate {
    /// Lets `per_second` in at once, and as many with every second that passes.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        let per_second = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        Self(Arc::new(RateLimiter::direct(Quota::per_second(per_second))))
    }

    /// Waits for a turn. Those who wait are let in evenly, not in the order they came.
    pub async fn pass(&self) {
        self.0.until_ready().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// The one way to see a pace is to take the time: bounds are wide.
    #[tokio::test]
    async fn more_than_the_pace_have_to_wait() {
        let gate = Gate::new(50);
        let started = Instant::now();
        for _ in 0..60 {
            gate.pass().await;
        }
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(150), "{took:?}");
    }
}
