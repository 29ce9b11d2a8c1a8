//! The names of channels, as people write them and as the platforms know them.

use crate::model::Platform;

/// The platforms that have a worker, in the order lists show them.
pub const READABLE: &[Platform] = &[Platform::Twitch];

/// Longest Twitch login (characters).
const TWITCH_MAX_CHARS: usize = 25;

/// Why a channel cannot be read: one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadChannel {
    /// No worker reads this platform.
    #[error("{0} cannot be read yet; {list} can", list = readable_list())]
    NotReadable(Platform),
    /// Not a name on Twitch.
    #[error(
        "`{0}` is not a Twitch channel: write its name (1 to 25 letters, digits or `_`) \
         or its address, such as `https://www.twitch.tv/name`"
    )]
    NotTwitch(String),
}

fn readable_list() -> String {
    READABLE.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ")
}

/// The bare name in `text`, its case kept: `#Name`, `@Name` and `https://www.twitch.tv/Name` are `Name`.
///
/// # Errors
/// `NotReadable` if no worker reads `platform`, and the platform's own if `text` is no name there.
pub fn find_name(platform: Platform, text: &str) -> Result<&str, BadChannel> {
    match platform {
        Platform::Twitch => twitch_name(text).ok_or_else(|| BadChannel::NotTwitch(text.to_owned())),
        other => Err(BadChannel::NotReadable(other)),
    }
}

/// The one spelling of a channel's name: on Twitch the login in lower case.
///
/// # Errors
/// As [`find_name`].
pub fn normalize(platform: Platform, text: &str) -> Result<String, BadChannel> {
    find_name(platform, text).map(str::to_ascii_lowercase)
}

fn twitch_name(text: &str) -> Option<&str> {
    let text = text.trim();
    let name = match without_scheme(text) {
        Some(address) => {
            let (host, path) = address.split_once('/')?;
            let host = host.to_ascii_lowercase();
            if !matches!(host.as_str(), "twitch.tv" | "www.twitch.tv" | "m.twitch.tv") {
                return None;
            }
            let path = path.split(['?', '#']).next()?;
            path.strip_suffix('/').unwrap_or(path)
        }
        None => text.strip_prefix(['#', '@']).unwrap_or(text),
    };
    let good = |it: u8| it.is_ascii_alphanumeric() || it == b'_';
    let valid = (1..=TWITCH_MAX_CHARS).contains(&name.len()) && name.bytes().all(good);
    valid.then_some(name)
}

/// What follows `https://`, if `text` is an address; one copied without its scheme counts too.
fn without_scheme(text: &str) -> Option<&str> {
    let starts = |prefix: &str| {
        text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    ["https://", "http://"]
        .into_iter()
        .find(|scheme| starts(scheme))
        .map(|scheme| &text[scheme.len()..])
        .or_else(|| text.contains('/').then_some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twitch_channel_is_its_login_however_it_is_written() {
        for text in [
            "some_name",
            "#Some_Name",
            "@SOME_NAME",
            " some_name ",
            "https://www.twitch.tv/Some_Name",
            "http://twitch.tv/some_name/",
            "HTTPS://m.Twitch.tv/some_name?ref=x#y",
            "twitch.tv/some_name",
        ] {
            assert_eq!(normalize(Platform::Twitch, text).unwrap(), "some_name", "{text}");
        }
    }

    #[test]
    fn what_is_no_twitch_login_is_refused_in_one_sentence() {
        let long = "a".repeat(26);
        for text in [
            "",
            "#",
            "a b",
            "a-b",
            "ä",
            long.as_str(),
            "https://www.twitch.tv/",
            "https://www.twitch.tv/name/videos",
            "https://example.org/name",
            "https://twitch.tv.example.org/name",
        ] {
            let error = normalize(Platform::Twitch, text).unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{text}` is not")), "{error}");
        }
    }

    #[test]
    fn a_platform_without_a_worker_says_which_ones_have_one() {
        let error = normalize(Platform::Youtube, "@name").unwrap_err();
        assert_eq!(error.to_string(), "youtube cannot be read yet; twitch can");
    }
}
