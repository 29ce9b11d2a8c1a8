//! What can go wrong with YouTube, named so that a person knows what to do.

use std::time::Duration;

use crate::model::Timestamp;

/// Why a look at YouTube brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The site shows its page about cookies instead.
    #[error("YouTube asks for consent")]
    Consent,
    /// The site refuses this address.
    #[error("YouTube blocks this address ({0})")]
    Blocked(String),
    /// The site's pages or answers are not what they were.
    #[error("YouTube's chat page changed its shape: {0}")]
    Shape(String),
    /// It cannot be reached, or answers nothing in time.
    #[error("YouTube cannot be reached: {0}")]
    Unreachable(String),
    /// The same, and nothing that was asked has left this machine: it cost nothing.
    #[error("YouTube cannot be reached: {0}")]
    Unconnected(String),
    /// It answers that it is not well.
    #[error("YouTube answers {0}")]
    Busy(String),
    /// There is no such channel or stream.
    #[error("YouTube knows no such channel or stream")]
    NotFound,
    /// This broadcast has no chat that could be read, for this reason.
    #[error("{0}")]
    NoChat(String),
    /// The chat ended.
    #[error("the chat ended")]
    Ended,
    /// The place in the chat is too old: begin anew, at once.
    #[error("the place in the chat is too old")]
    Stale,
    /// Asked too often: not before this much later.
    #[error("the Data API was asked too often")]
    TooOften(Option<Duration>),
    /// The day's units are spent.
    #[error("the Data API's quota is spent until {}", hour(*.0))]
    QuotaSpent(Timestamp),
    /// The key is not accepted.
    #[error("the YouTube API key is not accepted ({0})")]
    Key(String),
    /// The Data API refuses for another reason.
    #[error("the Data API refuses ({0})")]
    Refused(String),
}

impl Trouble {
    /// Whether the same way will bring the same for a long while.
    #[must_use]
    pub const fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::Consent
                | Self::Blocked(_)
                | Self::Shape(_)
                | Self::Key(_)
                | Self::QuotaSpent(_)
                | Self::Refused(_)
        )
    }

    /// Whether the key is certainly none.
    #[must_use]
    pub fn is_invalid_key(&self) -> bool {
        matches!(self, Self::Key(reason) if ["keyInvalid", "API_KEY_INVALID"].contains(&reason.as_str()))
    }

    /// Whether another address could do better.
    #[must_use]
    pub const fn is_about_the_address(&self) -> bool {
        matches!(self, Self::Consent | Self::Blocked(_))
    }
}

/// A moment as details write it: `08:00 UTC`.
#[must_use]
pub fn hour(moment: Timestamp) -> String {
    let text = moment.to_string();
    format!("{} UTC", text.get(11..16).unwrap_or_default())
}
