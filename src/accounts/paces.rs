//! How fast attempts and mails may follow each other.

use std::{
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use super::{Digest, Email, lockout::network};

/// Entries after which those that no longer say anything are dropped.
const TIDIED_AT: usize = 10_000;
/// Most entries. Beyond them everybody waits: so many networks at once are no people.
const MOST: usize = 500_000;

/// Keys, each with its own pace, as many as are needed and no more than [`MOST`].
struct Keyed<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    /// Tidied when there are so many. Looking at all of them each time would be the slowest part of an attack.
    tidied_at: AtomicUsize,
}

impl<K: Hash + Eq + Clone> Keyed<K> {
    fn new(quota: Quota) -> Self {
        Self { limiter: RateLimiter::keyed(quota), tidied_at: AtomicUsize::new(TIDIED_AT) }
    }

    /// Takes one, or answers how long to wait (s).
    fn take(&self, key: &K) -> Result<(), u64> {
        if self.limiter.len() > self.tidied_at.load(Ordering::Relaxed) {
            self.limiter.retain_recent();
            let left = self.limiter.len();
            self.tidied_at.store((left * 2).clamp(TIDIED_AT, MOST), Ordering::Relaxed);
            if left > MOST {
                return Err(1);
            }
        }
        self.limiter
            .check_key(key)
            .map_err(|it| it.wait_time_from(DefaultClock::default().now()).as_secs() + 1)
    }
}

/// How fast attempts and mails may follow each other.
pub struct Paces {
    attempts: Keyed<IpAddr>,
    mails: Keyed<Digest>,
}

impl Paces {
    /// So many attempts a minute from one address, and so many mails an hour to one.
    #[must_use]
    pub fn new(attempts_per_minute: u32, mails_per_hour: u32) -> Self {
        let at_least_one = |it: u32| NonZeroU32::new(it).unwrap_or(NonZeroU32::MIN);
        Self {
            attempts: Keyed::new(Quota::per_minute(at_least_one(attempts_per_minute))),
            mails: Keyed::new(Quota::per_hour(at_least_one(mails_per_hour))),
        }
    }

    /// Takes an attempt from an address.
    ///
    /// # Errors
    /// The time to wait (s).
    pub fn attempt(&self, address: Option<IpAddr>) -> Result<(), u64> {
        let Some(address) = address else { return Ok(()) };
        self.attempts.take(&network(address))
    }

    /// Takes a mail to an address; `false` when there were enough of them. Whoever asked is not told.
    #[must_use]
    pub fn mail(&self, to: &Email) -> bool {
        self.mails.take(&Digest::of(to.as_str())).is_ok()
    }
}
