//! How fast attempts and mails may follow each other.

use std::{net::IpAddr, num::NonZeroU32};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use super::{Digest, Email, lockout::network};

/// Entries after which those that no longer say anything are dropped.
const TIDIED_AT: usize = 10_000;

/// How fast attempts and mails may follow each other.
pub struct Paces {
    attempts: DefaultKeyedRateLimiter<IpAddr>,
    mails: DefaultKeyedRateLimiter<Digest>,
}

impl Paces {
    /// So many attempts a minute from one address, and so many mails an hour to one.
    #[must_use]
    pub fn new(attempts_per_minute: u32, mails_per_hour: u32) -> Self {
        let at_least_one = |it: u32| NonZeroU32::new(it).unwrap_or(NonZeroU32::MIN);
        Self {
            attempts: RateLimiter::keyed(Quota::per_minute(at_least_one(attempts_per_minute))),
            mails: RateLimiter::keyed(Quota::per_hour(at_least_one(mails_per_hour))),
        }
    }

    /// Takes an attempt from an address.
    ///
    /// # Errors
    /// The time to wait (s).
    pub fn attempt(&self, address: Option<IpAddr>) -> Result<(), u64> {
        let Some(address) = address else { return Ok(()) };
        if self.attempts.len() > TIDIED_AT {
            self.attempts.retain_recent();
        }
        self.attempts
            .check_key(&network(address))
            .map_err(|it| it.wait_time_from(DefaultClock::default().now()).as_secs() + 1)
    }

    /// Takes a mail to an address; `false` when there were enough of them. Whoever asked is not told.
    #[must_use]
    pub fn mail(&self, to: &Email) -> bool {
        if self.mails.len() > TIDIED_AT {
            self.mails.retain_recent();
        }
        self.mails.check_key(&Digest::of(to.as_str())).is_ok()
    }
}
