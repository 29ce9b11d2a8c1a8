//! An account: one person, as this server knows them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Email;
use crate::model::{AccountRole, CreatorId, Tier, Timestamp};

/// The id of an account; those of older accounts come first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct AccountId(Uuid);

impl AccountId {
    /// A fresh one.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id in a path or a body; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// The short name of an account that people read out to each other: `U-7K2M9QXD`.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct UserCode(String);

impl UserCode {
    /// A fresh one. Among a million accounts one in a million is taken: whoever makes one looks.
    #[must_use]
    pub fn random() -> Self {
        // Crockford's letters: none is taken for another.
        const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let letters = rand::random::<[u8; 8]>().map(|it| char::from(LETTERS[usize::from(it % 32)]));
        Self(format!("U-{}", letters.iter().collect::<String>()))
    }

    /// The code that somebody typed, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        let letters = text.strip_prefix("U-")?;
        let fits = letters.len() == 8 && letters.bytes().all(|it| it.is_ascii_alphanumeric());
        fits.then_some(Self(text))
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccountStatus {
    /// Yes.
    #[default]
    Active,
    /// An admin took it out of use, for now.
    Suspended,
}

/// Whether its owner has said what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Onboarding {
    /// Not yet.
    #[default]
    Pending,
    /// Yes.
    Completed,
}

/// A sign-in elsewhere that opens this account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// `google`, `github`, `discord` or `twitch`.
    pub provider: String,
    /// What the provider calls the person, for good.
    pub subject: String,
    /// The address it gave, verified or not.
    pub email: Option<Email>,
    /// The name it gave.
    pub name: Option<String>,
    /// Since when.
    pub linked_at: Timestamp,
}

/// An account. Shown, it tells neither its password's hash nor an address.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its short name.
    pub user_code: UserCode,
    /// Where mails go. Only a provider that gives no address leaves it out.
    pub email: Option<Email>,
    /// Whether whoever signs in is known to read that address.
    pub email_verified: bool,
    /// What others call its owner.
    pub display_name: String,
    /// The picture a provider gave.
    pub avatar_url: Option<String>,
    /// What it may be.
    pub role: AccountRole,
    /// What it pays for.
    pub tier: Tier,
    /// Whether it may be used.
    pub status: AccountStatus,
    /// Whether its owner has said what it is for.
    pub onboarding: Onboarding,
    /// The hash of the password, in PHC's form.
    pub password: Option<String>,
    /// Other ways in.
    pub providers: Vec<Linked>,
    /// Rooms that its owner made.
    pub rooms: Vec<CreatorId>,
    /// Rooms that the configuration says are its owner's.
    #[serde(default)]
    pub given: Vec<CreatorId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody last signed in.
    pub last_login_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("user_code", &self.user_code)
            .field("email_verified", &self.email_verified)
            .field("role", &self.role)
            .field("tier", &self.tier)
            .field("status", &self.status)
            .field("onboarding", &self.onboarding)
            .field("has_password", &self.password.is_some())
            .field("ways_in", &self.ways_in())
            .field("rooms", &self.rooms)
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}

/// Longest name (characters).
const MOST_NAME_CHARS: usize = 64;

impl Account {
    /// A fresh one.
    #[must_use]
    pub fn new(email: Option<Email>, display_name: &str, at: Timestamp) -> Self {
        let fallback = email.as_ref().map_or("somebody", Email::local);
        let display_name = readable_name(display_name).unwrap_or_else(|| fallback.to_owned());
        Self {
            id: AccountId::random(),
            user_code: UserCode::random(),
            email,
            email_verified: false,
            display_name,
            avatar_url: None,
            role: AccountRole::default(),
            tier: Tier::default(),
            status: AccountStatus::default(),
            onboarding: Onboarding::default(),
            password: None,
            providers: Vec::new(),
            rooms: Vec::new(),
            given: Vec::new(),
            created_at: at,
            last_login_at: None,
            updated_at: at,
        }
    }

    /// Whether it may be used.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == AccountStatus::Active
    }

    /// Whether nobody has shown that it is theirs: its address was never verified, and nobody was ever in it.
    #[must_use]
    pub fn is_unclaimed(&self) -> bool {
        !self.email_verified
            && self.email.is_some()
            && self.providers.is_empty()
            && self.last_login_at.is_none()
    }

    /// Rooms of its own, whoever made them.
    pub fn list_rooms(&self) -> impl Iterator<Item = &CreatorId> {
        self.rooms.iter().chain(&self.given)
    }

    /// Whether a room is its own.
    #[must_use]
    pub fn owns(&self, room: &CreatorId) -> bool {
        self.list_rooms().any(|it| it == room)
    }

    /// How many ways in there are besides links by mail.
    #[must_use]
    pub fn ways_in(&self) -> usize {
        usize::from(self.password.is_some()) + self.providers.len()
    }
}

/// A name as it can be shown: on one line, not too long, nothing invisible at its ends; `None` when nothing is left.
#[must_use]
pub fn readable_name(text: &str) -> Option<String> {
    let hidden = |it: char| {
        it.is_control()
            || matches!(it, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let kept: String = text
        .chars()
        .map(|it| if it == '\n' || it == '\t' { ' ' } else { it })
        .filter(|it| !hidden(*it))
        .collect();
    let kept: String = kept.trim().chars().take(MOST_NAME_CHARS).collect();
    let kept = kept.trim_end().to_owned();
    (!kept.is_empty()).then_some(kept)
}
