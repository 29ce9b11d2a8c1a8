//! `pilled` in `config/platforms.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{http, ws};
use crate::config::{HttpUrl, WsUrl};

/// `pilled` in `config/platforms.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PilledConfig {
    /// Whether Pilled is looked at at all.
    pub enabled: bool,
    /// The API.
    pub api_url: HttpUrl,
    /// The chat socket.
    pub socket_url: WsUrl,
    /// Whether the chat socket is opened while a channel is live. What comes is counted and never shown: its
    /// protocol is not public.
    pub experimental_socket: bool,
    /// Time between two looks whether a channel is live (s).
    #[schemars(range(min = 1, max = 3_600))]
    pub offline_seconds: u32,
}

impl Default for PilledConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            api_url: http("https://pilled-lqs-api.pilled.net"),
            socket_url: ws("wss://pilled-socket.pilled.net"),
            experimental_socket: false,
            offline_seconds: 60,
        }
    }
}
