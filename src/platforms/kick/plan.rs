//! Everything a worker is started with.

use std::sync::Arc;

use super::Application;
use crate::{
    config::{Config, creators::ChannelConfig, creators::CreatorConfig, platforms::KickConfig},
    http::Way,
};

/// Everything a worker is started with; another plan means another worker.
#[derive(Debug, Clone, PartialEq)]
pub struct KickPlan {
    /// The channel's slug.
    pub channel: Arc<str>,
    /// The channel's number, if somebody entered it.
    pub channel_id: Option<u64>,
    /// The chat's number, if somebody entered it.
    pub chat_id: Option<u64>,
    /// How Kick is reached.
    pub config: Arc<KickConfig>,
    /// The way out.
    pub way: Way,
    /// The application of the official API.
    pub application: Option<Application>,
    /// Whether Kick can deliver webhooks here.
    pub webhooking: Webhooking,
}

/// Whether Kick can deliver webhooks here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Webhooking {
    /// Nobody wants them.
    Off,
    /// An address was entered, and no application.
    NeedsCredentials,
    /// There is an application, and no address that Kick could reach.
    NeedsAddress,
    /// Yes.
    On,
}

impl KickPlan {
    /// How `channel` is read; `None` while the platform is switched off.
    #[must_use]
    pub fn new(config: &Config, creator: &CreatorConfig, channel: &ChannelConfig) -> Option<Self> {
        let kick = &config.platforms.kick;
        if !kick.enabled {
            return None;
        }
        let application =
            config.secrets.kick_application(&creator.env_suffix()).map(|(id, secret)| {
                Application { client_id: id.to_owned(), client_secret: secret.to_owned() }
            });
        let public = config.system.public_url.as_ref();
        let reachable = kick.webhook_url.is_some()
            || public.is_some_and(|it| it.as_str().starts_with("https://"));
        let webhooking = match (&application, reachable) {
            (Some(_), true) => Webhooking::On,
            (Some(_), false) => Webhooking::NeedsAddress,
            (None, _) if kick.webhook_url.is_some() => Webhooking::NeedsCredentials,
            (None, _) => Webhooking::Off,
        };
        Some(Self {
            channel: channel.name.as_str().into(),
            channel_id: channel.channel_id,
            chat_id: channel.chat_id,
            config: Arc::new(kick.clone()),
            way: Way { ca_file: config.platforms.tls_ca_file.clone(), proxy: None },
            application,
            webhooking,
        })
    }
}
