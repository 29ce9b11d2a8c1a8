//! Who asks: found out once, from the headers alone.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, header, request::Parts},
};

use super::{ApiError, AppState, accept::Peer, cookies, origin};
use crate::{
    accounts::{API_TOKEN_PREFIX, Account, Actor, ApiToken, Digest, Origin, Owner, Session},
    model::{AccountRole, CreatorId},
};

/// Who asks.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Nobody who is known.
    Nobody,
    /// Whoever operates the server, with its token.
    OperatorToken,
    /// The same, in the browser that came over the link printed at the start; or the emergency admin.
    OperatorBrowser {
        /// Whether it is the emergency admin.
        fallback: bool,
    },
    /// An account, in a browser.
    Browser {
        /// Whose.
        account: Arc<Account>,
        /// The sign-in.
        session: Arc<Session>,
    },
    /// A program of an account.
    Program {
        /// Whose.
        account: Arc<Account>,
        /// What it sent.
        token: Arc<ApiToken>,
    },
}

impl Caller {
    /// Of a request with these headers. A token counts before a cookie.
    #[must_use]
    pub fn of(state: &AppState, headers: &HeaderMap) -> Self {
        if let Some(sent) = sent_token(headers) {
            if state.operator.is_token(sent) {
                return Self::OperatorToken;
            }
            return Self::of_token(state, sent).unwrap_or(Self::Nobody);
        }
        let Some(cookie) = cookies::session(headers) else { return Self::Nobody };
        if let Some(fallback) = state.operator.find_session(cookie) {
            return Self::OperatorBrowser { fallback };
        }
        Self::of_cookie(state, cookie).unwrap_or(Self::Nobody)
    }

    /// Of a request: found out once.
    pub(super) fn of_parts(state: &AppState, parts: &mut Parts) -> Self {
        if let Some(known) = parts.extensions.get::<Self>() {
            return known.clone();
        }
        let caller = Self::of(state, &parts.headers);
        parts.extensions.insert(caller.clone());
        caller
    }

    fn of_cookie(state: &AppState, cookie: &str) -> Option<Self> {
        let caller = Self::of_session(state, &Digest::of(cookie))?;
        if let Self::Browser { session, .. } = &caller {
            session.touch(state.accounts.now());
        }
        Some(caller)
    }

    /// Whose sign-in it is, as long as it is open.
    #[must_use]
    pub fn of_session(state: &AppState, digest: &Digest) -> Option<Self> {
        let book = state.accounts.book();
        let session = book.session(digest)?;
        let (at, idle) =
            (state.accounts.now(), state.config.borrow().system.auth.session_idle_hours);
        let account = book.account(session.account).filter(|it| it.is_active())?;
        if !session.is_open(idle, at) {
            return None;
        }
        Some(Self::Browser { account: Arc::clone(account), session: Arc::clone(session) })
    }

    fn of_token(state: &AppState, sent: &str) -> Option<Self> {
        if !sent.starts_with(API_TOKEN_PREFIX) {
            return None;
        }
        let caller = Self::of_program(state, &Digest::of(sent))?;
        if let Self::Program { token, .. } = &caller {
            token.touch(state.accounts.now());
        }
        Some(caller)
    }

    /// Whose token it is, as long as it works.
    #[must_use]
    pub fn of_program(state: &AppState, digest: &Digest) -> Option<Self> {
        let book = state.accounts.book();
        let at = state.accounts.now();
        let token = book.token(digest).filter(|it| it.is_open(at))?;
        let account = book.account(token.account).filter(|it| it.is_active())?;
        Some(Self::Program { account: Arc::clone(account), token: Arc::clone(token) })
    }

    /// The account, when it is one.
    #[must_use]
    pub fn account(&self) -> Option<&Arc<Account>> {
        match self {
            Self::Browser { account, .. } | Self::Program { account, .. } => Some(account),
            Self::Nobody | Self::OperatorToken | Self::OperatorBrowser { .. } => None,
        }
    }

    /// Whether it is the operator, or an admin, who may do the same.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        match self {
            Self::OperatorToken | Self::OperatorBrowser { .. } => true,
            // An admin's programs do not: a token that leaks must not open the whole server.
            Self::Browser { account, .. } => account.role == AccountRole::Admin,
            Self::Nobody | Self::Program { .. } => false,
        }
    }

    /// Whether a room is theirs, or they operate the server.
    #[must_use]
    pub fn owns(&self, room: &CreatorId) -> bool {
        self.is_operator() || self.account().is_some_and(|it| it.owns(room))
    }

    /// Whether anybody at all.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Nobody)
    }

    /// As the audit calls them.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self {
            Self::Nobody => Actor::Nobody,
            Self::OperatorToken | Self::OperatorBrowser { fallback: false } => Actor::Operator,
            Self::OperatorBrowser { fallback: true } => Actor::Fallback,
            Self::Browser { account, .. } | Self::Program { account, .. } => Actor::of(account),
        }
    }

    /// Lets a request do something, or not: a browser sends its cookie along for any page, so that the page must be
    /// one of ours. For calls; pages are there for links on other sites as well.
    ///
    /// # Errors
    /// 401 for nobody, 403 for a change that does not come from us, and for all that comes from elsewhere.
    pub fn may_change(
        &self,
        state: &AppState,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<(), ApiError> {
        match self {
            Self::Nobody => return Err(ApiError::Unauthorized),
            Self::OperatorToken | Self::Program { .. } => return Ok(()),
            Self::OperatorBrowser { .. } | Self::Browser { .. } => {}
        }
        if origin::is_said_to_be_own(state, headers) {
            return Ok(());
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(ApiError::Forbidden(
                "a change by session needs the Origin of a page of this server; scripts send a token",
            ));
        }
        // What is only read may take the server long, or be noted: no other site's page has it done.
        if origin::is_cross_site(headers) {
            return Err(ApiError::Forbidden(origin::FOREIGN));
        }
        Ok(())
    }
}

/// The token that a program sends along.
fn sent_token(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let bearer = text("authorization").and_then(|it| {
        let (scheme, rest) = it.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
    });
    bearer.or_else(|| text("x-streamsuites-token").map(str::trim))
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Ok(Self::of_parts(state, parts))
    }
}

/// Proof that a request comes from the operator or an admin, and may change things.
pub struct OperatorOnly(
    /// Who it is.
    pub Caller,
);

impl FromRequestParts<AppState> for OperatorOnly {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::of_parts(state, parts);
        if caller.is_known() && !caller.is_operator() {
            return Err(ApiError::Forbidden("this is for the operator of this server"));
        }
        caller.may_change(state, &parts.method, &parts.headers)?;
        Ok(Self(caller))
    }
}

/// A request by anybody who is known, that may change things; the handler says which.
pub struct MayChange(
    /// Who it is.
    pub Caller,
);

impl FromRequestParts<AppState> for MayChange {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::of_parts(state, parts);
        caller.may_change(state, &parts.method, &parts.headers)?;
        Ok(Self(caller))
    }
}

/// A request by an account, in a browser or by a program, that may change things.
pub struct AccountOnly {
    /// Whose.
    pub account: Arc<Account>,
    /// Who it is, with the way they came.
    pub caller: Caller,
}

impl FromRequestParts<AppState> for AccountOnly {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::of_parts(state, parts);
        let Some(account) = caller.account().cloned() else {
            return Err(match caller {
                Caller::Nobody => ApiError::Unauthorized,
                _ => ApiError::Forbidden("this is for accounts, and the operator has none"),
            });
        };
        caller.may_change(state, &parts.method, &parts.headers)?;
        Ok(Self { account, caller })
    }
}

/// A request by an account in a browser: what concerns the account itself is none of a program's business.
pub struct BrowserOnly {
    /// Whose.
    pub account: Arc<Account>,
    /// The sign-in.
    pub session: Arc<Session>,
}

impl FromRequestParts<AppState> for BrowserOnly {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::of_parts(state, parts);
        match &caller {
            Caller::Browser { account, session } => {
                caller.may_change(state, &parts.method, &parts.headers)?;
                Ok(Self { account: Arc::clone(account), session: Arc::clone(session) })
            }
            Caller::Nobody => Err(ApiError::Unauthorized),
            _ => Err(ApiError::Forbidden("this is for whoever is signed in with a browser")),
        }
    }
}

impl BrowserOnly {
    /// As the domain calls them.
    #[must_use]
    pub fn owner(&self, origin: Origin) -> Owner {
        Owner { account: self.account.id, session: self.session.digest, origin }
    }
}

/// From where a request comes, for limits and the audit. Never for access.
pub struct From(
    /// That.
    pub Origin,
);

impl FromRequestParts<AppState> for From {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let peer = parts.extensions.get::<Peer>().copied();
        let header = state.config.borrow().system.web.client_address_header.clone();
        let told = header.filter(|_| peer.is_some_and(Peer::is_local)).and_then(|name| {
            // Of several, on one line or on many, the last was put there by the proxy that is trusted.
            let last_line = parts.headers.get_all(name).iter().next_back()?.to_str().ok()?;
            last_line.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
        });
        let address = told.or_else(|| peer.map(|it| it.remote.ip().to_canonical()));
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok());
        Ok(Self(Origin {
            address,
            user_agent: user_agent.unwrap_or_default().chars().take(200).collect(),
        }))
    }
}

/// Lets a request of nobody in particular in, but not from another site's page: nobody is signed in, or out, by a
/// page they happen to visit.
pub struct OwnPage;

impl FromRequestParts<AppState> for OwnPage {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        if origin::is_own(state, &parts.headers) {
            Ok(Self)
        } else {
            Err(ApiError::Forbidden(origin::FOREIGN))
        }
    }
}
