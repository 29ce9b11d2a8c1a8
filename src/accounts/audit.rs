//! What was done, by whom, to whom, when and from where.

use std::{
    net::IpAddr,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ulid::Ulid;

use super::{Account, AccountId, Email, Record, UserCode};
use crate::model::{AccountRole, Timestamp};

/// What an entry is found by; later ones come later.
pub type AuditKey = String;

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// Nobody who is known.
    Nobody,
    /// This server by itself.
    System,
    /// Whoever operates it.
    Operator,
    /// The emergency admin.
    Fallback,
    /// An account.
    Account {
        /// Which.
        id: AccountId,
        /// Its short name.
        user_code: UserCode,
        /// What it was then.
        role: AccountRole,
    },
}

impl Actor {
    /// An account, as it is now.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        Self::Account { id: account.id, user_code: account.user_code.clone(), role: account.role }
    }
}

/// From where a request came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The peer's address, or what a proxy that is trusted says.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub user_agent: String,
}

/// As much as is kept of what a browser calls itself (characters).
const MOST_AGENT_CHARS: usize = 200;

/// What is kept of what a browser calls itself.
#[must_use]
pub(super) fn short_agent(user_agent: &str) -> String {
    user_agent.chars().take(MOST_AGENT_CHARS).collect()
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its id, in the order of time.
    pub id: Ulid,
    /// When.
    pub ts: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// To whom.
    pub target: Option<(AccountId, UserCode)>,
    /// What: `login_success`, `account_created`, `tier_changed`, …
    pub action: String,
    /// How it ended: `success`, `failed`, `sent`, `login_backoff`, …
    pub result: String,
    /// From where.
    pub origin: Origin,
    /// Whose address it was about, as far as others may see.
    pub email_redacted: Option<String>,
    /// Whatever else is worth knowing. No secret, no address.
    pub metadata: Map<String, Value>,
}

impl AuditEntry {
    /// Something that was done at a time, by somebody.
    #[must_use]
    pub fn new(at: Timestamp, actor: Actor, action: &str) -> Self {
        let ms = u64::try_from(at.unix_ms()).unwrap_or(0);
        Self {
            id: next_id(ms),
            ts: at,
            actor,
            target: None,
            action: action.to_owned(),
            result: "success".to_owned(),
            origin: Origin::default(),
            email_redacted: None,
            metadata: Map::new(),
        }
    }

    /// To this account.
    #[must_use]
    pub fn to(mut self, account: &Account) -> Self {
        self.target = Some((account.id, account.user_code.clone()));
        if self.email_redacted.is_none() {
            self.email_redacted = account.email.as_ref().map(Email::redacted);
        }
        self
    }

    /// From there.
    #[must_use]
    pub fn from(mut self, origin: &Origin) -> Self {
        let user_agent = short_agent(&origin.user_agent);
        self.origin = Origin { address: origin.address, user_agent };
        self
    }

    /// Ended so.
    #[must_use]
    pub fn ended(mut self, result: &str) -> Self {
        self.result = result.to_owned();
        self
    }

    /// About this address.
    #[must_use]
    pub fn about(mut self, email: &Email) -> Self {
        self.email_redacted = Some(email.redacted());
        self
    }

    /// With this to know.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.to_owned(), value.into());
        self
    }
}

/// An id of that millisecond, behind those that it had before, whatever was noted of other milliseconds meanwhile:
/// entries of one change keep their order.
fn next_id(ms: u64) -> Ulid {
    // From anywhere in the lower half, so that another run's ids are others.
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(rand::random::<u64>() >> 1));
    Ulid::from_parts(ms, NEXT.fetch_add(1, Ordering::Relaxed).into())
}

impl Record for AuditEntry {
    const KIND: &'static str = "audit";

    fn key(&self) -> AuditKey {
        self.id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_one_millisecond_keep_their_order_whatever_is_noted_between_them() {
        let at = |ms| Timestamp::from_unix_ms(ms).unwrap();
        let note = |ms| AuditEntry::new(at(ms), Actor::System, "noted").id;
        let ids: Vec<Ulid> = (0..100).map(|_| (note(7), note(9)).0).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    }
}
