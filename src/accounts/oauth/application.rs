//! This server's application at a provider, and where that is reached.

use std::fmt;

use url::Url;

use super::{Flow, OAuthError, Provider};
use crate::config::{Config, auth::ProviderConfig};

/// What was registered at a provider, and its addresses. Shown, it tells no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Application {
    /// With whom.
    pub provider: Provider,
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: String,
    /// Where people come back to: the very text that was registered.
    pub redirect_uri: String,
    /// Where the provider is.
    pub endpoints: Endpoints,
}

/// A provider's addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Where people agree.
    pub authorize_url: String,
    /// Where a code becomes tokens.
    pub token_url: String,
    /// Who somebody is.
    pub user_url: String,
    /// Which addresses somebody has; GitHub only.
    pub emails_url: String,
    /// Where tokens are given back.
    pub revoke_url: String,
}

impl Endpoints {
    /// As configured, else where the provider really is.
    fn new(provider: Provider, config: &ProviderConfig) -> Self {
        let [authorize_url, token_url, user_url, emails_url, revoke_url] = usual(provider);
        let or = |set: &Option<crate::config::HttpUrl>, usual: &str| {
            set.as_ref().map_or(usual, |it| it.as_str()).to_owned()
        };
        Self {
            authorize_url: or(&config.authorize_url, authorize_url),
            token_url: or(&config.token_url, token_url),
            user_url: or(&config.user_url, user_url),
            emails_url: or(&config.emails_url, emails_url),
            revoke_url: or(&config.revoke_url, revoke_url),
        }
    }
}

/// Authorize, token, user, addresses, revoke.
const fn usual(provider: Provider) -> [&'static str; 5] {
    match provider {
        Provider::Google => [
            "https://accounts.google.com/o/oauth2/v2/auth",
            "https://oauth2.googleapis.com/token",
            "https://openidconnect.googleapis.com/v1/userinfo",
            "",
            "https://oauth2.googleapis.com/revoke",
        ],
        Provider::Github => [
            "https://github.com/login/oauth/authorize",
            "https://github.com/login/oauth/access_token",
            "https://api.github.com/user",
            "https://api.github.com/user/emails",
            "https://api.github.com/applications",
        ],
        Provider::Discord => [
            "https://discord.com/oauth2/authorize",
            "https://discord.com/api/oauth2/token",
            "https://discord.com/api/users",
            "",
            "https://discord.com/api/oauth2/token/revoke",
        ],
        Provider::Twitch => [
            "https://id.twitch.tv/oauth2/authorize",
            "https://id.twitch.tv/oauth2/token",
            "https://id.twitch.tv/oauth2/userinfo",
            "",
            "https://id.twitch.tv/oauth2/revoke",
        ],
    }
}

/// What Twitch puts into its id_token beside the number.
const TWITCH_CLAIMS: &str =
    r#"{"id_token":{"email":null,"email_verified":null,"preferred_username":null,"picture":null}}"#;

impl Application {
    /// The one at `provider`, for a server that people reach at `base_url` (no slash at its end); `None` when it
    /// is switched off or not registered.
    #[must_use]
    pub fn find(config: &Config, base_url: &str, provider: Provider) -> Option<Self> {
        let providers = &config.system.auth.providers;
        let (of_provider, name) = match provider {
            Provider::Google => (&providers.google, "GOOGLE"),
            Provider::Github => (&providers.github, "GITHUB"),
            Provider::Discord => (&providers.discord, "DISCORD"),
            Provider::Twitch => (&providers.twitch, "TWITCH"),
        };
        let application = config.secrets.sign_in_application(name);
        let (client_id, client_secret) = application.filter(|_| of_provider.enabled)?;
        Some(Self {
            provider,
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            redirect_uri: format!("{base_url}{}", provider.callback_path()),
            endpoints: Endpoints::new(provider, of_provider),
        })
    }

    /// Where the person is sent to agree. `state` comes back with the answer.
    ///
    /// # Errors
    /// [`OAuthError::Misconfigured`] when the address is none.
    pub fn authorize_url(&self, flow: &Flow, state: &str) -> Result<String, OAuthError> {
        let mut url = Url::parse(&self.endpoints.authorize_url).map_err(|_| {
            let reason = "its authorize_url is not an address".to_owned();
            OAuthError::Misconfigured { provider: self.provider, reason }
        })?;
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("client_id", &self.client_id)
                .append_pair("redirect_uri", &self.redirect_uri)
                .append_pair("response_type", "code")
                .append_pair("scope", &self.provider.scopes(flow.with_platform).join(" "))
                .append_pair("state", state)
                // Twitch does not know it and passes over it; the others insist from then on.
                .append_pair("code_challenge", &flow.challenge())
                .append_pair("code_challenge_method", "S256");
            if self.provider.speaks_openid() {
                query.append_pair("nonce", flow.nonce());
            }
            match self.provider {
                // A refresh token comes only with a consent that was just given.
                Provider::Google if flow.with_platform => {
                    query.append_pair("access_type", "offline").append_pair("prompt", "consent");
                }
                Provider::Twitch => drop(query.append_pair("claims", TWITCH_CLAIMS)),
                _ => {}
            }
        }
        Ok(url.into())
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application")
            .field("provider", &self.provider)
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}
