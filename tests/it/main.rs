//! The server from the outside: real sockets, a scripted Twitch, and the binary where a process matters.
//!
//! One test binary. Nothing here sleeps (but the outage that must last): every wait is for an event, with a deadline so generous that it only
//! passes when something is broken.

mod support;

mod architecture;
mod close_codes;
mod command_line;
mod faults;
mod feed_log;
mod keys;
mod listeners;
mod moderation;
mod outages;
mod playback;
mod reload;
mod resume;
mod rooms;
mod rumble;
mod rumble_faults;
#[cfg(target_os = "linux")]
mod slow_reader;
mod torn_lines;
mod writes;
