//! Why signing in with a provider failed, by what can be done about it.

use super::Provider;

/// Why a provider did not do what was asked. Tells no code, token or secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// It is switched off, or its application's id and secret are not set.
    #[error("{} is not offered here", .0.title())]
    NotOffered(Provider),
    /// The person did not agree: another way in, or another try.
    #[error("{} was not allowed to tell who it is", .0.title())]
    Denied(Provider),
    /// This attempt is over and the person must begin anew: a code or token that does not hold, or an answer that
    /// belongs to another attempt.
    #[error("{}: {reason}", provider.title())]
    Refused {
        /// Who refused, or whose answer was refused.
        provider: Provider,
        /// Why.
        reason: &'static str,
    },
    /// The provider cannot be reached, fails, or answers what it should not: again later.
    #[error("{}: {reason}", provider.title())]
    Unavailable {
        /// Who.
        provider: Provider,
        /// Why.
        reason: String,
        /// Whether whoever else asks there now fails as well, as far as that can be known.
        for_all: bool,
    },
    /// What was registered there is not what is configured here: only the operator can help.
    #[error("{} does not accept this server's application: {reason}", provider.title())]
    Misconfigured {
        /// Who.
        provider: Provider,
        /// The provider's word for it.
        reason: String,
    },
}

impl OAuthError {
    pub(super) fn refused(provider: Provider, reason: &'static str) -> Self {
        Self::Refused { provider, reason }
    }

    pub(super) fn unavailable(provider: Provider, reason: impl Into<String>) -> Self {
        Self::Unavailable { provider, reason: reason.into(), for_all: true }
    }

    /// The provider fails at this call, and need not at another one.
    pub(super) fn failed_once(provider: Provider, reason: impl Into<String>) -> Self {
        Self::Unavailable { provider, reason: reason.into(), for_all: false }
    }

    /// Whether whoever else asks this provider now fails as well, as far as that can be known.
    #[must_use]
    pub const fn is_for_all(&self) -> bool {
        match self {
            Self::NotOffered(_) | Self::Misconfigured { .. } => true,
            Self::Denied(_) | Self::Refused { .. } => false,
            Self::Unavailable { for_all, .. } => *for_all,
        }
    }

    /// What the `error` means with which a provider sent somebody back, or answered a call.
    #[must_use]
    pub fn told(provider: Provider, error: &str) -> Self {
        match error {
            "access_denied" | "user_denied" => Self::Denied(provider),
            "invalid_grant" | "bad_verification_code" | "bad_refresh_token" | "expired_token" => {
                Self::refused(provider, "the code or token does not hold, or was used before")
            }
            // GitHub and Google have words of their own beside those of RFC 6749.
            "invalid_client"
            | "unauthorized_client"
            | "incorrect_client_credentials"
            | "deleted_client"
            | "disabled_client"
            | "application_suspended"
            | "redirect_uri_mismatch"
            | "invalid_request"
            | "invalid_scope"
            | "unsupported_response_type"
            | "unsupported_grant_type"
            | "org_internal"
            | "admin_policy_enforced" => Self::Misconfigured { provider, reason: error.to_owned() },
            "server_error" | "temporarily_unavailable" | "slow_down" => {
                Self::unavailable(provider, error)
            }
            // What is not known is not repeated: it may hold anything.
            _ => Self::failed_once(provider, "it answers with an error that is not known"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_never_quoted() {
        let error = OAuthError::told(Provider::Google, "<b>hunter2</b>");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        assert_eq!(
            OAuthError::told(Provider::Github, "access_denied").to_string(),
            "GitHub was not allowed to tell who it is"
        );
    }
}
