//! Adding a way in to an account, and taking one away.

use std::sync::Arc;

use super::Providers;
use crate::accounts::{
    Account, AccountError, AccountId, Actor, Alert, AuditEntry, Change, Linked, Origin,
    oauth::{Identity, Provider},
};
use crate::model::Timestamp;

/// Most ways in through providers that an account has.
const MOST_LINKED: usize = 12;

impl Providers {
    /// Adds a way in to an account whose owner is signed in.
    pub(super) async fn link(
        &self,
        id: AccountId,
        identity: Identity,
        origin: Origin,
    ) -> Result<Arc<Account>, AccountError> {
        let page = format!("{}/account", self.0.accounts.base_url());
        let this = self.clone();
        self.0
            .accounts
            .change(move |change| {
                let mut account = change.find_account(id)?;
                if !account.is_active() {
                    return Err(AccountError::Suspended);
                }
                let provider = identity.provider.as_str();
                match change.find_by_provider(provider, &identity.subject) {
                    Some(other) if other.id != id => {
                        return Err(AccountError::Taken("that sign-in"));
                    }
                    Some(_) => {}
                    None => {
                        add(&mut account, &identity, change.at())?;
                        let account = change.put_account(account.clone())?;
                        note_linked(change, &account, &identity, &origin);
                        let provider = identity.provider.title().to_owned();
                        let what = Alert::ProviderLinked { provider };
                        change.alert(&account, what, &origin.user_agent, &page);
                    }
                }
                this.keep(change, id, &identity);
                change.find_account(id).map(Arc::new)
            })
            .await
    }

    /// Takes a provider away from an account, and gives back what its platform allowed.
    ///
    /// # Errors
    /// [`AccountError::Unknown`] when it is no way in; [`AccountError::Refused`] when it is the last one.
    pub async fn unlink(
        &self,
        id: AccountId,
        provider: Provider,
        origin: Origin,
    ) -> Result<Arc<Account>, AccountError> {
        let page = format!("{}/account", self.0.accounts.base_url());
        let account = self
            .0
            .accounts
            .change(move |change| {
                let mut account = change.find_account(id)?;
                let before = account.providers.len();
                account.providers.retain(|it| it.provider != provider.as_str());
                if account.providers.len() == before {
                    return Err(AccountError::Unknown("way in"));
                }
                if account.ways_in() == 0 {
                    return Err(AccountError::Refused(
                        "this is the last way in: set a password or add another one first",
                    ));
                }
                let account = change.put_account(account)?;
                let entry = AuditEntry::new(change.at(), Actor::of(&account), "provider_unlinked");
                change.audit(entry.to(&account).from(&origin).with("provider", provider.as_str()));
                let what = Alert::ProviderUnlinked { provider: provider.title().to_owned() };
                change.alert(&account, what, &origin.user_agent, &page);
                Ok(account)
            })
            .await?;
        self.0.changed.notify_one();
        Ok(account)
    }
}

/// Adds a way in.
pub(super) fn add(
    account: &mut Account,
    identity: &Identity,
    at: Timestamp,
) -> Result<(), AccountError> {
    if account.providers.len() >= MOST_LINKED {
        return Err(AccountError::Refused("this account has as many ways in as it may"));
    }
    account.providers.push(Linked {
        provider: identity.provider.as_str().to_owned(),
        subject: identity.subject.clone(),
        email: identity.email.clone(),
        name: Some(identity.name.clone()),
        linked_at: at,
    });
    if account.avatar_url.is_none() {
        account.avatar_url.clone_from(&identity.avatar_url);
    }
    Ok(())
}

pub(super) fn note_linked(
    change: &mut Change,
    account: &Account,
    identity: &Identity,
    origin: &Origin,
) {
    let entry = AuditEntry::new(change.at(), Actor::of(account), "provider_linked");
    let entry = entry.to(account).from(origin);
    change.audit(entry.with("provider", identity.provider.as_str()));
}
