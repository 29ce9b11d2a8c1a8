//! A call to an address that somebody wrote, and what its answer means.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;

use crate::{
    config::{Config, automation::Reach},
    http::{Clients, HttpError, Way, failure, seconds},
    jobs::{Again, Fault, Job},
};

/// Longest address (bytes).
const LONGEST_URL: usize = 2_048;

/// What calls are made with.
pub(super) struct Calls {
    pub(super) clients: Arc<Clients>,
    pub(super) config: watch::Receiver<Arc<Config>>,
}

impl Calls {
    /// The client for an address, if it may be called at all.
    pub(super) async fn client(&self, url: &str) -> Result<Client, Fault> {
        if url.len() > LONGEST_URL {
            return Err(Fault::never("the address is too long"));
        }
        let reach = self.config().system.automation.reach(url).map_err(Fault::never)?;
        let way = self.way();
        let client = match reach {
            Reach::Named => self.clients.unredirected(&way).await,
            Reach::Public => self.clients.only_public(&way).await,
        };
        client.map_err(|it| Fault::backoff(it.to_string()))
    }

    pub(super) fn way(&self) -> Way {
        Way { ca_file: self.config().platforms.tls_ca_file.clone(), proxy: None }
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.config().system.automation.timeout_ms.into())
    }

    pub(super) fn config(&self) -> Arc<Config> {
        self.config.borrow().clone()
    }
}

/// What a job carries, in the shape its runner takes.
pub(super) fn payload<T: DeserializeOwned>(job: &Job) -> Result<T, Fault> {
    T::deserialize(&job.payload).map_err(|_| Fault::never("what it carries is not understood"))
}

/// The bytes of a body, and of which kind they are: text as it is, anything else as JSON.
pub(super) fn body(value: &Value) -> (Vec<u8>, &'static str) {
    match value {
        Value::String(text) => (text.clone().into_bytes(), "text/plain; charset=utf-8"),
        other => (other.to_string().into_bytes(), "application/json"),
    }
}

/// What an answer means. `harmless` says whether the same may be asked twice.
pub(super) fn verdict(
    sent: Result<Response, reqwest::Error>,
    harmless: bool,
) -> Result<String, Fault> {
    let response = sent.map_err(|error| of_failure(&error, harmless))?;
    let status = response.status();
    let told = response.headers().get(header::RETRY_AFTER).and_then(|it| it.to_str().ok());
    let told = told.and_then(|it| it.trim().parse().ok()).map(seconds);
    // Nobody needs the rest of the answer, however long it is.
    of_status(status, told, harmless)
}

/// What a call means that brought no answer.
pub(super) fn of_failure(error: &reqwest::Error, harmless: bool) -> Fault {
    match failure("no answer", error) {
        HttpError::Unanswered(words) if !harmless => {
            Fault::never(format!("{words}: it may have been done"))
        }
        other => Fault::backoff(other.to_string()),
    }
}

/// What a status means.
pub(super) fn of_status(
    status: StatusCode,
    retry_after: Option<Duration>,
    harmless: bool,
) -> Result<String, Fault> {
    let code = status.as_u16();
    match code {
        200..=299 => Ok(format!("answered with {code}")),
        300..=399 => Err(Fault::never(format!(
            "it answers with {code} and another address, and redirects are not followed"
        ))),
        429 | 503 => {
            let reason = format!("it answers with {code}: not now");
            let again = retry_after.map_or(Again::Backoff, Again::After);
            Err(Fault { reason, again })
        }
        408 | 425 | 500..=599 if harmless => Err(Fault::backoff(format!("it answers with {code}"))),
        500..=599 => Err(Fault::never(format!("it answers with {code}: it may have been done"))),
        _ => Err(Fault::never(format!("it answers with {code}"))),
    }
}
