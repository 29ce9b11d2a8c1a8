//! The normalizer of a source: that of its platform.

use super::{
    NormalizeError, Normalized, Reading,
    kick::KickNormalizer,
    rumble::RumbleNormalizer,
    twitch::{self, TwitchNormalizer, dedupe_key},
    youtube::YoutubeNormalizer,
};
use crate::{
    model::{EventBody, Platform, Timestamp},
    platforms::Raw,
};

/// Reads what one source sends. Kept over reconnects.
#[derive(Debug)]
pub enum Normalizer {
    /// Twitch.
    Twitch(Box<TwitchNormalizer>),
    /// YouTube.
    Youtube(Box<YoutubeNormalizer>),
    /// Kick.
    Kick(Box<KickNormalizer>),
    /// Rumble.
    Rumble(Box<RumbleNormalizer>),
    /// Nothing but events of the feed itself.
    Events,
}

impl Normalizer {
    /// For a channel, by its configured name.
    #[must_use]
    pub fn new(platform: Platform, channel: &str) -> Self {
        match platform {
            Platform::Twitch => Self::Twitch(Box::new(TwitchNormalizer::new(channel))),
            Platform::Youtube => Self::Youtube(Box::new(YoutubeNormalizer::new(channel))),
            Platform::Kick => Self::Kick(Box::new(KickNormalizer::new(channel))),
            Platform::Rumble => Self::Rumble(Box::new(RumbleNormalizer::new(channel))),
            _ => Self::Events,
        }
    }

    /// The platform's number of the channel, once, when it is first known: what emote providers go by.
    pub fn take_channel_id(&mut self) -> Option<String> {
        match self {
            Self::Twitch(it) => it.take_channel_id(),
            Self::Kick(it) => it.take_user_id(),
            // Not known to emote providers.
            _ => None,
        }
    }

    /// Adds to `readings` what `raw` means to a feed.
    ///
    /// # Errors
    /// When it lacks what cannot be invented; what was read before that is in `readings`.
    pub fn normalize(
        &mut self,
        raw: Raw,
        received_at: Timestamp,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        match (self, raw) {
            (_, Raw::Event(body)) => {
                let sent_at = sent_at_of(&body);
                readings.push(Reading { body: *body, sent_at, key: None });
            }
            (Self::Twitch(it), Raw::Twitch(line)) => {
                if let Normalized::Event(body) = it.normalize(&line, received_at)? {
                    let sent_at = line.tags.0.get("tmi-sent-ts").and_then(|it| it.parse().ok());
                    let sent_at = sent_at.and_then(Timestamp::from_unix_ms);
                    readings.push(Reading { body, sent_at, key: dedupe_key(&line) });
                }
            }
            (Self::Twitch(_), Raw::TwitchEvent(it)) => {
                twitch::eventsub::normalize(&it, received_at, readings);
            }
            (Self::Youtube(it), Raw::Youtube(item)) => {
                it.normalize(&item, received_at, readings)?
            }
            (Self::Kick(it), Raw::Kick(happening)) => {
                it.normalize(&happening, received_at, readings)?;
            }
            (Self::Rumble(it), Raw::Rumble(happening)) => {
                it.normalize(&happening, received_at, readings)?;
            }
            // A worker gives its own platform's words only.
            _ => debug_assert!(false, "words of another platform"),
        }
        Ok(())
    }
}

fn sent_at_of(body: &EventBody) -> Option<Timestamp> {
    match body {
        EventBody::ChatMessage(it) | EventBody::FeatureShow(it) => Some(it.sent_at),
        EventBody::Activity(it) => it.sent_at,
        _ => None,
    }
}
