//! How an address is verified, and what that does to an account that somebody else may have prepared.

use super::{
    Account, AccountError, Accounts, Actor, AuditEntry, By, Change, Digest, Origin, Purpose,
    Surface, admin::change_role, ticket::Spent,
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
            let ticket = change.take_ticket(&secret, "verify_email")?;
            let Purpose::VerifyEmail { email, password, name } = &ticket.purpose else {
                return Err(AccountError::BadTicket);
            };
            let id = ticket.account.ok_or(AccountError::BadTicket)?;
            let mut account = change.find_account(id).map_err(|_| AccountError::BadTicket)?;
            if account.email.as_ref() != Some(email) {
                return Err(AccountError::BadTicket);
            }
            if !account.email_verified {
                // Whoever was in it before keeps their password: only an admin can have asked to verify it again.
                if account.is_unclaimed() {
                    if account.password != *password {
                        take_over(change, &mut account);
                        account.password.clone_from(password);
                    }
                    if let Some(name) = name {
                        account.display_name.clone_from(name);
                    }
                }
                become_verified(change, account, &config, &origin)?;
            }
            let (surface, return_to) = (ticket.surface, ticket.return_to.clone());
            let expires_at = ticket.expires_at;
            change.put(&Spent { digest, expires_at, surface, return_to: return_to.clone() });
            Ok(GoOn { surface, return_to })
        })
        .await
    }
}

/// The address of an account is known to be its owner's: from now on it counts, and other tickets for it do not.
pub(super) fn become_verified(
    change: &mut Change,
    mut account: Account,
    config: &Config,
    origin: &Origin,
) -> Result<std::sync::Arc<Account>, AccountError> {
    account.email_verified = true;
    let id = account.id;
    change.drop_tickets_of(id, |it| it.purpose.kind() == "verify_email");
    promote(change, &mut account, config);
    let account = change.put_account(account)?;
    let entry = AuditEntry::new(change.at(), Actor::of(&account), "email_verified");
    change.audit(entry.to(&account).from(origin));
    Ok(account)
}

/// Whoever proved by another way than the password that an unverified address is theirs gets the account without
/// what a stranger may have left in it.
pub(super) fn take_over(change: &mut Change, account: &mut Account) {
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
