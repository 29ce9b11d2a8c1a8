//! For operators and their machines: is it alive, is it ready, what does it count.

use std::{collections::BTreeMap, time::Instant};

use axum::{
    Extension, Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    BUILD, VERSION,
    model::Platform,
    web::{ApiError, AppState, accept::Peer, caller::Caller},
};

/// `GET /healthz`: 200 while the process answers.
pub async fn is_alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 200 while requests are welcome.
///
/// # Errors
/// 503 while the server stops.
pub async fn is_ready(State(state): State<AppState>) -> Result<&'static str, ApiError> {
    if state.life.stop.is_cancelled() { Err(ApiError::Draining) } else { Ok("ready\n") }
}

/// `GET /api/health`: `{status, recording, rooms, sessions, connections, version, build, uptime_seconds}`.
///
/// `sessions` is the number of rooms under the name that monitors of old read: to them, a room is a session.
/// `recording` is `on`, `off`, or `failing` while the disk takes nothing; then `status` is `degraded`.
pub async fn show_health(State(state): State<AppState>) -> Response {
    let rooms = state.hub.list_rooms();
    let connections: usize = rooms.iter().map(|it| it.summary().watchers).sum();
    let log = state.hub.log();
    let (status, recording) = match (log.is_kept(), log.trouble()) {
        (_, Some(_)) => ("degraded", "failing"),
        (true, None) => ("healthy", "on"),
        (false, None) => ("healthy", "off"),
    };
    Json(json!({
        "status": status, "recording": recording, "rooms": rooms.len(), "sessions": rooms.len(), "connections": connections,
        "version": VERSION, "build": BUILD, "uptime_seconds": state.started.elapsed().as_secs(),
    }))
    .into_response()
}

/// `GET /metrics`: Prometheus text, for this machine and for the operator.
///
/// # Errors
/// 403 for everybody else.
pub async fn show_metrics(
    State(state): State<AppState>,
    Extension(peer): Extension<Peer>,
    caller: Caller,
) -> Result<Response, ApiError> {
    if !peer.is_local() && !caller.is_operator() {
        return Err(ApiError::Forbidden("metrics are for this machine and for the operator"));
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    let mut text = state.telemetry.meters.render();
    text.push_str(&channels(&state));
    text.push_str(&state.telemetry.overlays.render(Instant::now()));
    Ok((kind, text).into_response())
}

/// How many channels are in which state, by platform: what an alarm is set on.
fn channels(state: &AppState) -> String {
    let mut counts: BTreeMap<(Platform, &'static str), usize> = BTreeMap::new();
    for room in state.hub.list_rooms() {
        for it in room.summary().status {
            *counts.entry((it.platform, it.state.as_str())).or_default() += 1;
        }
    }
    let mut text = String::from(
        "# HELP streamsuites_channels Channels by platform and state.\n\
         # TYPE streamsuites_channels gauge\n",
    );
    for ((platform, state), count) in counts {
        text.push_str(&format!(
            "streamsuites_channels{{platform=\"{platform}\",state=\"{state}\"}} {count}\n"
        ));
    }
    text
}
