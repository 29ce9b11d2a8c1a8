//! Whether a source is alive: an open connection says little.

use std::time::Duration;

use tokio::time::Instant;

use super::Ingest;

/// Delay of the platform from which it is worth saying (s).
const LAG_SECONDS: i64 = 10;

/// When a source was last heard, and what is to be said of that.
#[derive(Debug, Clone, Copy)]
pub struct Liveness {
    heard: Instant,
    quiet_after: Duration,
}

impl Liveness {
    /// Heard now; `quiet_seconds` of silence are worth saying.
    #[must_use]
    pub fn new(quiet_seconds: u32) -> Self {
        let quiet_after = Duration::from_secs(u64::from(quiet_seconds));
        Self { heard: Instant::now(), quiet_after }
    }

    /// Something was said.
    pub fn hear(&mut self) {
        self.heard = Instant::now();
    }

    /// How long nothing was said.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.heard.elapsed()
    }

    /// The `detail` of a source that is being read: `quiet`, `lagging 42 s`, or nothing.
    #[must_use]
    pub fn detail(&self, ingest: &Ingest) -> String {
        if self.silence() >= self.quiet_after {
            return "quiet".to_owned();
        }
        match ingest.delay_ms().map(|it| it / 1000) {
            Some(lag) if lag >= LAG_SECONDS => format!("lagging {lag} s"),
            _ => String::new(),
        }
    }
}
