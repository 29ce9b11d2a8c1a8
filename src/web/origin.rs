//! From which page a browser's request comes.

use axum::http::{HeaderMap, HeaderValue, header};
use url::{Origin, Url};

use super::AppState;
use crate::config::{HttpUrl, SystemConfig};

/// Why a request with a cookie is refused, and what to do where it should not be.
pub const FOREIGN: &str =
    "the request comes from another site's page (behind a proxy, set `public_url`)";

/// Whether a browser's request comes from a page of this server, of an allowed site or of a surface. Requests without
/// an `Origin` come from no other site's page.
#[must_use]
pub fn is_own(state: &AppState, headers: &HeaderMap) -> bool {
    is_among(headers, &state.base_url, &state.config.borrow().system.allowed_origins())
}

/// Whether a browser says that its request comes from a page of ours: without an `Origin` it says nothing.
#[must_use]
pub fn is_said_to_be_own(state: &AppState, headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) && is_own(state, headers)
}

/// Whether a page of a wholly different site sent the browser here.
#[must_use]
pub fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|it| it == "cross-site")
}

/// Whether pages of that origin may call what is shared, and read the answers.
#[must_use]
pub fn is_allowed(config: &SystemConfig, origin: &HeaderValue) -> bool {
    parse(origin).is_some_and(|it| is_listed(&config.allowed_origins(), &it))
}

fn is_listed(allowed: &[HttpUrl], origin: &Origin) -> bool {
    allowed.iter().any(|it| Url::parse(it.as_str()).is_ok_and(|it| it.origin() == *origin))
}

/// `null` and what is no address are nobody's.
fn parse(origin: &HeaderValue) -> Option<Origin> {
    Url::parse(origin.to_str().ok()?).ok().map(|it| it.origin())
}

fn is_among(headers: &HeaderMap, base_url: &str, allowed: &[HttpUrl]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Some(origin) = parse(origin) else { return false };
    own(headers, base_url).contains(&origin)
        || Url::parse(base_url).is_ok_and(|it| it.origin() == origin)
        || is_listed(allowed, &origin)
}

/// The origins of the pages at the address that was asked, where that is another than `base_url`.
fn own(headers: &HeaderMap, base_url: &str) -> Vec<Origin> {
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let at = |scheme: &str| Url::parse(&format!("{scheme}://{host}")).ok().map(|it| it.origin());
    let Ok(base) = Url::parse(base_url) else { return Vec::new() };
    if host.is_empty() || at(base.scheme()).is_some_and(|it| it == base.origin()) {
        return Vec::new();
    }
    // No page of another site makes a browser send this header unasked, so that it may be believed here.
    let told = headers.get("x-forwarded-proto").and_then(|it| it.to_str().ok());
    let told = told.and_then(|it| it.rsplit(',').next()).map(str::trim);
    let is_tls = told.is_some_and(|it| it.eq_ignore_ascii_case("https"));
    // Many a proxy says nothing. A page of the same host that came over TLS is never the weaker one.
    let schemes: &[&str] = if is_tls { &["https"] } else { &["https", "http"] };
    schemes.iter().filter_map(|it| at(it)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        headers
    }

    #[test]
    fn an_origin_that_only_begins_like_ours_is_foreign() {
        let is_own =
            |origin: &str| is_among(&headers("localhost:8080", origin), "http://127.0.0.1:80", &[]);
        assert!(is_own("http://localhost:8080"));
        assert!(is_own("http://127.0.0.1"));
        for foreign in [
            "http://localhost:8080.evil.example",
            "http://localhost",
            "http://localhost:80800",
            "https://localhost",
            "null",
        ] {
            assert!(!is_own(foreign), "{foreign}");
        }
        let allowed = ["https://streamsuites.app".parse().unwrap()];
        let there = headers("localhost:8080", "https://streamsuites.app");
        assert!(is_among(&there, "http://127.0.0.1:80", &allowed));
    }

    #[test]
    fn a_page_without_tls_is_not_one_that_is_reached_over_it() {
        let base = "https://suite.example";
        assert!(is_among(&headers("suite.example", "https://suite.example"), base, &[]));
        assert!(!is_among(&headers("suite.example", "http://suite.example"), base, &[]));
        // On the server's own machine, beside the proxy.
        assert!(is_among(&headers("127.0.0.1:8080", "http://127.0.0.1:8080"), base, &[]));

        // A proxy that nobody told this server about, and that says nothing of TLS, or does.
        let mut forwarded = headers("other.example", "https://other.example");
        assert!(is_among(&forwarded, base, &[]));
        assert!(is_among(&headers("other.example", "http://other.example"), base, &[]));
        assert!(!is_among(&headers("other.example:81", "http://other.example"), base, &[]));
        forwarded.insert("x-forwarded-proto", "https".parse().unwrap());
        assert!(is_among(&forwarded, base, &[]));
        forwarded.insert(header::ORIGIN, "http://other.example".parse().unwrap());
        assert!(!is_among(&forwarded, base, &[]));
    }
}
