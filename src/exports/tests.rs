use std::{collections::BTreeSet, fs, sync::Arc, time::Duration};

use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::{sync::watch, task::JoinHandle};

use super::*;
use crate::jobs::{
    self as jobs_module, Jobs, NewJob,
    runners::{self, WebhookSecrets},
};
use crate::{
    accounts::{Account, Accounts, Actor, AuditEntry, Moderator, Origin, Right},
    boards::{Boards, Contestant, Most},
    config::QuotasConfig,
    model::AccountRole,
    model::CreatorId,
    quotas::{Quotas, RateLimits},
    storage::{Kind, State},
    triggers::{self, NoHands, Triggers},
};
use crate::{
    chat::{Hub, Room, RoomParts, room::Arrival},
    config::Config,
    feed::FeedLog,
    lifecycle::Lifecycle,
    model::{
        Author, Channel, ChatClear, ChatDelete, EventBody, Fragment, Message, OverlaySettings,
        Platform, PlatformState, PlatformStatus, QualifiedId, ReplyTo, Timestamp,
    },
    platforms::Demand,
    telemetry::{Severity, Telemetry},
};

fn hub(telemetry: &Telemetry) -> Arc<Hub> {
    Arc::new(Hub::new(RoomParts {
        life: Lifecycle::new(),
        telemetry: telemetry.clone(),
        log: FeedLog::none(),
        demand: Arc::new(Demand::default()),
        ring_events: 1024,
        dedupe_ids: 8192,
        idle_minutes: 30,
    }))
}

fn open(hub: &Hub, room: &str) -> Arc<Room> {
    hub.open_room(&room.parse().unwrap(), OverlaySettings::default(), false)
}

fn say(room: &Room, id: &str, text: &str) {
    let now = Timestamp::now();
    let author = Author {
        id: QualifiedId::new(Platform::Twitch, "7"),
        login: "mira".to_owned(),
        name: "Mira".to_owned(),
        color: None,
        badges: Vec::new(),
        roles: Vec::new(),
        avatar: None,
        identity: None,
    };
    let message = Message {
        id: QualifiedId::new(Platform::Twitch, id),
        platform: Platform::Twitch,
        channel: Channel {
            id: QualifiedId::new(Platform::Twitch, "1"),
            name: room.id().to_string(),
        },
        text: text.to_owned(),
        fragments: vec![Fragment::Text { text: text.to_owned() }],
        flags: Vec::new(),
        // Every message quotes the one called `quoted`.
        reply_to: Some(ReplyTo {
            id: QualifiedId::new(Platform::Twitch, "quoted"),
            author: author.clone(),
            text: "what was quoted".to_owned(),
        }),
        author,
        source_channel: None,
        amount: None,
        sent_at: now,
        received_at: now,
    };
    room.publish(&EventBody::ChatMessage(Box::new(message)), &Arrival::now());
}

fn set_status(room: &Room, platform: Platform, state: PlatformState, detail: &str) {
    let (channel, detail) = (room.id().to_string(), detail.to_owned());
    room.set_status(PlatformStatus { platform, channel, state, detail, viewers: None });
}

fn config(creators: Value) -> Config {
    Config {
        creators: serde_json::from_value(json!({ "creators": creators })).unwrap(),
        ..Config::default()
    }
}

/// A server in the middle of an evening.
fn busy_quotas() -> Quotas {
    let quotas = Quotas::new(State::in_memory(), QuotasConfig::default());
    let quota = quotas.open(&"ana".parse().unwrap(), Platform::Youtube, None);
    quota.spend(5, Timestamp::now()).unwrap();
    quotas
}

/// Something that waits, and must not say what it carries.
fn busy_jobs() -> Jobs {
    let config = watch::channel(Arc::new(Config::default())).1;
    let jobs = Jobs::new(jobs_module::Parts {
        state: State::in_memory(),
        limits: RateLimits::new(Default::default()),
        runners: runners::all(&Default::default(), &config, WebhookSecrets::new("a key")),
        config,
        clock: Arc::new(Timestamp::now),
    });
    let url = "https://hooks.example.com/?key=hidden-in-an-address";
    let new = NewJob::webhook("ana".parse().unwrap(), url, json!("hidden too"), "trigger hello");
    jobs.add(new).unwrap();
    jobs
}

/// A poll with a vote, and what else moved.
fn busy_boards() -> Boards {
    let boards = Boards::new(State::in_memory());
    let (room, now): (CreatorId, _) = ("Ana".parse().unwrap(), Timestamp::now());
    let new = serde_json::from_value(json!({"question": "Tea?", "options": ["yes", "no"]}));
    let most = Most { open_polls: 1, options: 9 };
    let poll = boards.open_poll(&room, &new.unwrap(), "ana", most, now).unwrap();
    let voter = QualifiedId::new(Platform::Twitch, "7");
    boards.vote(&room, Some(&poll.poll_id), &voter, "yes", now).unwrap();
    let tally = serde_json::from_value(json!({"label": "Jumps"})).unwrap();
    let tally = boards.add_tally(&room, &tally, now).unwrap();
    boards.count(&room, &tally.tally_id, None, 2, None, now).unwrap();
    let board = serde_json::from_value(json!({"title": "Riddles"})).unwrap();
    let board = boards.add_scoreboard(&room, &board, now).unwrap();
    let who = Contestant { label: "Mira".to_owned(), user_id: None };
    boards.score(&room, &board.scoreboard_id, &who, 3, now).unwrap();
    boards
}

/// What a room reacts to.
fn busy_triggers() -> Triggers {
    let telemetry = Telemetry::new();
    let state = State::in_memory();
    let kept = json!([{"updated_at": "2026-11-20T18:00:00.000Z", "trigger": {
        "trigger_id": "hello", "type": "command", "command": "hello",
        "actions": [{"action_type": "reply", "payload": {"text": "hidden in an answer"}}],
    }}]);
    state.set(Kind::Triggers, "ana", Some(kept.to_string()));
    Triggers::new(triggers::Parts {
        hub: hub(&telemetry),
        config: watch::channel(Arc::new(Config::default())).1,
        accounts: Accounts::in_memory(),
        state,
        telemetry,
        hands: Arc::new(NoHands),
        life: Lifecycle::new(),
    })
}

/// Somebody who signed in, from an address.
fn busy_accounts() -> Accounts {
    let accounts = Accounts::in_memory();
    let email: crate::accounts::Email = "anastasia@example.com".parse().unwrap();
    let mut account = Account::new(Some(email), "Ana", accounts.now());
    account.role = AccountRole::Creator;
    account.rooms = vec!["ana".parse().unwrap()];
    let origin = Origin {
        address: Some("203.0.113.77".parse().unwrap()),
        user_agent: "one of a kind".to_owned(),
    };
    let done = accounts.change_now(|change| {
        let account = change.put_account(account)?;
        change.put(&Moderator {
            room: "zoe".parse().unwrap(),
            account: account.id,
            rights: [Right::Queue, Right::Hide].into(),
            since: change.at(),
        });
        let entry = AuditEntry::new(change.at(), Actor::of(&account), "login_success");
        change.audit(entry.to(&account).from(&origin));
        let entry =
            AuditEntry::new(change.at().plus_ms(1), Actor::System, "mail_sent").to(&account);
        let entry = entry.with("email_type", "verification").with("resend_message_id", "re_1");
        change.audit(entry.ended("sent"));
        for (ms, action) in [(2, "export_users_csv"), (3, "moderation_ban")] {
            change.audit(AuditEntry::new(change.at().plus_ms(ms), Actor::Operator, action));
        }
        Ok(())
    });
    done.unwrap();
    accounts
}

fn busy_sources() -> Sources {
    let telemetry = Telemetry::new();
    let hub = hub(&telemetry);
    let ana = open(&hub, "Ana");
    set_status(&ana, Platform::Twitch, PlatformState::Live, "");
    say(&ana, "m1", "hello");
    say(&open(&hub, "zoe"), "m2", "and hello again");
    for board in [
        json!({"type": "poll.update", "data": {
            "poll_id": "p1", "creator": "ana", "question": "Which way?", "state": "open",
            "options": [{"option_id": "1", "label": "left", "votes": 3}],
            "opened_at": "2026-11-20T18:00:00.000Z", "closed_at": null,
        }}),
        json!({"type": "tally.update", "data": {
            "tally_id": "t1", "creator": "ana", "label": "Falls", "count": 7,
            "last_updated_at": "2026-11-20T18:00:00.000Z",
        }}),
        json!({"type": "score.update", "data": {
            "scoreboard_id": "s1", "creator": "ana", "title": "Quiz",
            "entries": [{"position": 1, "label": "Mira", "score": 12}], "finalized_at": null,
        }}),
    ] {
        ana.publish(&serde_json::from_value(board).unwrap(), &Arrival::now());
    }
    telemetry.recent.event(Severity::Warning, "twitch", "a connection was lost");
    telemetry.recent.error("platforms", "transient", "twitch:ana", "no answer\n  at worker.rs:12");
    Sources {
        hub: Some(hub),
        telemetry,
        config: Arc::new(config(json!([
            {"id": "ana", "display_name": "Ana Live", "channels": [
                {"platform": "twitch", "name": "ana"}
            ]},
            {"id": "ben", "enabled": false, "channels": [{"platform": "twitch", "name": "ben"}]}
        ]))),
        restart: vec!["listen"],
        quotas: Some(busy_quotas()),
        accounts: Some(busy_accounts()),
        jobs: Some(busy_jobs()),
        boards: Some(busy_boards()),
        triggers: Some(busy_triggers()),
        newest: Newest::default(),
        started_at: Some(Timestamp::now()),
    }
}

fn read(dir: &Path, path: &str) -> Value {
    serde_json::from_slice(&fs::read(dir.join(path)).unwrap()).unwrap()
}

/// Names of all files below `dir`, with `/` between folders.
fn list_files(dir: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(list_files(&path).into_iter().map(|it| format!("{name}/{it}")));
        } else {
            found.insert(name);
        }
    }
    found
}

fn paths(visible: impl Fn(Visibility) -> bool) -> BTreeSet<String> {
    EXPORTS.iter().filter(|it| visible(it.visibility)).map(|it| it.path.to_owned()).collect()
}

/// `value` without the moments at which files are made.
fn timeless(mut value: Value) -> Value {
    fn visit(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for name in [
                    "generated_at",
                    "exported_at",
                    "heartbeat",
                    "last_heartbeat",
                    "last_success_ts",
                ] {
                    members.remove(name);
                }
                members.values_mut().for_each(visit);
            }
            Value::Array(elements) => elements.iter_mut().for_each(visit),
            _ => {}
        }
    }
    visit(&mut value);
    value
}

/// Those whose readers take no other shape than that of old.
fn has_no_meta(export: &Export) -> bool {
    ["version.json", "changelog.runtime.json", "admin/donations/donations.json"]
        .contains(&export.path)
}

fn write(sources: &Sources, dir: &Path) {
    write_once(sources, dir, None, false, Timestamp::now()).unwrap();
}

#[test]
fn every_file_has_the_shape_of_its_schema_and_says_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    write(&busy_sources(), dir.path());
    assert_eq!(list_files(dir.path()), paths(|_| true));
    for export in &EXPORTS {
        let value = read(dir.path(), export.path);
        let validator = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&export.schema())
            .unwrap();
        let problems: Vec<_> = validator.iter_errors(&value).map(|it| it.to_string()).collect();
        assert!(problems.is_empty(), "{}: {problems:?}\n{value:#}", export.path);
        if has_no_meta(export) {
            continue;
        }
        let meta = &value["meta"];
        assert_eq!(meta["source"], "runtime", "{}", export.path);
        assert_eq!(meta["visibility"], json!(export.visibility));
        assert_eq!(
            (&meta["version"], &meta["build"]),
            (&json!(crate::VERSION), &json!(crate::BUILD))
        );
        assert_eq!(meta["schema"], format!("/schemas/exports/{}", export.schema_name()));
        assert!(Timestamp::parse(meta["generated_at"].as_str().unwrap()).is_ok());
    }
}

#[test]
fn a_schema_refuses_a_file_that_lacks_something() {
    let dir = tempfile::tempdir().unwrap();
    write(&busy_sources(), dir.path());
    for export in &EXPORTS {
        let validator = jsonschema::validator_for(&export.schema()).unwrap();
        let whole = read(dir.path(), export.path);
        for name in whole.as_object().into_iter().flat_map(|it| it.keys()) {
            let mut value = whole.clone();
            value.as_object_mut().unwrap().remove(name);
            assert!(!validator.is_valid(&value), "{} without {name}", export.path);
        }
    }
    let names: BTreeSet<_> = schemas().into_iter().map(|it| it.0).collect();
    assert_eq!(names.len(), EXPORTS.len());
    assert!(names.contains("telemetry/rates.schema.json"));
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/schemas/exports");
    for (name, schema) in schemas() {
        let found = fs::read_to_string(folder.join(&name)).unwrap_or_default();
        // Git may have given the file the line ends of Windows.
        let is_fresh = found.replace("\r\n", "\n") == format!("{schema:#}\n");
        assert!(is_fresh, "run `cargo run -- config schema --write`: {name} is stale");
    }
    let names: BTreeSet<_> = schemas().into_iter().map(|it| it.0).collect();
    assert_eq!(list_files(&folder), names, "a schema of a file that is no longer exported");
}

/// The fields that existing clients read, as JSON pointers.
#[test]
fn existing_clients_find_their_fields() {
    let dir = tempfile::tempdir().unwrap();
    write(&busy_sources(), dir.path());
    let expect = |file: &str, at: &str, fields: &str| {
        let value = read(dir.path(), file);
        let object = value.pointer(at).unwrap_or_else(|| panic!("{file} has no {at}"));
        for field in fields.split(' ') {
            assert!(object.get(field).is_some(), "{file}: {at}/{field}");
        }
    };
    let version = read(dir.path(), "version.json");
    let keys: BTreeSet<_> = version.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, BTreeSet::from(["project", "version", "build", "generated_at", "source"]));
    expect("meta.json", "/meta", "generated_at source visibility scope");
    expect("meta.json", "/exports/0", "file visibility description sha256 bytes");
    let snapshot = "runtime_snapshot.json";
    expect(
        snapshot,
        "",
        "schema_version generated_at heartbeat runtime system jobs platforms creators triggers \
         rumble_chat replay restart_intent",
    );
    expect(snapshot, "/runtime", "project version build");
    expect(
        snapshot,
        "/platforms/0",
        "name platform enabled paused telemetry_enabled state status paused_reason last_heartbeat \
         last_success_ts last_event_ts error counters replay_supported overlay_supported",
    );
    expect(snapshot, "/platforms/0/counters", "messages triggers actions actions_failed");
    expect(
        snapshot,
        "/creators/0",
        "creator_id display_name enabled platforms last_heartbeat error",
    );
    let replay = "available platforms event_count last_event_timestamp overlay_safe";
    expect(snapshot, "/replay", replay);
    expect(snapshot, "/restart_intent", "required pending");
    let platform = "name status mode notes replay_supported overlay_supported";
    expect("platforms.json", "/platforms/0", platform);
    expect("telemetry/events.json", "", "schema_version generated_at events");
    expect("telemetry/events.json", "/events/0", "timestamp source severity message");
    expect("telemetry/rates.json", "/windows/1", "window metrics");
    expect(
        "telemetry/rates.json",
        "/windows/0/metrics",
        "messages triggers actions actions_failed",
    );
    let error = "timestamp subsystem error_type source message";
    expect("telemetry/errors.json", "/errors/0", error);
    expect("signals/chat_events.json", "/meta", "captured_at");
    let chat = "event_id creator platform user_id username message message_at";
    expect("signals/chat_events.json", "/events/0", chat);
    let user = "id user_code email email_verified display_name avatar_url role tier badges \
                onboarding_status account_status providers created_at last_login_at updated_at";
    expect("admin/users/users.json", "", "schema_version exported_at users");
    expect("admin/users/users.json", "/users/0", user);
    let entry = "id ts actor_user_id actor_user_code actor_role target_user_id target_user_code \
                 action metadata";
    expect("admin/audit/audit.json", "", "schema_version exported_at audit");
    expect("admin/audit/audit.json", "/audit/0", entry);
    let event = "timestamp_utc event_type event_name action email_type account_id user_identifier \
                 email_redacted result resend_message_id ip user_agent";
    expect("telemetry/auth_events.json", "/events/0", event);
    expect("state/tiers.json", "", "version generated_at tiers");
    let tier = "id label description rank visibility features";
    expect("state/tiers.json", "/tiers/gold", tier);
    expect("state/permissions.json", "/permissions/0", "principal role grants updated_at");
    let poll = "poll_id creator question options state opened_at closed_at";
    expect("polls.json", "/polls/0", poll);
    expect("polls.json", "/polls/0/options/0", "option_id label votes");
    expect("tallies.json", "/tallies/0", "tally_id creator label count last_updated_at");
    let board = "scoreboard_id creator title entries finalized_at";
    expect("scoreboards.json", "/scoreboards/0", board);
    expect("scoreboards.json", "/scoreboards/0/entries/0", "position label score");
    expect("clips.json", "", "clips");
    expect("state/clips.json", "", "clips jobs history");
    let vote = "vote_id poll_id option_id creator voter_id voted_at";
    expect("signals/poll_votes.json", "/votes/0", vote);
    let count = "event_id tally_id creator delta updated_at";
    expect("signals/tally_events.json", "/events/0", count);
    let score = "event_id scoreboard_id creator label score_delta scored_at";
    expect("signals/score_events.json", "/events/0", score);
    let creator = "creator_id display_name platforms created_at updated_at";
    expect("state/creators.json", "/creators/0", creator);
    expect("state/creators.json", "/creators/0/platforms/twitch", "enabled");
    let trigger = "trigger_id creator type command cooldown_seconds description updated_at";
    expect("state/chat_triggers.json", "/triggers/0", trigger);
    let job = "job_id type creator state queued_at last_updated_at";
    expect("state/jobs.json", "/jobs/0", job);
    let limit = "rate_limit_id creator platform window_seconds max_events updated_at";
    expect("state/rate_limits.json", "/rate_limits/0", limit);
    let integration = "integration_id type status last_attempt_at created_at updated_at";
    expect("state/integrations.json", "/integrations/0", integration);
    let entry = "id date title description version scope tags";
    expect("changelog.json", "/entries/0", entry);
    expect("changelog.runtime.json", "/0", entry);
    expect("roadmap.json", "/entries/0", "id title status progress description");
    let about = "scope surface version build last_updated owner copyright notice platform_status control_planes";
    expect("about.public.json", "", about);
    expect("about.admin.json", "", about);
    expect("about.admin.json", "/platform_status/0", "platform status notes");
    expect("about.admin.json", "/control_planes/0", "name status notes");
    let discord =
        "running connected last_heartbeat_ts task_count tasks guild_count guilds status heartbeat";
    expect("discord/runtime.json", "", discord);
    assert_eq!(read(dir.path(), "admin/donations/donations.json"), json!([]));
    let flags = "disable_new_signups disable_email_verification disable_resend_verification \
                 admin_tier_config_bypass";
    expect("state/auth_controls.json", "/flags", flags);
}

#[test]
fn version_json_is_what_clients_accept() {
    let dir = tempfile::tempdir().unwrap();
    write(&busy_sources(), dir.path());
    let version = read(dir.path(), "version.json");
    let numbers: Vec<_> = version["version"].as_str().unwrap().split('.').collect();
    assert!(numbers.len() == 3 && numbers.iter().all(|it| it.parse::<u32>().is_ok()));
    assert_eq!(version["source"], "runtime");
    assert_eq!(version["project"], "StreamSuites");
}

#[test]
fn the_manifest_has_every_other_file_with_hash_and_size_of_those_that_may_be_published() {
    let dir = tempfile::tempdir().unwrap();
    write(&busy_sources(), dir.path());
    let manifest = read(dir.path(), "meta.json");
    let mut listed = BTreeSet::from(["meta.json".to_owned()]);
    for entry in manifest["exports"].as_array().unwrap() {
        let file = entry["file"].as_str().unwrap();
        let bytes = fs::read(dir.path().join(file)).unwrap();
        let hash = Sha256::digest(&bytes);
        let hash: String = hash.iter().map(|it| format!("{it:02x}")).collect();
        let visibility = &entry["visibility"];
        let is_told = visibility != "internal-only" && visibility != "admin-only";
        let expected = if is_told { json!([hash, bytes.len()]) } else { json!([null, null]) };
        assert_eq!(json!([entry["sha256"], entry["bytes"]]), expected, "{file}");
        listed.insert(file.to_owned());
    }
    assert_eq!(listed, paths(|_| true));
}

#[test]
fn the_same_state_gives_the_same_bytes_but_for_the_moment() {
    let sources = busy_sources();
    let [first, second, later] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let now = Timestamp::now();
    write_once(&sources, first.path(), None, false, now).unwrap();
    write_once(&sources, second.path(), None, false, now).unwrap();
    write_once(&sources, later.path(), None, false, now.plus_ms(60_000)).unwrap();
    for export in &EXPORTS {
        let [first, second, later] =
            [&first, &second, &later].map(|it| fs::read_to_string(it.path().join(export.path)));
        let (first, later) = (first.unwrap(), later.unwrap());
        assert_eq!(first, second.unwrap(), "{}", export.path);
        // Hashes of files differ as soon as the files do.
        if export.path != "meta.json" {
            let value = |text: &str| timeless(serde_json::from_str(text).unwrap());
            assert_eq!(value(&first), value(&later), "{}", export.path);
            assert_eq!(first.lines().count(), later.lines().count(), "{}", export.path);
        }
    }
}

/// Files are made once for no moment, and dated then.
#[test]
fn a_dated_file_is_the_one_that_is_made_at_that_moment() {
    let mut sources = busy_sources();
    let hub = sources.hub.clone().unwrap();
    let room = hub.list_rooms()[0].clone();
    for (id, text) in [
        ("d1", "1970-01-01T00:00:00.000Z"),
        ("d2", "\"generated_at\": \"1970-01-01T00:00:00.000Z\""),
    ] {
        say(&room, id, text);
    }
    sources.started_at = None;
    let now = Timestamp::now();
    for export in &EXPORTS {
        let render = |at| match export.content {
            document::Content::OnChange { render, .. }
            | document::Content::OfRooms { render, .. } => Some(render(&sources, at)),
            document::Content::OfAccounts(render) => render(sources.accounts.as_ref().unwrap(), at),
            document::Content::Live(_) | document::Content::Manifest => None,
        };
        let Some(timeless) = render(document::UNKNOWN_MOMENT) else { continue };
        let text = |it: &[u8]| String::from_utf8(it.to_vec()).unwrap();
        let dated = document::at_moment(&timeless, now);
        assert_eq!(text(&dated), text(&render(now).unwrap()), "{}", export.path);
        let said = ["changelog.runtime.json", "admin/donations/donations.json"];
        assert_eq!(dated == timeless, said.contains(&export.path), "{}", export.path);
    }
}

#[test]
fn a_file_that_takes_long_to_make_rests_and_is_made_then() {
    let dir = tempfile::tempdir().unwrap();
    let sources = busy_sources();
    let polls = EXPORTS.iter().position(|it| it.path == "polls.json").unwrap();
    let votes = || {
        let polls = read(dir.path(), "polls.json")["polls"].as_array().unwrap().clone();
        let poll = polls.into_iter().find(|it| it["question"] == "Tea?").unwrap();
        poll["options"][1]["votes"].clone()
    };
    let mut writer = writer::Writer::new(dir.path().to_owned());
    let mut round = |rest: Duration| {
        if let Some(made) = writer.documents.get_mut(&polls) {
            made.rests_until = tokio::time::Instant::now() + rest;
        }
        writer.round(&sources, writer::Due::Changed, Timestamp::now());
    };
    round(Duration::ZERO);
    let (boards, room) = (sources.boards.as_ref().unwrap(), "ana".parse().unwrap());
    let voter = QualifiedId::new(Platform::Twitch, "8");
    boards.vote(&room, None, &voter, "no", Timestamp::now()).unwrap();
    round(Duration::from_secs(3_600));
    assert_eq!(votes(), 0, "it rests");
    round(Duration::ZERO);
    assert_eq!(votes(), 1);
}

#[test]
fn the_publish_root_gets_what_is_public_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, root) = (folder.path().join("exports"), folder.path().join("site"));
    let sources = busy_sources();
    write_once(&sources, &dir, Some(&root), false, Timestamp::now()).unwrap();
    assert_eq!(list_files(&root), paths(|it| it == Visibility::Public));
    assert_eq!(list_files(&dir), paths(|_| true));
    for file in list_files(&root) {
        assert_eq!(fs::read(root.join(&file)).unwrap(), fs::read(dir.join(&file)).unwrap());
    }
    write_once(&sources, &dir, Some(&root), true, Timestamp::now()).unwrap();
    let for_dashboards = |it| matches!(it, Visibility::Public | Visibility::DashboardOnly);
    assert_eq!(list_files(&root), paths(for_dashboards));

    for never in [Visibility::InternalOnly, Visibility::AdminOnly] {
        assert!(!never.is_published(false) && !never.is_published(true));
    }
}

/// A server that is started anew knows nothing of what the one before it published.
#[test]
fn what_dashboards_had_is_taken_back_also_after_a_restart_and_nothing_of_anybody_else() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, root) = (folder.path().join("exports"), folder.path().join("site"));
    let sources = busy_sources();
    write_once(&sources, &dir, Some(&root), true, Timestamp::now()).unwrap();
    assert!(root.join("signals/chat_events.json").exists());
    let theirs = root.join("state/jobs.json");
    fs::write(&theirs, "{\"jobs\": \"of somebody else\"}").unwrap();

    write_once(&sources, &dir, Some(&root), false, Timestamp::now()).unwrap();
    let mut expected = paths(|it| it == Visibility::Public);
    expected.insert("state/jobs.json".to_owned());
    assert_eq!(list_files(&root), expected);
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "{\"jobs\": \"of somebody else\"}");
    assert_eq!(list_files(&dir), paths(|_| true));
}

/// The worst that happened to an ancestor: addresses of people in files that everybody may read.
#[test]
fn no_file_but_the_admins_leads_to_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, root) = (folder.path().join("exports"), folder.path().join("site"));
    write_once(&busy_sources(), &dir, Some(&root), true, Timestamp::now()).unwrap();
    for file in list_files(&dir) {
        let text = fs::read_to_string(dir.join(&file)).unwrap();
        let secrets = ["anastasia@", "203.0.113.77", "one of a kind", "hidden"];
        for secret in secrets {
            let may = file == "admin/users/users.json" && secret == "anastasia@";
            assert_eq!(text.contains(secret), may, "{secret} in {file}");
        }
    }
    assert!(!root.join("admin").exists() && !root.join("state/permissions.json").exists());
    let events = read(&root, "telemetry/auth_events.json")["events"].clone();
    assert_eq!(events.as_array().unwrap().len(), 2, "neither downloads nor bans are sign-ins");
    assert_eq!(events[0]["ip"], "203.0.113.0/24");
    assert_eq!(events[1]["resend_message_id"], "re_1");
    let permission = read(&dir, "state/permissions.json")["permissions"][0].clone();
    let grants = json!(["room:ana:own", "room:zoe:queue", "room:zoe:hide"]);
    assert_eq!((&permission["grants"], &permission["role"]), (&grants, &json!("creator")));
    assert_eq!(read(&dir, "admin/audit/audit.json")["audit"].as_array().unwrap().len(), 4);
}

#[test]
fn a_publish_root_that_holds_the_exports_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("exports");
    for root in [folder.path(), &dir] {
        let outcome = write_once(&busy_sources(), &dir, Some(root), false, Timestamp::now());
        assert!(matches!(outcome, Err(ExportError::PublishesEverything(_))), "{outcome:?}");
    }
    let all: BTreeSet<_> = paths(|_| true).iter().map(|it| format!("exports/{it}")).collect();
    assert_eq!(list_files(folder.path()), all);
}

#[test]
fn what_was_moderated_is_not_exported() {
    let sources = busy_sources();
    let dir = tempfile::tempdir().unwrap();
    let text = || {
        write(&sources, dir.path());
        fs::read_to_string(dir.path().join("signals/chat_events.json")).unwrap()
    };
    let ana = sources.hub.as_ref().unwrap().find_room("ana").unwrap();
    assert!(text().contains("hello"));
    assert!(!text().contains("what was quoted"));
    let delete = ChatDelete {
        platform: Platform::Twitch,
        message_id: QualifiedId::new(Platform::Twitch, "m1"),
        author_id: None,
    };
    ana.publish(&EventBody::ChatDelete(delete), &Arrival::now());
    let after = text();
    assert!(!after.contains("\"hello\"") && after.contains("and hello again"), "{after}");
    let zoe = sources.hub.as_ref().unwrap().find_room("zoe").unwrap();
    zoe.publish(&EventBody::ChatClear(ChatClear { platform: None }), &Arrival::now());
    assert!(!text().contains("hello"));
}

#[test]
fn the_newest_200_messages_of_all_rooms_are_exported_in_the_order_they_came() {
    let mut sources = busy_sources();
    let hub = hub(&sources.telemetry);
    let rooms = ["ana", "ben", "zoe"].map(|it| open(&hub, it));
    for it in 0..250 {
        say(&rooms[it % 3], &format!("n{it}"), &format!("message {it}"));
    }
    sources.hub = Some(hub);
    let dir = tempfile::tempdir().unwrap();
    write(&sources, dir.path());
    let file = read(dir.path(), "signals/chat_events.json");
    let events = file["events"].as_array().unwrap();
    assert_eq!(events.len(), 200);
    let number = |it: &Value| -> usize {
        it["event_id"].as_str().unwrap().strip_prefix("twitch:n").unwrap().parse().unwrap()
    };
    // Messages of the same millisecond stand by room.
    let numbers: BTreeSet<_> = events.iter().map(number).collect();
    assert_eq!(numbers.len(), 200);
    for room in 0..3 {
        let of_room: Vec<_> = events.iter().map(number).filter(|it| it % 3 == room).collect();
        assert!(of_room.is_sorted());
        assert_eq!(of_room.last(), Some(&((247..250).find(|it| it % 3 == room).unwrap())));
    }
    assert_eq!(events[0]["username"], "mira");
}

#[test]
fn the_snapshot_tells_how_well_each_platform_is_read() {
    use PlatformState::{Connecting, Degraded, Disabled, Live, Offline, Paused};
    let dir = tempfile::tempdir().unwrap();
    let twitch = |states: &[PlatformState]| {
        let telemetry = Telemetry::new();
        let hub = hub(&telemetry);
        for (index, state) in states.iter().enumerate() {
            set_status(&open(&hub, &format!("r{index}")), Platform::Twitch, *state, "because");
        }
        let sources = Sources { hub: Some(hub), telemetry, ..busy_sources() };
        write(&sources, dir.path());
        read(dir.path(), "runtime_snapshot.json")["platforms"][0].clone()
    };
    for (states, state, status, error) in [
        (&[][..], "active", "inactive", Value::Null),
        (&[Offline], "active", "inactive", Value::Null),
        (&[Connecting], "active", "connecting", Value::Null),
        (&[Degraded, Live], "active", "connected", json!("r0: because")),
        (&[Degraded, Connecting], "active", "connecting", json!("r0: because")),
        (&[Offline, Degraded], "active", "failed", json!("r1: because")),
        (&[Disabled], "active", "failed", json!("r0: because")),
        (&[Paused], "paused", "paused", Value::Null),
    ] {
        let entry = twitch(states);
        let told = (&entry["state"], &entry["status"], &entry["error"]);
        assert_eq!(told, (&json!(state), &json!(status), &error), "{states:?}");
        assert_eq!(entry["paused"], state == "paused");
        let reason = if state == "paused" { json!("because") } else { Value::Null };
        assert_eq!(entry["paused_reason"], reason);
    }
}

#[test]
fn the_snapshot_tells_of_creators_counters_and_what_waits_for_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    write(&busy_sources(), dir.path());
    let snapshot = read(dir.path(), "runtime_snapshot.json");
    let platforms = snapshot["platforms"].as_array().unwrap();
    let names: Vec<_> = platforms.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["twitch", "youtube", "kick", "rumble", "pilled", "discord", "x"]);
    assert_eq!(platforms[0]["counters"]["messages"], 2);
    assert!(platforms[0]["last_event_ts"].is_string());
    assert_eq!(
        (&platforms[1]["status"], &platforms[1]["state"]),
        (&json!("inactive"), &json!("active"))
    );
    assert_eq!(
        (&platforms[6]["status"], &platforms[6]["state"]),
        (&json!("disabled"), &json!("disabled"))
    );
    assert_eq!(snapshot["jobs"][0]["name"], "webhook");
    assert_eq!(snapshot["jobs"][0]["applied"], true);
    assert_eq!(snapshot["jobs"][3]["reason"], "clips are not made by this server");

    let creators = snapshot["creators"].as_array().unwrap();
    let creator = |it: usize| timeless(creators[it].clone());
    assert_eq!(
        creator(0),
        json!({"creator_id": "ana", "display_name": "Ana Live", "enabled": true, "error": null,
            "platforms": {"twitch": {"enabled": true, "status": "connected"}}})
    );
    assert_eq!(
        creator(1),
        json!({"creator_id": "ben", "display_name": "ben", "enabled": false, "error": null,
            "platforms": {"twitch": {"enabled": false, "status": "disabled"}}})
    );
    assert_eq!(creator(2)["creator_id"], "zoe");
    assert_eq!(creators.len(), 3);
    assert_eq!(snapshot["restart_intent"], json!({"required": true, "pending": {"listen": true}}));
    let errors = read(dir.path(), "telemetry/errors.json");
    assert_eq!(errors["errors"][0]["message"], "no answer");
}

#[test]
fn a_platform_without_a_worker_is_planned_and_one_switched_off_is_paused() {
    let dir = tempfile::tempdir().unwrap();
    let mut sources = busy_sources();
    let status = |sources: &Sources| {
        write(sources, dir.path());
        let file = read(dir.path(), "platforms.json");
        let list = file["platforms"].as_array().unwrap().clone();
        list.iter().map(|it| it["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = ["active", "active", "active", "active", "active", "planned", "planned"];
    assert_eq!(status(&sources), all);
    let mut config = Config::default();
    config.platforms.twitch.enabled = false;
    sources.config = Arc::new(config);
    assert_eq!(status(&sources)[0], "paused");
}

#[test]
fn only_public_files_are_found_and_no_path_leads_outside() {
    let dir = Path::new("exports");
    let rates = dir.join("telemetry").join("rates.json");
    assert_eq!(find_public(dir, "/exports/telemetry/rates.json"), Some(rates.clone()));
    assert_eq!(find_public(dir, "telemetry/rates.json"), Some(rates));
    for path in [
        "/exports/signals/chat_events.json",
        "/exports/README.md",
        "/exports/",
        "",
        "/exports//version.json",
        "/exports/./version.json",
        "/exports/../version.json",
        "/exports/telemetry/../version.json",
        "/exports/telemetry%2Frates.json",
        "/exports/telemetry\\rates.json",
        "/version.json",
        "/exports/VERSION.JSON",
        "/exports/version.json.part",
        "/exports/version.json\0",
    ] {
        assert_eq!(find_public(dir, path), None, "{path:?}");
    }
}

#[test]
fn an_export_by_hand_leaves_a_running_server_its_own_files() {
    let dir = tempfile::tempdir().unwrap();
    let running = busy_sources();
    let by_hand = Sources { hub: None, accounts: None, started_at: None, ..busy_sources() };
    write(&running, dir.path());
    let of_server = fs::read(dir.path().join("runtime_snapshot.json")).unwrap();
    let written = write_once(&by_hand, dir.path(), None, false, Timestamp::now()).unwrap();
    let of_files = |it: &&Export| matches!(it.content, document::Content::OnChange { .. });
    let mut expected: Vec<_> = EXPORTS.iter().filter(of_files).map(|it| it.path).collect();
    expected.push("meta.json");
    assert_eq!(written, expected);
    for never in ["polls.json", "state/jobs.json", "signals/chat_events.json"] {
        assert!(!written.contains(&never), "{never}");
    }
    assert_eq!(fs::read(dir.path().join("runtime_snapshot.json")).unwrap(), of_server);
    let of_accounts =
        EXPORTS.iter().filter(|it| matches!(it.content, document::Content::OfAccounts(_)));
    let listed = read(dir.path(), "meta.json")["exports"].to_string();
    for it in of_accounts.clone() {
        assert!(listed.contains(it.path), "{} stands, and is listed", it.path);
    }

    // What the server is writing at this moment is its own.
    let part = dir.path().join("version.json.4711.part");
    fs::write(&part, "{").unwrap();
    write_once(&by_hand, dir.path(), None, false, Timestamp::now()).unwrap();
    assert!(part.exists());

    let later = Timestamp::now().plus_ms(writer::STALE_AFTER_MS + 1);
    let written = write_once(&by_hand, dir.path(), None, false, later).unwrap();
    assert_eq!(written.len(), EXPORTS.len() - of_accounts.count());
    assert!(!part.exists(), "nobody writes any more");
    assert_eq!(read(dir.path(), "runtime_snapshot.json")["heartbeat"], Value::Null);
}

/// An exporter that runs on a clock which moves only while all wait.
struct Running {
    folder: tempfile::TempDir,
    hub: Arc<Hub>,
    telemetry: Telemetry,
    config: watch::Sender<Arc<Config>>,
    _restart: watch::Sender<Vec<&'static str>>,
    life: Lifecycle,
    task: JoinHandle<()>,
}

impl Running {
    fn start(folder: tempfile::TempDir, config: Config) -> Self {
        let sources = busy_sources();
        let (hub, telemetry, life) = (sources.hub.unwrap(), sources.telemetry, Lifecycle::new());
        let config = watch::Sender::new(Arc::new(config));
        let restart = watch::Sender::new(Vec::new());
        let exporter = Exporter {
            hub: Arc::clone(&hub),
            telemetry: telemetry.clone(),
            config: config.subscribe(),
            restart: restart.subscribe(),
            quotas: busy_quotas(),
            accounts: busy_accounts(),
            jobs: busy_jobs(),
            boards: busy_boards(),
            triggers: busy_triggers(),
            life: life.clone(),
            dir: folder.path().join("exports"),
        };
        let task = life.spawn(exporter.run());
        Self { folder, hub, telemetry, config, _restart: restart, life, task }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets the clock run until `condition` holds; returns how long that took.
    async fn until(&self, condition: impl Fn() -> bool) -> Duration {
        let start = tokio::time::Instant::now();
        let mut looks = tokio::time::interval(Duration::from_millis(100));
        while !condition() {
            looks.tick().await;
            assert!(start.elapsed() < Duration::from_secs(120), "it never came");
        }
        start.elapsed()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_default()
    }

    async fn changes(&self, name: &str) -> Duration {
        let before = self.bytes(name);
        self.until(|| self.bytes(name) != before).await
    }

    async fn stop(self) -> tempfile::TempDir {
        assert_eq!(self.life.shut_down(Duration::from_secs(30)).await, 0);
        self.task.await.unwrap();
        self.folder
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn everything_is_written_at_the_start_on_its_cadence_and_at_the_end() {
    let running = Running::start(tempfile::tempdir().unwrap(), Config::default());
    running.until(|| running.path("exports/meta.json").exists()).await;
    assert_eq!(list_files(&running.path("exports")), paths(|_| true));

    assert!(running.changes("exports/runtime_snapshot.json").await <= 6 * SECOND);
    assert!(running.changes("exports/telemetry/rates.json").await <= 6 * SECOND);
    let version = running.changes("exports/version.json").await;
    assert!(version > 10 * SECOND && version <= 31 * SECOND, "{version:?}");

    // Chat is written within a second or so, and so is its deletion.
    running.changes("exports/version.json").await;
    let ana = running.hub.find_room("ana").unwrap();
    say(&ana, "m3", "straight away");
    let chat = || String::from_utf8(running.bytes("exports/signals/chat_events.json")).unwrap();
    assert!(running.until(|| chat().contains("straight away")).await <= 2 * SECOND);
    ana.publish(&EventBody::ChatClear(ChatClear { platform: None }), &Arrival::now());
    assert!(running.until(|| !chat().contains("straight away")).await <= 2 * SECOND);

    say(&ana, "m4", "the last word");
    let folder = running.stop().await;
    let chat = fs::read_to_string(folder.path().join("exports/signals/chat_events.json"));
    assert!(chat.unwrap().contains("the last word"));
    assert_eq!(list_files(&folder.path().join("exports")), paths(|_| true));
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_server_left_is_removed_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let exports = folder.path().join("exports");
    fs::create_dir_all(exports.join("telemetry")).unwrap();
    fs::write(exports.join("runtime_snapshot.json.99.part"), "{\"half").unwrap();
    fs::write(exports.join("telemetry/events.json.part"), "{\"half").unwrap();
    let running = Running::start(folder, Config::default());
    running.until(|| running.path("exports/meta.json").exists()).await;
    assert_eq!(list_files(&exports), paths(|_| true));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_cannot_be_written_is_told_once_and_written_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("exports"), "in the way").unwrap();
    let running = Running::start(folder, Config::default());
    let errors = || {
        let errors = running.telemetry.recent.list_errors();
        errors.into_iter().filter(|it| it.subsystem == "exports").collect::<Vec<_>>()
    };
    running.until(|| !errors().is_empty()).await;
    // Ten more rounds change nothing about it.
    let start = tokio::time::Instant::now();
    running.until(|| start.elapsed() >= 10 * SECOND).await;
    assert_eq!(errors().len(), 1);
    assert_eq!(errors()[0].error_type, "unwritable");
    // This is public, and the paths of this machine are not.
    assert!(!errors()[0].message.contains(running.folder.path().to_str().unwrap()));

    fs::remove_file(running.path("exports")).unwrap();
    let wait = running.until(|| running.path("exports/meta.json").exists()).await;
    assert!(wait <= 2 * SECOND, "{wait:?}");
    assert_eq!(list_files(&running.path("exports")), paths(|_| true));
    running
        .until(|| running.telemetry.recent.list_events().iter().any(|it| it.source == "exports"))
        .await;
    assert_eq!(errors().len(), 1);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_file_that_cannot_be_written_keeps_no_other_back() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("exports/version.json");
    fs::create_dir_all(&in_the_way).unwrap();
    let running = Running::start(folder, Config::default());
    running.until(|| running.path("exports/meta.json").exists()).await;
    assert!(running.path("exports/signals/chat_events.json").exists());
    fs::remove_dir(&in_the_way).unwrap();
    running.until(|| in_the_way.is_file()).await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_publish_root_follows_the_configuration() {
    let running = Running::start(tempfile::tempdir().unwrap(), Config::default());
    running.until(|| running.path("exports/meta.json").exists()).await;
    let names = list_names(running.folder.path());
    assert_eq!(names, ["exports"], "nobody named another folder");

    let site = running.path("site");
    let set = |dashboard_only| {
        let mut config = Config::default();
        config.system.exports.publish_root = Some(site.clone());
        config.system.exports.publish_dashboard_too = dashboard_only;
        running.config.send_replace(Arc::new(config));
    };
    set(true);
    running.until(|| site.join("meta.json").exists()).await;
    assert_eq!(
        list_files(&site),
        paths(|it| matches!(it, Visibility::Public | Visibility::DashboardOnly))
    );
    set(false);
    running.until(|| list_files(&site) == paths(|it| it == Visibility::Public)).await;
    running.stop().await;
}

fn list_names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    names.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
}
