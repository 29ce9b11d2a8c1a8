//! The sites people sign in with, and what is asked of each.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A site people sign in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// accounts.google.com: OpenID Connect.
    Google,
    /// github.com: OAuth 2.
    Github,
    /// discord.com: OAuth 2.
    Discord,
    /// id.twitch.tv: OpenID Connect.
    Twitch,
}

/// A name that is no provider's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not one of google, github, discord, twitch")]
pub struct UnknownProvider;

/// What Twitch allows this server in a creator's name: chat and its moderation, and the events that come beside
/// it.
const TWITCH_PLATFORM: [&str; 12] = [
    "chat:read",
    "chat:edit",
    "user:write:chat",
    "moderator:manage:banned_users",
    "moderator:manage:chat_messages",
    "moderator:read:followers",
    "channel:read:polls",
    "channel:read:predictions",
    "channel:read:redemptions",
    "channel:read:hype_train",
    "channel:read:charity",
    "channel:read:ads",
];
/// What YouTube allows this server in a creator's name: one scope reads and writes.
const YOUTUBE_PLATFORM: [&str; 1] = ["https://www.googleapis.com/auth/youtube.force-ssl"];

impl Provider {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::Google, Self::Github, Self::Discord, Self::Twitch];

    /// `google`, `github`, `discord`, `twitch`: in addresses, records and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Github => "github",
            Self::Discord => "discord",
            Self::Twitch => "twitch",
        }
    }

    /// As people know it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::Github => "GitHub",
            Self::Discord => "Discord",
            Self::Twitch => "Twitch",
        }
    }

    /// Where it sends people back to, on this server.
    #[must_use]
    pub const fn callback_path(self) -> &'static str {
        match self {
            Self::Google => "/auth/callback/google",
            Self::Github => "/auth/callback/github",
            // As it was always registered there.
            Self::Discord => "/auth/discord/login/callback",
            Self::Twitch => "/auth/callback/twitch",
        }
    }

    /// Whether it answers with an id_token.
    pub(super) const fn speaks_openid(self) -> bool {
        matches!(self, Self::Google | Self::Twitch)
    }

    /// What is asked for; more when its platform is to be used in a creator's name.
    #[must_use]
    pub fn scopes(self, with_platform: bool) -> Vec<&'static str> {
        let (who, platform): (&[_], &[_]) = match self {
            Self::Google => (&["openid", "email", "profile"], &YOUTUBE_PLATFORM),
            Self::Github => (&["read:user", "user:email"], &[]),
            Self::Discord => (&["identify", "email"], &[]),
            Self::Twitch => (&["openid", "user:read:email"], &TWITCH_PLATFORM),
        };
        let platform = platform.iter().filter(|_| with_platform);
        who.iter().chain(platform).copied().collect()
    }

    /// Whether this was enough for its platform to be used: people may untick what was asked for.
    pub(super) fn allows_platform(self, granted: &[String]) -> bool {
        let speaking: &[&str] = match self {
            Self::Google => &YOUTUBE_PLATFORM,
            Self::Twitch => &["user:write:chat", "chat:edit"],
            Self::Github | Self::Discord => &[],
        };
        speaking.iter().any(|scope| granted.iter().any(|it| it == scope))
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or(UnknownProvider)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for it in Provider::ALL {
            assert_eq!(it.to_string().parse(), Ok(it));
            assert_eq!(serde_json::to_string(&it).unwrap(), format!("\"{it}\""));
        }
        assert_eq!("Google".parse::<Provider>(), Err(UnknownProvider));
    }

    #[test]
    fn only_a_creators_sign_in_asks_for_a_platform() {
        for it in Provider::ALL {
            let (plain, more) = (it.scopes(false), it.scopes(true));
            assert!(!plain.iter().any(|it| it.contains("chat") || it.contains("youtube")));
            assert_eq!(it.speaks_openid(), more.len() > plain.len(), "{it}");
            let granted: Vec<String> = more.iter().map(|it| (*it).to_owned()).collect();
            assert_eq!(it.allows_platform(&granted), more.len() > plain.len(), "{it}");
            let granted: Vec<String> = plain.iter().map(|it| (*it).to_owned()).collect();
            assert!(!it.allows_platform(&granted), "{it}");
        }
    }
}
