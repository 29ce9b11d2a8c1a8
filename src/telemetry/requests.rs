//! How requests were answered lately: by route as the router has it, never by what was asked for in it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::Timestamp;

/// Most routes that are told apart; others are one. There are fewer.
const MOST_ROUTES: usize = 1_024;
/// A short slice, and how many are kept: 15 minutes (s, count).
const SHORT: (i64, usize) = (10, 90);
/// A long slice, and how many are kept: 24 hours (s, count).
const LONG: (i64, usize) = (600, 144);
/// Seconds that the chart keeps: 15 minutes.
const SECONDS: usize = 900;
/// Minutes that the chart keeps: 24 hours.
const MINUTES: usize = 1_440;
/// What took at most so long falls into that part of the histogram (ms); the rest into one more.
const BOUNDS_MS: [u32; 15] =
    [1, 2, 5, 10, 20, 50, 100, 200, 400, 800, 1_200, 2_000, 4_000, 8_000, 16_000];

/// A stretch of time up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// `1m`
    Minute,
    /// `5m`
    FiveMinutes,
    /// `15m`
    QuarterHour,
    /// `1h`
    Hour,
    /// `24h`
    Day,
}

impl Window {
    /// All of them, the shortest first.
    pub const ALL: [Self; 5] =
        [Self::Minute, Self::FiveMinutes, Self::QuarterHour, Self::Hour, Self::Day];

    /// As queries and answers have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::QuarterHour => "15m",
            Self::Hour => "1h",
            Self::Day => "24h",
        }
    }

    /// The window of a word; `None` when there is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// How long it is (s).
    const fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::QuarterHour => 900,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// How long a point of the chart is (s).
    const fn step(self) -> i64 {
        match self {
            Self::Minute | Self::FiveMinutes => 1,
            Self::QuarterHour => 5,
            Self::Hour => 60,
            Self::Day => 600,
        }
    }
}

/// How requests were answered in a window.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Use {
    /// All of them.
    pub live_summary: Summary,
    /// Over time.
    pub chart: Chart,
    /// By route, those with the most hits first.
    pub endpoints: Vec<Endpoint>,
}

/// All requests of a window.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// Requests (count per minute).
    pub rpm: f64,
    /// The part that failed through us (%).
    pub error_rate: f64,
    /// The window.
    pub window_label: String,
    /// The end of the window.
    pub generated_at: Timestamp,
}

/// Requests over time.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Chart {
    /// All.
    pub requests_per_sec: Vec<Point>,
    /// Those that failed through us.
    pub errors_per_sec: Vec<Point>,
}

/// A moment of the chart.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Point {
    /// When it begins.
    pub ts: Timestamp,
    /// How many (count per second).
    pub count: f64,
}

/// A route in a window.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Endpoint {
    /// Method and path, as the router has it.
    pub endpoint: String,
    /// Requests (count).
    pub hits: u64,
    /// Requests (count per minute).
    pub rpm: f64,
    /// Those that failed through us (count).
    pub errors: u64,
    /// The part of them (%).
    pub error_rate: f64,
    /// Time until the answer's head, on average (ms).
    pub avg_latency_ms: f64,
    /// Time that 95 of 100 stayed below (ms), as exact as the histogram.
    pub p95_latency_ms: f64,
}

/// What is counted in a slice of time.
#[derive(Debug, Clone, Copy, Default)]
struct Slice {
    /// Which slice since the epoch.
    at: i64,
    hits: u32,
    errors: u32,
    micros: u64,
    histogram: [u32; BOUNDS_MS.len() + 1],
}

impl Slice {
    fn add(&mut self, failed: bool, took: Duration) {
        self.hits = self.hits.saturating_add(1);
        self.errors = self.errors.saturating_add(u32::from(failed));
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros = self.micros.saturating_add(micros);
        let part = BOUNDS_MS.iter().position(|it| micros <= u64::from(*it) * 1_000);
        let part = &mut self.histogram[part.unwrap_or(BOUNDS_MS.len())];
        *part = part.saturating_add(1);
    }
}

/// Slices of one length, the newest in the place of the oldest.
#[derive(Debug)]
struct Ring {
    seconds: i64,
    most: usize,
    slices: Vec<Slice>,
}

impl Ring {
    const fn new((seconds, most): (i64, usize)) -> Self {
        Self { seconds, most, slices: Vec::new() }
    }

    fn add(&mut self, second: i64, failed: bool, took: Duration) {
        let at = second.div_euclid(self.seconds);
        let index = usize::try_from(at.rem_euclid(self.most as i64)).unwrap_or(0);
        if self.slices.len() <= index {
            // A route that is asked for seldom keeps few.
            self.slices.resize(index + 1, Slice::default());
        }
        let slice = &mut self.slices[index];
        if slice.at != at {
            *slice = Slice { at, ..Slice::default() };
        }
        slice.add(failed, took);
    }

    /// What was counted in the last `seconds`, this slice included.
    fn since(&self, second: i64, seconds: i64) -> impl Iterator<Item = &Slice> {
        let newest = second.div_euclid(self.seconds);
        let oldest = newest - (seconds / self.seconds).max(1) + 1;
        self.slices.iter().filter(move |it| it.hits > 0 && (oldest..=newest).contains(&it.at))
    }
}

#[derive(Debug)]
struct Route {
    short: Ring,
    long: Ring,
}

/// How many there were and failed, in one second or minute.
#[derive(Debug, Clone, Copy, Default)]
struct Tick {
    at: i64,
    hits: u32,
    errors: u32,
}

#[derive(Debug)]
struct Counted {
    routes: BTreeMap<String, Route>,
    seconds: Vec<Tick>,
    minutes: Vec<Tick>,
}

/// How requests were answered lately.
#[derive(Debug)]
pub struct Requests(Mutex<Counted>);

impl Default for Requests {
    fn default() -> Self {
        let (seconds, minutes) = (vec![Tick::default(); SECONDS], vec![Tick::default(); MINUTES]);
        Self(Mutex::new(Counted { routes: BTreeMap::new(), seconds, minutes }))
    }
}

impl Requests {
    /// Counts an answer of a route (`GET /api/rooms/{room}`) that took so long; `failed` when it was our fault.
    pub fn count(&self, route: &str, failed: bool, took: Duration, at: Timestamp) {
        let second = at.unix_ms().div_euclid(1_000);
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tick(&mut counted.seconds, second, failed);
        tick(&mut counted.minutes, second.div_euclid(60), failed);
        let route = match counted.routes.contains_key(route) {
            false if counted.routes.len() >= MOST_ROUTES => "others",
            _ => route,
        };
        let fresh = || Route { short: Ring::new(SHORT), long: Ring::new(LONG) };
        if !counted.routes.contains_key(route) {
            counted.routes.insert(route.to_owned(), fresh());
        }
        if let Some(it) = counted.routes.get_mut(route) {
            it.short.add(second, failed, took);
            it.long.add(second, failed, took);
        }
    }

    /// How requests were answered in the window up to `now`.
    #[must_use]
    pub fn list(&self, window: Window, now: Timestamp) -> Use {
        let second = now.unix_ms().div_euclid(1_000);
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut endpoints: Vec<Endpoint> = counted
            .routes
            .iter()
            .filter_map(|(name, route)| {
                let ring = match window {
                    Window::Hour | Window::Day => &route.long,
                    _ => &route.short,
                };
                endpoint(name, ring.since(second, window.seconds()), window)
            })
            .collect();
        endpoints.sort_by(|a, b| b.hits.cmp(&a.hits).then_with(|| a.endpoint.cmp(&b.endpoint)));
        let points = chart(&counted, window, second);
        drop(counted);
        let hits: u64 = endpoints.iter().map(|it| it.hits).sum();
        let errors: u64 = endpoints.iter().map(|it| it.errors).sum();
        Use {
            live_summary: Summary {
                rpm: per_minute(hits, window),
                error_rate: percent(errors, hits),
                window_label: window.as_str().to_owned(),
                generated_at: now,
            },
            chart: points,
            endpoints,
        }
    }
}

fn tick(ticks: &mut [Tick], at: i64, failed: bool) {
    let index = usize::try_from(at.rem_euclid(ticks.len() as i64)).unwrap_or(0);
    let tick = &mut ticks[index];
    if tick.at != at {
        *tick = Tick { at, ..Tick::default() };
    }
    tick.hits = tick.hits.saturating_add(1);
    tick.errors = tick.errors.saturating_add(u32::from(failed));
}

fn endpoint<'a>(
    name: &str,
    slices: impl Iterator<Item = &'a Slice>,
    window: Window,
) -> Option<Endpoint> {
    let (mut hits, mut errors, mut micros) = (0, 0, 0_u64);
    let mut histogram = [0_u64; BOUNDS_MS.len() + 1];
    for it in slices {
        hits += u64::from(it.hits);
        errors += u64::from(it.errors);
        micros = micros.saturating_add(it.micros);
        for (sum, part) in histogram.iter_mut().zip(it.histogram) {
            *sum += u64::from(part);
        }
    }
    (hits > 0).then(|| Endpoint {
        endpoint: name.to_owned(),
        hits,
        rpm: per_minute(hits, window),
        errors,
        error_rate: percent(errors, hits),
        avg_latency_ms: rounded(micros as f64 / hits as f64 / 1_000.0),
        p95_latency_ms: p95(&histogram, hits),
    })
}

/// The bound that 95 of 100 stayed below.
fn p95(histogram: &[u64; BOUNDS_MS.len() + 1], hits: u64) -> f64 {
    let wanted = (hits * 95).div_ceil(100);
    let mut seen = 0;
    for (bound, part) in BOUNDS_MS.iter().zip(histogram) {
        seen += part;
        if seen >= wanted {
            return f64::from(*bound);
        }
    }
    // No answer but one of those that take as long as they take is slower.
    f64::from(BOUNDS_MS[BOUNDS_MS.len() - 1]) * 2.0
}

fn chart(counted: &Counted, window: Window, second: i64) -> Chart {
    let (ticks, length) = match window {
        Window::Hour | Window::Day => (&counted.minutes, 60),
        _ => (&counted.seconds, 1),
    };
    let (step, points) = (window.step(), window.seconds() / window.step());
    let newest = second.div_euclid(step);
    let mut sums: BTreeMap<i64, (u64, u64)> =
        (newest - points + 1..=newest).map(|it| (it, (0, 0))).collect();
    for it in ticks {
        if let Some(sum) = sums.get_mut(&(it.at * length).div_euclid(step)) {
            sum.0 += u64::from(it.hits);
            sum.1 += u64::from(it.errors);
        }
    }
    let point = |at: i64, count: u64| Point {
        ts: Timestamp::from_unix_ms(at * step * 1_000).unwrap_or_else(Timestamp::now),
        count: rounded(count as f64 / step as f64),
    };
    Chart {
        requests_per_sec: sums.iter().map(|(at, it)| point(*at, it.0)).collect(),
        errors_per_sec: sums.iter().map(|(at, it)| point(*at, it.1)).collect(),
    }
}

fn per_minute(hits: u64, window: Window) -> f64 {
    rounded(hits as f64 * 60.0 / window.seconds() as f64)
}

fn percent(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { rounded(part as f64 * 100.0 / of as f64) }
}

/// To three places behind the point.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_800_000_000_000 + second * 1_000).unwrap()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_route_is_summed_up_with_its_errors_and_its_slow_answers() {
        let requests = Requests::default();
        for _ in 0..90 {
            requests.count("GET /a", false, ms(4), at(0));
        }
        for _ in 0..10 {
            requests.count("GET /a", true, ms(700), at(1));
        }
        requests.count("GET /b", false, ms(1), at(1));
        let told = requests.list(Window::Minute, at(2));
        let a = &told.endpoints[0];
        assert_eq!((a.endpoint.as_str(), a.hits, a.errors), ("GET /a", 100, 10));
        assert_eq!((a.error_rate, a.rpm, a.p95_latency_ms), (10.0, 100.0, 800.0));
        assert_eq!(a.avg_latency_ms, 73.6);
        assert_eq!(told.endpoints[1].p95_latency_ms, 1.0);
        assert_eq!(told.live_summary.rpm, 101.0);
        assert_eq!(told.chart.requests_per_sec.len(), 60);
        let last: Vec<f64> =
            told.chart.requests_per_sec.iter().rev().take(3).map(|it| it.count).collect();
        assert_eq!(last, [0.0, 11.0, 90.0]);
        assert_eq!(told.chart.errors_per_sec[58].count, 10.0);
    }

    #[test]
    fn what_is_older_than_the_window_is_not_in_it() {
        let requests = Requests::default();
        requests.count("GET /a", false, ms(1), at(0));
        for (window, inside, outside) in [
            (Window::Minute, 49, 61),
            (Window::FiveMinutes, 289, 301),
            (Window::QuarterHour, 889, 901),
            (Window::Hour, 2_999, 3_601),
            (Window::Day, 85_799, 86_401),
        ] {
            assert_eq!(requests.list(window, at(inside)).endpoints.len(), 1, "{window:?}");
            assert_eq!(requests.list(window, at(outside)).endpoints.len(), 0, "{window:?}");
        }
        let day = requests.list(Window::Day, at(3_000)).chart.requests_per_sec;
        assert_eq!(day.len(), 144);
        assert!(day.iter().any(|it| it.count > 0.0));
    }

    #[test]
    fn rings_begin_anew_and_routes_are_bounded() {
        let requests = Requests::default();
        for day in 0..3 {
            requests.count("GET /a", false, ms(1), at(day * 86_400));
        }
        assert_eq!(requests.list(Window::Day, at(2 * 86_400)).endpoints[0].hits, 1);
        for it in 0..MOST_ROUTES + 20 {
            requests.count(&format!("GET /{it}"), false, ms(1), at(3 * 86_400));
        }
        let told = requests.list(Window::Minute, at(3 * 86_400));
        assert!(told.endpoints.len() <= MOST_ROUTES + 1);
        assert_eq!(told.endpoints[0].endpoint, "others");
    }
}
