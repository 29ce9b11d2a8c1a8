//! The chat's rules: YouTube tells changes, the feed carries them whole.

use crate::model::{Platform, RoomState};

/// The rules as far as they were told.
#[derive(Debug, Default)]
pub(super) struct Rules {
    slow_seconds: u64,
    subscribers: bool,
    members: bool,
}

impl Rules {
    /// Takes in a notice of the site; `None` for one that is about something else.
    pub(super) fn change(&mut self, icon: &str, said: &str, more: &str) -> Option<RoomState> {
        let words = said.to_lowercase();
        let on =
            !(words.ends_with(" off") || words.contains(" off ") || words.contains("disabled"));
        if icon == "SLOW_MODE" || words.contains("slow mode") {
            self.slow_seconds =
                if on { seconds(more).or_else(|| seconds(said)).unwrap_or(1) } else { 0 };
        } else if words.contains("members-only") || words.contains("members only") {
            self.members = on;
        } else if words.contains("subscribers-only") || words.contains("subscribers only") {
            self.subscribers = on;
        } else {
            return None;
        }
        Some(self.state())
    }

    /// Only members may chat, or everybody may again.
    pub(super) fn set_members_only(&mut self, on: bool) -> RoomState {
        self.members = on;
        self.state()
    }

    fn state(&self) -> RoomState {
        RoomState {
            platform: Platform::Youtube,
            slow_seconds: self.slow_seconds,
            // What YouTube calls a subscriber is called a follower everywhere else.
            followers_only_minutes: self.subscribers.then_some(0),
            subscribers_only: self.members,
            emote_only: false,
            unique_chat: false,
        }
    }
}

/// "Send a message every 60 seconds", "… every 5 minutes"
fn seconds(text: &str) -> Option<u64> {
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let Ok(number) = word.parse::<u64>() else { continue };
        let unit = words.next().unwrap_or_default();
        return Some(if unit.starts_with("minute") { number.saturating_mul(60) } else { number });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_add_up_to_the_whole() {
        let mut rules = Rules::default();
        let slow = rules.change("SLOW_MODE", "Slow mode is on", "Send a message every 5 minutes");
        assert_eq!(slow.unwrap().slow_seconds, 300);
        let both = rules.change("", "Members-only mode is on", "").unwrap();
        assert!(both.subscribers_only && both.slow_seconds == 300);
        let off = rules.change("SLOW_MODE", "Slow mode is off", "").unwrap();
        assert!(off.subscribers_only && off.slow_seconds == 0);
        let subscribers = rules.change("", "Subscribers-only mode is on", "").unwrap();
        assert_eq!(subscribers.followers_only_minutes, Some(0));
        assert!(!rules.set_members_only(false).subscribers_only);
        assert_eq!(rules.change("", "Something else", ""), None);
    }
}
