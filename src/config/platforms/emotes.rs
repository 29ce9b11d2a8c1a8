//! `emotes` in `config/platforms.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{http, ws};
use crate::config::{HttpUrl, WsUrl};

/// `emotes` in `config/platforms.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EmotesConfig {
    /// Whether emotes of other providers are shown at all.
    pub enabled: bool,
    /// 7TV's API.
    pub seventv_url: HttpUrl,
    /// The socket on which 7TV tells of changes.
    pub seventv_events_url: WsUrl,
    /// BetterTTV's API.
    pub bttv_url: HttpUrl,
    /// FrankerFaceZ's API.
    pub ffz_url: HttpUrl,
    /// Age from which a list of emotes is compared with its provider's (min).
    #[schemars(range(min = 1, max = 1_440))]
    pub refresh_minutes: u32,
}

impl Default for EmotesConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            seventv_url: http("https://7tv.io/v3"),
            seventv_events_url: ws("wss://events.7tv.io/v3"),
            bttv_url: http("https://api.betterttv.net/3"),
            ffz_url: http("https://api.frankerfacez.com/v1"),
            refresh_minutes: 10,
        }
    }
}
