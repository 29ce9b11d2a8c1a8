//! `rumble` in `config/platforms.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::http;
use crate::config::HttpUrl;

/// `rumble` in `config/platforms.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RumbleConfig {
    /// Whether Rumble is read at all.
    pub enabled: bool,
    /// The site.
    pub web_url: HttpUrl,
    /// The chat's server, until the page names another.
    pub chat_url: HttpUrl,
    /// Time between two looks whether a channel is live (s).
    #[schemars(range(min = 10, max = 3_600))]
    pub offline_seconds: u32,
    /// Silence of a chat after which it is shown as quiet (s).
    #[schemars(range(min = 1, max = 86_400))]
    pub quiet_seconds: u32,
}

impl Default for RumbleConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            web_url: http("https://rumble.com"),
            chat_url: http("https://web7.rumble.com"),
            offline_seconds: 60,
            quiet_seconds: 300,
        }
    }
}
