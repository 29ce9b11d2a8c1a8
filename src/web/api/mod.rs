//! The JSON interface.

pub mod backup;
pub mod beacon;
pub mod events;
pub mod messages;
pub mod operations;
pub mod rooms;
pub mod schemas;
pub mod sessions;
pub mod synthetic;
