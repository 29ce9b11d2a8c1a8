//! The id_token of OpenID Connect, as it came straight from the token endpoint.
//!
//! The connection vouches for who made it, so its signature is not looked at (OpenID Connect Core 3.1.3.7, point 6); for whom
//! it was made, by whom, and until when, is.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::Provider;
use crate::model::Timestamp;

/// How far a provider's clock may be from ours (ms).
const SKEW_MS: i64 = 2 * 60 * 1_000;
/// Longest subject that the standard allows (bytes).
const MAX_SUBJECT: usize = 255;

/// What the token says of a person.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Claims {
    pub(super) sub: String,
    #[serde(default)]
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) email_verified: Option<Truth>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) preferred_username: Option<String>,
    #[serde(default)]
    pub(super) picture: Option<String>,
}

/// A yes or no; some write it as a text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Truth {
    Plain(bool),
    Text(String),
}

impl Truth {
    pub(super) fn is_yes(&self) -> bool {
        match self {
            Self::Plain(it) => *it,
            Self::Text(it) => it == "true",
        }
    }
}

/// For whom, by whom, and until when it was made.
#[derive(Deserialize)]
struct Seal {
    iss: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    /// Seconds since 1970; some write a fraction.
    exp: f64,
    #[serde(default)]
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Unreadable,
    Issuer,
    Audience,
    Expired,
    Nonce,
}

impl Wrong {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Unreadable => "the id_token cannot be read",
            Self::Issuer => "the id_token comes from somebody else",
            Self::Audience => "the id_token is for another application",
            Self::Expired => "the id_token has expired",
            Self::Nonce => "the id_token belongs to another attempt",
        }
    }
}

const fn issuers(provider: Provider) -> &'static [&'static str] {
    match provider {
        Provider::Google => &["https://accounts.google.com", "accounts.google.com"],
        Provider::Twitch => &["https://id.twitch.tv/oauth2"],
        Provider::Github | Provider::Discord => &[],
    }
}

/// Reads a token that was made for `client_id` in the attempt with `nonce`.
pub(super) fn read(
    token: &str,
    provider: Provider,
    client_id: &str,
    nonce: &str,
    at: Timestamp,
) -> Result<Claims, Wrong> {
    let mut parts = token.split('.');
    let (Some(_), Some(body), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Wrong::Unreadable);
    };
    let body = URL_SAFE_NO_PAD.decode(body.trim_end_matches('=')).map_err(|_| Wrong::Unreadable)?;
    let seal: Seal = serde_json::from_slice(&body).map_err(|_| Wrong::Unreadable)?;
    let claims: Claims = serde_json::from_slice(&body).map_err(|_| Wrong::Unreadable)?;
    if claims.sub.is_empty() || claims.sub.len() > MAX_SUBJECT || !seal.exp.is_finite() {
        return Err(Wrong::Unreadable);
    }
    if !issuers(provider).contains(&seal.iss.as_str()) {
        return Err(Wrong::Issuer);
    }
    let azp = seal.azp.as_deref();
    let is_ours = match &seal.aud {
        Audience::One(it) => it == client_id,
        Audience::Many(all) if all.len() > 1 => {
            all.iter().any(|it| it == client_id) && azp.is_some()
        }
        Audience::Many(all) => all.iter().any(|it| it == client_id),
    };
    if !is_ours || azp.is_some_and(|it| it != client_id) {
        return Err(Wrong::Audience);
    }
    if seal.exp * 1_000.0 + SKEW_MS as f64 <= at.unix_ms() as f64 {
        return Err(Wrong::Expired);
    }
    if seal.nonce.as_deref() != Some(nonce) {
        return Err(Wrong::Nonce);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW_S: i64 = 1_800_000_000;

    fn token(claims: &Value) -> String {
        let part = |it: &str| URL_SAFE_NO_PAD.encode(it);
        format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(&claims.to_string()), part("x"))
    }

    fn good() -> Value {
        json!({"iss": "https://id.twitch.tv/oauth2", "sub": "42", "aud": "client", "azp": "client",
            "exp": NOW_S + 60, "nonce": "n", "email": "a@example.org", "email_verified": true})
    }

    fn check(claims: &Value) -> Result<Claims, Wrong> {
        let at = Timestamp::from_unix_ms(NOW_S * 1_000).unwrap();
        read(&token(claims), Provider::Twitch, "client", "n", at)
    }

    fn changed(key: &str, value: Value) -> Result<Claims, Wrong> {
        let mut claims = good();
        claims[key] = value;
        check(&claims)
    }

    #[test]
    fn a_good_token_tells_who_it_is() {
        let claims = check(&good()).unwrap();
        assert_eq!((claims.sub.as_str(), claims.email.as_deref()), ("42", Some("a@example.org")));
        assert!(claims.email_verified.unwrap().is_yes());
        for (told, expected) in [(json!("true"), true), (json!("1"), false), (json!(false), false)]
        {
            let claims = changed("email_verified", told).unwrap();
            assert_eq!(claims.email_verified.unwrap().is_yes(), expected);
        }
    }

    #[test]
    fn the_audience_is_one_or_a_list_that_names_who_asked() {
        let mut without_azp = good();
        without_azp.as_object_mut().unwrap().remove("azp");
        assert!(check(&without_azp).is_ok());
        without_azp["aud"] = json!(["client"]);
        assert!(check(&without_azp).is_ok());
        without_azp["aud"] = json!(["client", "other"]);
        assert_eq!(check(&without_azp), Err(Wrong::Audience));
        assert!(changed("aud", json!(["client", "other"])).is_ok());
        for other in [json!("other"), json!(["other"]), json!([]), json!("clien")] {
            assert_eq!(changed("aud", other), Err(Wrong::Audience));
        }
        assert_eq!(changed("azp", json!("other")), Err(Wrong::Audience));
    }

    #[test]
    fn another_issuer_attempt_or_time_is_refused() {
        for other in ["https://accounts.google.com", "https://id.twitch.tv/oauth2/", ""] {
            assert_eq!(changed("iss", json!(other)), Err(Wrong::Issuer), "{other}");
        }
        for other in [json!("m"), json!(""), Value::Null] {
            assert_eq!(changed("nonce", other), Err(Wrong::Nonce));
        }
        assert_eq!(changed("exp", json!(NOW_S - 121)), Err(Wrong::Expired));
        assert!(changed("exp", json!(NOW_S - 60)).is_ok(), "clocks differ");
        assert!(changed("exp", json!(NOW_S as f64 + 0.5)).is_ok());
        let at = Timestamp::from_unix_ms(NOW_S * 1_000).unwrap();
        let asked = read(&token(&good()), Provider::Github, "client", "n", at);
        assert_eq!(asked, Err(Wrong::Issuer), "GitHub has no id_token");
    }

    #[test]
    fn what_is_no_token_is_no_panic() {
        let at = Timestamp::from_unix_ms(NOW_S * 1_000).unwrap();
        for text in ["", ".", "..", "a.b.c", "a.e30.c", "a.e30.c.d", "é.é.é", "a.bnVsbA.c"] {
            let found = read(text, Provider::Twitch, "client", "n", at);
            assert_eq!(found, Err(Wrong::Unreadable), "{text}");
        }
        assert_eq!(changed("sub", json!("")), Err(Wrong::Unreadable));
        assert_eq!(changed("sub", json!("s".repeat(256))), Err(Wrong::Unreadable));
        assert_eq!(changed("exp", json!("soon")), Err(Wrong::Unreadable));
    }
}
