//! Who is in a room: its seats and watchers, and what it means for the sources when they are behind.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::timeout;

use super::{Closed, Room, State};
use crate::{
    chat::shard::{MOST_OUTLETS, Shard},
    feed::Filter,
};

impl Room {
    /// A seat in a shard whose outlets want the same.
    #[must_use]
    pub fn seat(self: &Arc<Self>, filter: &Filter) -> Seat {
        let mut state = self.state();
        let free = state.shards.iter().find(|it| {
            it.filter == *filter && it.seats.load(Ordering::Relaxed) < MOST_OUTLETS as u64
        });
        let shard = match free {
            Some(shard) => Arc::clone(shard),
            None => {
                let shard = Arc::new(Shard::new(filter.clone(), state.ring.head()));
                state.shards.push(Arc::clone(&shard));
                self.parts.life.spawn(Arc::clone(&shard).write(Arc::clone(self)));
                shard
            }
        };
        shard.seats.fetch_add(1, Ordering::Relaxed);
        Seat { watch: self.watch(&mut state), shard }
    }

    /// Nothing comes any more: readers are to be told.
    pub(in crate::chat) fn close(&self, why: Closed) {
        let why = match why {
            Closed::Gone => 1,
            Closed::Reopened => 2,
        };
        self.closed.store(why, Ordering::Release);
        self.head.send_modify(|_| {});
    }

    /// Why nothing comes any more, if so.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        match self.closed.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Closed::Gone),
            _ => Some(Closed::Reopened),
        }
    }

    /// Counts as a watcher for as long as it is kept.
    #[must_use]
    pub fn watching(self: &Arc<Self>) -> Watch {
        self.watch(&mut self.state())
    }

    /// Waits until somebody is watching.
    pub async fn watched(&self) {
        // Fails only when the room is gone, and then nobody asks.
        let _ = self.watchers.subscribe().wait_for(|it| *it > 0).await;
    }

    fn watch(self: &Arc<Self>, _ordered: &mut State) -> Watch {
        self.watchers.send_modify(|it| *it += 1);
        self.parts.demand.add_watcher(&self.id);
        Watch { room: Arc::clone(self) }
    }

    /// Whether the audience is so far behind that sources should wait; see [`Room::relieved`].
    #[must_use]
    pub fn is_pressed(&self) -> bool {
        let state = self.state();
        let slowest = state.shards.iter().map(|it| it.written.load(Ordering::Acquire)).min();
        slowest.is_some_and(|it| state.ring.is_pressed(it))
    }

    /// Waits until the audience has caught up with half of what the ring can hold. A socket that cannot
    /// take its bytes does not count: only the writers' own pace can hold a source back.
    pub async fn relieved(&self) {
        loop {
            let relieved = self.relieved.notified();
            if !self.is_pressed() {
                return;
            }
            relieved.await;
        }
    }

    /// Waits until every socket has been written everything there is now, at most `patience`: one that
    /// does not read is not waited for any longer.
    pub async fn settled(&self, patience: Duration) {
        let (head, shards) = {
            let state = self.state();
            (state.ring.head(), state.shards.clone())
        };
        let everybody = async {
            for shard in shards {
                shard.settled(head).await;
            }
        };
        // Late or not, it is time to go on.
        let _ = timeout(patience, everybody).await;
    }

    pub(in crate::chat) fn relieve(&self) {
        self.relieved.notify_waiters();
    }
}

/// A reader of a room that is counted as watching.
pub struct Watch {
    room: Arc<Room>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let room = &self.room;
        // Under the lock, so that two changes reach the listeners in the order they happened.
        let _ordered = room.state();
        room.watchers.send_modify(|it| *it -= 1);
        room.parts.demand.remove_watcher(&room.id);
    }
}

/// A socket's place in the audience, given back when dropped.
pub struct Seat {
    watch: Watch,
    /// Where it sits.
    pub shard: Arc<Shard>,
}

impl Seat {
    /// The room it is in.
    #[must_use]
    pub fn room(&self) -> &Arc<Room> {
        &self.watch.room
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.watch.room.state();
        if self.shard.seats.fetch_sub(1, Ordering::Relaxed) == 1 {
            state.shards.retain(|it| !Arc::ptr_eq(it, &self.shard));
            self.shard.close();
            drop(state);
            // Whoever waited for this shard waits for nobody now.
            self.watch.room.relieve();
        }
    }
}
