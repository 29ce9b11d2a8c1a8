//! ROOMSTATE: the chat's rules, whole on joining and then only what changed.

use super::tags::Tags;
use crate::{
    chat::normalize::Normalized,
    model::{EventBody, Platform, RoomState},
};

/// The rules as far as the lines so far told them; `None` before the first line.
#[derive(Debug, Default)]
pub(super) struct RoomStates(Option<RoomState>);

impl RoomStates {
    /// Takes over what a ROOMSTATE tells. A value that cannot be read changes nothing.
    pub(super) fn merge(&mut self, tags: Tags<'_>) -> Normalized {
        let mut rules = self.0.clone().unwrap_or(RoomState {
            platform: Platform::Twitch,
            slow_seconds: 0,
            followers_only_minutes: None,
            subscribers_only: false,
            emote_only: false,
            unique_chat: false,
        });
        if let Some(seconds) = tags.number("slow") {
            rules.slow_seconds = seconds;
        }
        // 0 is on, for followers of any age; -1 is off.
        if let Some(minutes) = tags.number::<i64>("followers-only") {
            rules.followers_only_minutes = u64::try_from(minutes).ok();
        }
        for (key, rule) in [
            ("subs-only", &mut rules.subscribers_only),
            ("emote-only", &mut rules.emote_only),
            ("r9k", &mut rules.unique_chat),
        ] {
            match tags.find(key) {
                Some("1") => *rule = true,
                Some("0") => *rule = false,
                _ => {}
            }
        }
        if self.0.as_ref() == Some(&rules) {
            return Normalized::Nothing("room state unchanged");
        }
        self.0 = Some(rules.clone());
        Normalized::Event(EventBody::RoomState(rules))
    }
}
