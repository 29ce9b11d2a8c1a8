//! Pictures of platforms, served from here, so that a page has one origin.
//!
//! A picture is fetched once, however many ask; it is kept on disk, and compared with the platform's now
//! and then while the kept one is served. Whoever serves an [`Image`] says `nosniff` with it.

mod built_in;
mod cache;
mod download;
mod failures;
mod flights;
mod hash;
mod index;
mod kind;
mod picture;
mod twitch;

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};

use self::{
    cache::{Cache, Kept},
    download::{Download, Fetched},
    failures::Failures,
    flights::{Flight, Flights, Outcome, Ticket},
    hash::hash_of,
    twitch::{Access, EMOTE_SIZES, badges::Badges, emote_url},
};
use crate::{config::Config, lifecycle::Lifecycle, model::Timestamp, telemetry::Telemetry};

pub use self::picture::Picture;

/// Most pictures that are fetched at the same time (count).
const MAX_FETCHES: usize = 16;
/// Time a browser may keep a picture that stands in for a better one (s).
const MAX_AGE_FOR_NOW_SECONDS: u32 = 300;

/// A picture, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Content type.
    pub kind: &'static str,
    /// The picture itself.
    pub bytes: Bytes,
    /// Value of the `ETag` header, with its quotes; the same for the same bytes.
    pub etag: String,
    /// Time a browser may keep it without asking (s).
    pub max_age_seconds: u32,
}

/// Why there is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// The platform has no such picture, and neither have we.
    #[error("no such picture")]
    NotFound,
    /// The platform does not answer, fails or is too slow. Again in a minute.
    #[error("the picture cannot be had now")]
    Unavailable,
    /// What the platform sent is no picture, or too large, or elsewhere.
    #[error("what the platform sent is no picture that can be shown")]
    Refused,
}

/// Finds pictures of platforms. Cheap to clone; one per server, for it owns the folder of its cache.
#[derive(Clone)]
pub struct Media {
    config: watch::Receiver<Arc<Config>>,
    telemetry: Telemetry,
    life: Lifecycle,
    cache: Cache,
    download: Download,
    failures: Arc<Failures>,
    flights: Arc<Flights>,
    permits: Arc<Semaphore>,
    badges: Arc<Badges>,
    parts: Parts,
}

/// What tests replace.
#[derive(Clone)]
struct Parts {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    built_in_badge: fn(&str) -> Option<Image>,
}

impl Media {
    /// Keeps pictures in `cache_dir`, which is made when it is missing, and looked through by a task:
    /// it has to be called within the runtime. Reads the file `tls_ca_file`, if there is one.
    #[must_use]
    pub fn new(
        config: watch::Receiver<Arc<Config>>,
        cache_dir: PathBuf,
        telemetry: Telemetry,
        life: Lifecycle,
    ) -> Self {
        let parts = Parts { now: Arc::new(Timestamp::now), built_in_badge: built_in::find_badge };
        Self::with_parts(config, cache_dir, telemetry, life, parts)
    }

    fn with_parts(
        config: watch::Receiver<Arc<Config>>,
        cache_dir: PathBuf,
        telemetry: Telemetry,
        life: Lifecycle,
        parts: Parts,
    ) -> Self {
        let start = config.borrow().clone();
        Self {
            cache: Cache::open(cache_dir, start.system.media.cache_max_bytes, life.clone()),
            download: Download::new(
                start
                    .platforms
                    .twitch
                    .tls_ca_file
                    .as_deref()
                    .or(start.platforms.tls_ca_file.as_deref()),
            ),
            failures: Arc::default(),
            flights: Arc::default(),
            permits: Arc::new(Semaphore::new(MAX_FETCHES)),
            badges: Arc::default(),
            config,
            telemetry,
            life,
            parts,
        }
    }

    /// Finds a picture: kept on disk, else the platform's, else, for a badge, one drawn by us.
    ///
    /// A kept one is served at once, however old; an old one is compared with the platform's meanwhile.
    ///
    /// # Errors
    /// As [`MediaError`] says; remembered for a minute, `NotFound` for ten.
    pub async fn find(&self, picture: &Picture) -> Result<Image, MediaError> {
        let key = picture.key();
        if let Some(kept) = self.cache.find(&key).await {
            let is_fresh = self.is_fresh(picture, &kept);
            if !is_fresh {
                // Nobody waits for it, and a failure leaves everything as it is.
                let _ = self.join_fetch(picture, &key);
            }
            return Ok(self.image(picture, &kept, is_fresh));
        }
        let outcome = match self.join_fetch(picture, &key) {
            Ok(ticket) => ticket.outcome().await,
            Err(error) => Err(error),
        };
        outcome.or_else(|error| match picture {
            Picture::TwitchBadge { set, .. } => (self.parts.built_in_badge)(set).ok_or(error),
            Picture::TwitchEmote { .. } | Picture::Hosted(_) => Err(error),
        })
    }

    /// A place among those who wait for a fetch, which is started if need be.
    fn join_fetch(&self, picture: &Picture, key: &str) -> Result<Ticket, MediaError> {
        if matches!(picture, Picture::TwitchBadge { .. })
            && Access::find(&self.config.borrow()).is_none()
        {
            return Err(MediaError::NotFound); // The usual first run: there is nobody to ask.
        }
        if let Some(error) = self.failures.find(key) {
            return Err(error);
        }
        let (ticket, flight) = self.flights.join(key)?;
        if let Some(flight) = flight {
            let (this, picture, key) = (self.clone(), picture.clone(), key.to_owned());
            self.life.spawn(async move { this.fly(&picture, &key, flight).await });
        }
        Ok(ticket)
    }

    /// Fetches for all who wait; gives up when the server stops.
    async fn fly(&self, picture: &Picture, key: &str, flight: Flight) {
        let fetch = Box::pin(self.fetch(picture, key));
        if let Some(outcome) = self.life.stop.run_until_cancelled(fetch).await {
            flight.land(outcome);
        }
    }

    /// Fetches a picture and keeps it, unless somebody has just done so.
    async fn fetch(&self, picture: &Picture, key: &str) -> Outcome {
        let config = self.config.borrow().clone();
        let limit = Duration::from_millis(config.system.media.timeout_ms.into());
        // Waiting in line is no failure of this picture, so it is not remembered as one.
        let Ok(Ok(_permit)) = timeout(limit, self.permits.acquire()).await else {
            return Err(MediaError::Unavailable);
        };
        let old = self.cache.find(key).await;
        if let Some(kept) = old.as_ref().filter(|it| self.is_fresh(picture, it)) {
            return Ok(self.image(picture, kept, true));
        }
        let request = self.request(picture, old.as_ref(), &config);
        let fetched = timeout(limit, request).await.unwrap_or(Err(MediaError::Unavailable));
        let checked_at = (self.parts.now)();
        let kept = match (fetched, old) {
            (Ok(Fetched::New { kind, bytes, origin }), _) => {
                self.telemetry.meters.pictures_fetched.increment(1);
                Kept { kind, sha256: hash_of(&bytes), bytes, origin, checked_at }
            }
            (Ok(Fetched::Unchanged), Some(old)) => Kept { checked_at, ..old },
            (Ok(Fetched::Unchanged), None) => return Err(MediaError::Unavailable),
            (Err(error), old) => {
                self.failures.remember(key, error);
                // What the platform has taken back is not shown any longer.
                if old.is_some() && error == MediaError::NotFound {
                    self.cache.remove(key).await;
                }
                return Err(error);
            }
        };
        let image = self.image(picture, &kept, true);
        self.cache.store(key, kept, config.system.media.cache_max_bytes).await;
        Ok(image)
    }

    /// Asks the platform for a picture.
    async fn request(
        &self,
        picture: &Picture,
        old: Option<&Kept>,
        config: &Config,
    ) -> Result<Fetched, MediaError> {
        let cdn_url = &config.platforms.twitch.cdn_url;
        let cdn = cdn_url.as_str().parse().map_err(|_| MediaError::Unavailable)?;
        let max_bytes = config.system.media.max_picture_bytes;
        let known = old.map(|it| &it.origin);
        match picture {
            Picture::TwitchEmote { id, still } => {
                for size in EMOTE_SIZES {
                    let url = emote_url(cdn_url, id, *still, size)?;
                    match self.download.get_picture(url, &cdn, known, max_bytes).await {
                        Err(MediaError::NotFound) => {}
                        found => return found,
                    }
                }
                Err(MediaError::NotFound)
            }
            Picture::TwitchBadge { room_id, set, version } => {
                let access = Access::find(config).ok_or(MediaError::Unavailable)?;
                let badge = (room_id.as_str(), set.as_str(), version.as_str());
                let url = self.badges.find_url(&self.download, &access, badge).await?;
                self.download.get_picture(url, &cdn, known, max_bytes).await
            }
            Picture::Hosted(hosted) => {
                // A stand-in for a host takes its place whole.
                let origin = config.system.media.origins.get(hosted.host());
                let url = match origin {
                    Some(origin) => format!("{origin}{}", hosted.path()),
                    None => hosted.url(),
                };
                let url: url::Url = url.parse().map_err(|_| MediaError::Refused)?;
                let same_host = url.clone();
                self.download.get_picture(url, &same_host, known, max_bytes).await
            }
        }
    }

    fn is_fresh(&self, picture: &Picture, kept: &Kept) -> bool {
        // One from the future was kept under a wrong clock, and could be of any age.
        (0..picture.fresh_ms()).contains(&(self.parts.now)().ms_since(kept.checked_at))
    }

    fn image(&self, picture: &Picture, kept: &Kept, is_fresh: bool) -> Image {
        Image {
            kind: kept.kind,
            bytes: kept.bytes.clone(),
            etag: etag_of(&kept.sha256),
            max_age_seconds: match is_fresh {
                true => picture.max_age_seconds(),
                false => MAX_AGE_FOR_NOW_SECONDS,
            },
        }
    }
}

/// A strong `ETag`, quotes included. 128 bits of the hash tell any two pictures apart.
fn etag_of(sha256: &str) -> String {
    format!("\"{}\"", &sha256[..32])
}

#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod tests;
