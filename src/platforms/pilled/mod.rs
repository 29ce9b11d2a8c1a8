//! Pilled: whether a channel is live is public, what is said in its chat is not.
//!
//! So the worker watches the one and says plainly that it does not read the other. The chat's socket
//! (Socket.IO) can be opened as an experiment: what comes is counted, kept in a bounded ring for whoever
//! debugs, and never shown, because a guess at its meaning would be an invention.

mod api;
mod experiment;
mod socket_io;
mod worker;

use std::sync::Arc;

use super::readers::Shared;
use crate::{
    config::{Config, creators::ChannelConfig, platforms::PilledConfig},
    http::Way,
};

use self::{api::Streamers, experiment::Ring};

pub use self::worker::PilledWorker;

/// What all workers of this platform share.
pub struct Pilled {
    shared: Shared,
    /// Who is live, asked for once for everybody.
    streamers: Streamers,
    ring: Ring,
}

impl Pilled {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        Self { shared, streamers: Streamers::default(), ring: Ring::default() }
    }
}

/// Everything a worker is started with; another plan means another worker.
#[derive(Debug, Clone, PartialEq)]
pub struct PilledPlan {
    /// The channel in its one spelling.
    pub channel: Arc<str>,
    /// How Pilled is reached.
    pub config: PilledConfig,
    /// The way out.
    pub way: Way,
}

impl PilledPlan {
    /// How `channel` is read; `None` while the platform is switched off.
    #[must_use]
    pub fn new(config: &Config, channel: &ChannelConfig) -> Option<Self> {
        let pilled = &config.platforms.pilled;
        pilled.enabled.then(|| Self {
            channel: channel.name.as_str().into(),
            config: pilled.clone(),
            way: Way { ca_file: config.platforms.tls_ca_file.clone(), proxy: None },
        })
    }
}
