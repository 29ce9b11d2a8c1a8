//! Sign-ins.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicI64, Ordering},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AccountId, Digest, audit::short_agent};
use crate::model::Timestamp;

/// The id of a sign-in in lists: not what opens it.
pub type SessionId = Uuid;

/// Which of the sites somebody signs in on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Surface {
    /// The one for everybody.
    #[default]
    Public,
    /// The one for creators.
    Creator,
    /// The one for admins.
    Admin,
}

impl Surface {
    /// The word in bodies and queries.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Creator => "creator",
            Self::Admin => "admin",
        }
    }

    /// The surface of a word; `None` when there is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Public, Self::Creator, Self::Admin].into_iter().find(|it| it.as_str() == text)
    }
}

/// A sign-in of an account, in one browser.
#[derive(Debug, Serialize, Deserialize)]
pub struct Session {
    /// Its id in lists.
    pub id: SessionId,
    /// What is kept of the cookie.
    pub digest: Digest,
    /// Whose it is.
    pub account: AccountId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends, whatever happens.
    pub expires_at: Timestamp,
    /// Where it was made.
    pub surface: Surface,
    /// How: `password`, `link`, `google`, …
    pub method: String,
    /// From where.
    pub address: Option<IpAddr>,
    /// With which browser, as that says.
    pub user_agent: String,
    /// When it was last used (Unix, ms). Counted in memory, written now and then.
    seen: AtomicI64,
    /// What of it is on the disk (Unix, ms).
    #[serde(skip)]
    written: AtomicI64,
}

/// What a sign-in is made of.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Where it is made.
    pub surface: Surface,
    /// How.
    pub method: String,
    /// From where.
    pub address: Option<IpAddr>,
    /// With which browser, as that says.
    pub user_agent: String,
    /// How long it lasts at most (days).
    pub days: u32,
}

impl Session {
    /// A fresh one.
    #[must_use]
    pub fn new(account: AccountId, digest: Digest, new: NewSession, at: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4(),
            digest,
            account,
            created_at: at,
            expires_at: at.plus_ms(i64::from(new.days) * 86_400_000),
            surface: new.surface,
            method: new.method,
            address: new.address,
            user_agent: short_agent(&new.user_agent),
            seen: AtomicI64::new(at.unix_ms()),
            written: AtomicI64::new(at.unix_ms()),
        }
    }

    /// Whether it still opens anything. A clock that was set back ends nothing.
    #[must_use]
    pub fn is_open(&self, idle_hours: u32, at: Timestamp) -> bool {
        at < self.expires_at
            && at.unix_ms() - self.seen.load(Ordering::Relaxed) < i64::from(idle_hours) * 3_600_000
    }

    /// When it was last used.
    #[must_use]
    pub fn last_seen_at(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.seen.load(Ordering::Relaxed)).unwrap_or(self.created_at)
    }

    /// As much of that as is on the disk.
    pub(super) fn written_at(&self) -> Timestamp {
        let written = self.written.load(Ordering::Relaxed);
        Timestamp::from_unix_ms(written).unwrap_or(self.created_at)
    }

    /// Notes that the last use is on the disk.
    pub(super) fn note_written(&self) {
        self.written.store(self.seen.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Notes that it is used.
    pub fn touch(&self, at: Timestamp) {
        self.seen.fetch_max(at.unix_ms(), Ordering::Relaxed);
    }
}
