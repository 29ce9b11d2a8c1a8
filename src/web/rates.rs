//! How often accounts may call the API, by their tiers.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicUsize, Ordering},
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use super::caller::Caller;
use crate::{accounts::AccountId, model::Tier};

/// Calls after which those who no longer call are forgotten.
const TIDIED_EVERY: usize = 10_000;

/// What the calls of an account are counted by: what its programs do keeps nobody from their own pages, on which those
/// are stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pot {
    /// Its programs, with whichever of its tokens.
    Programs(AccountId),
    /// Its browsers.
    Browsers(AccountId),
    /// Its browsers, on what its owner does with the account itself.
    Account(AccountId),
}

impl Pot {
    /// Which one a call of a route with this path is taken from; none for whoever has no account here.
    #[must_use]
    pub fn of(caller: &Caller, path: &str) -> Option<Self> {
        match caller {
            Caller::Program { account, .. } => Some(Self::Programs(account.id)),
            Caller::Browser { account, .. } if is_of_account(path) => {
                Some(Self::Account(account.id))
            }
            Caller::Browser { account, .. } => Some(Self::Browsers(account.id)),
            Caller::Nobody | Caller::OperatorToken | Caller::OperatorBrowser { .. } => None,
        }
    }
}

/// The calls of one tier, and how many of them a minute it was made for.
type Limiter = (u32, Arc<DefaultKeyedRateLimiter<Pot>>);

/// How often accounts may call; follows the tiers.
#[derive(Default)]
pub struct Rates {
    by_tier: RwLock<[Option<Limiter>; 3]>,
    calls: AtomicUsize,
}

impl Rates {
    /// Takes one of `per_minute` calls; otherwise tells after how many seconds there is one again.
    ///
    /// # Errors
    /// The time to wait (s), rounded up.
    pub fn take(&self, tier: Tier, who: Pot, per_minute: u32) -> Result<(), u64> {
        let known =
            self.by_tier.read().unwrap_or_else(PoisonError::into_inner)[tier as usize].clone();
        let limiter = match known {
            Some((made_for, limiter)) if made_for == per_minute => limiter,
            _ => {
                let quota = Quota::per_minute(per_minute.try_into().map_err(|_| 60_u64)?);
                let limiter = Arc::new(RateLimiter::keyed(quota));
                let mut slots = self.by_tier.write().unwrap_or_else(PoisonError::into_inner);
                slots[tier as usize] = Some((per_minute, Arc::clone(&limiter)));
                limiter
            }
        };
        if self.calls.fetch_add(1, Ordering::Relaxed) % TIDIED_EVERY == TIDIED_EVERY - 1 {
            limiter.retain_recent();
        }
        limiter
            .check_key(&who)
            .map_err(|it| it.wait_time_from(DefaultClock::default().now()).as_secs() + 1)
    }
}

/// Whether a route with this path is about the account of whoever asks.
#[must_use]
pub(super) fn is_of_account(path: &str) -> bool {
    path == "/account" || path.starts_with("/account/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_one_pace_for_its_programs_which_keeps_nobody_from_their_pages() {
        let rates = Rates::default();
        let (ana, ben) = (AccountId::random(), AccountId::random());
        for pot in [Pot::Programs(ana), Pot::Browsers(ana), Pot::Account(ana), Pot::Programs(ben)] {
            assert_eq!(rates.take(Tier::Core, pot, 1), Ok(()), "{pot:?}");
        }
        assert!(rates.take(Tier::Core, Pot::Programs(ana), 1).is_err());
    }
}
