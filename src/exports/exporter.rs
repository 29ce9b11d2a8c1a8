//! The task that keeps the exported files up to date.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    chat_events::Newest,
    document::Sources,
    writer::{Due, Writer},
};
use crate::{
    accounts::Accounts, boards::Boards, chat::Hub, config::Config, jobs::Jobs,
    lifecycle::Lifecycle, model::Timestamp, quotas::Quotas, telemetry::Telemetry,
    triggers::Triggers,
};

/// Time between two looks for changes.
const LOOK: Duration = Duration::from_secs(1);
/// Time between two heartbeats; readers think the runtime dead after three.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Keeps the exported files up to date: what differs at every look every 5 s, what changed within a
/// second, and everything every `exports.interval_seconds`, at the start and at the end.
///
/// It owns the exports folder: one per folder.
pub struct Exporter {
    /// The rooms.
    pub hub: Arc<Hub>,
    /// Counters, rates, recent events and errors; also told when writing fails.
    pub telemetry: Telemetry,
    /// The configuration in force; `exports` in it may change at any time.
    pub config: watch::Receiver<Arc<Config>>,
    /// Keys of `system.json` that wait for a restart.
    pub restart: watch::Receiver<Vec<&'static str>>,
    /// What was spent.
    pub quotas: Quotas,
    /// Whoever has an account.
    pub accounts: Accounts,
    /// Work that waits.
    pub jobs: Jobs,
    /// Polls, tallies and scoreboards.
    pub boards: Boards,
    /// What rooms react to.
    pub triggers: Triggers,
    /// Where the file work runs, and what says when to end.
    pub life: Lifecycle,
    /// The exports folder; made when it is missing.
    pub dir: PathBuf,
}

impl Exporter {
    /// Writes until the server stops, and then once more. A failure to write is told and tried again; it
    /// never ends this.
    pub async fn run(self) {
        let started_at = Timestamp::now();
        let mut writer = Writer::new(self.dir.clone());
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut last_live, mut last_all) = (None, None);
        let mut has_told = false;
        let newest = Newest::default();
        loop {
            let stopping = tokio::select! {
                biased;
                () = self.life.stop.cancelled() => true,
                _ = ticks.tick() => false,
            };
            let sources = self.sources(started_at, &newest);
            let every = Duration::from_secs(sources.config.system.exports.interval_seconds.into());
            let now = Instant::now();
            let is_due = |last: Option<Instant>, every| last.is_none_or(|it| now - it >= every);
            let due = if stopping || is_due(last_all, every) {
                (last_all, last_live) = (Some(now), Some(now));
                Due::All
            } else if is_due(last_live, HEARTBEAT) {
                last_live = Some(now);
                Due::Live
            } else {
                Due::Changed
            };

            let round = self.life.spawn_blocking(move || {
                writer.round(&sources, due, Timestamp::now());
                writer
            });
            writer = match round.await {
                Ok(writer) => writer,
                Err(error) => {
                    // A defect of ours. The files of the last round stand, and the next one may work.
                    if !std::mem::replace(&mut has_told, true) {
                        tracing::error!(%error, "a round of exports failed, trying again");
                        let message = "a round of exports failed inside and is tried again";
                        self.telemetry.recent.error("exports", "panicked", "exports", message);
                    }
                    (last_all, last_live) = (None, None);
                    Writer::new(self.dir.clone())
                }
            };
            if stopping {
                return;
            }
        }
    }

    fn sources(&self, started_at: Timestamp, newest: &Newest) -> Sources {
        Sources {
            hub: Some(Arc::clone(&self.hub)),
            telemetry: self.telemetry.clone(),
            config: Arc::clone(&self.config.borrow()),
            restart: self.restart.borrow().clone(),
            quotas: Some(self.quotas.clone()),
            accounts: Some(self.accounts.clone()),
            jobs: Some(self.jobs.clone()),
            boards: Some(self.boards.clone()),
            triggers: Some(self.triggers.clone()),
            newest: newest.clone(),
            started_at: Some(started_at),
        }
    }
}
