//! What works once, for a while: links in mails, and the way to a provider and back.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AccountId, Digest, Email};
use crate::model::Timestamp;

/// What a ticket is for. Shown, it tells its kind: it holds hashes of passwords, and secrets of ways to providers.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
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

/// What a ticket is for, without what it holds for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PurposeKind {
    /// [`Purpose::VerifyEmail`]
    VerifyEmail,
    /// [`Purpose::MagicLink`]
    MagicLink,
    /// [`Purpose::ResetPassword`]
    ResetPassword,
    /// [`Purpose::ChangeEmail`]
    ChangeEmail,
    /// [`Purpose::OAuth`]
    OAuth,
    /// [`Purpose::Moderate`]
    Moderate,
}

impl Purpose {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> PurposeKind {
        match self {
            Self::VerifyEmail { .. } => PurposeKind::VerifyEmail,
            Self::MagicLink { .. } => PurposeKind::MagicLink,
            Self::ResetPassword => PurposeKind::ResetPassword,
            Self::ChangeEmail { .. } => PurposeKind::ChangeEmail,
            Self::OAuth(_) => PurposeKind::OAuth,
            Self::Moderate(_) => PurposeKind::Moderate,
        }
    }
}

impl fmt::Debug for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}(…)", self.kind())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::accounts::{Account, Alert, Book, Letter, Secret, Surface};

    /// Goal: whatever of accounts gets into a log or an error leads nobody in.
    #[test]
    fn what_is_shown_of_accounts_tells_no_secret() {
        let at = Timestamp::from_unix_ms(1_790_000_000_000).unwrap();
        let email: Email = "hunter2@example.com".parse().unwrap();
        let mut account = Account::new(Some(email.clone()), "Ana", at);
        account.password = Some("$argon2id$hunter2".to_owned());
        let purposes = [
            Purpose::VerifyEmail {
                email: email.clone(),
                password: account.password.clone(),
                name: None,
            },
            Purpose::OAuth(json!({"verifier": "hunter2", "nonce": "hunter2"})),
        ];
        let mut book = Book::default();
        for purpose in purposes {
            let ticket = Ticket {
                digest: Secret::random().digest(),
                purpose,
                account: Some(account.id),
                created_at: at,
                expires_at: at,
                surface: Surface::Public,
                return_to: None,
            };
            let shown = format!("{ticket:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
            book.put_ticket(ticket.into());
        }
        book.put_account(account.clone().into()).unwrap();
        let letter = Letter::MagicLink { link: "https://x/?token=hunter2".to_owned(), minutes: 15 };
        book.set_other("mail/1".to_owned(), Some(serde_json::to_vec(&letter).unwrap().into()));
        let what = Alert::AddressChanged { to: email.redacted() };
        for shown in
            [format!("{account:?}"), format!("{book:?} {book:#?}"), format!("{letter:?} {what:?}")]
        {
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(!shown.contains("104, 117, 110, 116"), "as bytes: {shown}");
        }
    }
}
