//! `GET /ws/{room}`: the feed over WebSockets.
//!
//! The server side of RFC 6455 is ours, because an event is encoded once for all sockets of a room and
//! written straight to the sockets, without a task, a queue or a buffer per socket.

pub mod close;
pub mod heartbeat;
pub mod reader;
pub mod socket;
pub mod upgrade;

pub use close::CloseCode;
pub use heartbeat::Heartbeat;
pub use socket::Socket;
