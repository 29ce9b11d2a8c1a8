//! `state/creators.json`: whose rooms there are.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes},
    platforms::is_switched_on,
};
use crate::model::{CreatorId, Platform, Timestamp};

/// The file.
pub const EXPORT: Export = Export {
    path: "state/creators.json",
    visibility: Visibility::DashboardOnly,
    description: "Whose rooms there are, and on which platforms.",
    json_schema: schema_of::<WithMeta<Creators>>,
    content: Content::OfRooms { render, revision },
};

/// Whose rooms there are.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Creators {
    /// By id.
    creators: Vec<Creator>,
}

/// A creator.
#[derive(Debug, Serialize, JsonSchema)]
struct Creator {
    /// The creator's id, and the name of the room.
    creator_id: CreatorId,
    /// The name shown on pages.
    display_name: String,
    /// Whether the room exists.
    enabled: bool,
    /// By platform: those with a channel of this creator.
    platforms: BTreeMap<&'static str, Switch>,
    /// Unknown: files do not say it.
    created_at: Option<Timestamp>,
    /// Unknown: files do not say it.
    updated_at: Option<Timestamp>,
}

/// Whether a platform is read.
#[derive(Debug, Serialize, JsonSchema)]
struct Switch {
    /// When somebody needs it.
    enabled: bool,
}

/// Another number with another configuration: it is replaced whole, so its place says which one it is, together with what
/// it holds.
fn revision(sources: &Sources) -> u64 {
    let mut hasher = DefaultHasher::new();
    for creator in &sources.config.creators.creators {
        (&creator.id, &creator.display_name, creator.enabled).hash(&mut hasher);
        for channel in &creator.channels {
            (channel.platform, channel.enabled).hash(&mut hasher);
        }
    }
    for platform in Platform::ALL {
        is_switched_on(platform, &sources.config.platforms).hash(&mut hasher);
    }
    hasher.finish()
}

fn render(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let config = &sources.config;
    let mut creators: Vec<_> = config
        .creators
        .creators
        .iter()
        .map(|creator| {
            let mut platforms: BTreeMap<&'static str, Switch> = BTreeMap::new();
            for channel in &creator.channels {
                let on = creator.enabled
                    && channel.enabled
                    && is_switched_on(channel.platform, &config.platforms);
                let switch = platforms.entry(channel.platform.as_str());
                switch.or_insert(Switch { enabled: false }).enabled |= on;
            }
            Creator {
                creator_id: creator.id.clone(),
                display_name: creator.display_name().to_owned(),
                enabled: creator.enabled,
                platforms,
                created_at: None,
                updated_at: None,
            }
        })
        .collect();
    creators.sort_by(|a, b| a.creator_id.cmp(&b.creator_id));
    let meta = Meta::new(EXPORT.path, EXPORT.visibility, now);
    to_bytes(&WithMeta { meta, fields: Creators { creators } })
}
