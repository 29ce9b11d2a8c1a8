//! `state/integrations.json`: which outside services this server works with. Names and states, never a key.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::{jobs::JobKind, model::Timestamp};

/// The file.
pub const EXPORT: Export = Export {
    path: "state/integrations.json",
    visibility: Visibility::InternalOnly,
    description: "Which outside services this server works with.",
    json_schema: schema_of::<WithMeta<Integrations>>,
    content: Content::OfRooms { render, revision },
};

/// Outside services.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Integrations {
    /// By id.
    integrations: Vec<Integration>,
}

/// One of them.
#[derive(Debug, Serialize, JsonSchema)]
struct Integration {
    /// Unique.
    integration_id: &'static str,
    /// What it is for: `mail sign_in discord webhook http`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Whether it is set up.
    status: Status,
    /// When it was last tried, where that is known.
    last_attempt_at: Option<Timestamp>,
    /// Unknown: the environment does not say it.
    created_at: Option<Timestamp>,
    /// When this last changed, where that is known.
    updated_at: Option<Timestamp>,
}

/// Whether a service is set up.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// It is.
    Active,
    /// What it needs is not set.
    NotConfigured,
}

fn revision(sources: &Sources) -> u64 {
    let config = &sources.config;
    let set = list(sources).into_iter().map(|it| matches!(it.status, Status::Active));
    let bits = set.fold(0_u64, |bits, on| bits << 1 | u64::from(on));
    let jobs = sources.jobs.as_ref().map_or(0, crate::jobs::Jobs::revision);
    bits ^ (jobs << 16) ^ ((config.system.automation.allowed_hosts.len() as u64) << 48)
}

fn list(sources: &Sources) -> Vec<Integration> {
    let secrets = &sources.config.secrets;
    let entry = |integration_id, kind, is_set| Integration {
        integration_id,
        kind,
        status: if is_set { Status::Active } else { Status::NotConfigured },
        last_attempt_at: None,
        created_at: None,
        updated_at: None,
    };
    let sign_in =
        |id, provider| entry(id, "sign_in", secrets.sign_in_application(provider).is_some());
    let reaches_out = !sources.config.system.automation.allowed_hosts.is_empty();
    vec![
        entry("discord_bot", "discord", secrets.discord_bot_token().is_some()),
        sign_in("discord_sign_in", "DISCORD"),
        sign_in("github_sign_in", "GITHUB"),
        sign_in("google_sign_in", "GOOGLE"),
        entry("http", "http", reaches_out),
        entry("resend", "mail", secrets.resend_api_key().is_some()),
        sign_in("twitch_sign_in", "TWITCH"),
        entry("webhooks", "webhook", reaches_out),
    ]
}

fn render(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let mut integrations = list(sources);
    let jobs = sources.jobs.as_ref().map(|it| it.list(None)).unwrap_or_default();
    for (id, kind) in
        [("discord_bot", JobKind::Discord), ("http", JobKind::Http), ("webhooks", JobKind::Webhook)]
    {
        let last = jobs.iter().filter(|it| it.kind == kind).filter_map(|it| it.started_at).max();
        for it in integrations.iter_mut().filter(|it| it.integration_id == id) {
            (it.last_attempt_at, it.updated_at) = (last, last);
        }
    }
    let meta = Meta::new(EXPORT.path, EXPORT.visibility, now);
    to_bytes(&WithMeta { meta, fields: Integrations { integrations } })
}
