//! Gifts that are held, and those that were told.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{HOLD, MOST, Moment, RECENT_MS, REMEMBER_MS, key_of, parts::GiftPart};
use crate::{
    model::Timestamp,
    platforms::kick::{Gift, wire::Person},
};

/// Longest wait for the parts of a large gift.
const LONGEST_HOLD: Duration = Duration::from_secs(10);

/// The gifts of a channel.
#[derive(Debug, Default)]
pub(super) struct Gifts {
    held: Vec<Held>,
    told: VecDeque<Told>,
}

#[derive(Debug)]
struct Held {
    giver: String,
    first: Moment,
    last: Instant,
    gift: Gift,
    /// The parts that came, of how many.
    parts: Vec<u64>,
    parts_in_all: Option<u64>,
    counts: bool,
}

#[derive(Debug)]
struct Told {
    giver: String,
    correlation: Option<String>,
    receivers: Vec<String>,
    at: Timestamp,
}

impl Gifts {
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.held.iter().map(Held::due).min()
    }

    /// Whether the viewer with this key received one of the gifts around `at`.
    pub(super) fn names(&self, key: &str, at: Timestamp) -> bool {
        let held = self.held.iter().filter(|it| it.counts);
        let mut held = held.flat_map(|it| &it.gift.receivers);
        let recent = |it: &&Told| at.ms_since(it.at).abs() <= RECENT_MS;
        held.any(|it| it.known_name().is_some_and(|name| key_of(name) == key))
            || self.told.iter().filter(recent).any(|it| it.receivers.iter().any(|it| it == key))
    }

    /// Adds a frame to the gift that it tells of.
    pub(super) fn take(&mut self, part: GiftPart, now: Moment) {
        let same = |held: &&mut Held| held.is_same(&part, now.at);
        if let Some(held) = self.held.iter_mut().find(same) {
            held.add(part, now);
            return;
        }
        if self.is_told(&part, now.clock) {
            return;
        }
        let mut held = Held {
            giver: part.giver_key.clone(),
            first: now,
            last: now.at,
            gift: Gift::default(),
            parts: Vec::new(),
            parts_in_all: None,
            counts: false,
        };
        held.add(part, now);
        self.held.push(held);
    }

    /// Nobody can be given a subscription twice in a moment: one with the receivers of another is its copy.
    fn is_told(&self, part: &GiftPart, now: Timestamp) -> bool {
        let at = part.gift.sent_at.unwrap_or(now);
        self.told.iter().any(|it| {
            let known = |person: &Person| {
                person.known_name().is_some_and(|name| it.receivers.contains(&key_of(name)))
            };
            it.giver == part.giver_key
                && it.at.ms_since(at).abs() <= RECENT_MS
                && part.gift.receivers.iter().all(known)
        })
    }

    /// Those that were held long enough; without a time, all.
    pub(super) fn take_due(&mut self, now: Option<Instant>) -> Vec<(Gift, Timestamp)> {
        let is_due = |it: &mut Held| now.is_none_or(|now| it.due() <= now);
        let due: Vec<Held> = self.held.extract_if(.., is_due).filter(|it| it.counts).collect();
        due.into_iter().map(|it| self.tell(it)).collect()
    }

    fn tell(&mut self, held: Held) -> (Gift, Timestamp) {
        let Held { giver, first, mut gift, .. } = held;
        let correlation = gift.correlation.clone();
        if correlation.is_some() && self.told.iter().any(|it| it.correlation == correlation) {
            // What was told counted for all.
            (gift.rest, gift.total) = (true, None);
        }
        let at = gift.sent_at.unwrap_or(first.clock);
        let names = gift.receivers.iter().filter_map(Person::known_name);
        let receivers = names.map(key_of).collect();
        self.told.retain(|it| at.ms_since(it.at) <= REMEMBER_MS);
        if self.told.len() == MOST {
            self.told.pop_front();
        }
        self.told.push_back(Told { giver, correlation, receivers, at });
        (gift, first.clock)
    }
}

impl Held {
    fn due(&self) -> Instant {
        let missing = self.parts_in_all.is_some_and(|it| (self.parts.len() as u64) < it);
        if missing {
            // Two seconds behind its newest part, as long as the parts keep coming.
            (self.last + HOLD).min(self.first.at + LONGEST_HOLD)
        } else {
            self.first.at + HOLD
        }
    }

    fn is_same(&self, part: &GiftPart, now: Instant) -> bool {
        match (&self.gift.correlation, &part.gift.correlation) {
            (Some(known), Some(new)) => known == new,
            _ => self.giver == part.giver_key && now.duration_since(self.last) <= HOLD,
        }
    }

    fn add(&mut self, part: GiftPart, now: Moment) {
        let GiftPart { gift: new, part, parts_in_all, counts, .. } = part;
        self.last = now.at;
        let known = &mut self.gift;
        known.id = known.id.take().or(new.id);
        known.correlation = known.correlation.take().or(new.correlation);
        match (&mut known.giver, new.giver) {
            (Some(known), Some(new)) => known.complete(new),
            (slot @ None, new) => *slot = new,
            (Some(_), None) => {}
        }
        for person in new.receivers {
            let Some(name) = person.known_name().map(key_of) else { continue };
            let same = |it: &&mut Person| it.known_name().is_some_and(|it| key_of(it) == name);
            match known.receivers.iter_mut().find(same) {
                Some(known) => known.complete(person),
                None => known.receivers.push(person),
            }
        }
        known.total = known.total.max(new.total);
        known.tier = known.tier.take().or(new.tier);
        known.sent_at = known.sent_at.or(new.sent_at);
        if counts && !self.counts {
            known.raw_kind = new.raw_kind;
        }
        self.counts |= counts;
        if let Some(part) = part.filter(|it| !self.parts.contains(it)) {
            self.parts.push(part);
        }
        self.parts_in_all = self.parts_in_all.max(parts_in_all);
    }
}
