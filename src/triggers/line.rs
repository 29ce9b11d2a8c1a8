//! A chat line as triggers see it.

use crate::model::{Amount, Flag, Message, Platform, QualifiedId, trigger::Access};

/// Most of a line that is looked at (characters): what bounds the time of every pattern.
const MOST_CHARS: usize = 1_000;

/// A chat line: what it says, and who says it.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// The text, without what a reply begins with and what clients add so that a repeat is no repeat.
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
            text: said(&message.text, message.reply_to.is_some()),
            platform: message.platform,
            access: Access::of(&message.author.roles),
            amount: message.amount.as_ref(),
            viewer: &message.author.id,
        }
    }
}

/// What a text says: without whom it answers, which platforms put in front of a reply.
#[must_use]
pub fn said(text: &str, is_reply: bool) -> &str {
    match text.split_once(' ') {
        Some((mention, rest)) if is_reply && mention.starts_with('@') => bounded(rest),
        _ => bounded(text),
    }
}

/// The text without blanks at its ends, and no longer than is looked at.
fn bounded(text: &str) -> &str {
    // Clients of Twitch add U+E0000 to say the same twice.
    let text = text.trim_matches(|it: char| it.is_whitespace() || it == '\u{e0000}');
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Whether something may be set off by a message: not what is old, and not what a program said.
#[must_use]
pub fn is_news(message: &Message) -> bool {
    !message.has(Flag::Historical) && !message.has(Flag::System)
}
