//! Rumble: a channel (`c/name`), a user (`user/name`), or one stream (`v…`).

const HOSTS: [&str; 2] = ["rumble.com", "www.rumble.com"];
/// Pages of the site that are nobody's.
const PAGES: [&str; 18] = [
    "account",
    "battle-leaderboard",
    "browse",
    "c",
    "category",
    "editor-picks",
    "login",
    "live",
    "login.php",
    "my-library",
    "playlists",
    "premium",
    "register.php",
    "search",
    "shorts",
    "subscriptions",
    "user",
    "videos",
];
/// Longest name (bytes).
const MAX_BYTES: usize = 100;

/// The bare name in `text`, its case kept.
pub(super) fn find_name(text: &str) -> Option<&str> {
    parts(text).map(|(_, name)| name)
}

/// The one spelling.
pub(super) fn normalize(text: &str) -> Option<String> {
    let (kind, name) = parts(text)?;
    Some(match kind {
        Kind::Channel => format!("c/{name}"),
        Kind::User => format!("user/{name}"),
        Kind::Stream => name.to_ascii_lowercase(),
    })
}

enum Kind {
    Channel,
    User,
    Stream,
}

fn parts(text: &str) -> Option<(Kind, &str)> {
    let text = text.trim();
    let is_name = |it: &str| super::is_plain(it, MAX_BYTES, "_-.");
    let path = match super::path_on(text, &HOSTS) {
        Some(path) => path,
        None => text,
    };
    let mut segments = path.split('/');
    let first = segments.next()?;
    let second = segments.next();
    match (first, second) {
        ("c", Some(name)) if is_name(name) => Some((Kind::Channel, name)),
        ("user", Some(name)) if is_name(name) => Some((Kind::User, name)),
        ("embed", Some(id)) => stream(id).map(|it| (Kind::Stream, it)),
        (name, None) if path.len() == text.len() => match stream_id(name) {
            Some(id) => Some((Kind::Stream, id)),
            None => {
                let name = name.strip_prefix('@').unwrap_or(name);
                is_name(name).then_some((Kind::Channel, name))
            }
        },
        // `/v5abcd-the-title.html`; else a channel's short address.
        (name, None) => stream(name)
            .map(|it| (Kind::Stream, it))
            .or_else(|| is_name(name).then_some((Kind::Channel, name)))
            .filter(|it| !PAGES.contains(&it.1)),
        _ => None,
    }
}

/// The id of a stream at the start of the last part of its address.
fn stream(part: &str) -> Option<&str> {
    stream_id(part.split(['-', '.']).next()?)
}

/// `v` and base 36, a digit among it: what is written so without an address is a stream.
fn stream_id(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('v')?;
    let valid = (4..=12).contains(&digits.len())
        && digits.bytes().all(|it| it.is_ascii_digit() || it.is_ascii_lowercase())
        && digits.bytes().any(|it| it.is_ascii_digit());
    valid.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_refused, assert_spellings};
    use crate::model::Platform;

    #[test]
    fn a_rumble_channel_is_a_channel_a_user_or_a_stream_however_it_is_written() {
        assert_spellings(
            Platform::Rumble,
            &[
                ("SomeName", "c/SomeName"),
                ("@SomeName", "c/SomeName"),
                ("c/SomeName", "c/SomeName"),
                ("https://rumble.com/c/SomeName/live", "c/SomeName"),
                ("https://rumble.com/user/SomeName/", "user/SomeName"),
                ("rumble.com/SomeName", "c/SomeName"),
                ("https://rumble.com/v5abc1d-the-title-of-it.html?e9s=x", "v5abc1d"),
                ("https://rumble.com/embed/v5abc1d/?pub=4", "v5abc1d"),
                ("v5abc1d", "v5abc1d"),
            ],
        );
        assert_refused(
            Platform::Rumble,
            &[
                "",
                "a b",
                "https://rumble.com/",
                "https://example.org/c/name",
                "c/",
                "https://rumble.com/live",
                "https://rumble.com/browse/live",
            ],
        );
    }
}
