//! Tells rooms how their boards are: at once, then at most every quarter of a second a board, with the newest of each.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Boards, board::Board, lock};
use crate::{
    chat::{Hub, room::Arrival},
    model::{CreatorId, EventBody, Timestamp},
    storage::Kind,
};

/// Least time between two tellings of one board; also how often it is looked whether time alone changed one.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// Most votes that are forgotten at a time (count): whoever has one to keep does not wait for more.
const FORGET_AT_ONCE: usize = 1_000;

/// When boards were told last, as far as that matters still, and what waits.
#[derive(Default)]
struct Told {
    at: HashMap<(CreatorId, Board), Instant>,
    waiting: HashSet<(CreatorId, Board)>,
}

impl Boards {
    /// Tells rooms of their boards, closes polls in time and ends periods, until `stop`.
    pub async fn run(self, hub: Arc<Hub>, stop: CancellationToken) {
        let mut told = Told::default();
        let mut tick = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep_until(tick) => {}
                () = self.0.changed.notified() => {}
            }
            let at = Instant::now();
            if at >= tick {
                tick = at + TELL_EVERY;
                self.advance_all(Timestamp::now());
            }
            self.tell(&hub, &mut told, at);
            while self.forget_some() && !stop.is_cancelled() {
                tokio::task::yield_now().await;
            }
        }
        // What nobody was told yet: it is in the log for those who come later.
        told.at.clear();
        self.tell(&hub, &mut told, Instant::now());
    }

    /// Brings every room to the time it is.
    pub(super) fn advance_all(&self, now: Timestamp) {
        for room in self.list_rooms() {
            let mut room = lock(&room);
            if room.is_due(now) {
                room.advance(now);
                self.settle(&mut room);
            }
        }
    }

    fn tell(&self, hub: &Hub, told: &mut Told, at: Instant) {
        let rooms =
            std::mem::take(&mut *self.0.news.lock().unwrap_or_else(PoisonError::into_inner));
        for id in rooms {
            let Some(room) = self.find(&id) else { continue };
            let (news, gone) = {
                let mut room = lock(&room);
                room.is_waiting = false;
                (std::mem::take(&mut room.news), std::mem::take(&mut room.gone))
            };
            told.waiting.extend(news.into_iter().map(|it| (id.clone(), it)));
            gone.iter().for_each(|it| publish(hub, &id, it));
        }
        told.at.retain(|_, last| at.duration_since(*last) < TELL_EVERY);
        let due: Vec<_> =
            told.waiting.iter().filter(|it| !told.at.contains_key(*it)).cloned().collect();
        for key in due {
            told.waiting.remove(&key);
            let Some(room) = self.find(&key.0) else { continue };
            let body = lock(&room).take_news(&key.1);
            if let Some(body) = body {
                publish(hub, &key.0, &body);
                told.at.insert(key, at);
            }
        }
    }

    /// Removes some of what nobody needs any more; answers whether there is more.
    fn forget_some(&self) -> bool {
        let Some(start) = self.0.leftovers().pop() else { return false };
        if self.0.state.remove_beginning(Kind::Votes, &start, FORGET_AT_ONCE) > 0 {
            self.0.leftovers().push(start);
        }
        true
    }
}

/// A room that is not open is told when it opens.
fn publish(hub: &Hub, id: &CreatorId, body: &EventBody) {
    if let Some(room) = hub.find_room(id.as_str()) {
        room.publish(body, &Arrival::now());
    }
}
