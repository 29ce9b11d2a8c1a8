//! `config/tiers.json`: what each tier allows. What is not said is built in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Tier;

/// `config/tiers.json`: the tiers, where they differ from what is built in.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TiersConfig {
    /// For everyone.
    pub core: TierConfig,
    /// The middle one; allows at least what `core` does.
    pub gold: TierConfig,
    /// All there is; allows at least what `gold` does.
    pub pro: TierConfig,
}

/// One tier, where it differs from what is built in.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TierConfig {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    pub label: Option<String>,
    /// In a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 300))]
    pub description: Option<String>,
    /// Its place among the tiers; a higher tier has a higher one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000))]
    pub rank: Option<u32>,
    /// How plans show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<TierVisibility>,
    /// What it allows.
    pub features: FeaturesConfig,
}

/// How plans show a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TierVisibility {
    /// Everybody sees it and may choose it.
    #[default]
    Public,
    /// Everybody sees it, and an admin gives it.
    SoftLocked,
    /// Plans do not show it.
    Hidden,
}

/// A tier with everything said.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TierTerms {
    /// `core`, `gold` or `pro`.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// In a sentence.
    pub description: String,
    /// Its place among the tiers.
    pub rank: u32,
    /// How plans show it.
    pub visibility: TierVisibility,
    /// What it allows.
    pub features: Features,
}

/// Which of two values allows more.
#[derive(Clone, Copy, PartialEq)]
enum Better {
    More,
    Less,
}

impl Better {
    fn of<T: Ord>(self, one: T, other: T) -> T {
        match self {
            Self::More => one.max(other),
            Self::Less => one.min(other),
        }
    }
}

/// One line is a feature: its type, what it is in each tier, and which value allows more.
macro_rules! features {
    ($($(#[$about:meta])+ $name:ident: $kind:ty = $values:expr, $better:ident;)+) => {
        /// What a tier allows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
        pub struct Features {
            $($(#[$about])+ pub $name: $kind,)+
        }

        /// What a tier allows, where it differs from what is built in.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct FeaturesConfig {
            $($(#[$about])+ #[serde(skip_serializing_if = "Option::is_none")] pub $name: Option<$kind>,)+
        }

        impl Features {
            fn built_in(tier: Tier) -> Self {
                Self { $($name: $values[tier as usize],)+ }
            }

            /// With what a file or an admin says.
            fn with(self, said: &FeaturesConfig) -> Self {
                Self { $($name: said.$name.unwrap_or(self.$name),)+ }
            }

            /// With at least what a lower tier allows.
            fn at_least(self, lower: Self) -> Self {
                Self { $($name: Better::$better.of(self.$name, lower.$name),)+ }
            }

            /// In what it allows less than a lower tier: names, what it says, and what the lower tier says.
            fn list_less(self, lower: Self) -> Vec<(&'static str, String, String)> {
                let mut found = Vec::new();
                $(if Better::$better.of(self.$name, lower.$name) != self.$name {
                    found.push((stringify!($name), self.$name.to_string(), lower.$name.to_string()));
                })+
                found
            }
        }

        impl FeaturesConfig {
            /// Only what differs from `base`.
            fn without(self, base: Features) -> Self {
                Self { $($name: self.$name.filter(|it| *it != base.$name),)+ }
            }
        }
    };
}

features! {
    /// Rooms of a creator's own (count).
    #[schemars(range(min = 0, max = 10_000))]
    rooms: u32 = [1, 3, 10], More;
    /// Channels of platforms in one of them (count).
    #[schemars(range(min = 1, max = 10_000))]
    channels: u32 = [4, 10, 50], More;
    /// Themes of a room's own (count).
    #[schemars(range(min = 0, max = 50))]
    themes: u32 = [3, 15, 50], More;
    /// Age at which recorded events of a room are deleted (days).
    #[schemars(range(min = 1, max = 3_650))]
    retention_days: u32 = [30, 180, 1_095], More;
    /// Calls of the API of one account (count per minute): of its programs, of its browsers, and of those on the account itself, each.
    #[schemars(range(min = 10, max = 1_000_000))]
    api_requests_per_minute: u32 = [300, 1_200, 6_000], More;
    /// Triggers of a creator (count).
    #[schemars(range(min = 0, max = 10_000))]
    triggers: u32 = [10, 25, 100], More;
    /// Least time between two answers of one trigger (s).
    #[schemars(range(min = 0, max = 86_400))]
    trigger_cooldown_seconds: u32 = [2, 1, 0], Less;
    /// Longest clip (s).
    #[schemars(range(min = 1, max = 3_600))]
    clip_seconds: u32 = [30, 60, 120], More;
    /// Longest part of a clip from before it was asked for (s).
    #[schemars(range(min = 0, max = 3_600))]
    clip_pre_roll_seconds: u32 = [10, 15, 20], More;
    /// Least time between two clips (s).
    #[schemars(range(min = 0, max = 86_400))]
    clip_cooldown_seconds: u32 = [120, 60, 0], Less;
    /// Clips that are made at the same time (count).
    #[schemars(range(min = 1, max = 100))]
    clips_at_once: u32 = [1, 2, 5], More;
    /// Polls that are open at the same time (count).
    #[schemars(range(min = 0, max = 1_000))]
    polls: u32 = [1, 3, 10], More;
    /// Options of a poll (count).
    #[schemars(range(min = 2, max = 100))]
    poll_options: u32 = [4, 6, 10], More;
    /// Whether things may be done by themselves.
    automation: bool = [false, true, true], More;
    /// Whether a bot may speak under a name of its own.
    own_bot: bool = [false, false, true], More;
    /// Whether copies can be made by hand.
    manual_backups: bool = [true, true, true], More;
    /// Copies that are made by themselves (count per day).
    #[schemars(range(min = 0, max = 96))]
    automatic_backups_per_day: u32 = [0, 1, 4], More;
    /// Time such a copy is kept (days).
    #[schemars(range(min = 0, max = 3_650))]
    backup_days: u32 = [0, 7, 30], More;
}

impl TierTerms {
    fn built_in(tier: Tier) -> Self {
        let (label, description) = match tier {
            Tier::Core => ("Core", "All you need to start."),
            Tier::Gold => ("Gold", "More of everything, and things that happen by themselves."),
            Tier::Pro => ("Pro", "For those who live from it, with a bot of their own."),
        };
        Self {
            id: tier.id().to_owned(),
            label: label.to_owned(),
            description: description.to_owned(),
            rank: tier as u32,
            visibility: TierVisibility::default(),
            features: Features::built_in(tier),
        }
    }

    fn with(self, said: &TierConfig) -> Self {
        Self {
            label: said.label.clone().unwrap_or(self.label),
            description: said.description.clone().unwrap_or(self.description),
            rank: said.rank.unwrap_or(self.rank),
            visibility: said.visibility.unwrap_or(self.visibility),
            features: self.features.with(&said.features),
            id: self.id,
        }
    }
}

impl TiersConfig {
    /// What is said of a tier.
    #[must_use]
    pub const fn of(&self, tier: Tier) -> &TierConfig {
        match tier {
            Tier::Core => &self.core,
            Tier::Gold => &self.gold,
            Tier::Pro => &self.pro,
        }
    }

    /// The tiers as files and, on top of them, an admin say; the least first.
    #[must_use]
    pub fn terms(&self, changed: &Self) -> [TierTerms; 3] {
        Tier::ALL.map(|it| TierTerms::built_in(it).with(self.of(it)).with(changed.of(it)))
    }

    /// Only what differs from what `files` say: what an admin changed.
    #[must_use]
    pub fn without(self, files: &Self) -> Self {
        let base = files.terms(&Self::default());
        let [core, gold, pro] = &base;
        let rest = |said: TierConfig, base: &TierTerms| TierConfig {
            label: said.label.filter(|it| *it != base.label),
            description: said.description.filter(|it| *it != base.description),
            rank: said.rank.filter(|it| *it != base.rank),
            visibility: said.visibility.filter(|it| *it != base.visibility),
            features: said.features.without(base.features),
        };
        Self { core: rest(self.core, core), gold: rest(self.gold, gold), pro: rest(self.pro, pro) }
    }

    /// What is wrong between values that are right by themselves: JSON pointer and message.
    pub(super) fn check(&self) -> Vec<(String, String)> {
        list_contradictions(&self.terms(&Self::default()))
    }
}

/// In what a higher tier allows less than a lower one: JSON pointer and message.
#[must_use]
pub fn list_contradictions(terms: &[TierTerms; 3]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for pair in terms.windows(2) {
        let [lower, higher] = pair else { continue };
        if higher.rank <= lower.rank {
            let message =
                format!("{} is no higher than {} of {}", higher.rank, lower.rank, lower.id);
            found.push((format!("/{}/rank", higher.id), message));
        }
        for (name, ours, theirs) in higher.features.list_less(lower.features) {
            let message = format!("{ours} allows less than {theirs} of {}", lower.id);
            found.push((format!("/{}/features/{name}", higher.id), message));
        }
    }
    found
}

/// The same tiers, each with at least what the one below it allows.
#[must_use]
pub fn lifted(mut terms: [TierTerms; 3]) -> [TierTerms; 3] {
    for index in 1..terms.len() {
        let (lower, rank) = (terms[index - 1].features, terms[index - 1].rank);
        let higher = &mut terms[index];
        higher.features = higher.features.at_least(lower);
        higher.rank = higher.rank.max(rank + 1);
    }
    terms
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(value: serde_json::Value) -> TiersConfig {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_is_built_in_is_a_strict_superset_at_each_step() {
        let terms = TiersConfig::default().terms(&TiersConfig::default());
        assert_eq!(list_contradictions(&terms), []);
        assert_eq!(lifted(terms.clone()), terms);
        for pair in terms.windows(2) {
            assert_ne!(pair[0].features, pair[1].features);
        }
        let [core, gold, pro] = terms.map(|it| it.features);
        assert_eq!((core.triggers, gold.triggers, pro.triggers), (10, 25, 100));
        assert_eq!((core.clip_cooldown_seconds, pro.clip_cooldown_seconds), (120, 0));
        assert_eq!((core.automation, gold.own_bot, pro.own_bot), (false, false, true));
    }

    #[test]
    fn a_higher_tier_that_allows_less_is_told_and_lifted() {
        let said = config(json!({
            "core": {"features": {"triggers": 30, "clip_cooldown_seconds": 30, "automation": true}},
            "pro": {"features": {"automation": false}, "rank": 1},
        }));
        let found = said.check();
        let paths: Vec<&str> = found.iter().map(|it| it.0.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/gold/features/triggers",
                "/gold/features/clip_cooldown_seconds",
                "/pro/rank",
                "/pro/features/automation"
            ]
        );
        assert_eq!(found[0].1, "25 allows less than 30 of core");
        let lifted = lifted(said.terms(&TiersConfig::default()));
        assert_eq!(list_contradictions(&lifted), []);
        assert_eq!(lifted[1].features.triggers, 30);
        assert!(lifted[2].features.automation);
    }

    #[test]
    fn only_what_differs_from_the_files_is_an_admins_change() {
        let files = config(json!({"gold": {"features": {"rooms": 5}}}));
        let said =
            config(json!({"gold": {"label": "Gold", "features": {"rooms": 5, "themes": 20}}}));
        let changed = said.without(&files);
        assert_eq!(changed, config(json!({"gold": {"features": {"themes": 20}}})));
        let terms = files.terms(&changed);
        assert_eq!((terms[1].features.rooms, terms[1].features.themes), (5, 20));
    }
}
