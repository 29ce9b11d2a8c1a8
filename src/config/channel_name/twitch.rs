//! Twitch: a login.

const HOSTS: [&str; 4] = ["twitch.tv", "www.twitch.tv", "m.twitch.tv", "dashboard.twitch.tv"];
const PREFIXES: [&str; 3] = ["popout/", "moderator/", "u/"];
/// Longest login (characters).
const MAX_CHARS: usize = 25;

/// The login in `text`, its case kept.
pub(super) fn find_name(text: &str) -> Option<&str> {
    let text = text.trim();
    let name = match super::path_on(text, &HOSTS) {
        // `/popout/name/chat`, `/moderator/name`, and `/u/name/stream-manager` of the dashboard
        Some(path) => match PREFIXES.iter().find_map(|it| path.strip_prefix(it)) {
            Some(rest) => rest.split('/').next()?,
            None => path,
        },
        None => text.strip_prefix(['#', '@']).unwrap_or(text),
    };
    super::is_plain(name, MAX_CHARS, "_").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_refused, assert_spellings};
    use crate::model::Platform;

    #[test]
    fn a_twitch_channel_is_its_login_however_it_is_written() {
        assert_spellings(
            Platform::Twitch,
            &[
                "some_name",
                "#Some_Name",
                "@SOME_NAME",
                " some_name ",
                "https://www.twitch.tv/Some_Name",
                "http://twitch.tv/some_name/",
                "HTTPS://m.Twitch.tv/some_name?ref=x#y",
                "twitch.tv/some_name",
                "https://www.twitch.tv/popout/some_name/chat",
                "https://dashboard.twitch.tv/u/some_name/stream-manager",
            ]
            .map(|it| (it, "some_name")),
        );
    }

    #[test]
    fn what_is_no_twitch_login_is_refused_in_one_sentence() {
        let long = "a".repeat(26);
        assert_refused(
            Platform::Twitch,
            &[
                "",
                "#",
                "a b",
                "a-b",
                "ä",
                &long,
                "https://www.twitch.tv/",
                "https://www.twitch.tv/name/videos",
                "https://example.org/name",
                "https://twitch.tv.example.org/name",
            ],
        );
    }
}
