//! The chat's rules: told whole, and by two events at each change.

use serde_json::Value;

use super::KickNormalizer;
use crate::{
    chat::normalize::Reading,
    model::{EventBody, Platform, RoomState},
    platforms::kick::ChatRules,
};

/// `ChatroomUpdatedEvent`: followers' time in minutes.
pub(super) fn of_chatroom(data: &Value) -> Option<ChatRules> {
    let is_on = |name: &str| data[name]["enabled"].as_bool();
    let slow = is_on("slow_mode")?;
    Some(ChatRules {
        slow_seconds: seconds_if(slow, &data["slow_mode"]["message_interval"]),
        followers_only_minutes: is_on("followers_mode")
            .unwrap_or(false)
            .then(|| data["followers_mode"]["min_duration"].as_u64().unwrap_or(0)),
        subscribers_only: is_on("subscribers_mode").unwrap_or(false),
        emote_only: is_on("emotes_mode").unwrap_or(false),
    })
}

/// `ChatSettingsChanged`: all times in seconds.
pub(super) fn of_settings(data: &Value) -> Option<ChatRules> {
    let settings = &data["settings"];
    let is_on = |name: &str| settings[name]["enabled"].as_bool();
    let slow = is_on("slow_mode")?;
    let followers = &settings["followers_only_mode"]["duration_seconds"];
    Some(ChatRules {
        slow_seconds: seconds_if(slow, &settings["slow_mode"]["duration_seconds"]),
        followers_only_minutes: is_on("followers_only_mode")
            .unwrap_or(false)
            .then(|| followers.as_u64().unwrap_or(0).div_ceil(60)),
        subscribers_only: is_on("subscribers_only_mode").unwrap_or(false),
        emote_only: is_on("emotes_only_mode").unwrap_or(false),
    })
}

fn seconds_if(is_on: bool, value: &Value) -> u64 {
    if is_on { value.as_u64().unwrap_or(0) } else { 0 }
}

impl KickNormalizer {
    /// The rules, if they are others than those that were told.
    pub(super) fn tell_rules(&mut self, rules: ChatRules) -> Option<Reading> {
        let ChatRules { slow_seconds, followers_only_minutes, subscribers_only, emote_only } =
            rules;
        let state = RoomState {
            platform: Platform::Kick,
            slow_seconds,
            followers_only_minutes,
            subscribers_only,
            emote_only,
            unique_chat: false,
        };
        if self.rules.as_ref() == Some(&state) {
            return None;
        }
        self.rules = Some(state.clone());
        Some(Reading { body: EventBody::RoomState(state), sent_at: None, key: None })
    }
}
