//! What stands before the API for accounts: how often one sign-in or token may call, by its tier, and whether anybody
//! but admins may change things now.

use std::sync::{Arc, PoisonError, RwLock};

use axum::{
    body::Body,
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use super::{ApiError, AppState, caller::Caller};
use crate::{
    accounts::{AccessMode, Digest},
    model::Tier,
};

/// Sign-ins and tokens after which those that no longer say anything are dropped.
const TIDIED_AT: usize = 10_000;

/// The calls of one tier, and how many of them a minute it was made for.
type Limiter = (u32, Arc<DefaultKeyedRateLimiter<Digest>>);

/// How often sign-ins and tokens may call; follows the tiers.
#[derive(Default)]
pub struct Rates(RwLock<[Option<Limiter>; 3]>);

impl Rates {
    /// Takes one of `per_minute` calls; otherwise tells after how many seconds there is one again.
    ///
    /// # Errors
    /// The time to wait (s), rounded up.
    pub fn take(&self, tier: Tier, who: Digest, per_minute: u32) -> Result<(), u64> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner)[tier as usize].clone();
        let limiter = match known {
            Some((made_for, limiter)) if made_for == per_minute => limiter,
            _ => {
                let quota = Quota::per_minute(per_minute.try_into().map_err(|_| 60_u64)?);
                let limiter = Arc::new(RateLimiter::keyed(quota));
                let mut slots = self.0.write().unwrap_or_else(PoisonError::into_inner);
                slots[tier as usize] = Some((per_minute, Arc::clone(&limiter)));
                limiter
            }
        };
        if limiter.len() > TIDIED_AT {
            limiter.retain_recent();
        }
        limiter
            .check_key(&who)
            .map_err(|it| it.wait_time_from(DefaultClock::default().now()).as_secs() + 1)
    }
}

/// Whether calls of this address are counted.
#[must_use]
pub fn is_counted(path: &str) -> bool {
    path.starts_with("/api/") || is_of_accounts(path)
}

fn is_of_accounts(path: &str) -> bool {
    path == "/account" || path.starts_with("/account/")
}

/// Lets a request by, or not. Whoever operates the server is never held up.
pub(super) async fn guard(
    State(state): State<AppState>,
    request: Request<Body>,
    next: Next,
) -> Result<Response, ApiError> {
    let path = request.uri().path();
    let (counted, signs_up) = (is_counted(path), path.starts_with("/auth/signup"));
    if !counted && !signs_up {
        return Ok(next.run(request).await);
    }
    let caller = Caller::of(&state, request.headers());
    if caller.is_operator() {
        return Ok(next.run(request).await);
    }
    let book = state.accounts.book();
    let who = match &caller {
        Caller::Browser { account, session } => Some((account, session.digest)),
        Caller::Program { account, token } => Some((account, token.digest)),
        _ => None,
    };
    if let Some((account, who)) = who.filter(|_| counted) {
        let per_minute = book.terms_of(account).features.api_requests_per_minute;
        state.rates.take(account.tier, who, per_minute).map_err(ApiError::RateLimited)?;
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // Chat goes on, and so does what overlays tell: only what accounts do waits.
    let waits = signs_up || who.is_some();
    if changes && waits && book.access_state().mode != AccessMode::Normal {
        return Err(ApiError::NotNow("this server is being worked on: try again later"));
    }
    Ok(next.run(request).await)
}
