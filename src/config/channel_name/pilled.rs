//! Pilled: a name, case kept.

/// Longest name (bytes).
const MAX_BYTES: usize = 60;

/// The name in `text`.
pub(super) fn find_name(text: &str) -> Option<&str> {
    let text = text.trim();
    let name = match super::path_on(text, &["pilled.net", "www.pilled.net"]) {
        // The site's pages are `/#/profile/name`: what stands behind the `#` is the path.
        Some("") => text.split_once("#/")?.1.split(['?', '#']).next()?.rsplit('/').next()?,
        Some(path) => path.rsplit('/').next()?,
        None => text.strip_prefix('@').unwrap_or(text),
    };
    super::is_plain(name, MAX_BYTES, "_-.").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_refused, assert_spellings};
    use crate::model::Platform;

    #[test]
    fn a_pilled_channel_is_its_name_however_it_is_written() {
        assert_spellings(
            Platform::Pilled,
            &[
                ("SomeName", "SomeName"),
                ("@SomeName", "SomeName"),
                ("https://pilled.net/profile/SomeName", "SomeName"),
                ("https://pilled.net/#/profile/SomeName", "SomeName"),
            ],
        );
        assert_refused(
            Platform::Pilled,
            &["", "a b", "https://pilled.net/", "https://example.org/a"],
        );
    }
}
