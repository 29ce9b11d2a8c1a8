//! Which log lines are written.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use super::schema::string_with_format;

/// A level (`info`) or directives (`info,streamsuites::chat=debug`), as `tracing` reads them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LogFilter(String);

/// Why a text is not a [`LogFilter`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a level: write off, error, warn, info, debug, trace, or `info,streamsuites=debug`"
)]
pub struct BadLogFilter(String);

impl LogFilter {
    /// The text as `tracing` reads it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LogFilter {
    type Err = BadLogFilter;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let levels = ["off", "error", "warn", "info", "debug", "trace"];
        let level = |it: &str| levels.iter().any(|level| it.eq_ignore_ascii_case(level));
        // A lone word that is no level would name a module and switch everything else off: a typing
        // mistake far more often than a wish.
        let word = |it: &str| it.bytes().all(|it| it.is_ascii_alphanumeric());
        let directives: Vec<_> = text.split(',').map(str::trim).collect();
        let joined = directives.join(","); // `tracing` takes no spaces.
        let good = directives.iter().all(|it| level(it) || !word(it));
        if good && EnvFilter::try_new(&joined).is_ok() {
            Ok(Self(joined))
        } else {
            Err(BadLogFilter(text.to_owned()))
        }
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

string_with_format!(LogFilter, BadLogFilter, "log-filter");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_or_directives_are_a_filter_and_a_misspelt_level_is_not() {
        for good in ["info", "WARN", "info,streamsuites::chat=debug", "off, a=trace"] {
            assert!(good.parse::<LogFilter>().is_ok(), "{good}");
        }
        for bad in ["", "inof", "warning", "info,debgu", "a=loud"] {
            assert!(bad.parse::<LogFilter>().is_err(), "{bad}");
        }
    }
}
