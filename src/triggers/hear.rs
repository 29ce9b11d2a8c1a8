//! What chat does to triggers: a message is judged, and what it sets off is done.

use std::sync::Arc;

use super::{
    cooldowns::Around,
    decision::{Decision, Done, DoneState, Verdict},
    engine::Triggers,
    hands::Task,
    line::Line,
    room::{Live, Terms},
    set::Judged,
};
use crate::{
    chat::Room,
    model::{Message, Timestamp, template::Facts, trigger::Trigger},
    telemetry::Rate,
};

impl Triggers {
    /// Decides about a message that was published just now, and has done what is to be done.
    pub fn hear(&self, room: &Arc<Room>, message: &Message) {
        self.judge(room, message, true);
    }

    /// Notes what a message would have set off that came too late.
    pub fn hear_late(&self, room: &Arc<Room>, message: &Message) {
        self.judge(room, message, false);
    }

    fn judge(&self, room: &Arc<Room>, message: &Message, is_live: bool) {
        // Programs would answer each other, and in another channel that shares its chat its own bot answers.
        if !message.is_of_a_viewer() {
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
                match self.parts().hands.may_act(room, Some(message), now) {
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
        for (index, verdict) in &verdicts {
            let trigger = &in_force.set.find(*index).trigger;
            live.note(Decision::about(trigger, Some(message), verdict, Vec::new(), now));
        }
        let Some((index, args)) = fires else { return };
        let trigger = &in_force.set.find(index).trigger;
        let count = live.cooldowns.note(trigger, Some(line.viewer), now);
        drop(live);
        self.keep(room.id(), &in_force, trigger, Some(line.viewer), count, now);
        self.parts().telemetry.rates.count(Rate::Triggers, message.platform);
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
        let decision = Decision::about(trigger, Some(message), &Verdict::Matched, done, now);
        triggers.live().note(decision);
    }

    pub(super) fn act(
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
        let hands = &self.parts().hands;
        let actions = trigger.actions.iter().enumerate();
        actions
            .map(|(place, action)| {
                let automation = terms.automation;
                let task = Task { room, trigger, action, place, message, facts, automation, now };
                let done = hands.act(&task);
                let failed = matches!(done.state, DoneState::Failed | DoneState::Blocked);
                if let Some(message) = message {
                    let rate = if failed { Rate::ActionsFailed } else { Rate::Actions };
                    self.parts().telemetry.rates.count(rate, message.platform);
                }
                done
            })
            .collect()
    }
}
