//! One thing that happened, however many frames tell of it.
//!
//! A subscription comes as up to five frames on four channels, in any order, and once more as a webhook; a
//! gift comes in parts and copies, and each receiver's subscription beside it. Those are held for two
//! seconds and told once. What comes by the socket and by webhook is told by whichever came first.
//!
//! A pure state machine: time comes as an argument, and whoever owns it calls [`Fold::flush`] when due.

mod gifts;
mod parts;
mod subscriptions;
mod twins;

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{
    Frame, Happening, Notice,
    people::{self, People},
    wire::ChatMessage,
};
use crate::model::Timestamp;

use self::{gifts::Gifts, subscriptions::Subscriptions, twins::Twins};

/// How long something is held for the other frames that tell of it.
const HOLD: Duration = Duration::from_secs(2);
/// For how long a receiver's own subscription, or a copy that came late, is recognised (ms).
const RECENT_MS: i64 = 60_000;
/// For how long what was told is remembered, for webhooks that come late (ms).
const REMEMBER_MS: i64 = 3_600_000;
/// Most of each kind that are held or remembered; the oldest are told or forgotten.
const MOST: usize = 512;

/// A moment on both clocks: the one that only goes forward, and the wall's.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// For how long something is held.
    pub at: Instant,
    /// For when it was received.
    pub clock: Timestamp,
}

/// Something to be told, with when its first frame was received.
pub(super) type Told = (Happening, Timestamp);

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrival {
    /// By the socket.
    Frame(Frame),
    /// By webhook.
    Webhook(Notice),
}

/// What is held and what was told, of one channel.
#[derive(Debug, Default)]
pub struct Fold {
    people: People,
    subscriptions: Subscriptions,
    gifts: Gifts,
    twins: Twins,
    /// Messages that were told as a subscription: a webhook repeats them as messages.
    celebrations: VecDeque<String>,
}

impl Fold {
    /// Takes in what came; answers what is to be told at once.
    pub fn accept(&mut self, arrival: Arrival, now: Moment) -> Vec<Told> {
        let mut told = Vec::new();
        match arrival {
            Arrival::Frame(frame) => self.accept_frame(frame, now, &mut told),
            Arrival::Webhook(notice) => self.accept_notice(notice, now, &mut told),
        }
        // Held beyond any sense: told before its time rather than kept without bound.
        if self.subscriptions.held() > MOST || self.gifts.held() > MOST {
            told.extend(self.flush_all());
        }
        told
    }

    /// When something that is held has to be told.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.subscriptions.due().into_iter().chain(self.gifts.due()).min()
    }

    /// What was held long enough.
    pub fn flush(&mut self, now: Instant) -> Vec<Told> {
        self.flush_until(Some(now))
    }

    /// Everything that is held: nobody reads on.
    pub fn flush_all(&mut self) -> Vec<Told> {
        self.flush_until(None)
    }

    fn flush_until(&mut self, now: Option<Instant>) -> Vec<Told> {
        let mut told = Vec::new();
        // Subscriptions first: a gift that is still held tells which of them are its receivers'.
        for held in self.subscriptions.take_due(now) {
            let received = self.gifts.names(&held.key, held.first.clock);
            if received && held.subscription.words.is_none() {
                continue;
            }
            if let Some((mut subscription, at)) = self.subscriptions.tell(held) {
                self.people.complete(&mut subscription.person);
                told.push((Happening::Subscription(Box::new(subscription)), at));
            }
        }
        for (mut gift, at) in self.gifts.take_due(now) {
            gift.giver.iter_mut().for_each(|it| self.people.complete(it));
            gift.receivers.iter_mut().for_each(|it| self.people.complete(it));
            told.push((Happening::Gift(Box::new(gift)), at));
        }
        told.sort_by_key(|it| it.1);
        told
    }

    fn accept_frame(&mut self, frame: Frame, now: Moment, told: &mut Vec<Told>) {
        match frame.name() {
            "ChatMessageEvent" => self.accept_message(frame, now, told),
            "SubscriptionEvent" => self.take_subscription(parts::subscription(&frame), now),
            "ChannelSubscriptionEvent" | "NewSubscriberUpdatedEvent" => {
                self.take_subscription(parts::subscription_copy(&frame), now);
            }
            "NewActivityFeedEvent" => match parts::activity_feed(&frame) {
                parts::Feed::Subscription(part) => self.take_subscription(Some(*part), now),
                parts::Feed::Copy => {}
                parts::Feed::Unknown => told.push((Happening::Event(frame), now.clock)),
            },
            "ChatMessageSentEvent" => match parts::message_sent(&frame) {
                parts::Sent::Subscription(part) => self.take_subscription(Some(*part), now),
                parts::Sent::Gift(part) => self.gifts.take(*part, now),
                // The twin of a chat message.
                parts::Sent::Copy => {}
                parts::Sent::Unknown => told.push((Happening::Event(frame), now.clock)),
            },
            "GiftedSubscriptionsEvent" => self.take_gift(parts::gift(&frame), frame, now, told),
            "SubscriptionGifted" => self.take_gift(parts::gift_newer(&frame), frame, now, told),
            "LuckyUsersWhoGotGiftSubscriptionsEvent" => {
                if let Some(part) = parts::gift_copy(&frame) {
                    self.gifts.take(part, now);
                }
            }
            "GiftsLeaderboardUpdated" => {
                if let Some(giver) = parts::leaderboard_giver(&frame) {
                    self.people.note(&giver);
                }
            }
            _ => {
                let twin = parts::socket_twin(&frame);
                if twin.is_some_and(|it| self.twins.is_repeat(it, now.clock)) {
                    return;
                }
                told.push((Happening::Event(frame), now.clock));
            }
        }
    }

    fn accept_notice(&mut self, notice: Notice, now: Moment, told: &mut Vec<Told>) {
        for person in parts::people_of(&notice) {
            self.people.note(&person);
        }
        match notice.kind.as_str() {
            "channel.subscription.new" | "channel.subscription.renewal" => {
                match parts::webhook_subscription(&notice) {
                    Some(part) => self.take_subscription(Some(part), now),
                    None => told.push((Happening::Webhook(notice), now.clock)),
                }
            }
            "channel.subscription.gifts" => match parts::webhook_gift(&notice) {
                Some(part) => self.gifts.take(part, now),
                None => told.push((Happening::Webhook(notice), now.clock)),
            },
            "chat.message.sent" if self.is_celebration(&notice) => {}
            _ => {
                let twin = parts::webhook_twin(&notice);
                if twin.is_some_and(|it| self.twins.is_repeat(it, now.clock)) {
                    return;
                }
                told.push((Happening::Webhook(notice), now.clock));
            }
        }
    }

    fn is_celebration(&self, notice: &Notice) -> bool {
        let id = notice.body.get("message_id").and_then(|it| it.as_str());
        id.is_some_and(|id| self.celebrations.iter().any(|it| it == id))
    }

    fn accept_message(&mut self, frame: Frame, now: Moment, told: &mut Vec<Told>) {
        let message = parts::read::<ChatMessage>(&frame.data);
        if let Some(sender) = message.as_ref().and_then(|it| it.sender.as_ref()) {
            self.people.note(sender);
        }
        let part = message.and_then(|it| parts::celebration(it, &frame));
        match part {
            // Told already, without its words: those are a message like any other.
            Some(part) if self.subscriptions.is_told(&part, now.clock) => {
                told.push((Happening::Event(frame), now.clock));
            }
            Some(part) => {
                if self.celebrations.len() == MOST {
                    self.celebrations.pop_front();
                }
                self.celebrations.extend(part.subscription.id.clone());
                self.take_subscription(Some(part), now);
            }
            None => told.push((Happening::Event(frame), now.clock)),
        }
    }

    fn take_subscription(&mut self, part: Option<parts::SubscriptionPart>, now: Moment) {
        if let Some(part) = part {
            self.people.note(&part.subscription.person);
            self.subscriptions.take(part, now);
        }
    }

    /// A gift that cannot be read is told as it came, for the normalizer to say what is missing.
    fn take_gift(
        &mut self,
        part: Option<parts::GiftPart>,
        frame: Frame,
        now: Moment,
        told: &mut Vec<Told>,
    ) {
        match part {
            Some(part) => self.gifts.take(part, now),
            None => told.push((Happening::Event(frame), now.clock)),
        }
    }
}

/// The key of a viewer's name.
fn key_of(name: &str) -> String {
    people::key(name)
}

#[cfg(test)]
mod tests;
