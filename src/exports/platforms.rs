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
    /// How it is read; `None` while there is no worker for it.
    pub mode: Option<&'static str>,
    notes: &'static str,
    /// Whether what was said can be played again.
    pub replay: bool,
    /// Whether overlays show what is said now.
    pub overlay: bool,
}

impl Support {
    /// For `platform`.
    pub(super) const fn of(platform: Platform) -> Self {
        match platform {
            Platform::Twitch => Self {
                mode: Some("read"),
                notes: "Chat and its notices are read over IRC, without credentials.",
                replay: false,
                overlay: true,
            },
            _ => Self { mode: None, notes: "Not read yet.", replay: false, overlay: false },
        }
    }
}

/// Whether the configuration lets `platform` be read at all; never, while there is no worker for it.
pub(super) fn is_switched_on(platform: Platform, config: &PlatformsConfig) -> bool {
    match platform {
        Platform::Twitch => config.twitch.enabled,
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
    status: Status,
    /// How it is reached: `read`, or `none`.
    mode: &'static str,
    /// One sentence, for people.
    notes: &'static str,
    /// Whether what was said can be played again.
    replay_supported: bool,
    /// Whether overlays show what is said now.
    overlay_supported: bool,
}

/// How far the support of a platform is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// It works and is switched on.
    Active,
    /// It works and is switched off.
    Paused,
    /// There is nothing to switch on yet.
    Planned,
}

fn render(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let config = &sources.config.platforms;
    let platforms = list_platforms().map(|name| {
        let support = Support::of(name);
        let status = match support.mode {
            None => Status::Planned,
            Some(_) if is_switched_on(name, config) => Status::Active,
            Some(_) => Status::Paused,
        };
        Entry {
            name,
            status,
            mode: support.mode.unwrap_or("none"),
            notes: support.notes,
            replay_supported: support.replay,
            overlay_supported: support.overlay,
        }
    });
    let meta = Meta::new(EXPORT.path, EXPORT.visibility, now);
    to_bytes(&WithMeta { meta, fields: Platforms { platforms: platforms.collect() } })
}

/// One bit for each platform that is switched on.
fn revision(sources: &Sources) -> u64 {
    let on = list_platforms().map(|it| is_switched_on(it, &sources.config.platforms));
    on.fold(0, |bits, on| bits << 1 | u64::from(on))
}
