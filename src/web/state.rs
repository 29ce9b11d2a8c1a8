//! What handlers share.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::watch;

use super::{
    ApiError,
    api::{backup::Carried, channels::Typed},
    assets::Assets,
    doors::Doors,
    looks::Looks,
    media::Media,
    operator::Operator,
    overlay_keys::OverlayKeys,
    rates::Rates,
    ws::Heartbeat,
};
use crate::{
    accounts::{Accounts, Actor, NewChannel, Origin, providers::Providers},
    boards::Boards,
    chat::Hub,
    config::Config,
    jobs::{Jobs, runners::WebhookSecrets},
    lifecycle::Lifecycle,
    model::CreatorId,
    platforms::{Pronouns, Voices, kick::Kick, sending::Outbox},
    quotas::RateLimits,
    telemetry::Telemetry,
    triggers::Triggers,
};

/// What handlers share. Cheap to clone.
pub type AppState = Arc<Shared>;

/// Adds a channel that was typed, for good, to a room or to one of its own name; answers its room.
pub type AddChannel = Box<dyn Fn(NewChannel) -> Result<CreatorId, ApiError> + Send + Sync>;

/// Takes a room away that was typed, or that an account made; `false` when the configuration did.
pub type RemoveRoom =
    Box<dyn Fn(&CreatorId, Actor, &Origin) -> Result<bool, ApiError> + Send + Sync>;

/// The parts of the server that answer requests.
pub struct Shared {
    /// All rooms.
    pub hub: Arc<Hub>,
    /// What the runtime knows about itself.
    pub telemetry: Telemetry,
    /// Who owns the tasks.
    pub life: Lifecycle,
    /// The configuration in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// Whoever has an account.
    pub accounts: Accounts,
    /// Ways in through providers.
    pub providers: Providers,
    /// Who may operate this server.
    pub operator: Operator,
    /// Which keys open which room.
    pub keys: Arc<OverlayKeys>,
    /// What let those in who are reading.
    pub doors: Doors,
    /// The clock of all sockets.
    pub heartbeat: Arc<Heartbeat>,
    /// Pictures of platforms.
    pub media: Media,
    /// Scripts, styles, pictures and themes of our own.
    pub assets: Arc<Assets>,
    /// Polls, tallies, scoreboards, and who counts once.
    pub boards: Boards,
    /// How rooms look.
    pub looks: Looks,
    /// Where exports are written.
    pub exports_dir: PathBuf,
    /// Where files of our own lie.
    pub data_dir: PathBuf,
    /// When the server started.
    pub started: Instant,
    /// Adds a channel that was typed.
    pub add_channel: AddChannel,
    /// Takes a room away that was typed, or that an account made.
    pub remove_room: RemoveRoom,
    /// Channels that were typed.
    pub typed: Typed,
    /// What copies carry besides the feed log.
    pub carried: Carried,
    /// Synthetic messages per room.
    pub synthetic: SyntheticLimit,
    /// How often sign-ins and tokens may call.
    pub rates: Rates,
    /// What was said here.
    pub outbox: Outbox,
    /// What is done about what is said.
    pub triggers: Triggers,
    /// Work that waits.
    pub jobs: Jobs,
    /// What webhooks are signed with.
    pub webhook_secrets: WebhookSecrets,
    /// How much may happen within a minute.
    pub rate_limits: RateLimits,
    /// Where something can be said.
    pub voices: Arc<Voices>,
    /// Pronouns of viewers.
    pub pronouns: Pronouns,
    /// The address pages are reached at, without a slash at the end.
    pub base_url: String,
    /// Takes the webhooks of Kick.
    pub kick: Arc<Kick>,
}

/// How many synthetic messages a room takes; follows the configuration.
#[derive(Default)]
pub struct SyntheticLimit {
    limiter: RwLock<Option<(u32, Arc<DefaultKeyedRateLimiter<String>>)>>,
}

impl SyntheticLimit {
    /// Takes one of `per_minute`; otherwise tells after how many seconds there is one again.
    ///
    /// # Errors
    /// The time to wait (s), rounded up.
    pub fn take(&self, room: &str, per_minute: u32) -> Result<(), u64> {
        let known = self.limiter.read().unwrap_or_else(PoisonError::into_inner).clone();
        let limiter = match known {
            Some((limit, limiter)) if limit == per_minute => limiter,
            _ => {
                let quota = Quota::per_minute(per_minute.try_into().map_err(|_| 60_u64)?);
                let limiter = Arc::new(RateLimiter::keyed(quota));
                let mut slot = self.limiter.write().unwrap_or_else(PoisonError::into_inner);
                *slot = Some((per_minute, Arc::clone(&limiter)));
                limiter
            }
        };
        limiter.check_key(&room.to_ascii_lowercase()).map_err(|denied| {
            let now = governor::clock::Clock::now(&governor::clock::DefaultClock::default());
            denied.wait_time_from(now).as_secs() + 1
        })
    }
}
