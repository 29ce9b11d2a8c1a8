//! A Rumble channel, as the outbox speaks in it: through the page, as the account that is signed in there.

use std::{future::Future, pin::Pin, time::Duration};

use super::{RumblePlan, RumbleSender, SendError as Refused, profile::Profile};
use crate::{
    config::{
        Config,
        creators::{ChannelConfig, CreatorConfig},
    },
    model::{CreatorId, QualifiedId},
    platforms::sending::{Pace, PlatformSender, Said, SendError, Words},
};

/// What the page allows: its own waits between two messages come on top.
const PACE: Pace =
    Pace { messages: 10, within: Duration::from_secs(30), apart: Duration::from_millis(750) };
/// Longest text (characters).
const MAX_CHARS: usize = 200;

/// Everything a Rumble voice is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct RumbleVoicePlan {
    creator: CreatorId,
    plan: RumblePlan,
}

impl RumbleVoicePlan {
    /// How `channel` is spoken in.
    ///
    /// # Errors
    /// Why it cannot be, in a sentence.
    pub fn new(
        config: &Config,
        creator: &CreatorConfig,
        channel: &ChannelConfig,
    ) -> Result<Self, String> {
        let plan = RumblePlan::new(config, creator, channel)
            .ok_or_else(|| "Rumble is switched off".to_owned())?;
        if !Profile::exists(&config.system.data_dir) {
            return Err("nobody is signed in to Rumble: run `streamsuites rumble login`".to_owned());
        }
        Ok(Self { creator: creator.id.clone(), plan })
    }
}

/// Speaks in one channel.
pub struct RumbleVoice(RumbleSender);

impl RumbleVoice {
    /// Nothing was said yet.
    #[must_use]
    pub fn new(rumble: &super::Rumble, plan: &RumbleVoicePlan) -> Self {
        Self(rumble.sender(&plan.creator, &plan.plan))
    }

    async fn say(&self, words: &Words) -> Result<Said, SendError> {
        if words.reply_to.is_some() {
            return Err(SendError::Blocked("Rumble's chat has no answers".to_owned()));
        }
        match self.0.send(&words.text).await {
            // The page does not tell the message's id.
            Ok(()) => Ok(Said { message_id: None }),
            Err(Refused::Blocked(reason)) => Err(SendError::Blocked(reason)),
            Err(Refused::Failed(reason)) => Err(SendError::Failed(reason)),
        }
    }
}

impl PlatformSender for RumbleVoice {
    fn send<'a>(
        &'a self,
        words: &'a Words,
    ) -> Pin<Box<dyn Future<Output = Result<Said, SendError>> + Send + 'a>> {
        Box::pin(self.say(words))
    }

    fn account(&self) -> Option<QualifiedId> {
        None
    }

    fn pace(&self) -> Pace {
        PACE
    }

    fn max_chars(&self) -> usize {
        MAX_CHARS
    }
}
