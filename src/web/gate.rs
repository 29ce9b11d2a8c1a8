//! What stands before the API for accounts: how often one may call, by its tier, and whether anybody but admins may
//! change things now.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use super::{
    ApiError, AppState,
    caller::Caller,
    operation::{Operation, Verb},
    origin,
};
use crate::{
    accounts::{AccessMode, AccountId},
    model::Tier,
};

/// Accounts after which those that no longer say anything are dropped.
const TIDIED_AT: usize = 10_000;

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
    fn of(caller: &Caller, path: &str) -> Option<Self> {
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
pub struct Rates(RwLock<[Option<Limiter>; 3]>);

impl Rates {
    /// Takes one of `per_minute` calls; otherwise tells after how many seconds there is one again.
    ///
    /// # Errors
    /// The time to wait (s), rounded up.
    pub fn take(&self, tier: Tier, who: Pot, per_minute: u32) -> Result<(), u64> {
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

/// Whether calls of a route with this path are counted.
#[must_use]
pub fn is_counted(path: &str) -> bool {
    path.starts_with("/api/") || is_of_account(path)
}

fn is_of_account(path: &str) -> bool {
    path == "/account" || path.starts_with("/account/")
}

/// Whom a route keeps waiting while the server is being worked on. Chat goes on, people get in and out, and overlays
/// tell what they tell: only what accounts do waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// Nobody.
    Nobody,
    /// Whoever has an account.
    Accounts,
    /// Everybody who is no admin.
    Everybody,
}

/// What holds before a route.
#[derive(Debug, Clone, Copy)]
struct Rule {
    verb: Verb,
    counted: bool,
    waits: Waits,
}

/// What holds before each route, by its path.
pub(super) struct Rules(HashMap<&'static str, Vec<Rule>>);

impl Rules {
    pub(super) fn of(operations: &[Operation]) -> Self {
        let mut rules: HashMap<_, Vec<_>> = HashMap::new();
        for it in operations {
            let (counted, waits) = (is_counted(it.path), it.waits());
            rules.entry(it.path).or_default().push(Rule { verb: it.verb, counted, waits });
        }
        Self(rules)
    }

    fn find(&self, path: &str, method: &Method) -> Option<Rule> {
        // `Get` answers HEAD as well.
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.0.get(path)?.iter().find(|it| it.verb.as_str() == method.as_str()).copied()
    }
}

/// Lets a request by, or not. Whoever operates the server is never held up.
pub(super) async fn guard(
    State((state, rules)): State<(AppState, Arc<Rules>)>,
    matched: MatchedPath,
    mut request: Request<Body>,
    next: Next,
) -> Result<Response, ApiError> {
    let rule = rules.find(matched.as_str(), request.method());
    let Some(Rule { counted, waits, .. }) =
        rule.filter(|it| it.counted || it.waits != Waits::Nobody)
    else {
        return Ok(next.run(request).await);
    };
    let caller = Caller::of(&state, request.headers());
    if !caller.is_operator() {
        let book = state.accounts.book();
        if let Some(account) = caller.account().filter(|_| counted)
            && let Some(pot) = Pot::of(&caller, matched.as_str())
        {
            // Of what another site's page has a browser ask, nothing that needs the account is done.
            let foreign = matches!(caller, Caller::Browser { .. })
                && origin::is_cross_site(request.headers())
                && !origin::is_said_to_be_own(&state, request.headers());
            if !foreign {
                let per_minute = book.terms_of(account).features.api_requests_per_minute;
                state.rates.take(account.tier, pot, per_minute).map_err(ApiError::RateLimited)?;
            }
        }
        let must_wait = match waits {
            Waits::Nobody => false,
            Waits::Accounts => caller.account().is_some(),
            Waits::Everybody => true,
        };
        if must_wait && book.access_state().mode != AccessMode::Normal {
            return Err(ApiError::NotNow("this server is being worked on: try again later"));
        }
    }
    // Found out once: handlers ask the request.
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::routes;

    #[test]
    fn what_waits_while_the_server_is_worked_on_is_what_accounts_change() {
        let rules = Rules::of(&routes::list());
        let waits = |method: &str, path: &str| {
            let method = method.parse().unwrap();
            rules.find(path, &method).unwrap_or_else(|| panic!("{method} {path}")).waits
        };
        for (method, path) in [
            ("POST", "/auth/signup/email"),
            ("POST", "/auth/signup/password"),
            ("POST", "/auth/email/change/confirm"),
        ] {
            assert_eq!(waits(method, path), Waits::Everybody, "{method} {path}");
        }
        for (method, path) in [
            ("POST", "/auth/email/change/request"),
            ("PATCH", "/account/email"),
            ("DELETE", "/account"),
            ("PUT", "/api/settings"),
            ("POST", "/api/rooms/{room}/queue"),
            ("POST", "/api/invitations"),
        ] {
            assert_eq!(waits(method, path), Waits::Accounts, "{method} {path}");
        }
        for (method, path) in [
            ("GET", "/account/me"),
            ("HEAD", "/api/settings"),
            ("POST", "/auth/login/password"),
            ("POST", "/auth/verify/email"),
            ("POST", "/auth/logout"),
            ("POST", "/api/rooms/{room}/beacon"),
            ("POST", "/webhooks/kick"),
        ] {
            assert_eq!(waits(method, path), Waits::Nobody, "{method} {path}");
        }
    }

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
