//! What an admin has switched off for all.

use std::collections::BTreeSet;

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
