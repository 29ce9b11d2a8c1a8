//! One call to a provider: bounded in time and size, and its failure told in words without addresses.

use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{OAuthError, Provider};
use crate::http::{Answer, Clients, Way, failure};

/// Largest answer that is read (bytes).
const MAX_BYTES: usize = 256 * 1024;

/// The way to one provider.
pub(super) struct Line {
    pub(super) provider: Provider,
    pub(super) client: Client,
    /// Longest time for one answer.
    pub(super) patience: Duration,
}

impl Line {
    pub(super) async fn open(
        clients: &Clients,
        way: &Way,
        provider: Provider,
        patience: Duration,
    ) -> Result<Self, OAuthError> {
        let client = clients.unredirected(way).await;
        let client = client.map_err(|it| OAuthError::unavailable(provider, it.to_string()))?;
        Ok(Self { provider, client, patience })
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Answer, OAuthError> {
        let call = async {
            let request = request.header("accept", "application/json");
            let response = request.send().await.map_err(|it| failure("no answer", &it))?;
            Answer::read(response, MAX_BYTES).await
        };
        match timeout(self.patience, call).await {
            Ok(answer) => {
                answer.map_err(|it| OAuthError::unavailable(self.provider, it.to_string()))
            }
            Err(_) => Err(OAuthError::unavailable(self.provider, "no answer in time")),
        }
    }

    /// Asks with an access token for JSON.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        url: &str,
        access_token: &str,
    ) -> Result<T, OAuthError> {
        let answer = self.send(self.client.get(url).bearer_auth(access_token)).await?;
        if !answer.status.is_success() {
            return Err(self.failed(&answer));
        }
        answer.json().ok_or_else(|| self.misshapen())
    }

    pub(super) fn failed(&self, answer: &Answer) -> OAuthError {
        let (status, reason) = (answer.status, format!("it answers {}", answer.status.as_u16()));
        // Too many calls, and whatever is its own fault: it is the same for everybody.
        if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
            OAuthError::unavailable(self.provider, reason)
        } else {
            OAuthError::failed_once(self.provider, reason)
        }
    }

    pub(super) fn misshapen(&self) -> OAuthError {
        OAuthError::failed_once(self.provider, "it answers in a shape that is not known")
    }
}
