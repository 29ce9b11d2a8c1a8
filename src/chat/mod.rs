//! From what a platform sent to what everybody sees: normalize, order, keep, hand out.

pub mod boards;
pub mod frame;
pub mod hub;
pub mod ingest;
pub mod moderation;
pub mod normalize;
pub mod ring;
pub mod room;
pub mod seen;
pub mod shard;

pub use hub::Hub;
pub use ingest::{Listener, Rooms};
pub use room::{Room, RoomParts, RoomSummary, Since};
