//! When a platform's day begins.

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::model::{Platform, Timestamp};

fn zone(platform: Platform) -> Tz {
    match platform {
        // Google counts from midnight in California, summer time included.
        Platform::Youtube => Tz::America__Los_Angeles,
        _ => Tz::UTC,
    }
}

fn local(platform: Platform, now: Timestamp) -> DateTime<Tz> {
    let utc = DateTime::<Utc>::from_timestamp_millis(now.unix_ms()).unwrap_or_default();
    utc.with_timezone(&zone(platform))
}

/// The platform's day at `now`: `2026-11-24`.
#[must_use]
pub fn day_of(platform: Platform, now: Timestamp) -> String {
    local(platform, now).format("%Y-%m-%d").to_string()
}

/// When the platform's next day begins.
#[must_use]
pub fn reset_after(platform: Platform, now: Timestamp) -> Timestamp {
    let tomorrow = local(platform, now).date_naive() + TimeDelta::days(1);
    // Where the clocks are put forward at midnight there is none; nowhere near California.
    let midnight = zone(platform)
        .from_local_datetime(&tomorrow.and_time(NaiveTime::MIN))
        .earliest()
        .map(|it| it.timestamp_millis());
    midnight.and_then(Timestamp::from_unix_ms).unwrap_or_else(|| now.plus_ms(86_400_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn youtubes_day_begins_at_midnight_in_california_in_summer_and_winter() {
        let reset = |text| reset_after(Platform::Youtube, at(text)).to_string();
        assert_eq!(reset("2026-07-01T06:59:59Z"), "2026-07-01T07:00:00.000Z");
        assert_eq!(reset("2026-07-01T07:00:00Z"), "2026-07-02T07:00:00.000Z");
        assert_eq!(reset("2026-11-25T02:00:00Z"), "2026-11-25T08:00:00.000Z");
        // The night the clocks are put back is an hour longer.
        assert_eq!(reset("2026-11-01T07:30:00Z"), "2026-11-02T08:00:00.000Z");
        assert_eq!(day_of(Platform::Youtube, at("2026-07-01T06:59:59Z")), "2026-06-30");
        assert_eq!(day_of(Platform::Youtube, at("2026-07-01T07:00:00Z")), "2026-07-01");
    }
}
