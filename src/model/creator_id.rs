//! The id of a creator, and of the room that carries that creator's feed.

use std::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A creator's id: `[A-Za-z0-9][A-Za-z0-9_-]{0,31}`. Case is kept, and ignored when two are compared.
///
/// Cheap to clone. A value of this type is always a valid id, so nothing downstream checks again.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CreatorId(Arc<str>);

/// Why a text is not a [`CreatorId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a creator id: 1 to 32 letters, digits, `_` or `-`, starting with a letter or digit"
)]
pub struct BadCreatorId(pub String);

impl CreatorId {
    /// Longest id, in bytes.
    pub const MAX_BYTES: usize = 32;

    /// The id as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CreatorId {
    type Err = BadCreatorId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.as_bytes();
        let valid = (1..=Self::MAX_BYTES).contains(&bytes.len())
            && bytes[0].is_ascii_alphanumeric()
            && bytes.iter().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-'));
        if valid { Ok(Self(text.into())) } else { Err(BadCreatorId(text.to_owned())) }
    }
}

impl TryFrom<String> for CreatorId {
    type Error = BadCreatorId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CreatorId> for String {
    fn from(id: CreatorId) -> Self {
        id.as_str().to_owned()
    }
}

impl PartialEq for CreatorId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for CreatorId {}

impl Hash for CreatorId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl PartialOrd for CreatorId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for CreatorId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let lower = |id: &Self| id.0.to_ascii_lowercase();
        lower(self).cmp(&lower(other))
    }
}

impl fmt::Display for CreatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CreatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for CreatorId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CreatorId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A creator's id, and the name of its room.",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$"
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn case_is_kept_and_ignored_in_comparisons() {
        let mixed: CreatorId = "Qx7RtB".parse().unwrap();
        let lower: CreatorId = "qx7rtb".parse().unwrap();
        assert_eq!(mixed.as_str(), "Qx7RtB");
        assert_eq!(mixed, lower);
        assert!(HashSet::from([mixed]).contains(&lower));
    }

    #[test]
    fn a_bad_slug_is_refused() {
        for bad in ["", "-a", "_a", "a b", "a/b", "ä", &"a".repeat(33)] {
            assert!(bad.parse::<CreatorId>().is_err(), "{bad:?}");
        }
        assert!("a".repeat(32).parse::<CreatorId>().is_ok());
    }
}
