//! How many workers of a platform may begin at once: a thousand that start, or come back after an outage, go in
//! one after another.

use std::{num::NonZeroU32, sync::Arc};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Mutex;

/// The way in for the workers of one platform. Cheap to clone.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    pace: DefaultDirectRateLimiter,
    /// Only the first in line watches the pace: a thousand who all do keep a core busy.
    line: Mutex<()>,
}

impl Gate {
    /// Lets `per_second` in at once, and as many with every second that passes.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        let per_second = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        let pace = RateLimiter::direct(Quota::per_second(per_second));
        Self(Arc::new(Inner { pace, line: Mutex::new(()) }))
    }

    /// Waits for a turn, in the order of those who came.
    pub async fn pass(&self) {
        let _first = self.0.line.lock().await;
        self.0.pace.until_ready().await;
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
