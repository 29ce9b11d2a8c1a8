//! People with accounts on several platforms, of one room: proven by themselves in chat, or said by a moderator.

use std::collections::{BTreeMap, HashMap, VecDeque};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    BoardError,
    limits::{CLAIM_MS, MOST_ACCOUNTS, MOST_CLAIMS, MOST_IDENTITIES, REASON_CHARS},
    words::{self, bare, clean, folded},
};
use crate::model::{Author, Platform, QualifiedId, Timestamp};

/// The word in chat that names the other account.
const LINK: &str = "!link";

/// Accounts to be linked by a moderator.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIdentity {
    /// Two or more of one person.
    #[schemars(length(min = 2, max = 16))]
    pub accounts: Vec<QualifiedId>,
    /// Why they are one person's.
    #[schemars(length(min = 1, max = 300))]
    pub reason: String,
}

/// A person with several accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// Unique in the room.
    pub identity_id: String,
    /// The accounts, in the order of their ids.
    pub accounts: Vec<QualifiedId>,
    /// Why: what a moderator said, or that both accounts named each other.
    pub reason: String,
    /// `chat`, or who linked them.
    pub linked_by: String,
    /// When the last account was added.
    pub linked_at: Timestamp,
}

/// Somebody said which account is theirs elsewhere, and that one has not said so yet.
#[derive(Debug)]
struct Claim {
    account: QualifiedId,
    /// Its login.
    login: String,
    /// Whom it names: platform, and login or id.
    platform: Platform,
    wanted: String,
    at: Timestamp,
}

/// All of a room.
#[derive(Debug, Default)]
pub(super) struct Identities {
    all: BTreeMap<String, Identity>,
    /// Which identity an account belongs to.
    of: HashMap<QualifiedId, String>,
    claims: VecDeque<Claim>,
}

/// Identities that become one: what there was, and what there is in their place.
#[derive(Debug)]
pub(super) struct Link {
    /// Whole persons of before, single accounts among them.
    pub(super) before: Vec<Vec<QualifiedId>>,
    /// Identities that go.
    pub(super) gone: Vec<String>,
    pub(super) identity: Identity,
}

impl Identities {
    /// Everybody who was linked.
    pub(super) fn list(&self) -> impl Iterator<Item = &Identity> {
        self.all.values()
    }

    /// The accounts of the person behind one.
    pub(super) fn find(&self, account: &QualifiedId) -> Option<&Identity> {
        self.all.get(self.of.get(account)?)
    }

    /// All accounts of the person behind one, that one alone where it is not linked.
    pub(super) fn person<'a>(&'a self, account: &'a QualifiedId) -> &'a [QualifiedId] {
        self.find(account).map_or(std::slice::from_ref(account), |it| &it.accounts)
    }

    /// Takes in what was kept.
    pub(super) fn recall(&mut self, identity: Identity) {
        for account in &identity.accounts {
            self.of.insert(account.clone(), identity.identity_id.clone());
        }
        self.all.insert(identity.identity_id.clone(), identity);
    }

    /// What a moderator says.
    pub(super) fn plan(
        &self,
        said: &NewIdentity,
        by: &str,
        now: Timestamp,
    ) -> Result<Link, BoardError> {
        let reason = clean(&said.reason, REASON_CHARS, "/reason")?;
        for (index, account) in said.accounts.iter().enumerate() {
            words::check_account(account, &format!("/accounts/{index}"))?;
        }
        self.plan_link(&said.accounts, reason, by, now)
    }

    fn plan_link(
        &self,
        accounts: &[QualifiedId],
        reason: String,
        by: &str,
        now: Timestamp,
    ) -> Result<Link, BoardError> {
        if accounts.len() > MOST_ACCOUNTS {
            let why = format!("one person has at most {MOST_ACCOUNTS} accounts");
            return Err(BoardError::invalid("/accounts", why));
        }
        let (mut before, mut gone, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for account in accounts {
            if all.contains(account) {
                continue;
            }
            let person = self.person(account).to_vec();
            all.extend(person.iter().cloned());
            before.push(person);
            gone.extend(self.of.get(account).cloned());
        }
        if all.len() < 2 {
            return Err(BoardError::invalid("/accounts", "name two accounts of one person"));
        }
        if before.len() < 2 {
            return Err(BoardError::conflict("these accounts are linked already"));
        }
        if all.len() > MOST_ACCOUNTS {
            return Err(BoardError::conflict(format!(
                "together that were {} accounts, and one person has at most {MOST_ACCOUNTS}",
                all.len()
            )));
        }
        if gone.is_empty() && self.all.len() >= MOST_IDENTITIES {
            return Err(BoardError::conflict(format!(
                "this room links at most {MOST_IDENTITIES} people: unlink somebody first"
            )));
        }
        all.sort_unstable();
        let identity = Identity {
            identity_id: words::new_id(),
            accounts: all,
            reason,
            linked_by: by.to_owned(),
            linked_at: now,
        };
        Ok(Link { before, gone, identity })
    }

    /// Does what was planned.
    pub(super) fn link(&mut self, link: &Link) {
        link.gone.iter().for_each(|it| drop(self.all.remove(it)));
        self.recall(link.identity.clone());
    }

    /// Takes one apart.
    pub(super) fn unlink(&mut self, id: &str) -> Option<Identity> {
        let identity = self.all.remove(id)?;
        for account in &identity.accounts {
            self.of.remove(account);
        }
        Some(identity)
    }

    /// What somebody said in chat of an account of theirs: a link, once the other account has said the same of this one.
    pub(super) fn hear(&mut self, author: &Author, text: &str, now: Timestamp) -> Option<Link> {
        let (platform, wanted) = named(text)?;
        while self.claims.front().is_some_and(|it| now.ms_since(it.at) > CLAIM_MS) {
            self.claims.pop_front();
        }
        let account = &author.id;
        let login = folded(author.login.trim_start_matches('@')).into_owned();
        // Said again, it is the newer that counts.
        self.claims.retain(|it| it.account != *account);
        let own = account.platform()?;
        if own == platform && is_named(account, &login, &wanted) {
            return None;
        }
        // Both name each other: by login or id, never by a name that anybody may choose.
        let other = self.claims.iter().position(|it| {
            it.account.platform() == Some(platform)
                && is_named(&it.account, &it.login, &wanted)
                && it.platform == own
                && is_named(account, &login, &it.wanted)
        });
        let Some(other) = other else {
            if self.claims.len() >= MOST_CLAIMS {
                self.claims.pop_front();
            }
            self.claims.push_back(Claim {
                account: account.clone(),
                login,
                platform,
                wanted,
                at: now,
            });
            return None;
        };
        let other = self.claims.remove(other)?;
        let reason = "both accounts named each other in chat".to_owned();
        self.plan_link(&[account.clone(), other.account], reason, "chat", now).ok()
    }
}

/// Whether these words are the login or the id of an account.
fn is_named(account: &QualifiedId, login: &str, words: &str) -> bool {
    account.own_id() == words || (!login.is_empty() && folded(words) == login)
}

/// `!link youtube:some_login`: whom a message names.
fn named(text: &str) -> Option<(Platform, String)> {
    let (word, rest) = bare(text).split_once(char::is_whitespace)?;
    if folded(word) != LINK {
        return None;
    }
    let (platform, name) = bare(rest).split_once(':')?;
    let name = bare(name);
    let name = name.strip_prefix('@').unwrap_or(name);
    let fits = !name.is_empty() && name.len() <= 200 && !name.contains(char::is_whitespace);
    fits.then_some((platform.parse().ok()?, name.to_owned()))
}

/// Whether a message is worth being held against claims.
pub(super) fn is_claim(text: &str) -> bool {
    let text = bare(text);
    text.get(..LINK.len()).is_some_and(|it| it.eq_ignore_ascii_case(LINK))
}
