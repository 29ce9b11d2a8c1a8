//! Accounts: opened, or the server does not start.

use std::{fs, path::Path, sync::Arc};

use tokio::sync::watch;

use super::StartError;
use crate::{
    accounts::{Accounts, FILE, Parts, oauth::OAuth, providers::Providers, sealed::Sealer},
    config::Config,
    http::Clients,
    storage::StorageError,
};

/// Opens them. Unlike what is learnt and recorded, a damaged file of accounts is for people to decide: a server that
/// began with none would let others take the names. Blocking, for a moment.
///
/// # Errors
/// When another process has the file, or it cannot be read.
pub(super) fn open(data: &Path, parts: Parts) -> Result<Accounts, StartError> {
    let path = data.join(FILE);
    Accounts::open(data, parts).map_err(|error| match error {
        StorageError::Locked => StartError::Locked { path },
        other => StartError::Stored { path, reason: other.to_string() },
    })
}

/// Ways in through providers. What they allow is sealed with `secret`; the key before it opens what it sealed, and so
/// does the one in the data folder, which was in use before another was set. Blocking, for a moment.
pub(super) fn open_providers(
    accounts: Accounts,
    clients: Arc<Clients>,
    config: &watch::Receiver<Arc<Config>>,
    secret: &str,
    data: &Path,
) -> Providers {
    let old = config.borrow().secrets.old_secret_key().map(str::to_owned);
    // When it cannot be read, what it sealed is told to be unreadable.
    let made = fs::read_to_string(data.join("secret.key")).ok();
    let old = old.iter().chain(&made).map(String::as_str);
    let oauth = OAuth::new(clients, config.clone(), accounts.base_url());
    Providers::new(accounts, oauth, Sealer::new(secret, old))
}
