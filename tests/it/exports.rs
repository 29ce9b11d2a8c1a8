//! Exported files of a server that lived: whole, alike wherever they are made, and nothing in them for the wrong eyes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::{Value, json};
use streamsuites::{
    app::Playback,
    chat::room::Arrival,
    exports::{EXPORTS, Export, Visibility},
    jobs::NewJob,
    platforms::recording::Speed,
};

use crate::support::{
    Setup, TOKEN, TestServer, deletion, message,
    people::Person,
    process::{Ended, Process},
    resend::Resend,
};

/// All files, by name.
fn read_all(dir: &Path) -> BTreeMap<&'static str, Value> {
    EXPORTS
        .iter()
        .map(|it| {
            let text = read_text(dir, it);
            (it.path, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{}", it.path)))
        })
        .collect()
}

fn read_text(dir: &Path, export: &Export) -> String {
    fs::read_to_string(export.path_in(dir)).unwrap_or_else(|_| panic!("no {}", export.path))
}

/// A file to the byte, without the lines that say when it was made, and hashes over those.
fn timeless(dir: &Path, export: &Export) -> String {
    let is_moment = |line: &&str| {
        let name = line.trim_start().split(':').next().unwrap_or_default();
        matches!(name, "\"generated_at\"" | "\"exported_at\"")
            || (export.path == "meta.json" && name == "\"sha256\"")
    };
    let text = read_text(dir, export);
    text.split_inclusive('\n').filter(|it| !is_moment(it)).collect()
}

async fn ask(server: &TestServer, method: &str, path: &str, body: Value) -> Value {
    let answer = server.request(method, path, body).bearer_auth(TOKEN).send().await.unwrap();
    let status = answer.status();
    let bytes = answer.bytes().await.unwrap();
    assert!(status.is_success(), "{path}: {}", String::from_utf8_lossy(&bytes));
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Chat, a deletion, boards, a trigger and a job in two rooms.
async fn live(server: &TestServer) {
    let (ana, ben) = (server.room("ana"), server.room("ben"));
    for it in 0..130 {
        ana.publish(&message(&format!("a{it}"), "7", &format!("of ana {it}")), &Arrival::now());
        ben.publish(&message(&format!("b{it}"), "8", &format!("of ben {it}")), &Arrival::now());
    }
    ana.publish(&message("gone", "7", "never to be seen again"), &Arrival::now());
    ben.publish(&message("last", "8", "the last of ben"), &Arrival::now());
    ana.publish(&deletion("gone"), &Arrival::now());
    let poll = json!({"question": "Tea?", "options": ["yes", "no"]});
    let poll = ask(server, "POST", "/api/rooms/ana/polls", poll).await;
    let votes = format!("/api/rooms/ana/polls/{}/votes", poll["poll_id"].as_str().unwrap());
    ask(server, "POST", &votes, json!({"voter": "twitch:7", "choice": "yes"})).await;
    let tally = ask(server, "POST", "/api/rooms/ben/tallies", json!({"label": "Jumps"})).await;
    let count = format!("/api/rooms/ben/tallies/{}/count", tally["tally_id"].as_str().unwrap());
    ask(server, "POST", &count, json!({"by": 3})).await;
    let board = ask(server, "POST", "/api/rooms/ana/scoreboards", json!({"title": "Quiz"})).await;
    let scores =
        format!("/api/rooms/ana/scoreboards/{}/scores", board["scoreboard_id"].as_str().unwrap());
    ask(server, "POST", &scores, json!({"label": "Mira", "by": 4})).await;
    let trigger = json!({
        "trigger_id": "hello", "type": "command", "command": "hello",
        "actions": [{"action_type": "reply", "payload": {"text": "hi"}}],
    });
    ask(server, "POST", "/api/rooms/ana/triggers", trigger).await;
    // To nowhere: it fails at once, and stays to be seen.
    let url = "https://nowhere.example.com/hidden-in-an-address";
    let new = NewJob::webhook("ana".parse().unwrap(), url, json!("hidden too"), "trigger hello");
    server.server.jobs.add(new).unwrap();
}

/// Copies the files of a folder that nobody uses.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}

async fn export(folder: &Path, data: &Path, exports: &Path) -> Ended {
    let text = |it: &Path| it.to_str().unwrap().to_owned();
    let (data, exports) = (text(data), text(exports));
    let arguments = ["export", "--config", "config", "--data", &data, "--exports", &exports];
    Process::start_at(folder, &arguments, &[]).ended().await
}

/// Files that say what was decided and kept; the others say what runs now, or happened since the start.
fn is_state(export: &Export) -> bool {
    let running = ["runtime_snapshot.json", "meta.json"];
    !export.path.starts_with("telemetry/")
        && !running.contains(&export.path)
        && (!export.path.starts_with("signals/") || export.path == "signals/chat_events.json")
}

/// Goal: exports are a function of the data alone, also right after a restart, when nothing is in memory.
/// Method: two copies of a stopped server's folder, exported by the binary, beside what the server itself wrote last.
#[tokio::test]
async fn the_same_data_gives_the_same_files_wherever_and_by_whomever_they_are_made() {
    let server = Setup::new().rooms(&["ana", "ben"]).start().await;
    live(&server).await;
    Person::put(&server, "mira", &[]).await;
    let stopped = server.stop_for_now().await;
    let data = stopped.data_folder();
    let folder = data.parent().unwrap().to_owned();
    let by_server = read_all(&folder.join("exports"));
    let (mut made, mut folders) = (Vec::new(), Vec::new());
    for name in ["one", "two"] {
        copy(&data, &folder.join(name));
        let exports = folder.join(format!("{name}-exports"));
        let ended = export(&folder, &folder.join(name), &exports).await;
        assert!(ended.status.success(), "{}", ended.err);
        assert!(ended.out.contains(&format!("{} files are in", EXPORTS.len())), "{}", ended.out);
        made.push(read_all(&exports));
        folders.push(exports);
    }
    for it in &EXPORTS {
        let (one, two) = (timeless(&folders[0], it), timeless(&folders[1], it));
        assert_eq!(one, two, "{}", it.path);
        if is_state(it) {
            assert_eq!(one, timeless(&folder.join("exports"), it), "{}", it.path);
        }
    }
    let chat = made[0]["signals/chat_events.json"].to_string();
    assert!(chat.contains("the last of ben") && !chat.contains("never to be seen again"));
    let count = |file: &str, key: &str| made[0][file][key].as_array().unwrap().len();
    assert_eq!(count("signals/chat_events.json", "events"), 200);
    assert_eq!((count("polls.json", "polls"), count("tallies.json", "tallies")), (1, 1));
    assert_eq!(count("scoreboards.json", "scoreboards"), 1);
    assert_eq!(count("state/chat_triggers.json", "triggers"), 1);
    assert_eq!(count("state/jobs.json", "jobs"), 1);
    assert_eq!(count("admin/users/users.json", "users"), 1);
    assert_eq!(made[0]["polls.json"]["polls"][0]["options"][0]["votes"], 1);
    assert_eq!(made[0]["runtime_snapshot.json"]["heartbeat"], Value::Null);

    // The next start goes on where the last one was.
    let server = stopped.start().await;
    assert!(server.room("ana").head() > 130);
    let restarted = server.stop_for_now().await;
    let again = read_all(&restarted.data_folder().parent().unwrap().join("exports"));
    let messages = |it: &Value| it["events"].clone();
    let file = "signals/chat_events.json";
    assert_eq!(messages(&again[file]), messages(&by_server[file]), "the log knows it all");
}

#[tokio::test]
async fn an_export_beside_a_server_leaves_it_its_files_and_a_strange_folder_is_told() {
    let server = Setup::new().rooms(&["ana", "ben"]).start().await;
    live(&server).await;
    let folder = server.folder().to_owned();
    let file = folder.join("exports/runtime_snapshot.json");
    crate::support::soon("the first exports", async {
        while !file.exists() || !folder.join("exports/meta.json").exists() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let ended = export(&folder, &folder.join("data"), &folder.join("exports")).await;
    assert!(ended.status.success() && ended.out.contains("a server runs"), "{}", ended.err);
    let snapshot: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert!(snapshot["heartbeat"].is_string());
    let ended = export(&folder, &folder.join("data"), &folder.join("elsewhere")).await;
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.err.contains("a server uses the data folder"), "{}", ended.err);
    assert!(!folder.join("elsewhere/version.json").exists());
    server.stop().await;
}

#[tokio::test]
async fn publishing_needs_a_folder_that_somebody_named_and_writes_what_is_public() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    let publish = |variables: &[(&str, String)]| {
        Process::start_at(folder.path(), &["export", "--publish"], variables).ended()
    };
    let ended = publish(&[]).await;
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.err.contains("STREAMSUITES_STATE_PUBLISH_ROOT"), "{}", ended.err);
    let root = folder.path().join("site");
    let variable = ("STREAMSUITES_STATE_PUBLISH_ROOT", root.to_str().unwrap().to_owned());
    let ended = publish(&[variable]).await;
    assert!(ended.status.success(), "{}", ended.err);
    for it in EXPORTS.iter().filter(|it| !it.path.starts_with("telemetry/auth")) {
        let is_public = it.visibility == Visibility::Public;
        assert_eq!(it.path_in(&root).exists(), is_public, "{}", it.path);
    }
    // Made of accounts that nobody has: not written, rather than wrong.
    assert!(!folder.path().join("exports/admin/users/users.json").exists());
}

/// Goal: nothing that must not be known stands in a file that others than admins may read.
/// Method: a server with people, letters, keys and secrets that the test knows; every file is searched for each of them.
#[tokio::test]
async fn no_file_holds_what_its_readers_must_not_know() {
    let resend = Resend::start().await;
    let setup = Setup::new().creators(&json!({"creators": [
        {"id": "ana", "owner": "ana-whom-nobody-knows@example.com"}, {"id": "ben"},
    ]}));
    let setup = setup
        .people(&resend)
        .set("SYSTEM__OVERLAY_ACCESS", "key")
        .variable("DISCORD_BOT_TOKEN", "discord-token-of-nobody")
        .variable("TWITCH_OAUTH_TOKEN_ANA", "oauth:twitch-token-of-nobody");
    let server = setup.start().await;
    live(&server).await;
    let emails = ["ana-whom-nobody-knows@example.com", "viewer-whom-nobody-knows@example.com"];
    let mut secrets: Vec<String> = Vec::new();
    for email in emails {
        let person = Person::sign_up(&server, &resend, email).await;
        let cookie = person.cookie.split('=').nth(1).unwrap();
        secrets.push(cookie.split(';').next().unwrap().to_owned());
        let made = server.post("/account/tokens", r#"{"name":"deck"}"#);
        let made = made.header("cookie", &person.cookie).header("origin", server.url(""));
        let made: Value =
            serde_json::from_slice(&made.send().await.unwrap().bytes().await.unwrap()).unwrap();
        secrets.extend(made["token"].as_str().map(str::to_owned));
    }
    let asked = server.post(
        "/auth/login/password",
        r#"{"email":"stranger-of-the-test@example.com","password":"wrong"}"#,
    );
    asked.header("user-agent", "agent-of-the-test").send().await.unwrap();
    let told = ask(&server, "GET", "/api/rooms/ana/webhook-secret", json!(null)).await;
    secrets.push(told["secret"].as_str().unwrap().to_owned());
    let key = server.server.key_query(&"ana".parse().unwrap()).replace("?key=", "");
    secrets.push(key);
    let folder = server.folder().to_owned();
    let known = fs::read_to_string(folder.join("data/secret.key")).unwrap();
    secrets.push(known.trim().to_owned());
    secrets.extend(
        [
            TOKEN,
            crate::support::resend::KEY,
            "discord-token-of-nobody",
            "twitch-token-of-nobody",
            "hidden-in-an-address",
            "hidden too",
            "agent-of-the-test",
            "never to be seen again",
        ]
        .map(str::to_owned),
    );
    let stopped = server.stop_for_now().await;
    let dir = stopped.data_folder().parent().unwrap().join("exports");
    assert!(secrets.len() >= 14 && secrets.iter().all(|it| it.len() > 7), "{secrets:?}");
    let mut found_addresses = BTreeSet::new();
    for export in &EXPORTS {
        let text = fs::read_to_string(export.path_in(&dir)).unwrap();
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{secret} in {}", export.path);
        }
        for address in emails.iter().chain(&["stranger-of-the-test@example.com"]) {
            let is_there = text.contains(address);
            assert!(!is_there || export.visibility == Visibility::AdminOnly, "{}", export.path);
            found_addresses.extend(is_there.then_some(*address));
        }
        // Where somebody wrote from is for admins, and in the audit by network alone.
        if export.visibility != Visibility::AdminOnly {
            assert!(!text.contains("\"127.0.0.1\""), "{}", export.path);
        }
        if export.visibility == Visibility::Public {
            for private in ["twitch:7", "twitch:8", "of ana 1", "U-"] {
                assert!(!text.contains(private), "{private} in {}", export.path);
            }
        }
    }
    assert!(found_addresses.len() >= 2, "the admins' file has them");
}

/// Goal: every file of the table is there after an evening of all kinds of things, and is what its schema says.
#[tokio::test]
async fn the_table_of_a_lively_demo_holds() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("static/demo/demo.jsonl");
    let (done, played) = tokio::sync::oneshot::channel();
    let room = "demo".parse().unwrap();
    let playback = Playback { file: demo, room, speed: Speed::Max, wait: false, done };
    let server = Setup::new().playback(playback).start().await;
    crate::support::soon("the demo", played).await.unwrap().unwrap();
    let stopped = server.stop_for_now().await;
    let dir = stopped.data_folder().parent().unwrap().join("exports");
    let values = read_all(&dir);
    println!("{:34} {:15} {:44} {:>8}", "file", "visibility", "schema", "bytes");
    for export in &EXPORTS {
        let schema = export.schema();
        let validator = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap();
        let value = &values[export.path];
        let problems: Vec<_> = validator.iter_errors(value).map(|it| it.to_string()).collect();
        assert!(problems.is_empty(), "{}: {problems:?}", export.path);
        let bytes = fs::metadata(export.path_in(&dir)).unwrap().len();
        let visibility = json!(export.visibility);
        println!(
            "{:34} {:15} {:44} {bytes:>8}",
            export.path,
            visibility.as_str().unwrap(),
            format!("/schemas/exports/{}", export.schema_name()),
        );
    }
    let count = |file: &str, key: &str| values[file][key].as_array().unwrap().len();
    assert!(count("signals/chat_events.json", "events") > 50);
    for (file, key) in
        [("polls.json", "polls"), ("tallies.json", "tallies"), ("scoreboards.json", "scoreboards")]
    {
        assert!(count(file, key) > 0, "{file}: the demo has some");
    }
}
