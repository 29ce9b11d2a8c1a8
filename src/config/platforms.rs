//! `config/platforms.json`: how platforms are reached, for every creator alike.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HttpUrl, IrcUrl};

/// `config/platforms.json`: switches, endpoints and patience per platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlatformsConfig {
    /// Time a room is still read after the last one who needed it left (min).
    #[schemars(range(min = 0, max = 1_440))]
    pub listener_grace_minutes: u32,
    /// Age from which an event is history: shown, but triggers nothing (s).
    #[schemars(range(min = 1, max = 86_400))]
    pub stale_seconds: u32,
    /// How long a failed worker waits before it tries again.
    pub backoff: BackoffConfig,
    /// twitch.tv
    pub twitch: TwitchConfig,
}

impl PlatformsConfig {
    /// What is wrong between values that are right by themselves: JSON pointer and message.
    pub(super) fn check(&self) -> Vec<(String, String)> {
        let BackoffConfig { first_ms, longest_ms, .. } = self.backoff;
        let mut found = Vec::new();
        if first_ms > longest_ms {
            let message = format!("{first_ms} is more than longest_ms ({longest_ms})");
            found.push(("/backoff/first_ms".to_owned(), message));
        }
        found
    }
}

impl Default for PlatformsConfig {
    fn default() -> Self {
        Self {
            listener_grace_minutes: 10,
            stale_seconds: 60,
            backoff: BackoffConfig::default(),
            twitch: TwitchConfig::default(),
        }
    }
}

/// `backoff` in `config/platforms.json`: how long a failed worker waits before it tries again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BackoffConfig {
    /// Longest wait after the first failure (ms); it doubles with every further one.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub first_ms: u32,
    /// Longest wait of all (ms).
    #[schemars(range(min = 1, max = 3_600_000))]
    pub longest_ms: u32,
    /// Time a worker must have run for its earlier failures to be forgotten (ms).
    #[schemars(range(min = 1, max = 3_600_000))]
    pub stable_ms: u32,
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self { first_ms: 1_000, longest_ms: 60_000, stable_ms: 60_000 }
    }
}

/// `twitch` in `config/platforms.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TwitchConfig {
    /// Whether Twitch is read at all.
    pub enabled: bool,
    /// The chat server: `ircs://host:port` (TLS) or `irc://host:port` (plain).
    pub irc_url: IrcUrl,
    /// Where emotes and pictures come from.
    pub cdn_url: HttpUrl,
    /// The API.
    pub helix_url: HttpUrl,
    /// Where tokens are checked and renewed.
    pub id_url: HttpUrl,
    /// Most channels that one connection carries (count).
    #[schemars(range(min = 1, max = 1_000))]
    pub channels_per_connection: u32,
    /// Most channels joined (count per 10 s).
    #[schemars(range(min = 1, max = 10_000))]
    pub joins_per_10_seconds: u32,
    /// Silence of a connection after which it is asked whether it lives (s).
    #[schemars(range(min = 1, max = 3_600))]
    pub ping_seconds: u32,
    /// Time it has to answer before it counts as dead (s).
    #[schemars(range(min = 1, max = 600))]
    pub pong_seconds: u32,
    /// Time between two tries to reach a server that cannot be reached (ms).
    #[schemars(range(min = 10, max = 60_000))]
    pub probe_ms: u32,
    /// Silence of a channel after which it is shown as quiet (s).
    #[schemars(range(min = 1, max = 86_400))]
    pub quiet_seconds: u32,
    /// PEM file of a further certificate authority to trust, for a stand-in or an intercepting proxy.
    #[schemars(length(min = 1))]
    pub tls_ca_file: Option<PathBuf>,
}

impl Default for TwitchConfig {
    fn default() -> Self {
        let http = |text: &str| text.parse::<HttpUrl>().expect("a valid address");
        Self {
            enabled: true,
            irc_url: "ircs://irc.chat.twitch.tv:6697".parse().expect("a valid address"),
            cdn_url: http("https://static-cdn.jtvnw.net"),
            helix_url: http("https://api.twitch.tv/helix"),
            id_url: http("https://id.twitch.tv/oauth2"),
            channels_per_connection: 50,
            joins_per_10_seconds: 20,
            ping_seconds: 5,
            pong_seconds: 4,
            probe_ms: 500,
            quiet_seconds: 300,
            tls_ca_file: None,
        }
    }
}
