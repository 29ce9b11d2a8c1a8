//! `automation` in `config/system.json`: where triggers may reach out to, and how patiently.

use std::{fmt, net::IpAddr, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::{HttpUrl, addresses::BadAddress, schema::string_with_format};

/// `automation` in `config/system.json`: where webhooks and requests of triggers may go, and how often they are tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AutomationConfig {
    /// Hosts that webhooks and requests may go to: `hooks.example.com`, with a port where it is not the usual one
    /// (`127.0.0.1:9000`), all below a name (`*.example.com`), or `*`. One with a star is reached over https only, and
    /// never in a private network.
    #[schemars(length(max = 1_000))]
    pub allowed_hosts: Vec<AllowedHost>,
    /// Where messages for Discord go.
    pub discord_api_url: HttpUrl,
    /// Tries of a job that goes wrong (count).
    #[schemars(range(min = 1, max = 20))]
    pub most_attempts: u32,
    /// Longest wait after the first try (ms); it is four times as long after each further one, and an hour at most.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub first_retry_ms: u32,
    /// Time that whoever is asked has to answer (ms).
    #[schemars(range(min = 100, max = 60_000))]
    pub timeout_ms: u32,
}

impl Default for AutomationConfig {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            discord_api_url: "https://discord.com/api/v10".parse().expect("a valid address"),
            most_attempts: 6,
            first_retry_ms: 2_000,
            timeout_ms: 10_000,
        }
    }
}

/// How an address may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Its host is named: wherever it is, encrypted or not.
    Named,
    /// It is one of many that a star stands for: in the public internet only.
    Public,
}

impl AutomationConfig {
    /// How `url` may be reached.
    ///
    /// # Errors
    /// One sentence that says why not, without the address: that may hold a key.
    pub fn reach(&self, url: &str) -> Result<Reach, String> {
        let url = Url::parse(url).map_err(|_| "that is no address".to_owned())?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err("an address begins with https://".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address here carries no name or password".to_owned());
        }
        let host = url.host().ok_or("the address names no host")?;
        let port = url.port();
        let matching = || self.allowed_hosts.iter().filter(|it| it.is_for(&host, port));
        if matching().any(|it| matches!(it.name, Name::Exact(_))) {
            return Ok(Reach::Named);
        }
        if matching().next().is_none() {
            return Err(format!(
                "the host {host} is not in automation.allowed_hosts of system.json"
            ));
        }
        if url.scheme() != "https" {
            return Err(format!(
                "{host} is reached over https only, unless automation.allowed_hosts names it"
            ));
        }
        let address = match host {
            Host::Domain(_) => None,
            Host::Ipv4(it) => Some(IpAddr::V4(it)),
            Host::Ipv6(it) => Some(IpAddr::V6(it)),
        };
        if address.is_some_and(|it| !crate::model::is_public_address(it)) {
            return Err(format!(
                "{host} is in a private network, and automation.allowed_hosts does not name it"
            ));
        }
        Ok(Reach::Public)
    }
}

/// A host that may be reached, or many of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AllowedHost {
    name: Name,
    /// Where it is not the usual one of http or https.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Exact(Host),
    /// All names that end so, its dot included.
    Below(String),
    Any,
}

impl AllowedHost {
    fn is_for(&self, host: &Host<&str>, port: Option<u16>) -> bool {
        let named = match (&self.name, host) {
            (Name::Any, _) => true,
            (Name::Below(end), Host::Domain(host)) => host.ends_with(end),
            (Name::Below(_), _) => false,
            (Name::Exact(Host::Domain(it)), Host::Domain(host)) => it == host,
            (Name::Exact(Host::Ipv4(it)), Host::Ipv4(host)) => it == host,
            (Name::Exact(Host::Ipv6(it)), Host::Ipv6(host)) => it == host,
            (Name::Exact(_), _) => false,
        };
        // An address does not name the usual port of its scheme.
        named && self.port == port
    }
}

impl FromStr for AllowedHost {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |why: &str| {
            BadAddress::new(format!(
                "`{text}` {why}: write `hooks.example.com`, `127.0.0.1:9000`, `*.example.com` or `*`"
            ))
        };
        if text.contains('/') || text.contains('@') {
            return Err(bad("is more than a host"));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let port = port.parse().ok().filter(|it: &u16| *it != 0);
                (host, Some(port.ok_or_else(|| bad("has no port from 1 to 65535"))?))
            }
            _ => (text, None),
        };
        let host = host.to_ascii_lowercase();
        if host == "*" {
            return Ok(Self { name: Name::Any, port });
        }
        let plain = |it: &str| {
            it.contains(|it: char| it.is_alphanumeric())
                && it.bytes().all(|it| it.is_ascii_alphanumeric() || b".-_[]:".contains(&it))
        };
        if let Some(end) = host.strip_prefix('*') {
            let is_name = end.len() > 1 && end.starts_with('.') && plain(end);
            let name = is_name.then(|| Name::Below(end.to_owned()));
            return Ok(Self { name: name.ok_or_else(|| bad("is not a name"))?, port });
        }
        let name = Host::parse(&host).ok().filter(|_| plain(&host));
        Ok(Self { name: Name::Exact(name.ok_or_else(|| bad("is not a host"))?), port })
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Name::Any => f.write_str("*"),
            Name::Below(end) => write!(f, "*{end}"),
            Name::Exact(host) => write!(f, "{host}"),
        }?;
        self.port.map_or(Ok(()), |it| write!(f, ":{it}"))
    }
}

string_with_format!(AllowedHost, BadAddress, "allowed-host");

#[cfg(test)]
mod tests {
    use super::*;

    fn config(hosts: &[&str]) -> AutomationConfig {
        let allowed_hosts = hosts.iter().map(|it| it.parse().unwrap()).collect();
        AutomationConfig { allowed_hosts, ..AutomationConfig::default() }
    }

    #[test]
    fn only_hosts_on_the_list_are_reached() {
        let named = config(&["Hooks.example.com", "127.0.0.1:9000", "[::1]:81", "nas.lan:8443"]);
        for url in [
            "https://hooks.example.com/a?key=1",
            "http://HOOKS.example.com",
            "http://127.0.0.1:9000/x",
            "http://[::1]:81/",
            "https://nas.lan:8443/",
        ] {
            assert_eq!(named.reach(url), Ok(Reach::Named), "{url}");
        }
        for url in [
            "https://hooks.example.com:8443/",
            "https://evil.example.com",
            "https://hooks.example.com.evil.net",
            "http://127.0.0.1:9001/",
            "http://127.0.0.1",
            "https://ana:secret@hooks.example.com/",
            "ftp://hooks.example.com",
            "hooks.example.com",
            "",
        ] {
            assert!(named.reach(url).is_err(), "{url}");
        }
        assert!(AutomationConfig::default().reach("https://example.com").is_err());
    }

    #[test]
    fn a_star_stands_for_the_public_internet_over_https() {
        let stars = config(&["*.example.com"]);
        assert_eq!(stars.reach("https://a.b.example.com/x"), Ok(Reach::Public));
        for url in ["http://a.example.com", "https://example.com", "https://aexample.com"] {
            assert!(stars.reach(url).is_err(), "{url}");
        }
        let any = config(&["*"]);
        assert_eq!(any.reach("https://example.net"), Ok(Reach::Public));
        assert_eq!(any.reach("https://203.0.112.7/"), Ok(Reach::Public));
        for url in [
            "http://example.net",
            "https://127.0.0.1",
            "https://10.1.2.3",
            "https://192.168.1.1",
            "https://169.254.169.254/latest",
            "https://[::1]",
            "https://[fd00::1]",
            "https://[::ffff:10.0.0.1]",
            "https://2130706433/", // 127.0.0.1 as one number.
            "https://0x7f.1/",
        ] {
            let refused = any.reach(url).unwrap_err();
            assert!(
                refused.contains("private") || refused.contains("https only"),
                "{url}: {refused}"
            );
        }
    }

    #[test]
    fn what_is_no_host_is_refused_with_an_example() {
        for text in
            ["", "https://a.example", "a b", "*.", "*a.example", "a:0", "a:x", "me@a.example"]
        {
            let error = text.parse::<AllowedHost>().unwrap_err();
            assert!(error.to_string().contains("*.example.com"), "{text}: {error}");
        }
        for text in ["*", "*:8443", "*.example.com", "a.example:9", "[::1]:81", "127.0.0.1"] {
            assert_eq!(text.parse::<AllowedHost>().unwrap().to_string(), text);
        }
    }
}
