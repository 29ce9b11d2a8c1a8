//! What outlives a restart, and how it is read, kept, copied and put back.

use std::{fs, path::Path};

use serde_json::{Value, json};
use streamsuites::chat::room::Arrival;

use crate::support::{
    Setup, TOKEN, TestServer, deletion, message, process::Process, socket::Socket, soon,
    twitch::Twitch,
};

fn say(server: &TestServer, room: &str, numbers: std::ops::RangeInclusive<u64>) {
    let room = server.room(room);
    for number in numbers {
        room.publish(&message(&number.to_string(), "2002", &number.to_string()), &Arrival::now());
    }
}

async fn restarted(server: TestServer) -> TestServer {
    server.stop_for_now().await.start().await
}

fn texts(events: &[Value]) -> Vec<&str> {
    let messages = events.iter().filter(|it| it["type"] == "chat.message");
    messages.map(|it| it["data"]["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_restart_in_order_goes_on_in_the_same_numbering_session_and_backlog() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let mut socket = server.socket("/ws/ana").await;
    say(&server, "ana", 1..=30);
    for _ in 0..11 {
        socket.next_event().await;
    }
    let (since, epoch) = (socket.since(), server.room("ana").epoch().clone());
    let session = socket.hello["session"].clone();
    assert_eq!(session, Value::Null, "nothing had been said yet");
    let server = restarted(server).await;
    assert_eq!(*server.room("ana").epoch(), epoch);
    say(&server, "ana", 31..=32);

    let mut socket = server.socket(&format!("/ws/ana?since={since}")).await;
    assert_eq!(socket.hello["recovered"], true);
    let started = socket.hello["session"]["started_at"].clone();
    assert!(started.is_string(), "the session goes on: {}", socket.hello);
    for number in 11..=32 {
        assert_eq!(socket.next_text().await, number.to_string());
    }
    // A newcomer's backlog reaches back before the restart.
    let mut newcomer = server.socket("/ws/ana?backlog=10&types=chat").await;
    for number in 23..=32 {
        assert_eq!(newcomer.next_text().await, number.to_string());
    }
    let history = server.history("ana").await;
    let seqs: Vec<_> = history.iter().map(|it| it["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=33).collect::<Vec<_>>());
    let starts = history.iter().filter(|it| it["type"] == "session.start").count();
    assert_eq!(starts, 1, "one stream, whatever was restarted");
    server.stop().await;
}

/// A platform that delivers again what it delivered before the restart tells nobody anything new, and what was
/// deleted before it stays deleted.
#[tokio::test]
async fn what_came_before_a_restart_is_recognised_and_what_was_deleted_stays_so() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    for number in ["1", "2"] {
        twitch.say("ana", number, "badword").await;
        socket.next_text().await;
    }
    let room = server.room("ana");
    room.publish(&deletion("2"), &Arrival::now());
    room.publish(&deletion("late"), &Arrival::now());
    let featured = serde_json::to_value(message("f", "2002", "on stage")).unwrap()["data"].clone();
    let featured = json!({"type": "feature.show", "data": featured});
    room.publish(&serde_json::from_value(featured).unwrap(), &Arrival::now());
    let deaths = |id: &str, count: i64| {
        let last_updated_at = "2026-11-20T18:03:11.412Z";
        let data = json!({ "tally_id": id, "creator": "ana", "label": "deaths", "count": count, "last_updated_at": last_updated_at });
        serde_json::from_value(json!({ "type": "tally.update", "data": data })).unwrap()
    };
    for event in [deaths("a", 1), deaths("b", 2), deaths("a", 3)] {
        room.publish(&event, &Arrival::now());
    }
    let since = {
        socket.next_of("tally.update").await;
        socket.since()
    };
    drop(socket);
    let server = restarted(server).await;
    let mut socket = server.socket(&format!("/ws/ana?since={since}")).await;
    assert_eq!(socket.hello["featured"]["text"], "on stage");
    let tallies = socket.hello["boards"]["tallies"].as_array().unwrap();
    let tallies: Vec<_> = tallies.iter().map(|it| (&it["tally_id"], &it["count"])).collect();
    assert_eq!(tallies, [(&json!("a"), &json!(3)), (&json!("b"), &json!(2))]);
    assert_eq!(server.socket("/ws/ana?types=chat").await.hello["boards"], json!({}));
    twitch.say("ana", "1", "badword").await;
    twitch.say("ana", "late", "badword").await;
    twitch.say("ana", "3", "new").await;
    loop {
        let event = socket.next_event().await;
        if event["type"] == "chat.message" {
            assert_eq!(event["data"]["text"], "new");
            break;
        }
        if event["type"] == "chat.redacted" {
            assert_eq!(event["data"]["message_id"], "twitch:late");
        }
    }
    for path in ["/api/rooms/ana/events", "/api/rooms/ana/sessions/latest.jsonl"] {
        let answer = server.get(path).send().await.unwrap().text().await.unwrap();
        // In the text and the fragments of the one that was not deleted.
        assert_eq!(answer.matches("badword").count(), 2, "{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn sessions_are_listed_counted_and_downloaded_and_moderated_words_are_the_operators() {
    let server = Setup::new().rooms(&["ana", "ben"]).start().await;
    say(&server, "ana", 1..=20);
    let room = server.room("ana");
    room.publish(&deletion("5"), &Arrival::now());
    let end = json!({"type": "session.end", "data": {"session_id": "x"}});
    room.publish(&serde_json::from_value(end).unwrap(), &Arrival::now());
    let live = json!({"type": "session.start", "data": {"session_id": "live-7", "title": "Late \"show\""}});
    room.publish(&serde_json::from_value(live).unwrap(), &Arrival::now());
    say(&server, "ana", 21..=25);

    let list = server.json("/api/rooms/ana/sessions").await;
    let list = list["sessions"].as_array().unwrap();
    assert_eq!(list.len(), 2);
    let (newest, first) = (&list[0], &list[1]);
    assert_eq!(
        (&newest["session_id"], &newest["title"]),
        (&json!("live-7"), &json!("Late \"show\""))
    );
    assert_eq!((&newest["state"], &newest["ended_at"]), (&json!("open"), &Value::Null));
    assert_eq!(newest["messages"], 5);
    assert_eq!((&first["state"], &first["messages"]), (&json!("closed"), &json!(20)));
    assert_eq!(
        (&first["first_seq"], &first["last_seq"], &first["events"]),
        (&json!(1), &json!(23), &json!(23))
    );
    assert_eq!(first["platforms"], json!(["twitch"]));
    let before = server.json("/api/rooms/ana/sessions?before=live-7&limit=1").await;
    assert_eq!(before["sessions"][0]["session_id"], first["session_id"]);
    assert_eq!(server.json("/api/rooms/ben/sessions").await, json!({"sessions": []}));

    let id = first["session_id"].as_str().unwrap();
    let one = server.json(&format!("/api/rooms/ana/sessions/{id}")).await;
    let counts = one["histogram"]["counts"].as_array().unwrap();
    assert_eq!(counts.iter().map(|it| it.as_u64().unwrap()).sum::<u64>(), 20);
    assert_eq!(server.json("/api/rooms/ana/sessions/latest").await["session_id"], "live-7");

    let path = format!("/api/rooms/ana/sessions/{id}.jsonl");
    let answer = server.get(&path).send().await.unwrap();
    let name = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert_eq!(name, format!("attachment; filename=\"ana-{id}.jsonl\""));
    let text = answer.text().await.unwrap();
    let lines: Vec<Value> = text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(lines.len(), 23);
    assert_eq!(lines[5]["type"], "chat.redacted");
    let originals = format!("{path}?originals=1");
    assert_eq!(server.get(&originals).send().await.unwrap().status(), 403);
    let audit = server.get(&originals).bearer_auth(TOKEN).send().await.unwrap();
    let audit = audit.text().await.unwrap();
    let word: Value = serde_json::from_str(audit.lines().nth(5).unwrap()).unwrap();
    assert_eq!(word["data"]["text"], "5");
    for path in [
        "/api/rooms/ana/sessions/nothing",
        "/api/rooms/ana/sessions/nothing.jsonl",
        "/api/rooms/nobody/sessions",
    ] {
        assert_eq!(server.get(path).send().await.unwrap().status(), 404, "{path}");
    }
    for query in ["limit=0", "limit=x"] {
        let answer = server.get(&format!("/api/rooms/ana/sessions?{query}")).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn history_of_any_age_is_paged_both_ways_far_beyond_the_ring() {
    let server = Setup::new().rooms(&["ana"]).set("SYSTEM__FEED__RING_EVENTS", 64).start().await;
    say(&server, "ana", 1..=1_000);
    let pages = async |query: &str, word: &str, step: &str| -> Vec<Value> {
        let mut found: Vec<Value> = Vec::new();
        let mut at = if step == "before" { "9007199254740991".to_owned() } else { "0".to_owned() };
        loop {
            let page = server.json(&format!("/api/rooms/ana/events?{step}={at}&{query}")).await;
            let events = page["events"].as_array().unwrap().clone();
            if step == "before" {
                found.splice(0..0, events);
            } else {
                found.extend(events);
            }
            match page[word].as_u64() {
                Some(next) => at = next.to_string(),
                None => return found,
            }
        }
    };
    let forward = pages("types=chat.message&limit=77", "next", "after").await;
    let expected: Vec<String> = (1..=1_000).map(|it: u64| it.to_string()).collect();
    assert_eq!(texts(&forward), expected);
    let backward = pages("types=chat.message&limit=77", "prev", "before").await;
    assert_eq!(forward, backward);
    let nothing = server.json("/api/rooms/ana/events?types=poll").await;
    assert_eq!((&nothing["events"], &nothing["next"]), (&json!([]), &Value::Null));
    // A reader far behind the ring is caught up from the log, in place.
    let mut socket =
        server.socket(&format!("/ws/ana?since={}.10", server.room("ana").epoch())).await;
    assert_eq!(socket.hello["recovered"], true);
    for seq in 11..=1_001 {
        assert_eq!(socket.next_event().await["seq"], seq);
    }
    let last = format!("{}.10", server.room("ana").epoch());
    let mut stream = server.get("/sse/ana").header("last-event-id", last).send().await.unwrap();
    let mut text = String::new();
    while !text.contains(".1001\n") {
        let chunk = soon("events", stream.chunk()).await.unwrap().unwrap();
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    let places: Vec<u64> = text
        .lines()
        .filter_map(|it| it.strip_prefix("id: ")?.rsplit_once('.')?.1.parse().ok())
        .collect();
    assert_eq!(places, (11..=1_001).collect::<Vec<_>>());
    drop(stream);
    server.stop().await;
}

/// Goal: who does not want to be recorded is not, and changing one's mind needs no restart.
#[tokio::test]
async fn a_creator_who_opts_out_leaves_nothing_behind() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    say(&server, "ana", 1..=3);
    let socket = server.socket("/ws/ana").await;
    server.write_creators(&json!({"creators": [{"id": "ana", "record": false}]}));
    assert_eq!(socket.closed().await, Some(4005), "readers come back");
    say(&server, "ana", 4..=6);
    let mut socket = server.socket("/ws/ana").await;
    for number in 4..=6 {
        assert_eq!(socket.next_text().await, number.to_string());
    }
    assert_eq!(server.json("/api/rooms/ana/sessions").await, json!({"sessions": []}));
    server.write_creators(&json!({"creators": [{"id": "ana", "record": true}]}));
    assert_eq!(socket.closed().await, Some(4005));
    say(&server, "ana", 7..=7);
    assert_eq!(texts(&server.history("ana").await), ["1", "2", "3", "7"]);
    server.stop().await;
}

/// Workers go on in the room that took the place of theirs.
#[tokio::test]
async fn a_channel_is_read_on_when_its_room_is_opened_anew() {
    let twitch = Twitch::plain().await;
    let creator = |record: bool| {
        json!({"creators": [{"id": "ana", "always_on": true, "record": record,
            "channels": [{"platform": "twitch", "name": "ana"}]}]})
    };
    let server = Setup::new().twitch(&twitch).creators(&creator(true)).start().await;
    let mut socket = server.socket("/ws/ana").await;
    twitch.say("ana", "1", "before").await;
    assert_eq!(socket.next_text().await, "before");
    server.write_creators(&creator(false));
    assert_eq!(socket.closed().await, Some(4005));
    let mut socket = server.socket("/ws/ana").await;
    twitch.say("ana", "2", "after").await;
    assert_eq!(socket.next_text().await, "after");
    assert_eq!(twitch.seen().connections.len(), 1, "the channel was never left");
    server.stop().await;
}

async fn run(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let ended = Process::start_at(folder, arguments, &[]).ended().await;
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
    (ended.status.success(), format!("{}{}", ended.out, ended.err))
}

fn serve(folder: &Path) -> Process {
    let variables = [("STREAMSUITES_OPERATOR_TOKEN", TOKEN.to_owned())];
    Process::start_at(folder, &["--listen", "127.0.0.1:0", "--demo"], &variables)
}

#[tokio::test]
async fn a_copy_is_made_and_put_back_while_the_server_runs_and_while_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (done, text) = run(folder, &["backup", "copy.redb"]).await;
    assert!(!done && text.contains("there is no data folder"), "{text}");

    let server = serve(folder);
    let address = server.address().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |text: &str| {
        let url = format!("http://{address}/api/rooms/demo/synthetic");
        let body = json!({ "text": text }).to_string();
        let post = http.post(url).bearer_auth(TOKEN).header("content-type", "application/json");
        assert_eq!(post.body(body).send().await.unwrap().status(), 201);
    };
    post("kept in the copy").await;
    let online = [("STREAMSUITES_OPERATOR_TOKEN", TOKEN.to_owned())];
    let ended = Process::start_at(folder, &["backup", "online.redb"], &online).ended().await;
    assert!(ended.status.success() && ended.out.starts_with("online.redb ("), "{}", ended.err);
    post("said after the copy").await;
    let mut socket = Socket::open(&format!("ws://{address}/ws/demo?backlog=0")).await;

    // Nobody but the operator.
    for request in [
        http.get(format!("http://{address}/api/backup")),
        http.post(format!("http://{address}/api/restore")).body("x"),
        http.post(format!("http://{address}/api/restore")).bearer_auth("wrong").body("x"),
    ] {
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    // What is no copy changes nothing.
    fs::write(folder.join("nonsense"), "not a database").unwrap();
    let ended = Process::start_at(folder, &["restore", "nonsense"], &online).ended().await;
    assert!(!ended.status.success(), "{}", ended.out);
    assert!(ended.err.contains("cannot restore nonsense: the server says"), "{}", ended.err);
    socket.next_event().await;

    let ended = Process::start_at(folder, &["restore", "online.redb"], &online).ended().await;
    assert!(ended.status.success(), "{}", ended.err);
    assert_eq!(socket.closed().await, Some(4005));
    let all = async || {
        let url = format!("http://{address}/api/rooms/demo/events");
        http.get(url).send().await.unwrap().text().await.unwrap()
    };
    let text = all().await;
    assert!(text.contains("kept in the copy") && !text.contains("said after the copy"), "{text}");
    // Recording goes on in it.
    post("said after the restore").await;
    assert!(all().await.contains("said after the restore"));
    let url = format!("http://{address}/api/rooms/demo/events?types=session,chat&limit=500");
    let page = http.get(url).send().await.unwrap().bytes().await.unwrap();
    let page: Value = serde_json::from_slice(&page).unwrap();
    assert!(page["events"].as_array().unwrap().len() > 1);
    server.kill().await;

    let (done, text) = run(folder, &["backup", "offline.redb"]).await;
    assert!(done, "{text}");
    let (done, text) = run(folder, &["backup", "offline.redb"]).await;
    assert!(!done && text.contains("it exists already"), "{text}");
    // A copy that came from elsewhere, where everybody could read it.
    let open_to_all = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(folder.join("offline.redb"), open_to_all).unwrap();
    let (done, text) = run(folder, &["restore", "offline.redb"]).await;
    assert!(done, "{text}");
    for private in ["online.redb", "data/feed.redb"] {
        let mode = std::fs::metadata(folder.join(private)).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
        assert_eq!(mode & 0o777, 0o600, "{private} holds moderated words");
    }
    let (done, text) = run(folder, &["restore", "nonsense"]).await;
    assert!(!done && text.contains("it is damaged"), "{text}");
    let server = serve(folder);
    server.address().await;
    server.kill().await;
}

#[tokio::test]
async fn a_session_that_is_imported_can_be_replayed_and_downloaded_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let server = Setup::new().rooms(&["ana"]).start().await;
    say(&server, "ana", 1..=50);
    let path = "/api/rooms/ana/sessions/latest.jsonl";
    let text = server.get(path).send().await.unwrap().text().await.unwrap();
    server.stop().await;
    fs::write(folder.path().join("friday.jsonl"), &text).unwrap();

    let (done, said) =
        run(folder.path(), &["replay", "friday.jsonl", "--into", "ana", "--import"]).await;
    assert!(done && said.contains("51 events are in ana, as it was: 1 to 51"), "{said}");
    let (done, said) =
        run(folder.path(), &["replay", "friday.jsonl", "--into", "ana", "--import"]).await;
    assert!(
        !done && said.contains("cannot import friday.jsonl: the room already has the session"),
        "{said}"
    );
    fs::write(folder.path().join("bad.jsonl"), format!("{text}nonsense\n")).unwrap();
    let (done, said) =
        run(folder.path(), &["replay", "bad.jsonl", "--into", "ben", "--import"]).await;
    assert!(!done && said.contains("cannot import bad.jsonl: line 52:"), "{said}");

    fs::create_dir(folder.path().join("config")).unwrap();
    let creators = json!({"creators": [{"id": "ana"}, {"id": "ben"}]}).to_string();
    fs::write(folder.path().join("config/creators.json"), creators).unwrap();
    let server = serve(folder.path());
    let address = server.address().await;
    let again =
        reqwest::get(format!("http://{address}{path}")).await.unwrap().text().await.unwrap();
    assert_eq!(again, text);
    let none = reqwest::get(format!("http://{address}/api/rooms/ben/sessions")).await.unwrap();
    assert_eq!(none.text().await.unwrap(), r#"{"sessions":[]}"#);
    server.kill().await;
}

/// Goal: whatever is wrong with the file, people read one sentence, and chat goes on.
#[tokio::test]
async fn a_damaged_log_is_set_aside_in_one_sentence_and_chat_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = serve(folder);
    server.address().await;
    server.signal("-INT").await;
    assert!(server.ended().await.status.success());
    let log = folder.join("data/feed.redb");
    let whole = fs::read(&log).unwrap();

    let mut overwritten = whole.clone();
    overwritten[..4096].fill(0xAB);
    for (bytes, how) in [
        (b"this is no database".to_vec(), "something else"),
        (whole[..whole.len() / 3].to_vec(), "cut short"),
        (overwritten, "overwritten"),
    ] {
        fs::write(&log, &bytes).unwrap();
        let server = serve(folder);
        let notice = server.printed("Attention: ").await;
        assert!(
            notice.contains("feed.redb is damaged") && notice.contains("moved to"),
            "{how}: {notice}"
        );
        let address = server.address().await;
        let mut socket = Socket::open(&format!("ws://{address}/ws/demo")).await;
        socket.next_event().await;
        server.signal("-INT").await;
        let ended = server.ended().await;
        assert!(ended.status.success(), "{how}: {}", ended.err);
        let aside: Vec<_> = fs::read_dir(folder.join("data"))
            .unwrap()
            .map(|it| it.unwrap().path())
            .filter(|it| it.to_string_lossy().contains("damaged"))
            .collect();
        assert!(aside.iter().any(|it| fs::read(it).unwrap() == bytes), "{how}: nothing is deleted");
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_opened_is_one_sentence_and_chat_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // A folder where the file should be: nothing that a program could put right.
    fs::create_dir_all(folder.join("data/feed.redb")).unwrap();
    let server = serve(folder);
    let notice = server.printed("Attention: ").await;
    assert!(notice.contains("feed.redb") && notice.contains("live chat works"), "{notice}");
    let address = server.address().await;
    let mut socket = Socket::open(&format!("ws://{address}/ws/demo")).await;
    socket.next_event().await;
    server.signal("-INT").await;
    assert!(server.ended().await.status.success());
}

#[tokio::test]
async fn a_second_server_on_one_data_folder_names_the_file_that_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    let first = serve(folder.path());
    first.address().await;
    let ended = serve(folder.path()).ended().await;
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.err.contains("data/lock"), "{}", ended.err);
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    first.kill().await;
}
