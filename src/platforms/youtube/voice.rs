//! A YouTube channel, as the outbox speaks in it: in the chat of the stream that is on.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    PRESENCE, VIDEO,
    sender::{MAX_CHARACTERS, Permit, SendError as Refused, YoutubeSender},
};
use crate::{
    accounts::oauth::PlatformTokens,
    config::{
        Config,
        creators::{ChannelConfig, CreatorConfig},
    },
    http::Clients,
    model::{CreatorId, Platform, QualifiedId},
    platforms::{
        Memory,
        moderating::{Act, ActError},
        sending::{Pace, PlatformSender, Said, SendError, Words},
    },
    quotas::Quotas,
};

/// YouTube publishes no limits; the quota is the narrower one.
const PACE: Pace =
    Pace { messages: 15, within: Duration::from_secs(30), apart: Duration::from_secs(1) };

/// Most bans that are remembered, so that they can be taken back.
const MOST_BANS: usize = 500;

/// Everything a YouTube voice is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct YoutubeVoicePlan {
    creator: CreatorId,
    channel: Arc<str>,
    permit: Permit,
}

impl YoutubeVoicePlan {
    /// How `channel` is spoken in: with the permission that the operator set, else with the one that the room's owner
    /// granted.
    ///
    /// # Errors
    /// Why it cannot be, in a sentence.
    pub fn new(
        config: &Config,
        creator: &CreatorConfig,
        channel: &ChannelConfig,
        granted: impl FnOnce() -> Option<PlatformTokens>,
    ) -> Result<Self, String> {
        if !config.platforms.youtube.enabled {
            return Err("YouTube is switched off".to_owned());
        }
        let granted = || Permit::granted(config, &granted()?.refresh);
        let permit = Permit::new(config, creator).or_else(granted).ok_or_else(|| {
            format!(
                "there is no YOUTUBE_REFRESH_TOKEN_{} with its GOOGLE_CLIENT_ID",
                creator.env_suffix()
            )
        })?;
        let channel = channel.name.as_str().into();
        Ok(Self { creator: creator.id.clone(), channel, permit })
    }
}

/// Speaks in one channel.
pub struct YoutubeVoice {
    channel: Arc<str>,
    memory: Memory,
    sender: YoutubeSender,
    /// The newest stream that was spoken in, and its chat.
    chat: Mutex<Option<(String, String)>>,
    /// Bans that were made here, newest last: whose, and the id by which each is taken back.
    bans: Mutex<VecDeque<(QualifiedId, String)>>,
}

impl YoutubeVoice {
    /// Nothing was said yet.
    #[must_use]
    pub fn new(
        clients: Arc<Clients>,
        memory: Memory,
        quotas: &Quotas,
        plan: YoutubeVoicePlan,
    ) -> Self {
        // The allowance of the application's project, whoever speaks with it, and whatever key is read with.
        let pool = super::fingerprint(&plan.permit.client_id);
        let quota = quotas.open(&plan.creator, Platform::Youtube, Some(pool));
        let sender = YoutubeSender::new(plan.permit, clients, quota);
        let (chat, bans) = (Mutex::default(), Mutex::default());
        Self { channel: plan.channel, memory, sender, chat, bans }
    }

    async fn say(&self, words: &Words) -> Result<Said, SendError> {
        if words.reply_to.is_some() {
            return Err(SendError::Blocked("YouTube's chat has no answers".to_owned()));
        }
        let chat = self.chat_id().await?;
        let sent = self.sender.send(&chat, &words.text).await;
        if matches!(sent, Err(Refused::Blocked(_))) {
            // The chat may be over, or another by now: it is looked for anew, which costs less than one more refusal.
            *self.chat.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        Ok(Said { message_id: Some(sent.map_err(translated)?) })
    }

    async fn act(&self, act: &Act) -> Result<(), ActError> {
        let refused = |it: Refused| ActError::Refused(it.to_string());
        let id = act.target().own_id();
        if let Act::Unban(viewer) = act {
            let known = self.find_ban(viewer).ok_or_else(|| {
                let no = "YouTube takes back by this way only what was done here since the start";
                ActError::Impossible(no.to_owned())
            })?;
            self.sender.unban(&known).await.map_err(refused)?;
            self.bans().retain(|it| it.0 != *viewer);
            return Ok(());
        }
        let chat = self.chat_id().await.map_err(|it| ActError::Refused(it.to_string()))?;
        let (viewer, seconds) = match act {
            Act::Delete(_) => {
                return self.sender.delete_message(&chat, id).await.map_err(refused);
            }
            Act::Timeout(viewer, seconds) => (viewer, Some((*seconds).max(1))),
            Act::Ban(viewer) | Act::Unban(viewer) => (viewer, None),
        };
        let ban = self.sender.ban(&chat, id, seconds).await.map_err(refused)?;
        let mut bans = self.bans();
        bans.retain(|it| it.0 != *viewer);
        bans.push_back((viewer.clone(), ban));
        if bans.len() > MOST_BANS {
            bans.pop_front();
        }
        Ok(())
    }

    fn bans(&self) -> MutexGuard<'_, VecDeque<(QualifiedId, String)>> {
        self.bans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find_ban(&self, viewer: &QualifiedId) -> Option<String> {
        self.bans().iter().find(|it| it.0 == *viewer).map(|it| it.1.clone())
    }

    /// The chat of the stream that is on, as the reading found it.
    async fn chat_id(&self) -> Result<String, SendError> {
        let video = self.memory.find(Platform::Youtube, &self.channel, VIDEO);
        let video = video.ok_or_else(|| {
            match self.memory.find(Platform::Youtube, &self.channel, PRESENCE) {
                Some(it) if it.is_empty() => {
                    SendError::Blocked("the channel is not live".to_owned())
                }
                Some(trouble) => SendError::Failed(trouble),
                None => SendError::Failed("it is not known yet whether it is live".to_owned()),
            }
        })?;
        let known = self.chat.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, chat)) = known.filter(|it| it.0 == video) {
            return Ok(chat);
        }
        let chat = self.sender.find_chat(&video).await.map_err(translated)?;
        let chat = chat.ok_or_else(|| SendError::Blocked("the channel is not live".to_owned()))?;
        *self.chat.lock().unwrap_or_else(PoisonError::into_inner) = Some((video, chat.clone()));
        Ok(chat)
    }
}

fn translated(error: Refused) -> SendError {
    match error {
        Refused::Blocked(reason) => SendError::Blocked(reason),
        Refused::Failed(reason) => SendError::Failed(reason),
    }
}

impl PlatformSender for YoutubeVoice {
    fn send<'a>(
        &'a self,
        words: &'a Words,
    ) -> Pin<Box<dyn Future<Output = Result<Said, SendError>> + Send + 'a>> {
        Box::pin(self.say(words))
    }

    fn moderate<'a>(
        &'a self,
        act: &'a Act,
    ) -> Pin<Box<dyn Future<Output = Result<(), ActError>> + Send + 'a>> {
        Box::pin(self.act(act))
    }

    fn account(&self) -> Option<QualifiedId> {
        // YouTube does not say as whom; what comes back is recognised by its id.
        None
    }

    fn pace(&self) -> Pace {
        PACE
    }

    fn max_chars(&self) -> usize {
        MAX_CHARACTERS
    }
}
