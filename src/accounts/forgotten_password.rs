//! How somebody who has forgotten their password gets another one, without telling anybody who has an account.

use super::{
    AccountError, AccountId, Accounts, Actor, Alert, AuditEntry, Book, Change, Digest, Email, GoOn,
    Letter, Origin, Purpose, PurposeKind, Surface, Ticket,
    verify::{Word, claim},
};

impl Accounts {
    /// Sends a link to choose another password with, if the address has an account.
    ///
    /// # Errors
    /// When the disk refuses. Never by whether there is an account.
    pub async fn send_reset_link(
        &self,
        email: Email,
        surface: Surface,
        origin: Origin,
    ) -> Result<(), AccountError> {
        if !self.paces().mail(&email) {
            let entry = AuditEntry::new(self.now(), Actor::Nobody, "password_reset_requested");
            self.note(entry.about(&email).from(&origin).ended("rate_limited"));
            return Ok(());
        }
        let minutes = self.config().system.auth.mail_link_minutes;
        let base = self.base_url().to_owned();
        self.change(move |change| {
            let known = change.find_by_email(&email).cloned();
            let result = match &known {
                Some(it) if !it.is_active() => "inactive",
                Some(_) => "sent",
                None => "no_account",
            };
            // Audited also where there is none: it takes as long.
            let entry = AuditEntry::new(change.at(), Actor::Nobody, "password_reset_requested");
            let entry = entry.about(&email).from(&origin).ended(result);
            change.audit(match &known {
                Some(it) => entry.to(it),
                None => entry,
            });
            if let Some(known) = known.filter(|_| result == "sent") {
                mail_reset_link(change, known.id, &email, minutes, surface, &base);
            }
            Ok(())
        })
        .await
    }

    /// Whose password a link sets, as long as it works. It is not used up.
    #[must_use]
    pub fn find_reset(&self, secret: &str) -> Option<Email> {
        let (book, at) = (self.book(), self.now());
        let ticket = book.ticket(&Digest::of(secret))?;
        let works = ticket.purpose == Purpose::ResetPassword && ticket.is_open(at);
        let account = book.account(ticket.account?).filter(|it| works && it.is_active())?;
        account.email.clone()
    }

    /// Sets the password with such a link. It came by mail: so the address is verified, and all that could be had
    /// with the old password ends.
    ///
    /// # Errors
    /// [`AccountError::BadTicket`] when it is none, too old, or was used; for a password that is refused, and then the
    /// link still works.
    pub async fn reset_password(
        &self,
        secret: &str,
        password: &str,
        origin: Origin,
    ) -> Result<GoOn, AccountError> {
        // Before anything is hashed for whoever guesses.
        let email = self.find_reset(secret).ok_or(AccountError::BadTicket)?;
        let config = self.config();
        let about = [email.as_str(), email.local()];
        let hash = self.passwords().hash(&config.system.auth, password, &about).await?;
        let (secret, page) = (secret.to_owned(), format!("{}/account", self.base_url()));
        let address = email.clone();
        let gone_on = self.change(move |change| {
            let ticket = change.take_ticket(&secret, PurposeKind::ResetPassword)?;
            let mut account = find_owner(change, &ticket)?;
            // It may have moved on to another address since the mail was sent.
            if account.email.as_ref() != Some(&address) {
                return Err(AccountError::BadTicket);
            }
            if !account.email_verified && change.controls().disable_email_verification {
                return Err(AccountError::SwitchedOff("verification is"));
            }
            account = claim(change, account, Word::Mailbox, &config, &origin)?;
            account.password = Some(hash);
            change.put_account(account.clone())?;
            let ended = change.end_sessions(account.id, None);
            change.drop_mailed_links(&account);
            let entry = AuditEntry::new(change.at(), Actor::of(&account), "password_reset");
            let entry = entry.to(&account).from(&origin);
            change.audit(entry.with("sessions_ended", ended));
            change.alert(&account, Alert::PasswordChanged, &origin.user_agent, &page);
            Ok(GoOn { surface: ticket.surface, return_to: None })
        });
        let gone_on = gone_on.await?;
        // Whoever guessed made the account wait: its owner need not.
        self.lockout().forget(&email);
        Ok(gone_on)
    }
}

/// Mails a link to choose a password with, which works for so many minutes.
pub(super) fn mail_reset_link(
    change: &mut Change,
    account: AccountId,
    email: &Email,
    minutes: u32,
    surface: Surface,
    base: &str,
) {
    let id = Some(account);
    let secret = change.open_ticket(Purpose::ResetPassword, id, minutes, surface, None);
    let link = format!("{base}/auth/password/reset?token={}", secret.expose());
    change.mail(email, id, Letter::ResetPassword { link, minutes });
}

/// The account of a ticket, if it may be used.
pub(super) fn find_owner(change: &Change, ticket: &Ticket) -> Result<super::Account, AccountError> {
    let id = ticket.account.ok_or(AccountError::BadTicket)?;
    let account = Book::account(change, id).ok_or(AccountError::BadTicket)?;
    if account.is_active() { Ok((**account).clone()) } else { Err(AccountError::Suspended) }
}
