//! Whether everybody may do as they may, or admins alone, because something is being worked on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Book, Record};

/// Who may do as they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccessMode {
    /// Everybody.
    #[default]
    Normal,
    /// Admins, while something is being mended.
    Maintenance,
    /// Admins, while something is being built.
    Development,
}

impl AccessMode {
    /// The word in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Maintenance => "maintenance",
            Self::Development => "development",
        }
    }
}

/// The mode, and what people are told about it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccessState {
    /// The mode.
    pub mode: AccessMode,
    /// What people are told; empty is a sentence of our own.
    pub message: String,
}

/// The one row there is.
const KEY: &str = "all";

impl Record for AccessState {
    const KIND: &'static str = "access_state";

    fn key(&self) -> String {
        KEY.to_owned()
    }
}

impl Book {
    /// Whether everybody may do as they may.
    #[must_use]
    pub fn access_state(&self) -> AccessState {
        self.find(KEY).unwrap_or_default()
    }
}
