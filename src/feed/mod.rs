//! The seam behind every room's ring: where events go to last, and where old ones are read again.
//!
//! A room tells its log about each event by reference, in order, and never waits for it. Readers ask
//! by `seq` for what the ring no longer holds.

use std::{future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;

use crate::model::{CreatorId, Platform, Timestamp};

/// One event as the log is told of it.
#[derive(Debug, Clone)]
pub struct Record {
    /// Whose feed.
    pub room: CreatorId,
    /// Of the feed's numbering.
    pub epoch: Arc<str>,
    /// Place in the feed.
    pub seq: u64,
    /// When the server received it.
    pub ts: Timestamp,
    /// The event's `type`.
    pub kind: &'static str,
    /// The event as viewers may read it: the whole JSON object, shared with the sockets.
    pub json: Bytes,
    /// A message that was moderated before it arrived: what it said, for the audit only.
    pub moderated: Option<Bytes>,
}

/// An answer that is waited for.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where events outlive the ring.
pub trait FeedLog: Send + Sync {
    /// Takes one event, or says `false` at once when it cannot: the caller counts the loss and goes on.
    fn append(&self, record: Record) -> bool;

    /// Up to `limit` events of `room` behind `after`, in order, as viewers may read them. Fewer, or
    /// none, when the log ends there; `None` when it no longer, or never, held the one behind `after`.
    fn read(
        &self,
        room: &CreatorId,
        epoch: &str,
        after: u64,
        limit: usize,
    ) -> Answer<'_, Option<Vec<Stored>>>;
}

/// One event as read back.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Place in the feed.
    pub seq: u64,
    /// The event's `type`, for filters.
    pub kind: String,
    /// The platform it concerns, for filters.
    pub platform: Option<Platform>,
    /// The event: the whole JSON object.
    pub json: Bytes,
}

/// Keeps nothing: a room remembers what its ring holds and no more.
#[derive(Debug, Default)]
pub struct NoLog;

impl FeedLog for NoLog {
    fn append(&self, _: Record) -> bool {
        true
    }

    fn read(&self, _: &CreatorId, _: &str, _: u64, _: usize) -> Answer<'_, Option<Vec<Stored>>> {
        Box::pin(async { None })
    }
}
