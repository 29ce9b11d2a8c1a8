//! What is done by time: timers, what is to be made ready, kept and forgotten.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{
    decision::{Decision, Verdict},
    engine::Triggers,
};
use crate::{
    model::{Timestamp, template::Facts},
    storage::Kind,
};

/// How often timers are looked at, and what is to be forgotten.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between two writings of what was decided.
const WRITE_EVERY: u64 = 5;
/// Decisions of a room that outlive a restart (count).
const MOST_WRITTEN: usize = 100;
/// Looks between two times that cooldowns which ended are forgotten.
const FORGET_EVERY: u64 = 60;

impl Triggers {
    /// Looks after timers, and keeps what was decided, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut config = self.parts().config.clone();
        let mut accounts = self.parts().accounts.revision();
        let mut file = Arc::clone(&config.borrow_and_update().triggers);
        for look in 1_u64.. {
            if stop.run_until_cancelled(ticks.tick()).await.is_none() {
                break;
            }
            let revision = self.parts().accounts.revision();
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
        let mut new = self.parts().hub.list_rooms();
        new.retain(|it| self.find_room(it.id()).is_none());
        if new.is_empty() && !all && !terms {
            return;
        }
        let this = self.clone();
        let work = self.parts().life.spawn_blocking(move || {
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
        for room in self.parts().hub.list_rooms() {
            let Some(triggers) = self.find_room(room.id()) else { continue };
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
                let about = |verdict: &Verdict, actions| {
                    Decision::about(trigger, None, verdict, actions, now)
                };
                if let Err(why) = self.parts().hands.may_act(&room, None, now) {
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

    fn write_decisions(&self) {
        for (id, triggers) in self.list_rooms() {
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
            self.parts().state.set(Kind::Decisions, id.as_str(), Some(text));
        }
    }

    /// Forgets cooldowns of viewers that ended, and rooms that are gone.
    fn forget(&self, now: Timestamp) {
        let (state, hub) = (&self.parts().state, &self.parts().hub);
        self.keep_rooms(|id| hub.find_room(id.as_str()).is_some());
        for (id, triggers) in self.list_rooms() {
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
