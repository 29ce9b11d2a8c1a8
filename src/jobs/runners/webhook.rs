//! Tells something to an address, signed so that whoever is there knows from whom it is.

use futures_util::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use super::call::{Calls, payload, verdict};
use crate::{
    jobs::{Fault, Job, JobKind, Runner},
    model::{CreatorId, Timestamp},
};

/// The secrets that webhooks are signed with: one for each room, all from the server's own.
#[derive(Clone)]
pub struct WebhookSecrets {
    root: String,
}

impl WebhookSecrets {
    /// Derived from the server's secret key: another key gives other secrets.
    #[must_use]
    pub fn new(secret_key: &str) -> Self {
        Self { root: secret_key.trim().to_owned() }
    }

    /// The secret of a room, in hex: as it stands there, it is the key of the signature.
    #[must_use]
    pub fn secret_of(&self, room: &CreatorId) -> String {
        let name = room.as_str().to_ascii_lowercase();
        hex(&hmac(self.root.as_bytes(), &[b"webhook", &[0], name.as_bytes()]))
    }

    /// `sha256=…`, over the time, a dot and the body.
    #[must_use]
    pub fn signature(&self, room: &CreatorId, timestamp: &str, body: &[u8]) -> String {
        let secret = self.secret_of(room);
        let mac = hmac(secret.as_bytes(), &[timestamp.as_bytes(), b".", body]);
        format!("sha256={}", hex(&mac))
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any key will do");
    parts.iter().for_each(|it| mac.update(it));
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

/// `{url, body}`
#[derive(Deserialize)]
struct Webhook {
    url: String,
    body: Value,
}

/// Sends webhooks: `POST` with the body as JSON, and
///
/// - `X-StreamSuites-Timestamp`: seconds since 1970, of this attempt,
/// - `X-StreamSuites-Signature`: `sha256=` and the HMAC of `timestamp.body` in hex,
/// - `Idempotency-Key`: the job's id, the same at each attempt.
pub struct WebhookRunner {
    pub(super) calls: Calls,
    pub(super) secrets: WebhookSecrets,
}

impl WebhookRunner {
    async fn send(&self, job: &Job) -> Result<String, Fault> {
        let Webhook { url, body } = payload(job)?;
        let client = self.calls.client(&url).await?;
        let body = body.to_string();
        let timestamp = (Timestamp::now().unix_ms() / 1_000).to_string();
        let signature = self.secrets.signature(&job.creator, &timestamp, body.as_bytes());
        let request = client
            .post(&url)
            .timeout(self.calls.timeout())
            .header("content-type", "application/json")
            .header("x-streamsuites-timestamp", timestamp)
            .header("x-streamsuites-signature", signature)
            .header("idempotency-key", &job.job_id)
            .body(body);
        verdict(request.send().await, true)
    }
}

impl Runner for WebhookRunner {
    fn kind(&self) -> JobKind {
        JobKind::Webhook
    }

    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<String, Fault>> {
        Box::pin(self.send(job))
    }

    /// Whoever is there knows by the key that it is the same.
    fn may_repeat(&self, _: &Job, _: Timestamp) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_has_its_own_secret_whatever_its_case_and_another_key_gives_another() {
        let secrets = WebhookSecrets::new("a key\n");
        let of = |it: &WebhookSecrets, room: &str| it.secret_of(&room.parse().unwrap());
        assert_eq!(of(&secrets, "Ana"), of(&secrets, "ana"));
        assert_ne!(of(&secrets, "ana"), of(&secrets, "ben"));
        assert_ne!(of(&secrets, "ana"), of(&WebhookSecrets::new("another"), "ana"));
        assert_eq!(of(&secrets, "ana").len(), 64);
    }

    #[test]
    fn a_signature_is_the_hmac_of_time_and_body_under_the_text_of_the_secret() {
        let secrets = WebhookSecrets::new("a key");
        let room: CreatorId = "ana".parse().unwrap();
        let told = secrets.signature(&room, "1700000000", b"{}");
        let expected = hmac(secrets.secret_of(&room).as_bytes(), &[b"1700000000.{}"]);
        assert_eq!(told, format!("sha256={}", hex(&expected)));
    }
}
