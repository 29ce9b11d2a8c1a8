//! Twitch chat: IRC over TLS, anonymous or with a token.
//!
//! Lines are parsed with `twitch-irc`; the connection is ours, because the crate's client cannot be given
//! an address at run time, joins without pace after a reconnect, and goes silent for good on some lines.

pub mod connection;
pub mod endpoint;
mod eventsub;
mod helix;
pub mod line;
pub mod pool;
mod sender;
mod speaker;
pub mod worker;

use std::sync::Arc;

pub use endpoint::Endpoint;
pub use eventsub::{EventSubPlan, Notification};
pub use helix::HelixPlan;
pub use pool::{Pool, Pools};
pub use sender::{TwitchSender, TwitchSenderPlan};
pub use worker::TwitchWorker;

use crate::config::{Config, creators::CreatorConfig};

/// Everything a Twitch worker is started with; another plan means another worker.
#[derive(Debug, Clone, PartialEq)]
pub struct TwitchPlan {
    /// The channel's login, lower case, without `#`.
    pub login: Arc<str>,
    /// Shared by all channels read with the same account over the same server.
    pub account: Account,
    /// What is told beside chat, where a token allows.
    pub eventsub: Option<EventSubPlan>,
    /// Silence of a channel after which its `detail` says so (s).
    pub quiet_seconds: u32,
}

/// One way to be on Twitch: which server, as whom, how fast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Where.
    pub endpoint: Endpoint,
    /// As whom; anonymous without.
    pub credentials: Option<Credentials>,
    /// Most channels of one connection (count).
    pub channels_per_connection: usize,
    /// Most channels joined in ten seconds (count).
    pub joins_per_10_seconds: usize,
    /// Silence after which the server is asked for a sign of life (s).
    pub ping_seconds: u32,
    /// How long it may take to answer (s).
    pub pong_seconds: u32,
    /// Pause between two tries to reach a server that cannot be reached (ms).
    pub probe_ms: u32,
}

/// A Twitch account.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Its login.
    pub nick: String,
    /// Its OAuth token, without `oauth:`.
    pub token: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("nick", &self.nick).finish_non_exhaustive()
    }
}

impl TwitchPlan {
    /// How `channel` is read for `creator`; `None` while Twitch is switched off.
    #[must_use]
    pub fn new(config: &Config, creator: &CreatorConfig, channel: &str) -> Option<Self> {
        let twitch = &config.platforms.twitch;
        if !twitch.enabled {
            return None;
        }
        let ca_file = twitch.tls_ca_file.as_deref().or(config.platforms.tls_ca_file.as_deref());
        let suffix = creator.env_suffix();
        let credentials = config.secrets.twitch_oauth_token(&suffix).map(|token| Credentials {
            nick: config.secrets.twitch_bot_nick(&suffix).unwrap_or(channel).to_ascii_lowercase(),
            token: token.to_owned(),
        });
        Some(Self {
            login: channel.to_ascii_lowercase().into(),
            account: Account {
                endpoint: Endpoint::new(&twitch.irc_url, ca_file),
                credentials,
                channels_per_connection: twitch.channels_per_connection as usize,
                joins_per_10_seconds: twitch.joins_per_10_seconds as usize,
                ping_seconds: twitch.ping_seconds,
                pong_seconds: twitch.pong_seconds,
                probe_ms: twitch.probe_ms,
            },
            eventsub: EventSubPlan::new(config, &suffix),
            quiet_seconds: twitch.quiet_seconds,
        })
    }
}
