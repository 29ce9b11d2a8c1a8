//! Emotes of 7TV, BetterTTV and FrankerFaceZ: for every room whose channels they know, on all its platforms.
//!
//! One task keeps all lists: asked for when a room first needs them, compared every few minutes, kept on disk,
//! and changed at once where 7TV tells of it. Rooms look words up in a set that is replaced whole.

mod events;
mod keeper;
mod list;
mod set;
mod source;
mod store;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};

pub use set::EmoteSet;

use self::{keeper::Keeper, source::ChannelKey, store::Store};
use crate::{
    config::Config,
    http::Clients,
    lifecycle::Lifecycle,
    model::{CreatorId, EventBody, Platform},
    telemetry::Telemetry,
};

/// The emotes of all rooms. Cheap to clone.
#[derive(Clone, Default)]
pub struct Emotes(Arc<Shared>);

#[derive(Default)]
struct Shared {
    slots: Mutex<BTreeMap<CreatorId, Weak<Slot>>>,
    /// Another room, or another channel of one.
    changed: Notify,
}

/// The emotes of one room.
#[derive(Default)]
struct Slot {
    set: ArcSwap<EmoteSet>,
    channels: Mutex<BTreeSet<ChannelKey>>,
    /// The channels whose lists the set was made of; none before it was made.
    made_of: Mutex<Option<Vec<ChannelKey>>>,
}

/// A room's emotes, for as long as somebody holds this: then its lists are let go.
#[derive(Clone)]
pub struct RoomEmotes {
    slot: Arc<Slot>,
    emotes: Emotes,
}

/// What the task needs.
pub struct Parts {
    /// Where the server's tasks run.
    pub life: Lifecycle,
    /// Where failures are told.
    pub telemetry: Telemetry,
    /// The ways out over HTTP.
    pub clients: Arc<Clients>,
    /// The folder lists are kept in.
    pub folder: PathBuf,
}

impl Emotes {
    /// The emotes of a creator's room.
    #[must_use]
    pub fn open(&self, creator: &CreatorId) -> RoomEmotes {
        let mut slots = self.slots();
        let slot = match slots.get(creator).and_then(Weak::upgrade) {
            Some(slot) => slot,
            None => {
                let slot = Arc::new(Slot::default());
                slots.insert(creator.clone(), Arc::downgrade(&slot));
                slot
            }
        };
        drop(slots);
        RoomEmotes { slot, emotes: self.clone() }
    }

    /// Keeps all lists until the server stops.
    pub async fn run(self, parts: Parts, config: watch::Receiver<Arc<Config>>) {
        let store = Store::new(parts.folder.clone());
        Keeper::new(self, parts, store, config).run().await;
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<CreatorId, Weak<Slot>>> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rooms that are held, and the channels each has; those nobody holds are forgotten.
    fn list_held(&self) -> Vec<(Arc<Slot>, Vec<ChannelKey>)> {
        let mut slots = self.slots();
        slots.retain(|_, it| it.strong_count() > 0);
        slots
            .values()
            .filter_map(Weak::upgrade)
            .map(|slot| {
                let channels = slot.channels().iter().cloned().collect();
                (slot, channels)
            })
            .collect()
    }
}

impl Slot {
    /// Whether the set was made of the lists of these channels.
    fn is_made_of(&self, channels: &[ChannelKey]) -> bool {
        let made_of = self.made_of.lock().unwrap_or_else(PoisonError::into_inner);
        made_of.as_deref() == Some(channels)
    }

    fn fill(&self, set: Arc<EmoteSet>, channels: Vec<ChannelKey>) {
        self.set.store(set);
        *self.made_of.lock().unwrap_or_else(PoisonError::into_inner) = Some(channels);
    }

    fn channels(&self) -> MutexGuard<'_, BTreeSet<ChannelKey>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RoomEmotes {
    /// A channel of the room turned out to have this number (digits) on its platform.
    pub fn note_channel(&self, platform: Platform, id: &str) {
        let known = matches!(platform, Platform::Twitch | Platform::Kick);
        if !known || id.is_empty() || !id.bytes().all(|it| it.is_ascii_digit()) {
            return;
        }
        let key = ChannelKey { platform, id: id.to_owned() };
        if self.slot.channels().insert(key) {
            self.emotes.0.changed.notify_one();
        }
    }

    /// Makes emotes of the words that are names of some.
    pub fn place(&self, body: &mut EventBody) {
        self.slot.set.load().place(body);
    }

    /// The emotes as they are now.
    #[must_use]
    pub fn set(&self) -> Arc<EmoteSet> {
        self.slot.set.load_full()
    }
}
