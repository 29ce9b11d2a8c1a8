//! Whoever changes their own account, and how they show that it is theirs.

use super::{
    Account, AccountError, AccountId, Accounts, Actor, AuditEntry, Change, Digest, LockoutKey,
    Origin, Verdict,
};

/// Time after a sign-in in which whoever has no password may do what others need theirs for (ms).
const RECENT_MS: i64 = 15 * 60_000;

/// Whoever changes their own account: over which sign-in, and from where.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Whose account it is.
    pub account: AccountId,
    /// The sign-in that asks.
    pub session: Digest,
    /// From where.
    pub origin: Origin,
}

impl Owner {
    /// The account, while the sign-in that asks is open: it may have been ended since it was let in.
    pub(super) fn account(&self, change: &Change) -> Result<Account, AccountError> {
        let session = change.session(&self.session).filter(|it| it.account == self.account);
        session.ok_or(AccountError::SignedOut)?;
        let account = change.find_account(self.account).map_err(|_| AccountError::SignedOut)?;
        if account.is_active() { Ok(account) } else { Err(AccountError::Suspended) }
    }

    /// An entry of the audit: they did this to their account.
    pub(super) fn entry(&self, change: &Change, account: &Account, action: &str) -> AuditEntry {
        let entry = AuditEntry::new(change.at(), Actor::of(account), action);
        entry.to(account).from(&self.origin)
    }
}

/// A cookie alone may be stolen: this is what its thief does not have.
pub(super) struct Proof {
    /// The hash that the password fitted; `None` where there is no password.
    fitted: Option<String>,
}

impl Proof {
    /// Holds it against the account as it is by now.
    pub(super) fn check(&self, account: &Account) -> Result<(), AccountError> {
        if account.password == self.fitted { Ok(()) } else { Err(AccountError::NotYourPassword) }
    }
}

impl Accounts {
    /// Refuses whoever adds a way in over a sign-in that is not recent: it outlasts a cookie that was stolen.
    ///
    /// # Errors
    /// [`AccountError::SignInAgain`]; [`AccountError::SignedOut`] when the sign-in has ended.
    pub fn check_recent(&self, owner: &Owner) -> Result<(), AccountError> {
        let book = self.book();
        let session = book.session(&owner.session).ok_or(AccountError::SignedOut)?;
        if self.now().ms_since(session.created_at) > RECENT_MS {
            return Err(AccountError::SignInAgain);
        }
        Ok(())
    }

    /// Lets somebody show that the account is theirs: with its password, or without one by a sign-in that is recent.
    ///
    /// # Errors
    /// [`AccountError::PasswordNeeded`], [`AccountError::NotYourPassword`], [`AccountError::SignInAgain`];
    /// [`AccountError::TooMany`] while wrong guesses make the account or the address wait.
    pub(super) async fn prove_owner(
        &self,
        owner: &Owner,
        password: Option<&str>,
    ) -> Result<Proof, AccountError> {
        let (book, at) = (self.book(), self.now());
        let account = book.account(owner.account).ok_or(AccountError::SignedOut)?;
        let Some(hash) = account.password.clone() else {
            self.check_recent(owner)?;
            return Ok(Proof { fitted: None });
        };
        let password = password.filter(|it| !it.is_empty()).ok_or(AccountError::PasswordNeeded)?;
        // Counted together with the guesses of the login page.
        let (guessed, address) = (LockoutKey::from(&**account), owner.origin.address);
        let attempt = self.lockout().attempt(guessed, address, at);
        let attempt = attempt.map_err(AccountError::TooMany)?;
        let config = self.config();
        match self.passwords().verify(&config.system.auth, Some(&hash), password).await {
            Err(error) => {
                self.lockout().unjudged(attempt);
                Err(error)
            }
            Ok(Verdict::Wrong) => {
                let held = self.lockout().wait(guessed, address, at).is_some();
                let result = if held { "login_backoff" } else { "failed" };
                let entry = AuditEntry::new(at, Actor::of(account), "password_check_failed");
                self.note(entry.to(account).from(&owner.origin).ended(result));
                Err(AccountError::NotYourPassword)
            }
            Ok(Verdict::Right | Verdict::RightButOld) => {
                self.lockout().right(attempt);
                Ok(Proof { fitted: Some(hash) })
            }
        }
    }
}
