//! Cookies: of a sign-in, and of a browser on its way to a provider.

use axum::http::{HeaderMap, HeaderValue, header};

use super::AppState;

/// The cookie of a sign-in.
pub const SESSION: &str = "streamsuites_session";
/// The cookie of a browser that went to a provider: nobody is signed in by a link that somebody else sent them.
pub const WAY: &str = "streamsuites_oauth";

/// The value of a request's cookie, the first of that name.
#[must_use]
pub fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = lines.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|it| it.0 == name).map(|it| it.1)
}

/// The value of the session cookie.
#[must_use]
pub fn session(headers: &HeaderMap) -> Option<&str> {
    find(headers, SESSION)
}

fn is_tls(state: &AppState) -> bool {
    state.base_url.starts_with("https://")
}

/// What follows the value of a sign-in: for pages of other hosts of ours where the pages are reached over TLS; on a
/// server without, for its own pages alone, since browsers refuse the rest there.
fn flags(state: &AppState) -> String {
    if !is_tls(state) {
        return "; HttpOnly; SameSite=Lax; Path=/".to_owned();
    }
    let config = state.config.borrow();
    let domain = config.system.auth.cookie_domain.as_deref();
    let domain = domain.map(|it| format!("; Domain={it}")).unwrap_or_default();
    format!("; HttpOnly; Secure; SameSite=None; Path=/{domain}")
}

/// `Set-Cookie` that signs in for so many seconds.
#[must_use]
pub fn open_session(state: &AppState, secret: &str, seconds: u64) -> HeaderValue {
    set(SESSION, secret, seconds, &flags(state))
}

/// `Set-Cookie` that signs out.
#[must_use]
pub fn close_session(state: &AppState) -> HeaderValue {
    set(SESSION, "", 0, &flags(state))
}

/// `Set-Cookie` for this very host, also when a link on another site's page leads there, for so many seconds.
#[must_use]
pub fn keep_here(state: &AppState, name: &str, secret: &str, seconds: u64) -> HeaderValue {
    let secure = if is_tls(state) { "; Secure" } else { "" };
    set(name, secret, seconds, &format!("; HttpOnly; SameSite=Lax; Path=/{secure}"))
}

fn set(name: &str, secret: &str, seconds: u64, flags: &str) -> HeaderValue {
    let text = format!("{name}={secret}; Max-Age={seconds}{flags}");
    HeaderValue::try_from(text).expect("a secret and a domain are plain letters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; not_streamsuites_session=x".parse().unwrap());
        headers.append(
            header::COOKIE,
            "streamsuites_session=s=1;streamsuites_oauth=o".parse().unwrap(),
        );
        assert_eq!(session(&headers), Some("s=1"));
        assert_eq!(find(&headers, WAY), Some("o"));
        assert_eq!(find(&headers, "b"), None);
        assert_eq!(session(&HeaderMap::new()), None);
    }
}
