//! The composition root: the one place that builds things and hands them to each other.

mod account_rooms;
mod accounts;
mod applier;
pub mod export;
pub mod belongings;
mod feed_log;
mod ears;
mod folders;
mod playback;
pub mod running;
mod start_error;
mod state;
mod tiers;
mod typed_channels;

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    net::TcpListener,
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};

use applier::{Applier, add_channel, follow_rooms, forget_retired, remove_room};
use ears::Ears;
use folders::usable_folder;
use playback::{start_demo, start_playback};
use running::Running;
use typed_channels::TypedChannels;

use crate::{
    accounts::{
        Accounts, Clock, Parts,
        mail::{Delivery, Postman},
        system_clock,
    },
    boards::Boards,
    chat::{Hub, RoomParts, Rooms},
    config::{Config, OverlayAccess, Reload, Reloader, Sources},
    exports::Exporter,
    feed::Imported,
    http::Clients,
    jobs::{
        self, Jobs,
        runners::{self, WebhookSecrets},
    },
    lifecycle::Lifecycle,
    model::{CreatorId, Timestamp},
    platforms::{
        self, Demand, Emotes, Listeners, Memory, Pronouns, Readers, Voices,
        sending::{Echoes, Outbox},
    },
    quotas::{Quotas, RateLimits},
    storage::State,
    telemetry::{Severity, Telemetry},
    triggers::{self, Dispatcher, Triggers},
    web::{
        accept, assets::Assets, doors, looks::Looks, media::Media, operator, operator::Operator,
        overlay_keys::OverlayKeys, router::router, state::Shared, ws::Heartbeat,
    },
};

/// How long the log is given to write what waits when the server stops.
const LOG_CLOSES: Duration = Duration::from_millis(800);
/// How long accounts are given to write what was audited last when the server stops.
const ACCOUNTS_CLOSE: Duration = Duration::from_millis(500);
/// How long the small state is given to be written when the server stops.
const STATE_CLOSES: Duration = Duration::from_millis(500);
/// How often it is looked whether a stream session has gone silent.
const SESSIONS_EVERY: Duration = Duration::from_secs(15);

pub use feed_log::FILE as FEED_LOG_FILE;
pub use folders::lock_folder;
pub use playback::Playback;
pub use start_error::StartError;

/// What a server is started with.
pub struct Options {
    /// Where the configuration comes from.
    pub sources: Sources,
    /// Play the demo although creators are configured.
    pub demo: bool,
    /// Play a file into a room.
    pub playback: Option<Playback>,
    /// The clock of accounts; tests have one of their own.
    pub clock: Clock,
}

impl Options {
    /// A server of this configuration, and nothing else.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        Self { sources, demo: false, playback: None, clock: system_clock() }
    }
}

/// A server that runs.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The address pages are reached at, without a slash at the end.
    pub base_url: String,
    /// Who owns the tasks; its `stop` stops the server.
    pub life: Lifecycle,
    /// Signs the operator in, once; a path with its query.
    pub sign_in: String,
    /// Whether rooms need keys.
    pub keyed: bool,
    /// All rooms.
    pub hub: Arc<Hub>,
    /// Polls, tallies and scoreboards of all rooms.
    pub boards: Boards,
    /// All accounts.
    pub accounts: Accounts,
    /// What is done about what is said.
    pub triggers: Triggers,
    /// Work that waits.
    pub jobs: Jobs,
    /// What people should know about the recording, in a sentence.
    pub notice: Option<String>,
    data_dir: PathBuf,
    shared: Arc<Shared>,
    state: State,
    grace: Duration,
    _lock: fs::File,
}

impl Server {
    /// Waits for every task, at most the configured grace; answers how many did not end.
    pub async fn shut_down(self) -> usize {
        Running::remove(&self.data_dir);
        let left = self.life.shut_down(self.grace).await;
        // What sockets and requests noted that ended last.
        let noted = timeout(ACCOUNTS_CLOSE, self.accounts.close()).await;
        if !matches!(noted, Ok(Ok(()))) {
            tracing::error!("the disk does not take the last of what was audited");
        }
        // Behind everybody who fills it.
        if timeout(LOG_CLOSES, self.hub.log().close()).await.is_err() {
            tracing::error!("the disk does not take the last events: they are not recorded");
        }
        if timeout(STATE_CLOSES, self.state.close()).await.is_err() {
            tracing::error!("the disk does not take what was learnt of the platforms");
        }
        left
    }

    /// The query that opens a room where keys are needed; empty otherwise.
    #[must_use]
    pub fn key_query(&self, room: &CreatorId) -> String {
        if self.keyed { format!("?key={}", self.shared.keys.key(room)) } else { String::new() }
    }
}

/// Starts a server.
///
/// # Errors
/// Everything that keeps it from starting.
pub async fn start(options: Options) -> Result<Server, StartError> {
    let started = Instant::now();
    let Options { sources, demo, playback, clock } = options;
    let config_folder = sources.folder.clone();
    let config = crate::config::load(&sources).map_err(StartError::Config)?;
    let system = config.system.clone();

    let data_dir = usable_folder("data", &system.data_dir, "--data")?;
    let exports_dir = usable_folder("exports", &system.exports_dir, "--exports")?;
    if let Some(it) = &playback {
        let source = fs::File::open(&it.file).err();
        let source =
            source.or_else(|| it.file.is_dir().then(|| io::Error::other("it is a folder")));
        if let Some(source) = source {
            return Err(StartError::Playback { path: it.file.clone(), source });
        }
    }
    let unusable = |source| StartError::Folder {
        what: "data",
        path: data_dir.clone(),
        source,
        flag: "--data",
    };
    let operator = Operator::open(config.secrets.operator_token(), &data_dir).map_err(unusable)?;
    let secret = match config.secrets.secret_key() {
        Some(it) => it.to_owned(),
        None => operator::stored_secret(&data_dir.join("secret.key")).map_err(unusable)?,
    };
    let lock = lock_folder(&data_dir)?;
    let typed = TypedChannels::open(&data_dir)?;

    let address = system.listen.to_string();
    let listener = TcpListener::bind(&address).await.map_err(|error| StartError::Listen {
        address: address.clone(),
        reason: match error.kind() {
            io::ErrorKind::AddrInUse => "another program uses that port".to_owned(),
            io::ErrorKind::PermissionDenied => "the system does not allow it".to_owned(),
            io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            _ => error.to_string(),
        },
    })?;
    let local = listener
        .local_addr()
        .map_err(|it| StartError::Listen { address, reason: it.to_string() })?;
    let base_url = system.base_url(&local.into());

    let life = Lifecycle::new();
    let telemetry = Telemetry::new();
    let feed_log::Opened { log, notice } = feed_log::open(&config, &data_dir, &life, &telemetry)?;
    let state = state::open(&data_dir, &telemetry)?;
    life.essential("state", {
        let (state, stop) = (state.clone(), life.stop.clone());
        async move { state.run(stop).await }
    });
    belongings::take_over_at_start(&log, &state, &typed, &data_dir).await;
    let quotas = Quotas::new(state.clone(), config.quotas.clone());
    let rate_limits = RateLimits::new(config.ratelimits.clone());
    let demand = Arc::new(Demand::default());
    let hub = Arc::new(Hub::new(RoomParts {
        life: life.clone(),
        telemetry: telemetry.clone(),
        log: log.clone(),
        demand: Arc::clone(&demand),
        ring_events: system.feed.ring_events as usize,
        dedupe_ids: system.feed.dedupe_ids as usize,
        idle_minutes: system.feed.idle_minutes,
    }));
    let boards = Boards::new(state.clone());
    let emotes = Emotes::default();
    let echoes = Echoes::default();
    let sink = Arc::new(Rooms::new(
        Arc::clone(&hub),
        telemetry.clone(),
        emotes.clone(),
        echoes.clone(),
        config.platforms.stale_seconds,
    ));

    // What the files say, and what the operator typed: together they are what everybody follows.
    let no_creators = config.creators.creators.is_empty() && typed.is_empty();
    let (reloader, files) =
        Reloader::new(sources, config).map_err(|it| StartError::Watch(it.to_string()))?;
    let effective = watch::Sender::new(Arc::new(typed.merged((**files.borrow()).clone())));
    let config = effective.subscribe();
    let accounts = accounts::open(
        &data_dir,
        Parts { life: life.clone(), config: config.clone(), clock, base_url: base_url.clone() },
    )?;
    belongings::take_over_accounts_at_start(&log, &accounts, &data_dir).await;
    // From here on: a room that is made before the task below first looks is not overlooked.
    let mut owned = accounts.rooms_changed();
    accounts.give_rooms_now().map_err(|it| StartError::Stored {
        path: data_dir.join(crate::accounts::FILE),
        reason: it.to_string(),
    })?;
    let no_creators = no_creators && accounts.book().count_rooms() == 0;
    let with_rooms = account_rooms::merged((**files.borrow()).clone(), &accounts.book());
    effective.send_replace(Arc::new(typed.merged(with_rooms)));
    log.set_policies(feed_log::policies(&config.borrow(), &accounts.book()));
    let assets = Arc::new(Assets::new(&config_folder));
    let looks = Looks::new(state.clone(), Arc::clone(&hub), Arc::clone(&assets));
    follow_rooms(&hub, &looks, &boards, None, &config.borrow());
    boards.catch_up(&hub).await;
    // Not before: a poll whose time ended meanwhile is closed with all its votes.
    life.essential("boards", boards.clone().run(Arc::clone(&hub), life.stop.clone()));
    // Not essential: a theme that changes unnoticed is no harm to chat.
    life.spawn(looks.clone().follow_themes(life.clone()));
    let applier = Arc::new(Applier {
        files: files.clone(),
        accounts: accounts.clone(),
        typed,
        effective,
        hub: Arc::clone(&hub),
        looks: looks.clone(),
        boards: boards.clone(),
        one_at_a_time: Mutex::default(),
    });
    let (restart, needs_restart) = watch::channel(Vec::new());
    let report = report_reload(telemetry.clone(), restart);
    life.essential("configuration", reloader.run(life.stop.clone(), report));
    life.essential("rooms", {
        let (applier, sink, quotas) = (Arc::clone(&applier), Arc::clone(&sink), quotas.clone());
        let (life, mut files, accounts) = (life.clone(), files, accounts.clone());
        let rate_limits = rate_limits.clone();
        async move {
            loop {
                let of_files = tokio::select! {
                    () = life.stop.cancelled() => break,
                    it = files.changed() => it.map(|()| true),
                    it = owned.changed() => it.map(|()| false),
                };
                let Ok(of_files) = of_files else { break };
                if of_files {
                    let files = files.borrow_and_update();
                    sink.set_stale_seconds(files.platforms.stale_seconds);
                    quotas.set_config(files.quotas.clone());
                    rate_limits.set_config(files.ratelimits.clone());
                }
                applier.apply();
                // Also after accounts changed: those of a copy own what was theirs when it was made.
                if let Err(error) = accounts.give_rooms().await {
                    tracing::error!(%error, "rooms stay with those who owned them");
                }
            }
            life.stop.cancelled().await;
        }
    });

    life.essential("stream sessions", {
        let (hub, stop) = (Arc::clone(&hub), life.stop.clone());
        async move {
            let mut tick = interval(SESSIONS_EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while stop.run_until_cancelled(tick.tick()).await.is_some() {
                hub.end_idle_sessions(Timestamp::now());
            }
        }
    });

    life.essential("accounts", accounts.clone().run(life.stop.clone()));
    life.essential("tiers", tiers::follow(Arc::clone(&applier), life.clone()));
    let clients = Arc::new(Clients::default());
    let postman = Postman {
        waiting: accounts.clone(),
        delivery: Delivery::new(Arc::clone(&clients), life.clone(), data_dir.clone()),
        config: config.clone(),
        telemetry: telemetry.clone(),
    };
    life.essential("mail", postman.run(life.stop.clone()));
    let providers = accounts::open_providers(
        accounts.clone(),
        Arc::clone(&clients),
        &config,
        &secret,
        &data_dir,
    );
    life.essential("providers", providers.clone().run(life.stop.clone()));
    let webhook_secrets = WebhookSecrets::new(&secret);
    let jobs = Jobs::new(jobs::Parts {
        state: state.clone(),
        limits: rate_limits.clone(),
        config: config.clone(),
        runners: runners::all(&clients, &config, webhook_secrets.clone()),
        clock: system_clock(),
    });
    life.essential("jobs", jobs.clone().run(life.stop.clone()));
    let outbox = Outbox::new(life.clone(), echoes);
    let readers = Readers::new(platforms::readers::Shared {
        life: life.clone(),
        telemetry: telemetry.clone(),
        memory: Memory::new(state.clone()),
        quotas: quotas.clone(),
        clients: Arc::clone(&clients),
        emotes: emotes.clone(),
        starts_per_second: config.borrow().platforms.starts_per_second,
        data_dir: data_dir.clone(),
    });
    let voices = Arc::new(Voices::new(&readers, outbox.clone(), providers.clone()));
    let triggers = Triggers::new(triggers::Parts {
        hub: Arc::clone(&hub),
        config: config.clone(),
        accounts: accounts.clone(),
        state: state.clone(),
        telemetry: telemetry.clone(),
        hands: Arc::new(Dispatcher {
            config: config.clone(),
            accounts: accounts.clone(),
            voices: Arc::clone(&voices),
            outbox: outbox.clone(),
            boards: boards.clone(),
            jobs: jobs.clone(),
            limits: rate_limits.clone(),
        }),
        life: life.clone(),
    });
    sink.set_listener(Arc::new(Ears { boards: boards.clone(), triggers: triggers.clone() }));
    life.essential("triggers", triggers.clone().run(life.stop.clone()));
    life.essential(
        "retired rooms",
        forget_retired(Arc::clone(&applier), triggers.clone(), jobs.clone(), life.stop.clone()),
    );
    let heartbeat = Arc::new(Heartbeat::default());
    let keys = Arc::new(OverlayKeys::new(&secret, state.clone()));
    let sign_in = format!("/auth/operator?token={}", operator.new_link());
    let keyed = system.overlay_access() == OverlayAccess::Key;
    let shared = Arc::new(Shared {
        hub: Arc::clone(&hub),
        telemetry: telemetry.clone(),
        life: life.clone(),
        config: config.clone(),
        accounts: accounts.clone(),
        providers: providers.clone(),
        operator,
        keys: Arc::clone(&keys),
        doors: Default::default(),
        heartbeat: Arc::clone(&heartbeat),
        media: Media::new(config.clone(), data_dir.join("media"), telemetry.clone(), life.clone()),
        assets,
        triggers: triggers.clone(),
        boards: boards.clone(),
        looks: looks.clone(),
        exports_dir: exports_dir.clone(),
        data_dir: data_dir.clone(),
        started,
        add_channel: add_channel(Arc::clone(&applier)),
        typed: applier::typed(Arc::clone(&applier)),
        carried: belongings::carried(
            state.clone(),
            Arc::clone(&applier),
            keys,
            boards.clone(),
            triggers.clone(),
            accounts.clone(),
            &data_dir,
        ),
        remove_room: remove_room(applier, triggers.clone(), jobs.clone()),
        synthetic: Default::default(),
        rates: Default::default(),
        jobs: jobs.clone(),
        webhook_secrets,
        rate_limits,
        voices,
        outbox,
        pronouns: Pronouns::new(
            config.clone(),
            life.clone(),
            telemetry.clone(),
            Arc::clone(&clients),
        ),
        base_url: base_url.clone(),
        kick: readers.kick(),
    });
    let limits = accept::Limits {
        connections: system.web.max_connections as usize,
        per_address: system.web.max_connections_per_address as usize,
    };
    let routes = router(Arc::clone(&shared));
    let meters = Arc::clone(&telemetry.meters);
    life.essential("web", accept::serve(listener, routes, limits, life.clone(), meters));
    life.essential("heartbeat", heartbeat.run(life.stop.clone()));
    life.essential("doors", doors::keep(Arc::clone(&shared)));
    let parts = platforms::emotes::Parts {
        life: life.clone(),
        telemetry: telemetry.clone(),
        clients,
        folder: data_dir.join("emotes"),
    };
    // Not essential: without emotes chat is still chat.
    life.spawn(emotes.run(parts, config.clone()));
    let listeners =
        Listeners { life: life.clone(), readers, sink: Arc::clone(&sink) as Arc<_>, demand };
    life.essential("listeners", listeners.run(config.clone()));
    let exporter = Exporter {
        hub: Arc::clone(&hub),
        telemetry: telemetry.clone(),
        config: config.clone(),
        restart: needs_restart,
        quotas,
        accounts: accounts.clone(),
        jobs: jobs.clone(),
        boards: boards.clone(),
        triggers: triggers.clone(),
        life: life.clone(),
        dir: exports_dir,
    };
    life.essential("exports", exporter.run());

    if demo || (no_creators && playback.is_none()) {
        start_demo(&hub, &looks, &boards, &sink, &life);
    }
    if let Some(playback) = playback {
        start_playback(playback, &hub, &looks, &boards, &sink, &life);
    }
    telemetry.recent.event(Severity::Info, "runtime", "started");
    tracing::info!(address = %local, "started in {} ms", started.elapsed().as_millis());
    let grace = Duration::from_millis(u64::from(system.web.shutdown_grace_ms));
    if let Err(error) = (Running { address: local }).write(&data_dir) {
        tracing::warn!(%error, "commands will not find this server: its data folder takes no file");
    }
    Ok(Server {
        address: local,
        base_url,
        life,
        sign_in,
        keyed,
        hub,
        boards,
        accounts,
        triggers,
        jobs,
        notice,
        data_dir,
        shared,
        state,
        grace,
        _lock: lock,
    })
}

/// Puts a recorded feed into the log of a room, while no server uses the data folder.
///
/// # Errors
/// One sentence: what is wrong with the file, the folder or the log.
pub async fn import(config: &Config, room: CreatorId, file: &Path) -> Result<Imported, String> {
    let problem = |it: &dyn std::fmt::Display| format!("cannot import {}: {it}", file.display());
    if config.creators.creators.iter().any(|it| it.id == room && !it.record) {
        return Err(problem(&format!("{room} is not recorded: `record` in creators.json is off")));
    }
    let data =
        usable_folder("data", &config.system.data_dir, "--data").map_err(|it| it.to_string())?;
    let lock = lock_folder(&data).map_err(|it| match it {
        StartError::Locked { .. } => problem(&format!(
            "a server uses the data folder {}: stop it, import, and start it again",
            data.display()
        )),
        other => other.to_string(),
    })?;
    let (life, telemetry) = (Lifecycle::new(), Telemetry::new());
    let opened = feed_log::open(config, &data, &life, &telemetry).map_err(|it| it.to_string())?;
    if !opened.log.is_kept() {
        let switched_off = || problem(&"nothing is recorded: feed.record in system.json is off");
        return Err(opened.notice.unwrap_or_else(switched_off));
    }
    let imported = opened.log.import(room, file.to_owned()).await;
    opened.log.close().await;
    drop(lock);
    imported.map_err(|it| problem(&it))
}

fn report_reload(
    telemetry: Telemetry,
    restart: watch::Sender<Vec<&'static str>>,
) -> impl FnMut(Reload) + Send {
    move |reload| match reload {
        Reload::Applied { needs_restart } => {
            tracing::info!("the configuration was reloaded");
            telemetry.recent.event(Severity::Info, "config", "reloaded");
            for key in &needs_restart {
                tracing::warn!("the change of {key} waits for a restart");
                let message = format!("the change of {key} waits for a restart");
                telemetry.recent.event(Severity::Warning, "config", message);
            }
            restart.send_replace(needs_restart);
        }
        Reload::Refused(errors) => {
            telemetry.meters.config_refused.increment(1);
            for problem in &errors.0 {
                tracing::error!("configuration refused, the old one stays: {problem}");
                // Where, but not what: the value may be a secret in the wrong place, and this is public.
                let message = format!("{}: refused, the log says why", problem.path);
                telemetry.recent.error("config", "refused", &problem.file, message);
            }
        }
    }
}
