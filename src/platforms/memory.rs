//! What workers learn of their channels and want to know after a restart: ids, page tokens.

use crate::{
    model::Platform,
    storage::{Kind, State},
};

/// Facts by platform, channel and kind of fact. Cheap to clone; kept over restarts, never waited for.
#[derive(Clone)]
pub struct Memory(State);

impl Memory {
    /// Kept in `state`.
    #[must_use]
    pub const fn new(state: State) -> Self {
        Self(state)
    }

    /// What is known of a channel.
    #[must_use]
    pub fn find(&self, platform: Platform, channel: &str, fact: &str) -> Option<String> {
        self.0.find(Kind::Platforms, &name(platform, channel, fact))
    }

    /// Keeps a fact, in the place of an earlier one.
    pub fn remember(&self, platform: Platform, channel: &str, fact: &str, text: &str) {
        self.0.set(Kind::Platforms, &name(platform, channel, fact), Some(text.to_owned()));
    }

    /// Waits until what was remembered is on the disk, for what must not be lost to a crash.
    pub async fn settle(&self) {
        self.0.close().await;
    }

    /// Lets go of a fact that turned out wrong.
    pub fn forget(&self, platform: Platform, channel: &str, fact: &str) {
        self.0.set(Kind::Platforms, &name(platform, channel, fact), None);
    }
}

fn name(platform: Platform, channel: &str, fact: &str) -> String {
    format!("{platform} {fact} {channel}")
}
