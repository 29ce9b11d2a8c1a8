//! The app access token: proof to Twitch's API of which application asks.

use std::{fmt, time::Duration};

use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use super::{Access, address};
use crate::web::media::{
    MediaError,
    download::{Download, read_body, send},
};

/// Largest answer that is read (bytes).
const MAX_ANSWER_BYTES: u64 = 65_536;
/// A token is renewed this long before it ends.
const MARGIN: Duration = Duration::from_secs(60);

/// The token of one application.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token {
    client_id: String,
    secret: String,
    until: Instant,
}

impl Token {
    /// The value of an `Authorization` header.
    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.secret)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// The newest token. Held across the request for one, so that many askers cause one request.
#[derive(Default)]
pub(super) struct Tokens(Mutex<Option<Token>>);

/// Twitch's answer.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// Seconds.
    expires_in: u64,
}

impl Tokens {
    /// A token that is valid as far as we know, and is not `refused`.
    ///
    /// # Errors
    /// `Unavailable` when Twitch grants none.
    pub(super) async fn find(
        &self,
        download: &Download,
        access: &Access<'_>,
        refused: Option<&Token>,
    ) -> Result<Token, MediaError> {
        let mut newest = self.0.lock().await;
        let valid = |it: &&Token| {
            it.client_id == access.client_id && it.until > Instant::now() && Some(*it) != refused
        };
        if let Some(token) = newest.as_ref().filter(valid) {
            return Ok(token.clone());
        }
        *newest = None;
        let form = [
            ("client_id", access.client_id),
            ("client_secret", access.client_secret),
            ("grant_type", "client_credentials"),
        ];
        let request = download.post(address(access.id_url, "/token")?).form(&form);
        let response = send(request).await?;
        let status = response.status();
        if !status.is_success() {
            // The answer is not logged: it may repeat what was sent.
            tracing::warn!(status = status.as_u16(), "Twitch grants no app access token");
            return Err(MediaError::Unavailable);
        }
        let body = read_body(response, MAX_ANSWER_BYTES).await?;
        let granted: Granted =
            serde_json::from_slice(&body).map_err(|_| MediaError::Unavailable)?;
        // An absurdly long life is cut to a day: more could overflow the clock.
        let life = Duration::from_secs(granted.expires_in.min(86_400)).saturating_sub(MARGIN);
        let token = Token {
            client_id: access.client_id.to_owned(),
            secret: granted.access_token,
            until: Instant::now() + life,
        };
        *newest = Some(token.clone());
        Ok(token)
    }
}
