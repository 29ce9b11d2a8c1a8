//! What may be spent of the platforms' daily allowances: per creator and platform, kept over restarts.
//!
//! The platform's own word counts for more than our sums: others may spend from the same allowance.

mod day;
mod pace;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::quotas::{AllowanceConfig, QuotasConfig},
    model::{CreatorId, Platform, Timestamp},
    storage::{Kind, State},
};

use self::pace::Pace;

pub use day::{day_of, reset_after};

/// How much of an allowance is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Enough.
    Free,
    /// Only its last part, the buffer: to be saved.
    Buffer,
    /// Nothing until the reset.
    Spent,
}

/// There is nothing left to spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the daily quota is spent until {resets_at}")]
pub struct QuotaSpent {
    /// When there is something again.
    pub resets_at: Timestamp,
}

/// An allowance at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Snapshot {
    /// Whose.
    pub creator: CreatorId,
    /// Where.
    pub platform: Platform,
    /// The platform's own day.
    pub day: String,
    /// Spent today (units).
    pub used: u64,
    /// What is never exceeded (units a day).
    pub daily_units: u32,
    /// The part of it that is saved (units).
    pub buffer_units: u32,
    /// How much is left.
    pub standing: Standing,
    /// When the next day begins.
    pub resets_at: Timestamp,
    /// At the pace of the last minutes, when nothing will be left; null when it lasts until the reset.
    pub lasts_until: Option<Timestamp>,
}

/// All allowances of a server. Cheap to clone.
#[derive(Clone)]
pub struct Quotas(Arc<Shared>);

struct Shared {
    state: State,
    held: Mutex<Held>,
}

type Key = (CreatorId, Platform);

#[derive(Default)]
struct Held {
    config: QuotasConfig,
    accounts: BTreeMap<Key, Account>,
    /// Who shares which pool, made when first asked for.
    pools: HashMap<(Platform, u64), Vec<Key>>,
}

/// What one creator spent on one platform.
#[derive(Debug, Default)]
struct Account {
    spent: Spent,
    pace: Pace,
}

/// What is kept over restarts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Spent {
    day: String,
    used: u64,
    /// Those with the same pool spend from one allowance: they share a key.
    #[serde(default)]
    pool: Option<u64>,
    /// The platform itself said that nothing is left.
    #[serde(default)]
    refused: bool,
}

impl Quotas {
    /// Goes on with what `state` holds.
    #[must_use]
    pub fn new(state: State, config: QuotasConfig) -> Self {
        let mut held = Held { config, ..Held::default() };
        for (name, text) in state.list(Kind::Quotas) {
            let Some(key) = key_of(&name) else { continue };
            // A row that cannot be read counts as nothing spent; the platform will say so if it is wrong.
            let Ok(spent) = serde_json::from_str(&text) else { continue };
            held.accounts.insert(key, Account { spent, ..Account::default() });
        }
        Self(Arc::new(Shared { state, held: Mutex::new(held) }))
    }

    /// Puts other allowances in force; what was spent stays spent.
    pub fn set_config(&self, config: QuotasConfig) {
        self.held().config = config;
    }

    /// A creator's allowance on a platform. Those with the same `pool` (a fingerprint of the key they use)
    /// spend from one.
    #[must_use]
    pub fn open(&self, creator: &CreatorId, platform: Platform, pool: Option<u64>) -> Quota {
        let key = (creator.clone(), platform);
        let mut held = self.held();
        let account = held.accounts.entry(key.clone()).or_default();
        if account.spent.pool != pool {
            // Another key has another allowance: what was spent and refused is not its business.
            let known = account.spent.pool.is_some();
            account.spent.pool = pool;
            if known {
                (account.spent.used, account.spent.refused) = (0, false);
            }
            held.pools.clear();
        }
        drop(held);
        Quota { quotas: self.clone(), key }
    }

    /// The same allowance, for another who spends from it: whoever opened it said what it is shared by.
    #[must_use]
    pub fn join(&self, creator: &CreatorId, platform: Platform) -> Quota {
        Quota { quotas: self.clone(), key: (creator.clone(), platform) }
    }

    /// Every allowance that something was spent of today, in the order of creators.
    #[must_use]
    pub fn list(&self, now: Timestamp) -> Vec<Snapshot> {
        let mut held = self.held();
        let keys: Vec<Key> = held.accounts.keys().cloned().collect();
        let snapshots = keys.iter().map(|key| held.snapshot(key, now));
        snapshots.filter(|it| it.used > 0 || it.standing == Standing::Spent).collect()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, key: &Key, spent: &Spent) {
        let text = serde_json::to_string(spent).expect("plain values always serialise");
        self.0.state.set(Kind::Quotas, &name_of(key), Some(text));
    }
}

/// One allowance.
#[derive(Clone)]
pub struct Quota {
    quotas: Quotas,
    key: Key,
}

impl Quota {
    /// Spends `units`, if there are as many.
    ///
    /// # Errors
    /// When there are not: nothing is spent then.
    pub fn spend(&self, units: u32, now: Timestamp) -> Result<Standing, QuotaSpent> {
        let mut held = self.quotas.held();
        held.turn_page(&self.key, now);
        let allowance = held.allowance(&self.key);
        let account = held.account(&self.key);
        let refused = account.spent.refused;
        let used = held.used_of_pool(&self.key, now);
        if refused || used + u64::from(units) > u64::from(allowance.daily_units) {
            return Err(QuotaSpent { resets_at: reset_after(self.key.1, now) });
        }
        let account = held.account(&self.key);
        account.spent.used += u64::from(units);
        account.pace.note(units, now);
        let spent = account.spent.clone();
        let standing = standing(used + u64::from(units), allowance, false);
        drop(held);
        self.quotas.keep(&self.key, &spent);
        Ok(standing)
    }

    /// The platform said that nothing is left today: believed until the reset, by all who share it.
    pub fn note_refusal(&self, now: Timestamp) {
        let mut held = self.quotas.held();
        held.turn_page(&self.key, now);
        let keys = held.same_pool(&self.key);
        let mut changed = Vec::new();
        for key in keys {
            held.turn_page(&key, now);
            let account = held.account(&key);
            account.spent.refused = true;
            changed.push((key, account.spent.clone()));
        }
        drop(held);
        for (key, spent) in changed {
            self.quotas.keep(&key, &spent);
        }
    }

    /// How it stands.
    #[must_use]
    pub fn snapshot(&self, now: Timestamp) -> Snapshot {
        self.quotas.held().snapshot(&self.key, now)
    }
}

impl Held {
    fn account(&mut self, key: &Key) -> &mut Account {
        self.accounts.entry(key.clone()).or_default()
    }

    fn allowance(&self, (creator, platform): &Key) -> AllowanceConfig {
        let of = self.config.creators.get(creator).unwrap_or(&self.config.default);
        match platform {
            Platform::Youtube => of.youtube,
            // Nobody else counts units; a cap that is never reached says so.
            _ => AllowanceConfig { daily_units: u32::MAX, buffer_units: 0 },
        }
    }

    /// Begins another day, if it is one.
    fn turn_page(&mut self, key: &Key, now: Timestamp) {
        let day = day_of(key.1, now);
        let account = self.account(key);
        if account.spent.day != day {
            account.spent = Spent { day, pool: account.spent.pool, ..Spent::default() };
        }
    }

    /// Those who spend from the allowance of `key`, itself included.
    fn same_pool(&mut self, key: &Key) -> Vec<Key> {
        let Some(pool) = self.account(key).spent.pool else { return vec![key.clone()] };
        let accounts = &self.accounts;
        let members = self.pools.entry((key.1, pool)).or_insert_with(|| {
            let same = |it: &(&Key, &Account)| it.1.spent.pool == Some(pool) && it.0.1 == key.1;
            accounts.iter().filter(same).map(|it| it.0.clone()).collect()
        });
        members.clone()
    }

    /// What everybody spent today from the allowance of `key`.
    fn used_of_pool(&mut self, key: &Key, now: Timestamp) -> u64 {
        let day = day_of(key.1, now);
        let keys = self.same_pool(key);
        let of_today = keys.iter().map(|it| &self.accounts[it].spent).filter(|it| it.day == day);
        of_today.map(|it| it.used).sum()
    }

    fn snapshot(&mut self, key: &Key, now: Timestamp) -> Snapshot {
        self.turn_page(key, now);
        let allowance = self.allowance(key);
        let used = self.used_of_pool(key, now);
        let per_hour: f64 =
            self.same_pool(key).iter().map(|it| self.accounts[it].pace.per_hour(now)).sum();
        let account = self.account(key);
        let resets_at = reset_after(key.1, now);
        let left = u64::from(allowance.daily_units).saturating_sub(used);
        let lasts_until = (per_hour > 0.0)
            .then(|| now.plus_ms((left as f64 / per_hour * 3_600_000.0) as i64))
            .filter(|it| *it < resets_at);
        Snapshot {
            creator: key.0.clone(),
            platform: key.1,
            day: account.spent.day.clone(),
            used,
            daily_units: allowance.daily_units,
            buffer_units: allowance.buffer_units,
            standing: standing(used, allowance, account.spent.refused),
            resets_at,
            lasts_until,
        }
    }
}

fn standing(used: u64, allowance: AllowanceConfig, refused: bool) -> Standing {
    let AllowanceConfig { daily_units, buffer_units } = allowance;
    if refused || used >= u64::from(daily_units) {
        Standing::Spent
    } else if used >= u64::from(daily_units - buffer_units.min(daily_units)) {
        Standing::Buffer
    } else {
        Standing::Free
    }
}

fn name_of((creator, platform): &Key) -> String {
    format!("{platform} {creator}")
}

fn key_of(name: &str) -> Option<Key> {
    let (platform, creator) = name.split_once(' ')?;
    Some((creator.parse().ok()?, platform.parse().ok()?))
}

#[cfg(test)]
mod tests;
