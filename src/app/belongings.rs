//! What a copy of this server carries besides the feed log: gathered for it, and taken over from one that was put in
//! the log's place, at once or at the next start.

use std::{fs, io, path::Path, sync::Arc};

use super::{
    FEED_LOG_FILE, applier::Applier, state, typed_channels, typed_channels::TypedChannels,
};
use crate::{
    accounts::{self, Accounts, records_in, records_of},
    boards::Boards,
    feed::{FeedLog, set_aside_copy},
    storage::{
        Belongings, Database, Reading, Records, State, StorageError, guarded, migrate,
        tables::records,
    },
    triggers::Triggers,
    web::{api::backup::Carried, overlay_keys::OverlayKeys},
};

/// What belongs into a copy that is made now.
fn gather(state: &State, typed: &TypedChannels) -> Belongings {
    let mut belongings = Belongings::of(state);
    belongings.files.push((typed_channels::FILE.to_owned(), typed.text()));
    belongings
}

/// The accounts that belong into a copy of a data folder that no server uses; `None` when there never were any.
/// Blocking.
///
/// # Errors
/// What keeps the file from being read.
pub fn gather_records(data: &Path, log: &Database) -> Result<Option<Records>, StorageError> {
    let copy = guarded(|| log.moment())?;
    // A copy is in place that no server has taken over yet.
    if guarded(|| records::is_there(&copy))? {
        return Ok(Some(records_in(copy)));
    }
    let path = data.join(accounts::FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let records = guarded(|| records_of(Database::open(&path)?));
    records.map(Some).map_err(|it| named(accounts::FILE, &it))
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

/// Takes over the accounts that a copy carries; answers whether it does. Those that were here are kept beside it.
fn take_over_accounts(
    copy: &Reading,
    accounts: &Accounts,
    data: &Path,
) -> Result<bool, StorageError> {
    if !guarded(|| records::is_there(copy))? {
        return Ok(false);
    }
    if !accounts.book().is_empty() {
        let aside = set_aside_copy(&data.join(accounts::FILE));
        let records = accounts.records()?;
        guarded(|| records.write_file(&aside))?;
        tracing::info!(before = %aside.display(), "accounts of a copy take the place of those here");
    }
    guarded(|| accounts.bring(copy))?;
    Ok(true)
}

/// Takes over the accounts of a copy that is in place, while no server uses the data folder. Blocking.
///
/// # Errors
/// What keeps them from being taken over.
pub fn take_over_accounts_offline(data: &Path, accounts: &Accounts) -> Result<(), StorageError> {
    let path = data.join(FEED_LOG_FILE);
    if !path.is_file() {
        return Ok(());
    }
    // A log that cannot be opened has nothing to take over, and is for the next start to look after.
    let Ok(log) = guarded(|| Database::open(&path)) else { return Ok(()) };
    if take_over_accounts(&guarded(|| log.moment())?, accounts, data)? {
        guarded(|| log.write(records::remove))?;
    }
    Ok(())
}

/// The same at the start, once accounts are open.
pub(super) async fn take_over_accounts_at_start(log: &FeedLog, accounts: &Accounts, data: &Path) {
    let taken = if log.is_kept() {
        match log.moment().and_then(|it| take_over_accounts(&it, accounts, data)) {
            Ok(true) => log.forget_records().await,
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        }
    } else {
        take_over_accounts_offline(data, accounts)
    };
    if let Err(error) = taken {
        tracing::error!(%error, "accounts of the restored copy wait for the next start");
    }
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
    boards: Boards,
    triggers: Triggers,
    accounts: Accounts,
    data: &Path,
) -> Carried {
    let (data, of_copy) =
        (data.to_owned(), (state.clone(), Arc::clone(&applier), accounts.clone()));
    Carried {
        gather: Box::new(move || Ok((gather(&of_copy.0, &of_copy.1.typed), of_copy.2.records()?))),
        take_over: Box::new(move || {
            let (state, applier, data) = (state.clone(), Arc::clone(&applier), data.clone());
            let (keys, accounts) = (Arc::clone(&keys), accounts.clone());
            let (boards, triggers) = (boards.clone(), triggers.clone());
            Box::pin(async move {
                let log = applier.hub.log().clone();
                let taking = tokio::task::spawn_blocking({
                    let log = log.clone();
                    move || {
                        let with_accounts = take_over_accounts(&log.moment()?, &accounts, &data)?;
                        let Some(found) = log.belongings()? else {
                            return Ok((false, with_accounts));
                        };
                        applier
                            .looks
                            .exclusively(|| take_over(&found, &state, &applier.typed, &data))?;
                        keys.read_again();
                        boards.read_again();
                        triggers.renew_all();
                        applier.apply();
                        Ok((true, with_accounts))
                    }
                });
                let taken = taking.await.unwrap_or_else(|it| Err(named("the task", &it)))?;
                let (belongings, records) = taken;
                if records {
                    log.forget_records().await?;
                }
                if belongings { log.forget_belongings().await } else { Ok(()) }
            })
        }),
    }
}
