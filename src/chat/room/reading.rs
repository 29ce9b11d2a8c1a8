//! How a room is read: where a reader begins, and what it gets next.

use serde::Serialize;

use super::{Room, State};
use crate::{
    chat::{
        filter::Filter,
        frame::Frame,
        ring::About,
        shard::{Batch, BatchBuilder},
    },
    model::{CreatorId, Message, OverlaySettings, PlatformStatus, Timestamp},
};

/// What a reader gets next.
#[derive(Debug)]
pub enum Collected {
    /// There is nothing behind its place yet.
    Nothing,
    /// These.
    Batch(Batch),
    /// The ring no longer holds what comes next.
    Gone,
}

/// A place in a feed as a client remembers it: `epoch.seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// Of the numbering.
    pub epoch: String,
    /// The last place the client has.
    pub seq: u64,
}

impl Since {
    /// Reads `epoch.seq`; `None` when it is not of that shape.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, seq) = text.rsplit_once('.')?;
        Some(Self { epoch: epoch.to_owned(), seq: seq.parse().ok()? })
    }
}

/// How a reader begins.
#[derive(Debug)]
pub struct Entrance {
    /// The place behind which its events start.
    pub position: u64,
    /// The first frame.
    pub hello: Frame,
}

#[derive(Serialize)]
struct Hello<'a> {
    v: u8,
    #[serde(rename = "type")]
    kind: &'static str,
    room: &'a CreatorId,
    epoch: &'a str,
    seq: u64,
    recovered: bool,
    version: &'static str,
    build: &'static str,
    settings: &'a OverlaySettings,
    status: Vec<&'a PlatformStatus>,
    featured: Option<&'a Message>,
}

impl Room {
    /// Decides where a reader begins, and what it is told first.
    ///
    /// With a known `since` it goes on from there; otherwise it gets the newest `backlog` wanted events.
    pub async fn enter(&self, since: Option<&Since>, backlog: usize, filter: &Filter) -> Entrance {
        if let Some(since) = since.filter(|it| *it.epoch == *self.epoch) {
            let in_log = {
                let state = self.state();
                let ring = &state.ring;
                if (ring.floor()..=ring.head()).contains(&since.seq) {
                    return Entrance { position: since.seq, hello: self.hello(&state, true) };
                }
                since.seq < ring.floor()
            };
            // The ring went past it: the log may still have it.
            if in_log && self.parts.log.read(&self.id, &since.epoch, since.seq, 1).await.is_some() {
                return Entrance { position: since.seq, hello: self.hello(&self.state(), true) };
            }
        }
        let state = self.state();
        let position = state.ring.backlog_start(backlog, filter);
        Entrance { position, hello: self.hello(&state, false) }
    }

    fn hello(&self, state: &State, recovered: bool) -> Frame {
        let hello = Hello {
            v: 1,
            kind: "hello",
            room: &self.id,
            epoch: &self.epoch,
            seq: state.ring.head(),
            recovered,
            version: crate::VERSION,
            build: crate::BUILD,
            settings: &state.settings,
            status: state.statuses.values().collect(),
            featured: state.featured.as_deref(),
        };
        Frame::text(&serde_json::to_vec(&hello).expect("plain values always serialise"))
    }

    /// The unsequenced frame that tells a filtered reader how far it has come.
    #[must_use]
    pub fn position_frame(&self, position: u64) -> Frame {
        let epoch = &self.epoch;
        let json = format!(
            r#"{{"v":1,"type":"position","room":"{}","epoch":"{epoch}","seq":{position}}}"#,
            self.id
        );
        Frame::text(json.as_bytes())
    }

    /// The wanted events behind `after`, up to `until` when given, and up to about `most_bytes`.
    #[must_use]
    pub fn collect(
        &self,
        after: u64,
        until: Option<u64>,
        filter: &Filter,
        most_bytes: usize,
    ) -> Collected {
        let state = self.state();
        if after < state.ring.floor() {
            return Collected::Gone;
        }
        let until = until.unwrap_or(u64::MAX);
        let mut batch = BatchBuilder::default();
        let mut position = after;
        for entry in state.ring.behind(after).take_while(|it| it.seq <= until) {
            if filter.wants(entry.kind, entry.platform) {
                if batch.len() > 0 && batch.len() + entry.frame.wire().len() > most_bytes {
                    break;
                }
                batch.push(entry.seq, &entry.frame);
            }
            position = entry.seq;
        }
        if position == after {
            Collected::Nothing
        } else {
            Collected::Batch(batch.finish(after, position))
        }
    }

    /// Early copies of the deletions behind `after`, and how far that looked: for a reader that is
    /// behind, so that what must vanish does not wait for what came before it.
    #[must_use]
    pub fn early_deletions(&self, after: u64, filter: &Filter) -> (Vec<Frame>, u64) {
        let state = self.state();
        let early =
            state.ring.behind(after.max(state.ring.floor())).filter_map(|it| match &it.about {
                About::Deletion { early } if filter.wants(it.kind, it.platform) => {
                    Some(early.clone())
                }
                _ => None,
            });
        (early.collect(), state.ring.head())
    }

    /// The wanted events behind `after` in a range of time, at most `limit`: their JSON, and the place of
    /// the last when there may be more.
    #[must_use]
    pub fn page(
        &self,
        after: u64,
        limit: usize,
        filter: &Filter,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> (Vec<bytes::Bytes>, Option<u64>) {
        let state = self.state();
        let mut wanted = state
            .ring
            .behind(after.max(state.ring.floor()))
            .filter(|it| filter.wants(it.kind, it.platform))
            .filter(|it| from.is_none_or(|from| it.ts >= from) && to.is_none_or(|to| it.ts < to));
        let mut last = None;
        let mut events = Vec::new();
        for entry in wanted.by_ref().take(limit) {
            events.push(entry.frame.json());
            last = Some(entry.seq);
        }
        let more = wanted.next().is_some();
        (events, last.filter(|_| more))
    }
}
