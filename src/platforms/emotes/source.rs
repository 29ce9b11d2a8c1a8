//! Whose list, of which provider: where it is asked for, and under what name it is kept.

use crate::{config::platforms::EmotesConfig, model::Platform};

use super::list::{self, List};

/// A provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Provider {
    /// Least first: a later one wins when names clash.
    Ffz,
    Bttv,
    SevenTv,
}

impl Provider {
    pub(super) const ALL: [Self; 3] = [Self::Ffz, Self::Bttv, Self::SevenTv];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Ffz => "FrankerFaceZ",
            Self::Bttv => "BetterTTV",
            Self::SevenTv => "7TV",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Ffz => "ffz",
            Self::Bttv => "bttv",
            Self::SevenTv => "7tv",
        }
    }
}

/// A channel as the providers know it: by its platform's number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ChannelKey {
    pub(super) platform: Platform,
    /// Digits.
    pub(super) id: String,
}

/// A list of emotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Source {
    pub(super) provider: Provider,
    /// Everybody's without.
    pub(super) channel: Option<ChannelKey>,
}

impl Source {
    /// Everybody's lists.
    pub(super) fn list_of_everybody() -> impl Iterator<Item = Self> {
        Provider::ALL.into_iter().map(|provider| Self { provider, channel: None })
    }

    /// A channel's lists: of those providers that know its platform.
    pub(super) fn list_of(channel: &ChannelKey) -> impl Iterator<Item = Self> + '_ {
        Provider::ALL
            .into_iter()
            .filter(|it| channel.platform == Platform::Twitch || *it == Provider::SevenTv)
            .map(|provider| Self { provider, channel: Some(channel.clone()) })
    }

    /// Where it is asked for.
    pub(super) fn url(&self, config: &EmotesConfig) -> String {
        let EmotesConfig { seventv_url, bttv_url, ffz_url, .. } = config;
        match (self.provider, &self.channel) {
            (Provider::SevenTv, None) => format!("{seventv_url}/emote-sets/global"),
            (Provider::SevenTv, Some(ChannelKey { platform, id })) => {
                format!("{seventv_url}/users/{platform}/{id}")
            }
            (Provider::Bttv, None) => format!("{bttv_url}/cached/emotes/global"),
            (Provider::Bttv, Some(it)) => format!("{bttv_url}/cached/users/twitch/{}", it.id),
            (Provider::Ffz, None) => format!("{ffz_url}/set/global"),
            (Provider::Ffz, Some(it)) => format!("{ffz_url}/room/id/{}", it.id),
        }
    }

    /// The name it is kept under.
    pub(super) fn name(&self) -> String {
        let provider = self.provider.word();
        match &self.channel {
            None => format!("{provider}-global"),
            Some(ChannelKey { platform, id }) => format!("{provider}-{platform}-{id}"),
        }
    }

    /// Reads its answer; `None` when it is none.
    pub(super) fn read(&self, body: &[u8]) -> Option<List> {
        let answer = serde_json::from_slice(body).ok()?;
        match self.provider {
            Provider::SevenTv => list::seventv(&answer),
            Provider::Bttv => list::bttv(&answer),
            Provider::Ffz => list::ffz(&answer),
        }
    }
}
