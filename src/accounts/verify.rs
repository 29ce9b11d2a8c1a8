//! How an address is verified, and what that does to an account that somebody else may have prepared.

use std::sync::Arc;

use super::{
    Account, AccountError, Accounts, Actor, AuditEntry, By, Change, Digest, Origin, Purpose,
    PurposeKind, Surface, admin::change_role, ticket::Spent,
};
use crate::{config::Config, model::AccountRole};

/// Where somebody goes on after a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoOn {
    /// The surface they came from.
    pub surface: Surface,
    /// The page they asked for.
    pub return_to: Option<String>,
}

impl Accounts {
    /// Uses a verification link. It signs nobody in: whoever knows the password may.
    ///
    /// # Errors
    /// [`AccountError::BadTicket`] when it is none or too old; when verification is switched off.
    pub async fn verify_email(&self, secret: &str, origin: Origin) -> Result<GoOn, AccountError> {
        let secret = secret.to_owned();
        let config = self.config();
        self.change(move |change| {
            if change.controls().disable_email_verification {
                return Err(AccountError::SwitchedOff("verification is"));
            }
            let digest = Digest::of(&secret);
            if let Some(spent) = change.find::<Spent>(&digest.hex())
                && change.at() < spent.expires_at
            {
                return Ok(GoOn { surface: spent.surface, return_to: spent.return_to });
            }
            let ticket = change.take_ticket(&secret, PurposeKind::VerifyEmail)?;
            let Purpose::VerifyEmail { email, password, name } = &ticket.purpose else {
                return Err(AccountError::BadTicket);
            };
            let id = ticket.account.ok_or(AccountError::BadTicket)?;
            let account = change.find_account(id).map_err(|_| AccountError::BadTicket)?;
            if account.email.as_ref() != Some(email) {
                return Err(AccountError::BadTicket);
            }
            let word = Word::Mail { password: password.as_deref(), name: name.as_deref() };
            claim(change, account, word, &config, &origin)?;
            let (surface, return_to) = (ticket.surface, ticket.return_to.clone());
            let expires_at = ticket.expires_at;
            change.put(&Spent { digest, expires_at, surface, return_to: return_to.clone() });
            Ok(GoOn { surface, return_to })
        })
        .await
    }
}

/// On whose word the address of an account is taken for its owner's.
#[derive(Clone, Copy)]
pub(super) enum Word<'a> {
    /// That of a mail which vouches for this password, as its hash, and this name: whoever asked for that mail chose
    /// them.
    Mail { password: Option<&'a str>, name: Option<&'a str> },
    /// That of who reads its mail, and came by another way than the password.
    Mailbox,
    /// That of an admin or the operator, who cannot know who chose the password.
    Admin(&'a By),
}

/// Gives an account whose address nobody had verified to whom it belongs by that word, without what a stranger may
/// have left in it. One that is verified is as it was; one that is to be verified again keeps what is in it. Answers it
/// as it is now.
///
/// # Errors
/// When the address is another account's by now.
pub(super) fn claim(
    change: &mut Change,
    mut account: Account,
    word: Word<'_>,
    config: &Config,
    origin: &Origin,
) -> Result<Account, AccountError> {
    if account.email_verified {
        return Ok(account);
    }
    // Whoever was in it before keeps what is theirs: only an admin can have asked to verify it again. A stranger who
    // signed up with the address never was: nobody signs in before it is verified.
    let is_unclaimed = account.is_unclaimed();
    let was_never_used = account.last_login_at.is_none();
    match word {
        Word::Mail { password, name } if is_unclaimed => {
            if account.password.as_deref() != password {
                take_over(change, &mut account);
                account.password = password.map(str::to_owned);
            }
            if let Some(name) = name {
                name.clone_into(&mut account.display_name);
            }
        }
        Word::Admin(_) if is_unclaimed => take_over(change, &mut account),
        // By whatever way somebody else was put into an account that nobody ever signed in to, it goes.
        Word::Mailbox if was_never_used => take_over(change, &mut account),
        Word::Mail { .. } | Word::Admin(_) | Word::Mailbox => {}
    }
    let account = match word {
        Word::Admin(by) => {
            let account = put_verified(change, account, config)?;
            let entry = by.entry(change, "email_marked_verified").to(&account);
            change.audit(entry.with("before", "unverified").with("after", "verified"));
            account
        }
        Word::Mail { .. } | Word::Mailbox => become_verified(change, account, config, origin)?,
    };
    Ok((*account).clone())
}

/// The address of an account is known to be its owner's: from now on it counts, and other tickets for it do not.
pub(super) fn become_verified(
    change: &mut Change,
    account: Account,
    config: &Config,
    origin: &Origin,
) -> Result<Arc<Account>, AccountError> {
    let account = put_verified(change, account, config)?;
    let entry = AuditEntry::new(change.at(), Actor::of(&account), "email_verified");
    change.audit(entry.to(&account).from(origin));
    Ok(account)
}

fn put_verified(
    change: &mut Change,
    mut account: Account,
    config: &Config,
) -> Result<Arc<Account>, AccountError> {
    account.email_verified = true;
    change.drop_tickets_of(account.id, |it| it.purpose.kind() == PurposeKind::VerifyEmail);
    promote(change, &mut account, config);
    change.put_account(account)
}

/// Takes out of an account what a stranger may have left in it.
fn take_over(change: &mut Change, account: &mut Account) {
    account.password = None;
    account.providers.clear();
    account.avatar_url = None;
    if let Some(email) = &account.email {
        email.local().clone_into(&mut account.display_name);
    }
    change.end_sessions(account.id, None);
    change.drop_mailed_links(account);
    for it in change.list_tokens(account.id) {
        change.remove_token(&it.digest);
    }
}

/// Makes an admin of an account whose verified address the operator listed. Never takes a role away.
pub(super) fn promote(change: &mut Change, account: &mut Account, config: &Config) {
    let listed = config.secrets.admin_emails().filter_map(|it| it.parse().ok());
    let is_listed = listed.into_iter().any(|it: super::Email| account.email.as_ref() == Some(&it));
    if is_listed && account.email_verified {
        change_role(change, account, AccountRole::Admin, &By::system());
    }
}
