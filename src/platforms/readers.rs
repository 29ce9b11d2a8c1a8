//! What the workers of each platform share, and how one is started.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    Ingest, Memory, PlatformWorker, backoff::Backoff, http::Clients, kick, pilled, plan::Plan,
    rumble, supervise::supervise, twitch, youtube,
};
use crate::{
    config::platforms::BackoffConfig, lifecycle::Lifecycle, quotas::Quotas, telemetry::Telemetry,
};

/// What is shared by all workers, whatever their platform. Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    /// Where tasks run.
    pub life: Lifecycle,
    /// Where failures are counted.
    pub telemetry: Telemetry,
    /// What was learnt before.
    pub memory: Memory,
    /// What may be spent.
    pub quotas: Quotas,
    /// The ways out over HTTP.
    pub clients: Arc<Clients>,
    /// Where a platform may keep files of its own.
    pub data_dir: PathBuf,
}

/// The platforms, as they are read.
pub struct Readers {
    shared: Shared,
    twitch: Arc<twitch::Pools>,
    youtube: Arc<youtube::Youtube>,
    kick: Arc<kick::Kick>,
    rumble: Arc<rumble::Rumble>,
    pilled: Arc<pilled::Pilled>,
}

impl Readers {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        Self {
            twitch: twitch::Pools::new(shared.life.clone(), shared.telemetry.clone()),
            youtube: Arc::new(youtube::Youtube::new(shared.clone())),
            kick: Arc::new(kick::Kick::new(shared.clone())),
            rumble: Arc::new(rumble::Rumble::new(shared.clone())),
            pilled: Arc::new(pilled::Pilled::new(shared.clone())),
            shared,
        }
    }

    /// Starts reading a channel as planned.
    pub(super) fn start(
        &self,
        plan: Plan,
        ingest: Ingest,
        backoff: &BackoffConfig,
        stop: CancellationToken,
    ) -> JoinHandle<()> {
        let backoff = Backoff::new(
            Duration::from_millis(u64::from(backoff.first_ms)),
            Duration::from_millis(u64::from(backoff.longest_ms)),
            Duration::from_millis(u64::from(backoff.stable_ms)),
        );
        match plan {
            Plan::Twitch(plan) => {
                let pool = self.twitch.pool(&plan);
                let connect = move || twitch::TwitchWorker::new(Arc::clone(&pool), plan.clone());
                self.supervise(connect, ingest, backoff, stop)
            }
            Plan::Youtube(plan) => {
                let shared = Arc::clone(&self.youtube);
                let connect =
                    move || youtube::YoutubeWorker::new(Arc::clone(&shared), plan.clone());
                self.supervise(connect, ingest, backoff, stop)
            }
            Plan::Kick(plan) => {
                let shared = Arc::clone(&self.kick);
                let connect = move || kick::KickWorker::new(Arc::clone(&shared), plan.clone());
                self.supervise(connect, ingest, backoff, stop)
            }
            Plan::Rumble(plan) => {
                let shared = Arc::clone(&self.rumble);
                let connect = move || rumble::RumbleWorker::new(Arc::clone(&shared), plan.clone());
                self.supervise(connect, ingest, backoff, stop)
            }
            Plan::Pilled(plan) => {
                let shared = Arc::clone(&self.pilled);
                let connect = move || pilled::PilledWorker::new(Arc::clone(&shared), plan.clone());
                self.supervise(connect, ingest, backoff, stop)
            }
        }
    }

    fn supervise<W: PlatformWorker + 'static>(
        &self,
        connect: impl Fn() -> W + Send + Sync + 'static,
        ingest: Ingest,
        backoff: Backoff,
        stop: CancellationToken,
    ) -> JoinHandle<()> {
        let telemetry = self.shared.telemetry.clone();
        self.shared.life.spawn(supervise(connect, ingest, backoff, telemetry, stop))
    }

    /// Lets go of what no worker uses any more.
    pub(super) fn sweep(&self) {
        self.twitch.sweep();
    }
}
