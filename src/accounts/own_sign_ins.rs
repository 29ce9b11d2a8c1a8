//! What opens an account besides its password, as its owner looks after it: sign-ins and API tokens.

use std::sync::Arc;

use uuid::Uuid;

use super::{AccountError, Accounts, Alert, ApiToken, NewApiToken, Owner};

impl Accounts {
    /// Ends all sign-ins of the account but the one that asks; answers how many.
    ///
    /// # Errors
    /// When that one has ended itself, or the disk refuses.
    pub async fn end_other_sessions(&self, owner: Owner) -> Result<usize, AccountError> {
        self.change(move |change| {
            let account = owner.account(change)?;
            let ended = change.end_sessions(account.id, Some(&owner.session));
            if ended > 0 {
                let entry = owner.entry(change, &account, "sessions_ended");
                change.audit(entry.with("sessions_ended", ended));
            }
            Ok(ended)
        })
        .await
    }

    /// Gives the account an API token: what its programs send, and the token.
    ///
    /// # Errors
    /// When it has as many as it may; [`AccountError::SignInAgain`] when the sign-in is not recent;
    /// [`AccountError::SignedOut`].
    pub async fn add_token(
        &self,
        owner: Owner,
        new: NewApiToken,
    ) -> Result<(String, Arc<ApiToken>), AccountError> {
        self.check_recent(&owner)?;
        let page = format!("{}/account", self.base_url());
        self.change(move |change| {
            let account = owner.account(change)?;
            let name = new.name.clone();
            let (text, token) = change.open_token(account.id, new)?;
            let entry = owner.entry(change, &account, "token_created");
            let entry = entry.with("token", token.id.to_string());
            change.audit(entry.with("expires_at", token.expires_at.map(|it| it.to_string())));
            let what = Alert::TokenCreated { name };
            change.alert(&account, what, &owner.origin.user_agent, &page);
            Ok((text, token))
        })
        .await
    }

    /// Takes a token away.
    ///
    /// # Errors
    /// [`AccountError::Unknown`] when it is none of the account's.
    pub async fn remove_token(&self, owner: Owner, id: Uuid) -> Result<(), AccountError> {
        self.change(move |change| {
            let account = owner.account(change)?;
            let token = change.list_tokens(account.id).into_iter().find(|it| it.id == id);
            let token = token.ok_or(AccountError::Unknown("token"))?;
            change.remove_token(&token.digest);
            let entry = owner.entry(change, &account, "token_removed");
            change.audit(entry.with("token", id.to_string()));
            Ok(())
        })
        .await
    }
}
