//! Why the queue did not do what it was asked.

use super::{JobKind, JobState, MOST_BYTES, MOST_OF_ROOM};

/// Why the queue did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Nothing here does such work.
    #[error("{}", .0.without_runner())]
    NoRunner(JobKind),
    /// Too much waits already, in this room or in all.
    #[error("too many jobs wait (at most {MOST_OF_ROOM} of a room)")]
    Full,
    /// It carries too much.
    #[error("a job carries at most {MOST_BYTES} bytes")]
    TooLarge,
    /// The room had as many within this minute as it may.
    #[error("too many jobs within a minute: again in {} s", .wait_ms.div_ceil(1_000))]
    Limited {
        /// After which there may be one more (ms).
        wait_ms: u64,
    },
    /// The room has no such job, or it is forgotten.
    #[error("no such job")]
    NotFound,
    /// It is over, or not over yet.
    #[error("the job is {0} already")]
    Is(JobState),
}
