//! A tally: a counter, or several under one name; with a target it is a goal.

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    BoardError,
    goal::{self, Feed, Moved},
    limits::{LABEL_CHARS, MOST_COUNT, MOST_ITEMS, UNIT_CHARS, bounded},
    period::{Aggregation, Course, NewAggregation, Period, day_of},
    words::{self, bare, clean, folded},
};
use crate::model::{
    CreatorId, Timestamp,
    snapshot::{TallyItem, TallySnapshot},
};

/// A tally to be kept.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTally {
    /// For people.
    #[schemars(length(min = 1, max = 80))]
    pub label: String,
    /// What it is called in addresses and triggers; made up where nobody says.
    #[serde(default)]
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,32}$"))]
    pub tally_id: Option<String>,
    /// Of what: stands behind the number.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub unit: Option<String>,
    /// What it is to reach: makes it a goal.
    #[serde(default)]
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub target: Option<i64>,
    /// What it counts from the beginning, where that is more than one thing.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub items: Vec<String>,
    /// Whether a viewer counts once a period, with all accounts that are linked.
    #[serde(default)]
    pub once_per_viewer: bool,
    /// Over what time it counts.
    #[serde(default)]
    pub aggregation: NewAggregation,
    /// What moves it by itself.
    #[serde(default)]
    pub feed: Option<Feed>,
    /// Of the feed `donations`: which money.
    #[serde(default)]
    #[schemars(regex(pattern = "^[A-Za-z]{3}$"))]
    pub currency: Option<String>,
}

/// What is changed of a tally; null takes away what may be absent.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TallyChange {
    /// As for a new one.
    pub label: Option<String>,
    /// As for a new one.
    #[serde(deserialize_with = "said")]
    pub unit: Option<Option<String>>,
    /// As for a new one.
    #[serde(deserialize_with = "said")]
    pub target: Option<Option<i64>>,
    /// As for a new one.
    pub once_per_viewer: Option<bool>,
    /// As for a new one; what was counted goes on in another period only where it has the same one.
    pub aggregation: Option<NewAggregation>,
    /// As for a new one.
    #[serde(deserialize_with = "said")]
    pub feed: Option<Option<Feed>>,
    /// As for a new one.
    pub currency: Option<String>,
}

/// Tells null from what was not said.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// A period of a tally that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PastTally {
    /// `2024-08`, `2024-W31`, or as it was called.
    pub period_id: String,
    /// When it began to be counted.
    pub started: Timestamp,
    /// When it ended.
    pub ends: Option<Timestamp>,
    /// The count.
    pub count: i64,
    /// What was counted.
    pub items: Vec<TallyItem>,
}

/// A tally as those see it who run it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TallyView {
    /// Unique in the room.
    pub tally_id: String,
    /// Whose tally.
    pub creator: CreatorId,
    /// For people.
    pub label: String,
    /// Of what.
    pub unit: Option<String>,
    /// What it is to reach.
    pub target: Option<i64>,
    /// The count.
    pub count: i64,
    /// What is counted, where that is more than one thing.
    pub items: Vec<TallyItem>,
    /// Whether a viewer counts once a period.
    pub once_per_viewer: bool,
    /// Over what time it counts.
    pub aggregation: Aggregation,
    /// Of `rolling`: how many days.
    pub days: Option<u32>,
    /// The period that is counted.
    pub period: Option<Period>,
    /// What moves it by itself.
    pub feed: Option<Feed>,
    /// Of the feed `donations`: which money.
    pub currency: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub last_updated_at: Timestamp,
    /// Periods that are over, the newest first; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub periods: Option<Vec<PastTally>>,
}

/// What is kept of a tally.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) tally_id: String,
    pub(super) label: String,
    pub(super) unit: Option<String>,
    pub(super) target: Option<i64>,
    pub(super) count: i64,
    pub(super) items: Vec<TallyItem>,
    pub(super) once_per_viewer: bool,
    pub(super) course: Course,
    pub(super) feed: Option<Feed>,
    pub(super) currency: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) last_updated_at: Timestamp,
    /// What was paid and is not a whole unit yet (minor units).
    #[serde(default)]
    pub(super) change: i64,
    /// Of the last days: what each added, by item; the empty one is none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) by_day: BTreeMap<i64, BTreeMap<String, i64>>,
    /// Changes when everybody may count again.
    #[serde(default)]
    pub(super) round: u64,
    /// Accounts that counted in this round.
    #[serde(skip)]
    pub(super) counted: HashSet<Box<str>>,
    /// It has to be told.
    #[serde(skip)]
    pub(super) is_news: bool,
}

fn unit(said: Option<&str>) -> Result<Option<String>, BoardError> {
    let said = said.filter(|it| !bare(it).is_empty());
    said.map(|it| clean(it, UNIT_CHARS, "/unit")).transpose()
}

fn target(said: Option<i64>) -> Result<Option<i64>, BoardError> {
    match said {
        Some(it) if !(1..=MOST_COUNT).contains(&it) => {
            Err(BoardError::invalid("/target", format!("from 1 to {MOST_COUNT}")))
        }
        it => Ok(it),
    }
}

fn money(feed: Option<Feed>, said: Option<&str>) -> Result<Option<String>, BoardError> {
    match (feed, said) {
        (Some(Feed::Donations), None) => {
            Err(BoardError::invalid("/currency", "say which money the feed `donations` counts"))
        }
        (Some(Feed::Donations), Some(it)) => goal::currency(it).map(Some),
        _ => Ok(None),
    }
}

impl Tally {
    pub(super) fn new(said: &NewTally, now: Timestamp) -> Result<Self, BoardError> {
        let tally_id = match &said.tally_id {
            Some(it) if words::is_id(it) => it.clone(),
            Some(_) => {
                let why = "1 to 32 letters, digits, `-` or `_`";
                return Err(BoardError::invalid("/tally_id", why));
            }
            None => words::new_id(),
        };
        if said.items.len() > MOST_ITEMS {
            return Err(BoardError::invalid("/items", format!("at most {MOST_ITEMS} items")));
        }
        let mut tally = Self {
            tally_id,
            label: clean(&said.label, LABEL_CHARS, "/label")?,
            unit: unit(said.unit.as_deref())?,
            target: target(said.target)?,
            count: 0,
            items: Vec::new(),
            once_per_viewer: said.once_per_viewer,
            course: Course::new(&said.aggregation, now)?,
            feed: said.feed,
            currency: money(said.feed, said.currency.as_deref())?,
            created_at: now,
            last_updated_at: now,
            change: 0,
            by_day: BTreeMap::new(),
            round: 0,
            counted: HashSet::new(),
            is_news: false,
        };
        for (index, label) in said.items.iter().enumerate() {
            let label = clean(label, LABEL_CHARS, &format!("/items/{index}"))?;
            if tally.place_of(&label).is_none() {
                tally.items.push(TallyItem { label, count: 0 });
            }
        }
        Ok(tally)
    }

    /// Changes what is said, or nothing.
    pub(super) fn change(&mut self, said: &TallyChange, now: Timestamp) -> Result<(), BoardError> {
        let counted = std::mem::take(&mut self.counted);
        let changed = self.changed(said, now);
        let result = changed.map(|it| *self = it);
        self.counted = counted;
        result
    }

    fn changed(&self, said: &TallyChange, now: Timestamp) -> Result<Self, BoardError> {
        let mut next = self.clone();
        if let Some(it) = &said.label {
            next.label = clean(it, LABEL_CHARS, "/label")?;
        }
        if let Some(it) = &said.unit {
            next.unit = unit(it.as_deref())?;
        }
        if let Some(it) = said.target {
            next.target = target(it)?;
        }
        if let Some(it) = said.once_per_viewer {
            next.once_per_viewer = it;
        }
        if let Some(it) = said.feed {
            next.feed = it;
        }
        if said.feed.is_some() || said.currency.is_some() {
            let currency = said.currency.as_deref().or(self.currency.as_deref());
            next.currency = money(next.feed, currency)?;
            if next.currency != self.currency {
                next.change = 0;
            }
        }
        if let Some(it) = &said.aggregation {
            next.course = Course::new(it, now)?;
            if next.course.aggregation == Aggregation::Rolling && next.by_day.is_empty() {
                // What was counted so far is of today, as far as anybody knows.
                next.note_day(day_of(now), None, self.count - self.of_items());
                for item in &self.items {
                    next.note_day(day_of(now), Some(&item.label), item.count);
                }
            } else if next.course.aggregation != Aggregation::Rolling {
                next.by_day.clear();
            }
        }
        next.last_updated_at = now;
        Ok(next)
    }

    fn of_items(&self) -> i64 {
        self.items.iter().fold(0, |sum: i64, it| sum.saturating_add(it.count))
    }

    fn place_of(&self, label: &str) -> Option<usize> {
        let wanted = folded(label);
        self.items.iter().position(|it| folded(&it.label) == wanted)
    }

    fn note_day(&mut self, day: i64, item: Option<&str>, by: i64) {
        if by != 0 {
            let of_day = self.by_day.entry(day).or_default();
            let slot = of_day.entry(item.unwrap_or_default().to_owned()).or_default();
            *slot = slot.saturating_add(by);
        }
    }

    /// Counts; of an item that is new, there is one more.
    pub(super) fn count(
        &mut self,
        item: Option<&str>,
        by: i64,
        now: Timestamp,
    ) -> Result<(), BoardError> {
        let label = item.map(|it| clean(it, LABEL_CHARS, "/item")).transpose()?;
        let place = match &label {
            None => None,
            Some(label) => Some(match self.place_of(label) {
                Some(it) => it,
                None if self.items.len() >= MOST_ITEMS => {
                    return Err(BoardError::conflict(format!(
                        "“{}” counts {MOST_ITEMS} things already, and takes no further one",
                        self.label
                    )));
                }
                None => {
                    self.items.push(TallyItem { label: label.clone(), count: 0 });
                    self.items.len() - 1
                }
            }),
        };
        if let Some(place) = place {
            let item = &mut self.items[place];
            item.count = bounded(item.count.saturating_add(by));
        }
        self.count = bounded(self.count.saturating_add(by));
        if self.course.aggregation == Aggregation::Rolling {
            let label = place.map(|it| self.items[it].label.clone());
            self.note_day(day_of(now), label.as_deref(), by);
        }
        self.last_updated_at = now;
        Ok(())
    }

    /// Sets what it counts, or one item of it.
    pub(super) fn reset(&mut self, now: Timestamp) {
        self.count = 0;
        self.items.iter_mut().for_each(|it| it.count = 0);
        self.by_day.clear();
        self.change = 0;
        self.last_updated_at = now;
    }

    /// How far a feed moves it; whole units of money, the rest is remembered.
    pub(super) fn take(&mut self, moved: Moved) -> i64 {
        match moved {
            Moved::By(it) => it,
            Moved::ByMinor(it) => {
                let units = goal::minor_units(self.currency.as_deref().unwrap_or_default());
                let sum = self.change.saturating_add(it);
                self.change = sum.rem_euclid(units);
                sum.div_euclid(units)
            }
        }
    }

    /// Brings it to the time it is: answers the period that is over, if one is, and whether anything is different.
    pub(super) fn advance(&mut self, now: Timestamp) -> (Option<PastTally>, bool) {
        if let Some(period) = self.course.end(now) {
            let past = PastTally {
                period_id: period.period_id,
                started: period.started,
                ends: period.ends,
                count: self.count,
                items: self.items.clone(),
            };
            self.reset(now);
            return (Some(past), true);
        }
        let Some(first) = self.course.first_day(now) else { return (None, false) };
        let kept = self.by_day.split_off(&first);
        if self.by_day.is_empty() {
            self.by_day = kept;
            return (None, false);
        }
        self.by_day = kept;
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for (label, by) in self.by_day.values().flatten() {
            let sum = sums.entry(label).or_default();
            *sum = sum.saturating_add(*by);
        }
        self.count = bounded(sums.values().fold(0, |sum: i64, it| sum.saturating_add(*it)));
        for item in &mut self.items {
            item.count = bounded(sums.get(item.label.as_str()).copied().unwrap_or_default());
        }
        self.last_updated_at = now;
        (None, true)
    }

    /// As viewers see it.
    pub(super) fn snapshot(&self, creator: &CreatorId) -> TallySnapshot {
        TallySnapshot {
            tally_id: self.tally_id.clone(),
            creator: creator.clone(),
            label: self.label.clone(),
            count: self.count,
            last_updated_at: self.last_updated_at,
            target: self.target,
            unit: self.unit.clone(),
            items: self.items.clone(),
            period: self.course.period_id(),
            removed: false,
        }
    }

    /// As those see it who run it.
    pub(super) fn view(&self, creator: &CreatorId) -> TallyView {
        TallyView {
            tally_id: self.tally_id.clone(),
            creator: creator.clone(),
            label: self.label.clone(),
            unit: self.unit.clone(),
            target: self.target,
            count: self.count,
            items: self.items.clone(),
            once_per_viewer: self.once_per_viewer,
            aggregation: self.course.aggregation,
            days: self.course.days,
            period: self.course.period.clone(),
            feed: self.feed,
            currency: self.currency.clone(),
            created_at: self.created_at,
            last_updated_at: self.last_updated_at,
            periods: None,
        }
    }
}
