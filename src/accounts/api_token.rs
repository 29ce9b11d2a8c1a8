//! Tokens that an account's own programs send.

use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AccountId, Digest};
use crate::model::Timestamp;

/// How every API token begins, so that scanners for secrets know one.
pub const PREFIX: &str = "sst_";

/// A token of an account.
#[derive(Debug, Serialize, Deserialize)]
pub struct ApiToken {
    /// Its id in lists.
    pub id: Uuid,
    /// What is kept of it.
    pub digest: Digest,
    /// Whose it is.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was last used (Unix, ms; 0 is never). Counted in memory, written now and then.
    used: AtomicI64,
    /// What of it is on the disk (Unix, ms).
    #[serde(skip)]
    written: AtomicI64,
}

/// What a token is made of.
#[derive(Debug, Clone)]
pub struct NewApiToken {
    /// What its owner calls it.
    pub name: String,
    /// How long it works (days); `None` is until it is taken away.
    pub days: Option<u32>,
}

impl ApiToken {
    /// A fresh one.
    #[must_use]
    pub fn new(account: AccountId, digest: Digest, new: NewApiToken, at: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4(),
            digest,
            account,
            name: new.name,
            created_at: at,
            expires_at: new.days.map(|it| at.plus_ms(i64::from(it) * 86_400_000)),
            used: AtomicI64::new(0),
            written: AtomicI64::new(0),
        }
    }

    /// Whether it still opens anything.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.expires_at.is_none_or(|it| at < it)
    }

    /// When it was last used.
    #[must_use]
    pub fn last_used_at(&self) -> Option<Timestamp> {
        let used = self.used.load(Ordering::Relaxed);
        (used != 0).then(|| Timestamp::from_unix_ms(used)).flatten()
    }

    /// Whether a use lies this far behind what is on the disk.
    pub(super) fn is_due(&self, ms: i64) -> bool {
        self.used.load(Ordering::Relaxed) - self.written.load(Ordering::Relaxed) > ms
    }

    /// Notes that the last use is on the disk.
    pub(super) fn note_written(&self) {
        self.written.store(self.used.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Notes that it is used.
    pub fn touch(&self, at: Timestamp) {
        self.used.fetch_max(at.unix_ms(), Ordering::Relaxed);
    }
}
