//! The official API: tokens of the application, channels, and what is to be delivered by webhook.
//!
//! Source: <https://docs.kick.com>.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Client, Method, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    protocol::words,
    site::Stream,
    wire::{Id, lenient},
};
use crate::http::{Answer, CALL_TIMEOUT, HttpError, failure};

/// Largest answer (bytes).
const MAX_BYTES: usize = 1 << 20;
/// Life of a token that does not say how long it lasts.
const USUAL_LIFE: Duration = Duration::from_secs(600);
/// What is to be delivered, all in version 1.
pub(super) const EVENTS: [&str; 10] = [
    "chat.message.sent",
    "channel.followed",
    "channel.subscription.new",
    "channel.subscription.renewal",
    "channel.subscription.gifts",
    "channel.reward.redemption.updated",
    "livestream.status.updated",
    "livestream.metadata.updated",
    "moderation.banned",
    "kicks.gifted",
];

/// An application's name and secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Application {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Why the official API did not do as asked. Never holds a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The application's id or secret, or the token, is not accepted.
    #[error("Kick does not accept the application's credentials")]
    Credentials,
    /// A right is missing.
    #[error("the Kick application lacks a right: {0}")]
    Scope(String),
    /// Too much at once.
    #[error("Kick asks for a pause of {} s", .0.as_secs())]
    Wait(Duration),
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

impl From<HttpError> for ApiError {
    fn from(error: HttpError) -> Self {
        Self::Other(error.to_string())
    }
}

/// Tokens of applications, by their ids: one for all workers.
#[derive(Debug, Default)]
pub(super) struct AppTokens {
    held: Mutex<HashMap<String, (String, Instant)>>,
}

impl AppTokens {
    fn find(&self, client_id: &str) -> Option<String> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(client_id).filter(|it| it.1 > Instant::now()).map(|it| it.0.clone())
    }

    fn keep(&self, client_id: &str, token: &str, until: Instant) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(client_id.to_owned(), (token.to_owned(), until));
    }

    fn forget(&self, client_id: &str) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(client_id);
    }
}

/// A token as it is granted.
#[derive(Deserialize)]
pub(super) struct Granted {
    pub(super) access_token: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) refresh_token: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    expires_in: Option<Value>,
}

impl Granted {
    /// Until when it is used: a little less than it lasts.
    pub(super) fn until(&self, now: Instant) -> Instant {
        let seconds = match &self.expires_in {
            Some(Value::Number(it)) => it.as_u64(),
            Some(Value::String(it)) => it.parse().ok(),
            _ => None,
        };
        now + seconds.map_or(USUAL_LIFE, Duration::from_secs).min(Duration::from_secs(86_400)) * 9
            / 10
    }
}

/// The official API, for one application.
#[derive(Clone)]
pub(super) struct Official {
    pub(super) client: Client,
    pub(super) api_url: String,
    pub(super) id_url: String,
    pub(super) application: Application,
    pub(super) tokens: Arc<AppTokens>,
}

/// Something that Kick delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) event: String,
}

/// What came of asking for events.
#[derive(Debug)]
pub(super) struct Subscribed {
    /// The subscriptions that were made.
    pub(super) ids: Vec<String>,
    /// Of all that was asked for, it is told what became of it.
    pub(super) all: bool,
    /// What stands in the way of one that was not made.
    pub(super) refused: Option<ApiError>,
}

/// A channel, as the official API describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OfficialChannel {
    pub(super) user_id: u64,
    pub(super) stream: Stream,
}

impl Official {
    /// Looks a channel up by its slug; `None` when there is none.
    pub(super) async fn channel(&self, slug: &str) -> Result<Option<OfficialChannel>, ApiError> {
        #[derive(Deserialize)]
        struct Channel {
            broadcaster_user_id: u64,
            #[serde(default, deserialize_with = "lenient")]
            stream: Option<Live>,
        }
        #[derive(Deserialize)]
        struct Live {
            #[serde(default, deserialize_with = "lenient")]
            is_live: Option<bool>,
            #[serde(default, deserialize_with = "lenient")]
            viewer_count: Option<u64>,
        }
        let path = format!("/public/v1/channels?slug={slug}");
        let found: Vec<Channel> = self.call(Method::GET, &path, None).await?;
        Ok(found.into_iter().next().map(|it| {
            let live = it.stream.as_ref().is_some_and(|it| it.is_live == Some(true));
            let viewers = it.stream.and_then(|it| it.viewer_count).filter(|_| live);
            OfficialChannel { user_id: it.broadcaster_user_id, stream: Stream { live, viewers } }
        }))
    }

    /// What is delivered of a channel.
    pub(super) async fn list_subscriptions(
        &self,
        user_id: u64,
    ) -> Result<Vec<Subscription>, ApiError> {
        #[derive(Deserialize)]
        struct Listed {
            event: String,
            #[serde(default, deserialize_with = "lenient")]
            id: Option<Id>,
            #[serde(default, deserialize_with = "lenient")]
            broadcaster_user_id: Option<u64>,
        }
        let path = format!("/public/v1/events/subscriptions?broadcaster_user_id={user_id}");
        let listed: Vec<Listed> = self.call(Method::GET, &path, None).await?;
        let of_channel =
            listed.into_iter().filter(|it| it.broadcaster_user_id.is_none_or(|it| it == user_id));
        let named = of_channel.filter_map(|it| {
            Some(Subscription { id: it.id?.as_str().to_owned(), event: it.event })
        });
        Ok(named.collect())
    }

    /// Asks for events to be delivered.
    pub(super) async fn subscribe(
        &self,
        user_id: u64,
        events: &[&str],
    ) -> Result<Subscribed, ApiError> {
        #[derive(Deserialize)]
        struct Made {
            #[serde(default, deserialize_with = "lenient")]
            name: Option<String>,
            #[serde(default, deserialize_with = "lenient")]
            error: Option<String>,
            #[serde(default, deserialize_with = "lenient")]
            subscription_id: Option<Id>,
        }
        let asked: Vec<Value> =
            events.iter().map(|it| json!({ "name": it, "version": 1 })).collect();
        let body = json!({
            "events": asked, "method": "webhook", "broadcaster_user_id": user_id,
        });
        let made: Vec<Made> =
            self.call(Method::POST, "/public/v1/events/subscriptions", Some(&body)).await?;
        let said = |it: &Made| it.error.clone().filter(|it| !it.is_empty());
        let answered = made.iter().filter(|it| it.subscription_id.is_some() || said(it).is_some());
        let all = answered.count() >= events.len();
        let without = made.iter().find(|it| it.subscription_id.is_none());
        let refused = without.map(|it| {
            ApiError::Other(format!(
                "Kick does not deliver {}: {}",
                words(it.name.as_deref().unwrap_or("an event")),
                words(&said(it).unwrap_or_else(|| "it names no subscription".to_owned()))
            ))
        });
        let ids = made.into_iter().filter_map(|it| it.subscription_id);
        Ok(Subscribed { ids: ids.map(|it| it.as_str().to_owned()).collect(), all, refused })
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, ApiError> {
        let token = self.token().await?;
        match send(&self.client, &method, &format!("{}{path}", self.api_url), &token, body).await {
            // A token may be taken back before its time.
            Err(ApiError::Credentials) => {
                self.tokens.forget(&self.application.client_id);
                let token = self.token().await?;
                send(&self.client, &method, &format!("{}{path}", self.api_url), &token, body).await
            }
            other => other,
        }
    }

    async fn token(&self) -> Result<String, ApiError> {
        let id = &self.application.client_id;
        if let Some(token) = self.tokens.find(id) {
            return Ok(token);
        }
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", &self.application.client_secret),
        ];
        let granted = grant(&self.client, &self.id_url, &form).await?;
        self.tokens.keep(id, &granted.access_token, granted.until(Instant::now()));
        Ok(granted.access_token)
    }
}

/// Asks for a token.
pub(super) async fn grant(
    client: &Client,
    id_url: &str,
    form: &[(&str, &str)],
) -> Result<Granted, ApiError> {
    let request = client.post(format!("{id_url}/oauth/token")).form(form).timeout(CALL_TIMEOUT);
    let response = request.send().await.map_err(|it| failure("Kick's tokens", &it))?;
    let answer = Answer::read(response, MAX_BYTES).await?;
    match answer.status.as_u16() {
        200..=299 => answer
            .json()
            .ok_or_else(|| ApiError::Other("Kick grants a token in another shape".to_owned())),
        400 | 401 | 403 => Err(ApiError::Credentials),
        _ => Err(problem(&answer)),
    }
}

/// Calls the API with a token and unpacks `{"data","message"}`.
pub(super) async fn send<T: DeserializeOwned>(
    client: &Client,
    method: &Method,
    url: &str,
    token: &str,
    body: Option<&Value>,
) -> Result<T, ApiError> {
    #[derive(Deserialize)]
    struct Envelope<T> {
        data: T,
    }
    let answer = call(client, method, url, token, body).await?;
    let envelope: Option<Envelope<T>> = answer.json();
    let other = || ApiError::Other("Kick's API answered in another shape".to_owned());
    envelope.map(|it| it.data).ok_or_else(other)
}

/// Calls the API with a token; what it answers to a success may be anything.
pub(super) async fn call(
    client: &Client,
    method: &Method,
    url: &str,
    token: &str,
    body: Option<&Value>,
) -> Result<Answer, ApiError> {
    let mut request = client.request(method.clone(), url).bearer_auth(token).timeout(CALL_TIMEOUT);
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = request.send().await.map_err(|it| failure("Kick's API", &it))?;
    let answer = Answer::read(response, MAX_BYTES).await?;
    if !answer.status.is_success() {
        return Err(problem(&answer));
    }
    Ok(answer)
}

/// The key with which webhooks are signed, as PEM.
pub(super) async fn public_key(client: &Client, api_url: &str) -> Result<String, ApiError> {
    #[derive(Deserialize)]
    struct Envelope {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        public_key: String,
    }
    let request = client.get(format!("{api_url}/public/v1/public-key")).timeout(CALL_TIMEOUT);
    let response = request.send().await.map_err(|it| failure("Kick's public key", &it))?;
    let answer = Answer::read(response, MAX_BYTES).await?;
    if !answer.status.is_success() {
        return Err(problem(&answer));
    }
    let envelope: Option<Envelope> = answer.json();
    let other = || ApiError::Other("Kick's public key comes in another shape".to_owned());
    envelope.map(|it| it.data.public_key).ok_or_else(other)
}

/// What a status that is no success means. The platform's own words are kept short and on one line.
fn problem(answer: &Answer) -> ApiError {
    let said = answer.json::<Value>().and_then(|it| it["message"].as_str().map(str::to_owned));
    let said = words(&said.unwrap_or_default());
    let status = answer.status;
    match status {
        StatusCode::UNAUTHORIZED => ApiError::Credentials,
        StatusCode::FORBIDDEN if !answer.content_type.contains("html") => {
            ApiError::Scope(if said.is_empty() { "not allowed".to_owned() } else { said })
        }
        StatusCode::TOO_MANY_REQUESTS => {
            ApiError::Wait(answer.retry_after.unwrap_or(Duration::from_secs(30)))
        }
        _ if said.is_empty() => ApiError::Other(format!("Kick's API answered {}", status.as_u16())),
        _ => ApiError::Other(format!("Kick's API answered {}: {said}", status.as_u16())),
    }
}
