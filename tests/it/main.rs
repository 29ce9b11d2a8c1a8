//! The server from the outside: real sockets, a scripted Twitch, and the binary where a process matters.
//!
//! One test binary. Nothing here sleeps (but the outage that must last): every wait is for an event, with a deadline so generous that it only
//! passes when something is broken.

mod support;

mod account;
mod account_rooms;
mod admin;
mod account_commands;
mod architecture;
mod backup;
mod boards;
mod close_codes;
mod command_line;
mod emotes;
mod eventsub;
mod export_kills;
mod exports;
mod faults;
mod feed_log;
mod jobs;
mod keys;
mod kick;
mod kick_faults;
mod kick_official;
mod listeners;
mod looks;
mod mails;
mod merged;
mod moderating;
mod moderation;
mod moderators;
mod oauth;
mod oauth_accounts;
mod oauth_protocol;
mod outages;
mod pilled;
mod playback;
mod pronouns;
mod queue;
mod reload;
mod resume;
mod rooms;
mod routes;
mod sending;
mod sign_in;
mod rumble;
mod rumble_faults;
#[cfg(target_os = "linux")]
mod slow_reader;
mod thousand;
mod torn_lines;
mod triggers;
mod typed_channels;
mod writes;
mod youtube;
