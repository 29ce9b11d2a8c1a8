//! How somebody who is signed in chooses another password.

use super::{AccountError, Accounts, Alert, Owner};

impl Accounts {
    /// Gives the account another password, or its first one, and ends all its other sign-ins.
    ///
    /// `current` is the one it has; without one, the sign-in must be recent.
    ///
    /// # Errors
    /// For a current password that is missing or wrong, and for a new one that is refused;
    /// [`AccountError::SignInAgain`], [`AccountError::SignedOut`], [`AccountError::TooMany`].
    pub async fn change_password(
        &self,
        owner: Owner,
        current: Option<&str>,
        new: &str,
    ) -> Result<(), AccountError> {
        let proof = self.prove_owner(&owner, current).await?;
        let config = self.config();
        let account = self.book().account(owner.account).cloned();
        let account = account.ok_or(AccountError::SignedOut)?;
        let Some(email) = &account.email else {
            return Err(AccountError::Refused(
                "a password needs a mail address to sign in with: add one first",
            ));
        };
        let about = [email.as_str(), email.local(), account.display_name.as_str()];
        let hash = self.passwords().hash(&config.system.auth, new, &about).await?;
        let page = format!("{}/account", self.base_url());
        self.change(move |change| {
            let mut account = owner.account(change)?;
            proof.check(&account)?;
            account.password = Some(hash);
            let account = change.put_account(account)?;
            let ended = change.end_sessions(account.id, Some(&owner.session));
            change.drop_mailed_links(&account);
            let entry = owner.entry(change, &account, "password_changed");
            change.audit(entry.with("sessions_ended", ended));
            change.alert(&account, Alert::PasswordChanged, &owner.origin.user_agent, &page);
            Ok(())
        })
        .await
    }
}
