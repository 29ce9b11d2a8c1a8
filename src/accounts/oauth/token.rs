//! The token endpoint: codes and refresh tokens in, access tokens out; and giving tokens back.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Application, Flow, OAuthError, Provider, call::Line};
use crate::{http::Answer, model::Timestamp};

/// How long a token is taken to last when nobody says (s).
const USUAL_LIFE_S: i64 = 3_600;
/// Longest life that is believed (s).
const LONGEST_LIFE_S: i64 = 90 * 24 * 3_600;
/// Longest token (bytes): more is a mistake.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// What a platform allows this server in somebody's name. Shown, it tells no token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformTokens {
    /// For calls.
    pub access: String,
    /// Makes the next one. Where it changes with each use, only the newest is good.
    pub refresh: String,
    /// When `access` ends.
    pub expires_at: Timestamp,
    /// What is allowed.
    pub scopes: Vec<String>,
}

impl fmt::Debug for PlatformTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformTokens")
            .field("expires_at", &self.expires_at)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// What was granted.
pub(super) struct Granted {
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    pub(super) id_token: Option<String>,
    pub(super) expires_at: Timestamp,
    /// `None`: as asked.
    pub(super) scopes: Option<Vec<String>>,
}

/// The token endpoint's answer, whoever gives it. Errors come in here as well, at GitHub with 200.
#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    id_token: Option<String>,
    #[serde(default)]
    expires_in: Option<Value>,
    #[serde(default)]
    scope: Option<Scope>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(default)]
    error_description: Option<Value>,
    #[serde(default)]
    message: Option<Value>,
}

/// A list in one text, by blanks or commas, or a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scope {
    Text(String),
    List(Vec<String>),
}

impl Scope {
    fn into_list(self) -> Vec<String> {
        let named = |it: &str| !it.is_empty();
        match self {
            Self::Text(text) => {
                text.split([' ', ',']).filter(|it| named(it)).map(str::to_owned).collect()
            }
            Self::List(list) => list.into_iter().filter(|it| named(it)).collect(),
        }
    }
}

/// Makes tokens of the code that came back with `flow`.
pub(super) async fn redeem(
    line: &Line,
    application: &Application,
    flow: &Flow,
    code: &str,
    at: Timestamp,
) -> Result<Granted, OAuthError> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &application.redirect_uri),
        ("client_id", &application.client_id),
        ("client_secret", &application.client_secret),
        ("code_verifier", flow.verifier()),
    ];
    ask(line, application, &form, at).await
}

/// Makes the next access token; the refresh token may be another then.
pub(super) async fn refresh(
    line: &Line,
    application: &Application,
    tokens: &PlatformTokens,
    at: Timestamp,
) -> Result<PlatformTokens, OAuthError> {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
        ("client_id", &application.client_id),
        ("client_secret", &application.client_secret),
    ];
    let granted = ask(line, application, &form, at).await?;
    Ok(PlatformTokens {
        access: granted.access,
        refresh: granted.refresh.unwrap_or_else(|| tokens.refresh.clone()),
        expires_at: granted.expires_at,
        scopes: granted.scopes.unwrap_or_else(|| tokens.scopes.clone()),
    })
}

async fn ask(
    line: &Line,
    application: &Application,
    form: &[(&str, &str)],
    at: Timestamp,
) -> Result<Granted, OAuthError> {
    let request = line.client.post(&application.endpoints.token_url).form(form);
    read(line, &line.send(request).await?, at)
}

fn read(line: &Line, answer: &Answer, at: Timestamp) -> Result<Granted, OAuthError> {
    let status = answer.status;
    if status.is_server_error() || status.as_u16() == 429 {
        return Err(line.failed(answer));
    }
    let Some(told) = answer.json::<TokenAnswer>() else {
        return Err(if status.is_success() { line.misshapen() } else { line.failed(answer) });
    };
    if !status.is_success() || told.error.is_some() {
        return Err(trouble(line, answer, &told));
    }
    let usable = |it: &String| !it.is_empty() && it.len() <= MAX_TOKEN_BYTES;
    let access = told.access_token.filter(usable).ok_or_else(|| line.misshapen())?;
    let lasts = match &told.expires_in {
        Some(Value::Number(it)) => it.as_f64().map(|it| it as i64),
        Some(Value::String(it)) => it.parse().ok(),
        _ => None,
    };
    let lasts = lasts.unwrap_or(USUAL_LIFE_S).clamp(0, LONGEST_LIFE_S);
    Ok(Granted {
        access,
        refresh: told.refresh_token.filter(usable),
        id_token: told.id_token,
        expires_at: at.plus_ms(lasts * 1_000),
        scopes: told.scope.map(Scope::into_list),
    })
}

/// What a refusal means.
fn trouble(line: &Line, answer: &Answer, told: &TokenAnswer) -> OAuthError {
    let provider = line.provider;
    let text = |it: &Option<Value>| -> String {
        it.as_ref().and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase()
    };
    // Twitch has sentences in place of the standard's words.
    if provider == Provider::Twitch {
        let message = text(&told.message);
        let about = |word: &str| message.contains(word);
        return if about("code") || about("refresh token") || about("verifier") {
            OAuthError::told(provider, "invalid_grant")
        } else if about("client") {
            OAuthError::told(provider, "invalid_client")
        } else if about("redirect") {
            OAuthError::told(provider, "redirect_uri_mismatch")
        } else {
            line.failed(answer)
        };
    }
    let error = text(&told.error);
    // Discord has called a code that does not hold an invalid request.
    if error == "invalid_request" && text(&told.error_description).contains("\"code\"") {
        return OAuthError::told(provider, "invalid_grant");
    }
    if error.is_empty() { line.failed(answer) } else { OAuthError::told(provider, &error) }
}

/// Gives a token back: from then on it allows nothing. One that is not known any more is given back already.
pub(super) async fn revoke(
    line: &Line,
    application: &Application,
    token: &str,
) -> Result<(), OAuthError> {
    let Application { client_id, client_secret, endpoints, .. } = application;
    let url = &endpoints.revoke_url;
    let request = match application.provider {
        Provider::Google => line.client.post(url).form(&[("token", token)]),
        Provider::Twitch => {
            line.client.post(url).form(&[("client_id", client_id.as_str()), ("token", token)])
        }
        Provider::Discord => line.client.post(url).form(&[
            ("token", token),
            ("client_id", client_id),
            ("client_secret", client_secret),
        ]),
        Provider::Github => line
            .client
            .delete(format!("{url}/{client_id}/token"))
            .basic_auth(client_id, Some(client_secret))
            .json(&json!({ "access_token": token })),
    };
    let answer = line.send(request).await?;
    match answer.status.as_u16() {
        200..=299 | 400 | 404 | 422 => Ok(()),
        401 | 403 => Err(OAuthError::told(line.provider, "invalid_client")),
        _ => Err(line.failed(&answer)),
    }
}
