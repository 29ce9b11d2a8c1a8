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
    /// Which socket the chat is read from.
    pub socket: KickSocket,
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
    /// The address under which Kick delivers webhooks, as entered in the application's settings there; null is
    /// `/webhooks/kick` behind `public_url`, if that is https.
    pub webhook_url: Option<HttpUrl>,
    /// What the site is told about who asks: it turns away what does not look like a browser.
    #[schemars(length(min = 1, max = 300))]
    pub user_agent: String,
    /// Time between two looks at the channel: live or not, title, viewers (s).
    #[schemars(range(min = 5, max = 3_600))]
    pub channel_seconds: u32,
    /// Silence of a chat after which it is shown as quiet (s).
    #[schemars(range(min = 1, max = 86_400))]
    pub quiet_seconds: u32,
    /// Silence of the socket after which it is asked for a sign of life (s).
    #[schemars(range(min = 1, max = 600))]
    pub ping_seconds: u32,
    /// How long the answer to that may take (s).
    #[schemars(range(min = 1, max = 600))]
    pub pong_seconds: u32,
}

impl Default for KickConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            socket: KickSocket::Auto,
            web_url: http("https://kick.com"),
            realtime_url: http("https://web.kick.com"),
            pusher_url: ws("wss://ws-us2.pusher.com"),
            pusher_key: "32cbd69e4b950bf97679".to_owned(),
            api_url: http("https://api.kick.com"),
            id_url: http("https://id.kick.com"),
            webhook_url: None,
            user_agent:
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                         Chrome/141.0.0.0 Safari/537.36"
                    .to_owned(),
            channel_seconds: 60,
            quiet_seconds: 300,
            ping_seconds: 5,
            pong_seconds: 4,
        }
    }
}

/// `kick.socket`: which socket the chat is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KickSocket {
    /// The one that the site names, and Pusher when it names none.
    #[default]
    Auto,
    /// Centrifugo alone.
    Centrifugo,
    /// Pusher alone.
    Pusher,
}
