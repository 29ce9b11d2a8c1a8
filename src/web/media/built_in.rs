//! Badges drawn by us: shown until a Twitch application is configured, and whenever Twitch fails.

use bytes::Bytes;
use rust_embed::RustEmbed;

use super::{Image, MAX_AGE_FOR_NOW_SECONDS, etag_of, hash::hash_of};

#[derive(RustEmbed)]
#[folder = "static"]
#[include = "img/badges/*.svg"]
struct Drawings;

/// Our own drawing of the badge `set`, one for all its versions.
pub(super) fn find_badge(set: &str) -> Option<Image> {
    if set.contains(['/', '\\']) {
        return None; // A debug build reads the folder itself, where `..` leads to other files.
    }
    let drawing = Drawings::get(&format!("img/badges/{set}.svg"))?;
    let bytes = Bytes::from_owner(drawing.data);
    Some(Image {
        kind: "image/svg+xml",
        etag: etag_of(&hash_of(&bytes)),
        bytes,
        max_age_seconds: MAX_AGE_FOR_NOW_SECONDS,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drawing_is_found_by_the_name_of_its_badge() {
        for path in Drawings::iter() {
            let set = path.trim_start_matches("img/badges/").trim_end_matches(".svg");
            let image = find_badge(set).unwrap_or_else(|| panic!("{path} is not found"));
            assert!(image.bytes.starts_with(b"<svg"), "{path}");
        }
        assert_eq!(find_badge("no-such-badge"), None);
        assert_eq!(find_badge("../../demo/emotes/novaGG"), None);
    }
}
