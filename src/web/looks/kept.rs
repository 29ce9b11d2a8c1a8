//! What is stored of a room's look, as this version understands it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{fingerprint, key, settings, themes::ThemeText};
use crate::{
    model::CreatorId,
    storage::{Kind, State},
};

/// What is stored of a room.
pub(super) struct Kept {
    /// What was set on pages.
    pub(super) layer: Map<String, Value>,
    pub(super) themes: OwnThemes,
}

/// Themes of a room's own.
pub(super) struct OwnThemes {
    /// By name.
    pub(super) texts: BTreeMap<String, ThemeText>,
    /// All that are there, those too that cannot be read.
    pub(super) names: BTreeSet<String>,
    /// What changes with any of their stylesheets; `None` without one.
    pub(super) version: Option<String>,
}

impl Kept {
    pub(super) fn read(state: &State, room: &CreatorId) -> Self {
        let layer = raw_layer(state, room).unwrap_or_else(|error| {
            tracing::error!(creator.id = %room, %error, "the stored look cannot be read");
            Map::new()
        });
        Self { layer: settings::without_faults(layer), themes: OwnThemes::read(state, room) }
    }
}

/// The stored layer as it was written, by whatever version.
pub(super) fn raw_layer(
    state: &State,
    room: &CreatorId,
) -> Result<Map<String, Value>, serde_json::Error> {
    let text = state.find(Kind::Looks, &key(room));
    text.map_or_else(|| Ok(Map::new()), |it| serde_json::from_str(&it))
}

impl OwnThemes {
    fn read(state: &State, room: &CreatorId) -> Self {
        let start = format!("{}/", key(room));
        let (mut texts, mut names) = (BTreeMap::new(), BTreeSet::new());
        for (stored, text) in state.list_beginning(Kind::Themes, &start) {
            let name = stored[start.len()..].to_owned();
            names.insert(name.clone());
            match raw_theme(&text).and_then(|it| ThemeText::understand(&it)) {
                Ok(theme) => drop(texts.insert(name, theme)),
                Err(error) => {
                    tracing::error!(theme = stored, %error, "a stored theme cannot be read");
                }
            }
        }
        let parts = texts.iter().flat_map(|(name, it)| [name.as_bytes(), it.css.as_bytes()]);
        let parts: Vec<&[u8]> = parts.collect();
        let version = (!parts.is_empty()).then(|| fingerprint(&parts));
        Self { texts, names, version }
    }
}

/// A stored theme as it was written.
pub(super) fn raw_theme(text: &str) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_str(text)
}
