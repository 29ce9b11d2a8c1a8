//! One live stream of a channel.

/// A live stream, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast {
    /// Its video id.
    pub video: String,
    /// `UC…` of whose it is.
    pub channel_id: Option<String>,
    /// The channel's title.
    pub channel_name: Option<String>,
    /// What the stream is called.
    pub title: Option<String>,
    /// How many watch.
    pub viewers: Option<u64>,
    /// Whether YouTube said that it is live; else its chat will tell.
    pub sure: bool,
}

impl Broadcast {
    /// Of which nothing but the video is known.
    #[must_use]
    pub fn of_video(video: String) -> Self {
        Self {
            video,
            channel_id: None,
            channel_name: None,
            title: None,
            viewers: None,
            sure: false,
        }
    }
}
