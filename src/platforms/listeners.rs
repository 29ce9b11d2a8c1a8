//! Which channels are read now: those that somebody needs, and for a while those somebody needed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{Ingest, Readers, Sink, Source, plan::Plan};
use crate::{
    config::Config,
    lifecycle::Lifecycle,
    model::{CreatorId, Platform, PlatformState},
};

/// How many are watching each room, and who wants to know.
#[derive(Default)]
pub struct Demand {
    watchers: Mutex<HashMap<CreatorId, Watched>>,
    changed: Notify,
}

#[derive(Clone, Copy)]
struct Watched {
    count: usize,
    /// When the last one left.
    left: Option<Instant>,
}

impl Demand {
    /// Told by a room when somebody comes to watch.
    pub fn add_watcher(&self, creator: &CreatorId) {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = watchers.entry(creator.clone()).or_insert(Watched { count: 0, left: None });
        watched.count += 1;
        watched.left = None;
        let first = watched.count == 1;
        drop(watchers);
        if first {
            self.changed.notify_one();
        }
    }

    /// Told by a room when somebody leaves.
    pub fn remove_watcher(&self, creator: &CreatorId) {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watched) = watchers.get_mut(creator) else { return };
        watched.count = watched.count.saturating_sub(1);
        let last = watched.count == 0;
        if last {
            watched.left = Some(Instant::now());
        }
        drop(watchers);
        if last {
            self.changed.notify_one();
        }
    }

    /// Until when the creator's channels are needed: `None` when they are not, and
    /// `Some(None)` when there is no end in sight.
    fn needed_until(&self, creator: &CreatorId, grace: Duration) -> Option<Option<Instant>> {
        let watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = watchers.get(creator)?;
        match watched.left {
            None => Some(None),
            Some(left) => Some(Some(left + grace)).filter(|_| left.elapsed() < grace),
        }
    }
}

/// What identifies a worker: for whom, where, which channel.
type Key = (CreatorId, Platform, Arc<str>);

struct Running {
    plan: Plan,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Starts and stops the workers as configuration and audience demand.
pub struct Listeners {
    /// Where the tasks run.
    pub life: Lifecycle,
    /// The platforms.
    pub readers: Readers,
    /// Where events go.
    pub sink: Arc<dyn Sink>,
    /// Who is watching.
    pub demand: Arc<Demand>,
}

impl Listeners {
    /// Keeps the right workers running until the server stops.
    pub async fn run(self, mut config: watch::Receiver<Arc<Config>>) {
        let mut running: BTreeMap<Key, Running> = BTreeMap::new();
        let mut idle: BTreeMap<Key, (PlatformState, &'static str)> = BTreeMap::new();
        loop {
            let current = Arc::clone(&config.borrow_and_update());
            let next_check = self.reconcile(&current, &mut running, &mut idle).await;
            let wake = async {
                match next_check {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.life.stop.cancelled() => break,
                () = self.demand.changed.notified() => {}
                () = wake => {}
                changed = config.changed() => if changed.is_err() { break },
            }
        }
        for worker in running.values() {
            worker.stop.cancel();
        }
        for (_, worker) in running {
            // A worker that panicked has been reported by its supervisor.
            let _ = worker.task.await;
        }
    }

    /// Stops what is not needed, starts what is. Answers when to look again though nothing changes.
    async fn reconcile(
        &self,
        config: &Config,
        running: &mut BTreeMap<Key, Running>,
        told: &mut BTreeMap<Key, (PlatformState, &'static str)>,
    ) -> Option<Instant> {
        let grace = Duration::from_secs(u64::from(config.platforms.listener_grace_minutes) * 60);
        let mut next_check: Option<Instant> = None;
        let mut wanted: BTreeMap<Key, Plan> = BTreeMap::new();
        let mut idle: BTreeMap<Key, (PlatformState, &'static str)> = BTreeMap::new();

        for creator in config.creators.creators.iter().filter(|it| it.enabled) {
            let until = if creator.always_on {
                Some(None)
            } else {
                self.demand.needed_until(&creator.id, grace)
            };
            if let Some(Some(at)) = until {
                next_check = Some(next_check.map_or(at, |it| it.min(at)));
            }
            for channel in &creator.channels {
                let key = (creator.id.clone(), channel.platform, Arc::from(channel.name.as_str()));
                if !channel.enabled {
                    idle.insert(key, (PlatformState::Paused, "switched off"));
                } else if let Some(plan) = Plan::new(config, creator, channel) {
                    match until {
                        Some(_) => {
                            wanted.insert(key, plan);
                        }
                        None => {
                            idle.insert(key, (PlatformState::Offline, "nobody is watching"));
                        }
                    }
                } else {
                    idle.insert(key, (PlatformState::Paused, "the platform is switched off"));
                }
            }
        }

        let outdated: Vec<Key> = running
            .iter()
            .filter(|(key, worker)| wanted.get(*key) != Some(&worker.plan))
            .map(|(key, _)| key.clone())
            .collect();
        // All are told before any is waited for.
        let ending: Vec<_> =
            outdated.into_iter().filter_map(|key| running.remove_entry(&key)).collect();
        for (_, worker) in &ending {
            worker.stop.cancel();
        }
        for (key, worker) in ending {
            {
                // Reported by its supervisor.
                let _ = worker.task.await;
                tracing::info!(creator.id = %key.0, platform = %key.1, channel = %key.2, "the channel is no longer read");
            }
        }
        for (key, &(state, detail)) in &idle {
            if told.get(key) != Some(&(state, detail))
                && let Some(mut ingest) = self.ingest(key)
            {
                ingest.status(state, detail);
            }
        }
        *told = idle;
        for (key, plan) in wanted {
            if running.contains_key(&key) {
                continue;
            }
            let stop = self.life.stop.child_token();
            // Its room is gone: the configuration without it is on its way.
            let Some(ingest) = self.ingest(&key) else { continue };
            let task =
                self.readers.start(plan.clone(), ingest, &config.platforms.backoff, stop.clone());
            running.insert(key, Running { plan, stop, task });
        }
        self.readers.sweep();
        next_check
    }

    fn ingest(&self, (creator, platform, channel): &Key) -> Option<Ingest> {
        let source = Source {
            creator: creator.clone(),
            platform: *platform,
            channel: Arc::clone(channel),
            recorded: false,
        };
        Ingest::new(&*self.sink, source)
    }
}
