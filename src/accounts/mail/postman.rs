//! The task that takes what waits to where it is delivered.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use rand::RngExt;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Delivery, DeliveryError, Fate, Waiting, WaitingError,
    written::{Written, give_up_at},
};
use crate::{
    accounts::{Email, Mail},
    config::Config,
    telemetry::{Severity, Telemetry},
};

/// Most mails on their way at a time.
const MOST_UNDER_WAY: usize = 4;
/// Pause after the first attempt of a mail that failed; it doubles each time.
const FIRST_PAUSE_MS: i64 = 1_000;
/// Longest pause between two attempts.
const LONGEST_PAUSE_MS: i64 = 300_000;
/// Pause after the disk refused to take what became of a mail.
const DISK_PAUSE: Duration = Duration::from_secs(5);
/// Longest sleep: a clock that was set may have changed what is due.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Delivers mails. Each recipient's arrive in the order in which they were written.
pub struct Postman<W> {
    /// What waits.
    pub waiting: W,
    /// Where it goes.
    pub delivery: Delivery,
    /// The configuration in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// Where failures are told.
    pub telemetry: Telemetry,
}

/// What became of an attempt.
struct Outcome {
    mail: Mail,
    /// Whether that could be kept.
    kept: Result<(), WaitingError>,
    /// When it is tried again.
    again_in: Option<Duration>,
    /// How long nothing at all is taken.
    pause: Option<Duration>,
}

/// What is under way, and what must wait.
struct Round {
    sending: HashMap<Uuid, Email>,
    /// Mails that were tried since the start, by when they are tried again: whatever is done to the clock meanwhile.
    not_before: HashMap<Uuid, Instant>,
    /// Nothing is begun before.
    next_start: Instant,
}

impl<W: Waiting> Postman<W> {
    /// Delivers until `stop`; what is under way then is let go, and delivered again after the next start.
    pub async fn run(self, stop: CancellationToken) {
        let mut under_way: FuturesUnordered<BoxFuture<'_, Outcome>> = FuturesUnordered::new();
        let mut round = Round {
            sending: HashMap::new(),
            not_before: HashMap::new(),
            next_start: Instant::now(),
        };
        let this = &self;
        loop {
            let (begun, wake) = this.begin(&mut round);
            under_way
                .extend(begun.into_iter().map(|it| Box::pin(this.take(it)) as BoxFuture<'_, _>));
            tokio::select! {
                () = stop.cancelled() => return,
                () = this.waiting.changed() => {}
                () = sleep_until(wake) => {}
                Some(outcome) = under_way.next() => round.settle(outcome),
            }
        }
    }

    /// The mail whose turn it is, if any, and when to look again.
    fn begin(&self, round: &mut Round) -> (Option<Mail>, Instant) {
        let (now, clock) = (Instant::now(), self.waiting.now());
        let mut wake = now + LONGEST_SLEEP;
        let waiting = self.waiting.list();
        self.telemetry.meters.mails_waiting.set(waiting.len() as f64);
        round.not_before.retain(|id, _| waiting.iter().any(|it| it.id == *id));
        if round.sending.len() >= MOST_UNDER_WAY {
            return (None, wake);
        }
        let mut earlier: HashSet<&Email> = round.sending.values().collect();
        let mut chosen = None;
        for mail in &waiting {
            // Behind one that was written before to the same address, whatever keeps that.
            if round.sending.contains_key(&mail.id) || !earlier.insert(&mail.to) {
                continue;
            }
            let due = round.not_before.get(&mail.id).copied().unwrap_or_else(|| {
                // A clock that was set back must not hold a mail up for longer than it ever waits.
                let ms = mail.next_attempt_at.ms_since(clock).clamp(0, LONGEST_PAUSE_MS);
                now + Duration::from_millis(ms.unsigned_abs())
            });
            if due > now {
                wake = wake.min(due);
            } else {
                chosen = Some(mail.clone());
                break;
            }
        }
        let Some(mail) = chosen else { return (None, wake) };
        if round.next_start > now {
            return (None, round.next_start);
        }
        let per_second = self.config.borrow().system.mail.per_second;
        if clock < give_up_at(&mail) {
            round.next_start = now + Duration::from_secs(1) / per_second.max(1);
        }
        round.sending.insert(mail.id, mail.to.clone());
        (Some(mail), round.next_start)
    }

    /// Delivers a mail and keeps what became of it; a pause when nothing is taken for a while.
    async fn take(&self, mail: Mail) -> Outcome {
        let now = self.waiting.now();
        if now >= give_up_at(&mail) {
            return self.give_up(mail, "it was too late to be of use").await;
        }
        let config = Arc::clone(&self.config.borrow());
        let meters = &self.telemetry.meters;
        let DeliveryError { fate, words, said } = match self
            .delivery
            .deliver(&Written::new(&mail), &config)
            .await
        {
            Ok(message_id) => {
                meters.mails_sent.increment(1);
                tracing::info!(mail.id = %mail.id, kind = mail.letter.kind(), "a mail was delivered");
                let kept = self.waiting.done(&mail, message_id.as_deref()).await;
                return Outcome { mail, kept, again_in: None, pause: None };
            }
            Err(error) => error,
        };
        tracing::warn!(mail.id = %mail.id, kind = mail.letter.kind(), said, "a mail was not taken: {words}");
        let pause = match fate {
            Fate::Refused => return self.give_up(mail, &words).await,
            Fate::Later => None,
            Fate::Wait(pause) => Some(pause),
        };
        let message = format!("a mail was not taken, it is tried again: {words}");
        self.telemetry.recent.event(Severity::Warning, "mail", message);
        // Where all wait, this one is no worse than they are.
        let ms = if pause.is_some() { 0 } else { pause_ms(mail.attempts) };
        let kept = self.waiting.again(&mail, self.waiting.now().plus_ms(ms)).await;
        Outcome { mail, kept, again_in: Some(Duration::from_millis(ms.unsigned_abs())), pause }
    }

    async fn give_up(&self, mail: Mail, reason: &str) -> Outcome {
        self.telemetry.meters.mails_failed.increment(1);
        let message = format!("a mail was given up: {reason}");
        self.telemetry.recent.error("accounts", "mail_given_up", mail.letter.kind(), message);
        tracing::error!(mail.id = %mail.id, kind = mail.letter.kind(), "a mail was given up: {reason}");
        let kept = self.waiting.gave_up(&mail, reason).await;
        Outcome { mail, kept, again_in: None, pause: None }
    }
}

impl Round {
    fn settle(&mut self, outcome: Outcome) {
        let Outcome { mail, kept, again_in, pause } = outcome;
        let now = Instant::now();
        self.sending.remove(&mail.id);
        if let Some(pause) = pause {
            self.next_start = self.next_start.max(now + pause);
        }
        let again_in = kept.map_or_else(
            |error| {
                // It is delivered again, and arrives once all the same.
                tracing::error!(%error, mail.id = %mail.id, "what became of a mail cannot be kept");
                Some(DISK_PAUSE)
            },
            |()| again_in,
        );
        match again_in {
            Some(it) => drop(self.not_before.insert(mail.id, now + it)),
            None => drop(self.not_before.remove(&mail.id)),
        }
    }
}

/// The pause after so many attempts before this one, half of it by chance.
fn pause_ms(attempts: u32) -> i64 {
    let whole = FIRST_PAUSE_MS.saturating_mul(1 << attempts.min(20)).min(LONGEST_PAUSE_MS);
    whole / 2 + rand::rng().random_range(0..=whole / 2)
}
