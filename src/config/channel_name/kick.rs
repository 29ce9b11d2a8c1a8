//! Kick: a slug. It cannot be derived from the name that is shown.

/// Pages of the site that are nobody's.
const PAGES: [&str; 16] = [
    "about",
    "auth",
    "browse",
    "categories",
    "category",
    "clips",
    "community-guidelines",
    "dashboard",
    "following",
    "popout",
    "privacy-policy",
    "search",
    "settings",
    "terms-of-service",
    "video",
    "videos",
];
/// Longest slug (bytes).
const MAX_BYTES: usize = 60;

/// The slug in `text`, its case kept.
pub(super) fn find_name(text: &str) -> Option<&str> {
    let text = text.trim();
    let name = match super::path_on(text, &["kick.com", "www.kick.com"]) {
        // `/name/chatroom`, and `/popout/name/chat`
        Some(path) => match path.strip_prefix("popout/") {
            Some(rest) => rest.split('/').next()?,
            None => path.split('/').next().filter(|it| !PAGES.contains(it))?,
        },
        None => text.strip_prefix('@').unwrap_or(text),
    };
    super::is_plain(name, MAX_BYTES, "_-").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_refused, assert_spellings};
    use crate::model::Platform;

    #[test]
    fn a_kick_channel_is_its_slug_however_it_is_written() {
        assert_spellings(
            Platform::Kick,
            &[
                ("Some-Name", "some-name"),
                ("@some_name", "some_name"),
                ("https://kick.com/Some-Name", "some-name"),
                ("kick.com/some-name/chatroom", "some-name"),
                ("https://kick.com/popout/some-name/chat", "some-name"),
            ],
        );
        assert_refused(
            Platform::Kick,
            &[
                "",
                "@",
                "a b",
                "ä",
                "https://kick.com/",
                "https://example.org/name",
                "https://kick.com/category/just-chatting",
                "kick.com/video/123",
                "https://dashboard.kick.com/stream",
            ],
        );
    }
}
