//! Why a way through a provider did not lead in.

use crate::accounts::{AccountError, oauth::OAuthError};

/// Why a way through a provider did not lead in.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The provider, or what is configured of it.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// The account.
    #[error(transparent)]
    Account(#[from] AccountError),
}

impl ProviderError {
    /// A word for pages and the audit.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::OAuth(OAuthError::Denied(_)) => "denied",
            Self::OAuth(OAuthError::Refused { .. }) | Self::Account(AccountError::BadTicket) => {
                "expired"
            }
            Self::OAuth(
                OAuthError::NotOffered(_)
                | OAuthError::Unavailable { .. }
                | OAuthError::Misconfigured { .. },
            )
            | Self::Account(
                AccountError::SwitchedOff(_) | AccountError::Storage(_) | AccountError::Busy,
            ) => "unavailable",
            Self::Account(AccountError::Suspended) => "inactive_account",
            Self::Account(AccountError::TooMany(_)) => "rate_limited",
            Self::Account(AccountError::Taken(_)) => "taken",
            Self::Account(AccountError::SignInAgain) => "sign_in_again",
            Self::Account(_) => "unauthorized",
        }
    }
}
