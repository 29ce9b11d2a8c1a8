//! How overlays keep up, as those with `?beacon=1` report it: numbers of the last seconds, never added up.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use schemars::JsonSchema;
use serde::Deserialize;

/// How long a report counts: three times as long as an overlay waits between two.
const KEPT: Duration = Duration::from_secs(15);
/// Most reports of one address for one room in that time: ten sources in one OBS.
const MOST_OF_ADDRESS: usize = 30;
/// Most reports for one room in that time.
const MOST_OF_ROOM: usize = 120;
/// Most rooms with reports: this times [`Worst::SERIES`] bounds what `/metrics` grows by.
const MOST_ROOMS: usize = 200;
/// Longest duration that makes sense (ms).
const MOST_MS: f64 = 60_000.0;

/// What an overlay says about its last few seconds.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// From one frame to the next; null while nothing was drawn.
    pub frame_ms: Option<Spread>,
    /// From a line at the socket to the frame that shows it.
    pub paint_ms: Option<Spread>,
    /// From a deletion at the socket to the frame in which its line is gone.
    pub removal_ms: Option<Spread>,
    /// The longest task of over 50 ms; 0 if there was none.
    #[schemars(range(min = 0.0, max = 60_000.0))]
    pub longest_task_ms: f64,
    /// What the overlay does about a flood.
    pub step: Step,
}

/// How durations are spread (ms).
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// The median.
    #[schemars(range(min = 0.0, max = 60_000.0))]
    pub p50: f64,
    /// What 99 of 100 stay within.
    #[schemars(range(min = 0.0, max = 60_000.0))]
    pub p99: f64,
    /// The longest.
    #[schemars(range(min = 0.0, max = 60_000.0))]
    pub longest: f64,
}

/// What an overlay does about a flood, each step more than the one before (`static/js/flood.js`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Nothing.
    #[default]
    Calm,
    /// Lines no longer move in.
    Busy,
    /// Equal lines become one.
    Collapse,
    /// Of the rest, a few a second are shown.
    Sample,
}

impl Report {
    /// Whether every number can be one.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), String> {
        let spreads = [self.frame_ms, self.paint_ms, self.removal_ms].into_iter().flatten();
        let numbers = spreads.flat_map(|it| [it.p50, it.p99, it.longest]);
        if numbers.chain([self.longest_task_ms]).all(|it| (0.0..=MOST_MS).contains(&it)) {
            Ok(())
        } else {
            Err(format!("durations are 0 to {MOST_MS} ms"))
        }
    }
}

/// The reports of the last seconds, by room.
#[derive(Default)]
pub struct Overlays {
    rooms: Mutex<BTreeMap<String, Reports>>,
}

/// When they came, from where, and what they say; the oldest first.
type Reports = VecDeque<(Instant, IpAddr, Report)>;

impl Overlays {
    /// Takes a report; a room that is one too many is not shown.
    ///
    /// # Errors
    /// The time to wait (s, rounded up) where there were too many.
    pub fn take(
        &self,
        room: &str,
        address: IpAddr,
        report: Report,
        now: Instant,
    ) -> Result<(), u64> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        forget(&mut rooms, now);
        if !rooms.contains_key(room) && rooms.len() >= MOST_ROOMS {
            return Ok(());
        }
        let reports = rooms.entry(room.to_owned()).or_default();
        let of_address = reports.iter().filter(|it| it.1 == address);
        let first = if reports.len() >= MOST_OF_ROOM {
            reports.front()
        } else if of_address.clone().count() >= MOST_OF_ADDRESS {
            of_address.clone().next()
        } else {
            None
        };
        if let Some((first, ..)) = first {
            return Err((KEPT - now.duration_since(*first)).as_secs() + 1);
        }
        reports.push_back((now, address, report));
        Ok(())
    }

    /// The worst of every room's last seconds, as lines of `/metrics`.
    #[must_use]
    pub fn render(&self, now: Instant) -> String {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        forget(&mut rooms, now);
        let worst: Vec<(&str, Worst)> =
            rooms.iter().map(|(room, reports)| (room.as_str(), Worst::of(reports))).collect();
        let mut text = String::new();
        for (name, about, read) in Worst::SERIES {
            let _ = writeln!(text, "# HELP {name} {about}\n# TYPE {name} gauge");
            for (room, worst) in &worst {
                for (labels, value) in read(worst) {
                    let _ = writeln!(text, "{name}{{room=\"{room}\"{labels}}} {value}");
                }
            }
        }
        text
    }
}

/// Lets old reports go, and rooms without any.
fn forget(rooms: &mut BTreeMap<String, Reports>, now: Instant) {
    rooms.retain(|_, reports| {
        while reports.front().is_some_and(|it| now.duration_since(it.0) >= KEPT) {
            reports.pop_front();
        }
        !reports.is_empty()
    });
}

/// Of all that was reported for a room, the worst.
#[derive(Default)]
struct Worst(Report);

/// A gauge: its name, what it says, and its labels and values.
type Series = (&'static str, &'static str, fn(&Worst) -> Vec<(&'static str, f64)>);

impl Worst {
    const SERIES: [Series; 5] = [
        (
            "streamsuites_overlay_frame_seconds",
            "Between two frames of an overlay with ?beacon=1, the worst of the last 15 s.",
            |it| quantiles(it.0.frame_ms),
        ),
        (
            "streamsuites_overlay_paint_seconds",
            "From a line at the overlay's socket to the frame that shows it.",
            |it| quantiles(it.0.paint_ms),
        ),
        (
            "streamsuites_overlay_removal_seconds",
            "From a deletion at the overlay's socket to the frame in which its line is gone.",
            |it| quantiles(it.0.removal_ms),
        ),
        (
            "streamsuites_overlay_longest_task_seconds",
            "The overlay's longest task of over 50 ms, or 0.",
            |it| vec![("", it.0.longest_task_ms / 1000.0)],
        ),
        ("streamsuites_overlay_flood_step", "0 calm, 1 busy, 2 collapse, 3 sample.", |it| {
            vec![("", f64::from(it.0.step as u8))]
        }),
    ];

    fn of(reports: &Reports) -> Self {
        let mut worst = Report::default();
        for (.., report) in reports {
            worst.frame_ms = longer(worst.frame_ms, report.frame_ms);
            worst.paint_ms = longer(worst.paint_ms, report.paint_ms);
            worst.removal_ms = longer(worst.removal_ms, report.removal_ms);
            worst.longest_task_ms = worst.longest_task_ms.max(report.longest_task_ms);
            worst.step = worst.step.max(report.step);
        }
        Self(worst)
    }
}

fn longer(one: Option<Spread>, other: Option<Spread>) -> Option<Spread> {
    let (Some(a), Some(b)) = (one, other) else { return one.or(other) };
    Some(Spread { p50: a.p50.max(b.p50), p99: a.p99.max(b.p99), longest: a.longest.max(b.longest) })
}

fn quantiles(spread: Option<Spread>) -> Vec<(&'static str, f64)> {
    let Some(Spread { p50, p99, longest }) = spread else { return Vec::new() };
    vec![
        (",quantile=\"0.5\"", p50 / 1000.0),
        (",quantile=\"0.99\"", p99 / 1000.0),
        (",quantile=\"1\"", longest / 1000.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    fn slow(ms: f64, step: Step) -> Report {
        let spread = Some(Spread { p50: ms / 2.0, p99: ms, longest: ms });
        Report { frame_ms: spread, longest_task_ms: ms, step, ..Report::default() }
    }

    #[test]
    fn the_worst_of_the_last_seconds_is_shown_and_forgotten() {
        let (overlays, start) = (Overlays::default(), Instant::now());
        overlays.take("ana", HERE, slow(60.0, Step::Busy), start).unwrap();
        overlays
            .take("ana", THERE, slow(20.0, Step::Sample), start + Duration::from_secs(9))
            .unwrap();
        let text = overlays.render(start + Duration::from_secs(10));
        for line in [
            "streamsuites_overlay_frame_seconds{room=\"ana\",quantile=\"0.99\"} 0.06",
            "streamsuites_overlay_longest_task_seconds{room=\"ana\"} 0.06",
            "streamsuites_overlay_flood_step{room=\"ana\"} 3",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in {text}");
        }
        assert!(!text.contains("overlay_paint_seconds{"), "nobody reported it");
        let text = overlays.render(start + Duration::from_secs(16));
        assert!(text.contains("overlay_longest_task_seconds{room=\"ana\"} 0.02"), "{text}");
        let text = overlays.render(start + Duration::from_secs(30));
        assert!(!text.contains("ana"), "{text}");
    }

    #[test]
    fn an_address_and_a_room_report_only_so_often_and_only_so_many_rooms_are_shown() {
        let (overlays, start) = (Overlays::default(), Instant::now());
        let take = |room: &str, address, at: u64| {
            overlays.take(room, address, slow(1.0, Step::Calm), start + Duration::from_secs(at))
        };
        for _ in 0..MOST_OF_ADDRESS {
            take("ana", HERE, 0).unwrap();
        }
        assert_eq!(take("ana", HERE, 5), Err(11));
        take("ana", THERE, 5).unwrap();
        take("ben", HERE, 5).unwrap();
        take("ana", HERE, 15).unwrap();

        let address = |it: usize| IpAddr::V4(std::net::Ipv4Addr::from(it as u32));
        for it in 0..MOST_OF_ROOM {
            take("cleo", address(it), 15).unwrap();
        }
        assert_eq!(take("cleo", address(MOST_OF_ROOM), 15), Err(16));

        for it in 0..2 * MOST_ROOMS {
            take(&format!("room{it}"), HERE, 40).unwrap();
        }
        let text = overlays.render(start + Duration::from_secs(40));
        assert_eq!(text.matches("overlay_flood_step{").count(), MOST_ROOMS);
    }
}
