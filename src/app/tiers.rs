//! What follows the tiers: they change with the files, with what admins do, and with whose rooms are whose.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;

use super::applier::Applier;
use crate::lifecycle::Lifecycle;

/// Puts in force what the tiers allow, after everything that may change it, until the server stops.
pub(super) async fn follow(applier: Arc<Applier>, life: Lifecycle) {
    let mut config = applier.effective.subscribe();
    // Whatever is done to an account is audited.
    let mut audited = applier.accounts.audited();
    loop {
        let goes_on = tokio::select! {
            () = life.stop.cancelled() => false,
            changed = config.changed() => changed.is_ok(),
            entry = audited.recv() => !matches!(entry, Err(RecvError::Closed)),
        };
        if !goes_on {
            break;
        }
        // What came together is one change.
        while audited.try_recv().is_ok() {}
        let this = Arc::clone(&applier);
        if let Err(error) = life.spawn_blocking(move || this.apply_tiers()).await {
            tracing::error!(%error, "the tiers could not be put in force");
        }
    }
    life.stop.cancelled().await;
}
