//! `kick` in `config/platforms.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{http, ws};
use crate::config::{HttpUrl, WsUrl};

/// `kick` in `config/platforms.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KickConfig {
    /// Whether Kick is read at all.
    pub enabled: bool,
    /// The site.
    pub web_url: HttpUrl,
    /// Where the chat socket is negotiated.
    pub realtime_url: HttpUrl,
    /// The Pusher socket, read when nothing else is negotiated.
    pub pusher_url: WsUrl,
    /// The Pusher application's key.
    #[schemars(length(min = 1, max = 100))]
    pub pusher_key: String,
    /// The official API.
    pub api_url: HttpUrl,
    /// Where its tokens come from.
    pub id_url: HttpUrl,
    /// Silence of a chat after which it is shown as quiet (s).
    #[schemars(range(min = 1, max = 86_400))]
    pub quiet_seconds: u32,
}

impl Default for KickConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            web_url: http("https://kick.com"),
            realtime_url: http("https://web.kick.com"),
            pusher_url: ws("wss://ws-us2.pusher.com"),
            pusher_key: "32cbd69e4b950bf97679".to_owned(),
            api_url: http("https://api.kick.com"),
            id_url: http("https://id.kick.com"),
            quiet_seconds: 300,
        }
    }
}
