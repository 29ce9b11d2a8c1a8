//! `youtube` in `config/platforms.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::http;
use crate::config::HttpUrl;

/// `youtube` in `config/platforms.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct YoutubeConfig {
    /// Whether YouTube is read at all.
    pub enabled: bool,
    /// How chats are read.
    pub reading: YoutubeReading,
    /// The site: pages, and the way to read chat without a key.
    pub web_url: HttpUrl,
    /// The Data API.
    pub data_api_url: HttpUrl,
    /// Where a refresh token becomes an access token, for sending.
    pub token_url: HttpUrl,
    /// Proxies for reading without a key: this server's own address is tried first, then each in turn when
    /// the site blocks the one before; empty is none.
    pub proxies: Vec<HttpUrl>,
    /// Time between two looks whether a channel is live (s). Each is a page of a megabyte.
    #[schemars(range(min = 1, max = 3_600))]
    pub offline_seconds: u32,
    /// Silence of a chat after which it is shown as quiet (s).
    #[schemars(range(min = 1, max = 86_400))]
    pub quiet_seconds: u32,
}

impl Default for YoutubeConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            reading: YoutubeReading::Auto,
            web_url: http("https://www.youtube.com"),
            data_api_url: http("https://youtube.googleapis.com"),
            token_url: http("https://oauth2.googleapis.com/token"),
            proxies: Vec::new(),
            offline_seconds: 45,
            quiet_seconds: 300,
        }
    }
}

/// `youtube.reading`: how YouTube chats are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum YoutubeReading {
    /// With the Data API while a key is set and its quota lasts, else as the site does.
    #[default]
    Auto,
    /// With the Data API alone.
    DataApi,
    /// As the site does, without a key.
    #[serde(rename = "innertube")]
    InnerTube,
}
