//! What somebody does with their account as a whole.

use std::sync::Arc;

use super::{
    Account, AccountError, Accounts, Alert, Onboarding, Owner, admin::check_last_admin,
    readable_name, rooms::claim_room,
};
use crate::model::{AccountRole, CreatorId};

impl Accounts {
    /// Says what others should call its owner.
    ///
    /// # Errors
    /// [`AccountError::Invalid`] for a name of which nothing can be shown.
    pub async fn rename(&self, owner: Owner, name: &str) -> Result<Arc<Account>, AccountError> {
        let name = readable(name)?;
        self.change(move |change| {
            let mut account = owner.account(change)?;
            account.display_name = name;
            let account = change.put_account(account)?;
            change.audit(owner.entry(change, &account, "account_renamed"));
            Ok(account)
        })
        .await
    }

    /// Says what the account is for: with a room, for streaming.
    ///
    /// # Errors
    /// [`AccountError::Taken`] when there is such a room; [`AccountError::Refused`] when the account, or the server,
    /// has as many as it may.
    pub async fn complete_onboarding(
        &self,
        owner: Owner,
        display_name: Option<&str>,
        room: Option<CreatorId>,
    ) -> Result<Arc<Account>, AccountError> {
        let name = display_name.map(readable).transpose()?;
        let config = self.config();
        self.change(move |change| {
            let mut account = owner.account(change)?;
            if let Some(name) = name {
                account.display_name = name;
            }
            let claimed = match &room {
                Some(room) => claim_room(change, &mut account, room, &config)?,
                None => false,
            };
            let before = account.role;
            if claimed && account.role == AccountRole::Viewer {
                account.role = AccountRole::Creator;
            }
            account.onboarding = Onboarding::Completed;
            let account = change.put_account(account)?;
            let mut entry = owner.entry(change, &account, "onboarding_completed");
            if let Some(room) = room.filter(|_| claimed) {
                entry = entry.with("room", room.as_str());
                if before != account.role {
                    let (before, after) = (before.as_str(), account.role.as_str());
                    entry = entry.with("before", before).with("after", after);
                }
            }
            change.audit(entry);
            Ok(account)
        })
        .await
    }

    /// Deletes the account, with all that is its own. The audit keeps its id and code.
    ///
    /// # Errors
    /// For a password that is missing or wrong; without one, [`AccountError::SignInAgain`] when the sign-in is not
    /// recent; [`AccountError::Refused`] for the last admin.
    pub async fn delete_own_account(
        &self,
        owner: Owner,
        password: Option<&str>,
    ) -> Result<(), AccountError> {
        let proof = self.prove_owner(&owner, password).await?;
        let page = format!("{}/account", self.base_url());
        self.change(move |change| {
            let account = owner.account(change)?;
            proof.check(&account)?;
            check_last_admin(change, &account)?;
            let mut entry = owner.entry(change, &account, "account_deleted");
            entry.email_redacted = None;
            change.audit(entry);
            change.alert(&account, Alert::Deleted, &owner.origin.user_agent, &page);
            change.drop_mailed_links(&account);
            change.remove_account(account.id);
            Ok(())
        })
        .await
    }
}

fn readable(name: &str) -> Result<String, AccountError> {
    readable_name(name)
        .ok_or_else(|| AccountError::Invalid("write a name that can be shown".to_owned()))
}
