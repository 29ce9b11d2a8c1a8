//! The cookie of a sign-in.

use axum::http::HeaderValue;

use crate::web::{AppState, operator::COOKIE};

/// What follows the value: for pages of other hosts of ours where the pages are reached over TLS; on a server without,
/// for its own pages alone, since browsers refuse the rest there.
fn flags(state: &AppState) -> String {
    let config = state.config.borrow();
    if !state.base_url.starts_with("https://") {
        return "; HttpOnly; SameSite=Lax; Path=/".to_owned();
    }
    let domain = config.system.auth.cookie_domain.as_deref();
    let domain = domain.map(|it| format!("; Domain={it}")).unwrap_or_default();
    format!("; HttpOnly; Secure; SameSite=None; Path=/{domain}")
}

/// `Set-Cookie` that signs in for so many seconds.
#[must_use]
pub fn opening(state: &AppState, secret: &str, seconds: u64) -> HeaderValue {
    let text = format!("{COOKIE}={secret}; Max-Age={seconds}{}", flags(state));
    HeaderValue::try_from(text).expect("a secret and a domain are plain letters")
}

/// `Set-Cookie` that signs out.
#[must_use]
pub fn closing(state: &AppState) -> HeaderValue {
    let text = format!("{COOKIE}=; Max-Age=0{}", flags(state));
    HeaderValue::try_from(text).expect("a domain is plain letters")
}
