//! How a room's overlays look: stored per creator, and every field also a URL parameter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EmoteProvider, Platform};

/// The themes that are in the program. A test of the assets holds the list to the truth.
pub const BUILT_IN_THEMES: [&str; 8] = [
    "bright-green",
    "broadcast",
    "comic",
    "dark-purple",
    "default",
    "midnight",
    "slate",
    "youtube",
];

/// A room's overlay settings. A URL parameter of the same name wins for the source that carries it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OverlaySettings {
    /// Name of a theme: built in, or a folder in `themes/`.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]{0,31}$"))]
    pub theme: String,
    /// CSS of one's own, above the theme; in OBS the source's own CSS box is above it.
    #[schemars(length(max = 20_000), extend("format" = "custom-css"))]
    pub custom_css: String,
    /// Font family; empty is the theme's.
    #[schemars(length(max = 200))]
    pub font: String,
    /// Size of the text (px); 0 is the theme's.
    #[schemars(range(min = 0, max = 200))]
    pub font_size: u16,
    /// Most messages on screen (count).
    #[schemars(range(min = 1, max = 500))]
    pub max_messages: u16,
    /// Time after which a message fades (s); 0 is never.
    #[schemars(range(min = 0, max = 3600))]
    pub fade_seconds: u16,
    /// `up`: the newest at the bottom, older ones move up. `down`: the newest at the top.
    pub direction: Direction,
    /// Where lines stand.
    pub align: Align,
    /// How a message appears.
    pub animation: Animation,
    /// Messages shown per second; the rest waits up to a bound. 0 is as they come.
    #[schemars(range(min = 0, max = 100))]
    pub speed: u16,
    /// Only the featured message is shown.
    pub focus: bool,
    /// Only these platforms; empty is all.
    pub platforms: Vec<Platform>,
    /// Badges beside names.
    pub show_badges: bool,
    /// Pictures of viewers.
    pub show_avatars: bool,
    /// The platform's mark beside names.
    pub show_platform: bool,
    /// Time of day beside messages.
    pub show_timestamps: bool,
    /// Follows, subscriptions, raids and the like.
    pub show_activities: bool,
    /// Emotes of these providers are pictures, others text; empty is all.
    pub emotes: Vec<EmoteProvider>,
    /// Messages that begin with `!` are not shown.
    pub hide_commands: bool,
    /// Messages of known bots are not shown.
    pub hide_bots: bool,
    /// Messages of these logins or ids are not shown.
    #[schemars(length(max = 1000), inner(length(max = 500)))]
    pub hidden_users: Vec<String>,
    /// Messages with one of these words are not shown.
    #[schemars(length(max = 1000), inner(length(max = 500)))]
    pub blocked_words: Vec<String>,
    /// Paid messages below this amount are shown as plain ones (minor units).
    #[schemars(range(min = 0))]
    pub min_paid: u64,
    /// Paid messages go to the queue by themselves.
    pub auto_feature_paid: bool,
    /// Size of everything (factor).
    #[schemars(range(min = 0.25, max = 4.0))]
    pub scale: f64,
    /// Pronouns beside names, where known.
    pub pronouns: bool,
    /// Animated emotes stand still.
    #[serde(rename = "static")]
    pub still: bool,
    /// Which stylesheet the theme has: set by the server, so that a changed one is loaded again. Written by
    /// anybody else it means nothing.
    #[schemars(length(max = 64))]
    pub theme_version: String,
}

impl Default for OverlaySettings {
    fn default() -> Self {
        Self {
            theme: "default".to_owned(),
            custom_css: String::new(),
            font: String::new(),
            font_size: 0,
            max_messages: 30,
            fade_seconds: 0,
            direction: Direction::Up,
            align: Align::Left,
            animation: Animation::Slide,
            speed: 0,
            focus: false,
            platforms: Vec::new(),
            show_badges: true,
            show_avatars: false,
            show_platform: true,
            show_timestamps: false,
            show_activities: true,
            emotes: Vec::new(),
            hide_commands: false,
            hide_bots: false,
            hidden_users: Vec::new(),
            blocked_words: Vec::new(),
            min_paid: 0,
            auto_feature_paid: false,
            scale: 1.0,
            pronouns: false,
            still: false,
            theme_version: String::new(),
        }
    }
}

/// Which way older messages move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Direction {
    Up,
    Down,
}

/// Where lines stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Align {
    Left,
    Right,
    Center,
}

/// How a message appears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Animation {
    None,
    Fade,
    Slide,
    Pop,
}
