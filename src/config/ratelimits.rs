//! `config/ratelimits.json`: how much may happen within a minute.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{CreatorId, Platform};

/// Messages said here in a minute, where nothing else is said (count).
const CHAT_MESSAGES: u32 = 120;
/// Answers of triggers in a minute, where nothing else is said (count).
const TRIGGER_RESPONSES: u32 = 30;
/// Jobs in a minute, where nothing else is said (count).
const JOBS: u32 = 60;

/// `config/ratelimits.json`: for everybody, for platforms, and for single creators; the most specific value wins.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimitsConfig {
    /// Of everybody.
    pub global: MinuteLimits,
    /// On single platforms, instead.
    pub platforms: BTreeMap<Platform, MinuteLimits>,
    /// Of single creators, by id, instead of either.
    pub creators: BTreeMap<CreatorId, MinuteLimits>,
}

/// How much a creator may do within any minute. Counted for each creator by itself, and what is said in chats for each
/// platform by itself; null is what a less specific place says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MinuteLimits {
    /// Messages that people say from here (count; 120 where nothing else is said; 0 is none at all).
    #[schemars(range(min = 0, max = 1_000_000))]
    pub chat_messages_per_minute: Option<u32>,
    /// Messages that triggers say (count; 30 where nothing else is said; 0 is none at all).
    #[schemars(range(min = 0, max = 1_000_000))]
    pub trigger_responses_per_minute: Option<u32>,
    /// Jobs such as webhooks (count; 60 where nothing else is said; 0 is none at all).
    #[schemars(range(min = 0, max = 1_000_000))]
    pub jobs_per_minute: Option<u32>,
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Limited {
    /// Messages that people say from here.
    ChatMessages,
    /// Messages that triggers say.
    TriggerResponses,
    /// Jobs such as webhooks.
    Jobs,
}

impl Limited {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ChatMessages, Self::TriggerResponses, Self::Jobs];

    /// The key of its limit.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChatMessages => "chat_messages_per_minute",
            Self::TriggerResponses => "trigger_responses_per_minute",
            Self::Jobs => "jobs_per_minute",
        }
    }

    /// The limit where no file says one (count a minute).
    #[must_use]
    pub const fn built_in(self) -> u32 {
        match self {
            Self::ChatMessages => CHAT_MESSAGES,
            Self::TriggerResponses => TRIGGER_RESPONSES,
            Self::Jobs => JOBS,
        }
    }
}

impl MinuteLimits {
    /// The limit that is said here, if one is (count a minute).
    #[must_use]
    pub const fn find(&self, what: Limited) -> Option<u32> {
        match what {
            Limited::ChatMessages => self.chat_messages_per_minute,
            Limited::TriggerResponses => self.trigger_responses_per_minute,
            Limited::Jobs => self.jobs_per_minute,
        }
    }
}

impl RateLimitsConfig {
    /// The limit in force: the creator's, else the platform's, else everybody's, else the built-in one (count a
    /// minute).
    #[must_use]
    pub fn limit(&self, what: Limited, creator: &CreatorId, platform: Option<Platform>) -> u32 {
        let of_creator = self.creators.get(creator).and_then(|it| it.find(what));
        let of_platform = || self.platforms.get(&platform?).and_then(|it| it.find(what));
        of_creator
            .or_else(of_platform)
            .or_else(|| self.global.find(what))
            .unwrap_or_else(|| what.built_in())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_limit_wins_value_by_value() {
        let config: RateLimitsConfig = serde_json::from_str(
            r#"{"global": {"chat_messages_per_minute": 10, "jobs_per_minute": 20},
                "platforms": {"twitch": {"chat_messages_per_minute": 7}},
                "creators": {"Ana": {"jobs_per_minute": 1}}}"#,
        )
        .unwrap();
        let limit =
            |what, creator: &str, platform| config.limit(what, &creator.parse().unwrap(), platform);
        assert_eq!(limit(Limited::ChatMessages, "ben", None), 10);
        assert_eq!(limit(Limited::ChatMessages, "ben", Some(Platform::Twitch)), 7);
        assert_eq!(limit(Limited::ChatMessages, "ana", Some(Platform::Twitch)), 7);
        assert_eq!(limit(Limited::Jobs, "ANA", Some(Platform::Twitch)), 1);
        assert_eq!(limit(Limited::Jobs, "ben", None), 20);
        assert_eq!(limit(Limited::TriggerResponses, "ben", None), TRIGGER_RESPONSES);
    }
}
