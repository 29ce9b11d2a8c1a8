//! What a viewer wrote, in a message or along with an event.

use std::borrow::Cow;

use twitch_irc::message::IRCMessage;

use super::{cheermotes, emotes};
use crate::{
    chat::normalize::{fragments, text},
    model::Fragment,
};

/// A text with its pieces.
pub(super) struct Body {
    /// Without control characters, and without the wrapping of an ACTION.
    pub(super) text: String,
    /// Their texts joined are exactly `text`.
    pub(super) fragments: Vec<Fragment>,
    /// Written with `/me`.
    pub(super) action: bool,
}

/// Splits `sent`; `emote_ranges` is the `emotes` tag, `bits` what was cheered with it.
pub(super) fn read(sent: &str, emote_ranges: Option<&str>, bits: Option<i64>) -> Body {
    let (sent, action) = unwrap_action(sent);
    let text = text::clean(sent);
    let mut placed = match emote_ranges {
        Some(tag) => emotes::place(tag, sent, &text),
        None => Vec::new(),
    };
    if let Some(bits) = bits {
        cheermotes::add(&text, bits, &mut placed);
    }
    let fragments = fragments::split(&text, placed);
    Body { text: text.into_owned(), fragments, action }
}

/// What stands behind the channel. A history service leaves out the colon, so that each word of the text may
/// be a parameter of its own.
pub(super) fn find_text(line: &IRCMessage) -> Option<Cow<'_, str>> {
    match line.params.get(1..)? {
        [] => None,
        [text] => Some(Cow::Borrowed(text)),
        words => Some(Cow::Owned(words.join(" "))),
    }
}

fn unwrap_action(sent: &str) -> (&str, bool) {
    let Some(inside) = sent.strip_prefix("\u{1}ACTION") else { return (sent, false) };
    let inside = inside.strip_suffix('\u{1}').unwrap_or(inside);
    match inside.strip_prefix(' ') {
        Some(text) => (text, true),
        None if inside.is_empty() => (inside, true),
        None => (sent, false), // `ACTIONS …` is some other word.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_unwrapped_even_when_empty_or_not_closed() {
        assert_eq!(unwrap_action("\u{1}ACTION waves\u{1}"), ("waves", true));
        assert_eq!(unwrap_action("\u{1}ACTION waves"), ("waves", true));
        assert_eq!(unwrap_action("\u{1}ACTION \u{1}"), ("", true));
        assert_eq!(unwrap_action("\u{1}ACTION\u{1}"), ("", true));
        assert_eq!(unwrap_action("\u{1}ACTIONS\u{1}"), ("\u{1}ACTIONS\u{1}", false));
        assert_eq!(unwrap_action("ACTION waves"), ("ACTION waves", false));
    }
}
