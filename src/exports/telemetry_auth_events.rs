//! `telemetry/auth_events.json`: who got in lately and who did not, redacted.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    audit::list_latest,
    document::{Content, Export, Meta, SCHEMA_VERSION, Visibility, WithMeta, schema_of, to_bytes},
};
use crate::{
    accounts::{Accounts, AuthEvent},
    model::Timestamp,
};

/// Events in the file, at most.
const MOST_EVENTS: usize = 200;
/// What is audited and says nothing about signing in.
const OTHERS: [&str; 4] = ["export_", "tier_config_", "access_mode_", "rooms_"];

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
    let about_auth =
        latest.iter().filter(|it| !OTHERS.iter().any(|other| it.action.starts_with(other)));
    let mut events: Vec<_> = about_auth.take(MOST_EVENTS).map(AuthEvent::of).collect();
    events.reverse();
    let fields = AuthEvents { schema_version: SCHEMA_VERSION, generated_at: now, events };
    Some(to_bytes(&WithMeta { meta: Meta::new(EXPORT.path, EXPORT.visibility, now), fields }))
}
