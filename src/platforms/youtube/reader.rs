//! One way to read a chat and how it fares: whether it is on, what is wrong with it, and when it looks next.

use std::time::Duration;

use rand::RngExt;
use tokio::time::Instant;

use super::{chat::Chat, trouble::Trouble};

/// How often in a row a key must be refused before it is left alone, and for how long it is then.
pub(super) const KEY_REFUSALS: u32 = 3;
const KEY_REST: Duration = Duration::from_secs(600);
/// Longest pause after a failure that may pass any moment.
const LONGEST_SOFT: Duration = Duration::from_secs(5);
/// First pause after one that may last, and may be a single bad answer.
const FIRST_GLITCH: Duration = Duration::from_secs(3);
/// First and longest pause after one that lasts.
const HARD: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(300));

/// One way to read the chat, and how it fares.
pub(super) struct Reader<C> {
    pub(super) chat: C,
    pub(super) on: bool,
    /// Since it was switched on.
    pub(super) delivered: bool,
    pub(super) failures: u32,
    pub(super) trouble: Option<Trouble>,
    /// What the door was found like between two looks.
    pub(super) knock: Option<(Trouble, u32)>,
    /// How often in a row the key was refused.
    pub(super) key_refusals: u32,
    /// Left alone until `due`.
    pub(super) dead: bool,
    /// On for one look, though another way is in use.
    pub(super) out_of_turn: bool,
    /// What the platform asked for with the newest answer, and when that came.
    pub(super) asked: Duration,
    looked_at: Instant,
    pub(super) pause: Duration,
    /// What the looks cost allows no more than one in this time, be they answered or not.
    pub(super) least: Duration,
    /// Looked before that, as the door had opened again.
    pub(super) hurried: bool,
    pub(super) due: Instant,
    pub(super) remark: &'static str,
}

impl<C: Chat> Reader<C> {
    pub(super) fn new(chat: C) -> Self {
        Self {
            chat,
            on: false,
            delivered: false,
            failures: 0,
            trouble: None,
            knock: None,
            key_refusals: 0,
            dead: false,
            out_of_turn: false,
            asked: Duration::ZERO,
            looked_at: Instant::now(),
            pause: Duration::ZERO,
            least: Duration::ZERO,
            hurried: false,
            due: Instant::now(),
            remark: "",
        }
    }

    /// Whether it counts as broken: at once where that is certain, else from the second time on.
    pub(super) fn is_failing(&self) -> bool {
        match &self.trouble {
            Some(Trouble::Unreachable(_) | Trouble::Unconnected(_) | Trouble::NoChat(_)) => {
                self.failures > 0
            }
            Some(trouble) => self.failures > usize::from(!trouble.is_lasting()) as u32,
            None => match &self.knock {
                Some((Trouble::Unreachable(_) | Trouble::Unconnected(_), _)) => true,
                Some((_, knocks)) => *knocks > 1,
                None => false,
            },
        }
    }

    /// Why it is broken.
    pub(super) fn why(&self) -> Option<String> {
        let knock = self.knock.as_ref().map(|it| &it.0);
        self.trouble.as_ref().or(knock).map(Trouble::to_string)
    }

    /// Broken, and not to be tried before `due`.
    pub(super) fn is_down(&self) -> bool {
        self.dead || (self.is_failing() && Instant::now() < self.due)
    }

    pub(super) fn is_well(&self) -> bool {
        self.on && self.delivered && !self.is_failing()
    }

    pub(super) fn switch_on(&mut self) {
        if !self.on {
            self.on = true;
            self.delivered = false;
            self.chat.begin_anew();
            if !self.is_failing() {
                self.due = Instant::now();
            }
        }
    }

    pub(super) fn is_due(&self) -> bool {
        self.on && !self.dead && self.due <= Instant::now()
    }

    pub(super) fn succeed(&mut self, pause: Duration, remark: &'static str) {
        self.delivered = true;
        self.out_of_turn = false;
        self.failures = 0;
        self.trouble = None;
        self.knock = None;
        self.key_refusals = 0;
        self.hurried = false;
        self.asked = pause;
        self.looked_at = Instant::now();
        self.remark = remark;
        self.set_pause(pause);
    }

    /// Looks again so much later than the newest answer.
    pub(super) fn set_pause(&mut self, pause: Duration) {
        self.pause = pause;
        self.due = self.looked_at + pause;
    }

    pub(super) fn fail(&mut self, trouble: Trouble) {
        self.failures += 1;
        self.out_of_turn = false;
        let doubled = |first: Duration| first.saturating_mul(1 << (self.failures - 1).min(10));
        let pause = match &trouble {
            // Begun anew at once, the first time.
            Trouble::Stale if self.failures == 1 => Duration::ZERO,
            Trouble::TooOften(wait) => {
                wait.unwrap_or_default().max(doubled(self.pause.max(Duration::from_secs(2))))
            }
            Trouble::Blocked(_) | Trouble::Shape(_) => jittered(doubled(FIRST_GLITCH).min(HARD.1)),
            it if it.is_lasting() || matches!(it, Trouble::NoChat(_) | Trouble::Ended) => {
                jittered(doubled(HARD.0).min(HARD.1))
            }
            _ => jittered(doubled(Duration::from_secs(1)).min(LONGEST_SOFT)),
        };
        // A look that failed may have cost as much as any other. A single failure is looked into soon.
        let pause = if self.failures > 1 { pause.max(self.least) } else { pause };
        self.due = Instant::now() + pause.min(Duration::from_secs(3_600));
        let by_key = matches!(trouble, Trouble::Key(_));
        self.key_refusals = if by_key { self.key_refusals + 1 } else { 0 };
        if self.key_refusals >= KEY_REFUSALS {
            self.dead = true;
            self.due = Instant::now() + jittered(KEY_REST);
        }
        self.trouble = Some(trouble);
    }

    /// Another chance for what was left alone.
    pub(super) fn revive(&mut self) {
        if self.dead && self.due <= Instant::now() {
            self.dead = false;
        }
    }
}

fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::rng().random_range(0.75..=1.25))
}
