//! All rooms, by name.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::room::{Closed, Room, RoomParts};
use crate::{
    feed::RoomLog,
    model::{CreatorId, OverlaySettings, Timestamp},
};

/// Every room of the server.
pub struct Hub {
    parts: RoomParts,
    rooms: RwLock<HashMap<CreatorId, Arc<Room>>>,
}

impl Hub {
    /// No rooms yet.
    #[must_use]
    pub fn new(parts: RoomParts) -> Self {
        Self { parts, rooms: RwLock::default() }
    }

    /// The room of that name, made when it is new. The settings of one that is there stay.
    ///
    /// `recorded` says whether a new one is kept in the log.
    pub fn open_room(
        &self,
        id: &CreatorId,
        settings: OverlaySettings,
        recorded: bool,
    ) -> Arc<Room> {
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        let room = rooms.entry(id.clone()).or_insert_with(|| self.new_room(id, settings, recorded));
        let room = Arc::clone(room);
        self.parts.telemetry.meters.rooms.set(rooms.len() as f64);
        room
    }

    fn new_room(&self, id: &CreatorId, settings: OverlaySettings, recorded: bool) -> Arc<Room> {
        let log = if recorded { self.parts.log.room(id) } else { RoomLog::none() };
        Arc::new(Room::new(id.clone(), settings, log, self.parts.clone()))
    }

    /// Puts a new room in the place of one that is there: its log is another now, or none. Readers come back
    /// at once, and workers go on in the new one.
    pub fn reopen_room(&self, id: &CreatorId, recorded: bool) {
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = rooms.get_mut(id) else { return };
        let room = self.new_room(id, (*slot.settings()).clone(), recorded);
        room.take_over(slot);
        std::mem::replace(slot, room).close(Closed::Reopened);
    }

    /// Does so with every room that is recorded.
    pub fn reopen_recorded(&self) {
        for room in self.list_rooms().iter().filter(|it| it.log().is_kept()) {
            self.reopen_room(room.id(), true);
        }
    }

    /// Ends the stream sessions in which nothing has happened for long enough.
    pub fn end_idle_sessions(&self, now: Timestamp) {
        for room in self.list_rooms() {
            room.end_idle_session(now);
        }
    }

    /// The log of all rooms.
    #[must_use]
    pub fn log(&self) -> &crate::feed::FeedLog {
        &self.parts.log
    }

    /// Takes a room out, and closes it: its readers are told within seconds.
    pub fn close_room(&self, id: &CreatorId) -> Option<Arc<Room>> {
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        let room = rooms.remove(id).inspect(|it| it.close(Closed::Gone));
        self.parts.telemetry.meters.rooms.set(rooms.len() as f64);
        room
    }

    /// The room of that name, whatever its case.
    #[must_use]
    pub fn find_room(&self, name: &str) -> Option<Arc<Room>> {
        let id: CreatorId = name.parse().ok()?;
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// All rooms, by name.
    #[must_use]
    pub fn list_rooms(&self) -> Vec<Arc<Room>> {
        let rooms = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        let mut rooms: Vec<_> = rooms.values().cloned().collect();
        rooms.sort_by(|a, b| a.id().cmp(b.id()));
        rooms
    }
}
