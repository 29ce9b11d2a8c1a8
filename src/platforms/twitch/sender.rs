//! Says something in a Twitch chat: over the API where the token allows, else over IRC.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::Value;

use super::{
    Account,
    helix::{Helix, HelixError, HelixPlan},
    speaker::Speaker,
};
use crate::{
    accounts::oauth::PlatformTokens,
    config::{Config, creators::CreatorConfig},
    http::Clients,
    model::{Platform, QualifiedId},
    platforms::{
        moderating::{Act, ActError},
        sending::{Pace, PlatformSender, Said, SendError, Words},
    },
};

/// Longest text that Twitch takes (characters).
const MAX_CHARS: usize = 500;
/// The time Twitch counts messages over.
const WITHIN: Duration = Duration::from_secs(30);
/// Longest timeout (s): two weeks.
const LONGEST_TIMEOUT_SECONDS: u32 = 1_209_600;
/// Messages in that time, of an ordinary account and of one that moderates.
const ORDINARY: u32 = 20;
const MODERATOR: u32 = 100;

/// Everything a Twitch sender is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwitchSenderPlan {
    login: Arc<str>,
    helix: HelixPlan,
    account: Account,
}

impl TwitchSenderPlan {
    /// How `channel` is spoken in: with the token that the operator set, else with the one that the room's owner
    /// granted.
    ///
    /// # Errors
    /// Why it cannot be, in a sentence.
    pub fn new(
        config: &Config,
        creator: &CreatorConfig,
        channel: &str,
        granted: impl FnOnce() -> Option<PlatformTokens>,
    ) -> Result<Self, String> {
        let plan = super::TwitchPlan::new(config, creator, channel)
            .ok_or_else(|| "Twitch is switched off".to_owned())?;
        let suffix = creator.env_suffix();
        let granted = || granted().map(|it| HelixPlan::with_token(config, &it.access));
        let helix = HelixPlan::new(config, &suffix)
            .or_else(granted)
            .ok_or_else(|| format!("there is no TWITCH_OAUTH_TOKEN_{suffix}"))?;
        Ok(Self { login: plan.login, helix, account: plan.account })
    }
}

/// Speaks in one channel.
pub struct TwitchSender {
    login: Arc<str>,
    helix: Helix,
    speaker: Speaker,
    /// The channel's number.
    broadcaster_id: OnceLock<String>,
    moderates: AtomicBool,
}

impl TwitchSender {
    /// Nothing was said yet.
    #[must_use]
    pub fn new(clients: Arc<Clients>, plan: TwitchSenderPlan) -> Self {
        Self {
            speaker: Speaker::new(plan.account, Arc::clone(&plan.login)),
            helix: Helix::new(clients, plan.helix),
            login: plan.login,
            broadcaster_id: OnceLock::new(),
            moderates: AtomicBool::new(false),
        }
    }

    async fn say(&self, words: &Words) -> Result<Said, SendError> {
        let account = self.helix.validate().await.map_err(before_saying)?;
        if account.login.eq_ignore_ascii_case(&self.login) {
            self.moderates.store(true, Ordering::Relaxed);
        }
        let reply_to = words.reply_to.as_ref().map(QualifiedId::own_id);
        if account.allows("user:write:chat") {
            let id = self.broadcaster_id().await?;
            let answer = self.helix.say(&id, &words.text, reply_to).await.map_err(saying)?;
            return read(&answer);
        }
        if account.allows("chat:edit") {
            let said = self.speaker.say(&account.login, &words.text, reply_to).await?;
            self.moderates.store(said.moderates, Ordering::Relaxed);
            let message_id = said.id.map(|it| QualifiedId::new(Platform::Twitch, &it));
            return Ok(Said { message_id });
        }
        Err(SendError::Blocked("the token lacks the scope user:write:chat".to_owned()))
    }

    async fn act(&self, act: &Act) -> Result<(), ActError> {
        let account = self.helix.validate().await.map_err(not_done)?;
        let scope = match act {
            Act::Delete(_) => "moderator:manage:chat_messages",
            Act::Timeout(..) | Act::Ban(_) | Act::Unban(_) => "moderator:manage:banned_users",
        };
        if !account.allows(scope) {
            return Err(ActError::lacks(scope));
        }
        let chat = self.broadcaster_id().await.map_err(|it| ActError::Refused(it.to_string()))?;
        let id = act.target().own_id();
        let done = match act {
            Act::Delete(_) => self.helix.delete_message(&chat, id).await,
            Act::Timeout(_, seconds) => {
                self.helix.ban(&chat, id, Some((*seconds).clamp(1, LONGEST_TIMEOUT_SECONDS))).await
            }
            Act::Ban(_) => self.helix.ban(&chat, id, None).await,
            Act::Unban(_) => self.helix.unban(&chat, id).await,
        };
        done.map_err(not_done)
    }

    async fn broadcaster_id(&self) -> Result<String, SendError> {
        if let Some(id) = self.broadcaster_id.get() {
            return Ok(id.clone());
        }
        let found = self.helix.find_user(&self.login).await.map_err(before_saying)?;
        let id = found.ok_or_else(|| {
            SendError::Blocked(format!("Twitch knows no channel `{}`", self.login))
        })?;
        Ok(self.broadcaster_id.get_or_init(|| id).clone())
    }
}

fn not_done(error: HelixError) -> ActError {
    ActError::Refused(error.to_string())
}

/// What failed before anything was said is safe to try again later.
fn before_saying(error: HelixError) -> SendError {
    match error {
        HelixError::Limited(wait) => SendError::Later(wait),
        HelixError::Unavailable(reason) => SendError::Failed(reason),
        refused => SendError::Blocked(refused.to_string()),
    }
}

fn saying(error: HelixError) -> SendError {
    match error {
        HelixError::Unavailable(reason) => {
            SendError::Failed(format!("{reason}; it may have been said"))
        }
        other => before_saying(other),
    }
}

/// 200 is not yet success: Twitch says in the answer whether it dropped the message.
fn read(answer: &Value) -> Result<Said, SendError> {
    let sent = &answer["data"][0];
    if sent["is_sent"].as_bool() == Some(true) {
        let id = sent["message_id"].as_str().filter(|it| !it.is_empty());
        return Ok(Said { message_id: id.map(|it| QualifiedId::new(Platform::Twitch, it)) });
    }
    let reason = &sent["drop_reason"];
    let words = reason["message"].as_str().or_else(|| reason["code"].as_str());
    Err(SendError::Blocked(match words {
        Some(words) => format!("Twitch dropped it: {words}"),
        None => "Twitch dropped it and does not say why".to_owned(),
    }))
}

impl PlatformSender for TwitchSender {
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
        self.helix.known().map(|it| QualifiedId::new(Platform::Twitch, &it.user_id))
    }

    fn pace(&self) -> Pace {
        let moderates = self.moderates.load(Ordering::Relaxed);
        let messages = if moderates { MODERATOR } else { ORDINARY };
        // An ordinary account may not speak twice within a second.
        let apart = if moderates { Duration::ZERO } else { Duration::from_secs(1) };
        Pace { messages, within: WITHIN, apart }
    }

    fn max_chars(&self) -> usize {
        MAX_CHARS
    }

    fn has_answers(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_of_200_may_still_say_that_the_message_was_dropped() {
        let sent = json!({"data": [{"message_id": "m1", "is_sent": true}]});
        let id = QualifiedId::new(Platform::Twitch, "m1");
        assert_eq!(read(&sent), Ok(Said { message_id: Some(id) }));
        let dropped = json!({"data": [{"message_id": "", "is_sent": false,
            "drop_reason": {"code": "msg_duplicate", "message": "Your message is identical."}}]});
        assert_eq!(
            read(&dropped),
            Err(SendError::Blocked("Twitch dropped it: Your message is identical.".to_owned()))
        );
        for unclear in [json!({}), json!({"data": [{"is_sent": false}]})] {
            assert!(matches!(read(&unclear), Err(SendError::Blocked(_))));
        }
    }

    #[test]
    #[allow(clippy::print_stderr)] // Says that it was skipped.
    fn the_recorded_drops_are_understood() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../shared/captures/twitch-helix");
        for name in ["dropped", "dropped-unknown-code"] {
            let path =
                folder.join(format!("send-chat-message-response-{name}--twitch-api-crate.json"));
            let Ok(text) = std::fs::read(&path) else {
                eprintln!("skipped: no {}", path.display());
                return;
            };
            let Err(SendError::Blocked(reason)) = read(&serde_json::from_slice(&text).unwrap())
            else {
                panic!("{name} was dropped")
            };
            assert!(reason.starts_with("Twitch dropped it"), "{reason}");
        }
    }
}
