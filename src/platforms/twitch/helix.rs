//! Twitch's API, for one account.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{sync::OnceCell, time::timeout};

use crate::{
    config::{Config, HttpUrl},
    http::{Answer, CALL_TIMEOUT, Clients, HttpError, Way, failure},
    platforms::secret::Secret,
};

/// Largest answer that is read (bytes).
const MAX_BYTES: usize = 1 << 20;
/// Wait when the API asks for less without saying how long.
const WAIT: Duration = Duration::from_secs(10);

/// An account, and how its API is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelixPlan {
    helix_url: HttpUrl,
    id_url: HttpUrl,
    way: Way,
    token: Secret,
}

impl HelixPlan {
    /// With the token of the creator whose secrets end in `suffix`; `None` without one.
    #[must_use]
    pub fn new(config: &Config, suffix: &str) -> Option<Self> {
        config.secrets.twitch_oauth_token(suffix).map(|it| Self::with_token(config, it))
    }

    /// With a token of any account.
    #[must_use]
    pub fn with_token(config: &Config, token: &str) -> Self {
        let token = Secret::new(token);
        let twitch = &config.platforms.twitch;
        let ca_file = twitch.tls_ca_file.clone().or_else(|| config.platforms.tls_ca_file.clone());
        let way = Way { ca_file, proxy: None };
        let (helix_url, id_url) = (twitch.helix_url.clone(), twitch.id_url.clone());
        Self { helix_url, id_url, way, token }
    }
}

/// Who a token belongs to, and what it allows.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Validated {
    pub(super) client_id: String,
    pub(super) login: String,
    pub(super) user_id: String,
    #[serde(default)]
    scopes: Vec<String>,
}

impl Validated {
    pub(super) fn allows(&self, scope: &str) -> bool {
        self.scopes.iter().any(|it| it == scope)
    }
}

/// Why the API did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HelixError {
    /// The token is no longer good.
    #[error("Twitch refused the token: get a new one for TWITCH_OAUTH_TOKEN_…")]
    Unauthorized,
    /// This is not allowed, or wrong.
    #[error("Twitch answers {status}: {message}")]
    Refused {
        /// HTTP.
        status: u16,
        /// Twitch's words.
        message: String,
    },
    /// Too much at once: again after this long.
    #[error("Twitch asks to wait {} s", .0.as_secs())]
    Limited(Duration),
    /// It cannot be reached, or fails.
    #[error("{0}")]
    Unavailable(String),
}

impl From<HttpError> for HelixError {
    fn from(error: HttpError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Users {
    data: Vec<User>,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

/// The API, for one account. Looks the account up once.
pub(super) struct Helix {
    clients: Arc<Clients>,
    plan: HelixPlan,
    validated: OnceCell<Validated>,
}

impl Helix {
    pub(super) fn new(clients: Arc<Clients>, plan: HelixPlan) -> Self {
        Self { clients, plan, validated: OnceCell::new() }
    }

    /// Whose token it is, if that is known.
    pub(super) fn known(&self) -> Option<&Validated> {
        self.validated.get()
    }

    /// Whose token it is, and what it allows.
    pub(super) async fn validate(&self) -> Result<&Validated, HelixError> {
        self.validated.get_or_try_init(|| self.ask_who()).await
    }

    /// The same, asked anew: whether it is still good.
    pub(super) async fn ask_who(&self) -> Result<Validated, HelixError> {
        let client = self.clients.client(&self.plan.way).await?;
        let request = client
            .get(format!("{}/validate", self.plan.id_url))
            .header("authorization", format!("OAuth {}", self.plan.token.expose()));
        read(&send(request).await?)
    }

    /// A user's number; `None` when there is nobody of that login.
    pub(super) async fn find_user(&self, login: &str) -> Result<Option<String>, HelixError> {
        let request = self.request(Method::GET, "/users").await?.query(&[("login", login)]);
        let users: Users = read(&send(request).await?)?;
        Ok(users.data.into_iter().next().map(|it| it.id))
    }

    /// Asks for one kind of event on an EventSub socket. A subscription that is there already is fine.
    pub(super) async fn subscribe(
        &self,
        kind: &str,
        version: &str,
        condition: &Value,
        session_id: &str,
    ) -> Result<(), HelixError> {
        let body = json!({"type": kind, "version": version, "condition": condition,
            "transport": {"method": "websocket", "session_id": session_id}});
        let request = self.request(Method::POST, "/eventsub/subscriptions").await?.json(&body);
        match send(request).await {
            Ok(_) => Ok(()),
            Err(HelixError::Refused { status: 409, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Says something in a chat; the answer as Twitch gave it.
    pub(super) async fn say(
        &self,
        broadcaster_id: &str,
        text: &str,
        reply_to: Option<&str>,
    ) -> Result<Value, HelixError> {
        let sender_id = &self.validate().await?.user_id;
        let mut body =
            json!({"broadcaster_id": broadcaster_id, "sender_id": sender_id, "message": text});
        if let Some(id) = reply_to {
            body["reply_parent_message_id"] = id.into();
        }
        let request = self.request(Method::POST, "/chat/messages").await?.json(&body);
        read(&send(request).await?)
    }

    /// Takes a message out of a chat.
    pub(super) async fn delete_message(
        &self,
        broadcaster_id: &str,
        message_id: &str,
    ) -> Result<(), HelixError> {
        let request = self.moderation(Method::DELETE, "/moderation/chat", broadcaster_id).await?;
        send(request.query(&[("message_id", message_id)])).await.map(drop)
    }

    /// Bans somebody, for so many seconds or until it is taken back. Whoever is banned already stays so.
    pub(super) async fn ban(
        &self,
        broadcaster_id: &str,
        user_id: &str,
        seconds: Option<u32>,
    ) -> Result<(), HelixError> {
        let mut data = json!({ "user_id": user_id });
        if let Some(seconds) = seconds {
            data["duration"] = seconds.into();
        }
        let request = self.moderation(Method::POST, "/moderation/bans", broadcaster_id).await?;
        unless(send(request.json(&json!({ "data": data }))).await, "already banned")
    }

    /// Takes a ban back. Whoever is not banned stays so.
    pub(super) async fn unban(
        &self,
        broadcaster_id: &str,
        user_id: &str,
    ) -> Result<(), HelixError> {
        let request = self.moderation(Method::DELETE, "/moderation/bans", broadcaster_id).await?;
        unless(send(request.query(&[("user_id", user_id)])).await, "not banned")
    }

    async fn moderation(
        &self,
        method: Method,
        path: &str,
        broadcaster_id: &str,
    ) -> Result<RequestBuilder, HelixError> {
        let moderator_id = &self.validate().await?.user_id;
        let who = [("broadcaster_id", broadcaster_id), ("moderator_id", moderator_id)];
        Ok(self.request(method, path).await?.query(&who))
    }

    async fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, HelixError> {
        let client_id = &self.validate().await?.client_id;
        let client = self.clients.client(&self.plan.way).await?;
        Ok(client
            .request(method, format!("{}{path}", self.plan.helix_url))
            .header("client-id", client_id)
            .bearer_auth(self.plan.token.expose()))
    }
}

async fn send(request: RequestBuilder) -> Result<Answer, HelixError> {
    let call = async {
        let response = request.send().await.map_err(|it| failure("Twitch's API", &it))?;
        let reset = response.headers().get("ratelimit-reset").and_then(|it| it.to_str().ok());
        let reset = reset.and_then(|it| it.parse::<i64>().ok());
        Ok::<_, HttpError>((Answer::read(response, MAX_BYTES).await?, reset))
    };
    let (answer, reset) = timeout(CALL_TIMEOUT, call)
        .await
        .map_err(|_| HelixError::Unavailable("Twitch's API: no answer in time".to_owned()))??;
    let status = answer.status;
    if status.is_success() {
        return Ok(answer);
    }
    // The words are Twitch's own; they name no token.
    let message = answer.json::<Refusal>().map(|it| it.message).unwrap_or_default();
    Err(match status {
        StatusCode::UNAUTHORIZED => HelixError::Unauthorized,
        StatusCode::TOO_MANY_REQUESTS => {
            let now = chrono::Utc::now().timestamp();
            let until_reset = reset.and_then(|it| u64::try_from(it - now).ok());
            let wait = answer.retry_after.or(until_reset.map(Duration::from_secs));
            HelixError::Limited(wait.unwrap_or(WAIT).max(Duration::from_secs(1)))
        }
        status if status.is_client_error() => {
            HelixError::Refused { status: status.as_u16(), message }
        }
        status => HelixError::Unavailable(format!("Twitch's API answers {status}")),
    })
}

/// What was to be done is done also when the API says in these words that it was done before.
fn unless(answer: Result<Answer, HelixError>, words: &str) -> Result<(), HelixError> {
    match answer {
        Err(HelixError::Refused { status: 400, message }) if message.contains(words) => Ok(()),
        other => other.map(drop),
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, HelixError> {
    answer.json().ok_or_else(|| {
        HelixError::Unavailable("Twitch's API answers in another shape than it used to".to_owned())
    })
}
