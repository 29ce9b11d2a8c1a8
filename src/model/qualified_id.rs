//! Platform things are named `platform:id`, so that two platforms can never collide.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Platform;

/// The id of a message, viewer or activity: the platform, a colon, the platform's own id.
///
/// The platform's part is opaque and kept as sent. Example: `twitch:b34ccfc7-4977-403a-8a94-33c6bac34fb8`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QualifiedId(Box<str>);

/// A text that is not `platform:id`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{0}` is not a platform-qualified id such as `twitch:1234`")]
pub struct BadQualifiedId(String);

impl QualifiedId {
    /// Puts `platform` in front of the platform's own id.
    #[must_use]
    pub fn new(platform: Platform, id: &str) -> Self {
        let platform = platform.as_str();
        let mut text = String::with_capacity(platform.len() + 1 + id.len());
        text.push_str(platform);
        text.push(':');
        text.push_str(id);
        Self(text.into())
    }

    /// The whole id, platform included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The platform in front.
    #[must_use]
    pub fn platform(&self) -> Option<Platform> {
        self.0.split_once(':').and_then(|(platform, _)| platform.parse().ok())
    }

    /// The platform's own part of the id.
    #[must_use]
    pub fn own_id(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, id)| id)
    }
}

impl TryFrom<String> for QualifiedId {
    type Error = BadQualifiedId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.split_once(':') {
            Some((platform, id)) if !id.is_empty() && platform.parse::<Platform>().is_ok() => {
                Ok(Self(text.into()))
            }
            _ => Err(BadQualifiedId(text)),
        }
    }
}

impl From<QualifiedId> for String {
    fn from(id: QualifiedId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for QualifiedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for QualifiedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for QualifiedId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "QualifiedId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A platform's own id behind the platform's name, e.g. `twitch:1234`.",
            "pattern": "^(twitch|youtube|kick|rumble|pilled|discord|x|streamsuites):.+"
        })
    }
}
