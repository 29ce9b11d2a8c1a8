//! All rooms' triggers: what is in force in each, and what is kept of it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::{
    cooldowns::{Acted, Cooldowns},
    decision::Decision,
    hands::Hands,
    room::{InForce, Kept, Live, RoomTriggers, Terms, recall, written},
    set::TriggerSet,
};
use crate::{
    accounts::Accounts,
    chat::Hub,
    config::{Config, TriggersConfig},
    lifecycle::Lifecycle,
    model::{
        CreatorId, QualifiedId, Timestamp,
        trigger::{Trigger, TriggerKind},
    },
    storage::{Kind, State},
    telemetry::Telemetry,
};

/// All rooms' triggers. Cheap to clone.
#[derive(Clone)]
pub struct Triggers(Arc<Shared>);

/// What triggers need from the rest of the server.
pub struct Parts {
    /// The rooms.
    pub hub: Arc<Hub>,
    /// The configuration in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// Whose room it is, and what their tier allows.
    pub accounts: Accounts,
    /// What is kept over restarts.
    pub state: State,
    /// Where it is counted.
    pub telemetry: Telemetry,
    /// What carries actions out.
    pub hands: Arc<dyn Hands>,
    /// Where patterns are made ready.
    pub life: Lifecycle,
}

struct Shared {
    parts: Parts,
    rooms: RwLock<HashMap<CreatorId, Arc<RoomTriggers>>>,
    /// When a trigger last acted in any room (Unix ms).
    everywhere: Mutex<HashMap<String, i64>>,
    /// The set of rooms that have no triggers of their own, with the file it was made of.
    common: Mutex<Option<(Arc<TriggersConfig>, Arc<TriggerSet>)>>,
    revision: AtomicU64,
    /// One change of what is kept at a time.
    turn: Mutex<()>,
    /// One recorded session is tried at a time.
    trials: Semaphore,
}

impl Triggers {
    /// Reads what is kept.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let everywhere = parts.state.list_beginning(Kind::Cooldowns, "/");
        let everywhere = everywhere
            .into_iter()
            .filter_map(|(name, at)| Some((name[1..].to_owned(), at.parse().ok()?)));
        Self(Arc::new(Shared {
            everywhere: Mutex::new(everywhere.collect()),
            parts,
            rooms: RwLock::default(),
            common: Mutex::default(),
            revision: AtomicU64::new(1),
            turn: Mutex::default(),
            trials: Semaphore::new(1),
        }))
    }

    /// Another number whenever any room's triggers may have changed.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.0.revision.load(Ordering::Relaxed)
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// The turn to try a recorded session: others wait, so that trying takes one core at most.
    pub(super) async fn take_trial(&self) -> Option<SemaphorePermit<'_>> {
        self.0.trials.acquire().await.ok()
    }

    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find_room(&self, room: &CreatorId) -> Option<Arc<RoomTriggers>> {
        self.0.rooms.read().unwrap_or_else(PoisonError::into_inner).get(room).cloned()
    }

    /// Those that are made ready, as of now: nothing is done under the lock that chats wait for.
    pub(super) fn list_rooms(&self) -> Vec<(CreatorId, Arc<RoomTriggers>)> {
        let rooms = self.0.rooms.read().unwrap_or_else(PoisonError::into_inner);
        rooms.iter().map(|(id, it)| (id.clone(), Arc::clone(it))).collect()
    }

    pub(super) fn keep_rooms(&self, is_there: impl Fn(&CreatorId) -> bool) {
        let mut rooms = self.0.rooms.write().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|id, _| is_there(id));
    }

    /// The triggers of a room, made ready when it is first asked for.
    #[must_use]
    pub fn room(&self, room: &CreatorId) -> Arc<RoomTriggers> {
        if let Some(known) = self.find_room(room) {
            return known;
        }
        let made = Arc::new(RoomTriggers::new(self.in_force(room), self.remembered(room)));
        let mut rooms = self.0.rooms.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(rooms.entry(room.clone()).or_insert(made))
    }

    fn remembered(&self, room: &CreatorId) -> Live {
        let state = &self.0.parts.state;
        let start = format!("{room}/");
        let rows = state.list_beginning(Kind::Cooldowns, &start);
        let rows = rows.into_iter().map(|(name, text)| (name[start.len()..].to_owned(), text));
        let decisions = state.find(Kind::Decisions, room.as_str());
        // What cannot be read is of no use to anybody.
        let decisions = decisions.and_then(|it| serde_json::from_str(&it).ok()).unwrap_or_default();
        Live::with(recall(rows), decisions)
    }

    /// What a room's tier allows.
    fn terms(&self, room: &CreatorId) -> Terms {
        let book = self.0.parts.accounts.book();
        book.terms_of_room(room).map_or(Terms::NONE, |it| Terms {
            most: Some(it.features.triggers),
            least_seconds: it.features.trigger_cooldown_seconds,
            automation: it.features.automation,
        })
    }

    /// What was made on pages for a room.
    pub(super) fn kept(&self, room: &CreatorId) -> Arc<Vec<Kept>> {
        let text = self.0.parts.state.find(Kind::Triggers, room.as_str());
        let Some(text) = text else { return Arc::default() };
        match serde_json::from_str::<Vec<Kept>>(&text) {
            Ok(kept) => Arc::new(kept),
            Err(error) => {
                tracing::error!(creator.id = %room, %error, "the triggers of a room cannot be read");
                Arc::default()
            }
        }
    }

    /// What was made on pages, by room and in the order they are tried. Nothing is made ready over it.
    #[must_use]
    pub fn list_kept(&self) -> Vec<(CreatorId, Arc<Vec<Kept>>)> {
        let rows = self.0.parts.state.list(Kind::Triggers);
        let rooms = rows.into_iter().filter_map(|(name, _)| name.parse::<CreatorId>().ok());
        rooms.map(|room| (room.clone(), self.kept(&room))).collect()
    }

    /// The configuration in force.
    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.0.parts.config.borrow())
    }

    fn in_force(&self, room: &CreatorId) -> InForce {
        let config = self.config();
        let kept = self.kept(room);
        let terms = self.terms(room);
        let of_file = config.triggers.of_room(room);
        let (of_file, is_common) = (of_file.cloned().collect::<Vec<_>>(), kept.is_empty());
        let count = of_file.len();
        let is_common = is_common && of_file.iter().all(|it| it.creator_id.is_none());
        let set = if is_common {
            self.common(&config.triggers, of_file)
        } else {
            Arc::new(TriggerSet::new(list_with_limits(of_file, &kept, terms)))
        };
        InForce { set, of_file: count, kept, terms }
    }

    fn common(&self, file: &Arc<TriggersConfig>, of_file: Vec<Arc<Trigger>>) -> Arc<TriggerSet> {
        let mut common = self.0.common.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, set)) = common.as_ref().filter(|it| Arc::ptr_eq(&it.0, file)) {
            return Arc::clone(set);
        }
        let set = TriggerSet::new(list_with_limits(of_file, &[], Terms::NONE));
        let set = Arc::new(set);
        *common = Some((Arc::clone(file), Arc::clone(&set)));
        set
    }

    /// Puts in force what now holds for a room. Only in turn: what was worked out earlier must not come behind.
    pub(super) fn renew(&self, room: &CreatorId, _turn: &MutexGuard<'_, ()>) {
        if let Some(known) = self.find_room(room) {
            known.in_force.store(Arc::new(self.in_force(room)));
        }
        self.0.revision.fetch_add(1, Ordering::Relaxed);
    }

    /// Puts in force what now holds for all rooms: after another file, or a restored copy. Blocking: patterns are made
    /// ready.
    pub fn renew_all(&self) {
        for (room, _) in self.list_rooms() {
            self.renew(&room, &self.turn());
        }
    }

    /// Puts in force what tiers now allow. Blocking.
    pub(super) fn renew_terms(&self) {
        for (room, it) in self.list_rooms() {
            if self.terms(&room) != it.in_force.load().terms {
                self.renew(&room, &self.turn());
            }
        }
    }

    /// When a trigger last acted in any room that it serves: one that was made on a page serves its own.
    pub(super) fn everywhere(
        &self,
        in_force: &InForce,
        cooldowns: &Cooldowns,
        trigger: &str,
    ) -> Option<i64> {
        if !in_force.is_of_file(trigger) {
            return cooldowns.rooms.get(trigger).map(|it| it.at_ms);
        }
        self.0.everywhere.lock().unwrap_or_else(PoisonError::into_inner).get(trigger).copied()
    }

    /// Keeps over restarts that a trigger acted.
    pub(super) fn keep(
        &self,
        room: &CreatorId,
        in_force: &InForce,
        trigger: &Trigger,
        viewer: Option<&QualifiedId>,
        count: u64,
        now: Timestamp,
    ) {
        let (state, id, at_ms) = (&self.0.parts.state, &trigger.trigger_id, now.unix_ms());
        let acted = written(Acted { at_ms, count });
        state.set(Kind::Cooldowns, &format!("{room}/{id}"), Some(acted));
        if let Some(viewer) = viewer.filter(|_| trigger.viewer_cooldown_seconds > 0) {
            let name = format!("{room}/{id}/{}", viewer.as_str());
            state.set(Kind::Cooldowns, &name, Some(at_ms.to_string()));
        }
        if trigger.global_cooldown_seconds > 0 && in_force.is_of_file(id) {
            let mut everywhere = self.0.everywhere.lock().unwrap_or_else(PoisonError::into_inner);
            everywhere.insert(id.clone(), at_ms);
            drop(everywhere);
            state.set(Kind::Cooldowns, &format!("/{id}"), Some(at_ms.to_string()));
        }
    }

    /// Forgets all of a room that was taken away.
    pub fn forget_room(&self, room: &CreatorId) {
        self.0.rooms.write().unwrap_or_else(PoisonError::into_inner).remove(room);
        let state = &self.0.parts.state;
        for kind in [Kind::Triggers, Kind::Decisions] {
            state.set(kind, room.as_str(), None);
        }
        for (name, _) in state.list_beginning(Kind::Cooldowns, &format!("{room}/")) {
            state.set(Kind::Cooldowns, &name, None);
        }
        self.0.revision.fetch_add(1, Ordering::Relaxed);
    }

    /// What was decided in a room, newest first.
    #[must_use]
    pub fn list_decisions(&self, room: &CreatorId) -> Vec<Decision> {
        self.room(room).live().decisions().rev().cloned().collect()
    }
}

/// The triggers of a room with the reason why one is shut out.
fn list_with_limits(
    of_file: Vec<Arc<Trigger>>,
    kept: &[Kept],
    terms: Terms,
) -> Vec<(Arc<Trigger>, Option<String>)> {
    let of_file = of_file.into_iter().map(|it| (it, None));
    let most = terms.most.map_or(usize::MAX, |it| it as usize);
    let kept = kept.iter().enumerate().map(|(at, it)| {
        let needs = it.trigger.kind == TriggerKind::Timer;
        let why = if at >= most {
            Some(format!("the tier of this room's owner allows {most} triggers"))
        } else if needs && !terms.automation {
            Some("the tier of this room's owner has no timers".to_owned())
        } else {
            None
        };
        (Arc::clone(&it.trigger), why)
    });
    of_file.chain(kept).collect()
}
