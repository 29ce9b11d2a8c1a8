//! YouTube live chat: as the site reads it, without a key, and with the Data API.
//!
//! Both ways give the same items to the normalizer; which one is used when is decided in `pacing`, and changed
//! without a gap in `follow`.

pub mod api_chat;
pub mod broadcast;
pub mod chat;
pub mod data_api;
pub mod finder;
pub mod follow;
pub mod item;
pub mod message_id;
pub mod pacing;
pub mod page;
mod reader;
pub mod sender;
pub mod shape;
pub mod site;
pub mod site_chat;
pub mod trouble;
mod voice;
pub mod ways;
pub mod worker;

use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

pub use item::Item;
pub use voice::{YoutubeVoice, YoutubeVoicePlan};
pub use worker::YoutubeWorker;

use self::{data_api::DataApi, site::Site, ways::Ways};
use super::{Memory, WorkerError, readers::Shared};
use crate::{
    config::{
        Config,
        creators::{ChannelConfig, CreatorConfig},
        platforms::YoutubeReading,
    },
    http::{Clients, Way},
    model::{CreatorId, Platform},
    quotas::Quota,
};

/// The fact under which the stream that is on is kept.
const VIDEO: &str = "video";
/// The fact of why no stream is on: empty when the channel is not live, else why that is not known.
const PRESENCE: &str = "presence";

/// What all workers of this platform share.
pub struct Youtube {
    shared: Shared,
    /// The ways to the site, by what they are made of.
    ways: Mutex<KnownWays>,
    /// How many chats are read with each key now, by its fingerprint.
    seats: Arc<Mutex<HashMap<u64, usize>>>,
}

impl Youtube {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        Self { shared, ways: Mutex::default(), seats: Arc::default() }
    }

    fn memory(&self) -> &Memory {
        &self.shared.memory
    }

    fn clients(&self) -> &Arc<Clients> {
        &self.shared.clients
    }

    fn site(&self, plan: &YoutubePlan) -> Site {
        let straight = Way { ca_file: plan.ca_file.clone(), proxy: None };
        let key = (straight.clone(), plan.proxies.clone());
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        let ways = ways.entry(key).or_insert_with(|| Arc::new(Ways::new(&straight, &plan.proxies)));
        Site::new(Arc::clone(&self.shared.clients), Arc::clone(ways), &plan.web_url)
    }

    async fn data_api(&self, plan: &YoutubePlan) -> Result<Option<DataApi>, WorkerError> {
        let Some(key) = &plan.key else { return Ok(None) };
        let api = DataApi::with_key(&plan.data_api_url, plan.ca_file.as_deref(), &key.0).await;
        api.map(Some).map_err(|it| WorkerError::transient(it.to_string()))
    }

    fn quota(&self, creator: &CreatorId, key: &ApiKey) -> Quota {
        self.shared.quotas.open(creator, Platform::Youtube, Some(key.fingerprint()))
    }

    /// Counts one more chat that is read with `key`, until the seat is given up.
    fn take_seat(&self, key: &ApiKey) -> Seat {
        let fingerprint = key.fingerprint();
        *seats(&self.seats).entry(fingerprint).or_default() += 1;
        Seat { seats: Arc::clone(&self.seats), fingerprint }
    }
}

/// The straight way and the proxies, and what became of them.
type KnownWays = HashMap<(Way, Vec<String>), Arc<Ways>>;

type Seats = Mutex<HashMap<u64, usize>>;

fn seats(seats: &Seats) -> std::sync::MutexGuard<'_, HashMap<u64, usize>> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A chat's share of a key.
struct Seat {
    seats: Arc<Seats>,
    fingerprint: u64,
}

impl Seat {
    /// How many share the key.
    fn counter(&self) -> Arc<dyn Fn() -> usize + Send + Sync> {
        let (all, fingerprint) = (Arc::clone(&self.seats), self.fingerprint);
        Arc::new(move || seats(&all).get(&fingerprint).copied().unwrap_or(1).max(1))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = seats(&self.seats);
        if let Some(count) = seats.get_mut(&self.fingerprint) {
            *count -= 1;
            if *count == 0 {
                seats.remove(&self.fingerprint);
            }
        }
    }
}

/// A key of the Data API. Shown, it tells nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Arc<str>);

impl ApiKey {
    /// From the configuration.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self(key.into())
    }

    /// The same for the same key, and of no use to anybody else.
    fn fingerprint(&self) -> u64 {
        fingerprint(&self.0)
    }
}

/// The same for the same text, and of no use to anybody else.
fn fingerprint(text: &str) -> u64 {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(8).fold(0, |sum, it| sum << 8 | u64::from(*it))
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey")
    }
}

/// Everything a worker is started with; another plan means another worker.
#[derive(Debug, Clone, PartialEq)]
pub struct YoutubePlan {
    /// For whom.
    pub creator: CreatorId,
    /// The channel in its one spelling.
    pub channel: Arc<str>,
    /// How it is read.
    pub reading: YoutubeReading,
    /// Opens the Data API.
    pub key: Option<ApiKey>,
    /// The site, without a slash at its end.
    pub web_url: Arc<str>,
    /// The Data API, without a slash at its end.
    pub data_api_url: Arc<str>,
    /// For the site, in turn.
    pub proxies: Vec<String>,
    /// Further certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// Time between two looks whether the channel is live (s).
    pub offline_seconds: u32,
    /// Silence after which the chat is shown as quiet (s).
    pub quiet_seconds: u32,
}

impl YoutubePlan {
    /// How `channel` is read; `None` while the platform is switched off.
    #[must_use]
    pub fn new(config: &Config, creator: &CreatorConfig, channel: &ChannelConfig) -> Option<Self> {
        let youtube = &config.platforms.youtube;
        if !youtube.enabled {
            return None;
        }
        Some(Self {
            creator: creator.id.clone(),
            channel: channel.name.as_str().into(),
            reading: youtube.reading,
            key: config.secrets.youtube_api_key(&creator.env_suffix()).map(ApiKey::new),
            web_url: youtube.web_url.as_str().into(),
            data_api_url: youtube.data_api_url.as_str().into(),
            proxies: youtube.proxies.iter().map(|it| it.as_str().to_owned()).collect(),
            ca_file: config.platforms.tls_ca_file.clone(),
            offline_seconds: youtube.offline_seconds,
            quiet_seconds: youtube.quiet_seconds,
        })
    }
}
