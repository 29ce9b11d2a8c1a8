//! Saying something in a Kick chat, through the official API.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{Client, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{sync::Mutex, time::Instant};

use super::{
    official::{self, ApiError, Application},
    wire::{Id, lenient},
};
use crate::{
    lifecycle::Lifecycle,
    model::{Platform, percent_encoded},
    platforms::Memory,
};

/// Longest text (characters).
pub const MAX_TEXT: usize = 500;
/// Where bans are made and taken back.
const BANS: &str = "/public/v1/moderation/bans";
/// Kept over restarts: the newest refresh token, and of which first one it is the offspring.
const CHAIN: &str = "refresh token";
/// Longest pause that is waited for before a second try; longer ones are the caller's.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What a message became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The platform's id of the message, without the platform.
    pub message_id: Option<String>,
}

/// Why a message was not said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The platform, or a right that is missing, does not let it through: trying again changes nothing.
    #[error("{0}")]
    Blocked(String),
    /// Not before so long.
    #[error("Kick asks for a pause of {} s", .0.as_secs())]
    Wait(Duration),
    /// It did not work this time.
    #[error("{0}")]
    Failed(String),
}

/// Where a sender stands.
#[derive(Clone)]
pub struct Account {
    /// The official API.
    pub api_url: String,
    /// Where tokens come from.
    pub id_url: String,
    /// The application.
    pub application: Application,
    /// Where the chain of tokens began: as it stands in the environment.
    pub refresh_token: String,
    /// By what the newest token is kept: the end of the creator's secrets.
    pub suffix: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("suffix", &self.suffix).finish_non_exhaustive()
    }
}

/// Says things as one account. Each use of a refresh token replaces it, so there is one sender per account.
pub struct KickSender {
    exchange: Arc<Exchange>,
    life: Lifecycle,
}

/// Refresh tokens for access tokens.
struct Exchange {
    client: Client,
    account: Account,
    memory: Memory,
    /// Held over the exchange: two at once would use one refresh token twice, and lose both.
    access: Mutex<Option<(String, Instant)>>,
}

#[derive(serde::Serialize, Deserialize)]
struct Chain {
    /// A fingerprint of the first token: another one in the environment begins anew.
    origin: String,
    newest: String,
}

impl KickSender {
    /// Goes on where the chain of tokens was left. The exchange of tokens is a task of `life`.
    #[must_use]
    pub fn new(client: Client, account: Account, memory: Memory, life: Lifecycle) -> Self {
        let exchange = Exchange { client, account, memory, access: Mutex::default() };
        Self { exchange: Arc::new(exchange), life }
    }

    /// Says `text` in the chat of a user's channel, as an answer to the message with the platform's own id
    /// `reply_to`.
    ///
    /// # Errors
    /// [`SendError`]: what became of it, and whether it is worth another try.
    pub async fn send(
        &self,
        broadcaster_user_id: u64,
        text: &str,
        reply_to: Option<&str>,
    ) -> Result<Sent, SendError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            is_sent: bool,
            #[serde(default, deserialize_with = "lenient")]
            message_id: Option<Id>,
        }
        let length = text.chars().count();
        if text.trim().is_empty() || length > MAX_TEXT {
            return Err(SendError::Blocked(format!(
                "a message on Kick has 1 to {MAX_TEXT} characters, not {length}"
            )));
        }
        let mut body = json!({
            "broadcaster_user_id": broadcaster_user_id, "content": text, "type": "user",
        });
        if let Some(id) = reply_to {
            body["reply_to_message_id"] = json!(id);
        }
        let url = format!("{}/public/v1/chat", self.exchange.account.api_url);
        let mut tried = false;
        loop {
            let token = self.token().await?;
            let client = &self.exchange.client;
            let answer = official::send::<Answer>(client, &Method::POST, &url, &token, Some(&body));
            match answer.await {
                Ok(Answer { is_sent: true, message_id }) => {
                    let message_id = message_id.map(|it| it.as_str().to_owned());
                    return Ok(Sent { message_id });
                }
                Ok(Answer { is_sent: false, .. }) => {
                    return Err(SendError::Blocked(
                        "Kick did not let the message through".to_owned(),
                    ));
                }
                // Taken back before its time: once more with another.
                Err(ApiError::Credentials) if !tried => self.forget(&token).await,
                Err(ApiError::Wait(pause)) if !tried && pause <= LONGEST_WAIT => {
                    tokio::time::sleep(pause).await;
                }
                Err(ApiError::Wait(pause)) => return Err(SendError::Wait(pause)),
                Err(error @ (ApiError::Credentials | ApiError::Scope(_))) => {
                    return Err(SendError::Blocked(error.to_string()));
                }
                Err(error @ ApiError::Other(_)) => {
                    return Err(SendError::Failed(error.to_string()));
                }
            }
            tried = true;
        }
    }

    /// Takes a message out of a chat.
    ///
    /// # Errors
    /// As [`KickSender::send`].
    pub async fn delete_message(&self, message_id: &str) -> Result<(), SendError> {
        let path = format!("/public/v1/chat/{}", percent_encoded(message_id));
        self.call(Method::DELETE, &path, None).await
    }

    /// Bans somebody, for so many minutes or until it is taken back.
    ///
    /// # Errors
    /// As [`KickSender::send`].
    pub async fn ban(
        &self,
        broadcaster_user_id: u64,
        user_id: u64,
        minutes: Option<u32>,
    ) -> Result<(), SendError> {
        let mut body = json!({"broadcaster_user_id": broadcaster_user_id, "user_id": user_id});
        if let Some(minutes) = minutes {
            body["duration"] = minutes.into();
        }
        self.call(Method::POST, BANS, Some(&body)).await
    }

    /// Takes a ban back.
    ///
    /// # Errors
    /// As [`KickSender::send`].
    pub async fn unban(&self, broadcaster_user_id: u64, user_id: u64) -> Result<(), SendError> {
        let body = json!({"broadcaster_user_id": broadcaster_user_id, "user_id": user_id});
        self.call(Method::DELETE, BANS, Some(&body)).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(), SendError> {
        let url = format!("{}{path}", self.exchange.account.api_url);
        let token = self.token().await?;
        let client = &self.exchange.client;
        let mut done = official::call(client, &method, &url, &token, body).await;
        if matches!(done, Err(ApiError::Credentials)) {
            // Taken back before its time: once more with another.
            self.forget(&token).await;
            let token = self.token().await?;
            done = official::call(client, &method, &url, &token, body).await;
        }
        match done {
            Ok(_) => Ok(()),
            Err(ApiError::Wait(pause)) => Err(SendError::Wait(pause)),
            Err(error @ (ApiError::Credentials | ApiError::Scope(_))) => {
                Err(SendError::Blocked(error.to_string()))
            }
            Err(error @ ApiError::Other(_)) => Err(SendError::Failed(error.to_string())),
        }
    }

    async fn forget(&self, token: &str) {
        let mut access = self.exchange.access.lock().await;
        // Another call may have replaced it meanwhile.
        if access.as_ref().is_some_and(|it| it.0 == token) {
            *access = None;
        }
    }

    async fn token(&self) -> Result<String, SendError> {
        let exchange = Arc::clone(&self.exchange);
        // Whoever asks may go away in the middle: by then Kick may have replaced the refresh token, and the new
        // one must be kept all the same.
        let asking = self.life.spawn(async move { exchange.token().await });
        asking.await.unwrap_or_else(|_| Err(SendError::Failed("the exchange failed".to_owned())))
    }
}

impl Exchange {
    async fn token(&self) -> Result<String, SendError> {
        let mut access = self.access.lock().await;
        let now = Instant::now();
        if let Some((token, _)) = access.as_ref().filter(|it| it.1 > now) {
            return Ok(token.clone());
        }
        let refresh_token = self.refresh_token();
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", self.account.application.client_id.as_str()),
            ("client_secret", self.account.application.client_secret.as_str()),
            ("refresh_token", refresh_token.as_str()),
        ];
        let granted = official::grant(&self.client, &self.account.id_url, &form).await;
        let granted = granted.map_err(|error| match error {
            ApiError::Credentials => SendError::Blocked(
                "Kick does not accept the refresh token: sign in to Kick again".to_owned(),
            ),
            ApiError::Wait(pause) => SendError::Wait(pause),
            other => SendError::Failed(other.to_string()),
        })?;
        if let Some(newest) = &granted.refresh_token {
            // On the disk before anything else: the old one is worth nothing any more.
            let chain = Chain { origin: self.origin(), newest: newest.clone() };
            let text = serde_json::to_string(&chain).expect("two texts always serialise");
            self.memory.remember(Platform::Kick, &self.account.suffix, CHAIN, &text);
            self.memory.settle().await;
        }
        *access = Some((granted.access_token.clone(), granted.until(now)));
        Ok(granted.access_token)
    }

    fn refresh_token(&self) -> String {
        let kept = self.memory.find(Platform::Kick, &self.account.suffix, CHAIN);
        let kept = kept.and_then(|it| serde_json::from_str::<Chain>(&it).ok());
        kept.filter(|it| it.origin == self.origin())
            .map_or_else(|| self.account.refresh_token.clone(), |it| it.newest)
    }

    fn origin(&self) -> String {
        let hash = Sha256::digest(self.account.refresh_token.as_bytes());
        hash.iter().take(8).map(|it| format!("{it:02x}")).collect()
    }
}
