//! How somebody who has no account gets one, without telling anybody who has.

use super::{
    Account, AccountError, Accounts, Actor, AuditEntry, Book, Change, Email, Letter, Origin,
    Purpose, Secret, Surface, Verdict, readable_name,
};
use crate::config::Config;

const FULL: AccountError = AccountError::Refused("this server takes no more accounts");

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
        let config = self.config();
        may_sign_up(&self.book(), &config)?;
        let name = readable_name(&new.display_name);
        let about = [new.email.as_str(), new.email.local(), name.as_deref().unwrap_or_default()];
        // All of this takes as long for an address that is taken.
        let hash = self.passwords().hash(&config.system.auth, password, &about).await?;
        let before = self.book().find_by_email(&new.email).filter(|it| it.is_unclaimed()).cloned();
        let before = before.and_then(|it| it.password.clone());
        let verdict = self.passwords().verify(&config.system.auth, before.as_deref(), password);
        let same = verdict.await? != Verdict::Wrong;
        if !self.paces().mail(&new.email) {
            let entry = AuditEntry::new(self.now(), Actor::Nobody, "signup_refused");
            self.note(entry.about(&new.email).from(&new.origin).ended("rate_limited"));
            return Ok(());
        }
        let minutes = config.system.auth.mail_link_minutes;
        let base = self.base_url().to_owned();
        self.change(move |change| {
            may_sign_up(change, &config)?;
            let known = change.find_by_email(&new.email).cloned();
            // One whose owner must verify it again is as good as verified: a stranger's password must not get there.
            if let Some(known) = known.as_ref().filter(|it| !it.is_unclaimed()) {
                let entry = AuditEntry::new(change.at(), Actor::Nobody, "signup_refused");
                change.audit(entry.to(known).from(&new.origin).ended("failed"));
                let login = format!("{base}/login");
                change.mail(&new.email, Some(known.id), Letter::HaveAccount { login });
                return Ok(());
            }
            let id = match known {
                Some(known) => {
                    let entry = AuditEntry::new(change.at(), Actor::Nobody, "signup_repeated");
                    change.audit(entry.to(&known).from(&new.origin).ended("sent"));
                    if known.password.is_some() && !(same && known.password == before) {
                        // Two people may want it. Each mail vouches for the password of whoever asked for it; one that
                        // is sent again vouches for none.
                        let account = Account { password: None, ..(*known).clone() };
                        change.put_account(account)?;
                    }
                    known.id
                }
                None => {
                    make_room(change, &config)?;
                    let name = name.as_deref().unwrap_or_default();
                    let mut account = Account::new(Some(new.email.clone()), name, change.at());
                    account.password = Some(hash.clone());
                    create(change, account, "password", &new.origin)?.id
                }
            };
            let (email, password) = (new.email.clone(), Some(hash));
            let purpose = Purpose::VerifyEmail { email, password, name };
            let secret = change.open_ticket(purpose, Some(id), minutes, new.surface, new.return_to);
            let link = verify_link(&base, &secret);
            change.mail(&new.email, Some(id), Letter::Verify { link, minutes });
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
        if !self.paces().mail(&new.email) {
            let entry = AuditEntry::new(self.now(), Actor::Nobody, "magic_link_requested");
            self.note(entry.about(&new.email).from(&new.origin).ended("rate_limited"));
            return Ok(());
        }
        self.change(move |change| {
            let known = change.find_by_email(&new.email).cloned();
            let suspended = known.as_ref().is_some_and(|it| !it.is_active());
            let closed = known.is_none() && change.controls().disable_new_signups;
            // It would verify the address besides.
            let verifies = known.as_ref().is_none_or(|it| !it.email_verified);
            let off = verifies && change.controls().disable_email_verification;
            let sends = !suspended && !closed && !off;
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
        return_to: Option<String>,
        origin: Origin,
    ) -> Result<(), AccountError> {
        if self.book().controls().disable_resend_verification {
            return Err(AccountError::SwitchedOff("sending it again is"));
        }
        if !self.paces().mail(&email) {
            let entry = AuditEntry::new(self.now(), Actor::Nobody, "verification_resent");
            self.note(entry.about(&email).from(&origin).ended("rate_limited"));
            return Ok(());
        }
        let minutes = self.config().system.auth.mail_link_minutes;
        let base = self.base_url().to_owned();
        self.change(move |change| {
            let known = change.find_by_email(&email).cloned();
            let result = match &known {
                None => "no_account",
                Some(it) if it.email_verified => "already_verified",
                Some(_) => "sent",
            };
            // Audited also where there is none: it takes as long.
            let entry = AuditEntry::new(change.at(), Actor::Nobody, "verification_resent");
            let entry = entry.about(&email).from(&origin).ended(result);
            change.audit(match &known {
                Some(it) => entry.to(it),
                None => entry,
            });
            if let Some(known) = known.filter(|it| !it.email_verified) {
                // The mail vouches for the password that the account has; it has none once two people wanted it.
                let password = known.password.clone();
                let purpose = Purpose::VerifyEmail { email: email.clone(), password, name: None };
                let secret =
                    change.open_ticket(purpose, Some(known.id), minutes, surface, return_to);
                let link = verify_link(&base, &secret);
                change.mail(&email, Some(known.id), Letter::Verify { link, minutes });
            }
            Ok(())
        })
        .await
    }
}

/// Refuses everybody alike, whoever they are.
fn may_sign_up(book: &Book, config: &Config) -> Result<(), AccountError> {
    if book.controls().disable_new_signups {
        return Err(AccountError::SwitchedOff("sign-ups are"));
    }
    let most = config.system.auth.max_accounts as usize;
    if book.len() >= most && book.count_unclaimed() == 0 {
        return Err(FULL);
    }
    Ok(())
}

/// Most accounts that nobody has shown to be theirs: anybody can make them.
fn most_unclaimed(config: &Config) -> usize {
    (config.system.auth.max_accounts as usize / 10).clamp(100, 10_000)
}

/// Makes room for one more account: those that nobody has shown to be theirs give way, the oldest first.
///
/// # Errors
/// When the server is full of others.
pub(super) fn make_room(change: &mut Change, config: &Config) -> Result<(), AccountError> {
    let most = config.system.auth.max_accounts as usize;
    while change.len() >= most || change.count_unclaimed() >= most_unclaimed(config) {
        let oldest = change.unclaimed().next().cloned().ok_or(FULL)?;
        let entry = AuditEntry::new(change.at(), Actor::System, "account_abandoned");
        change.audit(entry.to(&oldest).with("why", "newer ones needed the room"));
        change.remove_account(oldest.id);
    }
    Ok(())
}

pub(super) fn verify_link(base: &str, secret: &Secret) -> String {
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
