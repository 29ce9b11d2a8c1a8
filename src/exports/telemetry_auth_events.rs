//! `telemetry/auth_events.json`: who got in lately and who did not, redacted.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    audit::list_latest,
    document::{Content, Export, Meta, SCHEMA_VERSION, Visibility, WithMeta, schema_of, to_bytes},
};
use crate::{
    accounts::{Accounts, AuditEntry, AuthEvent},
    model::Timestamp,
};

/// Events in the file, at most.
const MOST_EVENTS: usize = 200;
/// With what the names of actions begin that are about getting in, and about accounts. What is audited besides is left
/// out until somebody says here that dashboards may know it.
const ABOUT_AUTH: [&str; 15] = [
    "account_",
    "email_",
    "fallback_login",
    "login_",
    "magic_link_",
    "mail_",
    "onboarding_",
    "password_",
    "provider_",
    "role_",
    "session",
    "signup_",
    // What an account has; of what tiers are made up of nothing is told.
    "tier_changed",
    "token_",
    "verification_",
];

/// The file.
pub const EXPORT: Export = Export {
    path: "telemetry/auth_events.json",
    visibility: Visibility::DashboardOnly,
    description: "Sign-ins, sign-ups and their mails lately, without addresses of mail and machines.",
    json_schema: schema_of::<WithMeta<AuthEvents>>,
    content: Content::OfAccounts(render),
};

/// What happened about signing in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuthEvents {
    /// Of the shape.
    schema_version: &'static str,
    /// When the file was made.
    generated_at: Timestamp,
    /// The newest 200, newest last.
    #[schemars(length(max = 200))]
    events: Vec<AuthEvent>,
}

fn render(accounts: &Accounts, now: Timestamp) -> Option<Vec<u8>> {
    let latest = list_latest(accounts)?;
    let is_about_auth = |it: &&AuditEntry| ABOUT_AUTH.iter().any(|of| it.action.starts_with(of));
    let about_auth = latest.iter().filter(is_about_auth);
    let mut events: Vec<_> = about_auth.take(MOST_EVENTS).map(AuthEvent::of).collect();
    events.reverse();
    let fields = AuthEvents { schema_version: SCHEMA_VERSION, generated_at: now, events };
    Some(to_bytes(&WithMeta { meta: Meta::new(EXPORT.path, EXPORT.visibility, now), fields }))
}
