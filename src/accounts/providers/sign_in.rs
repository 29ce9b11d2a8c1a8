//! Whose account somebody gets into who comes from a provider.

use std::sync::Arc;

use super::Providers;
use crate::accounts::{
    Account, AccountError, Alert, Change, Linked, Origin, SignedIn, Surface,
    oauth::Identity,
    providers::link::{add, note_linked},
    sign_in, sign_up,
    verify::{self, Word, claim},
};
use crate::config::Config;

impl Providers {
    /// Signs somebody in whom a provider vouches for; makes the account when there is none.
    ///
    /// An account that is there already is joined by its address only where both the provider and this server made
    /// sure of it. An address that the provider did not make sure of is nobody's: it is not even kept, so that it cannot
    /// be taken from its owner.
    pub(super) async fn sign_in(
        &self,
        identity: Identity,
        surface: Surface,
        origin: Origin,
    ) -> Result<SignedIn, AccountError> {
        let accounts = &self.0.accounts;
        let (config, base) = (accounts.config(), accounts.base_url().to_owned());
        let this = self.clone();
        accounts
            .change(move |change| {
                let method = identity.provider.as_str();
                let known = change.find_by_provider(method, &identity.subject).cloned();
                let account = match known {
                    Some(known) => {
                        seen_again(change, (*known).clone(), &identity, &config, &origin)?
                    }
                    None => admit(change, &identity, &config, &base, &origin)?,
                };
                let id = account.id;
                let signed_in =
                    sign_in::open(change, account, &config, &base, surface, method, &origin, None)?;
                this.keep(change, id, &identity);
                Ok(signed_in)
            })
            .await
    }
}

/// Somebody who came this way before: what the provider says of them now is kept.
fn seen_again(
    change: &mut Change,
    mut account: Account,
    identity: &Identity,
    config: &Config,
    origin: &Origin,
) -> Result<Account, AccountError> {
    let is_it = |it: &&mut Linked| {
        it.provider == identity.provider.as_str() && it.subject == identity.subject
    };
    if let Some(linked) = account.providers.iter_mut().find(is_it) {
        linked.email.clone_from(&identity.email);
        linked.name = Some(identity.name.clone());
    }
    if account.avatar_url.is_none() {
        account.avatar_url.clone_from(&identity.avatar_url);
    }
    if account.email.is_none() {
        let verified = identity.email.as_ref().filter(|_| identity.email_verified);
        account.email = verified.filter(|it| change.find_by_email(it).is_none()).cloned();
    }
    let vouched = identity.email_verified && account.email == identity.email;
    if vouched && !account.email_verified {
        return verify::become_verified(change, account, config, origin).map(|it| (*it).clone());
    }
    Ok(account)
}

/// Somebody who comes this way for the first time.
fn admit(
    change: &mut Change,
    identity: &Identity,
    config: &Config,
    base: &str,
    origin: &Origin,
) -> Result<Account, AccountError> {
    let email = identity.email.clone().filter(|_| identity.email_verified);
    let there = email.as_ref().and_then(|it| change.find_by_email(it)).cloned();
    if let Some(there) = there {
        let mut account = (*there).clone();
        if !account.is_active() {
            return Err(AccountError::Suspended);
        }
        // Where nobody was in it, whoever made it never showed that they read this address; who comes now has.
        let has_owner = account.email_verified || account.last_login_at.is_some();
        account = claim(change, account, Word::Mailbox, config, origin)?;
        add(&mut account, identity, change.at())?;
        let account = change.put_account(account)?;
        note_linked(change, &account, identity, origin);
        if has_owner {
            let provider = identity.provider.title().to_owned();
            let page = format!("{base}/account");
            change.alert(&account, Alert::ProviderLinked { provider }, &origin.user_agent, &page);
        }
        return Ok((*account).clone());
    }
    if change.controls().disable_new_signups {
        return Err(AccountError::SwitchedOff("sign-ups are"));
    }
    sign_up::make_room(change, config)?;
    let mut account = Account::new(email, &identity.name, change.at());
    account.avatar_url.clone_from(&identity.avatar_url);
    add(&mut account, identity, change.at())?;
    let account: Arc<Account> =
        sign_up::create(change, account, identity.provider.as_str(), origin)?;
    if account.email.is_none() {
        return Ok((*account).clone());
    }
    verify::become_verified(change, (*account).clone(), config, origin).map(|it| (*it).clone())
}
