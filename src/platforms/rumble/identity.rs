//! As whom the profile's browser is known: what it says it is, and its cookies.

use std::sync::Arc;

use chromiumoxide::cdp::browser_protocol::network::Cookie;

/// As whom the profile's browser is known.
#[derive(Clone)]
pub(super) struct Identity {
    /// What it says it is.
    pub(super) user_agent: String,
    pub(super) cookies: Arc<[Cookie]>,
}

impl Identity {
    /// The `Cookie` header for an address; `None` when there is nothing for it.
    pub(super) fn cookies_for(&self, url: &str) -> Option<String> {
        let url = url::Url::parse(url).ok()?;
        let host = url.host_str()?;
        let holds = |it: &&Cookie| {
            let domain = it.domain.strip_prefix('.');
            let there = match domain {
                Some(domain) => {
                    host == domain || host.strip_suffix(domain).is_some_and(|it| it.ends_with('.'))
                }
                None => host == it.domain,
            };
            let path = it.path.trim_end_matches('/');
            let below = url
                .path()
                .strip_prefix(path)
                .is_some_and(|it| it.is_empty() || it.starts_with('/'));
            there && below && (!it.secure || url.scheme() == "https")
        };
        let plain = |it: &&Cookie| it.value.bytes().all(|it| (0x20..0x7f).contains(&it));
        let pairs = self.cookies.iter().filter(holds).filter(plain);
        let pairs: Vec<_> = pairs.map(|it| format!("{}={}", it.name, it.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cookie(domain: &str, path: &str, secure: bool) -> Cookie {
        serde_json::from_value(json!({
            "name": "u_s", "value": domain, "domain": domain, "path": path, "expires": -1.0, "size": 1,
            "httpOnly": true, "secure": secure, "session": true, "priority": "Medium",
            "sourceScheme": "Secure", "sourcePort": 443,
        }))
        .unwrap()
    }

    #[test]
    fn cookies_go_where_the_browser_would_send_them_and_nowhere_else() {
        let cookies = [
            cookie(".rumble.com", "/", true),
            cookie("web7.rumble.com", "/chat", true),
            cookie("rumble.com", "/", true),
            cookie(".example.org", "/", false),
        ];
        let identity = Identity { user_agent: String::new(), cookies: cookies.into() };
        let stream = identity.cookies_for("https://web7.rumble.com/chat/api/chat/1/stream");
        assert_eq!(stream.as_deref(), Some("u_s=.rumble.com; u_s=web7.rumble.com"));
        let page = identity.cookies_for("https://rumble.com/chatter");
        assert_eq!(page.as_deref(), Some("u_s=.rumble.com; u_s=rumble.com"));
        for url in
            ["http://web7.rumble.com/chat", "https://evilrumble.com/", "https://rumble.com.org/"]
        {
            assert_eq!(identity.cookies_for(url), None, "{url}");
        }
    }
}
