//! Secrets: from the environment and `.env` only, never from JSON, never shown.

use std::{collections::BTreeMap, fmt};

use super::{Environment, Problem};

/// A secret's name and what it is for.
struct Name {
    name: &'static str,
    /// Whether each creator has one: `NAME_<SUFFIX>`.
    per_creator: bool,
    purpose: &'static str,
}

/// Every secret that is read. A name that is both global and per creator stands twice.
const NAMES: [Name; 31] = [
    Name {
        name: "STREAMSUITES_OPERATOR_TOKEN",
        per_creator: false,
        purpose: "The token that scripts send as `Authorization: Bearer …`; without it one is made in the data folder.",
    },
    Name {
        name: "STREAMSUITES_SECRET_KEY",
        per_creator: false,
        purpose: "Encrypts the sign-ins kept in the data folder; made there when this is not set.",
    },
    Name {
        name: "STREAMSUITES_SECRET_KEY_OLD",
        per_creator: false,
        purpose: "The key before that one, while what it encrypted is encrypted anew; take it away a day later.",
    },
    Name {
        name: "STREAMSUITES_ADMIN_EMAILS",
        per_creator: false,
        purpose: "Addresses, with commas between them, whose accounts are admins once they are verified.",
    },
    Name {
        name: "ADMIN_FALLBACK_USER",
        per_creator: false,
        purpose: "The name of the emergency admin, for when nobody else gets in; off unless its secret is set too.",
    },
    Name {
        name: "ADMIN_FALLBACK_SECRET",
        per_creator: false,
        purpose: "The secret of the emergency admin: at least 20 characters.",
    },
    Name {
        name: "RESEND_API_KEY",
        per_creator: false,
        purpose: "Sends the mails of accounts through Resend; without it they go to the folder outbox in the data folder.",
    },
    Name {
        name: "MAIL_FROM",
        per_creator: false,
        purpose: "Whom those mails are from, such as `StreamSuites <no-reply@example.com>`.",
    },
    Name { name: "MAIL_REPLY_TO", per_creator: false, purpose: "Where answers to them go." },
    Name {
        name: "GITHUB_CLIENT_ID",
        per_creator: false,
        purpose: "The GitHub application that people sign in with.",
    },
    Name {
        name: "GITHUB_CLIENT_SECRET",
        per_creator: false,
        purpose: "The secret of that application.",
    },
    Name {
        name: "DISCORD_CLIENT_ID",
        per_creator: false,
        purpose: "The Discord application that people sign in with.",
    },
    Name {
        name: "DISCORD_CLIENT_SECRET",
        per_creator: false,
        purpose: "The secret of that application.",
    },
    Name {
        name: "DISCORD_BOT_TOKEN",
        per_creator: false,
        purpose: "The Discord bot that triggers write with.",
    },
    Name {
        name: "TWITCH_CLIENT_ID",
        per_creator: false,
        purpose: "The Twitch application that people sign in with, and of every creator that has none of its own.",
    },
    Name {
        name: "TWITCH_CLIENT_SECRET",
        per_creator: false,
        purpose: "The secret of that application.",
    },
    Name {
        name: "YOUTUBE_API_KEY",
        per_creator: false,
        purpose: "The YouTube Data API key of every creator that has none of its own; without one, chat is read as the site does.",
    },
    Name {
        name: "GOOGLE_CLIENT_ID",
        per_creator: false,
        purpose: "The Google application that people sign in with, and that sends to YouTube chats.",
    },
    Name {
        name: "GOOGLE_CLIENT_SECRET",
        per_creator: false,
        purpose: "The secret of that application.",
    },
    Name {
        name: "KICK_CLIENT_ID",
        per_creator: false,
        purpose: "The Kick application of every creator that has none of its own.",
    },
    Name {
        name: "KICK_CLIENT_SECRET",
        per_creator: false,
        purpose: "The secret of that application.",
    },
    Name {
        name: "TWITCH_OAUTH_TOKEN",
        per_creator: true,
        purpose: "Signs in to a creator's Twitch chat; without it, chat is read anonymously.",
    },
    Name {
        name: "TWITCH_BOT_NICK",
        per_creator: true,
        purpose: "The login of the account that the token belongs to.",
    },
    Name {
        name: "TWITCH_CLIENT_ID",
        per_creator: true,
        purpose: "A creator's own Twitch application.",
    },
    Name {
        name: "TWITCH_CLIENT_SECRET",
        per_creator: true,
        purpose: "The secret of that application.",
    },
    Name {
        name: "YOUTUBE_API_KEY",
        per_creator: true,
        purpose: "A creator's own YouTube Data API key.",
    },
    Name {
        name: "YOUTUBE_REFRESH_TOKEN",
        per_creator: true,
        purpose: "Lets that Google application send to the creator's YouTube chat.",
    },
    Name {
        name: "KICK_REFRESH_TOKEN",
        per_creator: true,
        purpose: "Lets the Kick application send to the creator's chat; each use replaces it, and the newest is kept in the data folder.",
    },
    Name {
        name: "RUMBLE_LIVESTREAM_KEY",
        per_creator: true,
        purpose: "The key of the creator's Rumble Live Stream API, or its whole address.",
    },
    Name {
        name: "KICK_CLIENT_ID",
        per_creator: true,
        purpose: "A creator's own Kick application.",
    },
    Name {
        name: "KICK_CLIENT_SECRET",
        per_creator: true,
        purpose: "The secret of that application.",
    },
];

/// What an application needs to act for somebody.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OAuthGrant<'a> {
    /// The application.
    pub client_id: &'a str,
    /// Its secret.
    pub client_secret: &'a str,
    /// What was granted.
    pub refresh_token: &'a str,
}

/// Every secret that is set. Shown, it tells the names and no value.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secrets(BTreeMap<String, String>);

/// The secret that a variable sets, and for which suffix; empty is the server's.
fn find_known(variable: &str) -> Option<(&'static Name, &str)> {
    NAMES.iter().find_map(|it| match variable.strip_prefix(it.name)? {
        "" if !it.per_creator => Some((it, "")),
        rest if it.per_creator => {
            rest.strip_prefix('_').filter(|it| !it.is_empty()).map(|rest| (it, rest))
        }
        _ => None,
    })
}

/// Fewest characters of the emergency admin's secret: it opens everything, and nobody types it daily.
const FEWEST_FALLBACK_CHARS: usize = 20;

/// What each of these needs beside it, under the same suffix or the server's.
const NEEDS: [(&str, &str); 14] = [
    ("TWITCH_CLIENT_ID", "TWITCH_CLIENT_SECRET"),
    ("TWITCH_CLIENT_SECRET", "TWITCH_CLIENT_ID"),
    ("KICK_CLIENT_ID", "KICK_CLIENT_SECRET"),
    ("KICK_CLIENT_SECRET", "KICK_CLIENT_ID"),
    ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
    ("GOOGLE_CLIENT_SECRET", "GOOGLE_CLIENT_ID"),
    ("YOUTUBE_REFRESH_TOKEN", "GOOGLE_CLIENT_ID"),
    ("GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"),
    ("GITHUB_CLIENT_SECRET", "GITHUB_CLIENT_ID"),
    ("DISCORD_CLIENT_ID", "DISCORD_CLIENT_SECRET"),
    ("DISCORD_CLIENT_SECRET", "DISCORD_CLIENT_ID"),
    ("ADMIN_FALLBACK_USER", "ADMIN_FALLBACK_SECRET"),
    ("ADMIN_FALLBACK_SECRET", "ADMIN_FALLBACK_USER"),
    ("RESEND_API_KEY", "MAIL_FROM"),
];

impl Secrets {
    pub(super) fn from_environment(environment: &Environment) -> Self {
        // A secret that was copied has blanks at its ends now and then.
        let all = environment.iter().map(|(name, value)| (name, value.trim()));
        let set = all.filter(|(name, value)| !value.is_empty() && find_known(name).is_some());
        Self(set.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// These, for tests.
    #[cfg(test)]
    pub(crate) fn of<const N: usize>(set: [(&str, &str); N]) -> Self {
        Self(set.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    /// What is too weak to be used at all, where it would be used.
    pub(super) fn check(&self) -> Vec<Problem> {
        let weak = self.fallback_admin().filter(|it| it.1.chars().count() < FEWEST_FALLBACK_CHARS);
        let words = format!(
            "has fewer than {FEWEST_FALLBACK_CHARS} characters: take a longer one, or ADMIN_FALLBACK_USER out"
        );
        weak.map(|_| Problem::new("environment", "ADMIN_FALLBACK_SECRET", words))
            .into_iter()
            .collect()
    }

    /// What looks like a mistake, though it need not be one: names that are nearly known, blanks, and halves.
    pub(super) fn list_doubts(&self, environment: &Environment) -> Vec<Problem> {
        let doubt = |name: &str, words: String| Problem::new("environment", name, words);
        let mut doubts = Vec::new();
        for (name, value) in environment.iter() {
            match find_known(name) {
                Some(_) if !value.is_empty() && value.trim().is_empty() => {
                    doubts.push(doubt(name, "is blank, and counts as not set".to_owned()));
                }
                Some(_) => {}
                None => doubts.extend(
                    meant(name)
                        .map(|meant| doubt(name, format!("is not read: did you mean {meant}?"))),
                ),
            }
        }
        for name in self.0.keys() {
            let Some((secret, suffix)) = find_known(name) else { continue };
            for (_, needed) in NEEDS.iter().filter(|it| it.0 == secret.name) {
                if self.find(needed).is_none() && self.find_of(needed, suffix).is_none() {
                    doubts.push(doubt(name, format!("does nothing without {needed}")));
                }
            }
        }
        doubts
    }

    /// `STREAMSUITES_OPERATOR_TOKEN`: what scripts send to act as the operator.
    #[must_use]
    pub fn operator_token(&self) -> Option<&str> {
        self.find("STREAMSUITES_OPERATOR_TOKEN")
    }

    /// `STREAMSUITES_SECRET_KEY`: encrypts what is stored.
    #[must_use]
    pub fn secret_key(&self) -> Option<&str> {
        self.find("STREAMSUITES_SECRET_KEY")
    }

    /// `STREAMSUITES_SECRET_KEY_OLD`: what encrypted before it.
    #[must_use]
    pub fn old_secret_key(&self) -> Option<&str> {
        self.find("STREAMSUITES_SECRET_KEY_OLD")
    }

    /// `STREAMSUITES_ADMIN_EMAILS`: whose accounts are admins.
    pub fn admin_emails(&self) -> impl Iterator<Item = &str> {
        let listed = self.find("STREAMSUITES_ADMIN_EMAILS").unwrap_or_default();
        listed.split(',').map(str::trim).filter(|it| !it.is_empty())
    }

    /// `ADMIN_FALLBACK_USER` and `ADMIN_FALLBACK_SECRET`, when both are set.
    #[must_use]
    pub fn fallback_admin(&self) -> Option<(&str, &str)> {
        Some((self.find("ADMIN_FALLBACK_USER")?, self.find("ADMIN_FALLBACK_SECRET")?))
    }

    /// `RESEND_API_KEY`: sends mails.
    #[must_use]
    pub fn resend_api_key(&self) -> Option<&str> {
        self.find("RESEND_API_KEY")
    }

    /// `DISCORD_BOT_TOKEN`: the bot that writes to Discord.
    #[must_use]
    pub fn discord_bot_token(&self) -> Option<&str> {
        let token = self.find("DISCORD_BOT_TOKEN")?;
        Some(token.strip_prefix("Bot ").unwrap_or(token))
    }

    /// `MAIL_FROM`: whom mails are from.
    #[must_use]
    pub fn mail_from(&self) -> Option<&str> {
        self.find("MAIL_FROM")
    }

    /// `MAIL_REPLY_TO`: where answers to mails go.
    #[must_use]
    pub fn mail_reply_to(&self) -> Option<&str> {
        self.find("MAIL_REPLY_TO")
    }

    /// `<PROVIDER>_CLIENT_ID` and `<PROVIDER>_CLIENT_SECRET` of the server, for signing people in; `provider` in capitals.
    #[must_use]
    pub fn sign_in_application(&self, provider: &str) -> Option<(&str, &str)> {
        let id = self.find(&format!("{provider}_CLIENT_ID"))?;
        Some((id, self.find(&format!("{provider}_CLIENT_SECRET"))?))
    }

    /// `TWITCH_OAUTH_TOKEN_<SUFFIX>`, without the `oauth:` that some tools put before it.
    #[must_use]
    pub fn twitch_oauth_token(&self, suffix: &str) -> Option<&str> {
        let token = self.find_of("TWITCH_OAUTH_TOKEN", suffix)?;
        Some(token.strip_prefix("oauth:").unwrap_or(token))
    }

    /// `TWITCH_BOT_NICK_<SUFFIX>`: the login that the token belongs to.
    #[must_use]
    pub fn twitch_bot_nick(&self, suffix: &str) -> Option<&str> {
        self.find_of("TWITCH_BOT_NICK", suffix)
    }

    /// `TWITCH_CLIENT_ID_<SUFFIX>`, else `TWITCH_CLIENT_ID`.
    #[must_use]
    pub fn twitch_client_id(&self, suffix: &str) -> Option<&str> {
        self.find_of("TWITCH_CLIENT_ID", suffix).or_else(|| self.find("TWITCH_CLIENT_ID"))
    }

    /// `TWITCH_CLIENT_SECRET_<SUFFIX>`, else `TWITCH_CLIENT_SECRET`.
    #[must_use]
    pub fn twitch_client_secret(&self, suffix: &str) -> Option<&str> {
        self.find_of("TWITCH_CLIENT_SECRET", suffix).or_else(|| self.find("TWITCH_CLIENT_SECRET"))
    }

    /// `YOUTUBE_API_KEY_<SUFFIX>`, else `YOUTUBE_API_KEY`.
    #[must_use]
    pub fn youtube_api_key(&self, suffix: &str) -> Option<&str> {
        self.find_of("YOUTUBE_API_KEY", suffix).or_else(|| self.find("YOUTUBE_API_KEY"))
    }

    /// `YOUTUBE_REFRESH_TOKEN_<SUFFIX>`, with the Google application that may use it.
    #[must_use]
    pub fn youtube_sender(&self, suffix: &str) -> Option<OAuthGrant<'_>> {
        Some(OAuthGrant {
            client_id: self.find("GOOGLE_CLIENT_ID")?,
            client_secret: self.find("GOOGLE_CLIENT_SECRET")?,
            refresh_token: self.find_of("YOUTUBE_REFRESH_TOKEN", suffix)?,
        })
    }

    /// `KICK_CLIENT_ID_<SUFFIX>` and its secret, else those of the server.
    #[must_use]
    pub fn kick_application(&self, suffix: &str) -> Option<(&str, &str)> {
        let of_creator = || {
            let id = self.find_of("KICK_CLIENT_ID", suffix)?;
            Some((
                id,
                self.find_of("KICK_CLIENT_SECRET", suffix)
                    .or_else(|| self.find("KICK_CLIENT_SECRET"))?,
            ))
        };
        of_creator()
            .or_else(|| Some((self.find("KICK_CLIENT_ID")?, self.find("KICK_CLIENT_SECRET")?)))
    }

    /// `KICK_REFRESH_TOKEN_<SUFFIX>`: where the chain of tokens began.
    #[must_use]
    pub fn kick_refresh_token(&self, suffix: &str) -> Option<&str> {
        self.find_of("KICK_REFRESH_TOKEN", suffix)
    }

    /// `RUMBLE_LIVESTREAM_KEY_<SUFFIX>`: a key, or the whole address that holds it.
    #[must_use]
    pub fn rumble_livestream_key(&self, suffix: &str) -> Option<&str> {
        self.find_of("RUMBLE_LIVESTREAM_KEY", suffix)
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn find_of(&self, name: &str, suffix: &str) -> Option<&str> {
        self.find(&format!("{name}_{suffix}"))
    }

    /// The names of all secrets of the server and of the creators with `suffixes`, and whether each is
    /// set, in the order of names.
    pub(super) fn list_states(&self, suffixes: &[String]) -> BTreeMap<String, bool> {
        let names = NAMES.iter().flat_map(|it| {
            if it.per_creator {
                suffixes.iter().map(|suffix| format!("{}_{suffix}", it.name)).collect()
            } else {
                vec![it.name.to_owned()]
            }
        });
        names.map(|name| (name.clone(), self.0.contains_key(&name))).collect()
    }
}

/// The known name that `variable` nearly is, a suffix kept.
fn meant(variable: &str) -> Option<String> {
    // `STREAMSUITES__…` sets a key of the configuration.
    if variable.contains("__") {
        return None;
    }
    let best = |it: &Name| {
        // As much of the variable as the name is long, give or take a letter; the rest is a suffix.
        let ends = variable.match_indices('_').map(|(at, _)| at).filter(|_| it.per_creator);
        let whole = std::iter::once(variable.len());
        let heads = ends.chain(whole).map(|end| variable.split_at(end));
        heads
            .map(|(head, rest)| (strsim::damerau_levenshtein(head, it.name), rest))
            .min_by_key(|it| it.0)
            .map(|(distance, rest)| (distance, format!("{}{rest}", it.name)))
    };
    let (distance, name) = NAMES.iter().filter_map(best).min_by_key(|it| it.0)?;
    (distance <= 2).then(|| match find_known(&name) {
        Some(_) => name,
        None => format!("{name}_<CREATOR>"),
    })
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")?;
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The text of `.env.example`: every secret with a line of what it is for.
#[must_use]
pub fn env_example() -> String {
    let mut text = String::from(
        "# Secrets, read from the environment and from a file `.env` in the working folder. The\n\
         # environment wins. Copy this file to `.env`, take away the `#` before what you need, and\n\
         # keep `.env` to yourself. A value that holds spaces, `#` or `$` stands in single quotes.\n",
    );
    for per_creator in [false, true] {
        if per_creator {
            text.push_str(
                "\n# Per creator. The end of the name is the creator's id in capitals, `-` as `_`, or its\n\
                 # `env_suffix` in creators.json; here the creator is `ana`.\n",
            );
        }
        let suffix = if per_creator { "_ANA" } else { "" };
        for it in NAMES.iter().filter(|it| it.per_creator == per_creator) {
            text.push_str(&format!("\n# {}\n#{}{suffix}=\n", it.purpose, it.name));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::from_environment(&Environment::from_iter([
            ("TWITCH_OAUTH_TOKEN_ANA", "oauth:hunter2"),
            ("TWITCH_CLIENT_ID", "hunter3"),
            ("TWITCH_CLIENT_ID_ANA", "hunter4"),
            ("TWITCH_CLIENT_SECRET", ""),
            ("TWITCH_OAUTH_TOKEN", "hunter5"),
            ("STREAMSUITES_SECRET_KEY", "hunter6"),
            ("PATH", "/bin"),
        ]))
    }

    #[test]
    fn no_server_starts_with_a_short_secret_of_the_emergency_admin() {
        let folder = tempfile::tempdir().unwrap();
        let load = |user: &str, secret: &str| {
            let names = [("ADMIN_FALLBACK_USER", user), ("ADMIN_FALLBACK_SECRET", secret)];
            let environment = Environment::from_iter(names);
            let folder = folder.path().join("config");
            crate::config::load(&crate::config::Sources {
                folder,
                environment,
                ..crate::config::Sources::default()
            })
        };
        let refused = load("root", "nineteen characters").unwrap_err().to_string();
        assert!(refused.contains("ADMIN_FALLBACK_SECRET: has fewer than 20"), "{refused}");
        assert!(!refused.contains("nineteen"), "{refused}");
        let config = load("root", "twenty characters it").unwrap();
        assert_eq!(config.secrets.fallback_admin(), Some(("root", "twenty characters it")));
        // By itself it opens nothing, and keeps nobody from starting.
        for user in ["", "  "] {
            let config = load(user, "short").unwrap();
            assert_eq!(config.secrets.fallback_admin(), None);
            let doubts: Vec<_> = config.doubts.iter().map(ToString::to_string).collect();
            let told = "ADMIN_FALLBACK_SECRET: does nothing without ADMIN_FALLBACK_USER";
            assert!(doubts.iter().any(|it| it.contains(told)), "{doubts:?}");
        }
    }

    #[test]
    fn a_creators_own_secret_wins_over_the_servers() {
        let secrets = secrets();
        assert_eq!(secrets.twitch_oauth_token("ANA"), Some("hunter2"));
        assert_eq!(secrets.twitch_oauth_token("BEN"), None);
        assert_eq!(secrets.twitch_client_id("ANA"), Some("hunter4"));
        assert_eq!(secrets.twitch_client_id("BEN"), Some("hunter3"));
        assert_eq!(secrets.twitch_client_secret("ANA"), None);
        assert_eq!(secrets.secret_key(), Some("hunter6"));
        assert_eq!(secrets.operator_token(), None);
    }

    #[test]
    fn no_value_is_ever_shown() {
        let shown = format!("{:?} {:#?}", secrets(), secrets());
        assert!(shown.contains("TWITCH_OAUTH_TOKEN_ANA"));
        assert!(!shown.contains("hunter") && !shown.contains("PATH"), "{shown}");
        let environment = Environment::from_iter([("TWITCH_CLIENT_ID", "hunter2")]);
        assert!(!format!("{environment:?}").contains("hunter"));
    }

    #[test]
    fn names_that_are_nearly_known_blanks_and_halves_are_doubted() {
        let environment = Environment::from_iter([
            ("YOUTUBE_APIKEY", "hunter1"),
            ("TWITCH_OAUTH_TOKENS_ANA", "hunter2"),
            ("TWITCH_OAUTH_TOKEN", "hunter3"),
            ("KICK_CLIENT_ID", "hunter4"),
            ("YOUTUBE_API_KEY", "  "),
            ("RUMBLE_LIVESTREAM_KEY_ANA", " hunter5 "),
            ("GOOGLE_APPLICATION_CREDENTIALS", "hunter6"),
            ("STREAMSUITES__SYSTEM__LISTEN", "hunter7"),
            ("PATH", "/bin"),
        ]);
        let secrets = Secrets::from_environment(&environment);
        assert_eq!(secrets.rumble_livestream_key("ANA"), Some("hunter5"));
        assert_eq!(secrets.youtube_api_key("ANA"), None);
        let told: Vec<_> =
            secrets.list_doubts(&environment).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "environment: TWITCH_OAUTH_TOKEN: is not read: did you mean TWITCH_OAUTH_TOKEN_<CREATOR>?",
                "environment: TWITCH_OAUTH_TOKENS_ANA: is not read: did you mean TWITCH_OAUTH_TOKEN_ANA?",
                "environment: YOUTUBE_APIKEY: is not read: did you mean YOUTUBE_API_KEY?",
                "environment: YOUTUBE_API_KEY: is blank, and counts as not set",
                "environment: KICK_CLIENT_ID: does nothing without KICK_CLIENT_SECRET",
            ]
        );
    }

    #[test]
    fn the_committed_example_names_every_secret() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".env.example");
        let found = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
        assert_eq!(found, env_example(), ".env.example is stale; this is what it should be");
    }
}
