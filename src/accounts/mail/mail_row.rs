//! Mails that wait in the file of accounts.

use super::{Waiting, WaitingError};
use crate::{
    accounts::{AccountError, Accounts, Actor, AuditEntry, Change, Mail, Record},
    model::Timestamp,
};

impl From<AccountError> for WaitingError {
    fn from(error: AccountError) -> Self {
        Self(error.to_string())
    }
}

impl Waiting for Accounts {
    fn now(&self) -> Timestamp {
        self.now()
    }

    fn list(&self) -> Vec<Mail> {
        // Ids come in the order in which changes are made.
        self.book().list("")
    }

    async fn changed(&self) {
        self.mailed().notified().await;
    }

    async fn done(&self, mail: &Mail, message_id: Option<&str>) -> Result<(), WaitingError> {
        let (mail, message_id) = (mail.clone(), message_id.map(str::to_owned));
        let work = move |change: &mut Change| {
            let entry = entry(change, &mail, "mail_sent").ended("sent");
            change.audit(match message_id {
                Some(it) => entry.with("resend_message_id", it),
                None => entry,
            });
            change.remove::<Mail>(&mail.key());
            Ok(())
        };
        Ok(self.change(work).await?)
    }

    async fn again(&self, mail: &Mail, at: Timestamp) -> Result<(), WaitingError> {
        let mut mail = mail.clone();
        let work = move |change: &mut Change| {
            // Its account may be gone meanwhile, and it with that.
            if change.find::<Mail>(&mail.key()).is_some() {
                mail.attempts = mail.attempts.saturating_add(1);
                mail.next_attempt_at = at;
                change.put(&mail);
            }
            Ok(())
        };
        Ok(self.change(work).await?)
    }

    async fn gave_up(&self, mail: &Mail, reason: &str) -> Result<(), WaitingError> {
        let (mail, reason) = (mail.clone(), reason.to_owned());
        let work = move |change: &mut Change| {
            let entry = entry(change, &mail, "mail_failed").ended("failed").with("reason", reason);
            change.audit(entry);
            change.remove::<Mail>(&mail.key());
            Ok(())
        };
        Ok(self.change(work).await?)
    }
}

/// What became of a mail, as far as the audit may know: not what it says, and not to whom in full.
fn entry(change: &Change, mail: &Mail, action: &str) -> AuditEntry {
    let entry = AuditEntry::new(change.at(), Actor::System, action)
        .about(&mail.to)
        .with("email_type", mail.letter.kind())
        .with("mail_id", mail.id.to_string())
        .with("attempts", mail.attempts.saturating_add(1));
    match mail.account.and_then(|it| change.account(it)) {
        Some(account) => entry.to(account),
        None => entry,
    }
}
