//! Every way a handler can fail, and the one place a failure becomes a status code.

use axum::{
    body::Body,
    extract::{
        Request,
        rejection::{FormRejection, JsonRejection},
    },
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::{accounts::AccountError, model::stylesheet::CssFault};

/// One thing that is wrong with the body of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fault {
    /// Where in the body (JSON pointer).
    pub pointer: String,
    /// What is wrong there: lower-case, no full stop.
    pub detail: String,
    /// Line in a text of several, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column on that line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

impl Fault {
    /// One without a line.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into(), line: None, column: None }
    }

    /// One in the CSS at `pointer`.
    #[must_use]
    pub fn of_css(pointer: &str, fault: CssFault) -> Self {
        let (line, column) = (Some(fault.line), Some(fault.column));
        Self { pointer: pointer.to_owned(), detail: fault.message, line, column }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pointer, detail, .. } = self;
        match (self.line, self.column) {
            (Some(line), Some(column)) => {
                write!(f, "{pointer}: line {line}, column {column}: {detail}")
            }
            _ if pointer.is_empty() => f.write_str(detail),
            _ => write!(f, "{pointer}: {detail}"),
        }
    }
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}

/// Why a request was not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Nothing has that name.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The request itself is wrong; the text says what.
    #[error("{0}")]
    BadRequest(String),
    /// All that is wrong with the body.
    #[error("{}", listed(.0))]
    Invalid(Vec<Fault>),
    /// It is no longer what whoever changes it has seen.
    #[error("it was changed meanwhile: read it again")]
    Changed,
    /// Nobody is signed in, and somebody must be.
    #[error("sign in, or send the operator's token as `Authorization: Bearer …`")]
    Unauthorized,
    /// The key, session or origin gives no access.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The method exists for other paths only.
    #[error("this address does not take that method")]
    MethodNotAllowed,
    /// It exists already.
    #[error("{0}")]
    Conflict(String),
    /// The body is larger than allowed.
    #[error("the body is too large")]
    TooLarge,
    /// Too many of these; again after so many seconds.
    #[error("too many requests: try again in {0} s")]
    RateLimited(u64),
    /// A WebSocket was asked for in the wrong way.
    #[error("this address speaks WebSocket (version 13)")]
    UpgradeRequired,
    /// The server is stopping.
    #[error("the server is stopping")]
    Draining,
    /// It took longer than any answer may.
    #[error("the answer took too long")]
    TimedOut,
    /// The disk does not give what was recorded.
    #[error("the recorded feed cannot be read now")]
    LogUnavailable,
    /// It cannot be taken now, and may be sent again.
    #[error("{0}")]
    NotNow(&'static str),
    /// Another server did not give what was asked of it.
    #[error("the picture cannot be had now")]
    BadGateway,
    /// It was not done to an account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A defect or a broken disk. The cause is logged, never sent.
    #[error("internal error")]
    Internal(#[from] std::io::Error),
}

impl ApiError {
    /// Status, stable code and title.
    #[must_use]
    pub const fn line(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad-request", "Bad request"),
            Self::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid", "Not valid"),
            Self::Changed => (StatusCode::PRECONDITION_FAILED, "changed", "Changed meanwhile"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "Not signed in"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden", "No access"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
            }
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict", "Not as things are"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large"),
            Self::RateLimited(_) => {
                (StatusCode::TOO_MANY_REQUESTS, "rate-limited", "Too many requests")
            }
            Self::UpgradeRequired => {
                (StatusCode::UPGRADE_REQUIRED, "upgrade-required", "WebSocket only")
            }
            Self::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining", "Stopping"),
            Self::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "timed-out", "Took too long"),
            Self::LogUnavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "log-unavailable", "Not available")
            }
            Self::NotNow(_) => (StatusCode::SERVICE_UNAVAILABLE, "not-now", "Not now"),
            Self::BadGateway => (StatusCode::BAD_GATEWAY, "bad-gateway", "Not available"),
            Self::Account(error) => line_of_account(error),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Server error"),
        }
    }

    /// One member of the body is wrong.
    pub(super) fn bad_member(pointer: &str, why: impl ToString) -> Self {
        Self::Invalid(vec![Fault::new(pointer, why.to_string())])
    }
}

/// Status, stable code and title of what was not done to an account.
const fn line_of_account(error: &AccountError) -> (StatusCode, &'static str, &'static str) {
    match error {
        AccountError::WrongPassword => {
            (StatusCode::UNAUTHORIZED, "invalid-credentials", "Not signed in")
        }
        AccountError::PasswordNeeded => {
            (StatusCode::FORBIDDEN, "password-needed", "Password needed")
        }
        AccountError::NotYourPassword => {
            (StatusCode::FORBIDDEN, "wrong-password", "Wrong password")
        }
        AccountError::SignInAgain => (StatusCode::FORBIDDEN, "sign-in-again", "Sign in again"),
        AccountError::SignedOut => (StatusCode::UNAUTHORIZED, "unauthorized", "Not signed in"),
        AccountError::NotVerified => {
            (StatusCode::FORBIDDEN, "email-unverified", "Address not verified")
        }
        AccountError::Suspended => (StatusCode::FORBIDDEN, "inactive-account", "Suspended"),
        AccountError::SwitchedOff(_) => (StatusCode::FORBIDDEN, "switched-off", "Switched off"),
        AccountError::Taken(_) => (StatusCode::CONFLICT, "taken", "Taken"),
        AccountError::Refused(_) => (StatusCode::CONFLICT, "conflict", "Not as things are"),
        AccountError::Unknown(_) => (StatusCode::NOT_FOUND, "not-found", "Not found"),
        AccountError::BadTicket => (StatusCode::BAD_REQUEST, "link-expired", "Link expired"),
        AccountError::Invalid(_) => (StatusCode::BAD_REQUEST, "bad-request", "Bad request"),
        AccountError::TooMany(_) => {
            (StatusCode::TOO_MANY_REQUESTS, "rate-limited", "Too many requests")
        }
        AccountError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "not-now", "Not now"),
        AccountError::Storage(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "accounts-unavailable", "Not available")
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(error: JsonRejection) -> Self {
        match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            _ => Self::BadRequest(error.body_text()),
        }
    }
}

impl From<FormRejection> for ApiError {
    fn from(error: FormRejection) -> Self {
        match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            _ => Self::BadRequest(error.body_text()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, title) = self.line();
        if let Self::Internal(cause) = &self {
            tracing::error!(error = %cause, "a request failed");
        }
        let problem = Problem {
            kind: format!("/problems/{code}"),
            title,
            status: status.as_u16(),
            detail: self.to_string(),
            errors: if let Self::Invalid(faults) = &self { faults.clone() } else { Vec::new() },
        };
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, kind, json!(problem).to_string()).into_response();
        // For those who add to it on the way out.
        response.extensions_mut().insert(Told { problem, code });
        let headers = response.headers_mut();
        match self {
            Self::RateLimited(seconds) | Self::Account(AccountError::TooMany(seconds)) => {
                drop(headers.insert(header::RETRY_AFTER, seconds.into()))
            }
            Self::Draining
            | Self::LogUnavailable
            | Self::Account(AccountError::Busy | AccountError::Storage(_)) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
            }
            Self::Unauthorized
            | Self::Account(AccountError::WrongPassword | AccountError::SignedOut) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::TooLarge => {
                // The rest of the body is not read, so the connection ends: said, lest the next call goes there.
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Self::UpgradeRequired => {
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            }
            _ => {}
        }
        response
    }
}

/// Why a request failed (RFC 9457).
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Problem {
    /// Stable: clients may match on it.
    #[serde(rename = "type")]
    #[schemars(regex(pattern = "^/problems/[a-z-]+$"))]
    kind: String,
    /// In a few words.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What is wrong this time.
    detail: String,
    /// All that is wrong with the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

/// What an answer tells, in its extensions.
#[derive(Clone)]
struct Told {
    problem: Problem,
    code: &'static str,
}

/// Addresses whose older clients read members of their own.
const OLDER: [&str; 4] = ["/auth", "/account", "/admin", "/billing"];

/// Whether a failure at this address also has the members that older clients read.
#[must_use]
pub fn has_older_clients(path: &str) -> bool {
    let is_below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    OLDER.iter().any(|it| path.strip_prefix(it).is_some_and(is_below))
}

/// Adds `success`, `error`, `message`, `reason` and `reason_enum` to failures, where older clients read them.
pub(super) async fn tell_older_clients(request: Request<Body>, next: Next) -> Response {
    let concerned = has_older_clients(request.uri().path());
    let has_cookie = super::cookies::session(request.headers()).is_some();
    let mut response = next.run(request).await;
    if !concerned {
        return response;
    }
    let Some(Told { problem, code }) = response.extensions_mut().remove() else { return response };
    let is_unknown = response.status() == StatusCode::UNAUTHORIZED;
    // Pages keep quiet at this one, and show the way in.
    let code = if code == "unauthorized" && !has_cookie { "cookie-missing" } else { code };
    let reason = code.replace('-', "_");
    let spelled_out = reason.to_uppercase();
    let mut body = json!(problem);
    body["success"] = false.into();
    if code == "email-unverified" {
        body["verification_required"] = true.into();
    }
    body["error"] = problem.detail.as_str().into();
    body["message"] = problem.detail.as_str().into();
    body["reason"] = reason.as_str().into();
    body["reason_enum"] = spelled_out.as_str().into();
    if is_unknown {
        for (name, value) in [("x-auth-reason", &reason), ("x-auth-reason-enum", &spelled_out)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
    }
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(body.to_string());
    response
}
