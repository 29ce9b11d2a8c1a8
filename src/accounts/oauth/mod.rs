//! Signing in with Google, GitHub, Discord and Twitch: OAuth 2 with PKCE, and OpenID Connect where it is spoken.
//!
//! No client library: Twitch's answers are not the standard's, and what is left is little. A sign-in goes
//! [`Flow::new`] → [`OAuth::authorize_url`] → the provider → [`OAuth::exchange`]. Whoever calls keeps the flow behind
//! the `state` that travels, takes it away when it comes back (once), and looks whether the browser is the same.

mod application;
mod call;
mod error;
mod flow;
mod id_token;
mod person;
mod provider;
mod token;

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use self::call::Line;
pub use self::{
    application::{Application, Endpoints},
    error::OAuthError,
    flow::{Aim, Flow},
    person::Identity,
    provider::{Provider, UnknownProvider},
    token::PlatformTokens,
};
use crate::{
    config::Config,
    http::{Clients, Way},
    model::Timestamp,
};

/// Longest code that a provider hands out (bytes): what is longer is none.
const MAX_CODE_BYTES: usize = 4_096;

/// Speaks with the providers, as they are configured at that moment.
#[derive(Clone)]
pub struct OAuth {
    clients: Arc<Clients>,
    config: watch::Receiver<Arc<Config>>,
    /// Where people reach this server, without a slash at its end.
    base_url: Arc<str>,
}

impl OAuth {
    /// For a server that people reach at `base_url`, without a slash at its end.
    #[must_use]
    pub fn new(
        clients: Arc<Clients>,
        config: watch::Receiver<Arc<Config>>,
        base_url: &str,
    ) -> Self {
        Self { clients, config, base_url: base_url.into() }
    }

    /// With whom people can sign in here.
    #[must_use]
    pub fn list_offered(&self) -> Vec<Provider> {
        Provider::ALL.into_iter().filter(|it| self.application(*it).is_ok()).collect()
    }

    /// Where a person is sent to agree; `state` comes back with the answer.
    ///
    /// # Errors
    /// [`OAuthError::NotOffered`] and [`OAuthError::Misconfigured`].
    pub fn authorize_url(&self, flow: &Flow, state: &str) -> Result<String, OAuthError> {
        self.application(flow.provider)?.authorize_url(flow, state)
    }

    /// Who came back with `code`.
    ///
    /// # Errors
    /// [`OAuthError`]; none of them leaves anything behind, but the code is spent.
    pub async fn exchange(
        &self,
        flow: &Flow,
        code: &str,
        at: Timestamp,
    ) -> Result<Identity, OAuthError> {
        let application = self.application(flow.provider)?;
        if code.is_empty() || code.len() > MAX_CODE_BYTES {
            return Err(OAuthError::refused(flow.provider, "it sent no code"));
        }
        let line = self.line(flow.provider).await?;
        let granted = token::redeem(&line, &application, flow, code, at).await?;
        person::identify(&line, &application, flow, granted, at).await
    }

    /// The next tokens. Where the refresh token changed, the one in `tokens` is spent.
    ///
    /// # Errors
    /// [`OAuthError::Refused`] when the person or the provider took the permission back; others may pass.
    pub async fn refresh(
        &self,
        provider: Provider,
        tokens: &PlatformTokens,
        at: Timestamp,
    ) -> Result<PlatformTokens, OAuthError> {
        let application = self.application(provider)?;
        token::refresh(&self.line(provider).await?, &application, tokens, at).await
    }

    /// Gives the permission back.
    ///
    /// # Errors
    /// When the provider cannot be told; a permission that is gone already is none.
    pub async fn revoke(
        &self,
        provider: Provider,
        tokens: &PlatformTokens,
    ) -> Result<(), OAuthError> {
        let application = self.application(provider)?;
        token::revoke(&self.line(provider).await?, &application, &tokens.access).await
    }

    fn application(&self, provider: Provider) -> Result<Application, OAuthError> {
        let found = Application::find(&self.config.borrow(), &self.base_url, provider);
        found.ok_or(OAuthError::NotOffered(provider))
    }

    async fn line(&self, provider: Provider) -> Result<Line, OAuthError> {
        let (way, patience) = {
            let config = self.config.borrow();
            let way = Way { ca_file: config.platforms.tls_ca_file.clone(), proxy: None };
            let seconds = config.system.auth.provider_timeout_seconds;
            (way, Duration::from_secs(u64::from(seconds)))
        };
        Line::open(&self.clients, &way, provider, patience).await
    }
}
