//! Pilled.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Ingest, PlatformWorker, WorkerError, readers::Shared};
use crate::config::{Config, creators::ChannelConfig};

/// What all workers of this platform share.
pub struct Pilled {
    #[allow(dead_code)]
    shared: Shared,
}

impl Pilled {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        Self { shared }
    }
}

/// Everything a worker is started with; another plan means another worker.
#[derive(Debug, Clone, PartialEq)]
pub struct PilledPlan {
    /// The channel in its one spelling.
    pub channel: Arc<str>,
}

impl PilledPlan {
    /// How `channel` is read; `None` while the platform is switched off.
    #[must_use]
    pub fn new(config: &Config, channel: &ChannelConfig) -> Option<Self> {
        config.platforms.pilled.enabled.then(|| Self { channel: channel.name.as_str().into() })
    }
}

/// Reads one channel until it is lost.
pub struct PilledWorker {
    #[allow(dead_code)]
    shared: Arc<Pilled>,
    #[allow(dead_code)]
    plan: PilledPlan,
}

impl PilledWorker {
    /// For one attempt.
    #[must_use]
    pub fn new(shared: Arc<Pilled>, plan: PilledPlan) -> Self {
        Self { shared, plan }
    }
}

impl PlatformWorker for PilledWorker {
    async fn run(self, _ingest: &mut Ingest, _stop: &CancellationToken) -> Result<(), WorkerError> {
        Err(WorkerError::permanent("not read yet"))
    }
}
