//! Texts that others chose, where one line is meant.

/// What stands between a text and its end, or turns its direction around: marks that are not seen.
fn is_hidden(it: char) -> bool {
    it.is_control()
        || matches!(u32::from(it),
            0xad | 0x61c | 0x180e | 0x200b | 0x200e | 0x200f | 0x2028..=0x202e | 0x2060..=0x206f
                | 0xfeff | 0xfff9..=0xfffb | 0xe0001 | 0xe0020..=0xe007f)
}

/// `text` in one line of at most `most` characters, without what ends a line, hides, or turns the direction of what
/// follows. Emoji and all scripts stay as they are.
///
/// Flags of countries' parts are made of hidden marks, and are cut to the black flag that they begin with.
#[must_use]
pub fn one_line(text: &str, most: usize) -> String {
    let spaced = text.chars().map(|it| {
        // What separates keeps separating.
        if matches!(it, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
        {
            ' '
        } else {
            it
        }
    });
    let seen: String = spaced.filter(|it| !is_hidden(*it)).collect();
    let words: Vec<&str> = seen.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let mut cut: String = line.chars().take(most.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_line_whatever_it_was() {
        assert_eq!(
            one_line("a\r\nBcc: x@example.com\u{2028}b\u{85}c", 99),
            "a Bcc: x@example.com b c"
        );
        assert_eq!(one_line(" \u{202e}evil\u{2066} \0name\u{7f} ", 99), "evil name");
        assert_eq!(one_line("שלום 👩‍🚀 नमस्ते", 99), "שלום 👩‍🚀 नमस्ते");
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        assert_eq!(one_line("éééé", 4), "éééé");
        assert_eq!(one_line("éé ééé", 4), "éé…");
        assert_eq!(one_line("éé", 0), "…");
    }
}
