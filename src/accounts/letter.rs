//! What a mail says, before it is put in words.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AccountId, Email, Record};
use crate::model::Timestamp;

/// What a mail says. Shown, it tells its kind: its link may open an account.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Letter {
    /// Asks whether somebody reads this address.
    Verify {
        /// Says yes.
        link: String,
        /// How long it works (min).
        minutes: u32,
    },
    /// Signs somebody in.
    MagicLink {
        /// Does it.
        link: String,
        /// How long it works (min).
        minutes: u32,
    },
    /// Somebody signed up with an address that has an account.
    HaveAccount {
        /// Where to sign in.
        login: String,
    },
    /// Lets somebody choose another password.
    ResetPassword {
        /// The page for that.
        link: String,
        /// How long it works (min).
        minutes: u32,
    },
    /// Asks whether somebody reads the new address of their account.
    ConfirmAddress {
        /// Says yes.
        link: String,
        /// How long it works (min).
        minutes: u32,
    },
    /// Asks somebody to moderate a room.
    Invitation {
        /// Accepts.
        link: String,
        /// The room.
        room: String,
        /// Whoever asks.
        from: String,
        /// How long it works (days).
        days: u32,
    },
    /// Something happened that its owner may want to know of.
    Alert {
        /// What.
        what: Alert,
        /// When.
        at: Timestamp,
        /// With which browser, as that says; empty when it does not matter.
        user_agent: String,
        /// Where to look after the account.
        account_page: String,
    },
}

impl Letter {
    /// A word for what it is, as it is told in the audit.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Verify { .. } => "verification",
            Self::MagicLink { .. } => "magic_link",
            Self::HaveAccount { .. } => "have_account",
            Self::ResetPassword { .. } => "reset_password",
            Self::ConfirmAddress { .. } => "confirm_address",
            Self::Invitation { .. } => "invitation",
            Self::Alert { .. } => "security_alert",
        }
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Letter({})", self.kind())
    }
}

/// What happened to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "alert", rename_all = "snake_case")]
pub enum Alert {
    /// Somebody signed in from where nobody did before.
    NewSignIn,
    /// It has another password.
    PasswordChanged,
    /// It is about to move to another address.
    AddressChanging {
        /// The new one, redacted.
        to: String,
    },
    /// It moved to another address.
    AddressChanged {
        /// The new one, redacted.
        to: String,
    },
    /// Another way in was added.
    ProviderLinked {
        /// Which.
        provider: String,
    },
    /// A way in was taken away.
    ProviderUnlinked {
        /// Which.
        provider: String,
    },
    /// Its programs got a token.
    TokenCreated {
        /// What it is called.
        name: String,
    },
    /// An admin ended all its sign-ins.
    SessionsEnded,
    /// An admin took it out of use.
    Suspended,
    /// It is gone.
    Deleted,
}

/// A mail that waits to be sent. Its letter may hold a link that opens an account: it is gone once it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    /// Its id; whoever sends it twice under one id sends it once.
    pub id: Uuid,
    /// To whom.
    pub to: Email,
    /// Whose account it is about.
    pub account: Option<AccountId>,
    /// What it says.
    pub letter: Letter,
    /// Since when it waits.
    pub created_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Not tried before this.
    pub next_attempt_at: Timestamp,
}

impl Record for Mail {
    const KIND: &'static str = "mail";

    fn key(&self) -> String {
        self.id.to_string()
    }
}
