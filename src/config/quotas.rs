//! `config/quotas.json`: what may be spent of the platforms' daily allowances.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::CreatorId;

/// `config/quotas.json`: daily allowances, for everybody and for single creators.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QuotasConfig {
    /// Of every creator that is not named below.
    pub default: PlatformAllowances,
    /// Of single creators, by id, instead.
    pub creators: BTreeMap<CreatorId, PlatformAllowances>,
}

/// A creator's allowances on the platforms that have one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlatformAllowances {
    /// The Data API: the day begins at midnight in California.
    pub youtube: AllowanceConfig,
}

/// An allowance of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AllowanceConfig {
    /// What is never exceeded (units a day).
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub daily_units: u32,
    /// The last part of it, from which on is saved (units).
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub buffer_units: u32,
}

impl Default for AllowanceConfig {
    /// What Google gives every project.
    fn default() -> Self {
        Self { daily_units: 10_000, buffer_units: 2_000 }
    }
}

impl QuotasConfig {
    /// What is wrong between values that are right by themselves: JSON pointer and message.
    pub(super) fn check(&self) -> Vec<(String, String)> {
        let of_creators = self.creators.iter().map(|(id, it)| (format!("/creators/{id}"), it));
        std::iter::once(("/default".to_owned(), &self.default))
            .chain(of_creators)
            .filter(|(_, it)| it.youtube.buffer_units > it.youtube.daily_units)
            .map(|(path, it)| {
                let AllowanceConfig { daily_units, buffer_units } = it.youtube;
                let message = format!("{buffer_units} is more than daily_units ({daily_units})");
                (format!("{path}/youtube/buffer_units"), message)
            })
            .collect()
    }
}
