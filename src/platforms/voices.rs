//! In which channels this server may speak, and how.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    Memory, Readers,
    kick::{KickAccounts, KickVoice, KickVoicePlan},
    rumble::{Rumble, RumbleVoice, RumbleVoicePlan},
    sending::{LaneKey, Outbox, PlatformSender, Voice},
    twitch::{TwitchSender, TwitchSenderPlan},
    youtube::{YoutubeVoice, YoutubeVoicePlan},
};
use crate::{
    accounts::{oauth::Provider, providers::Providers},
    config::{
        Config,
        creators::{ChannelConfig, CreatorConfig},
    },
    http::Clients,
    model::Platform,
    quotas::Quotas,
};

/// How a channel is spoken in.
#[derive(Debug, Clone, PartialEq)]
enum Plan {
    Twitch(Box<TwitchSenderPlan>),
    Youtube(Box<YoutubeVoicePlan>),
    Kick(Box<KickVoicePlan>),
    Rumble(Box<RumbleVoicePlan>),
}

/// The senders of all channels, made when first needed and kept while their plan is the same.
pub struct Voices {
    clients: Arc<Clients>,
    memory: Memory,
    quotas: Quotas,
    rumble: Arc<Rumble>,
    outbox: Outbox,
    /// What the owners of rooms granted when they signed in.
    providers: Providers,
    kick: KickAccounts,
    made: Mutex<HashMap<LaneKey, Made>>,
}

/// A sender, and what it was made from.
struct Made {
    plan: Plan,
    sender: Arc<dyn PlatformSender>,
}

impl Voices {
    /// Nothing was said yet.
    #[must_use]
    pub fn new(readers: &Readers, outbox: Outbox, providers: Providers) -> Self {
        let shared = readers.shared();
        Self {
            clients: Arc::clone(&shared.clients),
            memory: shared.memory.clone(),
            quotas: shared.quotas.clone(),
            rumble: readers.rumble(),
            outbox,
            providers,
            kick: KickAccounts::new(shared.life.clone()),
            made: Mutex::default(),
        }
    }

    /// Each channel of a creator, with its sender or the reason for none.
    #[must_use]
    pub fn list(&self, config: &Config, creator: &CreatorConfig) -> Vec<(LaneKey, Voice)> {
        let channels = creator.channels.iter().filter(|it| it.enabled);
        self.forget_removed(creator);
        channels
            .map(|channel| {
                let key = LaneKey {
                    creator: creator.id.clone(),
                    platform: channel.platform,
                    channel: channel.name.clone(),
                };
                let voice = self.plan(config, creator, channel).map(|plan| self.sender(&key, plan));
                (key, voice)
            })
            .collect()
    }

    /// Channels that the creator has no more are not spoken in.
    fn forget_removed(&self, creator: &CreatorConfig) {
        let channels = creator.channels.iter().filter(|it| it.enabled);
        let is_gone = |key: &LaneKey| {
            let is_it = |it: &ChannelConfig| it.platform == key.platform && it.name == key.channel;
            key.creator == creator.id && !channels.clone().any(is_it)
        };
        self.made.lock().unwrap_or_else(PoisonError::into_inner).retain(|it, _| !is_gone(it));
        self.outbox.end_lanes(is_gone);
    }

    fn sender(&self, key: &LaneKey, plan: Plan) -> Arc<dyn PlatformSender> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.get(key) {
            if known.plan == plan {
                return Arc::clone(&known.sender);
            }
            // Another token: what is under way with the old one ends.
            self.outbox.end_lanes(|it| it == key);
        }
        let sender: Arc<dyn PlatformSender> = match plan.clone() {
            Plan::Twitch(plan) => Arc::new(TwitchSender::new(Arc::clone(&self.clients), *plan)),
            Plan::Youtube(plan) => Arc::new(YoutubeVoice::new(
                Arc::clone(&self.clients),
                self.memory.clone(),
                &self.quotas,
                *plan,
            )),
            Plan::Rumble(plan) => Arc::new(RumbleVoice::new(&self.rumble, &plan)),
            Plan::Kick(plan) => Arc::new(KickVoice::new(
                Arc::clone(&self.clients),
                self.memory.clone(),
                &self.kick,
                *plan,
            )),
        };
        made.insert(key.clone(), Made { plan, sender: Arc::clone(&sender) });
        sender
    }

    fn plan(
        &self,
        config: &Config,
        creator: &CreatorConfig,
        channel: &ChannelConfig,
    ) -> Result<Plan, String> {
        let granted = |provider| self.providers.find_tokens_of_room(&creator.id, provider);
        match channel.platform {
            Platform::Twitch => {
                let granted = || granted(Provider::Twitch);
                let plan = TwitchSenderPlan::new(config, creator, &channel.name, granted)?;
                Ok(Plan::Twitch(Box::new(plan)))
            }
            Platform::Youtube => {
                let granted = || granted(Provider::Google);
                let plan = YoutubeVoicePlan::new(config, creator, channel, granted)?;
                Ok(Plan::Youtube(Box::new(plan)))
            }
            Platform::Rumble => {
                Ok(Plan::Rumble(Box::new(RumbleVoicePlan::new(config, creator, channel)?)))
            }
            Platform::Kick => {
                Ok(Plan::Kick(Box::new(KickVoicePlan::new(config, creator, channel)?)))
            }
            other => Err(format!("this server does not send to {}", other.title())),
        }
    }
}
