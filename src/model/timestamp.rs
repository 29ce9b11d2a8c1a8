//! Points in time as the feed writes them: UTC, milliseconds.

use std::fmt;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in UTC with millisecond precision, written as RFC 3339: `2026-11-20T18:03:11.412Z`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// The first moment of 1970.
    pub const EPOCH: Self = Self(DateTime::UNIX_EPOCH);

    /// Reads the system's clock.
    #[must_use]
    pub fn now() -> Self {
        // Truncated here, so that a value equals itself after a round trip through JSON.
        Self::from_unix_ms(Utc::now().timestamp_millis()).unwrap_or(Self::EPOCH)
    }

    /// From milliseconds since 1970-01-01T00:00:00Z; `None` beyond the calendar's range.
    #[must_use]
    pub fn from_unix_ms(ms: i64) -> Option<Self> {
        DateTime::from_timestamp_millis(ms).map(Self)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix_ms(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// Milliseconds from `earlier` to this; negative when this is the earlier one.
    #[must_use]
    pub fn ms_since(self, earlier: Self) -> i64 {
        self.unix_ms() - earlier.unix_ms()
    }

    /// This moment moved by `ms` milliseconds, held within the calendar's range.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        TimeDelta::try_milliseconds(ms)
            .and_then(|delta| self.0.checked_add_signed(delta))
            .map_or(self, Self)
    }

    /// For names of files and sessions: `20261120T180311Z`.
    #[must_use]
    pub fn compact(self) -> String {
        self.0.format("%Y%m%dT%H%M%SZ").to_string()
    }

    /// Reads RFC 3339 with any offset; anything finer than a millisecond is cut off.
    ///
    /// # Errors
    /// The calendar's own description of what is wrong with `text`.
    pub fn parse(text: &str) -> Result<Self, chrono::ParseError> {
        let ms = DateTime::parse_from_rfc3339(text)?.timestamp_millis();
        Ok(Self::from_unix_ms(ms).unwrap_or(Self::EPOCH))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "RFC 3339, UTC, milliseconds.",
            "format": "date-time"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_in_utc_with_milliseconds() {
        let moment = Timestamp::parse("2026-11-20T20:03:11.412999+02:00").unwrap();
        assert_eq!(moment.to_string(), "2026-11-20T18:03:11.412Z");
        assert_eq!(serde_json::to_string(&moment).unwrap(), "\"2026-11-20T18:03:11.412Z\"");
    }
}
