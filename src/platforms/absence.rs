//! A channel that its platform says is not there: a site with a bad minute says so too.

use std::time::Duration;

use rand::RngExt;
use tokio::time::Instant;

use super::Ingest;
use crate::{
    model::PlatformState,
    telemetry::{Severity, Telemetry},
};

/// So long all looks must say that there is no such channel before that is believed.
const BELIEVED_AFTER: Duration = Duration::from_secs(180);
/// Pause behind the first look that says so; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(3);
/// Longest pause until it is believed.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Pause between two looks from then on: a name may be given, or given back, later.
const BELIEVED_PAUSE: Duration = Duration::from_secs(3_600);

/// Since when every look says that there is no such channel.
#[derive(Debug, Default)]
pub struct Absence {
    since: Option<Instant>,
    looks: u32,
    told: bool,
}

/// What one more look that says so means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absent {
    /// It is to be believed.
    pub believed: bool,
    /// How long to wait until the next look; to be jittered.
    pub pause: Duration,
}

impl Absence {
    /// One more look says so.
    pub fn note(&mut self, now: Instant) -> Absent {
        let since = *self.since.get_or_insert(now);
        if now.duration_since(since) >= BELIEVED_AFTER {
            return Absent { believed: true, pause: BELIEVED_PAUSE };
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.looks.min(8)).min(LONGEST_PAUSE);
        self.looks += 1;
        Absent { believed: false, pause }
    }

    /// One more look says so, in these words: shows them; answers how long to wait until the next look.
    pub fn tell(&mut self, telemetry: &Telemetry, ingest: &mut Ingest, words: &str) -> Duration {
        let Absent { believed, pause } = self.note(Instant::now());
        let state = if believed { PlatformState::Disabled } else { PlatformState::Degraded };
        ingest.status(state, words);
        if believed && !std::mem::replace(&mut self.told, true) {
            let source = ingest.source();
            let name = format!("{}:{}", source.platform, source.channel);
            telemetry.recent.event(Severity::Error, &name, words);
        }
        pause.mul_f64(rand::rng().random_range(1.0..=1.2))
    }

    /// A look says something else.
    pub fn end(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_of_absence_are_believed_and_seconds_are_not_and_the_looks_go_on() {
        let mut absence = Absence::default();
        let began = Instant::now();
        let mut now = began;
        loop {
            let Absent { believed, pause } = absence.note(now);
            assert_eq!(believed, now - began >= BELIEVED_AFTER, "{:?}", now - began);
            now += pause;
            if believed {
                break;
            }
            assert!(pause <= LONGEST_PAUSE);
        }
        assert_eq!(now - began, Duration::from_secs(3 + 6 + 12 + 24 + 48 + 60 + 60 + 3_600));
        assert!(absence.note(now).believed);
        absence.end();
        assert!(!absence.note(now).believed, "it was there meanwhile");
    }
}
