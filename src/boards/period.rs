//! Stretches of time that tallies and scoreboards count in: UTC weeks and months, the last days, or one with a set end.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BoardError, words};
use crate::model::Timestamp;

/// A day (ms).
const DAY_MS: i64 = 86_400_000;
/// Longest stretch of the last days (days).
const MOST_DAYS: u32 = 366;

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Aggregation {
    /// Everything, without an end.
    #[default]
    None,
    /// A week from Monday on, UTC: `2024-W31`.
    Weekly,
    /// A calendar month, UTC: `2024-08`.
    Monthly,
    /// The last `days`, today included; days are UTC's.
    Rolling,
    /// Until `ends_at`; after that, everything.
    Custom,
}

/// How a board is to count over time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "an object such as {\"type\": \"weekly\"}")]
pub struct NewAggregation {
    /// What is counted together.
    #[serde(rename = "type")]
    pub kind: Aggregation,
    /// Of `rolling`: how many days, today included.
    #[schemars(range(min = 1, max = 366))]
    pub days: Option<u32>,
    /// Of `custom`: when the period ends.
    pub ends_at: Option<Timestamp>,
    /// Of `custom`: what the period is called.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,32}$"))]
    pub period_id: Option<String>,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Period {
    /// `2024-08`, `2024-W31`, or as it was called.
    pub period_id: String,
    /// When it began to be counted.
    pub started: Timestamp,
    /// When it ends.
    pub ends: Option<Timestamp>,
}

/// How a board counts over time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Course {
    pub(super) aggregation: Aggregation,
    #[serde(default)]
    pub(super) days: Option<u32>,
    #[serde(default)]
    pub(super) period: Option<Period>,
}

impl Course {
    /// Of what was said.
    pub(super) fn new(said: &NewAggregation, now: Timestamp) -> Result<Self, BoardError> {
        let at = |member: &str| format!("/aggregation/{member}");
        // Said for another type, it was meant for that one.
        for (kind, member, is_said) in [
            (Aggregation::Rolling, "days", said.days.is_some()),
            (Aggregation::Custom, "ends_at", said.ends_at.is_some()),
            (Aggregation::Custom, "period_id", said.period_id.is_some()),
        ] {
            if is_said && said.kind != kind {
                let of = if kind == Aggregation::Rolling { "rolling" } else { "custom" };
                return Err(BoardError::invalid(at(member), format!("only of the type `{of}`")));
            }
        }
        let mut course = Self { aggregation: said.kind, days: None, period: None };
        match said.kind {
            Aggregation::None => {}
            Aggregation::Weekly | Aggregation::Monthly => {
                course.period = period_of(said.kind, now);
            }
            Aggregation::Rolling => {
                let days = said.days.filter(|it| (1..=MOST_DAYS).contains(it));
                let why = "how many days, from 1 to 366";
                course.days = Some(days.ok_or_else(|| BoardError::invalid(at("days"), why))?);
            }
            Aggregation::Custom => {
                let ends = said.ends_at.filter(|it| *it > now);
                let ends = ends
                    .ok_or_else(|| BoardError::invalid(at("ends_at"), "a moment in the future"))?;
                let period_id = match &said.period_id {
                    Some(it) if !words::is_id(it) => {
                        let why = "1 to 32 letters, digits, `-` or `_`";
                        return Err(BoardError::invalid(at("period_id"), why));
                    }
                    Some(it) => it.clone(),
                    None => format!("until-{}", &ends.to_string()[..10]),
                };
                course.period = Some(Period { period_id, started: now, ends: Some(ends) });
            }
        }
        Ok(course)
    }

    /// The period that has ended by now, if one has; another is there in its place.
    pub(super) fn end(&mut self, now: Timestamp) -> Option<Period> {
        let is_over = self.period.as_ref()?.ends.is_some_and(|it| it <= now);
        if !is_over {
            return None;
        }
        let next = period_of(self.aggregation, now);
        if self.aggregation == Aggregation::Custom {
            self.aggregation = Aggregation::None;
        }
        std::mem::replace(&mut self.period, next)
    }

    /// When something changes by time alone, after `now`.
    pub(super) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        match self.aggregation {
            Aggregation::Rolling => start_of_day(day_of(now) + 1),
            _ => self.period.as_ref()?.ends,
        }
    }

    /// The first day that still counts, where it is the last days that do.
    pub(super) fn first_day(&self, now: Timestamp) -> Option<i64> {
        let days = self.days.filter(|_| self.aggregation == Aggregation::Rolling)?;
        Some(day_of(now) - i64::from(days) + 1)
    }

    /// The name of the period that is counted.
    pub(super) fn period_id(&self) -> Option<String> {
        self.period.as_ref().map(|it| it.period_id.clone())
    }
}

/// Days since 1970.
pub(super) fn day_of(now: Timestamp) -> i64 {
    now.unix_ms().div_euclid(DAY_MS)
}

fn start_of_day(day: i64) -> Option<Timestamp> {
    Timestamp::from_unix_ms(day.checked_mul(DAY_MS)?)
}

/// The week or month that a moment is in.
fn period_of(aggregation: Aggregation, now: Timestamp) -> Option<Period> {
    let today = DateTime::<Utc>::from_timestamp_millis(now.unix_ms())?.date_naive();
    let (period_id, first, next) = match aggregation {
        Aggregation::Monthly => {
            let first = today.with_day(1)?;
            (first.format("%Y-%m").to_string(), first, first.checked_add_months(Months::new(1))?)
        }
        Aggregation::Weekly => {
            let back = u64::from(today.weekday().num_days_from_monday());
            let first = today.checked_sub_days(Days::new(back))?;
            (first.format("%G-W%V").to_string(), first, first.checked_add_days(Days::new(7))?)
        }
        _ => return None,
    };
    let at = |it: NaiveDate| {
        Timestamp::from_unix_ms(it.and_time(NaiveTime::MIN).and_utc().timestamp_millis())
    };
    Some(Period { period_id, started: at(first)?, ends: at(next) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn weeks_begin_on_mondays_and_months_on_the_first_in_utc() {
        let month = period_of(Aggregation::Monthly, at("2024-08-31T23:59:59.999Z")).unwrap();
        assert_eq!(month.period_id, "2024-08");
        assert_eq!(month.started, at("2024-08-01T00:00:00Z"));
        assert_eq!(month.ends, Some(at("2024-09-01T00:00:00Z")));
        let month = period_of(Aggregation::Monthly, at("2024-12-31T23:00:00-02:00")).unwrap();
        assert_eq!(month.period_id, "2025-01");
        // 2024-12-30 is a Monday of the first week of 2025.
        let week = period_of(Aggregation::Weekly, at("2025-01-01T12:00:00Z")).unwrap();
        assert_eq!(week.period_id, "2025-W01");
        assert_eq!(week.started, at("2024-12-30T00:00:00Z"));
        assert_eq!(week.ends, Some(at("2025-01-06T00:00:00Z")));
    }

    #[test]
    fn what_ends_makes_room_for_the_next_and_a_custom_one_for_none() {
        let now = at("2024-08-10T00:00:00Z");
        let monthly = NewAggregation { kind: Aggregation::Monthly, ..NewAggregation::default() };
        let mut course = Course::new(&monthly, now).unwrap();
        assert_eq!(course.end(at("2024-08-31T23:59:59.999Z")), None);
        assert_eq!(course.end(at("2024-09-01T00:00:00Z")).unwrap().period_id, "2024-08");
        assert_eq!(course.period_id().as_deref(), Some("2024-09"));

        let custom = NewAggregation {
            kind: Aggregation::Custom,
            ends_at: Some(at("2024-08-11T00:00:00Z")),
            period_id: Some("season-1".to_owned()),
            ..NewAggregation::default()
        };
        let mut course = Course::new(&custom, now).unwrap();
        assert_eq!(course.end(at("2024-08-12T00:00:00Z")).unwrap().period_id, "season-1");
        assert_eq!((course.aggregation, course.period), (Aggregation::None, None));
        assert!(Course::new(&custom, at("2024-09-01T00:00:00Z")).is_err());
        assert!(Course::new(&NewAggregation { days: Some(3), ..monthly }, now).is_err());
    }
}
