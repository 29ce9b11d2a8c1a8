//! Chat text as the feed carries it.

use std::borrow::Cow;

/// Whether the feed leaves this character out: every control character but the line feed.
///
/// Invisible characters of other classes, such as U+E0000, are part of the text and stay.
pub(super) fn is_dropped(c: char) -> bool {
    c.is_control() && c != '\n'
}

/// `text` without the characters that are dropped (control characters but the line feed); borrowed when there are none.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(is_dropped) {
        Cow::Owned(text.chars().filter(|&c| !is_dropped(c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_go_and_line_feeds_and_invisible_ones_stay() {
        assert_eq!(clean("a\u{1}b\u{7f}\u{85}\r\nc\u{e0000}"), "ab\nc\u{e0000}");
        assert!(matches!(clean("ordinary 😀"), Cow::Borrowed(_)));
    }
}
