//! `config/platforms.json`: how platforms are reached, for every creator alike.

mod emotes;
mod kick;
mod pilled;
mod pronouns;
mod rumble;
mod twitch;
mod youtube;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    emotes::EmotesConfig,
    kick::{KickConfig, KickSocket},
    pilled::PilledConfig,
    pronouns::PronounsConfig,
    rumble::RumbleConfig,
    twitch::TwitchConfig,
    youtube::{YoutubeConfig, YoutubeReading},
};
use super::{HttpUrl, WsUrl};

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
    /// Most workers of one platform that begin or begin again within a second (count), so that an outage that
    /// ends does not call for all at once. Twitch has a pace of its own.
    #[schemars(range(min = 1, max = 10_000))]
    pub starts_per_second: u32,
    /// How long a failed worker waits before it tries again.
    pub backoff: BackoffConfig,
    /// PEM file of further certificate authorities to trust on every platform, for a stand-in or an
    /// intercepting proxy.
    #[schemars(length(min = 1))]
    pub tls_ca_file: Option<PathBuf>,
    /// twitch.tv
    pub twitch: TwitchConfig,
    /// youtube.com
    pub youtube: YoutubeConfig,
    /// kick.com
    pub kick: KickConfig,
    /// rumble.com
    pub rumble: RumbleConfig,
    /// pilled.net
    pub pilled: PilledConfig,
    /// Emotes of 7TV, BetterTTV and FrankerFaceZ.
    pub emotes: EmotesConfig,
    /// Pronouns of viewers, beside their names where a room or a source wants that.
    pub pronouns: PronounsConfig,
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
            starts_per_second: 20,
            backoff: BackoffConfig::default(),
            tls_ca_file: None,
            twitch: TwitchConfig::default(),
            youtube: YoutubeConfig::default(),
            kick: KickConfig::default(),
            rumble: RumbleConfig::default(),
            pilled: PilledConfig::default(),
            emotes: EmotesConfig::default(),
            pronouns: PronounsConfig::default(),
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

/// An address of a default.
fn http(text: &str) -> HttpUrl {
    text.parse().expect("a valid address")
}

/// An address of a default.
fn ws(text: &str) -> WsUrl {
    text.parse().expect("a valid address")
}
