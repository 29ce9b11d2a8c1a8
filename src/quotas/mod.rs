//! What may be spent of the platforms' daily allowances: per creator and platform, kept over restarts.
//!
//! The platform's own word counts for more than our sums: others may spend from the same allowance.

mod day;
mod pace;
mod rate_limits;

use std::{
    collections::BTreeMap,
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
pub use rate_limits::RateLimits;

pub use crate::config::Limited;

/// So long a refusal is believed while far less was spent than there is (ms): then one who shares the allowance asks
/// again.
const DOUBT_MS: i64 = 20 * 60_000;
/// So long the others wait for the answer to that (ms).
const PROBE_MS: i64 = 30_000;

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
#[error("the daily quota is spent until {until}")]
pub struct QuotaSpent {
    /// When there is something again, as far as is known.
    pub until: Timestamp,
}

/// An allowance at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Snapshot {
    /// Whose.
    pub creator: CreatorId,
    /// Where.
    pub platform: Platform,
    /// What it is shared by: those with the same one spend from one allowance. Null where it is shared with nobody.
    pub pool: Option<String>,
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
    /// When something may be spent again: the next day, or earlier where the platform's refusal is doubted. Null while
    /// something is left.
    pub spent_until: Option<Timestamp>,
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

/// Whose, and of which allowance: those with the same platform and pool spend from one, and those without a pool
/// each from their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    creator: CreatorId,
    platform: Platform,
    pool: Option<u64>,
}

#[derive(Default)]
struct Held {
    config: QuotasConfig,
    accounts: BTreeMap<(Platform, Option<u64>), Pool>,
}

/// Those who spend from one allowance.
type Pool = BTreeMap<CreatorId, Account>;

/// What one creator spent of one allowance.
#[derive(Debug, Default)]
struct Account {
    spent: Spent,
    pace: Pace,
    /// Until then this one may ask whether the platform still refuses.
    probes_until: Option<Timestamp>,
}

/// What is kept over restarts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Spent {
    day: String,
    used: u64,
    /// A fingerprint of the key or the application with which it was spent.
    #[serde(default)]
    pool: Option<u64>,
    /// The platform itself said that nothing is left: believed until then.
    #[serde(default)]
    refused_until: Option<Timestamp>,
}

impl Quotas {
    /// Goes on with what `state` holds.
    #[must_use]
    pub fn new(state: State, config: QuotasConfig) -> Self {
        let mut held = Held { config, ..Held::default() };
        for (name, text) in state.list(Kind::Quotas) {
            let Some((platform, creator)) = owner_of(&name) else { continue };
            // A row that cannot be read counts as nothing spent; the platform will say so if it is wrong.
            let Ok(spent) = serde_json::from_str::<Spent>(&text) else { continue };
            let key = Key { creator, platform, pool: spent.pool };
            if name != name_of(&key) {
                // Rows had no pool in their names once.
                state.set(Kind::Quotas, &name, None);
                state.set(Kind::Quotas, &name_of(&key), Some(text));
            }
            held.account(&key).spent = spent;
        }
        Self(Arc::new(Shared { state, held: Mutex::new(held) }))
    }

    /// Puts other allowances in force; what was spent stays spent.
    pub fn set_config(&self, config: QuotasConfig) {
        self.held().config = config;
    }

    /// A creator's allowance on a platform. Those with the same `pool` (a fingerprint of the key or the application
    /// they use) spend from one.
    #[must_use]
    pub fn open(&self, creator: &CreatorId, platform: Platform, pool: Option<u64>) -> Quota {
        let key = Key { creator: creator.clone(), platform, pool };
        self.held().account(&key).spent.pool = pool;
        Quota { quotas: self.clone(), key }
    }

    /// Every allowance that something was spent of today, in the order of creators.
    #[must_use]
    pub fn list(&self, now: Timestamp) -> Vec<Snapshot> {
        let mut held = self.held();
        let of_pool = |(of, pool): (&(Platform, Option<u64>), &Pool)| {
            let (platform, id) = *of;
            let keys = pool.keys().map(|it| Key { creator: it.clone(), platform, pool: id });
            keys.collect::<Vec<_>>()
        };
        let mut keys: Vec<Key> = held.accounts.iter().flat_map(of_pool).collect();
        keys.sort();
        let snapshots = keys.iter().map(|key| held.snapshot(key, now));
        snapshots.filter(|it| it.used > 0 || it.standing == Standing::Spent).collect()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, key: &Key) {
        self.0.state.set(Kind::Quotas, &name_of(key), None);
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
        let over = held.turn_page(&self.key, now);
        let allowance = held.allowance(&self.key);
        let used = held.used_of_pool(&self.key, now);
        if used + u64::from(units) > u64::from(allowance.daily_units) {
            return Err(QuotaSpent { until: reset_after(self.key.platform, now) });
        }
        if let Some(until) = held.refused_until(&self.key, now) {
            let account = held.account(&self.key);
            if !account.is_probing(now) {
                if now < until {
                    return Err(QuotaSpent { until });
                }
                // One asks for all whether it is still so.
                let answered_by = now.plus_ms(PROBE_MS);
                account.probes_until = Some(answered_by);
                account.spent.refused_until = Some(answered_by);
            }
        }
        let account = held.account(&self.key);
        account.spent.used += u64::from(units);
        account.pace.note(units, now);
        let spent = account.spent.clone();
        let standing = standing(used + u64::from(units), allowance);
        drop(held);
        for key in over {
            self.quotas.forget(&key);
        }
        self.quotas.keep(&self.key, &spent);
        Ok(standing)
    }

    /// The platform said that nothing is left today; until when all who share it believe that.
    ///
    /// Until the reset where much was spent. Else somebody else spent it, or the platform's day is not over yet
    /// when ours is: then one of them asks again before long.
    pub fn note_refusal(&self, now: Timestamp) -> Timestamp {
        let mut held = self.quotas.held();
        held.turn_page(&self.key, now);
        let allowance = held.allowance(&self.key);
        let resets_at = reset_after(self.key.platform, now);
        let is_likely = held.used_of_pool(&self.key, now) * 2 >= u64::from(allowance.daily_units);
        let until = if is_likely { resets_at } else { now.plus_ms(DOUBT_MS).min(resets_at) };
        let account = held.account(&self.key);
        account.probes_until = None;
        account.spent.refused_until = Some(until);
        let spent = account.spent.clone();
        drop(held);
        self.quotas.keep(&self.key, &spent);
        until
    }

    /// A call that was paid for never left this machine.
    pub fn give_back(&self, units: u32, now: Timestamp) {
        let mut held = self.quotas.held();
        held.turn_page(&self.key, now);
        let account = held.account(&self.key);
        account.spent.used = account.spent.used.saturating_sub(u64::from(units));
        account.pace.take_back(units);
        let spent = account.spent.clone();
        drop(held);
        self.quotas.keep(&self.key, &spent);
    }

    /// The platform took a call: whatever it refused before, something is left.
    pub fn note_answer(&self, now: Timestamp) {
        let mut held = self.quotas.held();
        if held.refused_until(&self.key, now).is_none() {
            return;
        }
        let mut changed = Vec::new();
        for (creator, account) in held.sharers(&self.key) {
            account.probes_until = None;
            if account.spent.refused_until.take().is_some() {
                let key = Key { creator: creator.clone(), ..self.key.clone() };
                changed.push((key, account.spent.clone()));
            }
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

impl Account {
    fn is_probing(&self, now: Timestamp) -> bool {
        self.probes_until.is_some_and(|it| now < it)
    }
}

impl Held {
    fn account(&mut self, key: &Key) -> &mut Account {
        let pool = self.accounts.entry((key.platform, key.pool)).or_default();
        let account = pool.entry(key.creator.clone()).or_default();
        account.spent.pool = key.pool;
        account
    }

    fn allowance(&self, key: &Key) -> AllowanceConfig {
        let of = self.config.creators.get(&key.creator).unwrap_or(&self.config.default);
        match key.platform {
            Platform::Youtube => of.youtube,
            // Nobody else counts units; a cap that is never reached says so.
            _ => AllowanceConfig { daily_units: u32::MAX, buffer_units: 0 },
        }
    }

    /// Begins another day, if it is one. What the creator spent on days before with keys of before is let go: those
    /// are answered.
    fn turn_page(&mut self, key: &Key, now: Timestamp) -> Vec<Key> {
        let day = day_of(key.platform, now);
        let account = self.account(key);
        if account.spent.day == day {
            return Vec::new();
        }
        account.spent = Spent { day: day.clone(), pool: key.pool, ..Spent::default() };
        account.probes_until = None;
        let mut over = Vec::new();
        for ((platform, id), pool) in &mut self.accounts {
            let ended = |it: &mut Account| it.spent.day != day && !it.spent.day.is_empty();
            if *platform == key.platform && pool.get_mut(&key.creator).is_some_and(ended) {
                pool.remove(&key.creator);
                over.push(Key { pool: *id, ..key.clone() });
            }
        }
        over
    }

    /// Those who spend from the allowance of `key`, itself included.
    fn sharers(&mut self, key: &Key) -> impl Iterator<Item = (&CreatorId, &mut Account)> {
        self.account(key);
        let pool = self.accounts.entry((key.platform, key.pool)).or_default();
        let alone = key.pool.is_none();
        pool.iter_mut().filter(move |it| !alone || *it.0 == key.creator)
    }

    /// What everybody spent today from the allowance of `key`.
    fn used_of_pool(&mut self, key: &Key, now: Timestamp) -> u64 {
        let day = day_of(key.platform, now);
        let of_today = self.sharers(key).filter(|it| it.1.spent.day == day);
        of_today.map(|it| it.1.spent.used).sum()
    }

    /// Until when the platform's refusal is believed, by whomever of them it was heard today. That may be over.
    fn refused_until(&mut self, key: &Key, now: Timestamp) -> Option<Timestamp> {
        let day = day_of(key.platform, now);
        let of_today = self.sharers(key).filter(|it| it.1.spent.day == day);
        of_today.filter_map(|it| it.1.spent.refused_until).max()
    }

    fn snapshot(&mut self, key: &Key, now: Timestamp) -> Snapshot {
        self.turn_page(key, now);
        let allowance = self.allowance(key);
        let used = self.used_of_pool(key, now);
        let per_hour: f64 = self.sharers(key).map(|it| it.1.pace.per_hour(now)).sum();
        let refused_until = self.refused_until(key, now).filter(|it| now < *it);
        let account = self.account(key);
        let refused_until = refused_until.filter(|_| !account.is_probing(now));
        let resets_at = reset_after(key.platform, now);
        let left = u64::from(allowance.daily_units).saturating_sub(used);
        let lasts_until = (per_hour > 0.0)
            .then(|| now.plus_ms((left as f64 / per_hour * 3_600_000.0) as i64))
            .filter(|it| *it < resets_at);
        let spent_until = if left == 0 { Some(resets_at) } else { refused_until };
        Snapshot {
            creator: key.creator.clone(),
            platform: key.platform,
            pool: key.pool.map(|it| format!("{it:016x}")),
            day: account.spent.day.clone(),
            used,
            daily_units: allowance.daily_units,
            buffer_units: allowance.buffer_units,
            standing: match spent_until {
                Some(_) => Standing::Spent,
                None => standing(used, allowance),
            },
            resets_at,
            spent_until,
            lasts_until,
        }
    }
}

fn standing(used: u64, allowance: AllowanceConfig) -> Standing {
    let AllowanceConfig { daily_units, buffer_units } = allowance;
    if used >= u64::from(daily_units) {
        Standing::Spent
    } else if used >= u64::from(daily_units - buffer_units.min(daily_units)) {
        Standing::Buffer
    } else {
        Standing::Free
    }
}

fn name_of(key: &Key) -> String {
    let Key { creator, platform, pool } = key;
    match pool {
        Some(pool) => format!("{platform} {creator} {pool:016x}"),
        None => format!("{platform} {creator}"),
    }
}

fn owner_of(name: &str) -> Option<(Platform, CreatorId)> {
    let mut words = name.split(' ');
    let (platform, creator) = (words.next()?, words.next()?);
    Some((platform.parse().ok()?, creator.parse().ok()?))
}

#[cfg(test)]
mod tests;
