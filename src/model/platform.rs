//! The platforms, and what state a worker's view of one is in.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an event came from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// twitch.tv
    Twitch,
    /// youtube.com
    Youtube,
    /// kick.com
    Kick,
    /// rumble.com
    Rumble,
    /// pilled.net
    Pilled,
    /// discord.com
    Discord,
    /// x.com
    X,
    /// Written here: synthetic and system messages, donations.
    Streamsuites,
}

impl Platform {
    /// Every platform, in the order lists show them.
    pub const ALL: [Self; 8] = [
        Self::Twitch,
        Self::Youtube,
        Self::Kick,
        Self::Rumble,
        Self::Pilled,
        Self::Discord,
        Self::X,
        Self::Streamsuites,
    ];

    /// The lower-case word used in ids, files and URLs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twitch => "twitch",
            Self::Youtube => "youtube",
            Self::Kick => "kick",
            Self::Rumble => "rumble",
            Self::Pilled => "pilled",
            Self::Discord => "discord",
            Self::X => "x",
            Self::Streamsuites => "streamsuites",
        }
    }

    /// The name as the platform writes it, for sentences.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Twitch => "Twitch",
            Self::Youtube => "YouTube",
            Self::Kick => "Kick",
            Self::Rumble => "Rumble",
            Self::Pilled => "Pilled",
            Self::Discord => "Discord",
            Self::X => "X",
            Self::Streamsuites => "StreamSuites",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|it| it.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownPlatform(text.to_owned()))
    }
}

/// A word that names no platform. What is offered instead are those that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform: use twitch, youtube, kick, rumble or pilled")]
pub struct UnknownPlatform(pub String);

/// How well one channel of one platform is being read.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum PlatformState {
    /// On the way: reaching the platform, signing in, joining.
    Connecting,
    /// Events arrive as they happen.
    Live,
    /// Something is wrong and is being retried; `detail` says what.
    Degraded,
    /// Switched off for now by configuration.
    Paused,
    /// The platform says there is nothing to read now, or nobody needs it read.
    Offline,
    /// Wrong for good until the configuration changes; `detail` says why.
    Disabled,
}

impl PlatformState {
    /// The lower-case word used in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Degraded => "degraded",
            Self::Paused => "paused",
            Self::Offline => "offline",
            Self::Disabled => "disabled",
        }
    }
}
