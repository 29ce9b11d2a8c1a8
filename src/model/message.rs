//! A chat message as every page understands it, whatever platform it came from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Platform, QualifiedId, Timestamp};

/// One chat message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Platform, colon, the platform's own id. Unique: the key by which repeats are recognised.
    pub id: QualifiedId,
    /// Where it was written.
    pub platform: Platform,
    /// The channel it was read from.
    pub channel: Channel,
    /// Who wrote it.
    pub author: Author,
    /// Plain and whole, as the platform sent it, a reply's leading mention included.
    pub text: String,
    /// The same text in pieces, in order: their texts joined are exactly `text`.
    pub fragments: Vec<Fragment>,
    /// What is special about it.
    pub flags: Vec<Flag>,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// Shared chat: the other channel it was written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_channel: Option<Channel>,
    /// What was paid with it: cheer, Super Chat, rant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// The platform's clock.
    pub sent_at: Timestamp,
    /// This server's clock.
    pub received_at: Timestamp,
}

impl Message {
    /// Whether `flag` is set.
    #[must_use]
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    /// What was said, as [`spoken`].
    #[must_use]
    pub fn spoken(&self) -> &str {
        spoken(&self.text, self.reply_to.is_some())
    }

    /// Whether a viewer wrote it here, as [`is_of_a_viewer`].
    #[must_use]
    pub fn is_of_a_viewer(&self) -> bool {
        is_of_a_viewer(&self.author.roles, &self.flags)
    }
}

/// What a text says: without whom it answers, which platforms put in front of a reply, and without blanks at its ends.
#[must_use]
pub fn spoken(text: &str, is_reply: bool) -> &str {
    // Clients of Twitch add U+E0000, to say the same twice.
    let is_blank = |it: char| it.is_whitespace() || it == '\u{e0000}';
    let text = text.trim_matches(is_blank);
    match text.split_once(char::is_whitespace) {
        Some((mention, rest)) if is_reply && mention.starts_with('@') => {
            rest.trim_matches(is_blank)
        }
        _ => text,
    }
}

/// Whether somebody wrote it, in this channel: no program, not the platform, not by hand here, and not in another channel
/// that shares its chat. Only such words vote and set things off.
#[must_use]
pub fn is_of_a_viewer(roles: &[Role], flags: &[Flag]) -> bool {
    let elsewhere = [Flag::System, Flag::SharedChat, Flag::Synthetic];
    !roles.contains(&Role::Bot) && !flags.iter().any(|it| elsewhere.contains(it))
}

/// A place to chat on a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Channel {
    /// Platform-qualified id; the name stands in for it where the platform does not tell the id.
    pub id: QualifiedId,
    /// Login, handle or title.
    pub name: String,
}

/// A viewer, as the author of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Author {
    /// Stable, platform-qualified id.
    pub id: QualifiedId,
    /// Unique lower-case account name.
    pub login: String,
    /// Display name; may share no letter with the login.
    pub name: String,
    /// `#RRGGBB` as chosen by the viewer, or null.
    pub color: Option<String>,
    /// In the platform's order.
    pub badges: Vec<Badge>,
    /// What the viewer is in this channel.
    pub roles: Vec<Role>,
    /// Picture URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// The person behind several linked accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

/// A badge beside a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Badge {
    /// The platform's name for the kind, e.g. `subscriber`.
    pub set: String,
    /// The platform's version of the kind, e.g. `3012`. Opaque.
    pub version: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Picture URL, on this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What a viewer is in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // The words are the platforms' own.
pub enum Role {
    Broadcaster,
    Moderator,
    Vip,
    Subscriber,
    Member,
    Verified,
    Staff,
    Bot,
}

/// What is special about a message or activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Written with `/me`.
    Action,
    /// The viewer's first message in this channel.
    FirstMessage,
    /// The viewer chats again after a long time.
    Returning,
    /// Paid to stand out.
    Highlighted,
    /// Answers another message.
    Reply,
    /// Written in another channel that shares its chat with this one.
    SharedChat,
    /// Came with a channel-point reward.
    Redeemed,
    /// Written by the platform or this server, not by a viewer.
    System,
    /// Written by hand here; never posted to a platform.
    Synthetic,
    /// Not news: shown as history, fires nothing.
    Historical,
}

/// What a message answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplyTo {
    /// Platform-qualified id of the message answered.
    pub id: QualifiedId,
    /// Who wrote that; badges, roles and colour are unknown and empty.
    pub author: Author,
    /// Its plain text.
    pub text: String,
}

/// A piece of a message's text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Fragment {
    /// Plain text.
    Text {
        /// The piece itself.
        text: String,
    },
    /// A picture with a name.
    Emote {
        /// The name as typed.
        text: String,
        /// The picture.
        emote: Emote,
    },
    /// `@somebody`.
    Mention {
        /// With the `@`.
        text: String,
    },
    /// A web address.
    Link {
        /// As typed.
        text: String,
        /// Complete, with `https://` or `http://`.
        url: String,
    },
    /// A cheer such as `Cheer100`.
    Cheermote {
        /// As typed.
        text: String,
        /// The bits of this one cheermote.
        amount: Amount,
        /// The picture, when there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        emote: Option<Emote>,
    },
}

impl Fragment {
    /// The piece of the message's text this stands for.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text { text }
            | Self::Emote { text, .. }
            | Self::Mention { text }
            | Self::Link { text, .. }
            | Self::Cheermote { text, .. } => text,
        }
    }
}

/// A picture that stands for a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Emote {
    /// Who hosts it.
    pub provider: EmoteProvider,
    /// The provider's id. Opaque.
    pub id: String,
    /// Picture URL, on this server.
    pub url: String,
    /// Known to move.
    pub animated: bool,
    /// Drawn over the emote before it.
    pub zero_width: bool,
}

/// Who hosts an emote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // Names of companies.
pub enum EmoteProvider {
    Twitch,
    Youtube,
    Kick,
    Rumble,
    #[serde(rename = "7tv")]
    SevenTv,
    Bttv,
    Ffz,
    Discord,
    /// Ships with this server.
    Streamsuites,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_begins_behind_whom_it_answers() {
        assert_eq!(spoken("@bo  !vote 2 \u{e0000}", true), "!vote 2");
        assert_eq!(spoken("@bo !vote 2", false), "@bo !vote 2");
        assert_eq!(spoken(" !vote 2", true), "!vote 2");
        assert_eq!(spoken("@bo", true), "@bo");
    }

    #[test]
    fn programs_platforms_hands_and_other_channels_are_no_viewers_here() {
        assert!(is_of_a_viewer(&[Role::Moderator], &[Flag::Reply, Flag::Historical]));
        assert!(!is_of_a_viewer(&[Role::Moderator, Role::Bot], &[]));
        for flag in [Flag::System, Flag::SharedChat, Flag::Synthetic] {
            assert!(!is_of_a_viewer(&[], &[Flag::Reply, flag]), "{flag:?}");
        }
    }
}
