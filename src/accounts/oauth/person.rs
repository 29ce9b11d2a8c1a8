//! Who somebody is, as each provider tells it.

use serde::Deserialize;
use url::Url;

use super::{
    Application, Flow, OAuthError, PlatformTokens, Provider, call::Line, id_token, token::Granted,
};
use crate::{
    accounts::{Email, readable_name},
    http::Answer,
    model::Timestamp,
};

/// Longest address of a picture (bytes).
const MAX_PICTURE: usize = 2_048;

/// Somebody who signed in with a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// With whom.
    pub provider: Provider,
    /// Who, at that provider: never changes, unlike names and addresses.
    pub subject: String,
    /// The mail address; what is none is left out.
    pub email: Option<Email>,
    /// Whether the provider made sure that it is theirs.
    pub email_verified: bool,
    /// What to call them.
    pub name: String,
    /// Their picture (https).
    pub avatar_url: Option<String>,
    /// What their platform allows, when it was asked for and agreed to.
    pub tokens: Option<PlatformTokens>,
}

/// What a provider says, before it is trusted.
struct Told {
    subject: String,
    email: Option<String>,
    email_verified: bool,
    name: Option<String>,
    picture: Option<String>,
}

/// Finds out who the grant is about.
pub(super) async fn identify(
    line: &Line,
    application: &Application,
    flow: &Flow,
    granted: Granted,
    at: Timestamp,
) -> Result<Identity, OAuthError> {
    let told = match application.provider {
        Provider::Google | Provider::Twitch => {
            openid(line, application, flow, &granted, at).await?
        }
        Provider::Github => github(line, application, &granted).await?,
        Provider::Discord => discord(line, application, &granted).await?,
    };
    if told.subject.is_empty() || told.subject.len() > 255 {
        return Err(line.misshapen());
    }
    let provider = application.provider;
    let email = told.email.and_then(|it| it.parse().ok());
    let name = told.name.as_deref().and_then(readable_name);
    Ok(Identity {
        provider,
        subject: told.subject,
        email_verified: told.email_verified && email.is_some(),
        email,
        name: name.unwrap_or_else(|| format!("{} user", provider.title())),
        avatar_url: told.picture.and_then(|it| picture(&it)),
        tokens: platform_tokens(provider, flow, granted),
    })
}

/// Kept only when the platform was asked for and agreed to, and only with what renews it.
fn platform_tokens(provider: Provider, flow: &Flow, granted: Granted) -> Option<PlatformTokens> {
    if !flow.with_platform {
        return None;
    }
    let asked = || provider.scopes(true).into_iter().map(str::to_owned).collect();
    let scopes = granted.scopes.unwrap_or_else(asked);
    if !provider.allows_platform(&scopes) {
        return None;
    }
    let (access, expires_at) = (granted.access, granted.expires_at);
    Some(PlatformTokens { access, refresh: granted.refresh?, expires_at, scopes })
}

async fn openid(
    line: &Line,
    application: &Application,
    flow: &Flow,
    granted: &Granted,
    at: Timestamp,
) -> Result<Told, OAuthError> {
    let provider = application.provider;
    let token = granted.id_token.as_deref().ok_or_else(|| line.misshapen())?;
    let claims = id_token::read(token, provider, &application.client_id, flow.nonce(), at);
    let claims = claims.map_err(|it| OAuthError::refused(provider, it.words()))?;
    let told = |it: id_token::Claims| Told {
        subject: it.sub,
        email_verified: it.email_verified.is_some_and(|it| it.is_yes()),
        email: it.email,
        name: it.name.or(it.preferred_username),
        picture: it.picture,
    };
    let mut first = told(claims);
    if first.email.is_some() && first.name.is_some() {
        return Ok(first);
    }
    // Neither is promised in the token.
    let url = &application.endpoints.user_url;
    let more: id_token::Claims = line.read(url, &granted.access).await?;
    if more.sub != first.subject {
        return Err(OAuthError::refused(provider, "it tells of two different people"));
    }
    let more = told(more);
    if first.email.is_none() {
        (first.email, first.email_verified) = (more.email, more.email_verified);
    }
    first.name = first.name.or(more.name);
    first.picture = first.picture.or(more.picture);
    Ok(first)
}

#[derive(Deserialize)]
struct GithubUser {
    id: u64,
    login: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    avatar_url: Option<String>,
}

#[derive(Deserialize)]
struct GithubEmail {
    email: String,
    #[serde(default)]
    primary: bool,
    #[serde(default)]
    verified: bool,
}

async fn github(
    line: &Line,
    application: &Application,
    granted: &Granted,
) -> Result<Told, OAuthError> {
    let endpoints = &application.endpoints;
    let user: GithubUser = line.read(&endpoints.user_url, &granted.access).await?;
    let request = line.client.get(&endpoints.emails_url).bearer_auth(&granted.access);
    let answer: Answer = line.send(request).await?;
    let emails: Vec<GithubEmail> = match answer.status.as_u16() {
        200..=299 => answer.json().ok_or_else(|| line.misshapen())?,
        // The addresses were not allowed: somebody without one.
        403 | 404 => Vec::new(),
        _ => return Err(line.failed(&answer)),
    };
    let primary = emails.into_iter().find(|it| it.primary);
    Ok(Told {
        subject: user.id.to_string(),
        email_verified: primary.as_ref().is_some_and(|it| it.verified),
        email: primary.map(|it| it.email),
        name: user.name.filter(|it| !it.trim().is_empty()).or(Some(user.login)),
        picture: user.avatar_url,
    })
}

#[derive(Deserialize)]
struct DiscordUser {
    id: String,
    username: String,
    #[serde(default)]
    global_name: Option<String>,
    #[serde(default)]
    avatar: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    verified: bool,
}

async fn discord(
    line: &Line,
    application: &Application,
    granted: &Granted,
) -> Result<Told, OAuthError> {
    let url = format!("{}/@me", application.endpoints.user_url);
    let user: DiscordUser = line.read(&url, &granted.access).await?;
    let plain = |it: &str| it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    let avatar = user.avatar.filter(|it| plain(it) && plain(&user.id));
    Ok(Told {
        picture: avatar
            .map(|it| format!("https://cdn.discordapp.com/avatars/{}/{it}.png", user.id)),
        subject: user.id,
        email: user.email,
        email_verified: user.verified,
        name: user.global_name.filter(|it| !it.trim().is_empty()).or(Some(user.username)),
    })
}

fn picture(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= MAX_PICTURE)?;
    (url.scheme() == "https" && url.has_host()).then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_comes_over_https_or_not_at_all() {
        for bad in ["http://a/b.png", "javascript:alert(1)", "data:x", "https://", ""] {
            assert_eq!(picture(bad), None, "{bad}");
        }
        assert_eq!(picture("https://a.example/b.png").as_deref(), Some("https://a.example/b.png"));
    }
}
