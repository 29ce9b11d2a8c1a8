//! Work that reaches outside and may fail: webhooks, requests, messages for Discord. One visible queue.
//!
//! Whoever adds a job never waits for it: it is kept in memory, written behind, tried until it is done or given up, and
//! shown with what became of it. What was under way when the server was killed is done again where that does no harm,
//! and otherwise said to have failed, because it may have been done.

mod book;
mod error;
mod job;
mod queue;
mod runner;
pub mod runners;

pub use error::JobError;
pub use job::{Job, JobCard, JobKind, JobState, NewJob};
pub use queue::{Jobs, Parts};
pub use runner::{Again, Fault, Runner};

/// Jobs that wait or run in one room (count); one more is refused.
pub const MOST_OF_ROOM: usize = 200;
/// Jobs that wait or run in all (count); one more is refused.
pub const MOST: usize = 5_000;
/// What a job may carry (bytes of JSON).
pub const MOST_BYTES: usize = 16_384;
/// Jobs remembered of a room after they are over (count): the oldest is forgotten.
pub const REMEMBERED_OF_ROOM: usize = 50;
/// Jobs remembered in all after they are over (count): the oldest is forgotten.
pub const REMEMBERED: usize = 5_000;
/// Jobs under way at a time (count): the others wait their turn.
pub const AT_ONCE: usize = 16;
/// The same of one room, so that one whose webhook hangs leaves room for the others.
pub const AT_ONCE_OF_ROOM: usize = 4;

#[cfg(test)]
mod tests;
