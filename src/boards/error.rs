//! Why something was not done to a board.

/// What the caller can do about it: name another, mend what was said, or change how things are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BoardError {
    /// Nothing of that kind has that id.
    #[error("no such {0}")]
    Unknown(&'static str),
    /// What was said is wrong.
    #[error("{at}: {why}")]
    Invalid {
        /// Where in the body (JSON pointer).
        at: String,
        /// What is wrong there: lower-case, no full stop.
        why: String,
    },
    /// It cannot be done as things are; the sentence says how they are.
    #[error("{0}")]
    Conflict(String),
}

impl BoardError {
    pub(super) fn invalid(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Invalid { at: at.into(), why: why.into() }
    }

    pub(super) fn conflict(why: impl Into<String>) -> Self {
        Self::Conflict(why.into())
    }
}
