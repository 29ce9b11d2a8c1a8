//! The JSON interface.

pub mod events;
pub mod operations;
pub mod rooms;
pub mod schemas;
pub mod synthetic;
