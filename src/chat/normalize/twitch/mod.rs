//! Twitch's chat lines, as the feed understands them.
//!
//! Everything is read from the plain IRC message (command, parameters, tags), never from typed messages:
//! those refuse a whole line for one missing tag.
//!
//! Source: <https://dev.twitch.tv/docs/chat/irc/>, and lines recorded from 2017 to 2026.

mod author;
mod badges;
mod body;
mod bundles;
mod cheermotes;
mod emotes;
pub(super) mod eventsub;
mod media;
mod message;
mod moderation;
mod notice;
mod room;
mod room_state;
mod sentence;
mod tags;
mod usernotice;

#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};

use twitch_irc::message::IRCMessage;
use uuid::Uuid;

use self::{bundles::Bundles, room::Room, room_state::RoomStates, tags::Tags};
use super::{NormalizeError, Normalized};
use crate::model::{Platform, QualifiedId, Timestamp};

/// Reads the lines of one channel. One per channel being read: it keeps what Twitch sends only in parts
/// (the chat's rules), what ties gifts together, and the channel's id for lines that lack it.
#[derive(Debug)]
pub struct TwitchNormalizer {
    login: String,
    room_id: Option<String>,
    /// It was told once.
    room_id_taken: bool,
    rules: RoomStates,
    bundles: Bundles,
}

impl TwitchNormalizer {
    /// For the channel with this login; a leading `#` and capitals are forgiven.
    #[must_use]
    pub fn new(channel_login: &str) -> Self {
        Self {
            login: channel_login.trim_start_matches('#').to_ascii_lowercase(),
            room_id: None,
            room_id_taken: false,
            rules: RoomStates::default(),
            bundles: Bundles::default(),
        }
    }

    /// The channel's number, once, when it is first known.
    pub fn take_channel_id(&mut self) -> Option<String> {
        let id = self.room_id.as_ref().filter(|_| !self.room_id_taken)?.clone();
        self.room_id_taken = true;
        Some(id)
    }

    /// Turns one line into what the feed carries.
    ///
    /// - PRIVMSG becomes `chat.message`, or `chat.redacted` when a history service says it was moderated.
    ///   A line without an `id` gets a unique one (`twitch:local-…`) and so is never taken for a repeat.
    /// - USERNOTICE becomes `activity`. With the flag `shared_chat` it happened in `source_channel`: show it,
    ///   but its `count` is not this channel's. `raw_kind` is the line's own `msg-id`.
    /// - CLEARCHAT becomes `chat.clear` or `chat.clear_user`. The `author_id` of the latter is the login
    ///   when the line has no id at all.
    /// - CLEARMSG becomes `chat.delete`, ROOMSTATE a whole `room.state`, NOTICE in a channel an `activity`.
    /// - All else carries nothing.
    ///
    /// `received_at` is this server's clock; it also stands in for a missing or unreadable `tmi-sent-ts`.
    ///
    /// # Errors
    /// [`NormalizeError::Unparsed`] when the line lacks what cannot be invented, such as a PRIVMSG that names
    /// nobody: count it and go on.
    pub fn normalize(
        &mut self,
        line: &IRCMessage,
        received_at: Timestamp,
    ) -> Result<Normalized, NormalizeError> {
        let nothing = |why| Ok(Normalized::Nothing(why));
        match line.command.as_str() {
            "PRIVMSG" => {
                let room = self.room(line)?;
                message::read(line, &room, received_at)
            }
            "USERNOTICE" => {
                // The check for a channel comes first, so that a torn line ties no gifts.
                let room_id = self.room(line)?.id.map(str::to_owned);
                Ok(usernotice::read(line, room_id.as_deref(), &mut self.bundles))
            }
            "CLEARCHAT" => Ok(moderation::read_clearchat(line)),
            "CLEARMSG" => moderation::read_clearmsg(line),
            "ROOMSTATE" => {
                let room_id = self.room(line)?.id.map(str::to_owned);
                self.room_id = room_id.or(self.room_id.take());
                Ok(self.rules.merge(Tags::of(line)))
            }
            "NOTICE" => Ok(notice::read(line)),
            "PING" | "PONG" => nothing("keep-alive"),
            "JOIN" | "PART" => nothing("somebody joined or left"),
            "USERSTATE" | "GLOBALUSERSTATE" => nothing("state of our own user"),
            "HOSTTARGET" => nothing("hosting is retired"),
            "WHISPER" => nothing("whisper"),
            "RECONNECT" => nothing("reconnect request"),
            "CAP" => nothing("capability negotiation"),
            numeric if numeric.bytes().all(|it| it.is_ascii_digit()) => nothing("numeric reply"),
            _ => nothing("unknown command"),
        }
    }

    fn room<'a>(&'a self, line: &'a IRCMessage) -> Result<Room<'a>, NormalizeError> {
        let name = line.params.first().map_or("", |it| it.strip_prefix('#').unwrap_or(it));
        if name.is_empty() {
            return Err(NormalizeError::unparsed(&line.command, "channel"));
        }
        let id = Tags::of(line).find("room-id");
        // Only this channel's id is known; a line of another one must not be given it.
        let known = self.room_id.as_deref().filter(|_| name == self.login);
        Ok(Room { id: id.or(known), name })
    }
}

/// The key by which a line without an id of its own is recognised when a second connection delivers it again.
///
/// For CLEARCHAT a hash of room, target and Twitch's clock; for CLEARMSG of the message it deletes. `None` for
/// every other line (its event has an id), and for a CLEARCHAT without a clock, which is never taken for a
/// repeat. The value means something within this process only.
#[must_use]
pub fn dedupe_key(line: &IRCMessage) -> Option<u64> {
    let tags = Tags::of(line);
    let mut hasher = DefaultHasher::new();
    line.command.hash(&mut hasher);
    match line.command.as_str() {
        "CLEARCHAT" => {
            tags.find("tmi-sent-ts")?.hash(&mut hasher);
            line.params.first().hash(&mut hasher);
            line.params.get(1).hash(&mut hasher);
            tags.find("room-id").hash(&mut hasher);
            tags.find("target-user-id").hash(&mut hasher);
        }
        "CLEARMSG" => tags.find("target-msg-id")?.hash(&mut hasher),
        _ => return None,
    }
    Some(hasher.finish())
}

/// The line's own id, or a unique one.
fn id_or_invented(tags: Tags<'_>) -> QualifiedId {
    match tags.find("id") {
        Some(id) => QualifiedId::new(Platform::Twitch, id),
        None => QualifiedId::new(Platform::Twitch, &format!("local-{}", Uuid::now_v7())),
    }
}
