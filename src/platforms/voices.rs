//! In which channels this server may speak, and how.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    Memory,
    http::Clients,
    kick::{KickAccounts, KickVoice, KickVoicePlan},
    sending::{LaneKey, Outbox, PlatformSender, Voice},
    twitch::{TwitchSender, TwitchSenderPlan},
};
use crate::{
    config::{
        Config,
        creators::{ChannelConfig, CreatorConfig},
    },
    model::Platform,
};

/// How a channel is spoken in.
#[derive(Debug, Clone, PartialEq)]
enum Plan {
    Twitch(Box<TwitchSenderPlan>),
    Kick(Box<KickVoicePlan>),
}

/// The senders of all channels, made when first needed and kept while their plan is the same.
pub struct Voices {
    clients: Arc<Clients>,
    memory: Memory,
    outbox: Outbox,
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
    pub fn new(clients: Arc<Clients>, memory: Memory, outbox: Outbox) -> Self {
        let (kick, made) = (KickAccounts::default(), Mutex::default());
        Self { clients, memory, outbox, kick, made }
    }

    /// Each channel of a creator, with its sender or the reason for none.
    #[must_use]
    pub fn list(&self, config: &Config, creator: &CreatorConfig) -> Vec<(LaneKey, Voice)> {
        let channels = creator.channels.iter().filter(|it| it.enabled);
        channels
            .map(|channel| {
                let key = LaneKey {
                    creator: creator.id.clone(),
                    platform: channel.platform,
                    channel: channel.name.clone(),
                };
                let voice = plan(config, creator, channel).map(|plan| self.sender(&key, plan));
                (key, voice)
            })
            .collect()
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
}

fn plan(config: &Config, creator: &CreatorConfig, channel: &ChannelConfig) -> Result<Plan, String> {
    match channel.platform {
        Platform::Twitch => {
            let plan = TwitchSenderPlan::new(config, creator, &channel.name)?;
            Ok(Plan::Twitch(Box::new(plan)))
        }
        Platform::Kick => Ok(Plan::Kick(Box::new(KickVoicePlan::new(config, creator, channel)?))),
        other => Err(format!("this server does not send to {}", other.title())),
    }
}
