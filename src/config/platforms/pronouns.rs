//! `pronouns` in `config/platforms.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::http;
use crate::config::HttpUrl;

/// `pronouns` in `config/platforms.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PronounsConfig {
    /// Whether the service is asked at all. It is only ever asked for viewers that an open page shows whose
    /// `pronouns` setting is on.
    pub enabled: bool,
    /// The service that viewers of Twitch tell their pronouns: pronouns.alejo.io.
    pub url: HttpUrl,
    /// Most viewers it is asked for (count per min, a burst of as many at once).
    #[schemars(range(min = 1, max = 6_000))]
    pub asks_per_minute: u32,
    /// Most of them for one room (count per min, a burst of as many at once).
    #[schemars(range(min = 1, max = 6_000))]
    pub asks_per_room_and_minute: u32,
}

impl Default for PronounsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            url: http("https://api.pronouns.alejo.io"),
            asks_per_minute: 300,
            asks_per_room_and_minute: 90,
        }
    }
}
