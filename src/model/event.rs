//! The feed's events: one JSON object each, the same shape for every source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Activity, CreatorId, Flag, Message, OverlaySettings, Platform, PlatformState, QualifiedId,
    Timestamp,
    snapshot::{ClipSnapshot, PollSnapshot, ScoreboardSnapshot, TallySnapshot},
};

/// An event in its place in a room's feed.
///
/// `{"v":1,"room":"daniel","epoch":"01JD…","seq":1042,"ts":"…Z","type":"chat.message","data":{…}}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Version of this shape.
    pub v: u8,
    /// Whose feed.
    pub room: CreatorId,
    /// Changes only when numbers that a client may have seen were lost.
    pub epoch: String,
    /// Place in the feed: from 1, no holes, no repeats.
    pub seq: u64,
    /// When the server received it.
    pub ts: Timestamp,
    /// `type` and `data`.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What an event says: `type` and `data`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data")]
pub enum EventBody {
    /// A viewer wrote something.
    #[serde(rename = "chat.message")]
    ChatMessage(Box<Message>),
    /// One message must vanish.
    #[serde(rename = "chat.delete")]
    ChatDelete(ChatDelete),
    /// Everything one viewer wrote must vanish.
    #[serde(rename = "chat.clear_user")]
    ChatClearUser(ChatClearUser),
    /// Everything must vanish.
    #[serde(rename = "chat.clear")]
    ChatClear(ChatClear),
    /// Stands in the place of a moderated message wherever events are read again.
    #[serde(rename = "chat.redacted")]
    ChatRedacted(ChatRedacted),
    /// Something happened besides chat.
    #[serde(rename = "activity")]
    Activity(Box<Activity>),
    /// The chat's rules, whole.
    #[serde(rename = "room.state")]
    RoomState(RoomState),
    /// How well a channel is being read.
    #[serde(rename = "platform.status")]
    PlatformStatus(PlatformStatus),
    /// A message is featured.
    #[serde(rename = "feature.show")]
    FeatureShow(Box<Message>),
    /// Nothing is featured any more.
    #[serde(rename = "feature.clear")]
    FeatureClear(FeatureClear),
    /// The queue, whole.
    #[serde(rename = "queue.update")]
    QueueUpdate(QueueUpdate),
    /// A poll, whole.
    #[serde(rename = "poll.update")]
    PollUpdate(Box<PollSnapshot>),
    /// A tally, whole.
    #[serde(rename = "tally.update")]
    TallyUpdate(TallySnapshot),
    /// A scoreboard, whole.
    #[serde(rename = "score.update")]
    ScoreUpdate(ScoreboardSnapshot),
    /// A clip, whole.
    #[serde(rename = "clip.update")]
    ClipUpdate(ClipSnapshot),
    /// The room's overlay settings, whole.
    #[serde(rename = "settings.update")]
    SettingsUpdate(Box<OverlaySettings>),
    /// A stream begins.
    #[serde(rename = "session.start")]
    SessionStart(SessionStart),
    /// A stream ended.
    #[serde(rename = "session.end")]
    SessionEnd(SessionEnd),
    /// Events before this one were shown live and could not be recorded. Only where events are read again.
    #[serde(rename = "feed.gap")]
    FeedGap(FeedGap),
}

/// Every `type`, in an order that never changes: the feed log writes the place in this list.
pub const KINDS: [&str; 19] = [
    "chat.message",
    "chat.delete",
    "chat.clear_user",
    "chat.clear",
    "chat.redacted",
    "activity",
    "room.state",
    "platform.status",
    "feature.show",
    "feature.clear",
    "queue.update",
    "poll.update",
    "tally.update",
    "score.update",
    "clip.update",
    "settings.update",
    "session.start",
    "session.end",
    "feed.gap",
];

impl EventBody {
    /// The event's `type`, as filters and clients name it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ChatMessage(_) => "chat.message",
            Self::ChatDelete(_) => "chat.delete",
            Self::ChatClearUser(_) => "chat.clear_user",
            Self::ChatClear(_) => "chat.clear",
            Self::ChatRedacted(_) => "chat.redacted",
            Self::Activity(_) => "activity",
            Self::RoomState(_) => "room.state",
            Self::PlatformStatus(_) => "platform.status",
            Self::FeatureShow(_) => "feature.show",
            Self::FeatureClear(_) => "feature.clear",
            Self::QueueUpdate(_) => "queue.update",
            Self::PollUpdate(_) => "poll.update",
            Self::TallyUpdate(_) => "tally.update",
            Self::ScoreUpdate(_) => "score.update",
            Self::ClipUpdate(_) => "clip.update",
            Self::SettingsUpdate(_) => "settings.update",
            Self::SessionStart(_) => "session.start",
            Self::SessionEnd(_) => "session.end",
            Self::FeedGap(_) => "feed.gap",
        }
    }

    /// Whether it is what a stream consists of: chat and activities, as they happen.
    #[must_use]
    pub fn is_content(&self) -> bool {
        let flags = match self {
            Self::ChatMessage(it) => &it.flags,
            Self::Activity(it) => &it.flags,
            _ => return false,
        };
        !flags.contains(&Flag::Historical)
    }

    /// What identifies it, where the platform or the source gave it an id.
    #[must_use]
    pub fn identity(&self) -> Option<&QualifiedId> {
        match self {
            Self::ChatMessage(it) => Some(&it.id),
            Self::Activity(it) => Some(&it.id),
            Self::ChatDelete(it) => Some(&it.message_id),
            Self::ChatRedacted(it) => Some(&it.message_id),
            _ => None,
        }
    }

    /// Its `data`, serialised.
    ///
    /// # Panics
    /// Never: plain values always serialise.
    #[must_use]
    pub fn data_json(&self) -> Vec<u8> {
        let mut data = Vec::with_capacity(1024);
        let written = match self {
            Self::ChatMessage(it) | Self::FeatureShow(it) => serde_json::to_writer(&mut data, it),
            Self::ChatDelete(it) => serde_json::to_writer(&mut data, it),
            Self::ChatClearUser(it) => serde_json::to_writer(&mut data, it),
            Self::ChatClear(it) => serde_json::to_writer(&mut data, it),
            Self::ChatRedacted(it) => serde_json::to_writer(&mut data, it),
            Self::Activity(it) => serde_json::to_writer(&mut data, it),
            Self::RoomState(it) => serde_json::to_writer(&mut data, it),
            Self::PlatformStatus(it) => serde_json::to_writer(&mut data, it),
            Self::FeatureClear(it) => serde_json::to_writer(&mut data, it),
            Self::QueueUpdate(it) => serde_json::to_writer(&mut data, it),
            Self::PollUpdate(it) => serde_json::to_writer(&mut data, it),
            Self::TallyUpdate(it) => serde_json::to_writer(&mut data, it),
            Self::ScoreUpdate(it) => serde_json::to_writer(&mut data, it),
            Self::ClipUpdate(it) => serde_json::to_writer(&mut data, it),
            Self::SettingsUpdate(it) => serde_json::to_writer(&mut data, it),
            Self::SessionStart(it) => serde_json::to_writer(&mut data, it),
            Self::SessionEnd(it) => serde_json::to_writer(&mut data, it),
            Self::FeedGap(it) => serde_json::to_writer(&mut data, it),
        };
        written.expect("plain values always serialise");
        data
    }

    /// The platform it concerns; `None` for what concerns the room as a whole.
    #[must_use]
    pub fn platform(&self) -> Option<Platform> {
        match self {
            Self::ChatMessage(it) | Self::FeatureShow(it) => Some(it.platform),
            Self::ChatDelete(it) => Some(it.platform),
            Self::ChatClearUser(it) => Some(it.platform),
            Self::ChatClear(it) => it.platform,
            Self::ChatRedacted(it) => it.message_id.platform(),
            Self::Activity(it) => Some(it.platform),
            Self::RoomState(it) => Some(it.platform),
            Self::PlatformStatus(it) => Some(it.platform),
            _ => None,
        }
    }

    /// Whether it makes something vanish, and so overtakes everything that waits.
    #[must_use]
    pub const fn is_deletion(&self) -> bool {
        matches!(self, Self::ChatDelete(_) | Self::ChatClearUser(_) | Self::ChatClear(_))
    }
}

/// One message must vanish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatDelete {
    /// Which.
    pub message_id: QualifiedId,
    /// Where it was written.
    pub platform: Platform,
    /// Who wrote it, where the platform says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_id: Option<QualifiedId>,
}

/// Everything one viewer wrote must vanish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatClearUser {
    /// Where.
    pub platform: Platform,
    /// Whose messages.
    pub author_id: QualifiedId,
    /// Length of the time-out (s); null is a ban.
    pub seconds: Option<u64>,
}

/// Everything must vanish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatClear {
    /// Of one platform; null is the whole room.
    pub platform: Option<Platform>,
}

/// Stands in the place of a moderated message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatRedacted {
    /// Which.
    pub message_id: QualifiedId,
}

/// The chat's rules on one platform, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomState {
    /// Where.
    pub platform: Platform,
    /// Least time between two messages of a viewer (s); 0 is off.
    pub slow_seconds: u64,
    /// Who has followed for less may not chat (minutes); 0 is any follower, null is off.
    pub followers_only_minutes: Option<u64>,
    /// Only subscribers or members may chat.
    pub subscribers_only: bool,
    /// Only emotes may be written.
    pub emote_only: bool,
    /// Repeats are refused.
    pub unique_chat: bool,
}

/// How well one channel is being read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlatformStatus {
    /// Where.
    pub platform: Platform,
    /// Which channel, by the name it was configured with.
    pub channel: String,
    /// How well.
    pub state: PlatformState,
    /// Why, for people; may be empty.
    pub detail: String,
    /// Viewers watching now, where known (count).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewers: Option<u64>,
}

/// Nothing is featured any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureClear {}

/// The messages marked for discussion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueueUpdate {
    /// Next first.
    pub items: Vec<Message>,
}

/// A stream begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionStart {
    /// Unique.
    pub session_id: String,
    /// The stream's title, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A stream ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionEnd {
    /// Which.
    pub session_id: String,
    /// The stream's title, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Events that were shown live and could not be recorded: the disk did not keep up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedGap {
    /// How many: those right before this event's place, and this place itself (count).
    pub events: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_place_in_the_list() {
        let schema = serde_json::to_value(schemars::schema_for!(EventBody)).unwrap();
        let mut kinds: Vec<String> = schema["oneOf"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["properties"]["type"]["const"].as_str().unwrap().to_owned())
            .collect();
        let mut listed = KINDS.map(str::to_owned).to_vec();
        kinds.sort_unstable();
        listed.sort_unstable();
        assert_eq!(kinds, listed);
    }
}
