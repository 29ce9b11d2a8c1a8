//! The feed log of this server: opened so that whatever is wrong with it, live chat is not harmed.

use std::{collections::HashMap, path::Path, time::Duration};

use super::StartError;
use crate::{
    accounts::Book,
    config::Config,
    feed::{FeedLog, Options, Policies, Retention, set_aside},
    lifecycle::Lifecycle,
    model::CreatorId,
    platforms::recording::demo,
    storage::StorageError,
    telemetry::Telemetry,
};

/// The file in the data folder.
pub const FILE: &str = "feed.redb";

/// What is kept of the demo: it never ends, and says the same again and again.
const DEMO: Retention = Retention { days: 1, bytes: 16 << 20 };

/// A log, and what people should know about it.
pub(super) struct Opened {
    pub(super) log: FeedLog,
    /// One sentence, when all is not well.
    pub(super) notice: Option<String>,
}

/// Opens the log as configured.
///
/// Another process that has it, and a file of a newer version, are for people to decide. A damaged file is
/// moved aside, never deleted; and when the disk refuses, chat goes on without a log.
pub(super) fn open(
    config: &Config,
    data: &Path,
    life: &Lifecycle,
    telemetry: &Telemetry,
) -> Result<Opened, StartError> {
    remove_scratch(data);
    let feed = &config.system.feed;
    if !feed.record {
        return Ok(Opened { log: FeedLog::none(), notice: None });
    }
    let path = data.join(FILE);
    let options = || Options {
        path: path.clone(),
        commit_delay: Duration::from_millis(u64::from(feed.commit_ms)),
        queue_bytes: usize::try_from(feed.queue_bytes).unwrap_or(usize::MAX),
        // Nothing is deleted before it is known whose rooms may be kept for how long.
        policies: Policies::default(),
    };
    let open = || FeedLog::open(options(), life.clone(), telemetry.clone());
    let opened = |log, notice: String| {
        tracing::error!("{notice}");
        telemetry.recent.error("feed", "not_recorded", FILE, "the log says why");
        Ok(Opened { log, notice: Some(notice) })
    };
    let without = |reason: String| {
        let notice = format!(
            "cannot open {}: {reason}; live chat works, but nothing is recorded until the next start",
            path.display()
        );
        telemetry.meters.log_trouble.set(1.0);
        opened(FeedLog::failed(&notice), notice)
    };
    match open() {
        Ok(log) => Ok(Opened { log, notice: None }),
        Err(StorageError::Locked) => Err(StartError::Locked { path: path.clone() }),
        Err(error @ StorageError::Newer { .. }) => {
            Err(StartError::Stored { path: path.clone(), reason: error.to_string() })
        }
        Err(StorageError::Damaged(reason)) => match set_aside(&path) {
            Ok(aside) => match open() {
                Ok(log) => {
                    let notice = format!(
                        "{} is damaged ({reason}): it was moved to {}, and recording begins anew",
                        path.display(),
                        aside.display()
                    );
                    opened(log, notice)
                }
                Err(error) => without(error.to_string()),
            },
            Err(error) => without(format!("it is damaged ({reason}) and cannot be moved: {error}")),
        },
        Err(error @ StorageError::Io(_)) => without(error.to_string()),
    }
}

/// Removes what a kill left of copies that were on their way in or out.
fn remove_scratch(data: &Path) {
    let Ok(files) = std::fs::read_dir(data) else { return };
    for file in files.flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let ours = ["backup.", "restore.", "feed.restore."].iter().any(|it| name.starts_with(it));
        if ours && name.ends_with(".part") {
            // It takes room, and does no other harm.
            let _ = std::fs::remove_file(file.path());
        }
    }
}

/// How much is kept of whose room: what the configuration says, and of an account's room no more than its tier allows.
pub(super) fn policies(config: &Config, book: &Book) -> Policies {
    let feed = &config.system.feed;
    let default = Retention { days: feed.retention_days, bytes: feed.retention_bytes };
    let mut rooms = HashMap::new();
    if let Ok(demo) = demo::ROOM.parse::<CreatorId>() {
        rooms.insert(demo, DEMO);
    }
    for creator in &config.creators.creators {
        let retention = Retention {
            days: match (creator.retention_days, book.terms_of_room(&creator.id)) {
                (said, None) => said.unwrap_or(default.days),
                (None, Some(terms)) => terms.features.retention_days,
                (Some(said), Some(terms)) => said.min(terms.features.retention_days),
            },
            bytes: creator.retention_bytes.unwrap_or(default.bytes),
        };
        rooms.insert(creator.id.clone(), retention);
    }
    Policies { default: Some(default), rooms }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{accounts::Account, accounts::Accounts, model::Tier};

    #[test]
    fn a_tier_bounds_how_long_an_accounts_room_is_kept_and_no_other() {
        let accounts = Accounts::in_memory();
        let mut ana = Account::new(None, "Ana", accounts.now());
        ana.rooms = ["plain", "short", "long"].map(|it| it.parse().unwrap()).into();
        ana.given = vec!["operators".parse().unwrap()];
        let creators = json!({"creators": [
            {"id": "plain"},
            {"id": "short", "retention_days": 7},
            {"id": "long", "retention_days": 900},
            {"id": "operators", "retention_days": 900},
        ]});
        let creators = serde_json::from_value(creators).unwrap();
        let config = Config { creators, ..Config::default() };
        for (tier, days) in [(Tier::Core, [30, 7, 30, 900]), (Tier::Gold, [180, 7, 180, 900])] {
            let account = Account { tier, ..ana.clone() };
            accounts.change_now(|it| it.put_account(account)).unwrap();
            let policies = policies(&config, &accounts.book());
            let kept = ["plain", "short", "long", "operators"]
                .map(|it| policies.rooms[&it.parse::<CreatorId>().unwrap()].days);
            assert_eq!(kept, days, "{tier}");
        }
    }
}
