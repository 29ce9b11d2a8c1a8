//! From a slug to the numbers that the sockets want: entered by hand, remembered, or asked for.

use serde::{Deserialize, Serialize};

use super::{
    ChannelFacts, KickPlan,
    frame::Topics,
    official::{ApiError, Official},
    site::{Site, SiteChannel, SiteError},
};
use crate::{
    model::Platform,
    platforms::{Memory, WorkerError},
};

/// Kept over restarts: the channel's numbers, which never change.
const IDS: &str = "ids";

/// A channel's numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ids {
    pub(super) channel: u64,
    pub(super) chatroom: u64,
    #[serde(default)]
    pub(super) user: Option<u64>,
    /// The slug under which the site knows it: not always the one that was entered.
    #[serde(default)]
    pub(super) slug: String,
}

/// What is known of a channel when its reading begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// Without them there is no socket.
    pub(super) topics: Option<Topics>,
    pub(super) user_id: Option<u64>,
    pub(super) slug: String,
    /// What the site said, if it was asked.
    pub(super) site: Option<SiteChannel>,
    /// Why the site was of no help, if it was not.
    pub(super) problem: Option<String>,
}

impl Found {
    pub(super) fn facts(&self) -> ChannelFacts {
        let site = self.site.as_ref();
        ChannelFacts {
            channel_id: self.topics.map(|it| it.channel),
            user_id: self.user_id,
            slug: self.slug.clone(),
            badges: site.map(|it| it.badges.clone()).unwrap_or_default(),
            rules: site.and_then(|it| it.rules),
        }
    }
}

/// Why the channel is not known.
#[derive(Debug)]
pub(super) enum NotFound {
    /// The site says that there is none.
    Absent(String),
    /// It is not to be learnt now.
    Unknown {
        error: WorkerError,
        /// Not to be asked again before.
        retry_after: Option<std::time::Duration>,
    },
}

/// Finds a channel's numbers.
pub(super) async fn find(
    plan: &KickPlan,
    site: &Site,
    official: Option<&Official>,
    memory: &Memory,
) -> Result<Found, NotFound> {
    let known = remembered(memory, &plan.channel);
    let by_hand = plan.channel_id.zip(plan.chat_id).map(|(channel, chatroom)| Ids {
        channel,
        chatroom,
        user: known.as_ref().and_then(|it| it.user),
        slug: known.as_ref().map_or_else(String::new, |it| it.slug.clone()),
    });
    if let Some(ids) = by_hand.or(known) {
        let slug = if ids.slug.is_empty() { plan.channel.to_string() } else { ids.slug };
        let topics = Some(Topics { chatroom: ids.chatroom, channel: ids.channel });
        return Ok(Found { topics, user_id: ids.user, slug, site: None, problem: None });
    }
    match ask_site(plan, site).await {
        Ok(channel) => {
            remember(memory, &plan.channel, &channel);
            Ok(of_site(plan, channel))
        }
        Err(SiteError::NotFound) => Err(NotFound::Absent(format!(
            "there is no channel `{}` on Kick: the name as it stands in its address is wanted",
            plan.channel
        ))),
        Err(error) => {
            let text = error.to_string();
            let (retry_after, advice) = match error {
                // Typing numbers in does not mend a connection.
                SiteError::NotFound | SiteError::Unreachable(_) => (None, ""),
                SiteError::Refused { retry_after, .. } => (
                    retry_after,
                    "; channel_id and chat_id in creators.json make the question needless",
                ),
            };
            let asked = match official {
                Some(official) => official.channel(&plan.channel).await,
                None => Ok(None),
            };
            match asked {
                // Enough for webhooks, though not for the socket.
                Ok(Some(found)) => Ok(Found {
                    topics: None,
                    user_id: Some(found.user_id),
                    slug: plan.channel.to_string(),
                    site: None,
                    problem: Some(text),
                }),
                other => {
                    let also = match other {
                        Err(error @ (ApiError::Credentials | ApiError::Scope(_))) => {
                            format!("; {error}")
                        }
                        _ => String::new(),
                    };
                    Err(NotFound::Unknown {
                        error: WorkerError::transient(format!("{text}{also}{advice}")),
                        retry_after,
                    })
                }
            }
        }
    }
}

/// What the site says, as what is known; numbers that were entered win.
pub(super) fn of_site(plan: &KickPlan, channel: SiteChannel) -> Found {
    let topics = Topics {
        chatroom: plan.chat_id.unwrap_or(channel.chatroom_id),
        channel: plan.channel_id.unwrap_or(channel.channel_id),
    };
    let slug =
        if channel.slug.is_empty() { plan.channel.to_string() } else { channel.slug.clone() };
    Found {
        topics: Some(topics),
        user_id: channel.user_id,
        slug,
        site: Some(channel),
        problem: None,
    }
}

/// Asks the site; a slug may be written with `-` where the name has `_`.
async fn ask_site(plan: &KickPlan, site: &Site) -> Result<SiteChannel, SiteError> {
    match site.channel(&plan.channel).await {
        Err(SiteError::NotFound) if plan.channel.contains('_') => {
            site.channel(&plan.channel.replace('_', "-")).await
        }
        other => other,
    }
}

/// The number of the channel's user, if it was learnt.
pub(super) fn find_user(memory: &Memory, channel: &str) -> Option<u64> {
    remembered(memory, channel)?.user
}

fn remembered(memory: &Memory, channel: &str) -> Option<Ids> {
    serde_json::from_str(&memory.find(Platform::Kick, channel, IDS)?).ok()
}

/// Keeps a channel's numbers for good.
pub(super) fn remember(memory: &Memory, channel: &str, found: &SiteChannel) {
    let ids = Ids {
        channel: found.channel_id,
        chatroom: found.chatroom_id,
        user: found.user_id,
        slug: found.slug.clone(),
    };
    if let Ok(text) = serde_json::to_string(&ids) {
        memory.remember(Platform::Kick, channel, IDS, &text);
    }
}
