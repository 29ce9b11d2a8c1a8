//! `twitch` in `config/platforms.json`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{http, ws};
use crate::config::{HttpUrl, IrcUrl, WsUrl};

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
    /// The socket that tells of follows, polls and redemptions, where a token allows.
    pub eventsub_url: WsUrl,
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
    /// PEM file of further certificate authorities to trust on Twitch alone; null is as everywhere.
    #[schemars(length(min = 1))]
    pub tls_ca_file: Option<PathBuf>,
}

impl Default for TwitchConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            irc_url: "ircs://irc.chat.twitch.tv:6697".parse().expect("a valid address"),
            cdn_url: http("https://static-cdn.jtvnw.net"),
            helix_url: http("https://api.twitch.tv/helix"),
            eventsub_url: ws("wss://eventsub.wss.twitch.tv/ws"),
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
