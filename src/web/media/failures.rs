//! What could not be had lately, so that an outage of a platform is not a storm of requests.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::MediaError;

/// Most failures that are remembered (count).
const MAX_FAILURES: usize = 4096;
/// How long a failure is remembered.
const FAILED_FOR: Duration = Duration::from_secs(60);
/// How long it is remembered that there is no such picture.
const MISSING_FOR: Duration = Duration::from_secs(600);

/// The newest failures by key.
#[derive(Default)]
pub(super) struct Failures(Mutex<HashMap<String, (MediaError, Instant)>>);

impl Failures {
    /// Remembers that `key` could not be had.
    pub(super) fn remember(&self, key: &str, error: MediaError) {
        let now = Instant::now();
        let held = if error == MediaError::NotFound { MISSING_FOR } else { FAILED_FOR };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_FAILURES {
            known.retain(|_, (_, until)| *until > now);
        }
        if known.len() >= MAX_FAILURES {
            let first = known.iter().min_by_key(|(_, (_, until))| *until);
            if let Some(first) = first.map(|(key, _)| key.clone()) {
                known.remove(&first);
            }
        }
        known.insert(key.to_owned(), (error, now + held));
    }

    /// The failure that makes asking for `key` pointless now.
    pub(super) fn find(&self, key: &str) -> Option<MediaError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).filter(|(_, until)| *until > Instant::now()).map(|(error, _)| *error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_forgotten_after_its_time() {
        let failures = Failures::default();
        failures.remember("down", MediaError::Unavailable);
        failures.remember("missing", MediaError::NotFound);
        assert_eq!(failures.find("down"), Some(MediaError::Unavailable));
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(failures.find("down"), None);
        assert_eq!(failures.find("missing"), Some(MediaError::NotFound));
        tokio::time::advance(Duration::from_secs(540)).await;
        assert_eq!(failures.find("missing"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_failures_is_bounded() {
        let failures = Failures::default();
        failures.remember("first", MediaError::Unavailable);
        tokio::time::advance(Duration::from_secs(1)).await;
        for number in 0..MAX_FAILURES {
            failures.remember(&number.to_string(), MediaError::Unavailable);
        }
        assert_eq!(failures.0.lock().unwrap().len(), MAX_FAILURES);
        assert_eq!(failures.find("first"), None);
    }
}
