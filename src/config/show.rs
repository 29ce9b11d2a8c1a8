//! The effective configuration, for people.

use serde_json::{Value, json};

use super::Config;

/// The configuration as indented JSON: every key with its value in force, and for every secret `set` or
/// `not set`.
#[must_use]
pub fn show(config: &Config) -> String {
    let Config {
        system,
        platforms,
        creators,
        quotas,
        tiers,
        triggers,
        ratelimits,
        secrets,
        doubts: _,
    } = config;
    let suffixes: Vec<_> = creators.creators.iter().map(|it| it.env_suffix()).collect();
    let state = |set: bool| if set { "set" } else { "not set" };
    let states = secrets.list_states(&suffixes);
    let states: serde_json::Map<String, Value> =
        states.into_iter().map(|(name, set)| (name, state(set).into())).collect();
    let shown = json!({
        "system": system,
        "platforms": platforms,
        "creators": creators.creators,
        "quotas": quotas,
        "tiers": tiers,
        "triggers": triggers.triggers,
        "ratelimits": ratelimits,
        "secrets": states,
    });
    format!("{shown:#}")
}
