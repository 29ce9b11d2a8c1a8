//! One piece of work, and how far it is.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::{CreatorId, Timestamp};

/// What kind of work it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Something is told to an address, signed.
    Webhook,
    /// A request to an address.
    Http,
    /// A message for a channel on Discord.
    Discord,
    /// A clip of the stream.
    Clip,
}

impl JobKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Webhook, Self::Http, Self::Discord, Self::Clip];

    /// The lower-case word used in files and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Http => "http",
            Self::Discord => "discord",
            Self::Clip => "clip",
        }
    }

    /// Why nothing is done about it, where there is no runner.
    #[must_use]
    pub const fn without_runner(self) -> &'static str {
        match self {
            Self::Webhook => "webhooks are not sent by this server",
            Self::Http => "requests are not made by this server",
            Self::Discord => "nothing is written to Discord by this server",
            Self::Clip => "clips are not made by this server",
        }
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far a job is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It waits for its turn, or for another try.
    Pending,
    /// It is under way.
    Running,
    /// It is done.
    Completed,
    /// It was given up; `error` says why.
    Failed,
    /// Somebody took it back.
    Cancelled,
}

impl JobState {
    /// The lower-case word used in files and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more becomes of it by itself.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is to be done.
#[derive(Clone)]
pub struct NewJob {
    /// What kind of work.
    pub kind: JobKind,
    /// For whom.
    pub creator: CreatorId,
    /// What it needs to know; each runner says what. May hold secrets.
    pub payload: Value,
    /// What tells it from another: a second one with the same key is the first one.
    pub key: Option<String>,
    /// Who asked for it, in words: `trigger hello`.
    pub by: String,
}

impl NewJob {
    /// Tells `body` to `url`, signed with the room's secret.
    #[must_use]
    pub fn webhook(creator: CreatorId, url: &str, body: Value, by: impl Into<String>) -> Self {
        Self::of(JobKind::Webhook, creator, json!({ "url": url, "body": body }), by)
    }

    /// Makes a request. A `body` that is text is sent as it is, anything else as JSON.
    #[must_use]
    pub fn http(
        creator: CreatorId,
        method: &str,
        url: &str,
        body: Option<Value>,
        by: impl Into<String>,
    ) -> Self {
        let payload = json!({ "method": method, "url": url, "body": body });
        Self::of(JobKind::Http, creator, payload, by)
    }

    /// Writes `text` into a channel on Discord. It mentions nobody, whatever it says.
    #[must_use]
    pub fn discord(
        creator: CreatorId,
        channel_id: &str,
        text: &str,
        by: impl Into<String>,
    ) -> Self {
        let payload = json!({ "channel_id": channel_id, "text": text });
        Self::of(JobKind::Discord, creator, payload, by)
    }

    fn of(kind: JobKind, creator: CreatorId, payload: Value, by: impl Into<String>) -> Self {
        Self { kind, creator, payload, key: None, by: by.into() }
    }

    /// The same, once only for that key.
    #[must_use]
    pub fn once(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }
}

/// One piece of work. Kept as it is, and shown as a [`JobCard`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Unique, in the order of adding.
    pub job_id: String,
    /// What kind of work.
    pub kind: JobKind,
    /// For whom.
    pub creator: CreatorId,
    /// How far it is.
    pub state: JobState,
    /// Times it was begun (count), since it was last asked for.
    pub attempts: u32,
    /// What it needs to know. May hold secrets: never shown, and gone once it is done.
    pub payload: Value,
    /// What tells it from another.
    pub key: Option<String>,
    /// Who asked for it, in words.
    pub by: String,
    /// When it was added.
    pub queued_at: Timestamp,
    /// When it was last asked for: it may have been retried by hand.
    pub asked_at: Timestamp,
    /// When the last attempt began.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// When it is tried next; null where it is not.
    pub next_attempt_at: Option<Timestamp>,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
    /// What came of it, or what went wrong last: a sentence without addresses and secrets.
    pub error: Option<String>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without what it carries.
        write!(f, "{} {} of {}: {}", self.kind, self.job_id, self.creator, self.state)
    }
}

impl fmt::Debug for NewJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} by {}", self.kind, self.creator, self.by)
    }
}

/// A job as it is shown: without what it carries.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JobCard {
    /// Unique, in the order of adding.
    pub job_id: String,
    /// What kind of work.
    pub kind: JobKind,
    /// For whom.
    pub creator: CreatorId,
    /// How far it is.
    pub state: JobState,
    /// Times it was begun (count), since it was last asked for.
    pub attempts: u32,
    /// Who asked for it, in words.
    pub by: String,
    /// When it was added.
    pub queued_at: Timestamp,
    /// When the last attempt began.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// When it is tried next; null where it is not.
    pub next_attempt_at: Option<Timestamp>,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
    /// What went wrong last, in a sentence.
    pub error: Option<String>,
}

impl From<&Job> for JobCard {
    fn from(job: &Job) -> Self {
        let job = job.clone();
        Self {
            job_id: job.job_id,
            kind: job.kind,
            creator: job.creator,
            state: job.state,
            attempts: job.attempts,
            by: job.by,
            queued_at: job.queued_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
            next_attempt_at: job.next_attempt_at,
            updated_at: job.updated_at,
            error: job.error,
        }
    }
}
