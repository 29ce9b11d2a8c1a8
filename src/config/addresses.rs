//! Addresses in the configuration, each checked once: where to listen, and whom to reach.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::schema::string_with_format;

/// Why a text is not the address it should be: one sentence that shows a right one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadAddress(String);

impl BadAddress {
    /// Why, in a sentence that shows a right one.
    pub(super) fn new(why: String) -> Self {
        Self(why)
    }
}

/// Where the server listens: `HOST:PORT`, the host an IP address or a name. Port 0 is any free one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ListenAddress {
    host: Host,
    port: u16,
}

impl ListenAddress {
    /// The port; 0 lets the system choose.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether only this machine can reach it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Whether it is every address of this machine, and so none that a link may have.
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        match &self.host {
            Host::Domain(_) => false,
            Host::Ipv4(ip) => ip.is_unspecified(),
            Host::Ipv6(ip) => IpAddr::V6(*ip).to_canonical().is_unspecified(),
        }
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(bound: SocketAddr) -> Self {
        let host = match bound.ip() {
            IpAddr::V4(it) => Host::Ipv4(it),
            IpAddr::V6(it) => Host::Ipv6(it),
        };
        Self { host, port: bound.port() }
    }
}

fn is_loopback<T: AsRef<str>>(host: &Host<T>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => IpAddr::V6(*ip).to_canonical().is_loopback(),
    }
}

impl FromStr for ListenAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let example = "write `127.0.0.1:8080`, `localhost:8080` or `[::1]:8080`";
        let bad = |why: &str| BadAddress(format!("`{text}` {why}: {example}"));
        let (host, port) = text.rsplit_once(':').ok_or_else(|| bad("is not HOST:PORT"))?;
        if host.is_empty() {
            return Err(bad("has no host"));
        }
        // `Host` takes any domain, even one with spaces encoded; a bare IPv6 address needs its brackets.
        let named = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-' | b'_');
        let host = match host.as_bytes() {
            [b'[', .., b']'] => Host::parse(host).ok(),
            bytes if bytes.iter().all(|it| named(*it)) => Host::parse(host).ok(),
            _ => None,
        }
        .ok_or_else(|| bad("has no valid host"))?;
        let digits = port.bytes().all(|it| it.is_ascii_digit());
        let port = port.parse().ok().filter(|_| digits);
        let port = port.ok_or_else(|| bad("has no port from 0 to 65535"))?;
        Ok(Self { host, port })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// An address as it may be repeated: without what stands behind its path.
///
/// Asked first of all: what is wrong with an address must not tell what is secret in it.
fn without_secrets(text: &str) -> Result<&str, BadAddress> {
    if text.contains('@') {
        return Err(BadAddress("an address here carries no name or password".to_owned()));
    }
    Ok(text.split(['?', '#']).next().unwrap_or_default())
}

/// An `http://` or `https://` base address, kept without a slash at its end, query or sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct HttpUrl(String);

impl HttpUrl {
    /// The address, with no slash at its end: a path that begins with one can follow.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is sent there stays unread on its way: it is encrypted, or does not leave this machine.
    #[must_use]
    pub fn is_private(&self) -> bool {
        let Ok(url) = Url::parse(&self.0) else { return false };
        url.scheme() == "https" || url.host().is_some_and(|it| is_loopback(&it))
    }
}

impl FromStr for HttpUrl {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = without_secrets(text)?;
        let bad = |why: &str| BadAddress(format!("`{shown}` {why}: write `https://example.org`"));
        let url = Url::parse(text).map_err(|_| bad("is not an address"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("is neither https:// nor http://"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("carries a query or a fragment"));
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An IRC server: `ircs://host:port` (TLS, port 6697) or `irc://host:port` (plain, port 6667).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct IrcUrl {
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// Host name, or IP address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl FromStr for IrcUrl {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = without_secrets(text)?;
        let bad = |why: &str| {
            BadAddress(format!("`{shown}` {why}: write `ircs://host:6697` or `irc://host:6667`"))
        };
        let url = Url::parse(text).map_err(|_| bad("is not an address"))?;
        let (tls, usual_port) = match url.scheme() {
            "ircs" => (true, 6697),
            "irc" => (false, 6667),
            _ => return Err(bad("is neither ircs:// nor irc://")),
        };
        let rest = matches!(url.path(), "" | "/") && url.query().is_none();
        if !rest || url.fragment().is_some() {
            return Err(bad("goes on after its port"));
        }
        let host = url.host_str().filter(|it| !it.is_empty()).ok_or_else(|| bad("has no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        Ok(Self { tls, host, port: url.port().unwrap_or(usual_port) })
    }
}

impl fmt::Display for IrcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "ircs" } else { "irc" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

/// A `wss://` or `ws://` base address, kept without a slash at its end, query or sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct WsUrl(String);

impl WsUrl {
    /// The address, with no slash at its end: a path that begins with one can follow.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WsUrl {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = without_secrets(text)?;
        let bad = |why: &str| BadAddress(format!("`{shown}` {why}: write `wss://example.org`"));
        let url = Url::parse(text).map_err(|_| bad("is not an address"))?;
        if !matches!(url.scheme(), "ws" | "wss") {
            return Err(bad("is neither wss:// nor ws://"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("carries a query or a fragment"));
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for WsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

string_with_format!(ListenAddress, BadAddress, "listen-address");
string_with_format!(HttpUrl, BadAddress, "http-url");
string_with_format!(IrcUrl, BadAddress, "irc-url");
string_with_format!(WsUrl, BadAddress, "ws-url");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listen_address_is_a_host_and_a_port() {
        for good in ["127.0.0.1:8080", "localhost:0", "[::1]:80", "0.0.0.0:1", "my-pc.lan:65535"] {
            assert_eq!(good.parse::<ListenAddress>().unwrap().to_string(), good);
        }
        for bad in
            ["8080", ":8080", "localhost", "localhost:", "a:65536", "a:+1", "::1:80", "a b:1"]
        {
            let error = bad.parse::<ListenAddress>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{bad}` ")), "{error}");
        }
    }

    #[test]
    fn only_this_machine_reaches_a_loopback_address() {
        let loopback = |text: &str| text.parse::<ListenAddress>().unwrap().is_loopback();
        for here in ["127.0.0.1:1", "127.8.0.1:1", "[::1]:1", "LOCALHOST:1", "[::ffff:127.0.0.1]:1"]
        {
            assert!(loopback(here), "{here}");
        }
        for open in ["0.0.0.0:1", "[::]:1", "192.168.0.2:1", "example.org:1"] {
            assert!(!loopback(open), "{open}");
        }
    }

    #[test]
    fn a_base_address_loses_the_slash_at_its_end() {
        let url: HttpUrl = "https://Example.org/chat/".parse().unwrap();
        assert_eq!(url.as_str(), "https://example.org/chat");
        assert_eq!("http://127.0.0.1:9".parse::<HttpUrl>().unwrap().as_str(), "http://127.0.0.1:9");
        for bad in ["example.org", "ftp://a", "https://", "https://a/?b", "https://a/#b"] {
            assert!(bad.parse::<HttpUrl>().is_err(), "{bad}");
        }
        assert_eq!(
            "wss://Example.org/ws/".parse::<WsUrl>().unwrap().as_str(),
            "wss://example.org/ws"
        );
        for bad in ["example.org", "https://a", "ws://", "ws://a/?b"] {
            assert!(bad.parse::<WsUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_repeated() {
        for bad in [
            "https://me:hunter2@example.org",
            "https://hunter2@example.org",
            "socks5://me:hunter2@example.org:1080",
            "http://me:hunter2@example.org:99999",
            "https://example.org/?key=hunter2",
        ] {
            assert!(!bad.parse::<HttpUrl>().unwrap_err().to_string().contains("hunter2"));
        }
        let error = "ircs://me:hunter2@example.org".parse::<IrcUrl>().unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn an_irc_address_says_whether_it_is_encrypted() {
        let url: IrcUrl = "ircs://irc.example.org".parse().unwrap();
        assert_eq!((url.tls, url.host.as_str(), url.port), (true, "irc.example.org", 6697));
        let url: IrcUrl = "irc://[::1]:7000/".parse().unwrap();
        assert_eq!((url.tls, url.host.as_str(), url.port), (false, "::1", 7000));
        assert_eq!(url.to_string(), "irc://[::1]:7000");
        for bad in ["irc.example.org:6667", "https://a", "irc://", "irc://a/b", "irc://a:99999"] {
            assert!(bad.parse::<IrcUrl>().is_err(), "{bad}");
        }
    }
}
