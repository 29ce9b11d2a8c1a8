//! Notices what happens in `themes/`.

use std::{path::Path, sync::Arc, time::Duration};

use notify::{Event, EventKind, RecursiveMode, Watcher};
use tokio::{sync::Notify, task::JoinHandle, time::timeout};

use crate::lifecycle::Lifecycle;

/// Quiet after a change before the themes are read: one save is several events.
const DEBOUNCE: Duration = Duration::from_millis(150);

/// Calls `read` whenever something in `beside/themes` has changed, until the server stops.
///
/// The folder may be missing and come later. Where folders cannot be watched, themes are those of the start.
pub(super) async fn run(beside: &Path, life: &Lifecycle, read: impl Fn() -> JoinHandle<()>) {
    let themes = beside.join("themes");
    let changed = Arc::new(Notify::new());
    let watcher = notify::recommended_watcher({
        let (changed, themes) = (Arc::clone(&changed), themes.clone());
        move |event: notify::Result<Event>| match event {
            // Reading is no change, and neither is what stands beside the folder.
            Ok(Event { kind: EventKind::Access(_), .. }) => {}
            Ok(event) if event.paths.iter().any(|it| it.starts_with(&themes)) => {
                changed.notify_one();
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the folder of themes is not fully watched"),
        }
    });
    let mut watcher = match watcher {
        Ok(it) => it,
        Err(error) => return tracing::warn!(%error, "the folder of themes cannot be watched"),
    };
    // Tells when `themes` comes or goes.
    if let Err(error) = watcher.watch(beside, RecursiveMode::NonRecursive) {
        tracing::debug!(%error, "what stands beside the configuration is not watched");
    }
    let mut watched = false;
    loop {
        let exists = themes.is_dir();
        if exists && !watched {
            if let Err(error) = watcher.watch(&themes, RecursiveMode::Recursive) {
                tracing::warn!(%error, "the folder of themes cannot be watched");
            }
            changed.notify_one(); // For what changed before the watch began.
        } else if !exists && watched {
            let _ = watcher.unwatch(&themes); // Gone with the folder on some systems.
        }
        watched = exists;
        if life.stop.run_until_cancelled(changed.notified()).await.is_none() {
            return;
        }
        let until_quiet = async { while timeout(DEBOUNCE, changed.notified()).await.is_ok() {} };
        if life.stop.run_until_cancelled(until_quiet).await.is_none() {
            return;
        }
        let _ = read().await; // A panic over a theme is not the end of looking.
    }
}
