//! What a worker hands on to the one that goes on after it: what is held, and how far the chat was read.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Notice,
    fold::{Arrival, Fold, Moment, Told},
    protocol::Lost,
    webhooks::{Expectation, Registration},
};
use crate::{
    config::platforms::KickSocket,
    model::{Platform, Timestamp},
    platforms::{Memory, WorkerError},
};

/// Kept over restarts: when the newest message was sent that was read.
const NEWEST: &str = "newest";
/// How old that may be for the gap to be worth filling (ms): the history holds some dozens of messages.
const OLDEST_GAP_MS: i64 = 30 * 60_000;
/// How often is kept how far the chat was read: a server may be killed without a word.
const KEEP_EVERY: Duration = Duration::from_secs(3);
/// For how long a socket that turned us away is not tried again.
const REFUSED_FOR: Duration = Duration::from_secs(600);
/// For how long the first choice is passed over when it did not get as far as the chat.
const AVOIDED_FOR: Duration = Duration::from_secs(60);
/// Two beginnings within this time are one, told twice (ms).
const SAME_BEGINNING_MS: i64 = 10 * 60_000;

/// One of the ways to the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Centrifugo,
    Pusher,
}

/// Handed on from attempt to attempt of one reading of a channel.
pub struct Track {
    /// When the reading began: what is older is history.
    pub(super) started_at: Timestamp,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    fold: Fold,
    /// Told by webhooks that came between two attempts.
    postponed: Vec<Told>,
    /// The place for webhooks, between two attempts.
    registration: Option<Registration>,
    /// For webhooks that come before that place is there.
    expectation: Option<Expectation>,
    newest: Option<Timestamp>,
    /// How far the chat was read before the gap that is not filled yet.
    gap_from: Option<Timestamp>,
    kept_at: Option<Instant>,
    centrifugo_refused: Option<Refusal>,
    pusher_refused: Option<Refusal>,
    /// The first choice did not get as far as the chat: the other one has a turn.
    avoided: Option<Instant>,
    /// A webhook came, so they do come.
    webhook_seen: bool,
    begun: Option<Timestamp>,
    came_back_at_once: Option<Instant>,
}

impl Held {
    /// Where the reading goes on: at the gap, as long as the history may still tell what is missing there.
    fn unread_from(&self) -> Option<Timestamp> {
        let newest = self.newest?;
        Some(self.gap_from.filter(|it| newest.ms_since(*it) <= OLDEST_GAP_MS).unwrap_or(newest))
    }
}

/// When a socket turned us away, and in which words.
#[derive(Clone)]
struct Refusal {
    at: Instant,
    text: String,
}

impl Refusal {
    fn counts(&self) -> bool {
        self.at.elapsed() < REFUSED_FOR
    }
}

impl Track {
    /// A reading that begins now; it goes on where an earlier one left off, if that was not long ago.
    #[must_use]
    pub(super) fn new(memory: &Memory, channel: &str, now: Timestamp) -> Self {
        let newest = memory.find(Platform::Kick, channel, NEWEST);
        let newest = newest.and_then(|it| Timestamp::parse(&it).ok());
        let newest = newest.filter(|it| now.ms_since(*it) <= OLDEST_GAP_MS);
        Self { started_at: now, held: Mutex::new(Held { newest, ..Held::default() }) }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fold(&self, arrival: Arrival, now: Moment) -> Vec<Told> {
        self.held().fold.accept(arrival, now)
    }

    /// Folds in a webhook that nobody reads now, to be told when somebody does.
    pub(super) fn postpone(&self, notice: Notice, now: Moment) {
        let mut held = self.held();
        let told = held.fold.accept(Arrival::Webhook(notice), now);
        held.postponed.extend(told);
    }

    pub(super) fn take_registration(&self) -> Option<Registration> {
        self.held().registration.take()
    }

    pub(super) fn put_registration(&self, registration: Registration) {
        self.held().registration = Some(registration);
    }

    /// What comes while there is no place for it is to be repeated, as long as the reading goes on.
    pub(super) fn put_expectation(&self, expectation: Expectation) {
        self.held().expectation = Some(expectation);
    }

    /// The reading ends: no webhook is taken any more, and those that wait are folded in.
    pub(super) fn end_webhooks(&self, now: Moment) {
        if let Some(mut registration) = self.take_registration() {
            registration.close();
            while let Some(notice) = registration.take() {
                self.postpone(notice, now);
            }
        }
    }

    pub(super) fn fold_due(&self) -> Option<Instant> {
        self.held().fold.due()
    }

    pub(super) fn flush(&self, now: Instant) -> Vec<Told> {
        self.held().fold.flush(now)
    }

    pub(super) fn flush_all(&self) -> Vec<Told> {
        let mut held = self.held();
        let mut told = std::mem::take(&mut held.postponed);
        told.extend(held.fold.flush_all());
        told
    }

    /// From when on messages are missing, by the platform's clock: where the reading broke off, also while later
    /// messages are read already.
    pub(super) fn gap_from(&self) -> Option<Timestamp> {
        let mut held = self.held();
        held.gap_from = held.unread_from();
        held.gap_from
    }

    /// Whether something is missing that the history may still tell.
    pub(super) fn has_gap(&self) -> bool {
        let held = self.held();
        held.gap_from.is_some() && held.gap_from == held.unread_from()
    }

    /// Nothing is missing any more.
    pub(super) fn close_gap(&self) {
        self.held().gap_from = None;
    }

    pub(super) fn note_message(&self, sent_at: Timestamp) {
        let mut held = self.held();
        held.newest = held.newest.max(Some(sent_at));
    }

    /// Keeps over a restart how far the chat was read.
    pub(super) fn keep(&self, memory: &Memory, channel: &str) {
        let read = self.held().unread_from();
        if let Some(read) = read {
            memory.remember(Platform::Kick, channel, NEWEST, &read.to_string());
        }
    }

    /// Keeps that while the reading goes on, now and then.
    pub(super) fn keep_at_times(&self, memory: &Memory, channel: &str, now: Instant) {
        let is_due = {
            let mut held = self.held();
            let is_due =
                held.kept_at.is_none_or(|it| now.saturating_duration_since(it) >= KEEP_EVERY);
            if is_due {
                held.kept_at = Some(now);
            }
            is_due
        };
        if is_due {
            self.keep(memory, channel);
        }
    }

    /// What a lost socket means. Final only where no other may be tried: of two that turn us away, one may have
    /// done so over something that passes.
    pub(super) fn verdict(&self, socket: KickSocket, way: Way, lost: &Lost) -> WorkerError {
        let text = lost.text().to_owned();
        if !matches!(lost, Lost::Refused(_)) {
            return WorkerError::transient(text);
        }
        let refusal = Some(Refusal { at: Instant::now(), text: text.clone() });
        let mut held = self.held();
        match way {
            Way::Centrifugo => held.centrifugo_refused = refusal,
            Way::Pusher => held.pusher_refused = refusal,
        }
        match socket {
            KickSocket::Auto => WorkerError::transient(text),
            KickSocket::Centrifugo | KickSocket::Pusher => WorkerError::permanent(text),
        }
    }

    /// In which words both sockets turned us away a short while ago, if they did.
    pub(super) fn all_refused(&self) -> Option<String> {
        let held = self.held();
        let of = |it: &Option<Refusal>| it.clone().filter(Refusal::counts);
        let refusals = [of(&held.centrifugo_refused)?, of(&held.pusher_refused)?];
        let newest = refusals.into_iter().max_by_key(|it| it.at)?;
        Some(newest.text)
    }

    /// Whether a way turned us away a short while ago.
    pub(super) fn is_refused(&self, way: Way) -> bool {
        let held = self.held();
        let refusal = match way {
            Way::Centrifugo => &held.centrifugo_refused,
            Way::Pusher => &held.pusher_refused,
        };
        refusal.as_ref().is_some_and(Refusal::counts)
    }

    /// Lets the other way have a turn.
    pub(super) fn avoid_first_choice(&self) {
        self.held().avoided = Some(Instant::now());
    }

    pub(super) fn is_first_choice_avoided(&self) -> bool {
        self.held().avoided.is_some_and(|it| it.elapsed() < AVOIDED_FOR)
    }

    pub(super) fn note_webhook(&self) {
        self.held().webhook_seen = true;
    }

    pub(super) fn has_seen_webhooks(&self) -> bool {
        self.held().webhook_seen
    }

    /// Whether a stream that began then was not told of before.
    pub(super) fn begin(&self, at: Timestamp) -> bool {
        let mut held = self.held();
        let known = held.begun.is_some_and(|it| it.ms_since(at).abs() <= SAME_BEGINNING_MS);
        if !known {
            held.begun = Some(at);
        }
        !known
    }

    /// Whether to follow an invitation to come back at once: not again and again.
    pub(super) fn may_come_back_at_once(&self) -> bool {
        let mut held = self.held();
        let may = held.came_back_at_once.is_none_or(|it| it.elapsed() >= Duration::from_secs(60));
        if may {
            held.came_back_at_once = Some(Instant::now());
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::State;

    fn track() -> Track {
        Track::new(&Memory::new(State::in_memory()), "ana", Timestamp::now())
    }

    #[test]
    fn a_webhook_that_nobody_read_is_told_at_the_end() {
        let track = track();
        let webhooks = std::sync::Arc::new(crate::platforms::kick::webhooks::Webhooks::default());
        track.put_registration(webhooks.register(7, "app"));
        webhooks.know(7, "app", vec!["sub".to_owned()], true);
        let clock = Timestamp::now();
        webhooks.deliver_for_tests(7, "n1", clock);
        track.end_webhooks(Moment { at: Instant::now(), clock });
        assert_eq!(track.flush_all().len(), 1);
    }

    #[test]
    fn a_gap_stays_until_it_is_filled_whatever_is_read_after_it() {
        let memory = Memory::new(State::in_memory());
        let now = Timestamp::now();
        let track = Track::new(&memory, "ana", now);
        assert_eq!(track.gap_from(), None, "nothing was read before");
        let (before, after) = (now.plus_ms(-60_000), now.plus_ms(-1_000));
        track.note_message(before);
        assert_eq!(track.gap_from(), Some(before));
        track.note_message(after);
        assert_eq!(track.gap_from(), Some(before), "the next attempt asks for the same");
        assert!(track.has_gap());
        track.keep(&memory, "ana");
        assert_eq!(Track::new(&memory, "ana", now).gap_from(), Some(before), "after a restart too");
        track.close_gap();
        assert_eq!(track.gap_from(), Some(after), "the next cut");
        let much_later = after.plus_ms(OLDEST_GAP_MS + 1);
        track.note_message(much_later);
        assert!(!track.has_gap());
        assert_eq!(track.gap_from(), Some(much_later), "older than what the history tells");
    }

    #[test]
    fn how_far_the_chat_was_read_is_kept_while_it_is_read() {
        let memory = Memory::new(State::in_memory());
        let (clock, start) = (Timestamp::now(), Instant::now());
        let track = Track::new(&memory, "ana", clock);
        let kept = || Track::new(&memory, "ana", clock).gap_from();
        track.keep_at_times(&memory, "ana", start);
        assert_eq!(kept(), None);
        track.note_message(clock);
        track.keep_at_times(&memory, "ana", start + KEEP_EVERY / 2);
        assert_eq!(kept(), None, "not at each turn");
        track.keep_at_times(&memory, "ana", start + KEEP_EVERY);
        assert_eq!(kept(), Some(clock));
    }

    #[tokio::test(start_paused = true)]
    async fn two_sockets_that_turn_us_away_are_both_tried_again_later() {
        let track = track();
        let lost = Lost::Refused("closed (3503)".to_owned());
        assert!(!track.verdict(KickSocket::Auto, Way::Centrifugo, &lost).is_permanent());
        assert_eq!(track.all_refused(), None, "the other one is there");
        let lost = Lost::Refused("closed (4001)".to_owned());
        assert!(!track.verdict(KickSocket::Auto, Way::Pusher, &lost).is_permanent());
        assert_eq!(track.all_refused().as_deref(), Some("closed (4001)"));
        tokio::time::advance(REFUSED_FOR).await;
        assert_eq!(track.all_refused(), None);
        assert!(!track.is_refused(Way::Centrifugo) && !track.is_refused(Way::Pusher));
        for socket in [KickSocket::Centrifugo, KickSocket::Pusher] {
            assert!(track.verdict(socket, Way::Pusher, &lost).is_permanent(), "asked for by hand");
        }
        let later = Lost::Later("cut".to_owned());
        assert!(!track.verdict(KickSocket::Pusher, Way::Pusher, &later).is_permanent());
    }
}
