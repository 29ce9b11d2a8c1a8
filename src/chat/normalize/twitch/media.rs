//! Addresses of Twitch's pictures on this server.

/// Where this server serves the emote `id`; `None` for an id that cannot stand in a path.
pub(super) fn emote_url(id: &str) -> Option<String> {
    let mut url = String::with_capacity(64);
    url.push_str("/media/twitch/emotes/");
    push_segment(&mut url, id).then_some(url)
}

/// Where this server serves the badge `set`/`version` of the channel `room_id`.
pub(super) fn badge_url(room_id: &str, set: &str, version: &str) -> Option<String> {
    let mut url = String::with_capacity(64);
    url.push_str("/media/twitch/badges/");
    for segment in [room_id, set, version] {
        if !push_segment(&mut url, segment) {
            return None;
        }
        url.push('/');
    }
    url.pop();
    Some(url)
}

/// Adds one percent-encoded path segment; `false` for one that browsers resolve away.
fn push_segment(url: &mut String, segment: &str) -> bool {
    if matches!(segment, "" | "." | "..") {
        return false;
    }
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            url.push(char::from(byte));
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            url.push('%');
            url.push(char::from(HEX[usize::from(byte >> 4)]));
            url.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment_of_the_path() {
        assert_eq!(emote_url("80481_/3").unwrap(), "/media/twitch/emotes/80481_%2F3");
        assert_eq!(emote_url("a b%é").unwrap(), "/media/twitch/emotes/a%20b%25%C3%A9");
        assert_eq!(emote_url(".."), None);
        assert_eq!(
            badge_url("7", "sub-gifter", "5").unwrap(),
            "/media/twitch/badges/7/sub-gifter/5"
        );
    }
}
