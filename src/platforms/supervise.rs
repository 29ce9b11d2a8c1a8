//! Keeps one channel read. The only code that restarts a worker.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{Ingest, PlatformWorker, WorkerError, backoff::Backoff, gate::Gate};
use crate::{
    model::PlatformState,
    telemetry::{Severity, Telemetry},
};

/// Runs one worker after another until `stop`, or until one fails for good. Each passes the gate of its platform,
/// if that has one.
pub async fn supervise<W: PlatformWorker>(
    connect: impl Fn() -> W + Send,
    mut ingest: Ingest,
    mut backoff: Backoff,
    gate: Option<Gate>,
    telemetry: Telemetry,
    stop: CancellationToken,
) {
    let source = ingest.source().clone();
    let span = tracing::info_span!(
        "worker", creator.id = %source.creator, platform = %source.platform, channel = %source.channel
    );
    let name = format!("{}:{}", source.platform, source.channel);
    telemetry.meters.workers.increment(1.0);
    async {
        // The disk may be long in answering: a stop does not wait for that.
        if stop.run_until_cancelled(ingest.prepare()).await.is_none() {
            return;
        }
        let mut failed = false;
        while !stop.is_cancelled() {
            // One that failed stays degraded, with the reason, until it is well: a try is no news.
            if !failed {
                ingest.status(PlatformState::Connecting, "");
            }
            if let Some(gate) = &gate
                && stop.run_until_cancelled(gate.pass()).await.is_none()
            {
                break;
            }
            let started = Instant::now();
            // A panic over one creator's chat must not reach the others: it counts as a failure.
            let attempt = AssertUnwindSafe(connect().run(&mut ingest, &stop)).catch_unwind();
            match attempt.await.unwrap_or(Err(WorkerError::Panicked)) {
                _ if stop.is_cancelled() => break,
                Ok(()) => {
                    failed = false;
                    ingest.status(PlatformState::Offline, "the chat ended");
                }
                Err(error) => {
                    failed = true;
                    telemetry.meters.worker_failures.increment(1);
                    telemetry.recent.error("platforms", error.kind(), &name, error.to_string());
                    if error.is_permanent() {
                        telemetry.recent.event(Severity::Error, &name, error.to_string());
                        ingest.status(PlatformState::Disabled, error.to_string());
                        return;
                    }
                    ingest.status(PlatformState::Degraded, error.to_string());
                }
            }
            let pause = backoff.next_delay(started.elapsed());
            stop.run_until_cancelled(sleep(pause)).await;
        }
    }
    .instrument(span)
    .await;
    telemetry.meters.workers.decrement(1.0);
}
