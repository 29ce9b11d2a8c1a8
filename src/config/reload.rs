//! Live reload: a valid change is published, an invalid one is refused and the old config stays.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::system::{FeedConfig, WebConfig};
use super::{Config, ConfigErrors, Sources, load, schema::SECTIONS};

/// Quiet after a change before the files are read: one save is several events (ms).
const DEBOUNCE_MS: u64 = 200;

/// Longest that changes without a pause put the reading off (ms).
const LONGEST_WAIT_MS: u64 = 2_000;

/// What became of a change on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reload {
    /// The change is in force, except for these keys of `system.json`, which wait for a restart.
    Applied {
        /// Keys whose value on disk differs from the running one.
        needs_restart: Vec<&'static str>,
    },
    /// The change is invalid, and the config from before it stays in force.
    Refused(ConfigErrors),
}

/// Watches the config folder and publishes what changes in it.
pub struct Reloader {
    sources: Sources,
    current: Arc<Config>,
    needs_restart: Vec<&'static str>,
    publisher: watch::Sender<Arc<Config>>,
    changed: Arc<Notify>,
    watcher: RecommendedWatcher,
    folder: PathBuf,
    watches_folder: bool,
}

impl Reloader {
    /// Starts to watch the folder of `sources`, for a server that runs with `config`.
    ///
    /// The folder may be missing and come later. What changed since `config` was loaded is noticed.
    ///
    /// # Errors
    /// If the system cannot watch folders, or not this one.
    pub fn new(
        sources: Sources,
        config: Config,
    ) -> Result<(Self, watch::Receiver<Arc<Config>>), notify::Error> {
        let current = Arc::new(config);
        let (publisher, receiver) = watch::channel(current.clone());
        let changed = Arc::new(Notify::new());
        let folder = std::path::absolute(&sources.folder).map_err(notify::Error::io)?;

        let watcher = notify::recommended_watcher({
            let (changed, folder) = (changed.clone(), folder.clone());
            move |event: notify::Result<Event>| match event {
                Ok(event) if concerns_us(&event, &folder) => changed.notify_one(),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the config folder is not fully watched"),
            }
        })?;
        let mut reloader = Self {
            sources,
            current,
            needs_restart: Vec::new(),
            publisher,
            changed,
            watcher,
            folder,
            watches_folder: false,
        };
        if let Some(parent) = reloader.folder.parent() {
            // Tells when the folder comes or goes; if that is not to be had, its files still are.
            if let Err(error) = reloader.watcher.watch(parent, RecursiveMode::NonRecursive) {
                tracing::debug!(%error, "the folder of the config folder is not watched");
            }
        }
        reloader.follow_folder()?;
        reloader.changed.notify_one(); // For what changed before the watch began.
        Ok((reloader, receiver))
    }

    /// Publishes changes until `stop`; `report` hears of each that was applied or refused.
    pub async fn run(mut self, stop: CancellationToken, mut report: impl FnMut(Reload) + Send) {
        while stop.run_until_cancelled(self.wait_for_change()).await.is_some() {
            if let Err(error) = self.follow_folder() {
                tracing::warn!(%error, "the config folder cannot be watched");
            }
            if let Some(outcome) = self.reload().await {
                report(outcome);
            }
        }
    }

    /// Returns once something changed and then nothing more for a moment.
    async fn wait_for_change(&self) {
        self.changed.notified().await;
        let latest = Instant::now() + Duration::from_millis(LONGEST_WAIT_MS);
        let quiet = Duration::from_millis(DEBOUNCE_MS);
        let until_quiet = async { while timeout(quiet, self.changed.notified()).await.is_ok() {} };
        // Late or quiet, it is time to look.
        let _ = timeout_at(latest, until_quiet).await;
    }

    /// Watches the folder if it is there and forgets it if it is not.
    fn follow_folder(&mut self) -> Result<(), notify::Error> {
        let exists = self.folder.is_dir();
        if exists && !self.watches_folder {
            self.watcher.watch(&self.folder, RecursiveMode::NonRecursive)?;
        } else if !exists && self.watches_folder {
            let _ = self.watcher.unwatch(&self.folder); // Gone with the folder on some systems.
        }
        self.watches_folder = exists;
        Ok(())
    }

    /// Reads the files and publishes what they say; `None` if that is what is in force.
    async fn reload(&mut self) -> Option<Reload> {
        let sources = self.sources.clone();
        let loaded = match tokio::task::spawn_blocking(move || load(&sources)).await {
            Ok(loaded) => loaded,
            Err(error) => {
                tracing::error!(%error, "the config could not be read again");
                return None;
            }
        };
        let mut config = match loaded {
            Ok(config) => config,
            Err(errors) => return Some(Reload::Refused(errors)),
        };
        let needs_restart = keep_running_values(&mut config, &self.current);
        if config == *self.current && needs_restart == self.needs_restart {
            return None;
        }
        self.needs_restart.clone_from(&needs_restart);
        if config != *self.current {
            self.current = Arc::new(config);
            self.publisher.send_replace(self.current.clone());
        }
        Some(Reload::Applied { needs_restart })
    }
}

/// Puts back what cannot change while the server runs; returns the keys for which that matters.
///
/// Who asks the config is told what is so, not what will be: an overlay must not open itself because
/// the file says `127.0.0.1` while the server still listens to the world.
fn keep_running_values(config: &mut Config, running: &Config) -> Vec<&'static str> {
    let (new, old) = (&mut config.system, &running.system);
    let mut keys = Vec::new();
    if config.platforms.starts_per_second != running.platforms.starts_per_second {
        config.platforms.starts_per_second = running.platforms.starts_per_second;
        keys.push("starts_per_second");
    }
    if new.listen != old.listen {
        new.listen = old.listen.clone();
        keys.push("listen");
    }
    if new.data_dir != old.data_dir {
        new.data_dir.clone_from(&old.data_dir);
        keys.push("data_dir");
    }
    if new.exports_dir != old.exports_dir {
        new.exports_dir.clone_from(&old.exports_dir);
        keys.push("exports_dir");
    }
    if new.public_url != old.public_url {
        new.public_url.clone_from(&old.public_url);
        keys.push("public_url");
    }
    if new.log != old.log {
        new.log.clone_from(&old.log);
        keys.push("log");
    }
    // These are asked for at every request.
    let web = WebConfig {
        cors_origins: new.web.cors_origins.clone(),
        client_address_header: new.web.client_address_header.clone(),
        ..old.web.clone()
    };
    if new.web != web {
        keys.push("web");
    }
    new.web = web;
    let fixed = |it: &FeedConfig| {
        let FeedConfig {
            ring_events,
            dedupe_ids,
            record,
            commit_ms,
            queue_bytes,
            idle_minutes,
            ..
        } = *it;
        (ring_events, dedupe_ids, record, commit_ms, queue_bytes, idle_minutes)
    };
    if fixed(&new.feed) != fixed(&old.feed) {
        let FeedConfig { max_rooms, retention_days, retention_bytes, .. } = new.feed;
        new.feed = FeedConfig { max_rooms, retention_days, retention_bytes, ..old.feed.clone() };
        keys.push("feed");
    }
    keys
}

/// Whether an event is a change to one of our files, or to the folder itself.
fn concerns_us(event: &Event, folder: &Path) -> bool {
    // Reading a file is an event too; answering it with another reading would never end.
    if matches!(event.kind, EventKind::Access(_)) {
        return false;
    }
    let ours = |path: &PathBuf| {
        let name = path.file_name();
        let is_file = SECTIONS.iter().any(|it| name.is_some_and(|name| name == it.file));
        // Mounted configuration is swapped whole, by a link whose name begins with two dots.
        let is_mount = name.is_some_and(|it| it.to_string_lossy().starts_with(".."));
        is_file || is_mount || (name.is_some() && name == folder.file_name())
    };
    event.need_rescan() || event.paths.iter().any(ours)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::sync::mpsc;

    use super::*;

    struct Running {
        folder: tempfile::TempDir,
        configs: watch::Receiver<Arc<Config>>,
        reports: mpsc::UnboundedReceiver<Reload>,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    impl Running {
        fn start(folder: tempfile::TempDir, config_folder: &str) -> Self {
            let sources =
                Sources { folder: folder.path().join(config_folder), ..Sources::default() };
            let config = load(&sources).unwrap();
            let (reloader, configs) = Reloader::new(sources, config).unwrap();
            let (sender, reports) = mpsc::unbounded_channel();
            let stop = CancellationToken::new();
            let run = reloader.run(stop.clone(), move |it| sender.send(it).unwrap());
            let task = tokio::spawn(run);
            Self { folder, configs, reports, stop, task }
        }

        /// Saves as editors do: a file beside, then the name.
        fn save(&self, name: &str, text: &str) {
            let path = self.folder.path().join(name);
            let part = path.with_extension("tmp");
            fs::write(&part, text).unwrap();
            fs::rename(part, path).unwrap();
        }

        async fn next_report(&mut self) -> Reload {
            let report = timeout(Duration::from_secs(20), self.reports.recv()).await;
            report.expect("a report in time").unwrap()
        }

        fn max_rooms(&mut self) -> u32 {
            self.configs.borrow_and_update().system.feed.max_rooms
        }

        async fn stop(self) {
            self.stop.cancel();
            self.task.await.unwrap();
        }
    }

    fn applied(needs_restart: &[&'static str]) -> Reload {
        Reload::Applied { needs_restart: needs_restart.to_vec() }
    }

    #[tokio::test]
    async fn a_valid_change_is_published_and_an_invalid_one_leaves_the_old_in_force() {
        let mut running = Running::start(tempfile::tempdir().unwrap(), "");
        running.save("system.json", r#"{"feed": {"max_rooms": 7}}"#);
        assert_eq!(running.next_report().await, applied(&[]));
        assert_eq!(running.max_rooms(), 7);

        running.save("system.json", r#"{"feed": {"max_rooms": 0}}"#);
        let Reload::Refused(errors) = running.next_report().await else { panic!("applied") };
        assert_eq!(errors.0[0].path, "/feed/max_rooms");
        assert!(!running.configs.has_changed().unwrap());
        assert_eq!(running.max_rooms(), 7);

        // In place, as other editors do.
        fs::write(running.folder.path().join("system.json"), r#"{"feed": {"max_rooms": 8}}"#)
            .unwrap();
        assert_eq!(running.next_report().await, applied(&[]));
        assert_eq!(running.max_rooms(), 8);

        fs::remove_file(running.folder.path().join("system.json")).unwrap();
        assert_eq!(running.next_report().await, applied(&[]));
        assert_eq!(running.max_rooms(), 10_000);
        running.stop().await;
    }

    #[tokio::test]
    async fn what_needs_a_restart_is_told_and_keeps_its_running_value() {
        let mut running = Running::start(tempfile::tempdir().unwrap(), "");
        running.save(
            "system.json",
            r#"{"listen": "0.0.0.0:80", "data_dir": "d", "feed": {"max_rooms": 7}}"#,
        );
        assert_eq!(running.next_report().await, applied(&["listen", "data_dir"]));
        assert_eq!(running.max_rooms(), 7);
        assert!(running.configs.borrow().system.listen.is_loopback());
        assert_eq!(running.configs.borrow().system.data_dir, Path::new("data"));

        running.save("system.json", r#"{"feed": {"max_rooms": 7}}"#);
        assert_eq!(running.next_report().await, applied(&[]));
        running.stop().await;
    }

    #[tokio::test]
    async fn a_folder_that_comes_later_is_read() {
        let mut running = Running::start(tempfile::tempdir().unwrap(), "config");
        fs::create_dir(running.folder.path().join("config")).unwrap();
        running.save("config/system.json", r#"{"feed": {"max_rooms": 7}}"#);
        assert_eq!(running.next_report().await, applied(&[]));
        assert_eq!(running.max_rooms(), 7);
        running.save("config/system.json", r#"{"feed": {"max_rooms": 9}}"#);
        assert_eq!(running.next_report().await, applied(&[]));
        assert_eq!(running.max_rooms(), 9);
        running.stop().await;
    }

    #[test]
    fn reading_a_file_and_what_stands_beside_it_are_no_change() {
        let folder = Path::new("config");
        let event = |kind, name: &str| Event::new(kind).add_path(folder.join(name));
        let any = EventKind::Any;
        let opened = EventKind::Access(notify::event::AccessKind::Any);
        assert!(concerns_us(&event(any, "system.json"), folder));
        assert!(concerns_us(&event(any, "..data"), folder));
        assert!(concerns_us(&Event::new(any).add_path(folder.to_owned()), folder));
        assert!(!concerns_us(&event(opened, "system.json"), folder));
        assert!(!concerns_us(&event(any, "system.json.swp"), folder));
    }
}
