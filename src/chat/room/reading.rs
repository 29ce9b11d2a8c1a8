//! How a room is read: where a reader begins, and what it gets next.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Room, State, stream::Greeting};
use crate::{
    chat::{
        boards::{Snapshots, Wanted},
        frame::Frame,
        ring::About,
        shard::{Batch, BatchBuilder},
    },
    feed::{Filter, Page, ReadError, Span, Stored},
    model::{CreatorId, Message, OverlaySettings, PlatformStatus},
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
    boards: Wanted<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<&'a RawValue>,
    session: Option<Greeting<'a>>,
}

impl Room {
    /// Decides where a reader begins, and what it is told first.
    ///
    /// With a known `since` it goes on from there; otherwise it gets the newest `backlog` wanted events.
    pub async fn enter(&self, since: Option<&Since>, backlog: usize, filter: &Filter) -> Entrance {
        // Logged where it fails; a reader without it is better than none.
        let _ = self.recall_stage().await;
        {
            let state = self.state();
            if let Some(position) = since.and_then(|it| self.find_place(&state, it)) {
                return Entrance { position, hello: self.hello(&state, true, filter) };
            }
        }
        let (mut position, found, floor) = {
            let state = self.state();
            let (start, found) = state.ring.backlog_start(backlog, filter);
            (start, found, state.ring.floor())
        };
        // After a restart the ring is young: what is older is in the log.
        let older = floor > self.log.floor() && self.log.reaches(floor);
        if found < backlog && self.log.is_kept() && older {
            self.log.settled().await;
            let older = self.log.backlog_start(floor + 1, backlog - found, filter).await;
            // The log may be out of reach: the ring's part is better than nothing.
            if let Ok(start) = older
                && start < floor
            {
                position = start;
            }
        }
        Entrance { position, hello: self.hello(&self.state(), false, filter) }
    }

    /// Where a client goes on; `None` when what it has is not a part of what is here.
    fn find_place(&self, state: &State, since: &Since) -> Option<u64> {
        let ring = &state.ring;
        let place = if *since.epoch == *self.epoch {
            since.seq
        } else {
            self.log.find_place(&since.epoch, since.seq)?
        };
        // Where the ring has gone on, the log has to reach it: what cannot be caught up is begun anew.
        let in_log = || self.log.holds(place) && self.log.reaches(ring.floor());
        (place <= ring.head() && (place >= ring.floor() || in_log())).then_some(place)
    }

    fn hello(&self, state: &State, recovered: bool, filter: &Filter) -> Frame {
        let featured = state.featured.as_deref();
        let featured = featured.filter(|it| filter.wants("feature.show", Some(it.platform)));
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
            featured,
            boards: state.boards.wanted(filter),
            queue: filter.wants("queue.update", None).then(|| state.queue.json()),
            session: state.stream.greeting(),
        };
        Frame::text(&serde_json::to_vec(&hello).expect("plain values always serialise"))
    }

    /// The room's polls, tallies and scoreboards, as a reader who comes now is told.
    #[must_use]
    pub fn board_snapshots(&self) -> Snapshots {
        self.state().boards.snapshots()
    }

    /// Another number whenever one of those changed.
    #[must_use]
    pub fn boards_revision(&self) -> u64 {
        self.state().boards.changes()
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

    /// Some of the events of a span, from the ring as far as it goes.
    #[must_use]
    pub fn recent(&self, span: &Span) -> Page {
        let state = self.state();
        let wanted = |it: &&std::sync::Arc<crate::chat::ring::Entry>| {
            it.seq < span.before
                && span.filter.wants(it.kind, it.platform)
                && span.from.is_none_or(|from| it.ts >= from)
                && span.to.is_none_or(|to| it.ts < to)
        };
        let all = state.ring.behind(span.after.max(state.ring.floor()));
        let found: Vec<_> = if span.newest {
            let mut found: Vec<_> =
                all.rev().filter(wanted).take(span.most_events.saturating_add(1)).collect();
            found.reverse();
            found
        } else {
            all.filter(wanted).take(span.most_events.saturating_add(1)).collect()
        };
        let more = found.len() > span.most_events;
        let kept = match (more, span.newest) {
            (false, _) => &found[..],
            (true, true) => &found[1..],
            (true, false) => &found[..span.most_events],
        };
        let edge = if span.newest { kept.first() } else { kept.last() };
        Page {
            reached: edge.map_or(span.after, |it| it.seq),
            events: kept
                .iter()
                .map(|it| Stored { seq: it.seq, epoch: self.epoch.clone(), json: it.frame.json() })
                .collect(),
            more,
            floor: state.ring.floor(),
        }
    }

    /// Some of the events of a span, however old.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn history(&self, span: Span) -> Result<Page, ReadError> {
        let in_ring = !span.newest && span.after >= self.state().ring.floor();
        if in_ring || !self.log.is_kept() {
            return Ok(self.recent(&span));
        }
        self.log.settled().await;
        self.log.page(span).await
    }
}
