//! What was decided about a message, and why: kept for whoever asks why nothing happened.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    Message, Platform, QualifiedId, Timestamp,
    trigger::{Access, Trigger},
};

/// Whose cooldown it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The viewer's.
    Viewer,
    /// The room's.
    Room,
    /// Of all rooms together.
    Everywhere,
}

/// What was decided about one trigger whose words, pattern or time fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It acts.
    Matched,
    /// It acted too short a time ago.
    Cooldown {
        /// How long it rests still (ms).
        left_ms: u64,
        /// For whom it rests.
        whose: Whose,
    },
    /// Its viewer may not.
    Role(Access),
    /// Too little was paid, or nothing, or in another currency.
    Amount,
    /// It does not listen on that platform.
    Platform,
    /// It is switched off.
    Disabled,
    /// The message is old: it was shown as history.
    Stale,
    /// A limit of this server or of the tier holds it up.
    Limited(String),
}

/// The word for a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "TriggerOutcome")]
pub enum Outcome {
    /// It acted.
    Matched,
    /// It rests.
    Cooldown,
    /// Not for this viewer.
    Role,
    /// Not for this amount.
    Amount,
    /// Not on this platform.
    Platform,
    /// Switched off.
    Disabled,
    /// The message was old.
    Stale,
    /// A limit held it up.
    Limited,
    /// Nothing fits.
    None,
}

impl Verdict {
    /// Its word.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Matched => Outcome::Matched,
            Self::Cooldown { .. } => Outcome::Cooldown,
            Self::Role(_) => Outcome::Role,
            Self::Amount => Outcome::Amount,
            Self::Platform => Outcome::Platform,
            Self::Disabled => Outcome::Disabled,
            Self::Stale => Outcome::Stale,
            Self::Limited(_) => Outcome::Limited,
        }
    }

    /// Why, for people.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Matched => "matched".to_owned(),
            Self::Cooldown { left_ms, whose } => {
                let tenths = left_ms.div_ceil(100);
                let left = format!("cooldown {}.{} s left", tenths / 10, tenths % 10);
                match whose {
                    Whose::Viewer => format!("{left} for this viewer"),
                    Whose::Room => left,
                    Whose::Everywhere => format!("{left} in all rooms"),
                }
            }
            Self::Role(needed) => format!("role too low: only {} and above", needed.title()),
            Self::Amount => "too little was paid".to_owned(),
            Self::Platform => "it does not listen on this platform".to_owned(),
            Self::Disabled => "it is switched off".to_owned(),
            Self::Stale => "source stale: the message is history".to_owned(),
            Self::Limited(why) => why.clone(),
        }
    }
}

/// What became of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TriggerActionDone")]
pub struct Done {
    /// Which.
    pub action_type: String,
    /// How far it came.
    pub state: DoneState,
    /// Why, for people; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// How far an action came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DoneState {
    /// It is done.
    Done,
    /// It is on its way; the list of jobs or of messages tells how far.
    Queued,
    /// It may not be done.
    Blocked,
    /// It did not work.
    Failed,
}

/// What was decided about a message, or about a timer's round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// About which trigger.
    pub trigger_id: String,
    /// Where the message was written; absent for a timer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Which message; absent for a timer. Its words are not kept here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<QualifiedId>,
    /// Who wrote it, by account name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<String>,
    /// What was decided.
    pub outcome: Outcome,
    /// Why, for people.
    pub detail: String,
    /// What was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Done>,
}

impl Decision {
    /// About a trigger, for a message or for a timer's round.
    #[must_use]
    pub fn about(
        trigger: &Trigger,
        message: Option<&Message>,
        verdict: &Verdict,
        actions: Vec<Done>,
        at: Timestamp,
    ) -> Self {
        Self {
            at,
            trigger_id: trigger.trigger_id.clone(),
            platform: message.map(|it| it.platform),
            message_id: message.map(|it| it.id.clone()),
            viewer: message.map(|it| it.author.login.clone()),
            outcome: verdict.outcome(),
            detail: verdict.detail(),
            actions,
        }
    }
}
