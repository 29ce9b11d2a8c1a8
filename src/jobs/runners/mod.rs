//! Those who do the work.

mod call;
mod discord;
mod http;
mod webhook;

use std::sync::Arc;

use tokio::sync::watch;

pub use discord::DiscordRunner;
pub use http::HttpRunner;
pub use webhook::{WebhookRunner, WebhookSecrets};

use self::call::Calls;
use super::Runner;
use crate::{config::Config, http::Clients};

/// All of them.
#[must_use]
pub fn all(
    clients: &Arc<Clients>,
    config: &watch::Receiver<Arc<Config>>,
    secrets: WebhookSecrets,
) -> Vec<Arc<dyn Runner>> {
    let calls = || Calls { clients: Arc::clone(clients), config: config.clone() };
    vec![
        Arc::new(WebhookRunner { calls: calls(), secrets }),
        Arc::new(HttpRunner { calls: calls() }),
        Arc::new(DiscordRunner { calls: calls() }),
    ]
}
