//! The triggers of a room that are made on a page, or by a program of its owner: kept before anybody is told so.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    engine::Triggers,
    room::{InForce, Kept, LEAST_LINES},
};
use crate::{
    model::{CreatorId, Timestamp, trigger::Trigger},
    storage::{Kind, StorageError},
};

/// Triggers of a room without a tier (count).
pub const MOST_TRIGGERS: usize = 500;

/// Why a change was not made; nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Something about it is wrong: JSON pointer and message, each.
    #[error("{}", .0.first().map_or("it is not as it should be", |it| it.1.as_str()))]
    Invalid(Vec<(String, String)>),
    /// Another has that name.
    #[error("there is a trigger `{0}` already")]
    Taken(String),
    /// There is none of that name.
    #[error("there is no trigger `{0}` that was made here")]
    Unknown(String),
    /// It is the operator's.
    #[error("`{0}` stands in triggers.json: it is changed there")]
    OfFile(String),
    /// There are enough.
    #[error("this room has its {0} triggers: remove one first")]
    Full(usize),
    /// The disk refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Where a trigger stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "TriggerOrigin")]
pub enum Origin {
    /// In the operator's `triggers.json`.
    File,
    /// Made on a page.
    Page,
}

/// A trigger as lists show it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Listed {
    /// What it is.
    #[serde(flatten)]
    pub trigger: Trigger,
    /// Where it stands.
    pub source: Origin,
    /// When it was last changed; absent for those of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Why it never acts, though it is switched on: beyond the tier, or another has its word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shut: Option<String>,
}

/// The triggers of a room.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TriggerList {
    /// In the order they are tried.
    pub triggers: Vec<Listed>,
    /// How many may be made here (count); null is as many as wanted.
    pub limit: Option<u32>,
    /// How many more may (count).
    pub remaining: Option<u32>,
    /// Lines that a timer waits for where it says nothing (count).
    pub default_least_lines: u32,
}

impl Triggers {
    /// The triggers of a room.
    #[must_use]
    pub fn list(&self, room: &CreatorId) -> TriggerList {
        let in_force = self.room(room).in_force.load_full();
        let limit = in_force.terms.most;
        let count = u32::try_from(in_force.kept.len()).unwrap_or(u32::MAX);
        TriggerList {
            triggers: list(&in_force),
            limit,
            remaining: limit.map(|it| it.saturating_sub(count)),
            default_least_lines: LEAST_LINES,
        }
    }

    /// Adds a trigger behind the others. Blocking.
    ///
    /// # Errors
    /// As [`PageError`] says.
    pub fn add(&self, room: &CreatorId, trigger: Trigger) -> Result<Listed, PageError> {
        self.change(room, |kept, in_force| {
            check(&trigger)?;
            let taken =
                in_force.set.list().iter().any(|it| is_named(&it.trigger, &trigger.trigger_id));
            if taken {
                return Err(PageError::Taken(trigger.trigger_id.clone()));
            }
            let most = in_force.terms.most.map_or(MOST_TRIGGERS, |it| it as usize);
            if kept.len() >= most.min(MOST_TRIGGERS) {
                return Err(PageError::Full(most.min(MOST_TRIGGERS)));
            }
            let it = Kept { trigger: Arc::new(trigger), updated_at: Timestamp::now() };
            kept.push(it);
            Ok(())
        })?;
        let listed = self.list(room).triggers.pop();
        listed.ok_or_else(|| PageError::Unknown(String::new()))
    }

    /// Puts another trigger in the place of one. Blocking.
    ///
    /// # Errors
    /// As [`PageError`] says.
    pub fn replace(
        &self,
        room: &CreatorId,
        id: &str,
        trigger: Trigger,
    ) -> Result<Listed, PageError> {
        let new_id = trigger.trigger_id.clone();
        self.change(room, |kept, in_force| {
            check(&trigger)?;
            let at = find(kept, in_force, id)?;
            let others = in_force.set.list().iter().filter(|it| !is_named(&it.trigger, id));
            if others.clone().any(|it| is_named(&it.trigger, &trigger.trigger_id)) {
                return Err(PageError::Taken(trigger.trigger_id.clone()));
            }
            kept[at] = Kept { trigger: Arc::new(trigger), updated_at: Timestamp::now() };
            Ok(())
        })?;
        let listed = self.list(room).triggers.into_iter().find(|it| is_named(&it.trigger, &new_id));
        listed.ok_or(PageError::Unknown(new_id))
    }

    /// Removes a trigger. Blocking.
    ///
    /// # Errors
    /// As [`PageError`] says.
    pub fn remove(&self, room: &CreatorId, id: &str) -> Result<(), PageError> {
        self.change(room, |kept, in_force| {
            let at = find(kept, in_force, id)?;
            kept.remove(at);
            Ok(())
        })
    }

    /// Brings triggers into another order: these first, the others behind them as they were. Blocking.
    ///
    /// # Errors
    /// As [`PageError`] says.
    pub fn order(&self, room: &CreatorId, order: &[String]) -> Result<(), PageError> {
        self.change(room, |kept, in_force| {
            let mut first = Vec::new();
            for id in order {
                let at = find(kept, in_force, id)?;
                first.push(kept.remove(at));
            }
            first.append(kept);
            *kept = first;
            Ok(())
        })
    }

    /// Adds several triggers at once, all or none. One of a name that is there takes its place. Blocking.
    ///
    /// # Errors
    /// As [`PageError`] says.
    pub fn import(&self, room: &CreatorId, new: Vec<Trigger>) -> Result<Vec<String>, PageError> {
        let ids: Vec<String> = new.iter().map(|it| it.trigger_id.clone()).collect();
        self.change(room, |kept, in_force| {
            for trigger in new {
                check(&trigger)?;
                let id = trigger.trigger_id.clone();
                let it = Kept { trigger: Arc::new(trigger), updated_at: Timestamp::now() };
                match find(kept, in_force, &id) {
                    Ok(at) => kept[at] = it,
                    Err(PageError::Unknown(_)) => kept.push(it),
                    Err(error) => return Err(error),
                }
            }
            let most = in_force.terms.most.map_or(MOST_TRIGGERS, |it| it as usize);
            if kept.len() > most.min(MOST_TRIGGERS) {
                return Err(PageError::Full(most.min(MOST_TRIGGERS)));
            }
            Ok(())
        })?;
        Ok(ids)
    }

    fn change(
        &self,
        room: &CreatorId,
        change: impl FnOnce(&mut Vec<Kept>, &InForce) -> Result<(), PageError>,
    ) -> Result<(), PageError> {
        let triggers = self.room(room);
        let turn = self.turn();
        let in_force = triggers.in_force.load_full();
        let mut kept = (*self.kept(room)).clone();
        change(&mut kept, &in_force)?;
        let text = serde_json::to_string(&kept).expect("plain values always serialise");
        let text = (!kept.is_empty()).then_some(text);
        self.parts().state.save(&[(Kind::Triggers, room.to_string(), text)])?;
        self.renew(room, &turn);
        let in_force = triggers.in_force.load();
        let gone = triggers
            .live()
            .keep_only(|id| in_force.set.list().iter().any(|it| is_named(&it.trigger, id)));
        for id in gone {
            let start = format!("{room}/{id}");
            let of_it = |name: &str| name == start || name.starts_with(&format!("{start}/"));
            let names = self.parts().state.list_beginning(Kind::Cooldowns, &start);
            for (name, _) in names.into_iter().filter(|it| of_it(&it.0)) {
                self.parts().state.set(Kind::Cooldowns, &name, None);
            }
        }
        Ok(())
    }
}

fn is_named(trigger: &Trigger, id: &str) -> bool {
    trigger.trigger_id == id
}

fn check(trigger: &Trigger) -> Result<(), PageError> {
    let mut found = trigger.check();
    if trigger.creator_id.is_some() {
        let message = "a trigger made here is this room's: leave it out".to_owned();
        found.push(("/creator_id".to_owned(), message));
    }
    if found.is_empty() { Ok(()) } else { Err(PageError::Invalid(found)) }
}

fn find(kept: &[Kept], in_force: &InForce, id: &str) -> Result<usize, PageError> {
    if let Some(at) = kept.iter().position(|it| is_named(&it.trigger, id)) {
        return Ok(at);
    }
    if in_force.is_of_file(id) {
        return Err(PageError::OfFile(id.to_owned()));
    }
    Err(PageError::Unknown(id.to_owned()))
}

fn list(in_force: &InForce) -> Vec<Listed> {
    let all = in_force.set.list();
    let each = all.iter().enumerate().map(|(at, ready)| {
        let kept = at.checked_sub(in_force.of_file).and_then(|it| in_force.kept.get(it));
        let before = all[..at].iter().map(|it| &*it.trigger);
        Listed {
            trigger: (*ready.trigger).clone(),
            source: if kept.is_some() { Origin::Page } else { Origin::File },
            updated_at: kept.map(|it| it.updated_at),
            shut: ready.shut.clone().or_else(|| find_shadow(before, &ready.trigger)),
        }
    });
    each.collect()
}

/// Why a command never acts: one before it has all its words, for everybody and everywhere.
pub(super) fn find_shadow<'a>(
    before: impl Iterator<Item = &'a Trigger>,
    trigger: &Trigger,
) -> Option<String> {
    let words: Vec<String> = trigger.list_words().collect();
    let hides = |other: &&Trigger| {
        let theirs: Vec<String> = other.list_words().collect();
        other.enabled
            && other.access <= trigger.access
            && other.least_amount.is_none()
            && (other.platforms.is_empty()
                || (!trigger.platforms.is_empty()
                    && trigger.platforms.iter().all(|it| other.platforms.contains(it))))
            && words.iter().all(|it| theirs.contains(it))
    };
    let of_commands = before.filter(|it| !words.is_empty() && it.kind == trigger.kind);
    let mut hiding = of_commands.filter(hides);
    hiding.next().map(|it| format!("`{}` stands before it and has its word", it.trigger_id))
}
