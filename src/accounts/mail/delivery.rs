//! The two ways that a mail leaves: through Resend, or into a folder.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{Written, outbox, resend};
use crate::{config::Config, http::Clients, lifecycle::Lifecycle};

/// Whom mails in the folder are from, where nobody said it.
const NOBODY: &str = "StreamSuites <no-reply@localhost>";

/// What becomes of a mail that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It will never be taken as it is.
    Refused,
    /// This one may be taken later.
    Later,
    /// Nothing is taken for so long.
    Wait(Duration),
}

/// Why a mail was not taken. Holds no whole address, no link and no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct DeliveryError {
    /// What becomes of it.
    pub fate: Fate,
    /// Why, in words of ours.
    pub words: String,
    /// What the other side said, for the log alone; may be empty.
    pub said: String,
}

impl DeliveryError {
    /// This one may be taken later.
    pub(super) fn later(words: impl Into<String>) -> Self {
        Self { fate: Fate::Later, words: words.into(), said: String::new() }
    }
}

/// Where mails go. Which of the two it is, the configuration in force says.
pub struct Delivery {
    clients: Arc<Clients>,
    life: Lifecycle,
    data: PathBuf,
    /// One file at a time.
    outbox: Arc<Mutex<()>>,
}

impl Delivery {
    /// Over connections of `clients`, or into the outbox in the folder `data`.
    #[must_use]
    pub fn new(clients: Arc<Clients>, life: Lifecycle, data: PathBuf) -> Self {
        Self { clients, life, data, outbox: Arc::default() }
    }

    /// Delivers a mail; answers what Resend calls it, if it told. The same mail may be delivered again: it arrives once.
    ///
    /// # Errors
    /// When it was not taken, or nobody knows.
    pub async fn deliver(
        &self,
        mail: &Written,
        config: &Config,
    ) -> Result<Option<String>, DeliveryError> {
        let (secrets, from) = (&config.secrets, config.secrets.mail_from());
        if let (Some(key), Some(from)) = (secrets.resend_api_key(), from) {
            return resend::send(&self.clients, config, key, from, mail).await;
        }
        let (data, mail) = (self.data.clone(), mail.clone());
        let from = from.unwrap_or(NOBODY).to_owned();
        let reply_to = secrets.mail_reply_to().map(str::to_owned);
        let turn = Arc::clone(&self.outbox);
        let task = self.life.spawn_blocking(move || {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            outbox::put(&data, &mail, &from, reply_to.as_deref())
        });
        match task.await.unwrap_or_else(|it| Err(std::io::Error::other(it))) {
            Ok(path) => {
                tracing::info!(path = %path.display(), "a mail was put into the outbox: nothing is there to send it");
                Ok(None)
            }
            Err(error) => Err(DeliveryError::later(format!("the outbox takes no file: {error}"))),
        }
    }
}
