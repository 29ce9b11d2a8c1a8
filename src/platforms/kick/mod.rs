//! Kick: the site's realtime socket, the official API where there are credentials for it.
//!
//! The worker finds the channel's numbers (`site`, `official`), asks the site which socket to read
//! (`centrifugo`, `pusher`: words without sockets), folds the many frames of one thing into one (`fold`), and
//! takes webhooks from the web server (`webhooks`).

mod centrifugo;
mod channel;
mod fold;
mod frame;
mod happening;
mod official;
mod ours;
mod people;
mod plan;
mod protocol;
mod pusher;
pub mod sender;
mod signature;
mod site;
mod track;
mod voice;
pub mod webhooks;
pub(crate) mod wire;
mod worker;

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::readers::Shared;
use crate::{
    config::{Config, PlatformsConfig},
    model::{Platform, Timestamp},
};

use self::{
    official::AppTokens,
    webhooks::{AWAITED_FOR, Headers, Received, WebhookError, Webhooks, comparable},
};

pub use self::{
    fold::{Arrival, Fold, Moment},
    frame::Frame,
    happening::{ChannelFacts, ChatRules, Gift, Happening, Notice, Subscription},
    official::{ApiError, Application},
    plan::{KickPlan, Webhooking},
    track::Track,
    voice::{KickAccounts, KickVoice, KickVoicePlan},
    worker::KickWorker,
};

/// What all workers of this platform share.
pub struct Kick {
    shared: Shared,
    tokens: Arc<AppTokens>,
    webhooks: Arc<Webhooks>,
    started_at: Instant,
}

impl Kick {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        let (tokens, webhooks) = (Arc::default(), Arc::default());
        Self { shared, tokens, webhooks, started_at: Instant::now() }
    }

    /// Takes a webhook.
    ///
    /// # Errors
    /// [`WebhookError`]: see [`Webhooks::receive`].
    pub async fn receive(
        &self,
        config: &Config,
        headers: Headers<'_>,
        body: &Bytes,
        now: Timestamp,
    ) -> Result<Received, WebhookError> {
        let ask = || self.public_key(&config.platforms);
        // The web server is there before the readers are.
        let will_be_read = |user_id, slug: &str| {
            self.started_at.elapsed() < AWAITED_FOR && self.is_configured(config, user_id, slug)
        };
        self.webhooks.receive(headers, body, now, ask, will_be_read).await
    }

    /// Whether a user's channel is one of those that are configured: known by its slug, or by what was learnt.
    fn is_configured(&self, config: &Config, user_id: u64, slug: &str) -> bool {
        let slug = comparable(slug);
        let creators = config.creators.creators.iter().filter(|it| it.enabled);
        let channels = creators.flat_map(|it| &it.channels);
        channels.filter(|it| it.enabled && it.platform == Platform::Kick).any(|it| {
            comparable(&it.name) == slug
                || channel::find_user(&self.shared.memory, &it.name) == Some(user_id)
        })
    }

    /// A reading of a channel that begins now.
    #[must_use]
    pub fn track(&self, plan: &KickPlan) -> Arc<Track> {
        let memory = &self.shared.memory;
        let track = Track::new(memory, &plan.channel, Timestamp::now());
        if plan.webhooking == Webhooking::On {
            // Before the first attempt, which may have to wait for its turn.
            track.put_expectation(self.webhooks.expect(&plan.channel));
            if let Some(user_id) = channel::find_user(memory, &plan.channel)
                && let Some(application) = &plan.application
            {
                let registration = self.webhooks.register(user_id, &application.client_id);
                track.put_registration(registration);
            }
        }
        Arc::new(track)
    }

    /// Kick's public key (PEM), asked for now; `None` when it is not to be had.
    async fn public_key(&self, config: &PlatformsConfig) -> Option<String> {
        let way = crate::http::Way { ca_file: config.tls_ca_file.clone(), proxy: None };
        let client = self.shared.clients.client(&way).await.ok()?;
        let found = official::public_key(&client, config.kick.api_url.as_str()).await;
        found.inspect_err(|error| tracing::warn!(%error, "Kick's public key is not to be had")).ok()
    }
}
