//! What whoever operates the server does to accounts from its command line.

use std::sync::Arc;

use super::{
    Account, AccountError, AccountId, AccountStatus, Accounts, Alert, AuditEntry, By, Change,
    Email, NewApiToken, Purpose, Surface,
    admin::change_role,
    sign_up,
    verify::{Word, claim},
};
use crate::model::AccountRole;

fn entry(change: &Change, account: &Account, action: &str) -> AuditEntry {
    By::operator().entry(change, action).to(account)
}

impl Accounts {
    /// Makes an admin of whoever has an address, for which the operator vouches; makes the account when there is none.
    /// Answers whether it was made. Whatever a stranger left in one that nobody had verified is gone.
    ///
    /// # Errors
    /// For a password that is refused, and when the disk refuses.
    pub async fn admit_admin(
        &self,
        email: Email,
        password: Option<&str>,
    ) -> Result<(Arc<Account>, bool), AccountError> {
        let hash = match password {
            Some(it) => Some(self.hash_for(&email, it).await?),
            None => None,
        };
        let config = self.config();
        let page = format!("{}/account", self.base_url());
        self.change(move |change| {
            let origin = super::Origin::default();
            let known = change.find_by_email(&email).map(|it| (**it).clone());
            let made = known.is_none();
            let mut account = match known {
                Some(it) => it,
                None => {
                    sign_up::make_room(change, &config)?;
                    let account = Account::new(Some(email), "", change.at());
                    (*sign_up::create(change, account, "operator", &origin)?).clone()
                }
            };
            account = claim(change, account, Word::Admin(&By::operator()), &config, &origin)?;
            if let Some(hash) = hash {
                account.password = Some(hash);
                if !made {
                    change.end_sessions(account.id, None);
                    change.drop_mailed_links(&account);
                    let entry = entry(change, &account, "password_changed");
                    change.audit(entry);
                    change.alert(&account, Alert::PasswordChanged, "", &page);
                }
            }
            account.status = AccountStatus::Active;
            change_role(change, &mut account, AccountRole::Admin, &By::operator());
            Ok((change.put_account(account)?, made))
        })
        .await
    }

    /// Gives an account another password and ends its sign-ins; answers how many. Its tokens stay.
    ///
    /// # Errors
    /// For a password that is refused; when the account is gone or has no verified address; when the disk refuses.
    pub async fn replace_password(
        &self,
        id: AccountId,
        password: &str,
    ) -> Result<usize, AccountError> {
        let account = self.book().account(id).cloned().ok_or(AccountError::Unknown("account"))?;
        let Some(email) = account.email.clone() else {
            return Err(AccountError::Refused("this account has no mail address to sign in with"));
        };
        let hash = self.hash_for(&email, password).await?;
        let page = format!("{}/account", self.base_url());
        self.change(move |change| {
            let mut account = change.find_account(id)?;
            account.password = Some(hash);
            let ended = change.end_sessions(id, None);
            let account = change.put_account(account)?;
            change.drop_mailed_links(&account);
            let entry = entry(change, &account, "password_changed");
            change.audit(entry.with("sessions_invalidated", ended));
            change.alert(&account, Alert::PasswordChanged, "", &page);
            Ok(ended)
        })
        .await
    }

    /// A link that signs an account in, once.
    ///
    /// # Errors
    /// When the account is gone, has no address, or is suspended; when the disk refuses.
    pub async fn open_link(&self, id: AccountId) -> Result<String, AccountError> {
        let minutes = self.config().system.auth.mail_link_minutes;
        let base = self.base_url().to_owned();
        self.change(move |change| {
            let account = change.find_account(id)?;
            if !account.is_active() {
                return Err(AccountError::Suspended);
            }
            let Some(email) = account.email.clone() else {
                return Err(AccountError::Refused("this account has no mail address"));
            };
            let purpose = Purpose::MagicLink { email };
            let secret = change.open_ticket(purpose, Some(id), minutes, Surface::Public, None);
            let entry = entry(change, &account, "magic_link_requested");
            change.audit(entry.ended("printed"));
            Ok(format!("{base}/auth/link?token={}", secret.expose()))
        })
        .await
    }

    /// Gives an account a token for its programs: what they send.
    ///
    /// # Errors
    /// When it is gone or has as many as it may, or the disk refuses.
    pub async fn give_token(
        &self,
        id: AccountId,
        new: NewApiToken,
    ) -> Result<String, AccountError> {
        let page = format!("{}/account", self.base_url());
        self.change(move |change| {
            let account = change.find_account(id)?;
            let name = new.name.clone();
            let (text, _) = change.open_token(id, new)?;
            let entry = entry(change, &account, "token_created");
            change.audit(entry.with("name", name.clone()));
            change.alert(&account, Alert::TokenCreated { name }, "", &page);
            Ok(text)
        })
        .await
    }

    async fn hash_for(&self, email: &Email, password: &str) -> Result<String, AccountError> {
        let about = [email.as_str(), email.local()];
        self.passwords().hash(&self.config().system.auth, password, &about).await
    }
}
