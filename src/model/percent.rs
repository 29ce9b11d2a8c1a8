//! Percent-encoding, as addresses have it (RFC 3986, 2.1).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a segment of a path shows by its number.
const NOT_IN_A_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@')
    .remove(b'=');

/// `text` with every `%XX` taken for the byte it stands for; `None` when that is no valid UTF-8, or a `%` stands for
/// nothing, which the crate lets pass.
#[must_use]
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |it: u8| char::from(it).to_digit(16);
        let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
        decoded.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(decoded).ok()
}

/// `text` as one segment of a path.
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, NOT_IN_A_SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_reads_back_as_itself() {
        for text in ["twitch:b34c-ff_7.x~", "kick:a/b?c#d%20e", "youtube:테 ü="] {
            let encoded = percent_encoded(text);
            assert!(!encoded.contains(['/', '?', '#', ' ']) && encoded.is_ascii(), "{encoded}");
            assert_eq!(percent_decoded(&encoded).as_deref(), Some(text));
        }
        assert_eq!(percent_encoded("twitch:1-a"), "twitch:1-a");
    }

    #[test]
    fn what_stands_for_nothing_is_refused() {
        assert_eq!(percent_decoded("a%2Fb%ED%85%8C").as_deref(), Some("a/b테"));
        for bad in ["%", "%2", "%G0", "%FF"] {
            assert_eq!(percent_decoded(bad), None, "{bad}");
        }
    }
}
