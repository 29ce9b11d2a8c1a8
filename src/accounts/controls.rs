//! What an admin has switched off for all.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Switches, all off at first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Controls {
    /// Nobody gets an account who has none.
    pub disable_new_signups: bool,
    /// Nobody signs in with a password.
    pub disable_password_login: bool,
    /// No address is verified: links in mails do nothing.
    pub disable_email_verification: bool,
    /// No verification mail is sent again.
    pub disable_resend_verification: bool,
    /// Admins change tiers beyond the rules of `tiers.json`.
    pub admin_tier_config_bypass: bool,
    /// Providers that nobody signs in with.
    pub disabled_providers: BTreeSet<String>,
}

/// The providers that can be switched off.
const PROVIDERS: [&str; 4] = ["google", "github", "discord", "twitch"];

impl Controls {
    /// By provider: whether people may sign in there, as far as the switches say.
    #[must_use]
    pub fn list_providers(&self) -> BTreeMap<String, bool> {
        let enabled = |it: &&str| ((*it).to_owned(), !self.disabled_providers.contains(*it));
        PROVIDERS.iter().map(enabled).collect()
    }

    /// Lets people sign in with a provider, or not; `false` when there is none of that name.
    pub fn set_provider(&mut self, name: &str, enabled: bool) -> bool {
        if enabled {
            self.disabled_providers.remove(name);
        } else if PROVIDERS.contains(&name) {
            self.disabled_providers.insert(name.to_owned());
        }
        PROVIDERS.contains(&name)
    }
}

/// The switches but those of providers, as answers and files have them.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct ControlFlags {
    /// Nobody gets an account who has none.
    pub disable_new_signups: bool,
    /// Nobody signs in with a password.
    pub disable_password_login: bool,
    /// No address is verified.
    pub disable_email_verification: bool,
    /// No verification mail is sent again.
    pub disable_resend_verification: bool,
    /// Admins change tiers and give rooms beyond their rules.
    pub admin_tier_config_bypass: bool,
}

impl ControlFlags {
    /// Of the switches.
    #[must_use]
    pub const fn of(controls: &Controls) -> Self {
        Self {
            disable_new_signups: controls.disable_new_signups,
            disable_password_login: controls.disable_password_login,
            disable_email_verification: controls.disable_email_verification,
            disable_resend_verification: controls.disable_resend_verification,
            admin_tier_config_bypass: controls.admin_tier_config_bypass,
        }
    }
}
