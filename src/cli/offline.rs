//! The accounts of a data folder that no server uses.

use std::{
    fs::{self, File},
    sync::Arc,
};

use tokio::{runtime::Runtime, sync::watch};

use super::Failure;
use crate::{
    accounts::{Account, AccountError, AccountId, Accounts, Email, Parts, UserCode, system_clock},
    app::{StartError, belongings, lock_folder},
    config::Config,
    lifecycle::Lifecycle,
};

/// The accounts, for as long as no server may have them.
pub(super) struct Offline {
    pub(super) accounts: Accounts,
    runtime: Runtime,
    _lock: File,
}

impl Offline {
    /// Opens them. With `make`, in a folder that no server used yet as well.
    ///
    /// # Errors
    /// When a server uses the folder, or it cannot be read.
    pub(super) fn open(config: Config, make: bool) -> Result<Self, Failure> {
        let data = config.system.data_dir.clone();
        let problem = |it: &dyn std::fmt::Display| {
            Failure::new(format!("cannot use {}: {it}", data.display()))
        };
        if make {
            fs::create_dir_all(&data).map_err(|it| problem(&it))?;
        } else if !data.is_dir() {
            return Err(Failure::new(format!(
                "there is no data folder {}: it is made when the server first starts; run this in the folder in which \
                 the server was started, with the same --config and --data",
                std::path::absolute(&data).unwrap_or(data).display()
            )));
        }
        let lock = lock_folder(&data).map_err(|error| match error {
            StartError::Locked { .. } => Failure::new(format!(
                "a server uses the data folder {}: do this on its page /admin, or stop it, do this, and start it again",
                data.display()
            )),
            other => Failure::new(other),
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|it| problem(&it))?;
        let system = &config.system;
        let base_url = system.base_url(&system.listen);
        let parts = Parts {
            life: Lifecycle::new(),
            config: watch::channel(Arc::new(config)).1,
            clock: system_clock(),
            base_url,
        };
        let accounts = Accounts::open(&data, parts).map_err(|it| problem(&it))?;
        belongings::take_over_accounts_offline(&data, &accounts).map_err(|it| problem(&it))?;
        Ok(Self { accounts, runtime, _lock: lock })
    }

    /// Does something with them.
    ///
    /// # Errors
    /// What keeps it from being done.
    pub(super) fn run<T>(
        &self,
        work: impl Future<Output = Result<T, AccountError>>,
    ) -> Result<T, Failure> {
        self.runtime.block_on(work).map_err(|error| match &error {
            AccountError::Storage(why) => Failure::new(format!("{error}: {why}")),
            _ => Failure::new(error),
        })
    }

    /// The account of an address, a code such as U-7K2M9QXD, or an id.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn find(&self, who: &str) -> Result<Arc<Account>, Failure> {
        let book = self.accounts.book();
        let by_email = || book.find_by_email(&who.parse::<Email>().ok()?);
        let by_code = || book.find_by_code(&UserCode::parse(who)?);
        let by_id = || book.account(AccountId::parse(who)?);
        let found = by_email().or_else(by_code).or_else(by_id).cloned();
        found.ok_or_else(|| Failure::new(format!("there is no account {who}")))
    }
}
