//! How rooms look: what is built in, what `creators.json` says, and above both what was set on a page.
//!
//! A room's look is kept sparse, so that what was never touched follows the configuration. Everything that
//! changes it comes by here, one at a time, and reaches open overlays as `settings.update`.

mod kept;
mod settings;
mod themes;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use self::{kept::Kept, themes::Folders};
use super::{ApiError, assets::Assets};
use crate::{
    chat::Hub,
    config::CreatorConfig,
    lifecycle::Lifecycle,
    model::{CreatorId, OverlaySettings},
    storage::{Kind, State, StorageError},
};

pub use themes::{Theme, ThemeText, stylesheet_key, theme_query};

/// Every room's look. Cheap to clone.
#[derive(Clone)]
pub struct Looks(Arc<Inner>);

struct Inner {
    state: State,
    hub: Arc<Hub>,
    assets: Arc<Assets>,
    /// Held over every change, the disk's part included: one at a time. Only changes wait for it, off the async
    /// threads.
    turn: Mutex<()>,
    /// Held for a moment, also while a look is put in force: no older one comes behind a newer one.
    known: Mutex<Known>,
}

/// What looks are made of, but for the stored layer.
struct Known {
    /// What the configuration says; a room that is not here has the defaults.
    below: HashMap<CreatorId, Below>,
    folders: Folders,
    /// What is stored of a room, as read: nobody parses it again for every answer.
    kept: HashMap<String, Arc<Kept>>,
}

/// What stands below the stored layer.
#[derive(Clone, Default)]
struct Below {
    settings: OverlaySettings,
    /// Those that `creators.json` names.
    configured: BTreeSet<String>,
}

/// Where a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Built in.
    Default,
    /// `creators.json`.
    Config,
    /// Set on a page, and kept.
    Stored,
}

/// How a room looks, and why.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Look {
    /// The room.
    pub room: CreatorId,
    /// What is in force.
    pub settings: OverlaySettings,
    /// Where each of them comes from.
    pub layers: BTreeMap<String, Layer>,
    /// What would be in force without the stored layer.
    pub below: OverlaySettings,
    /// The stored layer.
    pub stored: Map<String, Value>,
    /// Which stylesheets the room's themes have.
    pub theme_version: String,
    /// The stored layer's fingerprint.
    #[serde(skip)]
    pub version: String,
}

impl Looks {
    /// With what is kept in `state`. Blocking: reads the themes.
    #[must_use]
    pub fn new(state: State, hub: Arc<Hub>, assets: Arc<Assets>) -> Self {
        let folders = Folders::read(&assets, None);
        let known = Mutex::new(Known { below: HashMap::new(), folders, kept: HashMap::new() });
        Self(Arc::new(Inner { state, hub, assets, turn: Mutex::default(), known }))
    }

    /// Waits for the changes before. Blocking.
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what the configuration says of a room; how it looks with that.
    pub fn note(&self, creator: &CreatorConfig) -> OverlaySettings {
        let mut known = self.known();
        let below =
            Below { settings: creator.overlay.clone(), configured: creator.overlay_keys.clone() };
        known.below.insert(creator.id.clone(), below);
        self.look(&mut known, &creator.id).settings
    }

    /// How a room looks that no configuration names.
    #[must_use]
    pub fn of(&self, room: &CreatorId) -> OverlaySettings {
        self.find(room).settings
    }

    /// Puts in force how a room looks now.
    pub fn apply(&self, id: &CreatorId) {
        let mut known = self.known();
        if let Some(room) = self.0.hub.find_room(id.as_str()) {
            room.set_settings(self.look(&mut known, id).settings);
        }
    }

    /// How a room looks, and why.
    #[must_use]
    pub fn find(&self, room: &CreatorId) -> Look {
        let (below, theme_version, kept) = self.parts(&mut self.known(), room);
        stack(room, below, theme_version, kept.layer.clone())
    }

    fn look(&self, known: &mut Known, room: &CreatorId) -> Look {
        let (below, theme_version, kept) = self.parts(known, room);
        stack(room, below, theme_version, kept.layer.clone())
    }

    /// What a look is made of.
    fn parts(&self, known: &mut Known, room: &CreatorId) -> (Below, String, Arc<Kept>) {
        let below = known.below.get(room).cloned().unwrap_or_default();
        let kept = self.kept(known, room);
        (below, known.folders.version(&kept.themes), kept)
    }

    /// What is stored of a room. Read once, and again behind a change.
    fn kept(&self, known: &mut Known, room: &CreatorId) -> Arc<Kept> {
        let read = || Arc::new(Kept::read(&self.0.state, room));
        Arc::clone(known.kept.entry(key(room)).or_insert_with(read))
    }
    /// Changes the stored layer: a value sets, null takes away. Kept once this returns, and shown by all open
    /// overlays. With `only_check` nothing is changed, and the answer is what would be.
    ///
    /// Blocking.
    ///
    /// # Errors
    /// Everything that is wrong with the changes; `seen` is not the version that is stored; a stored layer that cannot be
    /// read, which stays as it is; the disk.
    pub fn change(
        &self,
        room: &CreatorId,
        changes: &Value,
        seen: Option<&str>,
        only_check: bool,
    ) -> Result<Look, ApiError> {
        let _turn = self.turn();
        let (below, theme_version, kept) = self.parts(&mut self.known(), room);
        let find_fault = |name: &str| self.known().folders.find_fault(&kept.themes, name);
        let changes = settings::check(changes, find_fault).map_err(ApiError::Invalid)?;
        if seen.is_some_and(|it| it != self.find(room).version) {
            return Err(ApiError::Changed);
        }
        // Changed is what is stored, not what this version understands of it: another may have written it, and comes back.
        let mut stored = kept::raw_layer(&self.0.state, room).map_err(|error| {
            tracing::error!(creator.id = %room, %error, "the stored look cannot be read");
            ApiError::NotNow("the stored look cannot be read, and is left as it is")
        })?;
        for (name, value) in changes {
            if value.is_null() {
                stored.remove(&name);
            } else {
                stored.insert(name, value);
            }
        }
        let text = (!stored.is_empty()).then(|| Value::from(stored.clone()).to_string());
        let look = stack(room, below, theme_version, settings::without_faults(stored));
        if only_check {
            return Ok(look);
        }
        self.save(room, (Kind::Looks, key(room), text))?;
        self.apply(room);
        Ok(look)
    }

    /// Does something with everything that is kept of looks while nothing else changes it, and puts in force how
    /// rooms look then. Blocking.
    pub fn exclusively<T>(&self, work: impl FnOnce() -> T) -> T {
        let _turn = self.turn();
        let done = work();
        self.known().kept.clear();
        self.apply_all();
        done
    }

    fn apply_all(&self) {
        for room in self.0.hub.list_rooms() {
            self.apply(room.id());
        }
    }

    fn save(
        &self,
        room: &CreatorId,
        change: (Kind, String, Option<String>),
    ) -> Result<(), ApiError> {
        self.0.state.save(&[change]).map_err(|error: StorageError| {
            tracing::error!(%error, "how a room looks cannot be kept");
            ApiError::NotNow("the disk does not take it now: nothing was changed")
        })?;
        let kept = Arc::new(Kept::read(&self.0.state, room));
        self.known().kept.insert(key(room), kept);
        Ok(())
    }

    /// Follows `themes/` until the server stops: a theme that comes or changes is seen at once.
    pub async fn follow_themes(self, life: Lifecycle) {
        let folder = self.0.assets.beside().to_owned();
        watch::run(&folder, &life, || {
            let looks = self.clone();
            life.spawn_blocking(move || looks.read_themes_again())
        })
        .await;
    }

    fn read_themes_again(&self) {
        let passed_over = self.known().folders.passed_over.clone();
        let folders = Folders::read(&self.0.assets, Some(&passed_over));
        self.known().folders = folders;
        self.apply_all();
    }
}

/// The stored layer on what lies below it.
fn stack(
    room: &CreatorId,
    below: Below,
    theme_version: String,
    stored: Map<String, Value>,
) -> Look {
    let mut settings = settings::stack(&below.settings, &stored);
    settings.theme_version.clone_from(&theme_version);
    let layer = |name: String| {
        let layer = if stored.contains_key(&name) {
            Layer::Stored
        } else if below.configured.contains(&name) {
            Layer::Config
        } else {
            Layer::Default
        };
        (name, layer)
    };
    let layers = settings::names().map(layer).collect();
    let version = fingerprint(&[Value::Object(stored.clone()).to_string().as_bytes()]);
    let room = room.clone();
    Look { room, settings, layers, below: below.settings, stored, theme_version, version }
}

/// A room's name in the small state, whatever the case it is written in.
fn key(room: &CreatorId) -> String {
    room.as_str().to_ascii_lowercase()
}

/// 64 bits that change with any of the parts.
fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()[..8].iter().map(|it| format!("{it:02x}")).collect()
}
