//! Rumble.
//!
//! Nothing of its chat is documented, and the site refuses some machines. So a chat is read in the best way
//! that works, the [`Mode`]s, and each step that fails is named in the status. The official Live Stream API
//! is asked beside it where a creator gives their key.

mod api;
mod browser;
mod compare;
mod deliver;
mod happening;
mod identity;
mod mode;
mod observer;
mod page;
mod page_events;
mod page_reader;
pub mod profile;
mod record;
mod resolve;
pub mod sender;
mod stream;
mod stream_reader;
mod tab;
mod value;
mod voice;
mod worker;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU32},
    time::Duration,
};

use reqwest::{Client, redirect};
use tokio::sync::Semaphore;

use super::{WorkerError, readers::Shared};
use crate::{
    config::{
        Config,
        creators::{ChannelConfig, CreatorConfig},
        platforms::RumbleConfig,
    },
    http::{Way, failure, tls},
    model::CreatorId,
};

use self::{
    api::ApiKey,
    browser::Browser,
    resolve::{Place, Resolver},
};
pub use self::{
    api::{News, Said, What},
    happening::Happening,
    mode::Mode,
    observer::Row,
    profile::Profile,
    record::{BadgeKind, Batch, Init, Line, Person, Record},
    sender::{RumbleSender, SendError},
    voice::{RumbleVoice, RumbleVoicePlan},
    worker::RumbleWorker,
};

/// Longest wait for a connection to a chat's stream, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Channels that are looked at at the same time (count).
const MAX_LOOKS: usize = 16;

/// What all workers of this platform share.
pub struct Rumble {
    shared: Shared,
    browser: Arc<Browser>,
    /// Clients for streams, by the file of further authorities: silence is no failure to them.
    streams: Mutex<HashMap<Option<PathBuf>, Client>>,
    /// One chat at a time is compared with its page.
    comparing: Arc<Semaphore>,
    /// So many channels are looked at at once: a thousand begin together when the server starts.
    turns: Arc<Semaphore>,
    /// Readings of everything a page shows, numbered.
    listings: AtomicU32,
}

impl Rumble {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        let browser = Arc::new(Browser::new(shared.life.clone(), shared.data_dir.clone()));
        Self {
            shared,
            browser,
            streams: Mutex::default(),
            comparing: Arc::new(Semaphore::new(1)),
            turns: Arc::new(Semaphore::new(MAX_LOOKS)),
            listings: AtomicU32::new(0),
        }
    }

    /// Says things in a creator's chat, through the tab in which it is read, or one of its own.
    #[must_use]
    pub fn sender(&self, creator: &CreatorId, plan: &RumblePlan) -> RumbleSender {
        let (browser, config) = (Arc::clone(&self.browser), Arc::clone(&plan.config));
        RumbleSender::new(browser, config, tab_key(creator, plan), self.place(plan))
    }

    fn place(&self, plan: &RumblePlan) -> Place {
        Place {
            config: Arc::clone(&plan.config),
            memory: self.shared.memory.clone(),
            channel: Arc::clone(&plan.channel),
            chat_id: plan.chat_id,
        }
    }

    fn resolver(&self, plan: &RumblePlan, client: Client) -> Resolver {
        Resolver { client, place: self.place(plan), turns: Arc::clone(&self.turns) }
    }

    /// The client for streams.
    async fn stream_client(&self, ca_file: Option<&PathBuf>) -> Result<Client, WorkerError> {
        let key = ca_file.cloned();
        let known = self.streams.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(client) = known {
            return Ok(client);
        }
        let config = tls::client_config(ca_file.map(PathBuf::as_path)).await.map_err(|it| {
            WorkerError::transient(format!("the file tls_ca_file cannot be used: {it}"))
        })?;
        let client = Client::builder()
            .use_preconfigured_tls((*config).clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_keepalive(Duration::from_secs(15))
            .redirect(redirect::Policy::limited(3))
            // What is compressed may wait inside for more.
            .no_gzip()
            .build()
            .map_err(|it| failure("the client", &it))?;
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(streams.entry(key).or_insert(client).clone())
    }
}

/// The name of a creator's tab.
fn tab_key(creator: &CreatorId, plan: &RumblePlan) -> String {
    format!("{creator} {}", plan.channel)
}

/// A page with nothing but a chat.
fn popup_url(config: &RumbleConfig, chat_id: &str) -> String {
    format!("{}/chat/popup/{chat_id}", config.web_url.as_str())
}

/// Everything a worker is started with; another plan means another worker.
#[derive(Debug, Clone, PartialEq)]
pub struct RumblePlan {
    /// For whom.
    pub creator: CreatorId,
    /// The channel in its one spelling.
    pub channel: Arc<str>,
    config: Arc<RumbleConfig>,
    ca_file: Option<PathBuf>,
    /// The chat's number, given by hand.
    chat_id: Option<u64>,
    api_key: Option<ApiKey>,
}

impl RumblePlan {
    /// How `channel` is read; `None` while the platform is switched off.
    #[must_use]
    pub fn new(config: &Config, creator: &CreatorConfig, channel: &ChannelConfig) -> Option<Self> {
        let rumble = &config.platforms.rumble;
        let key = config.secrets.rumble_livestream_key(&creator.env_suffix());
        let api_key = key.and_then(ApiKey::parse);
        if key.is_some() && api_key.is_none() {
            let name = format!("RUMBLE_LIVESTREAM_KEY_{}", creator.env_suffix());
            tracing::error!(creator.id = %creator.id, "{name} is neither a key nor an address with one");
        }
        rumble.enabled.then(|| Self {
            creator: creator.id.clone(),
            channel: channel.name.as_str().into(),
            config: Arc::new(rumble.clone()),
            ca_file: config.platforms.tls_ca_file.clone(),
            chat_id: channel.chat_id,
            api_key,
        })
    }

    fn way(&self) -> Way {
        Way { ca_file: self.ca_file.clone(), proxy: None }
    }
}

/// Sixteen hexadecimal digits of a list of texts, the same over restarts and versions.
#[must_use]
pub fn stable_hash(parts: &[&str]) -> String {
    api::hash(parts)
}

/// What the Live Stream API tells in a document, for the tests of what becomes of it.
#[cfg(test)]
pub(crate) fn news_of(document: &serde_json::Value) -> Vec<News> {
    api::Differ::default().read(document).news
}
