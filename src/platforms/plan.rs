//! How a channel is to be read: what a worker is started with.

use super::{kick, pilled, rumble, twitch, youtube};
use crate::{
    config::{Config, creators::ChannelConfig, creators::CreatorConfig},
    model::Platform,
};

/// What a worker was started with; one that should be started with something else is replaced.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plan {
    Twitch(Box<twitch::TwitchPlan>),
    Youtube(youtube::YoutubePlan),
    Kick(kick::KickPlan),
    Rumble(rumble::RumblePlan),
    Pilled(pilled::PilledPlan),
}

impl Plan {
    /// How `channel` is read for `creator`; `None` while its platform is switched off.
    pub(super) fn new(
        config: &Config,
        creator: &CreatorConfig,
        channel: &ChannelConfig,
    ) -> Option<Self> {
        match channel.platform {
            Platform::Twitch => twitch::TwitchPlan::new(config, creator, &channel.name)
                .map(Box::new)
                .map(Self::Twitch),
            Platform::Youtube => {
                youtube::YoutubePlan::new(config, creator, channel).map(Self::Youtube)
            }
            Platform::Kick => kick::KickPlan::new(config, creator, channel).map(Self::Kick),
            Platform::Rumble => rumble::RumblePlan::new(config, creator, channel).map(Self::Rumble),
            Platform::Pilled => pilled::PilledPlan::new(config, channel).map(Self::Pilled),
            // Configuration refuses channels of platforms that cannot be read.
            Platform::Discord | Platform::X | Platform::Streamsuites => None,
        }
    }
}
