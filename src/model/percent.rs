//! Percent-encoding, as addresses have it (RFC 3986, 2.1).

/// `text` with every `%XX` taken for the byte it stands for; `None` when that is no valid UTF-8, or a `%` stands for
/// nothing.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_nothing_is_refused() {
        assert_eq!(percent_decoded("a%2Fb%ED%85%8C").as_deref(), Some("a/b테"));
        for bad in ["%", "%2", "%G0", "%FF"] {
            assert_eq!(percent_decoded(bad), None, "{bad}");
        }
    }
}
