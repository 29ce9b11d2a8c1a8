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

use super::readers::Shared;
use crate::model::Timestamp;

use self::{official::AppTokens, webhooks::Webhooks};

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
}

impl Kick {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        Self { shared, tokens: Arc::default(), webhooks: Arc::default() }
    }

    /// Where webhooks are taken.
    #[must_use]
    pub fn webhooks(&self) -> &Arc<Webhooks> {
        &self.webhooks
    }

    /// A reading of a channel that begins now.
    #[must_use]
    pub fn track(&self, plan: &KickPlan) -> Arc<Track> {
        Arc::new(Track::new(&self.shared.memory, &plan.channel, Timestamp::now()))
    }

    /// Kick's public key (PEM), asked for now; `None` when it is not to be had.
    pub async fn public_key(&self, config: &crate::config::PlatformsConfig) -> Option<String> {
        let way = super::http::Way { ca_file: config.tls_ca_file.clone(), proxy: None };
        let client = self.shared.clients.client(&way).await.ok()?;
        let found = official::public_key(&client, config.kick.api_url.as_str()).await;
        found.inspect_err(|error| tracing::warn!(%error, "Kick's public key is not to be had")).ok()
    }
}
