//! Words that people choose, for boards: cleaned of what would break a line or turn it around, bounded, and compared as
//! people compare them.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

use super::BoardError;
use crate::model::QualifiedId;

/// Most characters that modify the one before them, in a row (count): more of them pile up over other lines.
const MOST_MARKS: usize = 4;

/// Longest name of an account (bytes).
pub(super) const MOST_ACCOUNT_BYTES: usize = 200;

/// Whether it has no shape of its own, or changes how everything behind it is read.
fn is_unseen(it: char) -> bool {
    matches!(it,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}' | '\u{e0001}')
        || it.is_control()
}

fn is_mark(it: char) -> bool {
    matches!(it, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{610}'..='\u{61a}' | '\u{e31}' | '\u{e34}'..='\u{e3a}'
        | '\u{e47}'..='\u{e4e}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}

/// One line, without what is unseen: blanks of every kind become one, marks do not pile up.
fn tidied(text: &str) -> impl Iterator<Item = char> + '_ {
    let (mut blank, mut begun, mut marks) = (false, false, 0);
    text.chars().flat_map(move |it| {
        let mut out = [None, None];
        if it.is_whitespace() {
            blank = begun;
        } else if !is_unseen(it) {
            marks = if is_mark(it) { marks + 1 } else { 0 };
            if marks <= MOST_MARKS {
                out = [blank.then_some(' '), Some(it)];
                (blank, begun) = (false, true);
            }
        }
        out.into_iter().flatten()
    })
}

/// What somebody wrote for a board, at most `most` characters of it.
///
/// # Errors
/// When nothing of it can be seen, or it is longer. The pointer of the error is `at`.
pub(super) fn clean(text: &str, most: usize, at: &str) -> Result<String, BoardError> {
    let mut words = String::with_capacity(text.len().min(most * 4));
    for (count, it) in tidied(text).enumerate() {
        if count == most {
            return Err(BoardError::invalid(at, format!("longer than {most} characters")));
        }
        words.push(it);
    }
    if words.is_empty() {
        return Err(BoardError::invalid(at, "say something that can be seen"));
    }
    Ok(words)
}

/// What a viewer wrote, as much as fits; empty when nothing can be seen.
pub(super) fn cut(text: &str, most: usize) -> String {
    tidied(text).take(most).collect()
}

/// The same words however they are written: without case, in one form.
pub(super) fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return match text.bytes().any(|it| it.is_ascii_uppercase()) {
            true => Cow::Owned(text.to_ascii_lowercase()),
            false => Cow::Borrowed(text),
        };
    }
    Cow::Owned(ComposingNormalizerBorrowed::new_nfkc().normalize(text).to_lowercase())
}

/// A message without what its platform or the viewer's program puts around the words.
pub(super) fn bare(text: &str) -> &str {
    text.trim_matches(|it: char| it.is_whitespace() || is_unseen(it))
}

/// An account that somebody names: no platform's id is longer, and each is kept.
///
/// # Errors
/// When it is longer. The pointer of the error is `at`.
pub(super) fn check_account(account: &QualifiedId, at: &str) -> Result<(), BoardError> {
    if account.as_str().len() > MOST_ACCOUNT_BYTES {
        return Err(BoardError::invalid(at, format!("longer than {MOST_ACCOUNT_BYTES} bytes")));
    }
    Ok(())
}

/// Whether a text can be the id of a board: what fits in an address and in the name of a file.
pub(super) fn is_id(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'))
}

/// A short id that is easy to type: no letter of it looks like another.
pub(super) fn new_id() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let chance = rand::random::<[u8; 8]>();
    chance.iter().map(|it| char::from(LETTERS[usize::from(it % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_line_that_nothing_turns_around() {
        assert_eq!(clean("  a \n\t b\u{202e}c\u{200b}  ", 9, "/x").unwrap(), "a bc");
        assert_eq!(
            clean("e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}!", 9, "/x").unwrap().chars().count(),
            6
        );
        assert!(clean("\u{200b}\u{202e} ", 9, "/x").is_err());
        assert!(clean("1234567890", 9, "/x").is_err());
        assert_eq!(clean("123456789  ", 9, "/x").unwrap(), "123456789");
        assert_eq!(cut("\u{202e}a\u{0}b  c d", 4), "ab c");
        // A family is joined by what is unseen elsewhere.
        assert_eq!(clean("👩‍👩‍👧", 9, "/x").unwrap(), "👩‍👩‍👧");
    }

    #[test]
    fn words_are_the_same_however_they_are_written() {
        assert_eq!(folded("PIZZA"), "pizza");
        assert_eq!(folded("Ｐｉｚｚａ"), "pizza");
        assert_eq!(folded("ÄPFEL"), folded("a\u{308}pfel"));
        assert_eq!(bare("\u{e0000} !vote 2 \u{34f}"), "!vote 2");
        assert!(is_id(&new_id()) && !is_id("a/b") && !is_id("") && !is_id(&"a".repeat(33)));
    }
}
