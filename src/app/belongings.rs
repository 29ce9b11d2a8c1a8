//! What a copy of this server carries besides the feed log: gathered for it, and taken over from one that was put in
//! the log's place, at once or at the next start.

use std::{fs, io, path::Path, sync::Arc};

use super::{
    FEED_LOG_FILE, applier::Applier, state, typed_channels, typed_channels::TypedChannels,
};
use crate::{
    feed::{FeedLog, set_aside_copy},
    storage::{Belongings, Database, State, StorageError, guarded, migrate},
    web::{api::backup::Carried, overlay_keys::OverlayKeys},
};

/// What belongs into a copy that is made now.
fn gather(state: &State, typed: &TypedChannels) -> Belongings {
    let mut belongings = Belongings::of(state);
    belongings.files.push((typed_channels::FILE.to_owned(), typed.text()));
    belongings
}

/// The same of a data folder that no server uses. Blocking.
///
/// # Errors
/// What keeps a file from being read: a copy without it would not be one.
pub fn gather_from(data: &Path, log: &Database) -> Result<Belongings, StorageError> {
    // A copy is in place that no server has taken over yet.
    if let Some(found) = guarded(|| log.read(Belongings::find))? {
        return Ok(found);
    }
    let state = data.join(state::FILE);
    let mut belongings = if state.is_file() {
        guarded(|| Database::open(&state)?.read(Belongings::read_state))
            .map_err(|it| named(state::FILE, &it))?
    } else {
        Belongings::default()
    };
    let text = match fs::read_to_string(data.join(typed_channels::FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok("[]".to_owned()),
        other => other,
    };
    let text = text.map_err(|it| named(typed_channels::FILE, &it))?;
    belongings.files.push((typed_channels::FILE.to_owned(), text));
    Ok(belongings)
}

fn named(file: &str, error: &dyn std::fmt::Display) -> StorageError {
    StorageError::Io(io::Error::other(format!("{file}: {error}")))
}

/// Takes over what a copy carries that was put in place. What was here is kept beside it.
fn take_over(
    belongings: &Belongings,
    state: &State,
    typed: &TypedChannels,
    data: &Path,
) -> Result<(), StorageError> {
    let here = gather(state, typed);
    if here == *belongings {
        return Ok(());
    }
    let aside = set_aside_copy(&data.join(state::FILE));
    guarded(|| {
        Database::open(&aside)?.write(|tx| {
            migrate(tx)?;
            here.put(tx)
        })
    })?;
    belongings.bring(state)?;
    if let Some(text) = belongings.file(typed_channels::FILE) {
        typed.replace(text)?;
    }
    tracing::info!(before = %aside.display(), "looks and typed channels of a copy are in place");
    Ok(())
}

/// At the start: goes on where a restore ended, or was ended. Whatever is wrong with it, chat is not harmed.
pub(super) async fn take_over_at_start(
    log: &FeedLog,
    state: &State,
    typed: &TypedChannels,
    data: &Path,
) {
    let path = data.join(FEED_LOG_FILE);
    let taken = if log.is_kept() {
        match log.belongings() {
            Ok(None) => Ok(()),
            Ok(Some(found)) => match take_over(&found, state, typed, data) {
                Ok(()) => log.forget_belongings().await,
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    } else if path.is_file() {
        // Nothing is recorded now, and yet a copy may have been put in place.
        guarded(|| {
            let log = Database::open(&path)?;
            if let Some(found) = log.read(Belongings::find)? {
                take_over(&found, state, typed, data)?;
                log.write(Belongings::remove)?;
            }
            Ok(())
        })
    } else {
        Ok(())
    };
    if let Err(error) = taken {
        tracing::error!(%error, "looks and channels of the restored copy wait for the next start");
    }
}

/// For copies that are made and restored while the server runs.
pub(super) fn carried(
    state: State,
    applier: Arc<Applier>,
    keys: Arc<OverlayKeys>,
    data: &Path,
) -> Carried {
    let (data, of_copy) = (data.to_owned(), (state.clone(), Arc::clone(&applier)));
    Carried {
        gather: Box::new(move || gather(&of_copy.0, &of_copy.1.typed)),
        take_over: Box::new(move || {
            let (state, applier, data) = (state.clone(), Arc::clone(&applier), data.clone());
            let keys = Arc::clone(&keys);
            Box::pin(async move {
                let log = applier.hub.log().clone();
                let taking = tokio::task::spawn_blocking({
                    let log = log.clone();
                    move || {
                        let Some(found) = log.belongings()? else { return Ok(false) };
                        applier
                            .looks
                            .exclusively(|| take_over(&found, &state, &applier.typed, &data))?;
                        keys.read_again();
                        applier.apply();
                        Ok(true)
                    }
                });
                let taken = taking.await.unwrap_or_else(|it| Err(named("the task", &it)))?;
                if taken { log.forget_belongings().await } else { Ok(()) }
            })
        }),
    }
}
