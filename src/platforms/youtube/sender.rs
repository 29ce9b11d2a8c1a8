//! Says something in a YouTube chat, with a permission that the creator gave.

use std::{
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Deserialize;
use tokio::sync::Mutex;

use super::{
    data_api::{DataApi, cost},
    message_id,
    trouble::{Trouble, hour},
};
use crate::{
    config::{Config, creators::CreatorConfig},
    http::{Answer, CALL_TIMEOUT, Clients, Way, failure},
    model::{Platform, QualifiedId, Timestamp},
    quotas::Quota,
};

/// Longest message (characters).
pub const MAX_CHARACTERS: usize = 200;
/// Longest answer of the token endpoint (bytes).
const MAX_TOKEN_BYTES: usize = 64 * 1024;
/// A token is renewed so long before its end.
const TOKEN_MARGIN: Duration = Duration::from_secs(60);
/// Longest use of a token, whatever is said of it.
const LONGEST_TOKEN: Duration = Duration::from_secs(3_600);

/// What is needed to act for a creator. Shown, it tells no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Permit {
    /// The Google application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// What the creator granted.
    pub refresh_token: String,
    /// Where it becomes an access token.
    pub token_url: String,
    /// The Data API, without a slash at its end.
    pub data_api_url: String,
    /// Further certificate authorities.
    pub ca_file: Option<PathBuf>,
}

impl Permit {
    /// What a creator granted whose permission the operator set; `None` without.
    #[must_use]
    pub fn new(config: &Config, creator: &CreatorConfig) -> Option<Self> {
        let grant = config.secrets.youtube_sender(&creator.env_suffix())?;
        let application = (grant.client_id, grant.client_secret);
        Some(Self::of(config, application, grant.refresh_token))
    }

    /// What a creator granted who signed in with Google; `None` without the application that it was granted to.
    #[must_use]
    pub fn granted(config: &Config, refresh_token: &str) -> Option<Self> {
        let application = config.secrets.sign_in_application("GOOGLE")?;
        Some(Self::of(config, application, refresh_token))
    }

    fn of(config: &Config, application: (&str, &str), refresh_token: &str) -> Self {
        let youtube = &config.platforms.youtube;
        Self {
            client_id: application.0.to_owned(),
            client_secret: application.1.to_owned(),
            refresh_token: refresh_token.to_owned(),
            token_url: youtube.token_url.as_str().to_owned(),
            data_api_url: youtube.data_api_url.as_str().to_owned(),
            ca_file: config.platforms.tls_ca_file.clone(),
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It will not be taken, however often it is tried.
    #[error("{0}")]
    Blocked(String),
    /// It was not taken now. Whether it was all the same is not known where no answer came.
    #[error("{0}")]
    Failed(String),
}

/// Sends for one creator.
pub struct YoutubeSender {
    permit: Permit,
    clients: Arc<Clients>,
    quota: Quota,
    /// One renewal at a time.
    token: Mutex<Option<Token>>,
}

struct Token {
    api: DataApi,
    until: Instant,
}

impl fmt::Debug for YoutubeSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("YoutubeSender").field("permit", &self.permit).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    expires_in: u64,
    #[serde(default)]
    error: String,
}

impl YoutubeSender {
    /// Spends from `quota`: 50 units a message.
    #[must_use]
    pub fn new(permit: Permit, clients: Arc<Clients>, quota: Quota) -> Self {
        Self { permit, clients, quota, token: Mutex::new(None) }
    }

    /// Says `text` in the chat; the id under which it comes back.
    ///
    /// # Errors
    /// [`SendError`], by whether another try can help.
    pub async fn send(&self, live_chat_id: &str, text: &str) -> Result<QualifiedId, SendError> {
        let characters = text.chars().count();
        if text.trim().is_empty() {
            return Err(SendError::Blocked("there is nothing to send".to_owned()));
        }
        if characters > MAX_CHARACTERS {
            let words = format!("{characters} characters are more than {MAX_CHARACTERS}");
            return Err(SendError::Blocked(words));
        }
        let api = self.api().await?;
        let now = Timestamp::now();
        self.quota.spend(cost::INSERT, now).map_err(|it| {
            SendError::Blocked(format!("the YouTube quota is spent until {}", hour(it.until)))
        })?;
        match api.insert_message(live_chat_id, text).await {
            Ok(id) => {
                self.quota.note_answer(Timestamp::now());
                Ok(QualifiedId::new(Platform::Youtube, &message_id::canonical(&id)))
            }
            Err(trouble) => Err(self.refused(trouble, cost::INSERT).await),
        }
    }

    /// The chat of a stream, while that is open; 1 unit.
    ///
    /// # Errors
    /// As [`YoutubeSender::send`].
    pub async fn find_chat(&self, video: &str) -> Result<Option<String>, SendError> {
        let api = self.api().await?;
        self.quota.spend(cost::LIST, Timestamp::now()).map_err(|it| {
            SendError::Blocked(format!("the YouTube quota is spent until {}", hour(it.until)))
        })?;
        match api.list_videos(&[video.to_owned()]).await {
            Ok(found) => {
                self.quota.note_answer(Timestamp::now());
                Ok(found.into_iter().find_map(|it| it.live_chat_id))
            }
            Err(trouble) => Err(self.refused(trouble, cost::LIST).await),
        }
    }

    /// Takes a message out of its chat; 50 units.
    ///
    /// # Errors
    /// As [`YoutubeSender::send`].
    pub async fn delete_message(&self, live_chat_id: &str, id: &str) -> Result<(), SendError> {
        let id = message_id::MessageId::of_feed(id).for_data_api(live_chat_id);
        let id = id.ok_or_else(|| SendError::Blocked("that is no chat of YouTube".to_owned()))?;
        let api = self.api().await?;
        self.spend()?;
        self.settle(api.delete_message(&id).await).await
    }

    /// Bans a viewer's channel from a chat, for so many seconds or until it is taken back; the ban's id. 50 units.
    ///
    /// # Errors
    /// As [`YoutubeSender::send`].
    pub async fn ban(
        &self,
        live_chat_id: &str,
        channel_id: &str,
        seconds: Option<u32>,
    ) -> Result<String, SendError> {
        let api = self.api().await?;
        self.spend()?;
        self.settle(api.ban(live_chat_id, channel_id, seconds).await).await
    }

    /// Takes a ban back, by its id; 50 units.
    ///
    /// # Errors
    /// As [`YoutubeSender::send`].
    pub async fn unban(&self, id: &str) -> Result<(), SendError> {
        let api = self.api().await?;
        self.spend()?;
        self.settle(api.unban(id).await).await
    }

    fn spend(&self) -> Result<(), SendError> {
        self.quota.spend(cost::INSERT, Timestamp::now()).map(drop).map_err(|it| {
            SendError::Blocked(format!("the YouTube quota is spent until {}", hour(it.until)))
        })
    }

    async fn settle<T>(&self, answer: Result<T, Trouble>) -> Result<T, SendError> {
        match answer {
            Ok(it) => {
                self.quota.note_answer(Timestamp::now());
                Ok(it)
            }
            Err(trouble) => Err(self.refused(trouble, cost::INSERT).await),
        }
    }

    async fn refused(&self, mut trouble: Trouble, units: u32) -> SendError {
        match &mut trouble {
            Trouble::QuotaSpent(until) => *until = self.quota.note_refusal(Timestamp::now()),
            // What never left this machine cost nothing.
            Trouble::Unconnected(_) => self.quota.give_back(units, Timestamp::now()),
            // The next message comes with a fresh token.
            Trouble::Key(_) => *self.token.lock().await = None,
            _ => {}
        }
        let words = match &trouble {
            Trouble::Key(reason) => format!("YouTube does not accept the permission ({reason})"),
            Trouble::NoChat(_) => "YouTube does not let this account write in the chat".to_owned(),
            other => other.to_string(),
        };
        match trouble {
            Trouble::Busy(_)
            | Trouble::Unreachable(_)
            | Trouble::Unconnected(_)
            | Trouble::TooOften(_)
            | Trouble::Key(_) => SendError::Failed(words),
            _ => SendError::Blocked(words),
        }
    }

    /// The API with a token that is good for a while.
    async fn api(&self) -> Result<DataApi, SendError> {
        let mut token = self.token.lock().await;
        if let Some(token) = token.as_ref().filter(|it| it.until > Instant::now()) {
            return Ok(token.api.clone());
        }
        let failed = |it: String| SendError::Failed(it);
        let answer = self.ask_token().await?;
        let permit = &self.permit;
        let ca_file = permit.ca_file.as_deref();
        let api = DataApi::with_token(&permit.data_api_url, ca_file, &answer.access_token)
            .await
            .map_err(|it| failed(it.to_string()))?;
        let lasts = lasts_for(answer.expires_in);
        *token = Some(Token { api: api.clone(), until: Instant::now() + lasts });
        Ok(api)
    }

    async fn ask_token(&self) -> Result<TokenAnswer, SendError> {
        let permit = &self.permit;
        let way = Way { ca_file: permit.ca_file.clone(), proxy: None };
        let client =
            self.clients.client(&way).await.map_err(|it| SendError::Failed(it.to_string()))?;
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &permit.client_id),
            ("client_secret", &permit.client_secret),
            ("refresh_token", &permit.refresh_token),
        ];
        let response = client.post(&permit.token_url).form(&form).timeout(CALL_TIMEOUT).send();
        let response = response
            .await
            .map_err(|it| SendError::Failed(failure("asking for a token", &it).to_string()))?;
        let answer = Answer::read(response, MAX_TOKEN_BYTES)
            .await
            .map_err(|it| SendError::Failed(it.to_string()))?;
        let status = answer.status;
        match answer.json::<TokenAnswer>() {
            Some(it) if status.is_success() && !it.access_token.is_empty() => Ok(it),
            Some(it) if matches!(it.error.as_str(), "invalid_grant" | "unauthorized_client") => {
                Err(SendError::Blocked("the permission to send was taken back".to_owned()))
            }
            Some(it) if it.error == "invalid_client" => {
                Err(SendError::Blocked("Google does not know the application".to_owned()))
            }
            _ => Err(SendError::Failed(format!("no token: Google answers {}", status.as_u16()))),
        }
    }
}

/// How long a token is used that expires in so many seconds.
fn lasts_for(expires_in: u64) -> Duration {
    Duration::from_secs(expires_in).saturating_sub(TOKEN_MARGIN).min(LONGEST_TOKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_used_for_an_hour_at_most() {
        let now = Instant::now();
        for (said, used) in [(0, 0), (60, 0), (3_599, 3_539), (u64::MAX, 3_600)] {
            let until = now + lasts_for(said);
            assert_eq!(until, now + Duration::from_secs(used));
        }
    }
}
