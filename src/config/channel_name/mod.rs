//! The names of channels, as people write them and as the platforms know them.

mod kick;
mod pilled;
mod rumble;
mod twitch;
mod youtube;

use crate::model::Platform;

pub use youtube::YoutubeChannel;

/// The platforms that have a worker, in the order lists show them.
pub const READABLE: &[Platform] =
    &[Platform::Twitch, Platform::Youtube, Platform::Kick, Platform::Rumble, Platform::Pilled];

/// Why a channel cannot be read: one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadChannel {
    /// No worker reads this platform.
    #[error("{0} cannot be read; {list} can", list = readable_list())]
    NotReadable(Platform),
    /// Not a name on this platform.
    #[error("`{}` is not a {} channel: {}", shown(text), platform.title(), how_to_write(*platform))]
    NotAName {
        /// Where it should be one.
        platform: Platform,
        /// As it was written.
        text: String,
    },
}

fn readable_list() -> String {
    READABLE.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ")
}

/// Without what stands behind a `key=` or the like: people paste what they copied.
fn shown(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let secret = ["key=", "token=", "secret=", "password="];
    let starts = secret.iter().filter_map(|it| Some(lower.find(it)? + it.len()));
    starts.min().map_or_else(|| text.to_owned(), |start| format!("{}…", &text[..start]))
}

/// Whether two channels are one, whatever the case in which their names are written.
#[must_use]
pub fn is_same(platform: Platform, one: &str, other: &str) -> bool {
    match platform {
        // Their sites find a name in any case, and show it in one.
        Platform::Rumble | Platform::Pilled => one.eq_ignore_ascii_case(other),
        _ => one == other,
    }
}

fn how_to_write(platform: Platform) -> &'static str {
    match platform {
        Platform::Youtube => {
            "write its handle (`@name`), its id (`UC…`), a video id, or an address, such as \
             `https://www.youtube.com/@name`"
        }
        Platform::Kick => {
            "write its name (letters, digits, `_` or `-`) or its address, such as `https://kick.com/name`"
        }
        Platform::Rumble => {
            "write its name, or an address, such as `https://rumble.com/c/name` or that of a stream"
        }
        Platform::Pilled => {
            "write its name (letters, digits, `_`, `-` or `.`) or its address, such as \
             `https://pilled.net/profile/name`"
        }
        _ => {
            "write its name (1 to 25 letters, digits or `_`) or its address, such as \
             `https://www.twitch.tv/name`"
        }
    }
}

/// The bare name in `text`, its case kept: `#Name`, `@Name` and `https://www.twitch.tv/Name` are `Name`.
///
/// # Errors
/// `NotReadable` if no worker reads `platform`, and `NotAName` if `text` is no name there.
pub fn find_name(platform: Platform, text: &str) -> Result<&str, BadChannel> {
    let name = match platform {
        Platform::Twitch => twitch::find_name(text),
        Platform::Youtube => youtube::find_name(text),
        Platform::Kick => kick::find_name(text),
        Platform::Rumble => rumble::find_name(text),
        Platform::Pilled => pilled::find_name(text),
        other => return Err(BadChannel::NotReadable(other)),
    };
    name.ok_or_else(|| BadChannel::NotAName { platform, text: text.to_owned() })
}

/// The one spelling of a channel's name.
///
/// - Twitch: the login in lower case.
/// - YouTube: `@handle` in lower case, an id `UC…`, a video id, or `c/name` and `user/name` of old addresses.
/// - Kick: the slug in lower case.
/// - Rumble: `c/name`, `user/name`, or `v…` of one stream.
/// - Pilled: the name, its case kept.
///
/// # Errors
/// As [`find_name`].
pub fn normalize(platform: Platform, text: &str) -> Result<String, BadChannel> {
    let bad = || BadChannel::NotAName { platform, text: text.to_owned() };
    match platform {
        Platform::Twitch | Platform::Kick => find_name(platform, text).map(str::to_ascii_lowercase),
        Platform::Youtube => YoutubeChannel::parse(text).map(|it| it.to_string()).ok_or_else(bad),
        Platform::Rumble => rumble::normalize(text).ok_or_else(bad),
        Platform::Pilled => find_name(platform, text).map(str::to_owned),
        other => Err(BadChannel::NotReadable(other)),
    }
}

/// The platform of a channel's address; `None` for a bare name, and for an address that is nobody's.
#[must_use]
pub fn platform_of(address: &str) -> Option<Platform> {
    let address = without_scheme(address.trim())?;
    let host = address.split(['/', '?', '#']).next()?.to_ascii_lowercase();
    let is = |name: &str| host == name || host.ends_with(&format!(".{name}"));
    [
        ("twitch.tv", Platform::Twitch),
        ("youtube.com", Platform::Youtube),
        ("youtu.be", Platform::Youtube),
        ("kick.com", Platform::Kick),
        ("rumble.com", Platform::Rumble),
        ("pilled.net", Platform::Pilled),
    ]
    .into_iter()
    .find_map(|(name, platform)| is(name).then_some(platform))
}

/// Host and path of an address, if `text` is one of `hosts`; one copied without its scheme counts too.
/// The path has no slash at either end and no query.
fn path_on<'a>(text: &'a str, hosts: &[&str]) -> Option<&'a str> {
    let address = without_scheme(text)?;
    let (host, path) = address.split_once('/')?;
    let host = host.to_ascii_lowercase();
    if !hosts.contains(&host.as_str()) {
        return None;
    }
    Some(path.split(['?', '#']).next()?.trim_end_matches('/'))
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

/// Whether `name` has `1..=most` bytes, all letters, digits or one of `others`.
fn is_plain(name: &str, most: usize, others: &str) -> bool {
    let good = |it: u8| it.is_ascii_alphanumeric() || others.as_bytes().contains(&it);
    (1..=most).contains(&name.len()) && name.bytes().all(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asserts the one spelling of each text.
    pub(super) fn assert_spellings(platform: Platform, spellings: &[(&str, &str)]) {
        for (text, expected) in spellings {
            assert_eq!(normalize(platform, text).as_deref(), Ok(*expected), "{text}");
            // What was brought to its spelling keeps it.
            assert_eq!(normalize(platform, expected).as_deref(), Ok(*expected), "{expected}");
        }
    }

    /// Asserts that none of the texts is a name, and that it is said in one sentence.
    pub(super) fn assert_refused(platform: Platform, texts: &[&str]) {
        for text in texts {
            let error = normalize(platform, text).expect_err(text);
            assert!(error.to_string().starts_with(&format!("`{text}` is not")), "{error}");
            assert!(find_name(platform, text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_offered_instead_of_an_unknown_platform_can_be_read() {
        let error = "kik".parse::<Platform>().unwrap_err().to_string();
        let (_, offered) = error.rsplit_once(": use ").unwrap();
        assert_eq!(offered.replace(" or ", ", "), readable_list());
    }

    #[test]
    fn an_address_names_its_platform() {
        assert_eq!(platform_of("https://www.youtube.com/@ana"), Some(Platform::Youtube));
        assert_eq!(platform_of("youtu.be/dQw4w9WgXcQ"), Some(Platform::Youtube));
        assert_eq!(platform_of("kick.com/ana"), Some(Platform::Kick));
        assert_eq!(platform_of("https://RUMBLE.com/c/ana"), Some(Platform::Rumble));
        for nobody in ["ana", "@ana", "https://example.org/a", "https://nottwitch.tv/ana"] {
            assert_eq!(platform_of(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn a_key_in_an_address_is_not_repeated() {
        let error =
            normalize(Platform::Rumble, "https://rumble.com/-livestream-api/get-data?key=secret");
        let error = error.unwrap_err().to_string();
        assert!(error.contains("rumble.com") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn where_case_does_not_matter_two_spellings_are_one_channel() {
        assert!(is_same(Platform::Rumble, "c/Ana", "c/ana"));
        assert!(!is_same(Platform::Rumble, "c/ana", "user/ana"));
        assert!(!is_same(
            Platform::Youtube,
            "UCabcdefghijklmnopqrstuv",
            "UCabcdefghijklmnopqrstuV"
        ));
    }

    #[test]
    fn a_platform_without_a_worker_says_which_ones_have_one() {
        let error = normalize(Platform::Discord, "name").unwrap_err();
        assert_eq!(
            error.to_string(),
            "discord cannot be read; twitch, youtube, kick, rumble, pilled can"
        );
    }
}
