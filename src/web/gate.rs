//! What stands before the API for accounts: how often one may call, by its tier, and whether anybody but admins may
//! change things now.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};

use super::{
    ApiError, AppState,
    caller::Caller,
    operation::{Operation, Verb},
    origin,
    rates::{Pot, is_of_account},
};
use crate::accounts::AccessMode;

/// Whether calls of a route with this path are counted.
#[must_use]
pub fn is_counted(path: &str) -> bool {
    path.starts_with("/api/") || is_of_account(path)
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
}
