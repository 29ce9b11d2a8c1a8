//! Exports by hand: of a data folder that no server uses, or beside the server that does.

use std::sync::Arc;

use tokio::sync::watch;

use super::{StartError, account_rooms, accounts, belongings, feed_log, lock_folder, state};
use crate::{
    accounts::{Parts, system_clock},
    app::typed_channels::TypedChannels,
    boards::Boards,
    chat::{Hub, RoomParts},
    config::Config,
    exports::{self, Newest, Sources, write_once},
    http::Clients,
    jobs::{
        self, Jobs,
        runners::{self, WebhookSecrets},
    },
    lifecycle::Lifecycle,
    model::{CreatorId, Timestamp},
    platforms::{Demand, recording::demo},
    quotas::{Quotas, RateLimits},
    telemetry::Telemetry,
    triggers::{self, NoHands, Triggers},
};

/// What was written.
pub struct Exported {
    /// The files written to the exports folder.
    pub files: Vec<&'static str>,
    /// Whether a server runs that keeps the others up to date.
    pub beside_a_server: bool,
}

/// Writes the exports once: a pure function of the configuration and the data folder, while no server uses that. While
/// one does, what only that server knows stays as it wrote it. With `publish`, the public ones go to the publish root
/// as well.
///
/// # Errors
/// One sentence: what is in the way.
pub async fn export(config: Config, publish: bool) -> Result<Exported, String> {
    let system = config.system.clone();
    let root = system.exports.publish_root.clone();
    if publish && root.is_none() {
        return Err("nothing says where to publish: set exports.publish_root in system.json, or \
                    STREAMSUITES_STATE_PUBLISH_ROOT"
            .to_owned());
    }
    let root = root.filter(|_| publish);
    let data = system.data_dir.clone();
    let (life, telemetry) = (Lifecycle::new(), Telemetry::new());
    let only_files = Sources {
        hub: None,
        telemetry: telemetry.clone(),
        config: Arc::new(config.clone()),
        restart: Vec::new(),
        quotas: None,
        accounts: None,
        jobs: None,
        boards: None,
        triggers: None,
        newest: Newest::default(),
        started_at: None,
    };
    let write = move |sources: Sources| {
        let (exports, root) = (system.exports_dir.clone(), root.clone());
        let too = system.exports.publish_dashboard_too;
        let work = move || {
            write_once(&sources, &exports, root.as_deref(), too, Timestamp::now())
                .map_err(|it| it.to_string())
        };
        async move { tokio::task::spawn_blocking(work).await.map_err(|it| it.to_string())? }
    };

    if !data.is_dir() {
        // No server was ever here: there is nothing but the configuration.
        let files = write(only_files).await?;
        return Ok(Exported { files, beside_a_server: false });
    }
    let lock = match lock_folder(&data) {
        Ok(it) => it,
        Err(StartError::Locked { .. }) => {
            if !exports::is_kept_up_to_date(&config.system.exports_dir, Timestamp::now()) {
                return Err(format!(
                    "a server uses the data folder {}, and writes its exports elsewhere than to {}: name that folder with \
                     --exports, or stop the server",
                    data.display(),
                    config.system.exports_dir.display()
                ));
            }
            let files = write(only_files).await?;
            return Ok(Exported { files, beside_a_server: true });
        }
        Err(other) => return Err(other.to_string()),
    };

    let sentence = |it: StartError| it.to_string();
    let opened = feed_log::open(&config, &data, &life, &telemetry).map_err(sentence)?;
    let log = opened.log;
    let state = state::open(&data, &telemetry).map_err(sentence)?;
    let typed = TypedChannels::open(&data).map_err(sentence)?;
    belongings::take_over_at_start(&log, &state, &typed, &data).await;
    let no_creators = config.creators.creators.is_empty() && typed.is_empty();
    let base_url = config.system.base_url(&config.system.listen);
    let follows = watch::channel(Arc::new(config.clone())).1;
    let parts =
        Parts { life: life.clone(), config: follows.clone(), clock: system_clock(), base_url };
    let accounts = accounts::open(&data, parts).map_err(sentence)?;
    belongings::take_over_accounts_at_start(&log, &accounts, &data).await;
    let no_creators = no_creators && accounts.book().count_rooms() == 0;
    let config = Arc::new(typed.merged(account_rooms::merged(config, &accounts.book())));

    let hub = Arc::new(Hub::new(RoomParts {
        life: life.clone(),
        telemetry: telemetry.clone(),
        log: log.clone(),
        demand: Arc::new(Demand::default()),
        ring_events: config.system.feed.ring_events as usize,
        dedupe_ids: config.system.feed.dedupe_ids as usize,
        idle_minutes: config.system.feed.idle_minutes,
    }));
    let enabled = config.creators.creators.iter().filter(|it| it.enabled);
    let recorded = enabled.map(|it| (it.id.clone(), it.record));
    let demo = no_creators.then(|| demo::ROOM.parse::<CreatorId>().ok()).flatten();
    for (room, recorded) in recorded.chain(demo.map(|it| (it, true))) {
        hub.open_room(&room, Default::default(), recorded);
    }
    let clients = Arc::new(Clients::default());
    let jobs = Jobs::new(jobs::Parts {
        state: state.clone(),
        limits: RateLimits::new(config.ratelimits.clone()),
        // Nothing is run here: whose secrets they are signed with does not matter.
        runners: runners::all(&clients, &follows, WebhookSecrets::new("")),
        config: follows.clone(),
        clock: system_clock(),
    });
    let files = write(Sources {
        hub: Some(Arc::clone(&hub)),
        quotas: Some(Quotas::new(state.clone(), config.quotas.clone())),
        accounts: Some(accounts.clone()),
        jobs: Some(jobs),
        boards: Some(Boards::new(state.clone())),
        triggers: Some(Triggers::new(triggers::Parts {
            hub: Arc::clone(&hub),
            config: follows,
            accounts: accounts.clone(),
            state: state.clone(),
            telemetry,
            hands: Arc::new(NoHands),
            life: life.clone(),
        })),
        config,
        ..only_files
    })
    .await;
    // In order, so that the next start goes on where this one was.
    let _ = accounts.close().await;
    log.close().await;
    state.close().await;
    drop(lock);
    Ok(Exported { files: files?, beside_a_server: false })
}
