//! Saying something in a creator's chats: on one platform or on all, with a state for each.
//!
//! One lane per channel, with a bounded queue and the platform's own pace. What a lane says comes back through the
//! reading path like everybody's words, and is recognised there as ours.

mod echo;
mod lane;
mod limits;
mod outbox;

use std::{future::Future, pin::Pin, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::moderating::{Act, ActError};
use crate::model::{CreatorId, Platform, QualifiedId, Timestamp};

pub use echo::Echoes;
pub use limits::count_message;
pub use outbox::{LaneKey, NewMessage, Outbox, OutboxError, Voice};

/// What is to be said in one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The text, trimmed, never empty.
    pub text: String,
    /// The message it answers; of the same platform.
    pub reply_to: Option<QualifiedId>,
}

/// What a platform said to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its id, where the platform tells.
    pub message_id: Option<QualifiedId>,
}

/// Why something was not said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The platform, or a rule of ours, does not allow it: saying it again would not help.
    #[error("{0}")]
    Blocked(String),
    /// It did not work, or it is unclear whether it did. Not tried again: better once too few than twice.
    #[error("{0}")]
    Failed(String),
    /// Certainly not said; the platform asks to wait this long first.
    #[error("the platform asks to wait {} s", .0.as_secs())]
    Later(Duration),
}

/// Sends in one channel of one platform.
pub trait PlatformSender: Send + Sync {
    /// Says it.
    ///
    /// # Errors
    /// As [`SendError`] says.
    fn send<'a>(
        &'a self,
        words: &'a Words,
    ) -> Pin<Box<dyn Future<Output = Result<Said, SendError>> + Send + 'a>>;

    /// Moderates there, where it can.
    ///
    /// # Errors
    /// As [`ActError`] says.
    fn moderate<'a>(
        &'a self,
        _act: &'a Act,
    ) -> Pin<Box<dyn Future<Output = Result<(), ActError>> + Send + 'a>> {
        let no = "this server cannot moderate there";
        Box::pin(async move { Err(ActError::Impossible(no.to_owned())) })
    }

    /// As whom: the account's platform-qualified id, once it is known.
    fn account(&self) -> Option<QualifiedId>;

    /// How many messages may leave within how long. Looked at for every message.
    fn pace(&self) -> Pace;

    /// Longest text (characters).
    fn max_chars(&self) -> usize;

    /// Whether a message can be the answer to another one there.
    fn has_answers(&self) -> bool {
        false
    }
}

/// How fast a platform lets an account speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// At most this many …
    pub messages: u32,
    /// … within this time …
    pub within: Duration,
    /// … and never two closer together than this.
    pub apart: Duration,
}

/// Whose words they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The creator's own.
    #[default]
    Creator,
    /// The operator's.
    Admin,
    /// A moderator's.
    Moderator,
    /// A trigger's, a timer's.
    Automatic,
}

/// How far a message has come on one platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SendState {
    /// Waits for its turn.
    Queued,
    /// On its way.
    Sending,
    /// The platform has it.
    Sent,
    /// Not allowed; `detail` says by what.
    Blocked,
    /// Did not work, or nobody knows whether it did; `detail` says more.
    Failed,
}

/// A message on its way to one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Delivery {
    /// Where.
    pub platform: Platform,
    /// Which channel; empty when the creator has none there.
    pub channel: String,
    /// How far.
    pub state: SendState,
    /// Why, for people; may be empty.
    pub detail: String,
    /// The platform's id of it, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<QualifiedId>,
    /// When the state last changed.
    pub changed_at: Timestamp,
}

/// A message that was said here, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outgoing {
    /// Ours, unique.
    pub id: String,
    /// In whose room.
    pub room: CreatorId,
    /// What it says.
    pub text: String,
    /// Whose words.
    pub source: Speaker,
    /// Who said it here, as others call them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When it was said here.
    pub created_at: Timestamp,
    /// One for each channel it goes to.
    pub platforms: Vec<Delivery>,
}

#[cfg(test)]
mod tests;
