//! Turns what a platform sends into the feed's events: one folder per platform, the same shapes out.
//!
//! Nothing here does I/O or waits, and nothing here panics on what a platform sends.

mod fragments;
pub mod kick;
mod normalizer;
pub mod rumble;
mod text;
pub mod twitch;
pub mod youtube;

pub use normalizer::Normalizer;
pub use text::clean;
pub use twitch::TwitchNormalizer;

use crate::model::{EventBody, Fragment, Timestamp};

/// An event that something a platform sent became: one, several, or none.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What it says.
    pub body: EventBody,
    /// The platform's clock, where it told.
    pub sent_at: Option<Timestamp>,
    /// What identifies an event that has no id of its own, where repeats can come.
    pub key: Option<u64>,
}

/// What one line, frame or item of a platform means to a feed.
#[derive(Debug, Clone, PartialEq)]
pub enum Normalized {
    /// It says this.
    Event(EventBody),
    /// It carries nothing for a feed, for this reason (for logs and counters; never chat text).
    Nothing(&'static str),
}

/// Why a line that should have become an event did not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NormalizeError {
    /// It lacks what cannot be invented. Count it and go on with the next line.
    #[error("a {command} without its {missing}")]
    Unparsed {
        /// The platform's name for the kind of line; never chat text.
        command: String,
        /// What is not there.
        missing: &'static str,
    },
}

impl NormalizeError {
    fn unparsed(command: &str, missing: &'static str) -> Self {
        Self::Unparsed { command: command.to_owned(), missing }
    }
}

/// Splits a text that came without any pointers into it: mentions and links are found, the rest is text.
#[must_use]
pub fn plain_fragments(text: &str) -> Vec<Fragment> {
    fragments::split(text, Vec::new())
}
