//! How an account moves to another mail address: its owner asks, and whoever reads the new address says yes.

use super::{
    AccountError, Accounts, Actor, Alert, AuditEntry, Change, Digest, Email, GoOn, Letter, Origin,
    Owner, Purpose, PurposeKind, Surface, forgotten_password::find_owner, verify,
};

impl Accounts {
    /// Sends a link to the new address. That another account has it, its owner is told, and nobody else.
    ///
    /// # Errors
    /// For a password that is missing or wrong; without one, [`AccountError::SignInAgain`] when the sign-in is not
    /// recent; [`AccountError::Refused`] for the address that it has already. Never for one that is taken.
    pub async fn ask_for_address(
        &self,
        owner: Owner,
        email: Email,
        password: Option<&str>,
        surface: Surface,
    ) -> Result<(), AccountError> {
        let proof = self.prove_owner(&owner, password).await?;
        let account = self.book().account(owner.account).cloned();
        let old = account.and_then(|it| it.email.clone());
        // Both get a mail, and neither more of them than anybody may cause.
        let may_mail =
            self.paces().mail(&email) & old.as_ref().is_none_or(|it| self.paces().mail(it));
        let minutes = self.config().system.auth.mail_link_minutes;
        let base = self.base_url().to_owned();
        self.change(move |change| {
            let account = owner.account(change)?;
            proof.check(&account)?;
            if account.email_verified && account.email.as_ref() == Some(&email) {
                return Err(AccountError::Refused("that is the address the account has"));
            }
            let result = if may_mail { "sent" } else { "rate_limited" };
            let entry = owner.entry(change, &account, "email_change_requested");
            change.audit(entry.about(&email).ended(result));
            if !may_mail {
                return Ok(());
            }
            let id = account.id;
            change.drop_tickets_of(id, |it| it.purpose.kind() == PurposeKind::ChangeEmail);
            let holder = change.find_by_email(&email).filter(|it| it.id != id).cloned();
            if let Some(holder) = holder.filter(|it| it.email_verified) {
                let login = format!("{base}/login");
                change.mail(&email, Some(holder.id), Letter::HaveAccount { login });
            } else {
                let purpose = Purpose::ChangeEmail { email: email.clone() };
                let secret = change.open_ticket(purpose, Some(id), minutes, surface, None);
                let link = format!("{base}/auth/email/change/confirm?token={}", secret.expose());
                change.mail(&email, Some(id), Letter::ConfirmAddress { link, minutes });
            }
            let what = Alert::AddressChanging { to: email.redacted() };
            change.alert(&account, what, &owner.origin.user_agent, &format!("{base}/account"));
            Ok(())
        })
        .await
    }

    /// To which address a link moves its account, as long as it works. It is not used up.
    #[must_use]
    pub fn find_address_change(&self, secret: &str) -> Option<Email> {
        let (book, at) = (self.book(), self.now());
        let ticket = book.ticket(&Digest::of(secret)).filter(|it| it.is_open(at))?;
        match &ticket.purpose {
            Purpose::ChangeEmail { email } => Some(email.clone()),
            _ => None,
        }
    }

    /// Moves the account.
    ///
    /// # Errors
    /// [`AccountError::BadTicket`] when the link is none, too old, or was used; [`AccountError::Taken`] when another
    /// account got the address meanwhile; [`AccountError::SwitchedOff`].
    pub async fn confirm_address(
        &self,
        secret: &str,
        origin: Origin,
    ) -> Result<GoOn, AccountError> {
        let (secret, config) = (secret.to_owned(), self.config());
        let page = format!("{}/account", self.base_url());
        self.change(move |change| {
            if change.controls().disable_email_verification {
                return Err(AccountError::SwitchedOff("verification is"));
            }
            let ticket = change.take_ticket(&secret, PurposeKind::ChangeEmail)?;
            let Purpose::ChangeEmail { email } = &ticket.purpose else {
                return Err(AccountError::BadTicket);
            };
            let before = find_owner(change, &ticket)?;
            free_address(change, email, before.id)?;
            // While the old address still leads to it.
            change.drop_mailed_links(&before);
            let mut account = before.clone();
            account.email = Some(email.clone());
            let account = verify::become_verified(change, account, &config, &origin)?;
            change.drop_mailed_links(&account);
            let entry = AuditEntry::new(change.at(), Actor::of(&account), "email_changed");
            let entry = entry.to(&account).from(&origin);
            let old = before.email.as_ref().map(Email::redacted);
            change.audit(entry.with("before", old));
            let what = Alert::AddressChanged { to: email.redacted() };
            change.alert(&before, what, &origin.user_agent, &page);
            Ok(GoOn { surface: ticket.surface, return_to: None })
        })
        .await
    }
}

/// Takes an address from an account that never showed that it is its own: whoever reads the address just did.
fn free_address(
    change: &mut Change,
    email: &Email,
    but: super::AccountId,
) -> Result<(), AccountError> {
    let Some(holder) = change.find_by_email(email).filter(|it| it.id != but).cloned() else {
        return Ok(());
    };
    if holder.email_verified {
        return Err(AccountError::Taken("that address"));
    }
    let entry = AuditEntry::new(change.at(), Actor::System, "account_abandoned").to(&holder);
    if holder.is_unclaimed() {
        change.audit(entry);
        change.remove_account(holder.id);
    } else {
        // Somebody was in it before, and may come back by another way.
        let mut holder = (*holder).clone();
        holder.email = None;
        holder.password = None;
        let id = holder.id;
        change.drop_tickets_of(id, |it| it.purpose.kind() == PurposeKind::VerifyEmail);
        change.put_account(holder)?;
        change.audit(AuditEntry { action: "email_lost".to_owned(), ..entry });
    }
    Ok(())
}
