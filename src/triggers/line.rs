//! A chat line as triggers see it.

use crate::model::{Amount, Message, Platform, QualifiedId, trigger::Access};

/// Most of a line that is looked at (characters): what bounds the time of every pattern.
const MOST_CHARS: usize = 1_000;

/// A chat line: what it says, and who says it.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// What is said; as much of it as [`bounded`] leaves.
    pub text: &'a str,
    /// Where it was written.
    pub platform: Platform,
    /// How far its viewer's roles reach.
    pub access: Access,
    /// What was paid with it.
    pub amount: Option<&'a Amount>,
    /// Who wrote it.
    pub viewer: &'a QualifiedId,
}

impl<'a> Line<'a> {
    /// Of a message.
    #[must_use]
    pub fn of(message: &'a Message) -> Self {
        Self {
            text: bounded(message.spoken()),
            platform: message.platform,
            access: Access::of(&message.author.roles),
            amount: message.amount.as_ref(),
            viewer: &message.author.id,
        }
    }
}

/// As much of a text as is looked at.
#[must_use]
pub fn bounded(text: &str) -> &str {
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
