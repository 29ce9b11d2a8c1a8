//! Who does the work of one kind.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Job, JobKind};
use crate::model::Timestamp;

/// Does the work of one kind, one attempt at a time.
pub trait Runner: Send + Sync {
    /// Which kind.
    fn kind(&self) -> JobKind;

    /// Makes one attempt; answers in a few words what came of it. It ends by itself within a minute.
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<String, Fault>>;

    /// Whether an attempt of which nobody knows how it ended may be made again at `now`, because twice is as good as
    /// once. Where it may not, it is said to have failed.
    fn may_repeat(&self, job: &Job, now: Timestamp) -> bool;
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// In a sentence, without addresses and secrets.
    pub reason: String,
    /// Whether another attempt is worth it.
    pub again: Again,
}

/// Whether another attempt is worth it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It would go the same way, or may have been done.
    Never,
    /// After a while, and a longer one each time; so often and no more.
    Backoff,
    /// After the time that the other side asked for. Not counted against the number of tries, for an hour.
    After(Duration),
}

impl Fault {
    /// One that another attempt does not mend.
    pub fn never(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again: Again::Never }
    }

    /// One that may be over soon.
    pub fn backoff(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again: Again::Backoff }
    }
}
