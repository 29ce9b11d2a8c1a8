//! The service's two answers: which pronouns there are, and whose are which.
//!
//! Source: `GET /v1/pronouns` and `GET /v1/users/{login}` of `api.pronouns.alejo.io`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{
    Login,
    words::{Pronoun, Told},
};
use crate::{
    config::HttpUrl,
    http::{Answer, Clients, Way, failure},
    platforms::WorkerError,
};

/// Longest time a call takes in all.
const CALL_TIMEOUT: Duration = Duration::from_secs(6);
/// Largest answer that is read (bytes): the table has some twenty rows.
const MOST_BYTES: usize = 64 << 10;

/// Every pronoun by its id.
pub(super) type Table = Arc<HashMap<String, Pronoun>>;

/// The service, as it is reached now.
pub(super) struct Service<'a> {
    pub(super) clients: &'a Clients,
    pub(super) way: Way,
    pub(super) url: HttpUrl,
}

/// Why a call failed, and how long the service wants to be left alone.
pub(super) struct Failure {
    pub(super) error: WorkerError,
    pub(super) retry_after: Option<Duration>,
}

impl From<WorkerError> for Failure {
    fn from(error: WorkerError) -> Self {
        Self { error, retry_after: None }
    }
}

impl Service<'_> {
    pub(super) async fn table(&self) -> Result<Table, Failure> {
        let table = self.call("/v1/pronouns").await?;
        table.map(Arc::new).ok_or_else(|| WorkerError::transient("it has no table").into())
    }

    /// What a viewer told; `None` when the service does not know them.
    pub(super) async fn viewer(&self, login: &Login) -> Result<Option<Told>, Failure> {
        // A login holds nothing that means something in an address.
        self.call(&format!("/v1/users/{}", login.as_str())).await
    }

    /// An answer of 200; `None` for a 404.
    async fn call<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Failure> {
        let asked = timeout(CALL_TIMEOUT, async {
            let client = self.clients.client(&self.way).await?;
            let sent = client.get(format!("{}{path}", self.url)).send().await;
            let sent = sent.map_err(|it| failure("the service", &it))?;
            Ok::<_, WorkerError>(Answer::read(sent, MOST_BYTES).await?)
        });
        let answer = asked.await.map_err(|_| WorkerError::transient("no answer in time"))??;
        match answer.status {
            StatusCode::OK => match answer.json() {
                Some(read) => Ok(Some(read)),
                None => Err(WorkerError::transient("an answer has another shape").into()),
            },
            StatusCode::NOT_FOUND => Ok(None),
            status => {
                let error = WorkerError::transient(format!("the service answers {status}"));
                Err(Failure { error, retry_after: answer.retry_after })
            }
        }
    }
}
