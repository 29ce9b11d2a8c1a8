//! The channel a line was read from, and the one it came from.

use super::tags::Tags;
use crate::model::{Channel, Platform, QualifiedId};

/// The channel a line was read from.
pub(super) struct Room<'a> {
    /// Twitch's number, where the line or an earlier one tells it.
    pub(super) id: Option<&'a str>,
    /// The login.
    pub(super) name: &'a str,
}

impl Room<'_> {
    pub(super) fn channel(&self) -> Channel {
        Channel {
            id: QualifiedId::new(Platform::Twitch, self.id.unwrap_or(self.name)),
            name: self.name.to_owned(),
        }
    }
}

/// Shared chat: the other channel a line was written in. `None` for the channel's own lines, which carry
/// `source-room-id` as well. Lines tell its number only, so that is its name too.
pub(super) fn find_source(tags: Tags<'_>, room_id: Option<&str>) -> Option<Channel> {
    let source = tags.find("source-room-id").filter(|&it| Some(it) != room_id)?;
    Some(Channel { id: QualifiedId::new(Platform::Twitch, source), name: source.to_owned() })
}
