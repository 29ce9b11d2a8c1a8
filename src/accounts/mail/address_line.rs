//! Whom mails are from, as `MAIL_FROM` says it: `name@example.com`, or `A name <name@example.com>`.

use std::borrow::Cow;

use super::{eml::encoded, one_line};

/// Longest name before an address (characters).
const MOST_NAME_CHARS: usize = 100;

/// A name, which may be empty, and an address. Of something else it is the whole text as the address.
fn parts(text: &str) -> (String, String) {
    let text = one_line(text, 400);
    match text.strip_suffix('>').and_then(|it| it.rsplit_once('<')) {
        Some((name, address)) => {
            let name = name.trim().trim_matches('"').replace(['"', '\\'], "");
            (one_line(&name, MOST_NAME_CHARS), address.trim().to_owned())
        }
        None => (String::new(), text),
    }
}

/// The same as a header of a mail: the name is quoted or encoded, whatever it holds.
pub(super) fn as_header(text: &str) -> String {
    let (name, address) = parts(text);
    // What would end the address or begin another one.
    let address: String = address.chars().filter(|it| !"<>,;\"() ".contains(*it)).collect();
    match &*name {
        "" => address,
        name if name.is_ascii() => format!("\"{name}\" <{address}>"),
        name => format!("{} <{address}>", encoded(name)),
    }
}

/// The domain of the address, for ids.
pub(super) fn domain(text: &str) -> Cow<'static, str> {
    let (_, address) = parts(text);
    let domain = address.rsplit_once('@').map(|it| it.1).unwrap_or_default();
    let fits = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-');
    if domain.is_empty() || !domain.bytes().all(fits) {
        return "streamsuites.invalid".into();
    }
    domain.to_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_or_encoded_and_cannot_bring_another_header() {
        assert_eq!(as_header("no-reply@example.com"), "no-reply@example.com");
        assert_eq!(as_header("Ana, B. <a@example.com>"), "\"Ana, B.\" <a@example.com>");
        assert_eq!(as_header("\"Ana\" <a@example.com>"), "\"Ana\" <a@example.com>");
        assert_eq!(as_header("Aña <a@example.com>"), "=?UTF-8?B?QcOxYQ==?= <a@example.com>");
        assert_eq!(
            as_header("Ana\r\nBcc: b@example.com <a@example.com>"),
            "\"Ana Bcc: b@example.com\" <a@example.com>"
        );
        assert_eq!(domain("Ana <a@example.com>"), "example.com");
        assert_eq!(domain("nobody"), "streamsuites.invalid");
    }
}
