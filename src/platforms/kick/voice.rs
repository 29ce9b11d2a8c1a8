//! A Kick channel, as the outbox speaks in it.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use tokio::sync::OnceCell;

use super::{
    Application, channel,
    official::{AppTokens, Official},
    sender::{Account, KickSender, MAX_TEXT, SendError as Refused},
};
use crate::{
    config::{
        Config,
        creators::{ChannelConfig, CreatorConfig},
    },
    http::{Clients, Way},
    lifecycle::Lifecycle,
    model::{Platform, QualifiedId},
    platforms::{
        Memory, Secret,
        moderating::{Act, ActError},
        sending::{Pace, PlatformSender, Said, SendError, Words},
    },
};

/// Kick publishes no limits; this is what a busy person could type.
const PACE: Pace =
    Pace { messages: 20, within: Duration::from_secs(30), apart: Duration::from_secs(1) };

/// Longest timeout (min): a week.
const LONGEST_TIMEOUT_MINUTES: u32 = 10_080;

/// Everything a Kick voice is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KickVoicePlan {
    slug: Arc<str>,
    account: AccountPlan,
}

/// Everything an account's sender is made from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct AccountPlan {
    api_url: String,
    id_url: String,
    way: Way,
    application: Application,
    refresh_token: Secret,
    suffix: String,
}

impl KickVoicePlan {
    /// How `channel` is spoken in.
    ///
    /// # Errors
    /// Why it cannot be, in a sentence.
    pub fn new(
        config: &Config,
        creator: &CreatorConfig,
        channel: &ChannelConfig,
    ) -> Result<Self, String> {
        let kick = &config.platforms.kick;
        if !kick.enabled {
            return Err("Kick is switched off".to_owned());
        }
        let suffix = creator.env_suffix();
        let refresh_token = config
            .secrets
            .kick_refresh_token(&suffix)
            .ok_or_else(|| format!("there is no KICK_REFRESH_TOKEN_{suffix}"))?;
        let (id, secret) = config
            .secrets
            .kick_application(&suffix)
            .ok_or_else(|| "there is no KICK_CLIENT_ID with its KICK_CLIENT_SECRET".to_owned())?;
        let account = AccountPlan {
            api_url: kick.api_url.to_string(),
            id_url: kick.id_url.to_string(),
            way: Way { ca_file: config.platforms.tls_ca_file.clone(), proxy: None },
            application: Application { client_id: id.to_owned(), client_secret: secret.to_owned() },
            refresh_token: Secret::new(refresh_token),
            suffix,
        };
        Ok(Self { slug: channel.name.as_str().into(), account })
    }
}

type Senders = HashMap<AccountPlan, Arc<OnceCell<KickSender>>>;

/// The accounts that speak. Channels of one account share its sender: each use of its refresh token replaces it.
pub struct KickAccounts {
    life: Lifecycle,
    senders: Mutex<Senders>,
}

impl KickAccounts {
    /// Nobody speaks yet. Tokens are exchanged in tasks of `life`.
    #[must_use]
    pub fn new(life: Lifecycle) -> Self {
        Self { life, senders: Mutex::default() }
    }

    fn sender(&self, plan: &AccountPlan) -> Arc<OnceCell<KickSender>> {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = senders.get(plan) {
            return Arc::clone(known);
        }
        // Of those that nobody speaks with any more, the configuration is another now.
        senders.retain(|_, it| Arc::strong_count(it) > 1);
        Arc::clone(senders.entry(plan.clone()).or_default())
    }
}

/// Speaks in one channel.
pub struct KickVoice {
    plan: KickVoicePlan,
    clients: Arc<Clients>,
    memory: Memory,
    sender: Arc<OnceCell<KickSender>>,
    life: Lifecycle,
    tokens: Arc<AppTokens>,
    /// The number of the channel's user.
    user_id: OnceLock<u64>,
}

impl KickVoice {
    /// Nothing was said yet.
    #[must_use]
    pub fn new(
        clients: Arc<Clients>,
        memory: Memory,
        accounts: &KickAccounts,
        plan: KickVoicePlan,
    ) -> Self {
        let (sender, life) = (accounts.sender(&plan.account), accounts.life.clone());
        let (tokens, user_id) = (Arc::default(), OnceLock::new());
        Self { plan, clients, memory, sender, life, tokens, user_id }
    }

    async fn say(&self, words: &Words) -> Result<Said, SendError> {
        let user_id = self.user_id().await?;
        let sender = self.sender.get_or_try_init(|| self.open()).await?;
        let reply_to = words.reply_to.as_ref().map(QualifiedId::own_id);
        let sent = sender.send(user_id, &words.text, reply_to).await.map_err(|it| match it {
            Refused::Blocked(reason) => SendError::Blocked(reason),
            Refused::Wait(pause) => SendError::Later(pause),
            Refused::Failed(reason) => SendError::Failed(reason),
        })?;
        Ok(Said { message_id: sent.message_id.map(|it| QualifiedId::new(Platform::Kick, &it)) })
    }

    async fn act(&self, act: &Act) -> Result<(), ActError> {
        let refused = |it: SendError| ActError::Refused(it.to_string());
        let chat = self.user_id().await.map_err(refused)?;
        let sender = self.sender.get_or_try_init(|| self.open()).await.map_err(refused)?;
        let id = act.target().own_id();
        let viewer = || {
            id.parse::<u64>()
                .map_err(|_| ActError::Impossible("Kick knows its viewers by numbers".to_owned()))
        };
        let done = match act {
            Act::Delete(_) => sender.delete_message(id).await,
            Act::Timeout(_, seconds) => {
                let minutes = seconds.div_ceil(60).clamp(1, LONGEST_TIMEOUT_MINUTES);
                sender.ban(chat, viewer()?, Some(minutes)).await
            }
            Act::Ban(_) => sender.ban(chat, viewer()?, None).await,
            Act::Unban(_) => sender.unban(chat, viewer()?).await,
        };
        done.map_err(|it| ActError::Refused(it.to_string()))
    }

    async fn client(&self) -> Result<reqwest::Client, SendError> {
        self.clients
            .client(&self.plan.account.way)
            .await
            .map_err(|it| SendError::Failed(it.to_string()))
    }

    async fn open(&self) -> Result<KickSender, SendError> {
        let plan = &self.plan.account;
        let account = Account {
            api_url: plan.api_url.clone(),
            id_url: plan.id_url.clone(),
            application: plan.application.clone(),
            refresh_token: plan.refresh_token.expose().to_owned(),
            suffix: plan.suffix.clone(),
        };
        let (memory, life) = (self.memory.clone(), self.life.clone());
        Ok(KickSender::new(self.client().await?, account, memory, life))
    }

    /// Whose channel it is: learnt by the reading, or asked for.
    async fn user_id(&self) -> Result<u64, SendError> {
        if let Some(id) = self.user_id.get() {
            return Ok(*id);
        }
        let id = match channel::find_user(&self.memory, &self.plan.slug) {
            Some(id) => id,
            None => {
                let account = &self.plan.account;
                let official = Official {
                    client: self.client().await?,
                    api_url: account.api_url.clone(),
                    id_url: account.id_url.clone(),
                    application: account.application.clone(),
                    tokens: Arc::clone(&self.tokens),
                };
                let found = official.channel(&self.plan.slug).await;
                let found = found.map_err(|it| SendError::Failed(it.to_string()))?;
                let unknown = || format!("Kick knows no channel `{}`", self.plan.slug);
                found.ok_or_else(|| SendError::Blocked(unknown()))?.user_id
            }
        };
        Ok(*self.user_id.get_or_init(|| id))
    }
}

impl PlatformSender for KickVoice {
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
        // The official API does not say as whom; what comes back is recognised by its id.
        None
    }

    fn pace(&self) -> Pace {
        PACE
    }

    fn max_chars(&self) -> usize {
        MAX_TEXT
    }

    fn has_answers(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_secret_makes_another_sender_and_what_nobody_uses_is_let_go() {
        let plan = |secret: &str, api: &str| AccountPlan {
            api_url: api.to_owned(),
            id_url: "https://id".to_owned(),
            way: Way::default(),
            application: Application {
                client_id: "app".to_owned(),
                client_secret: secret.to_owned(),
            },
            refresh_token: Secret::new("refresh-0"),
            suffix: "ANA".to_owned(),
        };
        let accounts = KickAccounts::new(Lifecycle::new());
        let first = accounts.sender(&plan("old", "https://a"));
        assert!(Arc::ptr_eq(&first, &accounts.sender(&plan("old", "https://a"))), "one for both");
        assert!(!Arc::ptr_eq(&first, &accounts.sender(&plan("new", "https://a"))));
        assert!(!Arc::ptr_eq(&first, &accounts.sender(&plan("old", "https://b"))));
        drop(first);
        let _last = accounts.sender(&plan("newest", "https://a"));
        assert_eq!(accounts.senders.lock().unwrap().len(), 1);
    }
}
