//! Kick.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Ingest, PlatformWorker, WorkerError, readers::Shared};
use crate::config::{Config, creators::ChannelConfig, creators::CreatorConfig};

/// What all workers of this platform share.
pub struct Kick {
    #[allow(dead_code)]
    shared: Shared,
}

impl Kick {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        Self { shared }
    }
}

/// Everything a worker is started with; another plan means another worker.
#[derive(Debug, Clone, PartialEq)]
pub struct KickPlan {
    /// The channel in its one spelling.
    pub channel: Arc<str>,
}

impl KickPlan {
    /// How `channel` is read; `None` while the platform is switched off.
    #[must_use]
    pub fn new(config: &Config, _creator: &CreatorConfig, channel: &ChannelConfig) -> Option<Self> {
        config.platforms.kick.enabled.then(|| Self { channel: channel.name.as_str().into() })
    }
}

/// What the platform sent.
#[derive(Debug)]
pub struct Happening;

/// Reads one channel until it is lost.
pub struct KickWorker {
    #[allow(dead_code)]
    shared: Arc<Kick>,
    #[allow(dead_code)]
    plan: KickPlan,
}

impl KickWorker {
    /// For one attempt.
    #[must_use]
    pub fn new(shared: Arc<Kick>, plan: KickPlan) -> Self {
        Self { shared, plan }
    }
}

impl PlatformWorker for KickWorker {
    async fn run(self, _ingest: &mut Ingest, _stop: &CancellationToken) -> Result<(), WorkerError> {
        Err(WorkerError::permanent("not read yet"))
    }
}
