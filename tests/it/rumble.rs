//! Rumble on good days: from a channel's name to its messages, and what the Live Stream API adds.

use serde_json::{Value, json};

use crate::support::{
    Setup, TestServer,
    process::Process,
    rumble::{Live, Rumble, message},
    socket::Socket,
};

/// A server that reads `c/ana` into the room `ana`.
pub(crate) fn setup(rumble: &Rumble) -> Setup {
    let setup = Setup::new().channel("ana=rumble:c/ana");
    rumble.settings().into_iter().fold(setup, |setup, (name, value)| setup.set(&name, value))
}

async fn start(rumble: &Rumble) -> (TestServer, Socket) {
    let server = setup(rumble).start().await;
    let socket = server.socket("/ws/ana").await;
    (server, socket)
}

#[tokio::test]
async fn a_message_reaches_the_room_by_the_stream_of_the_channels_own_chat() {
    let rumble = Rumble::start().await;
    let long_ago = json!({ "time": "2026-01-01T00:00:00+00:00" });
    rumble.keep(message("1", "said long ago", long_ago));
    let (server, mut socket) = start(&rumble).await;
    let old = socket.next_of("chat.message").await["data"].clone();
    assert_eq!((&old["text"], &old["flags"]), (&json!("said long ago"), &json!(["historical"])));
    let status = status(&server);
    assert_eq!(status["state"], "live");
    assert!(status["detail"].as_str().unwrap().starts_with("SSE_BEST_EFFORT"), "{status}");

    rumble.say("9007199254740993", "hello :r+wave: @ana https://example.org");
    let new = socket.next_of("chat.message").await["data"].clone();
    assert_eq!(new["id"], "rumble:9007199254740993");
    assert_eq!(new["flags"], json!([]));
    assert_eq!(new["author"]["id"], "rumble:7");
    assert_eq!(new["author"]["name"], "Bo");
    assert_eq!(new["author"]["roles"], json!(["moderator"]));
    assert_eq!(new["author"]["badges"][1]["title"], "Moderator");
    assert!(
        new["author"]["badges"][1]["url"].as_str().unwrap().starts_with("/media/at/rumble.com/")
    );
    let (headers, chats) = {
        let seen = rumble.seen();
        (seen.streams[0].clone(), seen.chats.clone())
    };
    assert_eq!(headers["accept"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-cache");
    assert_eq!(headers["origin"], rumble.site().as_str());
    assert!(headers["referer"].to_str().unwrap().starts_with(&rumble.site()));
    assert!(headers["user-agent"].to_str().unwrap().starts_with("Mozilla/5.0"));
    assert_eq!(chats, ["445201096"]);
    // Asked for in its own time.
    while self::status(&server)["viewers"] != 42 {
        socket.next_status("live").await;
    }
    server.stop().await;
}

#[tokio::test]
async fn an_emote_of_the_catalogue_is_a_picture_and_any_other_word_is_text() {
    let rumble = Rumble::start().await;
    let (server, mut socket) = start(&rumble).await;
    rumble.opened(1).await;
    // The catalogue comes in its own time.
    let mut number = 10;
    let fragments = loop {
        number += 1;
        rumble.say(&number.to_string(), "a :r+wave: :r+none: b");
        let message = socket.next_of("chat.message").await;
        let fragments = message["data"]["fragments"].as_array().unwrap().clone();
        if fragments.len() > 1 {
            break fragments;
        }
    };
    let kinds: Vec<_> = fragments.iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["text", "emote", "text"]);
    assert_eq!(fragments[1]["text"], ":r+wave:");
    assert_eq!(fragments[1]["emote"]["provider"], "rumble");
    assert!(fragments[1]["emote"]["url"].as_str().unwrap().starts_with("/media/at/ak2.rmbl.ws/"));
    assert_eq!(fragments[2]["text"], " :r+none: b");
    server.stop().await;
}

#[tokio::test]
async fn what_the_stream_says_of_money_people_and_moderation_becomes_what_the_feed_knows() {
    let rumble = Rumble::start().await;
    let (server, mut socket) = start(&rumble).await;
    rumble.opened(1).await;
    rumble.say_with("1", "take this", json!({ "rant": { "price_cents": 550, "duration": 120 } }));
    let rant = socket.next_of("chat.message").await["data"].clone();
    assert_eq!(rant["amount"], json!({ "value": 550, "currency": "USD", "display": "$5.50" }));

    let notification = json!({ "badge": "recurring_subscription", "text": "14 months subscriber" });
    rumble.say_with("2", "still here", json!({ "notification": notification }));
    let milestone = socket.next_of("activity").await["data"].clone();
    assert_eq!((&milestone["kind"], &milestone["months"]), (&json!("milestone"), &json!(14)));
    assert_eq!(milestone["text"], "still here");

    let gift = json!({ "gift_type": "rumble", "total_gifts": 5 });
    rumble.say_with("3", "", json!({ "gift_purchase_notification": gift }));
    let gift = socket.next_of("activity").await["data"].clone();
    assert_eq!((&gift["kind"], &gift["count"]), (&json!("gift"), &json!(5)));

    rumble.say_with("4", "1,204 viewers came", json!({ "raid_notification": { "start_ts": 1 } }));
    let raid = socket.next_of("activity").await["data"].clone();
    assert_eq!((&raid["kind"], &raid["count"]), (&json!("raid"), &json!(1204)));

    rumble.write(
        &json!({ "type": "delete_non_rant_messages", "data": { "message_ids": ["1", "2"] } }),
    );
    assert_eq!(socket.next_of("chat.delete").await["data"]["message_id"], "rumble:2");
    rumble.write(&json!({ "type": "delete_messages", "data": { "message_ids": [1] } }));
    assert_eq!(socket.next_of("chat.delete").await["data"]["message_id"], "rumble:1");
    rumble.write(&json!({ "type": "mute_users", "data": { "user_ids": ["7"] } }));
    let cleared = socket.next_of("chat.clear_user").await["data"].clone();
    assert_eq!((&cleared["author_id"], &cleared["seconds"]), (&json!("rumble:7"), &Value::Null));

    rumble.write(&json!({ "type": "live_gate", "data": {} }));
    let other = socket.next_of("activity").await["data"].clone();
    assert_eq!((&other["kind"], &other["raw_kind"]), (&json!("other"), &json!("live_gate")));
    server.stop().await;
}

#[tokio::test]
async fn a_channel_that_is_not_live_is_offline_until_it_is_and_then_a_session_begins() {
    let rumble = Rumble::start().await;
    rumble.set_channel(None);
    let (server, mut socket) = start(&rumble).await;
    assert_eq!(socket.next_status("offline").await["detail"], "not live");
    let live = Live { chat_id: 77, embed: "v5new1", title: "A morning of go" };
    rumble.set_channel(Some(live));
    let session = socket.next_of("session.start").await;
    assert_eq!(session["data"]["title"], "A morning of go");
    socket.next_status("live").await;
    // It ends: the site says so, and the stream with it.
    rumble.set_channel(None);
    rumble.end();
    assert_eq!(socket.next_status("offline").await["detail"], "not live");
    server.stop().await;
}

#[tokio::test]
async fn a_name_that_is_a_users_is_found_and_one_that_is_nobodys_is_named() {
    let rumble = Rumble::start().await;
    let live = Live { chat_id: 78, embed: "v5usr1", title: "" };
    rumble.set(|it| {
        it.channels.clear();
        it.channels.insert("user/ana".to_owned(), Some(live));
    });
    let (server, mut socket) = start(&rumble).await;
    rumble.opened(1).await;
    rumble.say("1", "hello");
    assert_eq!(socket.next_text().await, "hello");
    server.stop().await;

    rumble.set(|it| it.channels.clear());
    let (server, mut socket) = start(&rumble).await;
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().contains("no channel `c/ana`"), "{status}");
    server.stop().await;
}

#[tokio::test]
async fn a_chat_given_by_hand_is_read_without_asking_for_a_page() {
    let rumble = Rumble::start().await;
    let creators = json!({ "creators": [{ "id": "ana", "always_on": true, "channels": [
        { "platform": "rumble", "name": "c/ana", "chat_id": 445_201_096 },
    ]}]});
    let server = rumble
        .settings()
        .into_iter()
        .fold(Setup::new(), |setup, (name, value)| setup.set(&name, value))
        .creators(&creators)
        .start()
        .await;
    let mut socket = server.socket("/ws/ana").await;
    rumble.opened(1).await;
    rumble.say("1", "hello");
    assert_eq!(socket.next_text().await, "hello");
    assert_eq!(rumble.seen().pages, 0);
    server.stop().await;
}

fn document(news: Value) -> Value {
    let mut document = json!({
        "now": chrono::Utc::now().timestamp(), "type": "channel",
        "followers": { "recent_followers": [] }, "subscribers": { "recent_subscribers": [] },
        // 445201096 in base 36.
        "livestreams": [{ "id": "7d27d4", "title": "An evening of chess", "is_live": true,
            "stream_key": "another-secret", "watching_now": 19, "chat": {
                "recent_messages": [], "recent_rants": [] } }],
    });
    document.as_object_mut().unwrap().extend(news.as_object().unwrap().clone());
    document
}

fn in_a_moment() -> String {
    (chrono::Utc::now() + chrono::TimeDelta::seconds(5)).to_rfc3339()
}

#[tokio::test]
async fn the_official_api_adds_follows_and_viewers_and_its_secrets_stay_secret() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.api = (200, document(json!({}))));
    let address = "https://rumble.com/-livestream-api/get-data?key=verysecret123";
    let server = setup(&rumble).variable("RUMBLE_LIVESTREAM_KEY_ANA", address).start().await;
    let mut socket = server.socket("/ws/ana").await;
    rumble.until("a call", |it| it.api_queries.first().cloned()).await;
    assert_eq!(rumble.seen().api_queries[0], "key=verysecret123");
    rumble.opened(1).await;
    let followers = json!({ "recent_followers": [
        { "username": "Cy", "followed_on": in_a_moment() },
        { "username": "Old", "followed_on": "2026-01-01T00:00:00+00:00" },
    ]});
    rumble.set(|it| it.api = (200, document(json!({ "followers": followers }))));
    let follow = socket.next_of("activity").await["data"].clone();
    assert_eq!((&follow["kind"], &follow["author"]["name"]), (&json!("follow"), &json!("Cy")));
    let status = status(&server);
    assert_eq!((&status["state"], &status["viewers"]), (&json!("live"), &json!(19)));

    rumble.set(|it| it.api = (403, json!({ "code": "403", "message": "Forbidden" })));
    loop {
        let status = socket.next_status("live").await;
        let detail = status["detail"].as_str().unwrap();
        if detail.contains("refuses RUMBLE_LIVESTREAM_KEY") {
            break;
        }
    }
    rumble.say("1", "the chat goes on");
    assert_eq!(socket.next_text().await, "the chat goes on");
    let everything =
        format!("{:?}{}", server.history("ana").await, server.json("/api/rooms").await);
    for secret in ["verysecret123", "another-secret"] {
        assert!(!everything.contains(secret));
    }
    server.stop().await;
}

#[tokio::test]
async fn each_creator_is_told_what_is_new_to_them() {
    let rumble = Rumble::start().await;
    let began = chrono::Utc::now();
    let at = |seconds| began + chrono::TimeDelta::seconds(seconds);
    let tell = |now: i64, followers: &[(&str, i64)]| {
        let followers: Vec<_> = followers
            .iter()
            .map(|it| json!({ "username": it.0, "followed_on": at(it.1).to_rfc3339() }))
            .collect();
        let followers = json!({ "recent_followers": followers });
        let news = json!({ "now": at(now).timestamp(), "followers": followers });
        rumble.set(|it| it.api = (200, document(news)));
    };
    tell(0, &[("Cy", 10)]);
    let key = |creator: &str| format!("RUMBLE_LIVESTREAM_KEY_{creator}");
    let server = setup(&rumble).variable(&key("ANA"), "key-1").start().await;
    let mut ana = server.socket("/ws/ana").await;
    assert_eq!(ana.next_of("activity").await["data"]["author"]["name"], "Cy");
    let setup = server.stop_for_now().await;

    tell(60, &[("Meanwhile", 30)]);
    let setup = setup.variable(&key("BEN"), "key-1").channel("ben=rumble:c/ana");
    let server = setup.start().await;
    let mut ben = server.socket("/ws/ben").await;
    let mut ana = server.socket("/ws/ana").await;
    while ana.next_of("activity").await["data"]["author"]["name"] != "Meanwhile" {}
    ben.next_status("live").await;
    tell(61, &[("Meanwhile", 30), ("New", 90)]);
    let first = ben.next_of("activity").await["data"].clone();
    assert_eq!(first["author"]["name"], "New", "what came before is another's");
    server.stop().await;
}

#[tokio::test]
async fn where_no_mode_works_the_official_api_tells_the_chat_each_message_once() {
    let rumble = Rumble::start().await;
    rumble.set(|it| {
        it.answer = super::support::rumble::Answer::Status(403);
        it.api = (200, document(json!({})));
    });
    let server = setup(&rumble).variable("RUMBLE_LIVESTREAM_KEY_ANA", "key-1").start().await;
    let mut socket = server.socket("/ws/ana").await;
    let at = in_a_moment();
    let said = |text: &str| json!({ "username": "Bo", "text": text, "created_on": at, "badges": ["admin"] });
    let chat = |messages: Value| {
        let mut document = document(json!({}));
        document["livestreams"][0]["chat"]["recent_messages"] = messages;
        document
    };
    let degraded = async {
        loop {
            let status = socket.next_status("degraded").await;
            let detail = status["detail"].as_str().unwrap().to_owned();
            if detail.starts_with("DISABLED") {
                break detail;
            }
        }
    };
    let detail = degraded.await;
    assert!(detail.contains("answers 403") && detail.contains("no browser"), "{detail}");
    rumble.set(|it| it.api = (200, chat(json!([said("gg"), said("gg")]))));
    assert_eq!(socket.next_text().await, "gg");
    let second = socket.next_of("chat.message").await["data"].clone();
    assert_eq!(
        (&second["text"], &second["author"]["roles"]),
        (&json!("gg"), &json!(["broadcaster"]))
    );
    rumble.set(|it| it.api = (200, chat(json!([said("new"), said("gg"), said("gg")]))));
    assert_eq!(socket.next_text().await, "new");
    server.stop().await;
}

pub(crate) fn status(server: &TestServer) -> Value {
    serde_json::to_value(&server.room("ana").summary().status[0]).unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn a_sign_in_by_hand_opens_a_browser_with_the_servers_own_profile() {
    use std::{fs, os::unix::fs::PermissionsExt};

    let folder = tempfile::tempdir().unwrap();
    let browser = folder.path().join("browser");
    fs::write(&browser, "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$(dirname \"$0\")/arguments\"\n")
        .unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
    let path = |it: &std::path::Path| {
        ("STREAMSUITES__PLATFORMS__RUMBLE__BROWSER_PATH", it.display().to_string())
    };
    let screen = |name: &str| ("DISPLAY", name.to_owned());
    let dark = [path(&browser), screen(""), ("WAYLAND_DISPLAY", String::new())];
    let ended = Process::start_at(folder.path(), &["rumble", "login"], &dark).ended().await;
    assert_eq!((ended.status.code(), ended.err.lines().count()), (Some(2), 1), "{}", ended.err);
    assert!(ended.err.contains("needs a screen"), "{}", ended.err);
    let seen = [path(&browser), screen(":0")];
    let process = Process::start_at(folder.path(), &["rumble", "login"], &seen);
    let ended = process.ended().await;
    assert!(ended.status.success(), "{}{}", ended.out, ended.err);
    let arguments = fs::read_to_string(folder.path().join("arguments")).unwrap();
    let profile = fs::canonicalize(folder.path()).unwrap().join("data/rumble-profile");
    let lines: Vec<_> = arguments.lines().collect();
    assert!(
        lines.contains(&format!("--user-data-dir={}", profile.display()).as_str()),
        "{arguments}"
    );
    assert!(lines.contains(&"--password-store=basic"), "{arguments}");
    assert_eq!(lines.last(), Some(&"https://rumble.com/login.php"));
    let mode = fs::metadata(&profile).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "cookies are in it");

    // Root would sign in for itself, and not for the server of the one whose folder it is.
    if fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0) {
        let data = folder.path().join("data");
        std::os::unix::fs::chown(&data, Some(4321), None).unwrap();
        let ended = Process::start_at(folder.path(), &["rumble", "login"], &seen).ended().await;
        assert_eq!((ended.status.code(), ended.err.lines().count()), (Some(2), 1), "{}", ended.err);
        assert!(ended.err.contains("sudo -u '#4321'"), "{}", ended.err);
    }

    let missing = folder.path().join("nothing");
    let process = Process::start(&["rumble", "login"], &[path(&missing)]);
    let ended = process.ended().await;
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.err.contains("there is no browser"), "{}", ended.err);
}
