//! Who somebody is, what they may do, and what they pay for: accounts, their sign-ins, and everything that is done
//! to them.
//!
//! All of it is held in memory as one [`Book`], read without a lock, and kept in `accounts.redb`. A [`Change`] is
//! worked out on a copy that shares all it does not touch, written in one transaction, and put in force once the
//! disk has it: whatever fails in the middle, nothing is half done.

mod access;
mod account;
mod address_change;
mod admin;
mod api_token;
mod audit;
mod book;
mod change;
mod controls;
mod in_copies;
mod error;
mod forgotten_password;
mod letter;
mod lockout;
pub mod mail;
mod noted;
pub mod oauth;
mod moderator;
mod command_line;
mod own_account;
mod own_password;
mod own_sign_ins;
mod owner;
mod paces;
mod password;
pub mod providers;
mod record;
pub mod sealed;
mod rooms;
mod secret;
mod session;
mod views;
mod sign_in;
mod sign_up;
mod store;
#[cfg(test)]
mod tests;
mod ticket;
mod tiers;
mod turns;
mod upkeep;
mod verify;

pub use access::{AccessMode, AccessState};
pub use account::{Account, AccountId, AccountStatus, Linked, Onboarding, UserCode, readable_name};
pub use admin::{Act, Acted, By};
pub use api_token::{ApiToken, NewApiToken, PREFIX as API_TOKEN_PREFIX};
pub use audit::{Actor, AuditEntry, AuditKey, Origin};
pub use book::Book;
pub use change::Change;
pub use controls::{ControlFlags, Controls};
pub use error::AccountError;
pub use in_copies::{records_in, records_of};
pub use letter::{Alert, Letter, Mail};
pub use lockout::{Attempt, Lockout, LockoutKey};
pub use moderator::{
    Invitation, Invited, Invitee, MOST_MODERATORS, Moderator, PRESETS, Right, Rights,
};
pub use owner::Owner;
pub use paces::Paces;
pub use password::{Passwords, Verdict};
pub use record::Record;
pub use rooms::{NewChannel, RoomChannel, RoomChannels};
pub use secret::{Digest, Secret};
pub use session::{NewSession, Session, SessionId, Surface};
pub use sign_in::SignedIn;
pub use sign_up::SignUp;
pub use store::{Accounts, AuditPage, Clock, FILE, Parts, system_clock};
pub use ticket::{Purpose, PurposeKind, Ticket};
pub use tiers::{TierChanges, Tiers};
pub use verify::GoOn;
pub use views::{AccountRecord, AuditRecord, AuthEvent, ProviderRecord};

pub use crate::model::{BadEmail, Email};
