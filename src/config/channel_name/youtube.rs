//! YouTube: a handle, a channel id, a video id, or one of the site's many addresses.

use std::fmt;

use crate::model::percent_decoded;

const HOSTS: [&str; 4] = ["youtube.com", "www.youtube.com", "m.youtube.com", "studio.youtube.com"];
/// Longest handle, without `@` (characters). In any script.
const MAX_HANDLE_CHARS: usize = 30;
/// Length of a video id (bytes).
const VIDEO_ID_BYTES: usize = 11;
/// Length of a channel id, `UC` included (bytes).
const CHANNEL_ID_BYTES: usize = 24;

/// What identifies a channel, or one stream of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum YoutubeChannel {
    /// `@handle`, kept here without the `@`, in lower case.
    Handle(String),
    /// `UC…`
    Id(String),
    /// One stream.
    Video(String),
    /// `/c/name`, an address of old.
    Custom(String),
    /// `/user/name`, an older one.
    User(String),
}

impl YoutubeChannel {
    /// Reads what people write. A bare name of exactly 11 characters is a video id: a handle has its `@`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(handle) = text.strip_prefix('@') {
            return Self::handle(handle);
        }
        for (prefix, make) in
            [("c/", Self::custom as fn(&str) -> Option<Self>), ("user/", Self::user)]
        {
            if let Some(name) = text.strip_prefix(prefix) {
                return make(name);
            }
        }
        if !text.contains('/') {
            return Self::bare(text);
        }
        let after = |marker: &str| {
            let query = text.split_once('?')?.1.split('#').next()?;
            query.split('&').find_map(|it| it.strip_prefix(marker))
        };
        if let Some(path) = super::path_on(text, &["youtu.be", "www.youtu.be"]) {
            return Self::video(path);
        }
        let path = super::path_on(text, &HOSTS)?;
        let mut segments = path.split('/');
        match (segments.next()?, segments.next()) {
            ("watch", None) | ("live_chat", None) => Self::video(after("v=")?),
            ("live" | "shorts" | "embed" | "video", Some(id)) => Self::video(id),
            ("channel", Some(id)) => Self::id(id),
            ("c", Some(name)) => Self::custom(name),
            ("user", Some(name)) => Self::user(name),
            // `/@handle`, `/@handle/live`, `/@handle/streams`
            (first, _) => Self::handle(first.strip_prefix('@')?),
        }
    }

    fn bare(text: &str) -> Option<Self> {
        Self::id(text).or_else(|| Self::video(text)).or_else(|| Self::handle(text))
    }

    fn handle(name: &str) -> Option<Self> {
        // A handle is in any script; browsers copy those with percent signs.
        let name = percent_decoded(name)?.to_lowercase();
        let good = |it: char| it.is_alphanumeric() || matches!(it, '_' | '-' | '.' | '·');
        let valid =
            (1..=MAX_HANDLE_CHARS).contains(&name.chars().count()) && name.chars().all(good);
        valid.then_some(Self::Handle(name))
    }

    fn id(text: &str) -> Option<Self> {
        let valid = text.starts_with("UC") && text.len() == CHANNEL_ID_BYTES;
        (valid && super::is_plain(text, CHANNEL_ID_BYTES, "_-")).then(|| Self::Id(text.to_owned()))
    }

    fn video(text: &str) -> Option<Self> {
        let valid = text.len() == VIDEO_ID_BYTES && super::is_plain(text, VIDEO_ID_BYTES, "_-");
        valid.then(|| Self::Video(text.to_owned()))
    }

    fn custom(name: &str) -> Option<Self> {
        let name = percent_decoded(name)?;
        let valid = !name.is_empty()
            && name.chars().all(|it| it.is_alphanumeric() || matches!(it, '_' | '-' | '.'));
        (valid && name.len() <= 100).then_some(Self::Custom(name))
    }

    fn user(name: &str) -> Option<Self> {
        super::is_plain(name, 100, "_-.").then(|| Self::User(name.to_owned()))
    }
}

impl fmt::Display for YoutubeChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handle(name) => write!(f, "@{name}"),
            Self::Id(id) | Self::Video(id) => f.write_str(id),
            Self::Custom(name) => write!(f, "c/{name}"),
            Self::User(name) => write!(f, "user/{name}"),
        }
    }
}

/// The bare name in `text`, its case kept.
pub(super) fn find_name(text: &str) -> Option<&str> {
    let channel = YoutubeChannel::parse(text)?;
    let whole = text.trim();
    let text = whole.split(['?', '#']).next()?.trim_end_matches('/');
    let name = match channel {
        // Also behind `?v=`: two streams are not one room.
        YoutubeChannel::Video(id) => return text_of(whole, &id),
        YoutubeChannel::Id(id) => return text_of(text, &id),
        YoutubeChannel::Handle(_) => match text.split_once('@') {
            Some((_, after)) => after.split('/').next()?,
            None => text,
        },
        YoutubeChannel::Custom(_) | YoutubeChannel::User(_) => text.rsplit('/').next()?,
    };
    Some(name)
}

/// Where `id` stands in `text`.
fn text_of<'a>(text: &'a str, id: &str) -> Option<&'a str> {
    let start = text.find(id)?;
    text.get(start..start + id.len())
}

#[cfg(test)]
mod tests {
    use super::super::{
        find_name,
        tests::{assert_refused, assert_spellings},
    };
    use crate::model::Platform;

    #[test]
    fn a_youtube_channel_is_a_handle_an_id_or_a_video_however_it_is_written() {
        let id = "UCabcdefghijklmnopqrstuv";
        assert_spellings(
            Platform::Youtube,
            &[
                ("@Some.Name", "@some.name"),
                ("SomeOtherName", "@someothername"),
                ("https://www.youtube.com/@Some.Name/live", "@some.name"),
                ("youtube.com/@some.name?si=x", "@some.name"),
                ("@테스트", "@테스트"),
                ("https://www.youtube.com/@%ED%85%8C", "@테"),
                (id, id),
                ("https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv/live", id),
                ("dQw4w9WgXcQ", "dQw4w9WgXcQ"),
                ("https://www.youtube.com/watch?app=desktop&v=dQw4w9WgXcQ&t=5", "dQw4w9WgXcQ"),
                ("https://youtu.be/dQw4w9WgXcQ?si=abc", "dQw4w9WgXcQ"),
                ("https://www.youtube.com/live/dQw4w9WgXcQ", "dQw4w9WgXcQ"),
                ("https://www.youtube.com/live_chat?is_popout=1&v=dQw4w9WgXcQ", "dQw4w9WgXcQ"),
                ("https://studio.youtube.com/video/dQw4w9WgXcQ/livestreaming", "dQw4w9WgXcQ"),
                ("https://www.youtube.com/c/SomeName", "c/SomeName"),
                ("https://www.youtube.com/user/SomeName/videos", "user/SomeName"),
            ],
        );
        assert_eq!(find_name(Platform::Youtube, "@Some.Name"), Ok("Some.Name"));
        assert_eq!(find_name(Platform::Youtube, "https://youtube.com/@Ana/live"), Ok("Ana"));
        for stream in
            ["https://youtu.be/dQw4w9WgXcQ", "https://youtube.com/watch?v=dQw4w9WgXcQ&t=5"]
        {
            assert_eq!(find_name(Platform::Youtube, stream), Ok("dQw4w9WgXcQ"));
        }
    }

    #[test]
    fn what_is_no_youtube_channel_is_refused_in_one_sentence() {
        assert_refused(
            Platform::Youtube,
            &[
                "",
                "@",
                "a b",
                "https://www.youtube.com/",
                "https://www.youtube.com/feed/subscriptions",
                "https://www.youtube.com/watch?v=short",
                "https://www.youtube.com/channel/UCshort",
                "https://example.org/@name",
                "https://youtube.com.example.org/@name",
            ],
        );
    }
}
