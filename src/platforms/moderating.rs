//! Moderating on a platform, as the account that speaks there.

use crate::model::QualifiedId;

/// What is to be done there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Takes a message away.
    Delete(QualifiedId),
    /// Silences a viewer for so long (s).
    Timeout(QualifiedId, u32),
    /// Bans a viewer.
    Ban(QualifiedId),
    /// Takes a ban or a timeout back.
    Unban(QualifiedId),
}

impl Act {
    /// Whom or what it is about.
    #[must_use]
    pub const fn target(&self) -> &QualifiedId {
        match self {
            Self::Delete(it) | Self::Timeout(it, _) | Self::Ban(it) | Self::Unban(it) => it,
        }
    }
}

/// Why it was not done there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// The platform did not do it, or does not answer; the text says what it said.
    #[error("{0}")]
    Refused(String),
    /// This server has not the means: no token, a right that the token lacks, nothing of the kind on the platform.
    #[error("{0}")]
    Impossible(String),
}

impl ActError {
    /// What the platform's account may not do.
    pub(super) fn lacks(scope: &str) -> Self {
        Self::Impossible(format!("the token lacks the right {scope}"))
    }
}
