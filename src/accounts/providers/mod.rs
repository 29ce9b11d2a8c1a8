//! Ways in through Google, GitHub, Discord and Twitch, and what their platforms allow in a creator's name.

mod error;
mod keeping;
mod link;
mod platform_token;
mod sign_in;
mod authorization;

use std::sync::Arc;

use tokio::sync::Notify;

pub use self::{
    authorization::{Back, Begin, Finished},
    error::ProviderError,
    platform_token::PlatformToken,
};
use super::{
    AccountError, Accounts,
    oauth::{OAuth, Provider},
    sealed::Sealer,
};

/// Signs people in with providers, and keeps what those allow. Cheap to clone.
#[derive(Clone)]
pub struct Providers(Arc<Shared>);

struct Shared {
    accounts: Accounts,
    oauth: OAuth,
    sealer: Sealer,
    /// Something is kept, or is no longer wanted.
    changed: Notify,
}

impl Providers {
    /// Keeps what is allowed in the book of `accounts`, sealed.
    #[must_use]
    pub fn new(accounts: Accounts, oauth: OAuth, sealer: Sealer) -> Self {
        Self(Arc::new(Shared { accounts, oauth, sealer, changed: Notify::new() }))
    }

    /// With whom people can sign in at this moment.
    #[must_use]
    pub fn list_offered(&self) -> Vec<Provider> {
        let book = self.0.accounts.book();
        let disabled = &book.controls().disabled_providers;
        let mut offered = self.0.oauth.list_offered();
        offered.retain(|it| !disabled.contains(it.as_str()));
        offered
    }

    fn check_offered(&self, provider: Provider) -> Result<(), AccountError> {
        let book = self.0.accounts.book();
        if book.controls().disabled_providers.contains(provider.as_str()) {
            return Err(AccountError::SwitchedOff("signing in there is"));
        }
        Ok(())
    }
}
