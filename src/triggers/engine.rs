//! All rooms' triggers: told of every message, they decide, and have done what is to be done.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit, watch},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    cooldowns::{Acted, Around, Cooldowns},
    decision::{Decision, Done, DoneState, Verdict},
    hands::{Hands, Task},
    line::{Line, is_news},
    room::{InForce, Kept, Live, RoomTriggers, Terms, recall, written},
    set::{Judged, TriggerSet},
};
use crate::{
    accounts::Accounts,
    chat::{Hub, Room},
    config::Config,
    lifecycle::Lifecycle,
    model::{
        CreatorId, Flag, Message, QualifiedId, Role, Timestamp,
        template::Facts,
        trigger::{Trigger, TriggerKind},
    },
    storage::{Kind, State},
    telemetry::{Rate, Telemetry},
};

/// How often timers are looked at, and what is to be forgotten.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between two writings of what was decided.
const WRITE_EVERY: u64 = 5;
/// Decisions of a room that outlive a restart (count).
const MOST_WRITTEN: usize = 100;
/// Looks between two times that cooldowns which ended are forgotten.
const FORGET_EVERY: u64 = 60;

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
    /// The set of rooms that have no triggers of their own, with the configuration it was made of.
    common: Mutex<Option<(Arc<Config>, Arc<TriggerSet>)>>,
    revision: AtomicU64,
    /// One change of what is kept at a time.
    turn: Mutex<()>,
    none: OnceLock<Arc<Vec<Kept>>>,
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
            none: OnceLock::new(),
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

    pub(super) fn turn(&self) -> std::sync::MutexGuard<'_, ()> {
        self.0.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The triggers of a room, made ready when it is first asked for.
    #[must_use]
    pub fn room(&self, room: &CreatorId) -> Arc<RoomTriggers> {
        let rooms = self.0.rooms.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = rooms.get(room) {
            return Arc::clone(known);
        }
        drop(rooms);
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
        let none = || Arc::clone(self.0.none.get_or_init(Arc::default));
        let Some(text) = text else { return none() };
        match serde_json::from_str::<Vec<Kept>>(&text) {
            Ok(kept) => Arc::new(kept),
            Err(error) => {
                tracing::error!(creator.id = %room, %error, "the triggers of a room cannot be read");
                none()
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
            self.common(&config, of_file)
        } else {
            Arc::new(TriggerSet::new(list_with_limits(of_file, &kept, terms)))
        };
        InForce { set, of_file: count, kept, terms }
    }

    fn common(&self, config: &Arc<Config>, of_file: Vec<Arc<Trigger>>) -> Arc<TriggerSet> {
        let mut common = self.0.common.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, set)) = common.as_ref().filter(|it| Arc::ptr_eq(&it.0, config)) {
            return Arc::clone(set);
        }
        let set = TriggerSet::new(list_with_limits(of_file, &[], Terms::NONE));
        let set = Arc::new(set);
        *common = Some((Arc::clone(config), Arc::clone(&set)));
        set
    }

    /// Puts in force what now holds for a room.
    pub(super) fn renew(&self, room: &CreatorId) {
        let known = self.0.rooms.read().unwrap_or_else(PoisonError::into_inner).get(room).cloned();
        if let Some(known) = known {
            known.in_force.store(Arc::new(self.in_force(room)));
        }
        self.0.revision.fetch_add(1, Ordering::Relaxed);
    }

    /// Puts in force what now holds for all rooms: after another configuration, a change of tiers, a restored copy.
    pub fn renew_all(&self) {
        let rooms = self.0.rooms.read().unwrap_or_else(PoisonError::into_inner);
        for (room, known) in rooms.iter() {
            known.in_force.store(Arc::new(self.in_force(room)));
        }
        drop(rooms);
        self.0.revision.fetch_add(1, Ordering::Relaxed);
    }

    /// Puts in force what tiers now allow.
    fn renew_terms(&self) {
        let rooms = self.0.rooms.read().unwrap_or_else(PoisonError::into_inner);
        let is_other = |(id, it): &(&CreatorId, &Arc<RoomTriggers>)| {
            self.terms(id) != it.in_force.load().terms
        };
        let others: Vec<CreatorId> = rooms.iter().filter(is_other).map(|it| it.0.clone()).collect();
        drop(rooms);
        others.iter().for_each(|it| self.renew(it));
    }

    /// Decides about a message that was published just now, and has done what is to be done.
    pub fn hear(&self, room: &Arc<Room>, message: &Message) {
        self.judge(room, message, true);
    }

    /// Notes what a message would have set off that came too late.
    pub fn hear_late(&self, room: &Arc<Room>, message: &Message) {
        self.judge(room, message, false);
    }

    fn judge(&self, room: &Arc<Room>, message: &Message, is_live: bool) {
        // What this server says itself, and what other programs say, sets nothing off: they would answer each other.
        // Nor does what was written in another channel that shares its chat: its own bot answers there.
        if message.author.roles.contains(&Role::Bot)
            || message.has(Flag::SharedChat)
            || (is_live && !is_news(message))
        {
            return;
        }
        let triggers = self.room(room.id());
        let in_force = triggers.in_force.load();
        let line = Line::of(message);
        let now = message.received_at;
        let mut live = triggers.live();
        live.lines += u64::from(is_live);
        if in_force.set.is_idle() {
            return;
        }
        let Live { cooldowns, patterns, .. } = &mut *live;
        let cooldowns = &*cooldowns;
        let everywhere = |id: &str| self.everywhere(&in_force, cooldowns, id);
        let mut around = Around {
            cooldowns,
            everywhere: &everywhere,
            least_seconds: in_force.terms.least_seconds,
            now,
            patterns: Some(patterns),
            began: None,
        };
        let Judged { passed, mut fires } = in_force.set.judge(&line, &mut around);
        drop(around);
        if passed.is_empty() && fires.is_none() {
            return;
        }
        let mut verdicts = passed;
        if let Some((index, _)) = fires {
            let verdict = if is_live {
                match self.0.parts.hands.may_act(room, Some(message), now) {
                    Ok(()) => Verdict::Matched,
                    Err(why) => Verdict::Limited(why),
                }
            } else {
                Verdict::Stale
            };
            if verdict != Verdict::Matched {
                verdicts.push((index, verdict));
                fires = None;
            }
        }
        let about = |index: u32, verdict: &Verdict, actions| Decision {
            at: now,
            trigger_id: in_force.set.find(index).trigger.trigger_id.clone(),
            platform: Some(message.platform),
            message_id: Some(message.id.clone()),
            viewer: Some(message.author.login.clone()),
            outcome: verdict.outcome(),
            detail: verdict.detail(),
            actions,
        };
        for (index, verdict) in &verdicts {
            live.note(about(*index, verdict, Vec::new()));
        }
        let Some((index, args)) = fires else { return };
        let trigger = &in_force.set.find(index).trigger;
        let count = live.cooldowns.note(trigger, Some(line.viewer), now);
        drop(live);
        self.keep(room.id(), &in_force, trigger, Some(line.viewer), count, now);
        self.0.parts.telemetry.rates.count(Rate::Triggers, message.platform);
        let facts = Facts {
            user: &message.author.name,
            login: &message.author.login,
            platform: message.platform.title(),
            channel: &message.channel.name,
            args,
            message: line.text,
            amount: message.amount.as_ref().map_or("", |it| it.display.as_str()),
            count,
            ..Facts::default()
        };
        let done = self.act(room, trigger, Some(message), facts, &in_force.terms, now);
        triggers.live().note(about(index, &Verdict::Matched, done));
    }

    fn act(
        &self,
        room: &Arc<Room>,
        trigger: &Trigger,
        message: Option<&Message>,
        facts: Facts<'_>,
        terms: &Terms,
        now: Timestamp,
    ) -> Vec<Done> {
        let moment = now.to_string();
        let facts = Facts {
            room: room.id().as_str(),
            time: &moment[11..16],
            date: &moment[..10],
            chance: rand::random(),
            ..facts
        };
        let hands = &self.0.parts.hands;
        let actions = trigger.actions.iter().enumerate();
        actions
            .map(|(place, action)| {
                let automation = terms.automation;
                let task = Task { room, trigger, action, place, message, facts, automation, now };
                let done = hands.act(&task);
                let failed = matches!(done.state, DoneState::Failed | DoneState::Blocked);
                if let Some(message) = message {
                    let rate = if failed { Rate::ActionsFailed } else { Rate::Actions };
                    self.0.parts.telemetry.rates.count(rate, message.platform);
                }
                done
            })
            .collect()
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
    fn keep(
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

    /// Looks after timers, and keeps what was decided, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut config = self.0.parts.config.clone();
        let mut accounts = self.0.parts.accounts.revision();
        let mut file = Arc::clone(&config.borrow_and_update().triggers);
        for look in 1_u64.. {
            if stop.run_until_cancelled(ticks.tick()).await.is_none() {
                break;
            }
            let revision = self.0.parts.accounts.revision();
            let is_other = config.has_changed().unwrap_or(false) && {
                let now = Arc::clone(&config.borrow_and_update().triggers);
                std::mem::replace(&mut file, Arc::clone(&now)) != now
            };
            let terms = revision != accounts;
            accounts = revision;
            self.make_ready(is_other, terms).await;
            self.look_at_timers(Timestamp::now());
            if look % WRITE_EVERY == 0 {
                self.write_decisions();
            }
            if look % FORGET_EVERY == 0 {
                self.forget(Timestamp::now());
            }
        }
        self.write_decisions();
    }

    /// Makes ready what is new, or is other than it was: patterns take time, so not on a thread that chats wait for.
    async fn make_ready(&self, all: bool, terms: bool) {
        let known = |it: &Arc<Room>| {
            let rooms = self.0.rooms.read().unwrap_or_else(PoisonError::into_inner);
            rooms.contains_key(it.id())
        };
        let mut new = self.0.parts.hub.list_rooms();
        new.retain(|it| !known(it));
        if new.is_empty() && !all && !terms {
            return;
        }
        let this = self.clone();
        let work = self.0.parts.life.spawn_blocking(move || {
            if all {
                this.renew_all();
            } else if terms {
                this.renew_terms();
            }
            for it in new {
                let _ = this.room(it.id());
            }
        });
        if let Err(error) = work.await {
            tracing::error!(%error, "triggers stay as they were");
        }
    }

    /// Has done what is due by time.
    pub(super) fn look_at_timers(&self, now: Timestamp) {
        for room in self.0.parts.hub.list_rooms() {
            let known = self.0.rooms.read().unwrap_or_else(PoisonError::into_inner);
            let Some(triggers) = known.get(room.id()).cloned() else { continue };
            drop(known);
            let in_force = triggers.in_force.load();
            for ready in in_force.set.timers() {
                let trigger = &ready.trigger;
                if !trigger.enabled || ready.shut.is_some() {
                    continue;
                }
                let mut live = triggers.live();
                if !live.is_due(trigger, now) {
                    continue;
                }
                live.wait_anew(trigger, now);
                let about = |verdict: &Verdict, actions| Decision {
                    at: now,
                    trigger_id: trigger.trigger_id.clone(),
                    platform: None,
                    message_id: None,
                    viewer: None,
                    outcome: verdict.outcome(),
                    detail: verdict.detail(),
                    actions,
                };
                if let Err(why) = self.0.parts.hands.may_act(&room, None, now) {
                    live.note(about(&Verdict::Limited(why), Vec::new()));
                    continue;
                }
                let count = live.cooldowns.note(trigger, None, now);
                drop(live);
                self.keep(room.id(), &in_force, trigger, None, count, now);
                let facts = Facts { count, ..Facts::default() };
                let done = self.act(&room, trigger, None, facts, &in_force.terms, now);
                triggers.live().note(about(&Verdict::Matched, done));
            }
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

    fn write_decisions(&self) {
        let rooms: Vec<_> = {
            let rooms = self.0.rooms.read().unwrap_or_else(PoisonError::into_inner);
            rooms.iter().map(|(id, it)| (id.clone(), Arc::clone(it))).collect()
        };
        for (id, triggers) in rooms {
            let mut live = triggers.live();
            if !std::mem::take(&mut live.unwritten) {
                continue;
            }
            let decisions: Vec<Decision> = live
                .decisions()
                .skip(live.count_decisions().saturating_sub(MOST_WRITTEN))
                .cloned()
                .collect();
            drop(live);
            let text = serde_json::to_string(&decisions).expect("plain values always serialise");
            self.0.parts.state.set(Kind::Decisions, id.as_str(), Some(text));
        }
    }

    /// Forgets cooldowns of viewers that ended, and rooms that are gone.
    fn forget(&self, now: Timestamp) {
        let (state, hub) = (&self.0.parts.state, &self.0.parts.hub);
        let rooms: Vec<_> = {
            let mut rooms = self.0.rooms.write().unwrap_or_else(PoisonError::into_inner);
            rooms.retain(|id, _| hub.find_room(id.as_str()).is_some());
            rooms.iter().map(|(id, it)| (id.clone(), Arc::clone(it))).collect()
        };
        for (id, triggers) in rooms {
            let in_force = triggers.in_force.load();
            let all = in_force.set.list();
            let longest = all.iter().map(|it| it.trigger.viewer_cooldown_seconds).max();
            let before = now.unix_ms() - i64::from(longest.unwrap_or_default()) * 1000;
            let gone = triggers.live().cooldowns.forget_before(before);
            for (trigger, viewer) in gone {
                state.set(Kind::Cooldowns, &format!("{id}/{trigger}/{}", viewer.as_str()), None);
            }
        }
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
