//! How somebody gets in: with a password, or with a link from a mail.

use std::sync::Arc;

use super::{
    Account, AccountError, AccountId, Accounts, Actor, Alert, AuditEntry, Change, Email,
    NewSession, Origin, Purpose, PurposeKind, Secret, Session, Surface, Verdict,
    audit::short_agent,
    lockout::network,
    sign_up,
    verify::{self, Word},
};
use crate::config::Config;

/// Somebody who just signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub account: Arc<Account>,
    /// The sign-in.
    pub session: Arc<Session>,
    /// What the cookie holds.
    pub secret: Secret,
    /// The page they asked for.
    pub return_to: Option<String>,
}

impl Accounts {
    /// Signs somebody in with a password.
    ///
    /// # Errors
    /// [`AccountError::TooMany`] while the account or the address must wait; [`AccountError::WrongPassword`], also
    /// where there is no account; and for whoever knows the password: [`AccountError::NotVerified`],
    /// [`AccountError::Suspended`].
    pub async fn sign_in(
        &self,
        email: Email,
        password: &str,
        surface: Surface,
        origin: Origin,
    ) -> Result<SignedIn, AccountError> {
        // Told to everybody alike, and before anything is looked at.
        if self.book().controls().disable_password_login {
            return Err(AccountError::SwitchedOff("passwords are"));
        }
        // Who must wait is not audited: whoever floods this must not flood the disk. The first of them was.
        let attempt = self.lockout().attempt(&email, origin.address, self.now());
        let attempt = attempt.map_err(AccountError::TooMany)?;
        let config = self.config();
        let known = self.book().find_by_email(&email).cloned();
        let hash = known.as_ref().and_then(|it| it.password.as_deref());
        let verdict = match self.passwords().verify(&config.system.auth, hash, password).await {
            Ok(it) => it,
            Err(error) => {
                self.lockout().unjudged(attempt);
                return Err(error);
            }
        };
        let Some(known) = known.clone().filter(|_| verdict != Verdict::Wrong) else {
            return Err(self.wrong_password(&email, known.as_deref(), &origin));
        };
        let fresh = match verdict {
            Verdict::RightButOld => self.rehashed(&config, password).await,
            _ => None,
        };
        let (compared, from) = (Arc::clone(&known), origin.clone());
        let base = self.base_url().to_owned();
        let opened = self.change(move |change| {
            // It may be gone since it was compared, or have another password or address.
            let account = change.find_account(compared.id).ok();
            let same =
                |it: &Account| (&it.password, &it.email) == (&compared.password, &compared.email);
            let mut account = account.filter(same).ok_or(AccountError::WrongPassword)?;
            if change.controls().disable_password_login {
                return Err(AccountError::SwitchedOff("passwords are"));
            }
            if !account.is_active() {
                return Err(AccountError::Suspended);
            }
            if !account.email_verified {
                return Err(AccountError::NotVerified);
            }
            if let Some(fresh) = fresh {
                account.password = Some(fresh);
            }
            open(change, account, &config, &base, surface, "password", &from, None)
        });
        let opened = opened.await;
        match &opened {
            Ok(_) => self.lockout().right(attempt),
            Err(AccountError::WrongPassword) => drop(attempt),
            // The password was right, and nobody is in: nothing starts anew.
            Err(_) => self.lockout().unjudged(attempt),
        }
        if let Err(AccountError::Suspended | AccountError::NotVerified) = &opened {
            let entry = AuditEntry::new(self.now(), Actor::Nobody, "login_refused");
            self.note(entry.to(&known).from(&origin).ended("failed"));
        }
        opened
    }

    /// The password under today's costs; `None` when it cannot be had now: the old one still works.
    async fn rehashed(&self, config: &Config, password: &str) -> Option<String> {
        // Its owner signs in with it: whether it would be allowed today is not asked.
        self.passwords().hash_known(&config.system.auth, password).await.ok()
    }

    /// Noted for later: the answer waits for no disk, whether there is an account or not.
    fn wrong_password(
        &self,
        email: &Email,
        known: Option<&Account>,
        origin: &Origin,
    ) -> AccountError {
        let at = self.now();
        let held = self.lockout().wait(email, origin.address, at).is_some();
        let result = if held { "login_backoff" } else { "failed" };
        let entry = AuditEntry::new(at, Actor::Nobody, "login_failed");
        let entry = entry.about(email).from(origin).ended(result);
        self.note(match known {
            Some(it) => entry.to(it),
            None => entry,
        });
        AccountError::WrongPassword
    }

    /// Signs somebody in with the link of a mail; makes the account when there is none.
    ///
    /// # Errors
    /// [`AccountError::BadTicket`] when it is none or too old; [`AccountError::Suspended`];
    /// [`AccountError::SwitchedOff`] where it would verify an address, and then the link still works.
    pub async fn use_magic_link(
        &self,
        secret: &str,
        origin: Origin,
    ) -> Result<SignedIn, AccountError> {
        let secret = secret.to_owned();
        let config = self.config();
        let base = self.base_url().to_owned();
        self.change(move |change| {
            let ticket = change.take_ticket(&secret, PurposeKind::MagicLink)?;
            let Purpose::MagicLink { email } = &ticket.purpose else {
                return Err(AccountError::BadTicket);
            };
            let known = change.find_by_email(email).cloned();
            let verifies = known.as_ref().is_none_or(|it| !it.email_verified);
            if verifies && change.controls().disable_email_verification {
                return Err(AccountError::SwitchedOff("verification is"));
            }
            let account = match known {
                Some(it) => verify::claim(change, (*it).clone(), Word::Mailbox, &config, &origin)?,
                None if change.controls().disable_new_signups => {
                    return Err(AccountError::SwitchedOff("sign-ups are"));
                }
                None => {
                    sign_up::make_room(change, &config)?;
                    let account = Account::new(Some(email.clone()), "", change.at());
                    let account = sign_up::create(change, account, "link", &origin)?;
                    let verified =
                        verify::become_verified(change, (*account).clone(), &config, &origin)?;
                    (*verified).clone()
                }
            };
            // Older links of the same mailbox are good for nothing any more.
            change.drop_tickets(|it| it.purpose == ticket.purpose);
            let (surface, to) = (ticket.surface, ticket.return_to.clone());
            open(change, account, &config, &base, surface, "link", &origin, to)
        })
        .await
    }

    /// Ends one sign-in.
    ///
    /// # Errors
    /// When it is none of the account's, or the disk refuses.
    pub async fn end_session(
        &self,
        account: AccountId,
        id: super::SessionId,
        origin: Origin,
    ) -> Result<(), AccountError> {
        self.change(move |change| {
            let session = change.list_sessions(account).into_iter().find(|it| it.id == id);
            let session = session.ok_or(AccountError::Unknown("session"))?;
            change.remove_session(&session.digest);
            let account = change.find_account(account)?;
            let entry = AuditEntry::new(change.at(), Actor::of(&account), "session_ended");
            change.audit(entry.to(&account).from(&origin));
            Ok(())
        })
        .await
    }
}

/// Opens a sign-in, notes it, and tells the owner when it comes from where none came before.
#[expect(clippy::too_many_arguments, reason = "all of it ends up in the sign-in and its audit")]
pub(super) fn open(
    change: &mut Change,
    mut account: Account,
    config: &Config,
    base: &str,
    surface: Surface,
    method: &str,
    origin: &Origin,
    return_to: Option<String>,
) -> Result<SignedIn, AccountError> {
    if !account.is_active() {
        return Err(AccountError::Suspended);
    }
    let earlier = change.list_sessions(account.id);
    let user_agent = short_agent(&origin.user_agent);
    let known_place = earlier.iter().any(|it| {
        it.user_agent == user_agent && it.address.map(network) == origin.address.map(network)
    });
    let first = account.last_login_at.is_none();
    verify::promote(change, &mut account, config);
    account.last_login_at = Some(change.at());
    let account = change.put_account(account)?;
    let (secret, session) = change.open_session(
        account.id,
        NewSession {
            surface,
            method: method.to_owned(),
            address: origin.address,
            user_agent: origin.user_agent.clone(),
            days: config.system.auth.session_days,
        },
    );
    let entry = AuditEntry::new(change.at(), Actor::of(&account), "login_success");
    change.audit(entry.to(&account).from(origin).with("method", method));
    if !first && !known_place {
        let page = format!("{base}/account");
        change.alert(&account, Alert::NewSignIn, &user_agent, &page);
    }
    Ok(SignedIn { account, session, secret, return_to })
}
