//! Subscriptions that are held, and those that were told.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::{HOLD, MOST, Moment, RECENT_MS, REMEMBER_MS, parts::SubscriptionPart};
use crate::{model::Timestamp, platforms::kick::Subscription};

/// The subscriptions of a channel.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    held: Vec<Held>,
    told: VecDeque<Told>,
}

/// One that waits for its other frames.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) key: String,
    pub(super) first: Moment,
    pub(super) subscription: Subscription,
    due: Instant,
    /// A frame came that counts; copies alone tell nothing.
    counts: bool,
    /// How much the word of the frame that gave the months weighs.
    weight: u8,
}

#[derive(Debug)]
struct Told {
    key: String,
    /// The platform's clock, else ours.
    at: Timestamp,
}

impl Subscriptions {
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.held.iter().map(|it| it.due).min()
    }

    /// Whether the subscription was told before.
    pub(super) fn is_told(&self, part: &SubscriptionPart, now: Timestamp) -> bool {
        let celebrated = part.celebrated_at;
        let at = celebrated.or(part.subscription.sent_at).unwrap_or(now);
        self.told.iter().any(|it| it.key == part.key && it.at.ms_since(at).abs() <= RECENT_MS)
    }

    /// Adds a frame to the subscription that it tells of.
    pub(super) fn take(&mut self, part: SubscriptionPart, now: Moment) {
        if let Some(held) = self.held.iter_mut().find(|it| it.key == part.key) {
            held.add(part);
            return;
        }
        if self.is_told(&part, now.clock) {
            return;
        }
        let mut held = Held {
            key: part.key.clone(),
            first: now,
            subscription: Subscription::default(),
            due: now.at + HOLD,
            counts: false,
            weight: 0,
        };
        held.add(part);
        self.held.push(held);
    }

    /// Those that were held long enough; without a time, all.
    pub(super) fn take_due(&mut self, now: Option<Instant>) -> Vec<Held> {
        let is_due = |it: &mut Held| now.is_none_or(|now| it.due <= now);
        self.held.extract_if(.., is_due).filter(|it| it.counts).collect()
    }

    /// Notes that it is told now.
    pub(super) fn tell(&mut self, held: Held) -> Option<(Subscription, Timestamp)> {
        let Held { key, first, subscription, .. } = held;
        let at = subscription.sent_at.unwrap_or(first.clock);
        let newest = self.told.back().map_or(at, |it| it.at);
        self.told.retain(|it| newest.ms_since(it.at) <= REMEMBER_MS);
        if self.told.len() == MOST {
            self.told.pop_front();
        }
        self.told.push_back(Told { key, at });
        Some((subscription, first.clock))
    }
}

impl Held {
    fn add(&mut self, part: SubscriptionPart) {
        let SubscriptionPart { subscription: new, weight, counts, .. } = part;
        let known = &mut self.subscription;
        known.person.complete(new.person);
        // The words have an id of their own, by which they can be deleted.
        if new.words.is_some() && known.words.is_none() {
            known.id = new.id;
            known.words = new.words;
        } else {
            known.id = known.id.take().or(new.id);
        }
        if new.months.is_some() && (known.months.is_none() || weight > self.weight) {
            known.months = new.months;
        }
        known.tier = known.tier.take().or(new.tier);
        known.sent_at = known.sent_at.or(new.sent_at);
        if counts && (!self.counts || weight > self.weight) {
            known.raw_kind = new.raw_kind;
        }
        self.weight = self.weight.max(weight);
        self.counts |= counts;
    }
}
