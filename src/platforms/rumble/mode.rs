//! The ways to read a chat, best first, and when to take another.

use std::{fmt, time::Duration};

use tokio::time::Instant;

/// Answers that were no stream, one after another, before a lower mode is taken (count).
const MAX_REFUSALS: u32 = 3;
/// Lost connections, one after another, before a lower mode is taken (count).
const MAX_LOSSES: u32 = 5;
/// How often the time until a better mode is tried doubles (count).
const MAX_DOUBLINGS: u32 = 3;

/// A way to read a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// The chat's stream, asked for by ourselves.
    SseBestEffort,
    /// The stream of the page in the browser, listened to.
    PageTap,
    /// What the page in the browser shows.
    DomMutation,
    /// None works.
    Disabled,
}

impl Mode {
    /// As logs and statuses name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SseBestEffort => "SSE_BEST_EFFORT",
            Self::PageTap => "PAGE_TAP",
            Self::DomMutation => "DOM_MUTATION",
            Self::Disabled => "DISABLED",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which mode a channel is in, and how it got there.
#[derive(Debug)]
pub(super) struct Ladder {
    mode: Mode,
    /// Why the better ones do not work; empty in the best.
    why: String,
    refusals: u32,
    losses: u32,
    try_better: Duration,
    doublings: u32,
    try_at: Instant,
}

impl Ladder {
    /// In the best mode; a better one than the current is tried after `try_better`.
    pub(super) fn new(try_better: Duration) -> Self {
        Self {
            mode: Mode::SseBestEffort,
            why: String::new(),
            refusals: 0,
            losses: 0,
            try_better,
            doublings: 0,
            try_at: Instant::now() + try_better,
        }
    }

    pub(super) const fn mode(&self) -> Mode {
        self.mode
    }

    /// The mode, and why it is no better one.
    pub(super) fn words(&self) -> String {
        if self.why.is_empty() {
            self.mode.to_string()
        } else {
            format!("{} ({})", self.mode, self.why)
        }
    }

    /// What came was no stream. True: take a lower mode.
    pub(super) fn refused(&mut self) -> bool {
        self.refusals += 1;
        self.refusals >= MAX_REFUSALS
    }

    /// The connection was lost, or not to be had. True: take a lower mode.
    pub(super) fn lost(&mut self) -> bool {
        self.losses += 1;
        self.losses >= MAX_LOSSES
    }

    /// Failures in a row.
    pub(super) const fn failures(&self) -> u32 {
        self.refusals + self.losses
    }

    /// It works: earlier failures are forgotten.
    pub(super) fn works(&mut self) {
        (self.refusals, self.losses) = (0, 0);
    }

    /// Takes a lower mode.
    pub(super) fn down(&mut self, to: Mode, why: String) {
        tracing::warn!(from = %self.mode, to = %to, why, "the chat is read in a lower mode");
        (self.mode, self.why) = (to, why);
        self.works();
        self.put_off();
    }

    /// Takes a better mode.
    pub(super) fn up(&mut self, to: Mode) {
        tracing::info!(from = %self.mode, to = %to, "the chat is read in a better mode");
        self.mode = to;
        if to == Mode::SseBestEffort {
            self.why.clear();
        }
        self.works();
    }

    /// Whether it is time to try a better mode.
    pub(super) fn is_time(&self) -> bool {
        self.mode != Mode::SseBestEffort && Instant::now() >= self.try_at
    }

    /// When it is time to try a better mode.
    pub(super) const fn try_at(&self) -> Instant {
        self.try_at
    }

    /// A better mode was tried in vain, or shall not be tried yet.
    pub(super) fn put_off(&mut self) {
        self.try_at = Instant::now() + self.try_better.saturating_mul(1 << self.doublings);
        self.doublings = (self.doublings + 1).min(MAX_DOUBLINGS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_better_mode_is_tried_after_longer_and_longer_times() {
        let mut ladder = Ladder::new(Duration::from_secs(10));
        assert!(!ladder.is_time(), "there is no better one");
        ladder.down(Mode::PageTap, "403".to_owned());
        for seconds in [10, 20, 40, 80, 80] {
            tokio::time::advance(Duration::from_secs(seconds - 1)).await;
            assert!(!ladder.is_time(), "{seconds}");
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(ladder.is_time(), "{seconds}");
            ladder.put_off();
        }
        ladder.up(Mode::SseBestEffort);
        assert_eq!(ladder.words(), "SSE_BEST_EFFORT");
    }

    #[test]
    fn three_refusals_or_five_losses_are_too_many_and_a_success_forgets_them() {
        let mut ladder = Ladder::new(Duration::from_secs(10));
        assert!(!ladder.refused() && !ladder.refused());
        ladder.works();
        assert!(!ladder.refused() && !ladder.refused() && ladder.refused());
        for _ in 0..4 {
            assert!(!ladder.lost());
        }
        assert!(ladder.lost());
    }
}
