//! StreamSuites: one ordered feed per creator, from many chats to many screens.
//!
//! The modules stand in the order of the list below, and a module uses only modules above it; a test
//! holds this list to the truth. `ARCHITECTURE.md` tells the same as a story.

pub mod model;
pub mod telemetry;
pub mod lifecycle;
pub mod config;
pub mod http;
pub mod storage;
pub mod feed;
pub mod quotas;
pub mod accounts;
pub mod platforms;
pub mod jobs;
pub mod chat;
pub mod boards;
pub mod triggers;
pub mod exports;
pub mod web;
pub mod app;
pub mod cli;

/// Semantic version, from `Cargo.toml`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Build, `YYYY.MM.DD+NNN`, stamped by the build script.
pub const BUILD: &str = env!("STREAMSUITES_BUILD");
