//! `state/rate_limits.json`: how much may happen within a minute.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{
    Content, Export, Meta, Sources, Visibility, WithMeta, fingerprint, schema_of, to_bytes,
};
use crate::{
    config::{Limited, ratelimits::MinuteLimits},
    model::{CreatorId, Platform, Timestamp},
};

/// The file.
pub const EXPORT: Export = Export {
    path: "state/rate_limits.json",
    visibility: Visibility::DashboardOnly,
    description: "How much may happen within a minute: for everybody, on platforms, and for single creators.",
    json_schema: schema_of::<WithMeta<RateLimitsState>>,
    content: Content::OnChange { render, revision },
};

/// The limits in force.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RateLimitsState {
    /// Those for everybody, then of platforms, then of creators.
    rate_limits: Vec<Entry>,
}

/// A limit. The most specific one holds.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// Unique: `creators.ana.jobs_per_minute`.
    rate_limit_id: String,
    /// Of whom; null is everybody.
    creator: Option<CreatorId>,
    /// Where; null is everywhere.
    platform: Option<Platform>,
    /// Within which time (s).
    window_seconds: u32,
    /// How many (count).
    max_events: u32,
    /// Unknown: files do not say it.
    updated_at: Option<Timestamp>,
}

fn revision(sources: &Sources) -> u64 {
    fingerprint(&sources.config.ratelimits)
}

fn render(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let config = &sources.config.ratelimits;
    let entry = |place: &str, what: Limited, creator: Option<&CreatorId>, platform, most| Entry {
        rate_limit_id: format!("{place}.{}", what.as_str()),
        creator: creator.cloned(),
        platform,
        window_seconds: 60,
        max_events: most,
        updated_at: None,
    };
    let said = |limits: &MinuteLimits| {
        let found = Limited::ALL.map(|it| limits.find(it).map(|most| (it, most)));
        found.into_iter().flatten().collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    for what in Limited::ALL {
        let most = config.global.find(what).unwrap_or(what.built_in());
        all.push(entry("global", what, None, None, most));
    }
    for (platform, limits) in &config.platforms {
        for (what, most) in said(limits) {
            all.push(entry(&format!("platforms.{platform}"), what, None, Some(*platform), most));
        }
    }
    for (creator, limits) in &config.creators {
        for (what, most) in said(limits) {
            all.push(entry(&format!("creators.{creator}"), what, Some(creator), None, most));
        }
    }
    let meta = Meta::new(EXPORT.path, EXPORT.visibility, now);
    to_bytes(&WithMeta { meta, fields: RateLimitsState { rate_limits: all } })
}
