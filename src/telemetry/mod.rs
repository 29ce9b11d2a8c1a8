//! What the runtime knows about itself: counters, rates, recent events and recent errors.
//!
//! Every value is either shared by reference or copied out whole; nothing here waits.

pub mod logs;
pub mod meters;
pub mod overlays;
pub mod rates;
pub mod recent;
pub mod requests;

use std::sync::Arc;

pub use meters::Meters;
pub use overlays::Overlays;
pub use rates::{Rate, Rates};
pub use recent::{Recent, RecentError, RecentEvent, Severity};
pub use requests::Requests;

/// The runtime's view of itself. Cheap to clone; one per server.
#[derive(Clone)]
pub struct Telemetry {
    /// Prometheus counters and gauges.
    pub meters: Arc<Meters>,
    /// How overlays keep up, by their own report.
    pub overlays: Arc<Overlays>,
    /// Messages, triggers and actions per platform over the last minutes.
    pub rates: Arc<Rates>,
    /// What happened lately, for `telemetry/events.json` and `telemetry/errors.json`.
    pub recent: Arc<Recent>,
    /// How requests were answered lately, by route.
    pub requests: Arc<Requests>,
}

impl Telemetry {
    /// Starts with everything at zero.
    #[must_use]
    pub fn new() -> Self {
        Self {
            meters: Arc::new(Meters::new()),
            overlays: Arc::new(Overlays::default()),
            rates: Arc::new(Rates::default()),
            recent: Arc::new(Recent::default()),
            requests: Arc::new(Requests::default()),
        }
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self::new()
    }
}
