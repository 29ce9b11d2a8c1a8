//! The tags of a Twitch line.

use std::{collections::HashMap, str::FromStr};

use twitch_irc::message::IRCMessage;

use crate::model::Timestamp;

/// A line's tags, unescaped. To Twitch an empty tag means "nothing", so here it is absent.
#[derive(Clone, Copy)]
pub(super) struct Tags<'a>(&'a HashMap<String, String>);

impl<'a> Tags<'a> {
    pub(super) fn of(line: &'a IRCMessage) -> Self {
        Self(&line.tags.0)
    }

    /// The value; `None` when missing or empty.
    pub(super) fn find(self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(String::as_str).filter(|it| !it.is_empty())
    }

    /// The value of the first of `keys` that has one.
    pub(super) fn find_any(self, keys: &[&str]) -> Option<&'a str> {
        keys.iter().find_map(|key| self.find(key))
    }

    /// Whether the value is `1`.
    pub(super) fn is_set(self, key: &str) -> bool {
        self.find(key) == Some("1")
    }

    /// The value as a number; `None` when it is none.
    pub(super) fn number<T: FromStr>(self, key: &str) -> Option<T> {
        self.find(key)?.parse().ok()
    }

    /// When Twitch's clock says it was sent; `None` when that cannot be read.
    pub(super) fn sent_at(self) -> Option<Timestamp> {
        self.number("tmi-sent-ts").and_then(Timestamp::from_unix_ms)
    }

    /// Whether a history service wrote the line.
    pub(super) fn is_historical(self) -> bool {
        self.is_set("historical") || self.find("rm-received-ts").is_some()
    }

    /// Whether a history service wrote the line and knows that it was moderated since.
    pub(super) fn is_deleted(self) -> bool {
        self.is_set("rm-deleted")
    }
}
