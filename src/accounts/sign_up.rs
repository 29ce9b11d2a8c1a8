//! How somebody who has no account gets one, without telling anybody who has.

use super::{
    Account, AccountError, Accounts, Actor, AuditEntry, Change, Email, Letter, Origin, Purpose,
    Secret, Surface,
};

/// What somebody sent to get an account, or a link to sign in with.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// Their address.
    pub email: Email,
    /// What others should call them; empty is the first part of the address.
    pub display_name: String,
    /// Where they do it.
    pub surface: Surface,
    /// The page they go on to.
    pub return_to: Option<String>,
    /// From where.
    pub origin: Origin,
}

impl Accounts {
    /// Makes an account with a password, and sends a mail to verify its address. What happens when the address has an
    /// account is for the owner of the address to know: they get a mail that says so.
    ///
    /// # Errors
    /// For a password that is refused, when sign-ups are switched off, and when the disk refuses. Never for an address
    /// that is taken.
    pub async fn sign_up(&self, new: SignUp, password: &str) -> Result<(), AccountError> {
        if self.book().controls().disable_new_signups {
            return Err(AccountError::SwitchedOff("sign-ups are"));
        }
        let config = self.config();
        let about = [new.email.as_str(), new.email.local(), new.display_name.as_str()];
        let hash = self.passwords().hash(&config.system.auth, password, &about).await?;
        // Hashed first: an address that is taken takes as long.
        let may_mail = self.paces().mail(&new.email);
        let minutes = config.system.auth.mail_link_minutes;
        let most = config.system.auth.max_accounts as usize;
        let base = self.base_url().to_owned();
        self.change(move |change| {
            let known = change.find_by_email(&new.email).cloned();
            if let Some(known) = known.as_ref().filter(|it| it.email_verified) {
                let entry = AuditEntry::new(change.at(), Actor::Nobody, "signup_refused");
                change.audit(entry.to(known).from(&new.origin).ended("failed"));
                if may_mail {
                    let login = format!("{base}/login");
                    change.mail(&new.email, Some(known.id), Letter::HaveAccount { login });
                }
                return Ok(());
            }
            let id = match known {
                Some(it) => it.id,
                None => {
                    if change.len() >= most {
                        return Err(AccountError::Refused("this server takes no more accounts"));
                    }
                    let mut account =
                        Account::new(Some(new.email.clone()), &new.display_name, change.at());
                    account.password = Some(hash.clone());
                    create(change, account, "password", &new.origin)?.id
                }
            };
            if may_mail {
                let (email, password) = (new.email.clone(), Some(hash));
                let purpose = Purpose::VerifyEmail { email, password };
                let secret =
                    change.open_ticket(purpose, Some(id), minutes, new.surface, new.return_to);
                let link = verify_link(&base, &secret);
                change.mail(&new.email, Some(id), Letter::Verify { link, minutes });
            }
            Ok(())
        })
        .await
    }

    /// Sends a link that signs in, and makes the account when there is none.
    ///
    /// # Errors
    /// When the disk refuses. Never by whether there is an account.
    pub async fn send_magic_link(&self, new: SignUp) -> Result<(), AccountError> {
        let config = self.config();
        let minutes = config.system.auth.mail_link_minutes;
        let base = self.base_url().to_owned();
        let may_mail = self.paces().mail(&new.email);
        self.change(move |change| {
            let known = change.find_by_email(&new.email).cloned();
            let suspended = known.as_ref().is_some_and(|it| !it.is_active());
            let closed = known.is_none() && change.controls().disable_new_signups;
            let sends = may_mail && !suspended && !closed;
            let result = if sends { "sent" } else { "failed" };
            let entry = AuditEntry::new(change.at(), Actor::Nobody, "magic_link_requested");
            let entry = entry.about(&new.email).from(&new.origin).ended(result);
            change.audit(match &known {
                Some(it) => entry.to(it),
                None => entry,
            });
            if sends {
                let id = known.map(|it| it.id);
                let purpose = Purpose::MagicLink { email: new.email.clone() };
                let secret = change.open_ticket(purpose, id, minutes, new.surface, new.return_to);
                let link = format!("{base}/auth/link?token={}", secret.expose());
                change.mail(&new.email, id, Letter::MagicLink { link, minutes });
            }
            Ok(())
        })
        .await
    }

    /// Sends the verification mail again. Whether there is anything to verify is for the owner to know.
    ///
    /// # Errors
    /// When it is switched off, or the disk refuses.
    pub async fn resend_verification(
        &self,
        email: Email,
        surface: Surface,
        origin: Origin,
    ) -> Result<(), AccountError> {
        if self.book().controls().disable_resend_verification {
            return Err(AccountError::SwitchedOff("sending it again is"));
        }
        let may_mail = self.paces().mail(&email);
        let minutes = self.config().system.auth.mail_link_minutes;
        let base = self.base_url().to_owned();
        self.change(move |change| {
            let Some(known) = change.find_by_email(&email).cloned() else { return Ok(()) };
            let entry = AuditEntry::new(change.at(), Actor::Nobody, "verification_resent");
            let result = match (known.email_verified, may_mail) {
                (true, _) => "already_verified",
                (_, false) => "rate_limited",
                _ => "sent",
            };
            change.audit(entry.to(&known).from(&origin).ended(result));
            if result == "sent" {
                // The mail vouches for the password that the account has: that of the first who signed up.
                let password = known.password.clone();
                let purpose = Purpose::VerifyEmail { email: email.clone(), password };
                let secret = change.open_ticket(purpose, Some(known.id), minutes, surface, None);
                let link = verify_link(&base, &secret);
                change.mail(&email, Some(known.id), Letter::Verify { link, minutes });
            }
            Ok(())
        })
        .await
    }
}

fn verify_link(base: &str, secret: &Secret) -> String {
    format!("{base}/auth/verify/email?token={}", secret.expose())
}

/// Puts a new account in, under a code of its own, and notes it.
///
/// # Errors
/// [`AccountError::Taken`] when another account has its address or sign-in elsewhere.
pub(super) fn create(
    change: &mut Change,
    mut account: Account,
    method: &str,
    origin: &Origin,
) -> Result<std::sync::Arc<Account>, AccountError> {
    while change.find_by_code(&account.user_code).is_some() {
        account.user_code = super::UserCode::random();
    }
    let account = change.put_account(account)?;
    let entry = AuditEntry::new(change.at(), Actor::of(&account), "account_created");
    change.audit(entry.to(&account).from(origin).with("method", method));
    Ok(account)
}
