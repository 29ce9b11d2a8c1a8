//! Counters and gauges, as `/metrics` shows them.
//!
//! Handles are made once and held, because looking one up by name costs more than counting.

use std::collections::BTreeMap;

use metrics::{Counter, Gauge, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::model::Platform;

static METADATA: Metadata<'static> = Metadata::new("streamsuites", Level::INFO, None);

/// All counters and gauges of one server.
pub struct Meters {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    /// Lines or items a platform sent, before anything was made of them.
    lines: BTreeMap<Platform, Counter>,
    /// Events that entered a room's feed.
    events: BTreeMap<Platform, Counter>,
    /// Events of no platform.
    room_events: Counter,
    /// Repeats of an event that was already there.
    pub duplicates: Counter,
    /// Lines that could not be read at all.
    pub unreadable: Counter,
    /// Events an observer outside the feed (the log) could not take.
    pub not_recorded: Counter,
    /// Events that the feed log holds durably, since the start.
    pub recorded: Counter,
    /// Groups of events written to the feed log.
    pub log_commits: Counter,
    /// 1 while the feed log cannot be written.
    pub log_trouble: Gauge,
    /// Events that retention let go.
    pub expired: Counter,
    /// Paid messages that found their room's queue full.
    pub paid_not_queued: Counter,
    /// Sockets open now.
    pub sockets: Gauge,
    /// Server-Sent Event streams open now.
    pub sse_streams: Gauge,
    /// Sockets that fell behind what is kept and were closed with 4008.
    pub too_slow: Counter,
    /// Sockets that could not take a frame at once and are catching up, since the start.
    pub lagged: Counter,
    /// Rooms.
    pub rooms: Gauge,
    /// Workers running now.
    pub workers: Gauge,
    /// Attempts by workers that failed.
    pub worker_failures: Counter,
    /// HTTP requests answered.
    pub requests: Counter,
    /// HTTP requests answered with a status of 500 or above.
    pub request_errors: Counter,
    /// Connections refused because an address or the server had too many.
    pub refused_connections: Counter,
    /// Pictures fetched from a platform.
    pub pictures_fetched: Counter,
    /// Configuration changes refused.
    pub config_refused: Counter,
    /// Mails that wait to be sent.
    pub mails_waiting: Gauge,
    /// Mails that were taken, by whoever sends them or by the outbox.
    pub mails_sent: Counter,
    /// Mails that were given up.
    pub mails_failed: Counter,
}

impl Meters {
    /// Everything at zero.
    #[must_use]
    pub fn new() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let counter = |name: &'static str, about: &'static str| {
            recorder.describe_counter(name.into(), None, about.into());
            recorder.register_counter(&Key::from_static_name(name), &METADATA)
        };
        let gauge = |name: &'static str, about: &'static str| {
            recorder.describe_gauge(name.into(), None, about.into());
            recorder.register_gauge(&Key::from_static_name(name), &METADATA)
        };
        let per_platform = |name: &'static str, about: &'static str| {
            recorder.describe_counter(name.into(), None, about.into());
            Platform::ALL
                .into_iter()
                .map(|it| {
                    let label = Label::from_static_parts("platform", it.as_str());
                    (it, recorder.register_counter(&Key::from_parts(name, vec![label]), &METADATA))
                })
                .collect::<BTreeMap<_, _>>()
        };
        let this = Self {
            lines: per_platform(
                "streamsuites_platform_lines_total",
                "Lines or items a platform sent.",
            ),
            events: per_platform(
                "streamsuites_events_total",
                "Events that entered a feed, by platform.",
            ),
            room_events: counter(
                "streamsuites_room_events_total",
                "Events that entered a feed and concern no platform.",
            ),
            duplicates: counter(
                "streamsuites_duplicates_total",
                "Events delivered again by a platform.",
            ),
            unreadable: counter(
                "streamsuites_unreadable_lines_total",
                "Platform lines that could not be read.",
            ),
            not_recorded: counter(
                "streamsuites_events_not_recorded_total",
                "Events the feed log could not take.",
            ),
            recorded: counter(
                "streamsuites_events_recorded_total",
                "Events the feed log holds durably.",
            ),
            log_commits: counter(
                "streamsuites_feed_log_commits_total",
                "Groups of events written to the feed log.",
            ),
            log_trouble: gauge(
                "streamsuites_feed_log_trouble",
                "1 while the feed log cannot be written.",
            ),
            expired: counter(
                "streamsuites_events_expired_total",
                "Recorded events that retention let go.",
            ),
            paid_not_queued: counter(
                "streamsuites_paid_not_queued_total",
                "Paid messages that found the queue full.",
            ),
            sockets: gauge("streamsuites_sockets", "WebSockets open."),
            sse_streams: gauge("streamsuites_sse_streams", "Server-Sent Event streams open."),
            too_slow: counter(
                "streamsuites_sockets_too_slow_total",
                "Sockets closed because they fell behind what is kept.",
            ),
            lagged: counter(
                "streamsuites_sockets_lagged_total",
                "Times a socket could not take a frame at once.",
            ),
            rooms: gauge("streamsuites_rooms", "Rooms."),
            workers: gauge("streamsuites_workers", "Platform workers running."),
            worker_failures: counter(
                "streamsuites_worker_failures_total",
                "Attempts by platform workers that failed.",
            ),
            requests: counter("streamsuites_http_requests_total", "HTTP requests answered."),
            request_errors: counter(
                "streamsuites_http_errors_total",
                "HTTP requests answered with 500 or above.",
            ),
            refused_connections: counter(
                "streamsuites_refused_connections_total",
                "Connections refused by a limit.",
            ),
            pictures_fetched: counter(
                "streamsuites_pictures_fetched_total",
                "Pictures fetched from a platform.",
            ),
            config_refused: counter(
                "streamsuites_config_refused_total",
                "Configuration changes refused.",
            ),
            mails_waiting: gauge("streamsuites_mails_waiting", "Mails that wait to be sent."),
            mails_sent: counter("streamsuites_mails_sent_total", "Mails that were delivered."),
            mails_failed: counter("streamsuites_mails_failed_total", "Mails that were given up."),
            handle,
            recorder,
        };
        let build = Label::new("version", env!("CARGO_PKG_VERSION"));
        this.recorder
            .register_gauge(&Key::from_parts("streamsuites_info", vec![build]), &METADATA)
            .set(1.0);
        this
    }

    /// Counts one line or item that `platform` sent.
    pub fn count_line(&self, platform: Platform) {
        if let Some(counter) = self.lines.get(&platform) {
            counter.increment(1);
        }
    }

    /// Counts one event that entered a feed.
    pub fn count_event(&self, platform: Option<Platform>) {
        match platform.and_then(|it| self.events.get(&it)) {
            Some(counter) => counter.increment(1),
            None => self.room_events.increment(1),
        }
    }

    /// The text of `/metrics`.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}

impl Default for Meters {
    fn default() -> Self {
        Self::new()
    }
}
