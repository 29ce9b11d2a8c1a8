//! A scoreboard: who has how many points, by period where there are some.

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    BoardError,
    limits::{LABEL_CHARS, MOST_ENTRIES, MOST_PAST_ENTRIES, MOST_SHOWN, bounded},
    period::{Aggregation, Course, NewAggregation, Period, day_of},
    words::{self, clean, folded},
};
use crate::model::{
    CreatorId, QualifiedId, Timestamp,
    snapshot::{ScoreboardEntry, ScoreboardSnapshot},
};

/// A scoreboard to be kept.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScoreboard {
    /// For people.
    #[schemars(length(min = 1, max = 80))]
    pub title: String,
    /// What it is called in addresses and triggers; made up where nobody says.
    #[serde(default)]
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,32}$"))]
    pub scoreboard_id: Option<String>,
    /// Over what time points count.
    #[serde(default)]
    pub aggregation: NewAggregation,
}

/// What is changed of a scoreboard.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScoreboardChange {
    /// As for a new one.
    pub title: Option<String>,
    /// As for a new one.
    pub aggregation: Option<NewAggregation>,
    /// `false` opens a final one again.
    pub finalized: Option<bool>,
}

/// Who scores.
#[derive(Debug, Clone)]
pub struct Contestant {
    /// For people.
    pub label: String,
    /// The account, where it is a viewer: linked accounts have one entry.
    pub user_id: Option<QualifiedId>,
}

/// An entry as it is kept, imported and exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// What counted it, where another program did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module_id: Option<String>,
    /// The viewer's account, `platform:id` where it is one of a platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// For people.
    pub display_name: String,
    /// Points.
    pub score_value: i64,
    /// When it was first there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// When points last came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event_at: Option<Timestamp>,
    /// Of the last days: what each added.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(skip)]
    pub(super) by_day: BTreeMap<i64, i64>,
}

impl Entry {
    /// What tells it from others: the account, or else the words.
    pub(super) fn key(&self) -> String {
        match &self.user_id {
            Some(it) => it.clone(),
            None => format!("={}", folded(&self.display_name)),
        }
    }
}

/// Entries to be taken in; other members are those of an export, and are passed over.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Import {
    /// Each with its points as they are to be.
    pub entries: Vec<Entry>,
    /// Whether entries that are not named go.
    #[serde(default)]
    pub replace: bool,
}

/// A period of a scoreboard that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PastScoreboard {
    /// `2024-08`, `2024-W31`, or as it was called.
    pub period_id: String,
    /// When it began to be counted.
    pub started: Timestamp,
    /// When it ended.
    pub ends: Option<Timestamp>,
    /// Best first; the best 200 are kept.
    pub entries: Vec<Entry>,
}

/// A scoreboard as those see it who run it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScoreboardView {
    /// Unique in the room.
    pub scoreboard_id: String,
    /// Whose scoreboard.
    pub creator: CreatorId,
    /// For people.
    pub title: String,
    /// Over what time points count.
    pub aggregation: Aggregation,
    /// Of `rolling`: how many days.
    pub days: Option<u32>,
    /// The period that is counted.
    pub period: Option<Period>,
    /// How many there are (count).
    pub count: usize,
    /// Best first; in lists the first 50.
    pub entries: Vec<Entry>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub last_updated_at: Timestamp,
    /// When it was closed, if it was.
    pub finalized_at: Option<Timestamp>,
    /// Periods that are over, the newest first; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub periods: Option<Vec<PastScoreboard>>,
}

/// What is kept of a scoreboard. Its entries are kept one by one beside it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Scoreboard {
    pub(super) scoreboard_id: String,
    pub(super) title: String,
    pub(super) course: Course,
    pub(super) created_at: Timestamp,
    pub(super) last_updated_at: Timestamp,
    #[serde(default)]
    pub(super) finalized_at: Option<Timestamp>,
    #[serde(skip)]
    pub(super) entries: HashMap<String, Entry>,
    /// It has to be told.
    #[serde(skip)]
    pub(super) is_news: bool,
}

impl Scoreboard {
    pub(super) fn new(said: &NewScoreboard, now: Timestamp) -> Result<Self, BoardError> {
        let scoreboard_id = match &said.scoreboard_id {
            Some(it) if words::is_id(it) => it.clone(),
            Some(_) => {
                let why = "1 to 32 letters, digits, `-` or `_`";
                return Err(BoardError::invalid("/scoreboard_id", why));
            }
            None => words::new_id(),
        };
        Ok(Self {
            scoreboard_id,
            title: clean(&said.title, LABEL_CHARS, "/title")?,
            course: Course::new(&said.aggregation, now)?,
            created_at: now,
            last_updated_at: now,
            finalized_at: None,
            entries: HashMap::new(),
            is_news: false,
        })
    }

    pub(super) fn change(
        &mut self,
        said: &ScoreboardChange,
        now: Timestamp,
    ) -> Result<(), BoardError> {
        let title = said.title.as_ref().map(|it| clean(it, LABEL_CHARS, "/title")).transpose()?;
        let course = said.aggregation.as_ref().map(|it| Course::new(it, now)).transpose()?;
        if let Some(course) = course {
            let rolls = course.aggregation == Aggregation::Rolling;
            for entry in self.entries.values_mut() {
                match rolls {
                    // What was counted so far is of today, as far as anybody knows.
                    true if entry.by_day.is_empty() => {
                        entry.by_day.insert(day_of(now), entry.score_value);
                    }
                    true => {}
                    false => entry.by_day.clear(),
                }
            }
            self.course = course;
        }
        self.title = title.unwrap_or_else(|| std::mem::take(&mut self.title));
        match said.finalized {
            Some(true) if self.finalized_at.is_none() => self.finalized_at = Some(now),
            Some(false) => self.finalized_at = None,
            _ => {}
        }
        self.last_updated_at = now;
        Ok(())
    }

    fn check_open(&self) -> Result<(), BoardError> {
        if self.finalized_at.is_some() {
            return Err(BoardError::conflict(format!(
                "“{}” is final: open it again to change it (PATCH with `finalized` as false)",
                self.title
            )));
        }
        Ok(())
    }

    /// The entry of a contestant, made where there is none; `person` is whose accounts may have one.
    fn entry(
        &mut self,
        who: &Contestant,
        person: &[QualifiedId],
        now: Timestamp,
    ) -> Result<&mut Entry, BoardError> {
        self.check_open()?;
        let label = clean(&who.label, LABEL_CHARS, "/label")?;
        if let Some(it) = &who.user_id {
            words::check_account(it, "/user_id")?;
        }
        let known = person.iter().find(|it| self.entries.contains_key(it.as_str()));
        let fresh = Entry {
            module_id: None,
            user_id: who.user_id.as_ref().map(|it| it.as_str().to_owned()),
            display_name: label,
            score_value: 0,
            created_at: Some(now),
            updated_at: None,
            last_event_at: None,
            by_day: BTreeMap::new(),
        };
        let key = known.map_or_else(|| fresh.key(), |it| it.as_str().to_owned());
        if !self.entries.contains_key(&key) && self.entries.len() >= MOST_ENTRIES {
            return Err(BoardError::conflict(format!(
                "“{}” has {MOST_ENTRIES} entries already, and takes no further one",
                self.title
            )));
        }
        let entry = self.entries.entry(key).or_insert_with(|| fresh.clone());
        // A viewer's name is as it was last.
        if fresh.user_id.is_some() && fresh.user_id == entry.user_id {
            entry.display_name = fresh.display_name;
        }
        Ok(entry)
    }

    /// Gives points, or takes them; answers the entry as it is now.
    pub(super) fn score(
        &mut self,
        who: &Contestant,
        person: &[QualifiedId],
        by: i64,
        now: Timestamp,
    ) -> Result<Entry, BoardError> {
        let rolls = self.course.aggregation == Aggregation::Rolling;
        let entry = self.entry(who, person, now)?;
        entry.score_value = bounded(entry.score_value.saturating_add(by));
        if rolls {
            let day = entry.by_day.entry(day_of(now)).or_default();
            *day = day.saturating_add(by);
        }
        (entry.updated_at, entry.last_event_at) = (Some(now), Some(now));
        let entry = entry.clone();
        self.last_updated_at = now;
        Ok(entry)
    }

    /// What would have to be given to somebody who is to have so many points.
    pub(super) fn missing(&self, who: &Contestant, person: &[QualifiedId], points: i64) -> i64 {
        let mut keys = person.iter().map(|it| it.as_str().to_owned()).collect::<Vec<_>>();
        if who.user_id.is_none() {
            keys.push(format!("={}", folded(&words::cut(&who.label, LABEL_CHARS))));
        }
        let has = keys.iter().find_map(|it| self.entries.get(it)).map_or(0, |it| it.score_value);
        bounded(points).saturating_sub(has)
    }

    /// Takes entries in; answers what is there now and the keys of what is no longer.
    pub(super) fn import(
        &mut self,
        said: Import,
        now: Timestamp,
    ) -> Result<(Vec<Entry>, Vec<String>), BoardError> {
        self.check_open()?;
        let rolls = self.course.aggregation == Aggregation::Rolling;
        let mut taken: HashMap<String, Entry> = HashMap::with_capacity(said.entries.len());
        for (index, mut entry) in said.entries.into_iter().enumerate() {
            let at = |member: &str| format!("/entries/{index}/{member}");
            entry.display_name = clean(&entry.display_name, LABEL_CHARS, &at("display_name"))?;
            for (member, text) in [("user_id", &entry.user_id), ("module_id", &entry.module_id)] {
                let fits = |it: &String| (1..=words::MOST_ACCOUNT_BYTES).contains(&it.len());
                if text.as_ref().is_some_and(|it| !fits(it)) {
                    let why = format!("1 to {} bytes", words::MOST_ACCOUNT_BYTES);
                    return Err(BoardError::invalid(at(member), why));
                }
            }
            entry.score_value = bounded(entry.score_value);
            entry.created_at.get_or_insert(now);
            entry.updated_at.get_or_insert(now);
            entry.by_day = BTreeMap::new();
            if rolls {
                entry.by_day.insert(day_of(now), entry.score_value);
            }
            if let Some(other) = taken.insert(entry.key(), entry) {
                let why = format!("{} is named twice", other.display_name);
                return Err(BoardError::invalid(at("user_id"), why));
            }
        }
        let mut gone = Vec::new();
        let mut count = taken.len();
        for key in self.entries.keys().filter(|it| !taken.contains_key(*it)) {
            if said.replace {
                gone.push(key.clone());
            } else {
                count += 1;
            }
        }
        if count > MOST_ENTRIES {
            let why = format!("a scoreboard has at most {MOST_ENTRIES} entries");
            return Err(BoardError::invalid("/entries", why));
        }
        gone.iter().for_each(|it| drop(self.entries.remove(it)));
        let entries: Vec<_> = taken.values().cloned().collect();
        self.entries.extend(taken);
        self.last_updated_at = now;
        Ok((entries, gone))
    }

    /// Two accounts are one person now: their points are added up. Answers what is there, and what is no longer.
    pub(super) fn merge(&mut self, person: &[QualifiedId]) -> Option<(Entry, Vec<String>)> {
        if self.finalized_at.is_some() {
            return None;
        }
        let mut found: Vec<_> =
            person.iter().filter_map(|it| self.entries.get(it.as_str())).cloned().collect();
        if found.len() < 2 {
            return None;
        }
        found.sort_by_key(|it| (it.created_at, it.key()));
        let mut merged = found.remove(0);
        let mut gone = Vec::new();
        for other in found {
            merged.score_value = bounded(merged.score_value.saturating_add(other.score_value));
            merged.updated_at = merged.updated_at.max(other.updated_at);
            merged.last_event_at = merged.last_event_at.max(other.last_event_at);
            for (day, by) in &other.by_day {
                let sum = merged.by_day.entry(*day).or_default();
                *sum = sum.saturating_add(*by);
            }
            gone.push(other.key());
        }
        gone.iter().for_each(|it| drop(self.entries.remove(it)));
        self.entries.insert(merged.key(), merged.clone());
        Some((merged, gone))
    }

    /// Closes it.
    pub(super) fn finalize(&mut self, now: Timestamp) -> Result<(), BoardError> {
        self.check_open()?;
        (self.finalized_at, self.last_updated_at) = (Some(now), now);
        Ok(())
    }

    /// Brings it to the time it is: the period that is over, if one is, and whether anything is different. A final one
    /// stays as it is.
    pub(super) fn advance(&mut self, now: Timestamp) -> (Option<PastScoreboard>, bool) {
        if self.finalized_at.is_some() {
            return (None, false);
        }
        if let Some(period) = self.course.end(now) {
            let past = PastScoreboard {
                period_id: period.period_id,
                started: period.started,
                ends: period.ends,
                entries: self.ranking(MOST_PAST_ENTRIES),
            };
            self.entries.clear();
            self.last_updated_at = now;
            return (Some(past), true);
        }
        let Some(first) = self.course.first_day(now) else { return (None, false) };
        let mut changed = false;
        for entry in self.entries.values_mut() {
            let kept = entry.by_day.split_off(&first);
            if !entry.by_day.is_empty() {
                let sum = kept.values().fold(0, |sum: i64, it| sum.saturating_add(*it));
                (entry.score_value, changed) = (bounded(sum), true);
            }
            entry.by_day = kept;
        }
        if changed {
            self.last_updated_at = now;
        }
        (None, changed)
    }

    /// Best first; of equals, who was there earlier.
    pub(super) fn ranking(&self, most: usize) -> Vec<Entry> {
        let mut all: Vec<_> = self.entries.iter().collect();
        let rank = |(key, it): &(&String, &Entry)| {
            (std::cmp::Reverse(it.score_value), it.last_event_at, (*key).clone())
        };
        if all.len() > most {
            all.select_nth_unstable_by_key(most, rank);
            all.truncate(most);
        }
        all.sort_by_cached_key(rank);
        let entries = all.into_iter().map(|(_, it)| it.clone());
        entries.collect()
    }

    /// As viewers see it.
    pub(super) fn snapshot(&self, creator: &CreatorId) -> ScoreboardSnapshot {
        let entries = (1..).zip(self.ranking(MOST_SHOWN));
        ScoreboardSnapshot {
            scoreboard_id: self.scoreboard_id.clone(),
            creator: creator.clone(),
            title: self.title.clone(),
            entries: entries
                .map(|(position, it)| ScoreboardEntry {
                    position,
                    label: it.display_name,
                    score: it.score_value,
                })
                .collect(),
            finalized_at: self.finalized_at,
            period: self.course.period_id(),
            removed: false,
        }
    }

    /// As those see it who run it.
    pub(super) fn view(&self, creator: &CreatorId, most: usize) -> ScoreboardView {
        ScoreboardView {
            scoreboard_id: self.scoreboard_id.clone(),
            creator: creator.clone(),
            title: self.title.clone(),
            aggregation: self.course.aggregation,
            days: self.course.days,
            period: self.course.period.clone(),
            count: self.entries.len(),
            entries: self.ranking(most),
            created_at: self.created_at,
            last_updated_at: self.last_updated_at,
            finalized_at: self.finalized_at,
            periods: None,
        }
    }
}
