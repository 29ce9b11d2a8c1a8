//! Why something was not done to an account.

use crate::storage::StorageError;

/// Why something was not done, by what its caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The address and the password do not belong together, or there is no such account: which, nobody is told.
    #[error("that address and password do not belong together")]
    WrongPassword,
    /// Whoever is signed in must send their password besides.
    #[error("send your password as well: only its owner may do this")]
    PasswordNeeded,
    /// What they sent is not the account's password.
    #[error("that is not your password")]
    NotYourPassword,
    /// Without a password, only whoever signed in a moment ago may.
    #[error("sign in again first: only whoever signed in within the last 15 minutes may do this")]
    SignInAgain,
    /// The sign-in has ended meanwhile.
    #[error("you are no longer signed in")]
    SignedOut,
    /// It was right, but the address must be verified first.
    #[error("verify your mail address first: the link is in the mail we sent")]
    NotVerified,
    /// The account is suspended.
    #[error("this account is suspended")]
    Suspended,
    /// Another account has it.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// There is none, or no longer.
    #[error("no such {0}")]
    Unknown(&'static str),
    /// A link was used already, is too old, or never was one.
    #[error("this link was used already, or is too old: ask for another one")]
    BadTicket,
    /// An admin switched it off.
    #[error("{0} switched off for now")]
    SwitchedOff(&'static str),
    /// What was sent is wrong; the text says what.
    #[error("{0}")]
    Invalid(String),
    /// It cannot be done as things are; the text says why.
    #[error("{0}")]
    Refused(&'static str),
    /// Too many attempts; again after so many seconds.
    #[error("too many attempts: try again in {0} s")]
    TooMany(u64),
    /// Too many people at once.
    #[error("too many people sign in at this moment: try again in a few seconds")]
    Busy,
    /// The disk does not take it. Nothing was changed.
    #[error("accounts cannot be changed now")]
    Storage(#[from] StorageError),
}
