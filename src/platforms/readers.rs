//! What the workers of each platform share, and how one is started.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    Emotes, Ingest, Memory, PlatformWorker, backoff::Backoff, gate::Gate, kick, pilled, plan::Plan,
    rumble, supervise::supervise, twitch, youtube,
};
use crate::{
    config::platforms::BackoffConfig, http::Clients, lifecycle::Lifecycle, model::Platform,
    quotas::Quotas, telemetry::Telemetry,
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
    /// Emotes of other providers.
    pub emotes: Emotes,
    /// Most workers of one platform that begin within a second (count).
    pub starts_per_second: u32,
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
    /// By platform. Twitch has none: its connections and joins have a pace of their own.
    gates: HashMap<Platform, Gate>,
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
            gates: [Platform::Youtube, Platform::Kick, Platform::Rumble, Platform::Pilled]
                .map(|it| (it, Gate::new(shared.starts_per_second)))
                .into(),
            shared,
        }
    }

    /// What all workers share.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// What the workers of Rumble share: sending goes through their browser.
    #[must_use]
    pub fn rumble(&self) -> Arc<rumble::Rumble> {
        Arc::clone(&self.rumble)
    }

    /// What the workers of Kick share: webhooks come by the web server.
    #[must_use]
    pub fn kick(&self) -> Arc<kick::Kick> {
        Arc::clone(&self.kick)
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
                let clients = Arc::clone(&self.shared.clients);
                let connect = move || {
                    twitch::TwitchWorker::new(
                        Arc::clone(&pool),
                        Arc::clone(&clients),
                        (*plan).clone(),
                    )
                };
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
                let track = shared.track(&plan);
                let connect = move || {
                    kick::KickWorker::new(Arc::clone(&shared), plan.clone(), Arc::clone(&track))
                };
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
        let gate = self.gates.get(&ingest.source().platform).cloned();
        self.shared.life.spawn(supervise(connect, ingest, backoff, gate, telemetry, stop))
    }

    /// Lets go of what no worker uses any more.
    pub(super) fn sweep(&self) {
        self.twitch.sweep();
    }
}
