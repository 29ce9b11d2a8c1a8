//! What works once, for a while: links in mails, and the way to a provider and back.

use serde::{Deserialize, Serialize};

use super::{AccountId, Digest, Email};
use crate::model::Timestamp;

/// What a ticket is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Says that its owner reads this address.
    VerifyEmail {
        /// The address as it was then.
        email: Email,
        /// The hash of the password that whoever asked for this very mail chose: it becomes that of the account, so
        /// that nobody prepares an account for somebody else.
        password: Option<String>,
        /// The name that they chose.
        #[serde(default)]
        name: Option<String>,
    },
    /// Signs in, and makes the account when there is none.
    MagicLink {
        /// Whose.
        email: Email,
    },
    /// Sets another password.
    ResetPassword,
    /// Moves the account to another address.
    ChangeEmail {
        /// The new one.
        email: Email,
    },
    /// The way to a provider and back: what is needed there, in the words of `oauth`.
    OAuth(serde_json::Value),
    /// Moderates a room: an invitation.
    Moderate(serde_json::Value),
}

impl Purpose {
    /// A word for what it is.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => "verify_email",
            Self::MagicLink { .. } => "magic_link",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail { .. } => "change_email",
            Self::OAuth(_) => "oauth",
            Self::Moderate(_) => "moderate",
        }
    }
}

/// A ticket. Whoever brings the secret takes it away.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ticket {
    /// What is kept of the secret.
    pub digest: Digest,
    /// What it is for.
    pub purpose: Purpose,
    /// Whose, when there is an account.
    pub account: Option<AccountId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// Where the person goes on afterwards: surface, and page if one was asked for.
    pub surface: super::Surface,
    /// The page that was asked for.
    pub return_to: Option<String>,
}

/// How far a clock may be set back before tickets stop working (ms): one that was made while it ran ahead would work
/// for as long as it did.
const SET_BACK_MS: i64 = 10 * 60_000;

impl Ticket {
    /// Whether it works.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        at < self.expires_at && self.created_at.ms_since(at) <= SET_BACK_MS
    }
}

/// A verification link that was used. Scanners of mail open links before people do: for as long as it would have
/// worked, it says that all is well.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Spent {
    pub digest: Digest,
    pub expires_at: Timestamp,
    pub surface: super::Surface,
    pub return_to: Option<String>,
}

impl super::Record for Spent {
    const KIND: &'static str = "spent";

    fn key(&self) -> String {
        self.digest.hex()
    }
}
