//! CLEARCHAT and CLEARMSG: what must vanish.

use twitch_irc::message::IRCMessage;

use super::tags::Tags;
use crate::{
    chat::normalize::{NormalizeError, Normalized},
    model::{ChatClear, ChatClearUser, ChatDelete, EventBody, Platform, QualifiedId},
};

/// Reads a CLEARCHAT: everything without a target, else one viewer's messages.
///
/// A target without a duration is a ban. A duration that cannot be read counts as none, since hiding too
/// much is the smaller harm.
pub(super) fn read_clearchat(line: &IRCMessage) -> Normalized {
    let tags = Tags::of(line);
    let login = line.params.get(1).map(String::as_str).filter(|it| !it.is_empty());
    let event = match tags.find_any(&["target-user-id", "user-id"]).or(login) {
        Some(target) => EventBody::ChatClearUser(ChatClearUser {
            platform: Platform::Twitch,
            author_id: QualifiedId::new(Platform::Twitch, target),
            seconds: tags.number("ban-duration"),
        }),
        None => EventBody::ChatClear(ChatClear { platform: Some(Platform::Twitch) }),
    };
    Normalized::Event(event)
}

/// Reads a CLEARMSG. It names the writer by login only, which is no id, so the author is mostly unknown.
pub(super) fn read_clearmsg(line: &IRCMessage) -> Result<Normalized, NormalizeError> {
    let tags = Tags::of(line);
    let message_id = tags
        .find("target-msg-id")
        .ok_or_else(|| NormalizeError::unparsed(&line.command, "target-msg-id"))?;
    let author_id = tags.find_any(&["target-user-id", "user-id"]);
    Ok(Normalized::Event(EventBody::ChatDelete(ChatDelete {
        message_id: QualifiedId::new(Platform::Twitch, message_id),
        platform: Platform::Twitch,
        author_id: author_id.map(|it| QualifiedId::new(Platform::Twitch, it)),
    })))
}
