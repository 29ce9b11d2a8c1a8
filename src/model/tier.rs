//! What an account pays for.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// A tier, the least first: a higher one allows all that a lower one does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Tier {
    /// For everyone.
    #[default]
    Core,
    /// The middle one.
    Gold,
    /// All there is.
    Pro,
}

impl Tier {
    /// Every tier, the least first.
    pub const ALL: [Self; 3] = [Self::Core, Self::Gold, Self::Pro];

    /// The word in answers about people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "CORE",
            Self::Gold => "GOLD",
            Self::Pro => "PRO",
        }
    }

    /// The key in `tiers.json` and in answers about tiers.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Gold => "gold",
            Self::Pro => "pro",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no tier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a tier: use core, gold or pro")]
pub struct UnknownTier(pub String);

impl FromStr for Tier {
    type Err = UnknownTier;

    /// Any case; `open` is the old name of the first.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("open") {
            return Ok(Self::Core);
        }
        Self::ALL
            .into_iter()
            .find(|it| it.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownTier(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Tier {
    /// A stored word that is no longer known counts as the first: nobody loses an account over it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Ok(text.parse().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_unknown_words_are_the_first_tier() {
        let read = |text: &str| serde_json::from_str::<Tier>(&format!("{text:?}")).unwrap();
        assert_eq!(read("open"), Tier::Core);
        assert_eq!(read("platinum"), Tier::Core);
        assert_eq!(read("gold"), Tier::Gold);
        assert_eq!(serde_json::to_string(&Tier::Pro).unwrap(), "\"PRO\"");
        assert!("platinum".parse::<Tier>().is_err());
    }
}
