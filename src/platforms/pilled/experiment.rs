//! What came over the experimental socket: counted, the newest kept for whoever debugs, never shown.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use crate::telemetry::{Severity, Telemetry};

/// Most packets that are kept; the oldest are forgotten.
const MOST_KEPT: usize = 64;
/// Longest part of a packet that is kept (characters).
const MOST_TEXT: usize = 1_024;
/// Most kinds that are counted by their names.
const MOST_KINDS: usize = 64;
/// Longest part of a kind's name that is told (characters).
const MOST_NAME: usize = 40;

/// The newest packets, and how many of each kind there were.
#[derive(Debug, Default)]
pub(super) struct Ring {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    newest: VecDeque<String>,
    counts: BTreeMap<String, u64>,
    events: u64,
}

impl Ring {
    /// Keeps a packet that tells of `kind`; answers how many events there were. A kind that is new is told to
    /// telemetry by its name, never with what it holds: that is what people wrote.
    pub(super) fn note(
        &self,
        kind: &str,
        packet: &str,
        channel: &str,
        telemetry: &Telemetry,
    ) -> u64 {
        let kind: String = kind.chars().filter(|it| !it.is_control()).take(MOST_NAME).collect();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.events += 1;
        if held.newest.len() == MOST_KEPT {
            held.newest.pop_front();
        }
        held.newest.push_back(packet.chars().take(MOST_TEXT).collect());
        let is_new = !held.counts.contains_key(&kind) && held.counts.len() < MOST_KINDS;
        if is_new || held.counts.contains_key(&kind) {
            *held.counts.entry(kind.clone()).or_default() += 1;
        }
        let events = held.events;
        drop(held);
        if is_new {
            let words = format!(
                "the experimental socket tells of `{kind}`, which is counted and not shown"
            );
            telemetry.recent.event(Severity::Info, format!("pilled:{channel}"), words);
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_small_whatever_comes() {
        let (ring, telemetry) = (Ring::default(), Telemetry::new());
        for number in 0..1_000 {
            let kind = format!("kind{number}");
            assert_eq!(ring.note(&kind, &"x".repeat(10_000), "ana", &telemetry), number + 1);
        }
        let held = ring.held.lock().unwrap();
        assert_eq!(
            (held.newest.len(), held.counts.len(), held.events),
            (MOST_KEPT, MOST_KINDS, 1_000)
        );
        assert!(held.newest.iter().all(|it| it.len() == MOST_TEXT));
        assert_eq!(telemetry.recent.list_events().len(), MOST_KINDS);
    }
}
