//! Which picture is asked for.

use crate::model::{HostedPicture, percent_decoded};

/// Longest emote id, badge set or badge version (bytes).
const ID_BYTES: usize = 128;

/// A picture of a platform, with parts that have been checked: each can stand in an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Picture {
    /// An emote of Twitch.
    TwitchEmote {
        /// Twitch's id; it may hold a `/`.
        id: String,
        /// Whether the one without movement is wanted.
        still: bool,
    },
    /// A badge of Twitch.
    TwitchBadge {
        /// Id of the channel, whose own badges win over those of all channels (digits).
        room_id: String,
        /// The badge, such as `subscriber`.
        set: String,
        /// Its version, such as `12`.
        version: String,
    },
    /// Any picture on a host of the list: avatars, badges, emotes of every other platform.
    Hosted(HostedPicture),
}

impl Picture {
    /// Reads what follows `/media/` in the path of a request, still percent-encoded: decoded, an id
    /// with a `/` in it could not be told from two segments. `still` asks for no movement.
    #[must_use]
    pub fn parse(path_after_media: &str, still: bool) -> Option<Self> {
        let segments: Vec<String> =
            path_after_media.split('/').map(percent_decoded).collect::<Option<_>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["twitch", "emotes", id] if id.split('/').all(is_name) && id.len() <= ID_BYTES => {
                Some(Self::TwitchEmote { id: (*id).to_owned(), still })
            }
            ["twitch", "badges", room_id, set, version]
                if is_room_id(room_id) && is_name(set) && is_name(version) =>
            {
                Some(Self::TwitchBadge {
                    room_id: (*room_id).to_owned(),
                    set: (*set).to_owned(),
                    version: (*version).to_owned(),
                })
            }
            ["at", host, path] => HostedPicture::new(host, &format!("/{path}")).map(Self::Hosted),
            _ => None,
        }
    }

    /// The name it is kept under: the same for the same picture, and for no other.
    pub(super) fn key(&self) -> String {
        match self {
            Self::TwitchEmote { id, still } => {
                let format = if *still { "static" } else { "default" };
                format!("twitch/emotes/{format}/{id}")
            }
            Self::TwitchBadge { room_id, set, version } => {
                format!("twitch/badges/{room_id}/{set}/{version}")
            }
            Self::Hosted(it) => it.url(),
        }
    }

    /// Age from which a copy is compared with the platform's (ms).
    pub(super) const fn fresh_ms(&self) -> i64 {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        match self {
            // An address stands for one picture: what changes gets another.
            Self::TwitchEmote { .. } | Self::Hosted(_) => 7 * DAY_MS,
            Self::TwitchBadge { .. } => DAY_MS,
        }
    }

    /// Time a browser may keep it without asking (s).
    pub(super) const fn max_age_seconds(&self) -> u32 {
        match self {
            Self::TwitchEmote { .. } | Self::Hosted(_) => 86_400,
            // A creator who draws a new badge wants to see it.
            Self::TwitchBadge { .. } => 3_600,
        }
    }
}

/// Whether a part can stand in an address and a file name without meaning anything else there.
fn is_name(part: &str) -> bool {
    let plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'.' | b':');
    !matches!(part, "" | "." | "..") && part.len() <= ID_BYTES && part.bytes().all(plain)
}

fn is_room_id(part: &str) -> bool {
    (1..=20).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_the_normalizer_are_understood() {
        let emote = Picture::parse("twitch/emotes/80481_%2F3", true).unwrap();
        assert_eq!(emote, Picture::TwitchEmote { id: "80481_/3".into(), still: true });
        let badge = Picture::parse("twitch/badges/7/sub-gifter/5", false).unwrap();
        let avatar = HostedPicture::find("https://yt3.ggpht.com/a/b=s64?c").unwrap();
        let path = avatar.media_path();
        let path = path.strip_prefix("/media/").unwrap();
        assert_eq!(Picture::parse(path, false), Some(Picture::Hosted(avatar)));
        let (set, version) = ("sub-gifter".into(), "5".into());
        assert_eq!(badge, Picture::TwitchBadge { room_id: "7".into(), set, version });
    }

    #[test]
    fn a_path_that_could_lead_elsewhere_is_no_picture() {
        for path in [
            "",
            "twitch",
            "twitch/emotes/",
            "twitch/emotes/a/b",
            "twitch/emotes/..",
            "twitch/emotes/%2E%2E",
            "twitch/emotes/a%2F..%2Fb",
            "twitch/emotes/a%2F%2Fb",
            "twitch/emotes/%2Fa",
            "twitch/emotes/a%3Fb",
            "twitch/emotes/a%23b",
            "twitch/emotes/a%5Cb",
            "twitch/emotes/a%0Ab",
            "twitch/emotes/a%",
            "twitch/emotes/a%2",
            "twitch/emotes/a%G0",
            "twitch/emotes/%FF",
            "twitch/badges/ana/vip/1",
            "twitch/badges/7/vip",
            "twitch/badges/7/a%2Fb/1",
            "twitch/badges/7/vip/1/2",
            "twitch/badges/123456789012345678901/vip/1",
            "kick/emotes/1",
            "at/example.org/a.png",
            "at/yt3.ggpht.com/",
            "at/yt3.ggpht.com/a%2F..%2Fb",
            "at/yt3.ggpht.com/a/b",
        ] {
            assert_eq!(Picture::parse(path, false), None, "{path}");
        }
        assert_eq!(Picture::parse(&format!("twitch/emotes/{}", "a".repeat(129)), false), None);
    }

    #[test]
    fn the_still_picture_of_an_emote_is_another_one() {
        let key = |still| Picture::parse("twitch/emotes/25", still).unwrap().key();
        assert_ne!(key(false), key(true));
    }
}
