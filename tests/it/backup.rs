//! A copy holds all that belongs to a server: what was recorded, looks, themes and typed channels; and it comes back
//! together or not at all.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{TOKEN, process::Process, socket::Socket, twitch::Twitch};

/// A server in a folder, and the operator at its door.
struct Served {
    process: Process,
    address: String,
    http: reqwest::Client,
}

impl Served {
    async fn start(folder: &Path, twitch: &Twitch, more: &[(&str, &str)]) -> Self {
        let mut variables = vec![
            ("STREAMSUITES_OPERATOR_TOKEN", TOKEN.to_owned()),
            ("STREAMSUITES__PLATFORMS__TWITCH__IRC_URL", twitch.url()),
        ];
        variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let process = Process::start_at(folder, &["--listen", "127.0.0.1:0", "--demo"], &variables);
        let address = process.address().await;
        Self { process, address, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("http://{}{path}", self.address);
        let request = self.http.request(method.parse().unwrap(), url).bearer_auth(TOKEN);
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    /// What can be seen of it: its rooms, how demo looks, the room's own themes, and what was said there.
    async fn picture(&self) -> Value {
        let (_, rooms) = self.ask("GET", "/api/rooms", Value::Null).await;
        let rooms: Vec<_> =
            rooms["rooms"].as_array().unwrap().iter().map(|it| it["room"].clone()).collect();
        let (_, look) = self.ask("GET", "/api/settings?room=demo", Value::Null).await;
        let (_, themes) = self.ask("GET", "/api/themes?room=demo", Value::Null).await;
        let themes = themes["themes"].as_array().unwrap().clone();
        let own = themes.iter().filter(|it| it["origin"] == "own").map(|it| it["name"].clone());
        let url = "/api/rooms/demo/events?platforms=streamsuites&types=chat.message&limit=500";
        let (_, said) = self.ask("GET", url, Value::Null).await;
        let texts = said["events"].as_array().unwrap().iter();
        let texts = texts
            .map(|it| it["data"]["text"].clone())
            .filter(|it| it.as_str().is_some_and(|it| it.starts_with("round ")));
        json!({
            "rooms": rooms, "stored": look["stored"], "own": own.collect::<Vec<_>>(),
            "said": texts.collect::<Vec<_>>(),
        })
    }

    /// Says, sets, designs and types something.
    async fn live_through(&self, round: &str) {
        let said = json!({ "text": format!("round {round}") });
        assert_eq!(self.ask("POST", "/api/rooms/demo/synthetic", said).await.0, 201);
        let set = json!({ "font": format!("Font {round}") });
        assert_eq!(self.ask("PUT", "/api/settings?room=demo", set).await.0, 200);
        let theme = json!({ "title": format!("theme {round}"), "css": ".name { color: red }" });
        assert_eq!(self.ask("POST", "/api/themes?room=demo", theme).await.0, 201);
        let typed = json!({ "channel": format!("twitch:typed_{round}") });
        assert_eq!(self.ask("POST", "/api/rooms", typed).await.0, 201);
    }

    async fn stop(self) {
        self.process.signal("-INT").await;
        assert!(self.process.ended().await.status.success());
    }
}

async fn run(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let token = [("STREAMSUITES_OPERATOR_TOKEN", TOKEN.to_owned())];
    let ended = Process::start_at(folder, arguments, &token).ended().await;
    (ended.status.success(), format!("{}{}", ended.out, ended.err))
}

fn files(folder: &Path, start: &str) -> usize {
    let names = fs::read_dir(folder.join("data")).unwrap().map(|it| it.unwrap().file_name());
    names.filter(|it| it.to_string_lossy().starts_with(start)).count()
}

#[tokio::test]
async fn looks_themes_and_typed_channels_are_in_a_copy_whether_the_server_runs_or_not() {
    let twitch = Twitch::plain().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Served::start(folder, &twitch, &[]).await;
    server.live_through("one").await;
    let first = server.picture().await;
    let (done, text) = run(folder, &["backup", "online.redb"]).await;
    assert!(done, "{text}");
    server.live_through("two").await;
    let second = server.picture().await;
    assert_ne!(first, second);

    // While it runs: at once, in open overlays too, and a worker of what was not typed then ends.
    let mut overlay = Socket::open(&format!("ws://{}/ws/demo?backlog=0", server.address)).await;
    assert_eq!(overlay.hello["settings"]["font"], "Font two");
    twitch.joined("typed_two").await;
    let (done, text) = run(folder, &["restore", "online.redb"]).await;
    assert!(done, "{text}");
    overlay.next_of("settings.update").await;
    assert_eq!(overlay.closed().await, Some(4005));
    assert_eq!(server.picture().await, first);
    let overlay = Socket::open(&format!("ws://{}/ws/demo", server.address)).await;
    assert_eq!(overlay.hello["settings"]["font"], "Font one");
    let left = |seen: &crate::support::twitch::Seen| {
        (seen.carrier("typed_two").is_none() && seen.carrier("typed_one").is_some()).then_some(())
    };
    twitch.until("the worker of what is gone ends", left).await;
    server.stop().await;
    // What was there before is kept beside it.
    assert_eq!(
        (files(folder, "feed.before-restore-"), files(folder, "state.before-restore-")),
        (1, 1)
    );

    // And it outlives the restart: nothing is taken over twice.
    let server = Served::start(folder, &twitch, &[]).await;
    assert_eq!(server.picture().await, first);
    server.live_through("three").await;
    let third = server.picture().await;
    server.stop().await;
    let server = Served::start(folder, &twitch, &[]).await;
    assert_eq!(server.picture().await, third);
    server.stop().await;

    // While nobody runs.
    let (done, text) = run(folder, &["backup", "offline.redb"]).await;
    assert!(done, "{text}");
    let (done, text) = run(folder, &["restore", "online.redb"]).await;
    assert!(done, "{text}");
    // A copy of what was restored and never started is a copy of what was restored.
    let (done, text) = run(folder, &["backup", "again.redb"]).await;
    assert!(done, "{text}");
    for (copy, expected) in [("again.redb", &first), ("offline.redb", &third)] {
        let (done, text) = run(folder, &["restore", copy]).await;
        assert!(done, "{text}");
        let server = Served::start(folder, &twitch, &[]).await;
        assert_eq!(server.picture().await, *expected, "{copy}");
        server.stop().await;
    }

    // Onto a machine that knows nothing, where nothing is recorded either.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("data")).unwrap();
    let copy = folder.join("offline.redb").display().to_string();
    let (done, text) = run(elsewhere.path(), &["restore", &copy]).await;
    assert!(done, "{text}");
    let unrecorded = [("STREAMSUITES__SYSTEM__FEED__RECORD", "false")];
    let server = Served::start(elsewhere.path(), &twitch, &unrecorded).await;
    let picture = server.picture().await;
    assert_eq!((&picture["rooms"], &picture["stored"]), (&third["rooms"], &third["stored"]));
    server.stop().await;
}

/// What `backup` wrote before it knew of looks is a feed log and nothing else.
#[tokio::test]
async fn a_copy_without_looks_and_channels_leaves_them_as_they_are() {
    let twitch = Twitch::plain().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Served::start(folder, &twitch, &[]).await;
    server.live_through("one").await;
    server.stop().await;
    fs::copy(folder.join("data/feed.redb"), folder.join("old.redb")).unwrap();

    let server = Served::start(folder, &twitch, &[]).await;
    server.live_through("two").await;
    let mut expected = server.picture().await;
    expected["said"] = json!(["round one"]);
    let (done, text) = run(folder, &["restore", "old.redb"]).await;
    assert!(done, "{text}");
    assert_eq!(server.picture().await, expected);
    server.stop().await;
    let (done, text) = run(folder, &["restore", "old.redb"]).await;
    assert!(done, "{text}");
    let server = Served::start(folder, &twitch, &[]).await;
    assert_eq!(server.picture().await, expected);
    server.stop().await;
}

/// The power may go between a copy being put in place and its being taken over.
#[tokio::test]
async fn a_restore_that_was_cut_off_is_brought_to_its_end_by_the_next_start() {
    let twitch = Twitch::plain().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Served::start(folder, &twitch, &[]).await;
    server.live_through("one").await;
    let first = server.picture().await;
    let (done, text) = run(folder, &["backup", "copy.redb"]).await;
    assert!(done, "{text}");
    server.live_through("two").await;
    server.process.kill().await;
    // As the swap leaves it: the log is the copy, and the rest is as it was.
    fs::copy(folder.join("copy.redb"), folder.join("data/feed.redb")).unwrap();
    let server = Served::start(folder, &twitch, &[]).await;
    assert_eq!(server.picture().await, first);
    server.stop().await;
}

/// A copy that cannot be used changes neither.
#[tokio::test]
async fn what_is_no_copy_leaves_recordings_and_looks_alone() {
    let twitch = Twitch::plain().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Served::start(folder, &twitch, &[]).await;
    server.live_through("one").await;
    let before = server.picture().await;
    fs::copy(folder.join("data/channels.json"), folder.join("nonsense")).unwrap();
    let (done, text) = run(folder, &["restore", "nonsense"]).await;
    assert!(!done && text.contains("cannot restore nonsense"), "{text}");
    assert_eq!(server.picture().await, before);
    server.stop().await;
    // A database, and no feed log.
    fs::copy(folder.join("data/state.redb"), folder.join("state-only.redb")).unwrap();
    for copy in ["nonsense", "state-only.redb"] {
        let (done, text) = run(folder, &["restore", copy]).await;
        assert!(!done, "{copy}: {text}");
    }
    let server = Served::start(folder, &twitch, &[]).await;
    assert_eq!(server.picture().await, before);
    server.stop().await;
}

/// The mail addresses that have accounts, and whether a token still opens one.
async fn accounts(folder: &Path, server: Option<&Served>, token: &str) -> (Vec<String>, bool) {
    match server {
        None => {
            let (done, text) = run(folder, &["account", "list", "--json"]).await;
            assert!(done, "{text}");
            let listed: Vec<Value> = serde_json::from_str(&text).unwrap();
            let emails = listed.iter().map(|it| it["email"].as_str().unwrap().to_owned());
            (emails.collect(), true)
        }
        Some(server) => {
            let url = format!("http://{}/auth/session", server.address);
            let answer = server.http.get(url).bearer_auth(token).send().await.unwrap();
            (Vec::new(), answer.status().as_u16() == 200)
        }
    }
}

/// Goal: whoever had an account when the copy was made has it again, their programs too, and nobody else; and sign-ins
/// end.
#[tokio::test]
async fn accounts_come_back_with_the_copy_and_everybody_signs_in_anew() {
    let twitch = Twitch::plain().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for email in ["ana@example.com", "ben@example.com"] {
        let (done, text) = run(folder, &["account", "create-admin", email, "--link"]).await;
        assert!(done, "{text}");
    }
    let create = ["token", "create", "--account", "ana@example.com", "--name", "bot"];
    let (done, token) = run(folder, &create).await;
    assert!(done, "{token}");
    let token = token.trim().to_owned();
    let link = ["account", "reset-password", "ana@example.com", "--link"];
    let (_, text) = run(folder, &link).await;
    let secret = text.trim().rsplit_once("token=").unwrap().1.to_owned();

    let server = Served::start(folder, &twitch, &[]).await;
    let browser = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let url = format!("http://{}/auth/link", server.address);
    let answer = browser.post(url).form(&[("token", &secret)]).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split_once(';').unwrap().0.to_owned();
    let is_in = async || {
        let url = format!("http://{}/account/me", server.address);
        browser.get(url).header("cookie", &cookie).send().await.unwrap().status().as_u16()
    };
    assert_eq!(is_in().await, 200);
    let (done, text) = run(folder, &["backup", "copy.redb"]).await;
    assert!(done, "{text}");
    let copy = fs::read(folder.join("copy.redb")).unwrap();
    let sign_in = cookie.split_once('=').unwrap().1.as_bytes();
    assert!(!copy.windows(sign_in.len()).any(|it| it == sign_in));

    // Into the server that runs.
    let (done, text) = run(folder, &["restore", "copy.redb"]).await;
    assert!(done, "{text}");
    assert_eq!(is_in().await, 401, "sign-ins are not brought back");
    assert!(accounts(folder, Some(&server), &token).await.1);
    server.stop().await;
    assert_eq!(files(folder, "accounts.before-restore-"), 1);

    // While nobody runs: at once, as far as anybody can see.
    let (done, text) = run(folder, &["account", "create-admin", "cy@example.com", "--link"]).await;
    assert!(done, "{text}");
    let (done, text) = run(folder, &["backup", "later.redb"]).await;
    assert!(done, "{text}");
    let (ana_and_ben, all) = (
        vec!["ana@example.com".to_owned(), "ben@example.com".to_owned()],
        ["ana", "ben", "cy"].map(|it| format!("{it}@example.com")).to_vec(),
    );
    for (copy, expected) in [("copy.redb", &ana_and_ben), ("later.redb", &all)] {
        let (done, text) = run(folder, &["restore", copy]).await;
        assert!(done, "{text}");
        // A copy of what was restored and never started is a copy of what was restored.
        let (done, text) = run(folder, &["backup", &format!("again-{copy}")]).await;
        assert!(done, "{text}");
        assert_eq!(accounts(folder, None, "").await.0, *expected, "{copy}");
    }
    // The power goes between the copy being put in place and its being taken over.
    fs::copy(folder.join("again-copy.redb"), folder.join("data/feed.redb")).unwrap();
    let server = Served::start(folder, &twitch, &[]).await;
    assert!(accounts(folder, Some(&server), &token).await.1);
    server.stop().await;
    assert_eq!(accounts(folder, None, "").await.0, ana_and_ben);

    // Onto a machine that knows nothing, where nothing is recorded either.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("data")).unwrap();
    let copy = folder.join("later.redb").display().to_string();
    let (done, text) = run(elsewhere.path(), &["restore", &copy]).await;
    assert!(done, "{text}");
    let unrecorded = [("STREAMSUITES__SYSTEM__FEED__RECORD", "false")];
    let server = Served::start(elsewhere.path(), &twitch, &unrecorded).await;
    assert!(accounts(elsewhere.path(), Some(&server), &token).await.1);
    server.stop().await;
    assert_eq!(accounts(elsewhere.path(), None, "").await.0, all);

    // A copy of a version that knew no accounts leaves them alone.
    fs::copy(elsewhere.path().join("data/feed.redb"), folder.join("old.redb")).unwrap();
    let (done, text) = run(folder, &["restore", "old.redb"]).await;
    assert!(done, "{text}");
    assert_eq!(accounts(folder, None, "").await.0, ana_and_ben);
}
