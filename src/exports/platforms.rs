//! `platforms.json`: what this build can do with each platform.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::{
    config::PlatformsConfig,
    model::{Platform, Timestamp},
};

/// The file.
pub const EXPORT: Export = Export {
    path: "platforms.json",
    visibility: Visibility::Public,
    description: "Which platforms are supported, and how.",
    json_schema: schema_of::<WithMeta<Platforms>>,
    content: Content::OnChange { render, revision },
};

/// The platforms that can be read or will be: all but this server itself.
pub(super) fn list_platforms() -> impl Iterator<Item = Platform> {
    Platform::ALL.into_iter().filter(|it| *it != Platform::Streamsuites)
}

/// What this build can do with a platform.
#[derive(Debug, Clone, Copy)]
pub(super) struct Support {
    /// How it is reached; `None` while there is no worker for it.
    pub mode: Option<Mode>,
    notes: &'static str,
    /// Whether what was said can be played again.
    pub replay: bool,
    /// Whether overlays show what is said now.
    pub overlay: bool,
}

/// How a platform is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Mode {
    /// Its chat is read, and written to where that was granted.
    #[serde(rename = "read+write")]
    ReadWrite,
    /// Only whether somebody is live is known: the chat is not public.
    #[serde(rename = "status")]
    Status,
    /// Not at all.
    #[serde(rename = "none")]
    None,
}

/// A platform whose chat is read.
const CHAT: Support =
    Support { mode: Some(Mode::ReadWrite), notes: "", replay: true, overlay: true };
/// One whose chat is not.
const NOTHING: Support = Support { mode: None, notes: "", replay: false, overlay: false };

impl Support {
    /// For `platform`.
    pub(super) const fn of(platform: Platform) -> Self {
        match platform {
            Platform::Twitch => Self {
                notes: "Chat over IRC, without credentials; follows, polls and redemptions over EventSub where a token allows.",
                ..CHAT
            },
            Platform::Youtube => Self {
                notes: "Chat as the site reads it, or over the Data API within its quota.",
                ..CHAT
            },
            Platform::Kick => Self {
                notes: "Chat over the site's socket, and over signed webhooks where an application is registered.",
                ..CHAT
            },
            Platform::Rumble => Self {
                notes: "Chat as the page reads it, rants included; some of it through a browser or the Live Stream API.",
                ..CHAT
            },
            Platform::Pilled => Self {
                mode: Some(Mode::Status),
                notes: "Whether a channel is live; its chat is not public.",
                ..NOTHING
            },
            _ => Self { notes: "Not read yet.", ..NOTHING },
        }
    }
}

/// Whether the configuration lets `platform` be read at all; never, while there is no worker for it.
pub(super) fn is_switched_on(platform: Platform, config: &PlatformsConfig) -> bool {
    match platform {
        Platform::Twitch => config.twitch.enabled,
        Platform::Youtube => config.youtube.enabled,
        Platform::Kick => config.kick.enabled,
        Platform::Rumble => config.rumble.enabled,
        Platform::Pilled => config.pilled.enabled,
        _ => false,
    }
}

/// What this build can do with each platform.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Platforms {
    /// In the order lists show them.
    platforms: Vec<Entry>,
}

/// One platform.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Entry {
    /// `twitch youtube kick rumble pilled discord x`
    name: Platform,
    /// How far it is.
    status: PlatformState,
    /// How it is reached.
    mode: Mode,
    /// One sentence, for people.
    notes: &'static str,
    /// Whether what was said can be played again.
    replay_supported: bool,
    /// Whether overlays show what is said now.
    overlay_supported: bool,
}

/// How far the support of a platform is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlatformState {
    /// It works and is switched on.
    Active,
    /// It works and is switched off.
    Paused,
    /// There is nothing to switch on yet.
    Planned,
}

/// How far each platform is, with a sentence.
pub(super) fn list_states(
    config: &PlatformsConfig,
) -> impl Iterator<Item = (Platform, PlatformState, &'static str)> + '_ {
    list_platforms().map(|name| {
        let support = Support::of(name);
        let state = match support.mode {
            None => PlatformState::Planned,
            Some(_) if is_switched_on(name, config) => PlatformState::Active,
            Some(_) => PlatformState::Paused,
        };
        (name, state, support.notes)
    })
}

fn render(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let platforms = list_states(&sources.config.platforms).map(|(name, status, notes)| {
        let support = Support::of(name);
        Entry {
            name,
            status,
            mode: support.mode.unwrap_or(Mode::None),
            notes,
            replay_supported: support.replay,
            overlay_supported: support.overlay,
        }
    });
    let meta = Meta::new(EXPORT.path, EXPORT.visibility, now);
    to_bytes(&WithMeta { meta, fields: Platforms { platforms: platforms.collect() } })
}

/// One bit for each platform that is switched on.
pub(super) fn revision(sources: &Sources) -> u64 {
    let on = list_platforms().map(|it| is_switched_on(it, &sources.config.platforms));
    on.fold(0, |bits, on| bits << 1 | u64::from(on))
}
