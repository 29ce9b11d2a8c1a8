//! All rooms, by name.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::room::{Room, RoomParts};
use crate::model::{CreatorId, OverlaySettings};

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
    pub fn open_room(&self, id: &CreatorId, settings: OverlaySettings) -> Arc<Room> {
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        let room = rooms
            .entry(id.clone())
            .or_insert_with(|| Arc::new(Room::new(id.clone(), settings, self.parts.clone())));
        let room = Arc::clone(room);
        self.parts.telemetry.meters.rooms.set(rooms.len() as f64);
        room
    }

    /// Takes a room out, and closes it: its readers are told within seconds.
    pub fn close_room(&self, id: &CreatorId) -> Option<Arc<Room>> {
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        let room = rooms.remove(id).inspect(|it| it.close());
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
