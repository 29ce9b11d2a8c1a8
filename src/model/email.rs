//! Mail addresses, as they are compared.

use std::{fmt, str::FromStr};

use icu_normalizer::ComposingNormalizerBorrowed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An address that mail can be sent to.
///
/// The part before the `@` is kept in the form NFC and compared without case, the domain is kept in its ASCII form:
/// `ana@bücher.example` and `ANA@xn--bcher-kva.example` are one address, and a Cyrillic `а` makes another one, which
/// never passes for the Latin.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Email(String);

/// Why a text is no mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a mail address such as name@example.com")]
pub struct BadEmail;

/// Longest address (bytes; RFC 5321).
const MOST_BYTES: usize = 254;
/// Longest part before the `@` (bytes; RFC 5321).
const MOST_LOCAL_BYTES: usize = 64;

impl Email {
    /// The address, for sending and for its owner.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.0.split_once('@').map_or("", |it| it.0)
    }

    /// As much as others may see: `an***@example.com`.
    #[must_use]
    pub fn redacted(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or_default();
        let kept: String =
            local.chars().take(if local.chars().count() > 2 { 2 } else { 1 }).collect();
        format!("{kept}***@{domain}")
    }
}

impl FromStr for Email {
    type Err = BadEmail;

    fn from_str(text: &str) -> Result<Self, BadEmail> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(BadEmail)?;
        // Quoted forms are legal and used by nobody but those who try parsers out.
        let fits = |it: char| {
            it.is_alphanumeric() && !is_invisible(it) || "!#$%&'*+-/=?^_`{|}~.".contains(it)
        };
        let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
        if local.is_empty() || dots || !local.chars().all(|it| fits(it) || is_mark(it)) {
            return Err(BadEmail);
        }
        let local = ComposingNormalizerBorrowed::new_nfc().normalize(local).to_lowercase();
        let Ok(url::Host::Domain(domain)) = url::Host::parse(domain) else { return Err(BadEmail) };
        let labels = domain.split('.').all(|it| {
            (1..=63).contains(&it.len())
                && !it.starts_with('-')
                && !it.ends_with('-')
                && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
        });
        if !labels || !domain.contains('.') && domain != "localhost" {
            return Err(BadEmail);
        }
        let whole = format!("{local}@{domain}");
        if local.len() > MOST_LOCAL_BYTES || whole.len() > MOST_BYTES {
            return Err(BadEmail);
        }
        Ok(Self(whole))
    }
}

/// Letters that show nothing: two addresses that look the same would differ.
fn is_invisible(it: char) -> bool {
    matches!(it, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

/// Marks that belong to a letter, as many scripts need them.
fn is_mark(it: char) -> bool {
    matches!(u32::from(it), 0x0300..=0x036f | 0x0900..=0x0dff | 0x0e31..=0x0e4e | 0x3099..=0x309a)
}

impl TryFrom<String> for Email {
    type Error = BadEmail;

    fn try_from(text: String) -> Result<Self, BadEmail> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl JsonSchema for Email {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Email".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "mail-address" })
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Result<Email, BadEmail> {
        text.parse()
    }

    #[test]
    fn one_address_in_two_spellings_is_one() {
        assert_eq!(email(" Ana@Example.COM "), email("ana@example.com"));
        assert_eq!(email("ana@bücher.example"), email("ANA@xn--bcher-kva.example"));
        assert_eq!(email("jose\u{301}@example.com"), email("josé@example.com"));
    }

    #[test]
    fn a_look_alike_is_another_address() {
        assert_ne!(email("аna@example.com").unwrap(), email("ana@example.com").unwrap());
        assert_ne!(email("ana@exаmple.com").unwrap(), email("ana@example.com").unwrap());
    }

    #[test]
    fn what_no_mail_can_be_sent_to_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "ana",
            "@example.com",
            "ana@",
            "a b@example.com",
            "ana@exa mple.com",
            "ana@example",
            "a..b@example.com",
            ".a@example.com",
            "ana@-a.example",
            "ana\n@example.com",
            "ana\u{200b}@example.com",
            "\"a b\"@example.com",
            "ana@127.0.0.1",
            "ana@[::1]",
            "ana@example..com",
            "a,b@example.com",
            "ana@example.com\r\nBcc: x@example.com",
            "a<b>@example.com",
            "ana\u{3164}@example.com",
            &long,
        ] {
            assert_eq!(email(bad), Err(BadEmail), "{bad:?}");
        }
    }

    #[test]
    fn others_see_the_first_letters_only() {
        assert_eq!(email("anastasia@example.com").unwrap().redacted(), "an***@example.com");
        assert_eq!(email("al@example.com").unwrap().redacted(), "a***@example.com");
        assert!(!format!("{:?}", email("ana@example.com")).contains("ana"));
    }
}
