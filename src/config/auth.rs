//! `auth` and `mail` in `config/system.json`: accounts, and how their mails are sent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HttpUrl;

/// `auth` in `config/system.json`: how people sign in, and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// Time after which a sign-in ends, whatever happens (days).
    #[schemars(range(min = 1, max = 90))]
    pub session_days: u32,
    /// Time without a request after which a sign-in ends (hours).
    #[schemars(range(min = 1, max = 2_160))]
    pub session_idle_hours: u32,
    /// Domain of the session cookie, such as `.streamsuites.app`, when the pages lie on several hosts; null is the
    /// host that answers alone.
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = r"^\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")
    )]
    pub cookie_domain: Option<String>,
    /// Time a link in a mail works (min).
    #[schemars(range(min = 1, max = 1_440))]
    pub mail_link_minutes: u32,
    /// Time a sign-in at a provider may take (min).
    #[schemars(range(min = 1, max = 60))]
    pub oauth_state_minutes: u32,
    /// Longest time a provider may take for one answer (s).
    #[schemars(range(min = 1, max = 60))]
    pub provider_timeout_seconds: u32,
    /// Memory that one password takes (Argon2id, KiB). Passwords are hashed anew when their owners sign in.
    #[schemars(range(min = 8_192, max = 1_048_576))]
    pub password_memory_kib: u32,
    /// Rounds over that memory (count).
    #[schemars(range(min = 1, max = 20))]
    pub password_iterations: u32,
    /// Passwords that are hashed at the same time; others wait (count). Needs a restart.
    #[schemars(range(min = 1, max = 64))]
    pub password_parallel: u32,
    /// Attempts to sign in or up from one address (count per minute). Needs a restart.
    #[schemars(range(min = 1, max = 100_000))]
    pub attempts_per_minute: u32,
    /// Mails that one address of a person gets because somebody asked for them (count per hour). Needs a restart.
    #[schemars(range(min = 1, max = 1_000))]
    pub mails_per_hour: u32,
    /// Most accounts; further sign-ups are refused (count).
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_accounts: u32,
    /// Where people are sent back to, by surface.
    pub surfaces: SurfacesConfig,
    /// Who else says who somebody is.
    pub providers: ProvidersConfig,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            session_days: 7,
            session_idle_hours: 72,
            cookie_domain: None,
            mail_link_minutes: 15,
            oauth_state_minutes: 10,
            provider_timeout_seconds: 10,
            password_memory_kib: 19_456,
            password_iterations: 2,
            password_parallel: 2,
            attempts_per_minute: 30,
            mails_per_hour: 5,
            max_accounts: 100_000,
            surfaces: SurfacesConfig::default(),
            providers: ProvidersConfig::default(),
        }
    }
}

/// `auth.surfaces`: where people are sent back to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SurfacesConfig {
    /// The public site.
    pub public: SurfaceConfig,
    /// The creators' site.
    pub creator: SurfaceConfig,
    /// The admins' site.
    pub admin: SurfaceConfig,
}

/// One surface. Whatever is null is the page of this server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SurfaceConfig {
    /// The page that people sign in on; `?reason=` and `?verified=1` are added.
    pub login_url: Option<HttpUrl>,
    /// The page that follows a sign-in. Pages of its origin may be asked for with `return_to`.
    pub success_url: Option<HttpUrl>,
}

/// `auth.providers`: who else says who somebody is. Each needs its application's id and secret.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProvidersConfig {
    /// Google.
    pub google: ProviderConfig,
    /// GitHub.
    pub github: ProviderConfig,
    /// Discord.
    pub discord: ProviderConfig,
    /// Twitch.
    pub twitch: ProviderConfig,
}

/// One provider. An address that is null is the provider's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderConfig {
    /// Whether people may sign in there. It also needs the application's id and secret.
    pub enabled: bool,
    /// The page that asks people.
    pub authorize_url: Option<HttpUrl>,
    /// What gives tokens for codes.
    pub token_url: Option<HttpUrl>,
    /// What says who somebody is; `/@me` follows at Discord.
    pub user_url: Option<HttpUrl>,
    /// What says which addresses are verified, where that is asked apart.
    pub emails_url: Option<HttpUrl>,
    /// What takes tokens back; `/CLIENT_ID/token` follows at GitHub.
    pub revoke_url: Option<HttpUrl>,
}

impl Default for ProviderConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            authorize_url: None,
            token_url: None,
            user_url: None,
            emails_url: None,
            revoke_url: None,
        }
    }
}

/// `mail` in `config/system.json`: how mails are sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// Resend's API. Without `RESEND_API_KEY`, mails go to the folder `outbox` in the data folder.
    pub resend_url: HttpUrl,
    /// Most mails sent (count per second).
    #[schemars(range(min = 1, max = 100))]
    pub per_second: u32,
    /// Time one sending may take (ms).
    #[schemars(range(min = 100, max = 120_000))]
    pub timeout_ms: u32,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            resend_url: "https://api.resend.com".parse().expect("a valid address"),
            per_second: 2,
            timeout_ms: 15_000,
        }
    }
}
