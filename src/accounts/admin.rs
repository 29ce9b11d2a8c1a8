//! What an admin does to an account, and what keeps the last admin in.

use std::sync::Arc;

use super::{
    Account, AccountError, AccountId, AccountStatus, Accounts, Actor, Alert, AuditEntry, Change,
    Email, Letter, Onboarding, Origin, Purpose, Surface,
    forgotten_password::mail_reset_link,
    rooms::check_given,
    sign_up::verify_link,
    verify::{Word, claim},
};
use crate::{
    config::Config,
    model::{AccountRole, CreatorId, Tier},
};

/// What an admin does to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Takes it out of use.
    Suspend,
    /// Lets it be used again.
    Unsuspend,
    /// Removes it.
    Delete,
    /// Ends all its sign-ins.
    InvalidateSessions,
    /// Has its owner say anew what it is for.
    ResetOnboarding,
    /// Has its owner prove anew that the address is theirs.
    ForceEmailReverify,
    /// Takes the address as proven.
    MarkEmailVerified,
    /// Gives it a tier.
    SetTier(Tier),
    /// Gives it a role.
    SetRole(AccountRole),
    /// Gives it these rooms, and no others.
    SetRooms(Vec<CreatorId>),
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Acted {
    /// The account as it is now; as it was, when it is gone.
    pub account: Arc<Account>,
    /// Whether it is gone.
    pub deleted: bool,
    /// Whether anything is different now.
    pub changed: bool,
    /// Sign-ins that were ended (count).
    pub sessions_invalidated: usize,
    /// Whether it had a password, and has none any more.
    pub password_removed: bool,
}

/// Who does it, and from where.
#[derive(Debug, Clone)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
}

impl By {
    /// Whoever operates the server, from its command line.
    #[must_use]
    pub fn operator() -> Self {
        Self { actor: Actor::Operator, origin: Origin::default() }
    }

    /// This server by itself.
    pub(super) fn system() -> Self {
        Self { actor: Actor::System, origin: Origin::default() }
    }

    /// An entry of the audit about something they did.
    #[must_use]
    pub fn entry(&self, change: &Change, action: &str) -> AuditEntry {
        AuditEntry::new(change.at(), self.actor.clone(), action).from(&self.origin)
    }
}

impl Accounts {
    /// Does something to an account. What changes nothing is done all the same, and not audited.
    ///
    /// # Errors
    /// [`AccountError::Unknown`] when there is no such account; [`AccountError::Refused`] for whatever would leave no
    /// admin, shut out whoever does it, or not last; when the disk refuses.
    pub async fn act(&self, id: AccountId, act: Act, by: By) -> Result<Acted, AccountError> {
        let (config, base) = (self.config(), self.base_url().to_owned());
        self.change(move |change| {
            let account = change.find_account(id)?;
            if takes_admin_away(&account, &act) {
                check_admins(change, &account, &by.actor)?;
            }
            Doing { change, account, by: &by, config: &config, base: &base }.act(act)
        })
        .await
    }
}

/// Whether an admin who could get in no longer can, or is none any more.
fn takes_admin_away(account: &Account, act: &Act) -> bool {
    let takes = match act {
        Act::Suspend | Act::Delete | Act::ForceEmailReverify => true,
        Act::SetRole(role) => *role != AccountRole::Admin,
        _ => false,
    };
    takes && account.role == AccountRole::Admin
}

fn check_admins(change: &Change, account: &Account, actor: &Actor) -> Result<(), AccountError> {
    if matches!(actor, Actor::Account { id, .. } if *id == account.id) {
        return Err(AccountError::Refused("have another admin do that to you"));
    }
    check_last_admin(change, account)
}

/// Refuses what would leave no admin who gets in.
pub(super) fn check_last_admin(change: &Change, account: &Account) -> Result<(), AccountError> {
    let gets_in = |it: &Account| {
        it.role == AccountRole::Admin
            && it.is_active()
            && (it.email_verified || !it.providers.is_empty())
    };
    let others = change.accounts().any(|it| it.id != account.id && gets_in(it));
    if gets_in(account) && !others {
        return Err(AccountError::Refused("this is the last admin: make another one first"));
    }
    Ok(())
}

/// One act on one account.
struct Doing<'a> {
    change: &'a mut Change,
    account: Account,
    by: &'a By,
    config: &'a Config,
    base: &'a str,
}

impl Doing<'_> {
    fn act(mut self, act: Act) -> Result<Acted, AccountError> {
        match act {
            Act::Suspend => self.suspend(),
            Act::Unsuspend => {
                let before = word(self.account.status);
                if self.account.is_active() {
                    return self.unchanged();
                }
                self.account.status = AccountStatus::Active;
                self.done("account_unsuspended", before, "active", 0)
            }
            Act::Delete => self.delete(),
            Act::InvalidateSessions => {
                let ended = self.change.end_sessions(self.account.id, None);
                // Whoever is to be out gets in again with none of these.
                self.change.drop_mailed_links(&self.account);
                self.change.cut_off(self.account.id);
                if ended > 0 {
                    self.alert(Alert::SessionsEnded);
                }
                let entry = self.by.entry(self.change, "sessions_invalidated").to(&self.account);
                self.change.audit(entry.with("sessions_invalidated", ended));
                self.answer(true, ended)
            }
            Act::ResetOnboarding => {
                if self.account.onboarding == Onboarding::Pending {
                    return self.unchanged();
                }
                self.account.onboarding = Onboarding::Pending;
                let ended = self.change.end_sessions(self.account.id, None);
                self.done("onboarding_reset", "completed", "pending", ended)
            }
            Act::ForceEmailReverify => self.force_reverify(),
            Act::MarkEmailVerified => self.mark_verified(),
            Act::SetTier(tier) => {
                let before = self.account.tier;
                if before == tier {
                    return self.unchanged();
                }
                self.account.tier = tier;
                self.done("tier_changed", before.as_str(), tier.as_str(), 0)
            }
            Act::SetRole(role) => self.set_role(role),
            Act::SetRooms(rooms) => self.set_rooms(rooms),
        }
    }

    fn suspend(mut self) -> Result<Acted, AccountError> {
        if !self.account.is_active() {
            return self.unchanged();
        }
        self.account.status = AccountStatus::Suspended;
        let ended = self.change.end_sessions(self.account.id, None);
        self.change.drop_mailed_links(&self.account);
        // Its programs are cut off as well, whether or not anybody was signed in.
        self.change.cut_off(self.account.id);
        self.alert(Alert::Suspended);
        self.done("account_suspended", "active", "suspended", ended)
    }

    fn delete(mut self) -> Result<Acted, AccountError> {
        let ended = self.change.list_sessions(self.account.id).len();
        self.alert(Alert::Deleted);
        let entry = self.by.entry(self.change, "account_deleted").to(&self.account);
        let entry = entry.with("before", word(self.account.status)).with("after", "deleted");
        self.change.audit(entry.with("sessions_invalidated", ended));
        self.change.drop_mailed_links(&self.account);
        self.change.remove_account(self.account.id);
        Ok(Acted {
            account: Arc::new(self.account),
            deleted: true,
            changed: true,
            sessions_invalidated: ended,
            password_removed: false,
        })
    }

    /// The owner proves anew that the address is theirs; the password stays, for whoever does.
    fn force_reverify(mut self) -> Result<Acted, AccountError> {
        let Some(email) = self.account.email.clone() else {
            return Err(AccountError::Refused("this account has no address"));
        };
        if self.change.controls().disable_email_verification {
            return Err(AccountError::SwitchedOff("verification is"));
        }
        if self.account.last_login_at.is_none() && self.account.providers.is_empty() {
            // It would be nobody's, and whoever signs up with the address could prepare it.
            return Err(AccountError::Refused("nobody has signed in with this account yet"));
        }
        let before = if self.account.email_verified { "verified" } else { "unverified" };
        self.account.email_verified = false;
        let ended = self.change.end_sessions(self.account.id, None);
        self.change.drop_mailed_links(&self.account);
        self.send_verification(&email);
        self.done("email_reverify_forced", before, "unverified", ended)
    }

    /// Whoever chose the password of an account that nobody was in yet may be a stranger: it goes, and who reads the
    /// mail chooses the next one.
    fn mark_verified(self) -> Result<Acted, AccountError> {
        let Some(email) = self.account.email.clone() else {
            return Err(AccountError::Refused("this account has no address"));
        };
        if self.account.email_verified {
            return self.unchanged();
        }
        let Self { change, account, by, config, base } = self;
        let had_password = account.password.is_some();
        let account = claim(change, account, Word::Admin(by), config, &by.origin)?;
        let password_removed = had_password && account.password.is_none();
        // While it is suspended no link would work.
        if password_removed && account.is_active() {
            let minutes = config.system.auth.mail_link_minutes;
            mail_reset_link(change, account.id, &email, minutes, Surface::Public, base);
        }
        Ok(Acted {
            account: Arc::new(account),
            deleted: false,
            changed: true,
            sessions_invalidated: 0,
            password_removed,
        })
    }

    fn send_verification(&mut self, email: &Email) {
        let minutes = self.config.system.auth.mail_link_minutes;
        let password = self.account.password.clone();
        let purpose = Purpose::VerifyEmail { email: email.clone(), password, name: None };
        let id = Some(self.account.id);
        let secret = self.change.open_ticket(purpose, id, minutes, Surface::Public, None);
        let link = verify_link(self.base, &secret);
        self.change.mail(email, id, Letter::Verify { link, minutes });
    }

    fn set_role(mut self, role: AccountRole) -> Result<Acted, AccountError> {
        let before = self.account.role;
        if before == role {
            return self.unchanged();
        }
        let listed = self.config.secrets.admin_emails().filter_map(|it| it.parse::<Email>().ok());
        if before == AccountRole::Admin
            && listed.into_iter().any(|it| Some(it) == self.account.email)
        {
            // It would be one again at the next sign-in.
            return Err(AccountError::Refused(
                "STREAMSUITES_ADMIN_EMAILS makes this account an admin: take its address out there first",
            ));
        }
        change_role(self.change, &mut self.account, role, self.by);
        self.answer(true, 0)
    }

    fn set_rooms(mut self, mut rooms: Vec<CreatorId>) -> Result<Acted, AccountError> {
        let mut seen = std::collections::BTreeSet::new();
        rooms.retain(|it| seen.insert(it.as_str().to_ascii_lowercase()));
        if rooms == self.account.rooms {
            return self.unchanged();
        }
        let most = self.change.terms_of(&self.account).features.rooms as usize;
        let bypass = self.change.controls().admin_tier_config_bypass;
        // What somebody has already is not taken away by a tier.
        if rooms.len() > most && rooms.len() > self.account.rooms.len() && !bypass {
            return Err(AccountError::Refused("the account's tier does not allow as many rooms"));
        }
        let known = &self.account.rooms;
        let added: Vec<_> = rooms.iter().filter(|it| !known.contains(it)).cloned().collect();
        check_given(self.change, &added, self.config)?;
        let list = |rooms: &[CreatorId]| rooms.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (before, after) = (list(&self.account.rooms), list(&rooms));
        for gone in self.account.rooms.iter().filter(|it| !rooms.contains(it)) {
            // Whoever has it next brings channels and moderators of their own.
            self.change.retire_room(gone, self.account.id);
        }
        self.account.rooms = rooms;
        self.change.cut_off(self.account.id);
        self.done("rooms_changed", before, after, 0)
    }

    fn alert(&mut self, what: Alert) {
        self.change.alert(&self.account, what, "", &format!("{}/account", self.base));
    }

    /// Keeps what was done, and notes it.
    fn done(
        self,
        action: &str,
        before: impl Into<serde_json::Value>,
        after: impl Into<serde_json::Value>,
        ended: usize,
    ) -> Result<Acted, AccountError> {
        let entry = self.by.entry(self.change, action).to(&self.account);
        let entry = entry.with("before", before).with("after", after);
        // Readers of this one look for it also where nobody was signed in.
        let tells = ended > 0 || action == "onboarding_reset";
        self.change.audit(if tells { entry.with("sessions_invalidated", ended) } else { entry });
        self.answer(true, ended)
    }

    fn unchanged(self) -> Result<Acted, AccountError> {
        self.answer(false, 0)
    }

    fn answer(self, changed: bool, sessions_invalidated: usize) -> Result<Acted, AccountError> {
        let account =
            if changed { self.change.put_account(self.account)? } else { Arc::new(self.account) };
        Ok(Acted {
            account,
            deleted: false,
            changed,
            sessions_invalidated,
            password_removed: false,
        })
    }
}

/// Makes another role of what an account has, and notes it; whoever has it already keeps it. Whoever calls puts the
/// account in.
pub(super) fn change_role(change: &mut Change, account: &mut Account, role: AccountRole, by: &By) {
    let before = std::mem::replace(&mut account.role, role);
    if role < before {
        change.cut_off(account.id);
    }
    if role != before {
        let entry = by.entry(change, "role_changed").to(account);
        change.audit(entry.with("before", before.as_str()).with("after", role.as_str()));
    }
}

const fn word(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Active => "active",
        AccountStatus::Suspended => "suspended",
    }
}
