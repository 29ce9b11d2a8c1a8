//! What happens in a channel besides chat: follows, subscriptions, raids, payments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Author, Channel, Flag, Fragment, Platform, QualifiedId, Timestamp};

/// Something a viewer or the platform did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// What happened.
    pub kind: ActivityKind,
    /// Where.
    pub platform: Platform,
    /// Platform-qualified and unique, the key by which repeats are recognised.
    pub id: QualifiedId,
    /// Who did it; absent when nobody in particular, or somebody who wished not to be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// What they wrote with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The same in pieces, in order: their texts joined are exactly `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fragments: Option<Vec<Fragment>>,
    /// What was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// How many: gifts given, raiders, days of a streak. A gift that is one of a counted bundle has 0
    /// here and names the bundle in `part_of`, so that a sum over all gifts is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Months of a subscription so far, or of a gift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub months: Option<u32>,
    /// Level of a subscription: `1`, `2`, `3` or `prime` on Twitch; the level's name elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Who received it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipients: Option<Vec<Author>>,
    /// One sentence that can be shown as it is. Never empty.
    pub system_text: String,
    /// The platform's own word for the kind, e.g. `submysterygift`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_kind: Option<String>,
    /// The bundle this gift belongs to; the same value on the bundle itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<QualifiedId>,
    /// What is special about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// Shared chat: the other channel it happened in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_channel: Option<Channel>,
    /// The platform's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// Somebody follows the channel.
    Follow,
    /// A subscription begins, goes on or is upgraded.
    Subscription,
    /// Subscriptions or memberships were given to others.
    Gift,
    /// Another channel sends its viewers.
    Raid,
    /// Something was paid that is not a message.
    Paid,
    /// A YouTube-style membership begins.
    Membership,
    /// A round number was reached: months of membership, bits, years as a moderator.
    Milestone,
    /// A moderator announces something.
    Announcement,
    /// A channel-point reward was redeemed.
    Redemption,
    /// Money given outside the platform, or to charity.
    Donation,
    /// Streams watched in a row.
    WatchStreak,
    /// Anything else; `raw_kind` names it.
    Other,
}
