//! `runtime_snapshot.json`: what runs and how well; the operator console lives on it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    document::{
        Content, Export, Meta, SCHEMA_VERSION, Sources, Visibility, WithMeta, schema_of, to_bytes,
    },
    platforms::{Support, is_switched_on, list_platforms},
    version::PROJECT,
};
use crate::{
    chat::RoomSummary,
    config::{Config, CreatorConfig},
    jobs::JobKind,
    model::{CreatorId, Platform, PlatformState, PlatformStatus, Timestamp},
    telemetry::{Rate, Rates},
};

/// The file.
pub const EXPORT: Export = Export {
    path: "runtime_snapshot.json",
    visibility: Visibility::Public,
    description: "What the runtime does now: platforms, creators, and its heartbeat.",
    json_schema: schema_of::<WithMeta<RuntimeSnapshot>>,
    content: Content::Live(render),
};

/// What the runtime does now. Null is unknown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RuntimeSnapshot {
    /// Of this shape.
    #[schemars(extend("const" = "v1"))]
    schema_version: &'static str,
    /// When the file was made.
    generated_at: Timestamp,
    /// The last sign of life of the runtime; null when none ran as the file was made.
    heartbeat: Option<Timestamp>,
    /// Which program it is.
    runtime: Runtime,
    /// What it runs on, and how much.
    system: System,
    /// Each kind of job.
    jobs: Vec<Job>,
    /// In the order lists show them.
    platforms: Vec<PlatformEntry>,
    /// Those configured in their order, then other rooms by name.
    creators: Vec<CreatorEntry>,
    /// Whether anything sets triggers off, by room.
    triggers: BTreeMap<String, bool>,
    /// Rumble's chat, while it is read.
    rumble_chat: Option<RumbleChat>,
    /// What can be played again.
    replay: Replay,
    /// Whether something waits for a restart.
    restart_intent: RestartIntent,
}

/// Which program it is.
#[derive(Debug, Serialize, JsonSchema)]
struct Runtime {
    /// The product.
    project: &'static str,
    /// Semantic version.
    version: &'static str,
    /// `YYYY.MM.DD+NNN`
    build: &'static str,
}

/// What the runtime runs on, and how much.
#[derive(Debug, Serialize, JsonSchema)]
struct System {
    /// Operating system.
    os: &'static str,
    /// Processor.
    arch: &'static str,
    /// When the runtime started.
    started_at: Option<Timestamp>,
    /// Rooms (count).
    rooms: usize,
    /// Sockets and streams that read them (count).
    watchers: usize,
}

/// Work that runs by itself.
#[derive(Debug, Serialize, JsonSchema)]
struct Job {
    /// Its name.
    name: String,
    /// Whether it is wanted.
    enabled: bool,
    /// Whether it runs.
    applied: bool,
    /// Why not.
    reason: Option<String>,
}

/// One platform, over all creators.
#[derive(Debug, Serialize, JsonSchema)]
struct PlatformEntry {
    /// `twitch youtube kick rumble pilled discord x`
    name: Platform,
    /// The same.
    platform: Platform,
    /// Whether it is read when somebody needs it.
    enabled: bool,
    /// Whether every channel is paused.
    paused: bool,
    /// Whether it is counted.
    telemetry_enabled: bool,
    /// What was decided.
    state: State,
    /// What came of it.
    status: Status,
    /// Why it is paused.
    paused_reason: Option<String>,
    /// Last time one of its workers was there.
    last_heartbeat: Option<Timestamp>,
    /// Last time one of its channels was read without trouble, or a message came.
    last_success_ts: Option<Timestamp>,
    /// When the newest message came.
    last_event_ts: Option<Timestamp>,
    /// What is wrong with the first channel that has a problem.
    error: Option<String>,
    /// Since the start.
    counters: Counters,
    /// Whether what was said can be played again.
    replay_supported: bool,
    /// Whether overlays show what is said now.
    overlay_supported: bool,
}

/// What was decided about a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is read when somebody needs it.
    Active,
    /// Not for now.
    Paused,
    /// Not at all.
    Disabled,
}

/// How well a platform is read: the best of its channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// Nobody needs it, or there is no chat now.
    Inactive,
    /// On the way.
    Connecting,
    /// Events arrive.
    Connected,
    /// Something is wrong; `error` says what.
    Failed,
    /// Not for now.
    Paused,
    /// Not at all.
    Disabled,
}

/// How much happened since the start (counts).
#[derive(Debug, Serialize, JsonSchema)]
struct Counters {
    /// Chat messages.
    messages: u64,
    /// Triggers that matched.
    triggers: u64,
    /// Actions carried out.
    actions: u64,
    /// Actions that failed.
    actions_failed: u64,
}

/// One creator.
#[derive(Debug, Serialize, JsonSchema)]
struct CreatorEntry {
    /// The creator's id, and the name of the room.
    creator_id: CreatorId,
    /// The name shown on pages.
    display_name: String,
    /// Whether the room exists.
    enabled: bool,
    /// By platform: those with a channel of this creator.
    platforms: BTreeMap<&'static str, CreatorPlatform>,
    /// Last time the room was there.
    last_heartbeat: Option<Timestamp>,
    /// What is wrong with the first channel that has a problem.
    error: Option<String>,
}

/// A creator's channels on one platform.
#[derive(Debug, Serialize, JsonSchema)]
struct CreatorPlatform {
    /// Whether any of them is read when somebody needs it.
    enabled: bool,
    /// How well.
    status: Status,
}

/// Rumble's chat, while it is read.
#[derive(Debug, Serialize, JsonSchema)]
struct RumbleChat {
    /// The platform's number.
    chat_id: Option<String>,
    /// How well it is read.
    ingest_status: Status,
    /// What is wrong.
    error: Option<String>,
    /// When this last changed.
    updated_at: Timestamp,
}

/// What can be played again.
#[derive(Debug, Serialize, JsonSchema)]
struct Replay {
    /// Whether anything can.
    available: bool,
    /// Of which platforms.
    platforms: Vec<Platform>,
    /// Events (count).
    event_count: u64,
    /// When the newest came.
    last_event_timestamp: Option<Timestamp>,
    /// Whether overlays can show it.
    overlay_safe: bool,
}

/// Whether something waits for a restart.
#[derive(Debug, Serialize, JsonSchema)]
struct RestartIntent {
    /// Whether anything does.
    required: bool,
    /// Keys of `system.json` whose new value is not in force yet.
    pending: BTreeMap<&'static str, bool>,
}

fn render(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let rooms: Vec<_> = sources.hub.iter().flat_map(|it| it.list_rooms()).collect();
    let rooms: Vec<RoomSummary> = rooms.iter().map(|it| it.summary()).collect();
    let config = &sources.config;
    let rates = &sources.telemetry.rates;
    let fields = RuntimeSnapshot {
        schema_version: SCHEMA_VERSION,
        generated_at: now,
        heartbeat: sources.started_at.map(|_| now),
        runtime: Runtime { project: PROJECT, version: crate::VERSION, build: crate::BUILD },
        system: System {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            started_at: sources.started_at,
            rooms: rooms.len(),
            watchers: rooms.iter().map(|it| it.watchers).sum(),
        },
        jobs: list_jobs(sources),
        platforms: list_platforms()
            .map(|it| PlatformEntry::new(it, config, &rooms, rates, now))
            .collect(),
        creators: list_creators(config, &rooms, sources.started_at.map(|_| now)),
        triggers: BTreeMap::new(),
        rumble_chat: find_rumble_chat(&rooms, now),
        replay: Replay::of(sources),
        restart_intent: RestartIntent {
            required: !sources.restart.is_empty(),
            pending: sources.restart.iter().map(|it| (*it, true)).collect(),
        },
    };
    to_bytes(&WithMeta { meta: Meta::new(EXPORT.path, EXPORT.visibility, now), fields })
}

impl PlatformEntry {
    fn new(
        platform: Platform,
        config: &Config,
        rooms: &[RoomSummary],
        rates: &Rates,
        now: Timestamp,
    ) -> Self {
        let channels: Vec<&PlatformStatus> =
            rooms.iter().flat_map(|it| &it.status).filter(|it| it.platform == platform).collect();
        // A recording is read whatever the switches say.
        let enabled = is_switched_on(platform, &config.platforms) || !channels.is_empty();
        let status = Status::of(enabled, &channels);
        let paused = status == Status::Paused;
        let is_read = |it: &&PlatformStatus| {
            matches!(
                it.state,
                PlatformState::Connecting | PlatformState::Live | PlatformState::Degraded
            )
        };
        let last_event_ts = rates.find_last(Rate::Messages, platform);
        let support = Support::of(platform);
        let total = |rate| rates.total(rate, platform);
        Self {
            name: platform,
            platform,
            enabled,
            paused,
            telemetry_enabled: true,
            state: match status {
                Status::Disabled => State::Disabled,
                Status::Paused => State::Paused,
                _ => State::Active,
            },
            status,
            paused_reason: channels
                .first()
                .filter(|it| paused && !it.detail.is_empty())
                .map(|it| it.detail.clone()),
            last_heartbeat: channels.iter().any(is_read).then_some(now),
            last_success_ts: match status {
                Status::Connected => Some(now),
                _ => last_event_ts,
            },
            last_event_ts,
            error: find_error(&channels),
            counters: Counters {
                messages: total(Rate::Messages),
                triggers: total(Rate::Triggers),
                actions: total(Rate::Actions),
                actions_failed: total(Rate::ActionsFailed),
            },
            replay_supported: support.replay,
            overlay_supported: support.overlay,
        }
    }
}

impl Status {
    /// Of a platform with these channels: the best of them.
    fn of(enabled: bool, channels: &[&PlatformStatus]) -> Self {
        if !enabled {
            return Self::Disabled;
        }
        let any = |state| channels.iter().any(|it| it.state == state);
        if any(PlatformState::Live) {
            Self::Connected
        } else if any(PlatformState::Connecting) {
            Self::Connecting
        } else if any(PlatformState::Degraded) || any(PlatformState::Disabled) {
            Self::Failed
        } else if any(PlatformState::Paused) && !any(PlatformState::Offline) {
            Self::Paused
        } else {
            Self::Inactive
        }
    }
}

/// What is wrong with the first channel that has a problem.
fn find_error(channels: &[&PlatformStatus]) -> Option<String> {
    channels
        .iter()
        .find(|it| matches!(it.state, PlatformState::Degraded | PlatformState::Disabled))
        .map(|it| match it.detail.as_str() {
            "" => format!("{}: {}", it.channel, it.state.as_str()),
            detail => format!("{}: {detail}", it.channel),
        })
}

impl Replay {
    /// Of all rooms that are recorded.
    fn of(sources: &Sources) -> Self {
        let rooms: Vec<_> = sources.hub.iter().flat_map(|it| it.list_rooms()).collect();
        let kept: Vec<_> = rooms.iter().filter(|it| it.log().is_kept()).collect();
        let platforms = list_platforms().filter(|it| Support::of(*it).replay);
        Self {
            available: !kept.is_empty(),
            platforms: if kept.is_empty() { Vec::new() } else { platforms.collect() },
            // Numbers of a room have no holes.
            event_count: kept.iter().map(|it| it.head().saturating_sub(it.log().floor())).sum(),
            last_event_timestamp: kept.iter().filter_map(|it| it.log().last_at()).max(),
            overlay_safe: !kept.is_empty(),
        }
    }
}

/// Each kind of work, and whether it is done here.
fn list_jobs(sources: &Sources) -> Vec<Job> {
    let is_done = |kind| sources.jobs.as_ref().is_some_and(|it| it.is_done_here(kind));
    JobKind::ALL
        .into_iter()
        .map(|kind| Job {
            name: kind.to_string(),
            enabled: kind != JobKind::Clip,
            applied: is_done(kind),
            reason: (!is_done(kind)).then(|| kind.without_runner().to_owned()),
        })
        .collect()
}

/// The first of Rumble's chats that is read, or would be.
fn find_rumble_chat(rooms: &[RoomSummary], now: Timestamp) -> Option<RumbleChat> {
    let statuses: Vec<&PlatformStatus> = rooms
        .iter()
        .flat_map(|it| &it.status)
        .filter(|it| it.platform == Platform::Rumble)
        .collect();
    let first = *statuses.first()?;
    Some(RumbleChat {
        chat_id: None,
        ingest_status: Status::of(true, &[first]),
        error: find_error(&[first]),
        updated_at: now,
    })
}

fn list_creators(
    config: &Config,
    rooms: &[RoomSummary],
    alive: Option<Timestamp>,
) -> Vec<CreatorEntry> {
    let creators = &config.creators.creators;
    let by_id: BTreeMap<&CreatorId, &RoomSummary> = rooms.iter().map(|it| (&it.room, it)).collect();
    let mut known: Vec<&CreatorId> = creators.iter().map(|it| &it.id).collect();
    known.sort_unstable();
    let others = rooms.iter().filter(|it| known.binary_search(&&it.room).is_err());

    creators
        .iter()
        .map(|it| creator_entry(&it.id, Some(it), by_id.get(&it.id).copied(), config, alive))
        .chain(others.map(|it| creator_entry(&it.room, None, Some(it), config, alive)))
        .collect()
}

/// One creator: as configured, as a room that exists, or both.
fn creator_entry(
    id: &CreatorId,
    creator: Option<&CreatorConfig>,
    room: Option<&RoomSummary>,
    config: &Config,
    alive: Option<Timestamp>,
) -> CreatorEntry {
    let enabled = creator.is_none_or(|it| it.enabled);
    let channels = creator.map_or(&[][..], |it| &it.channels);
    let statuses: Vec<&PlatformStatus> = room.iter().flat_map(|it| &it.status).collect();
    let of = |platform: Platform| {
        let statuses: Vec<_> =
            statuses.iter().copied().filter(|it| it.platform == platform).collect();
        let mut configured = channels.iter().filter(|it| it.platform == platform).peekable();
        if configured.peek().is_none() && statuses.is_empty() {
            return None;
        }
        let switched_on = enabled
            && is_switched_on(platform, &config.platforms)
            && configured.any(|it| it.enabled);
        let enabled = switched_on || !statuses.is_empty();
        let status = Status::of(enabled, &statuses);
        Some((platform.as_str(), CreatorPlatform { enabled, status }))
    };
    CreatorEntry {
        creator_id: id.clone(),
        display_name: creator.map_or(id.as_str(), CreatorConfig::display_name).to_owned(),
        enabled,
        platforms: Platform::ALL.into_iter().filter_map(of).collect(),
        last_heartbeat: alive.filter(|_| room.is_some()),
        error: find_error(&statuses),
    }
}
