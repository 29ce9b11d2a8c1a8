//! Up to a few hundred sockets of one room that want the same events: written to by one task, with
//! bytes encoded once.
//!
//! A delivery costs one write per socket and nothing else: no queue, no wake-up, no copy. A socket that
//! cannot take its bytes at once leaves the shard, follows the ring at its own pace, and comes back.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::{sync::Notify, time::Instant};

use super::{
    frame::Frame,
    room::{Collected, Room},
};
use crate::feed::Filter;

/// Most outlets of one shard. More shards use more cores; fewer make fewer wake-ups.
pub const MOST_OUTLETS: usize = 256;
/// Most bytes written to a socket in one go while it keeps up.
const BATCH_BYTES: usize = 256 * 1024;
/// Least time between two `position` frames of a filtered shard.
const POSITION_EVERY: Duration = Duration::from_secs(5);

/// Frames that leave together.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The frames, one behind the other.
    pub bytes: Bytes,
    /// The place of each frame's event, and where the frame ends in `bytes`.
    pub ends: Vec<(u64, usize)>,
    /// The place before the first of them.
    pub from: u64,
    /// The place reached, events that were not wanted included.
    pub position: u64,
}

impl Batch {
    /// What is left when only the first `written` bytes left: the rest of a frame that was cut, and the
    /// place reached once that rest is out.
    #[must_use]
    pub fn remainder(&self, written: usize) -> (Bytes, u64) {
        let mut start = 0;
        let mut position = self.from;
        for &(seq, end) in &self.ends {
            if written == start {
                return (Bytes::new(), position);
            }
            if written < end {
                // Copied, so that one slow socket does not keep the whole batch in memory.
                return (Bytes::copy_from_slice(&self.bytes[written..end]), seq);
            }
            (start, position) = (end, seq);
        }
        // A frame of no event (`position`), cut or not begun.
        let rest = if written == 0 { Bytes::new() } else { self.bytes.slice(written..) };
        (rest, if self.ends.is_empty() && written == 0 { self.from } else { self.position })
    }
}

/// What became of a batch at one outlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// All of it left.
    Whole,
    /// The outlet is gone, or goes on at its own pace; either way it leaves the shard.
    Left,
}

/// Where a shard's bytes go: a socket.
pub trait Outlet: Send + Sync {
    /// Writes `batch` without waiting. What cannot be written now is the outlet's own to catch up on.
    fn send(self: Arc<Self>, batch: &Batch) -> Sent;

    /// The ring went past `position` before this could be written: catch up from there.
    fn fall_behind(self: Arc<Self>, position: u64);

    /// Whether nothing will be written any more.
    fn is_gone(&self) -> bool;
}

/// Outlets of one room with one filter.
pub struct Shard {
    /// What its outlets want.
    pub filter: Filter,
    /// Outlets in it or on the way to it; changed under the room's lock only.
    pub(super) seats: AtomicU64,
    /// The last place written, for the room's measure of pressure.
    pub(super) written: AtomicU64,
    members: Mutex<Members>,
    wake: Notify,
    moved: Notify,
}

struct Members {
    outlets: Vec<Arc<dyn Outlet>>,
    position: u64,
    last_frame: Instant,
    closed: bool,
}

/// What became of an outlet that wants to sit down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is written to from now on.
    Seated,
    /// The shard is at this other place.
    At(u64),
    /// The shard is closed, or the outlet gone.
    Closed,
}

impl Shard {
    /// Empty, at `position`.
    #[must_use]
    pub fn new(filter: Filter, position: u64) -> Self {
        Self {
            filter,
            seats: AtomicU64::new(0),
            written: AtomicU64::new(position),
            members: Mutex::new(Members {
                outlets: Vec::new(),
                position,
                last_frame: Instant::now(),
                closed: false,
            }),
            wake: Notify::new(),
            moved: Notify::new(),
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the writer that the room has more.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends the writer, and lets go of everybody: an outlet knows its shard, so that a shard which kept
    /// an outlet would keep both for ever.
    pub(super) fn close(&self) {
        let mut members = self.members();
        members.closed = true;
        members.outlets = Vec::new();
        drop(members);
        self.wake.notify_one();
        self.moved.notify_waiters();
    }

    fn is_closed(&self) -> bool {
        self.members().closed
    }

    /// The last place written or being written.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.members().position
    }

    /// Waits until the shard has reached `position`.
    pub async fn reached(&self, position: u64) {
        loop {
            let moved = self.moved.notified();
            if self.position() >= position || self.is_closed() {
                return;
            }
            moved.await;
        }
    }

    /// Waits until everybody seated here has been written everything up to `position`.
    pub(super) async fn settled(&self, position: u64) {
        loop {
            let moved = self.moved.notified();
            let everybody = self.seats.load(Ordering::Relaxed);
            let written = self.written.load(Ordering::Acquire) >= position;
            if self.is_closed() || (written && self.members().outlets.len() as u64 >= everybody) {
                return;
            }
            moved.await;
        }
    }

    /// Takes in an outlet that has had everything up to `position`.
    pub fn admit(&self, outlet: Arc<dyn Outlet>, position: u64) -> Admission {
        let mut members = self.members();
        if members.closed || outlet.is_gone() {
            return Admission::Closed;
        }
        if members.position != position {
            return Admission::At(members.position);
        }
        members.outlets.push(outlet);
        drop(members);
        self.moved.notify_waiters();
        Admission::Seated
    }

    /// Forgets outlets that are gone.
    pub fn sweep(&self) {
        self.members().outlets.retain(|it| !it.is_gone());
    }

    /// Writes whatever the room has, until the shard is closed.
    pub(super) async fn write(self: Arc<Self>, room: Arc<Room>) {
        loop {
            self.wake.notified().await;
            // One round of the scheduler: what arrives together is collected and leaves together.
            tokio::task::yield_now().await;
            loop {
                if self.is_closed() {
                    return;
                }
                let position = self.position();
                match room.collect(position, None, &self.filter, BATCH_BYTES) {
                    Collected::Nothing => break,
                    Collected::Batch(batch) => self.flush(&room, batch),
                    Collected::Gone => self.give_up(position, room.head()),
                }
                room.relieve();
                tokio::task::yield_now().await;
            }
        }
    }

    fn flush(&self, room: &Room, mut batch: Batch) {
        let outlets = {
            let mut members = self.members();
            members.position = batch.position;
            if batch.bytes.is_empty() {
                if members.last_frame.elapsed() < POSITION_EVERY {
                    drop(members);
                    self.written.store(batch.position, Ordering::Release);
                    self.moved.notify_waiters();
                    return;
                }
                batch.bytes = room.position_frame(batch.position).wire().clone();
            }
            members.last_frame = Instant::now();
            // Taken out, so that joining and leaving never wait for the writes.
            std::mem::take(&mut members.outlets)
        };
        self.moved.notify_waiters();
        let mut kept = outlets;
        kept.retain(|it| Arc::clone(it).send(&batch) == Sent::Whole);
        let mut members = self.members();
        if !members.closed {
            // Whoever left meanwhile found nobody to take out.
            kept.retain(|it| !it.is_gone());
            kept.append(&mut members.outlets);
            members.outlets = kept;
        }
        drop(members);
        self.written.store(batch.position, Ordering::Release);
        self.moved.notify_waiters();
    }

    /// The ring went past the writer: everybody catches up alone.
    fn give_up(&self, position: u64, head: u64) {
        let outlets = {
            let mut members = self.members();
            members.position = head;
            std::mem::take(&mut members.outlets)
        };
        self.written.store(head, Ordering::Release);
        self.moved.notify_waiters();
        for outlet in outlets {
            outlet.fall_behind(position);
        }
    }
}

/// Puts frames one behind the other; a single one is shared, not copied.
#[derive(Debug, Default)]
pub(super) struct BatchBuilder {
    first: Option<Bytes>,
    joined: BytesMut,
    ends: Vec<(u64, usize)>,
}

impl BatchBuilder {
    pub(super) fn push(&mut self, seq: u64, frame: &Frame) {
        let wire = frame.wire();
        match self.first.take() {
            None if self.joined.is_empty() => self.first = Some(wire.clone()),
            None => self.joined.extend_from_slice(wire),
            Some(first) => {
                self.joined.reserve((first.len() + wire.len()) * 2);
                self.joined.extend_from_slice(&first);
                self.joined.extend_from_slice(wire);
            }
        }
        self.ends.push((seq, self.len()));
    }

    pub(super) fn len(&self) -> usize {
        self.first.as_ref().map_or(self.joined.len(), Bytes::len)
    }

    pub(super) fn finish(self, from: u64, position: u64) -> Batch {
        let bytes = self.first.unwrap_or_else(|| self.joined.freeze());
        Batch { bytes, ends: self.ends, from, position }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use super::*;
    use crate::{
        chat::room::{Arrival, RoomParts, Seat},
        feed::{FeedLog, RoomLog},
        lifecycle::Lifecycle,
        model::{EventBody, OverlaySettings, Platform, RoomState, SessionStart},
        platforms::Demand,
        telemetry::Telemetry,
    };

    /// Keeps what it is sent.
    #[derive(Default)]
    struct Kept(Mutex<Vec<Batch>>);

    impl Outlet for Kept {
        fn send(self: Arc<Self>, batch: &Batch) -> Sent {
            self.0.lock().unwrap().push(batch.clone());
            Sent::Whole
        }

        fn fall_behind(self: Arc<Self>, _: u64) {}

        fn is_gone(&self) -> bool {
            false
        }
    }

    fn room(ring_events: usize) -> Arc<Room> {
        let parts = RoomParts {
            life: Lifecycle::new(),
            telemetry: Telemetry::new(),
            log: FeedLog::none(),
            demand: Arc::new(Demand::default()),
            ring_events,
            dedupe_ids: 64,
            idle_minutes: 30,
        };
        let id = "ana".parse().unwrap();
        Arc::new(Room::new(id, OverlaySettings::default(), RoomLog::none(), parts))
    }

    fn say(room: &Room) {
        let state = RoomState {
            platform: Platform::Twitch,
            slow_seconds: room.head(),
            followers_only_minutes: None,
            subscribers_only: false,
            emote_only: false,
            unique_chat: false,
        };
        room.publish(&EventBody::RoomState(state), &Arrival::now());
    }

    fn sit(room: &Arc<Room>, filter: &Filter) -> (Seat, Arc<Kept>) {
        let seat = room.seat(filter);
        let kept = Arc::new(Kept::default());
        let admitted = seat.shard.admit(Arc::clone(&kept) as Arc<dyn Outlet>, room.head());
        assert_eq!(admitted, Admission::Seated);
        (seat, kept)
    }

    async fn settle(room: &Room) {
        room.settled(Duration::from_secs(1)).await;
    }

    #[tokio::test]
    async fn what_came_together_leaves_together() {
        let room = room(64);
        let (_seat, kept) = sit(&room, &Filter::default());
        say(&room);
        say(&room);
        say(&room);
        settle(&room).await;
        let batches = kept.0.lock().unwrap();
        assert_eq!(batches.len(), 1);
        assert_eq!(batches[0].ends.iter().map(|it| it.0).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_filtered_reader_hears_of_its_place_at_most_every_five_seconds() {
        let room = room(64);
        let (_seat, kept) = sit(&room, &Filter::parse(Some("session"), None).unwrap());
        for _ in 0..12 {
            say(&room);
            settle(&room).await;
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let positions: Vec<_> = kept.0.lock().unwrap().iter().map(|it| it.position).collect();
        assert_eq!(positions, [6, 11]);
        let start = SessionStart { session_id: "a".to_owned(), title: None };
        room.publish(&EventBody::SessionStart(start), &Arrival::now());
        settle(&room).await;
        assert_eq!(kept.0.lock().unwrap().last().unwrap().ends[0].0, 13);
    }

    #[tokio::test]
    async fn a_source_that_waits_goes_on_when_the_reader_it_waits_for_leaves() {
        let room = room(64);
        let (seat, _kept) = sit(&room, &Filter::default());
        // Nothing was awaited: the writer has had no turn.
        (0..40).for_each(|_| say(&room));
        assert!(room.is_pressed());
        let waiting = room.relieved();
        let mut waiting = std::pin::pin!(waiting);
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(seat);
        assert!(futures_util::poll!(&mut waiting).is_ready());
    }

    #[tokio::test]
    async fn a_shard_that_closes_lets_go_of_its_outlets_and_admits_no_more() {
        let room = room(64);
        let (seat, kept) = sit(&room, &Filter::default());
        let shard = Arc::clone(&seat.shard);
        let weak: Weak<Kept> = Arc::downgrade(&kept);
        drop((seat, kept));
        assert!(weak.upgrade().is_none());
        let late = Arc::new(Kept::default());
        assert_eq!(shard.admit(late, room.head()), Admission::Closed);
        // Returns: nobody waits for a shard that is closed.
        shard.reached(u64::MAX).await;
    }

    #[test]
    fn a_cut_batch_goes_on_at_the_frame_that_was_cut() {
        let batch = Batch {
            bytes: Bytes::from_static(b"aaabbbcc"),
            ends: vec![(5, 3), (7, 6), (8, 8)],
            from: 4,
            position: 9,
        };
        assert_eq!(batch.remainder(0), (Bytes::new(), 4));
        assert_eq!(batch.remainder(1), (Bytes::from_static(b"aa"), 5));
        assert_eq!(batch.remainder(3), (Bytes::new(), 5));
        assert_eq!(batch.remainder(5), (Bytes::from_static(b"b"), 7));
        assert_eq!(batch.remainder(7), (Bytes::from_static(b"c"), 8));
    }
}
