//! What is featured, and the queue of what may be next.

use std::fs;

use serde_json::{Value, json};
use streamsuites::{
    app::Playback,
    chat::room::{Arrival, MOST_QUEUED},
    model::Timestamp,
    platforms::recording::Speed,
};

use crate::support::{
    Setup, TOKEN, TestServer, deletion, message, soon,
    twitch::{Twitch, privmsg, privmsg_at},
};

const QUEUE: &str = "/api/rooms/ana/queue";
const FEATURE: &str = "/api/rooms/ana/feature";

/// A change by the operator: the status, the `Location`, and the body, or null.
async fn change(
    server: &TestServer,
    method: &str,
    path: &str,
    body: Value,
) -> (u16, Option<String>, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = server.request(method, path, body).bearer_auth(TOKEN).send().await.unwrap();
    let status = answer.status().as_u16();
    let location = answer.headers().get("location").map(|it| it.to_str().unwrap().to_owned());
    if status >= 400 {
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    }
    let bytes = answer.bytes().await.unwrap();
    (status, location, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

async fn queue(server: &TestServer, id: &str) -> u16 {
    change(server, "POST", QUEUE, json!({"message_id": format!("twitch:{id}")})).await.0
}

fn ids(items: &Value) -> Vec<&str> {
    let items = items.as_array().unwrap().iter();
    items.map(|it| it["id"].as_str().unwrap().strip_prefix("twitch:").unwrap()).collect()
}

fn say(server: &TestServer, id: &str, text: &str) {
    server.room("ana").publish(&message(id, "2002", text), &Arrival::now());
}

#[tokio::test]
async fn the_queue_is_filled_ordered_and_put_on_the_stage_and_every_socket_sees_the_same() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let (mut one, mut other) = (server.socket("/ws/ana").await, server.socket("/ws/ana").await);
    assert_eq!((&one.hello["queue"], &one.hello["featured"]), (&json!([]), &Value::Null));
    assert_eq!(server.json(QUEUE).await, json!({"items": []}));
    for id in ["a", "b", "c"] {
        say(&server, id, id);
        let body = json!({"message_id": format!("twitch:{id}")});
        let (status, location, shown) = change(&server, "POST", QUEUE, body.clone()).await;
        assert_eq!(status, 201);
        let location = location.unwrap();
        assert_eq!(location, format!("/api/rooms/ana/queue/twitch:{id}"));
        assert_eq!(server.json(&location).await, shown);
        assert_eq!(change(&server, "POST", QUEUE, body).await.0, 200, "it is there already");
    }
    let order = json!({"order": ["twitch:c", "twitch:a"]});
    let (status, _, now) = change(&server, "POST", &format!("{QUEUE}/order"), order).await;
    assert_eq!((status, ids(&now["items"])), (200, vec!["c", "a", "b"]));
    let path = format!("{QUEUE}/twitch:b");
    let (status, _, now) = change(&server, "PATCH", &path, json!({"position": 0})).await;
    assert_eq!((status, ids(&now["items"])), (200, vec!["b", "c", "a"]));
    assert_eq!(server.json(QUEUE).await, now);
    assert_eq!(change(&server, "DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(change(&server, "DELETE", &path, Value::Null).await.0, 404);
    let (status, _, shown) = change(&server, "POST", FEATURE, json!({"next": true})).await;
    assert_eq!((status, &shown["text"]), (200, &json!("c")));
    let (status, ..) = change(&server, "POST", FEATURE, json!({"message_id": "twitch:b"})).await;
    assert_eq!(status, 200, "it need not be in the queue");
    let newcomer = server.socket("/ws/ana").await;
    assert_eq!(ids(&newcomer.hello["queue"]), ["a"]);
    assert_eq!(newcomer.hello["featured"]["text"], "b");
    for _ in 0..2 {
        assert_eq!(change(&server, "DELETE", FEATURE, Value::Null).await.0, 204);
    }

    let mut seen = Vec::new();
    loop {
        let event = one.next_event().await;
        assert_eq!(other.next_event().await, event);
        match event["type"].as_str().unwrap() {
            "queue.update" => seen.push(ids(&event["data"]["items"]).concat()),
            "feature.show" => seen.push(format!("shows {}", event["data"]["text"])),
            "feature.clear" => break,
            _ => {}
        }
    }
    let told = ["a", "ab", "abc", "cab", "bca", "ca", "shows \"c\"", "a", "shows \"b\""];
    assert_eq!(seen, told);
    server.stop().await;
}

#[tokio::test]
async fn whoever_may_read_the_room_reads_its_queue_and_nobody_else() {
    let server = Setup::new().rooms(&["ana"]).set("SYSTEM__OVERLAY_ACCESS", "key").start().await;
    say(&server, "a", "a");
    assert_eq!(queue(&server, "a").await, 201);
    let key = server.server.key_query(&"ana".parse().unwrap());
    for path in [QUEUE.to_owned(), format!("{QUEUE}/twitch:a")] {
        assert_eq!(server.get(&path).send().await.unwrap().status(), 403);
        let opened = server.get(&format!("{path}{key}")).send().await.unwrap();
        assert_eq!(opened.status(), 200);
    }
    let answer = server.get("/api/rooms/nobody/queue").send().await.unwrap();
    assert_eq!(answer.status(), 404);
    server.stop().await;
}

#[tokio::test]
async fn bad_input_is_refused_with_a_problem_and_changes_nothing() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    say(&server, "a", "a");
    queue(&server, "a").await;
    let head = server.room("ana").head();
    let (order, item) = (format!("{QUEUE}/order"), format!("{QUEUE}/twitch:a"));
    let (absent, no_id) = (format!("{QUEUE}/twitch:z"), format!("{QUEUE}/z"));
    for (method, path, body, status, word) in [
        ("POST", QUEUE, json!({}), 400, "message_id"),
        ("POST", QUEUE, json!({"message_id": "a"}), 400, "qualified"),
        ("POST", QUEUE, json!({"message_id": "twitch:a", "more": 1}), 400, "more"),
        ("POST", QUEUE, json!([]), 400, ""),
        ("POST", QUEUE, json!({"message_id": "twitch:z"}), 404, "message"),
        ("PATCH", &item, json!({}), 400, "position"),
        ("PATCH", &item, json!({"position": -1}), 400, ""),
        ("PATCH", &item, json!({"position": "0"}), 400, ""),
        ("PATCH", &absent, json!({"position": 0}), 404, "queue"),
        ("PATCH", &no_id, json!({"position": 0}), 404, "queue"),
        ("DELETE", &absent, Value::Null, 404, "queue"),
        ("POST", &order, json!({"order": ["twitch:a", "twitch:a"]}), 400, "twice"),
        ("POST", &order, json!({"order": "twitch:a"}), 400, ""),
        ("POST", &order, json!({"order": ["twitch:a", "twitch:z"]}), 409, "twitch:z"),
        ("POST", FEATURE, json!({}), 400, "next"),
        ("POST", FEATURE, json!({"next": false}), 400, "next"),
        ("POST", FEATURE, json!({"next": true, "message_id": "twitch:a"}), 400, "next"),
        ("POST", FEATURE, json!({"message_id": "twitch:z"}), 404, "message"),
        ("POST", "/api/rooms/nobody/queue", json!({"message_id": "twitch:a"}), 404, "room"),
        ("DELETE", "/api/rooms/nobody/feature", Value::Null, 404, "room"),
    ] {
        let (found, _, problem) = change(&server, method, path, body.clone()).await;
        assert_eq!(found, status, "{method} {path} {body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{word}: {problem}");
    }
    assert_eq!(server.room("ana").head(), head);
    assert_eq!(change(&server, "DELETE", &item, Value::Null).await.0, 204);
    let (status, _, problem) = change(&server, "POST", FEATURE, json!({"next": true})).await;
    assert_eq!((status, &problem["detail"]), (409, &json!("the queue is empty")));
    server.stop().await;
}

#[tokio::test]
async fn a_full_queue_says_so_and_takes_another_once_there_is_room() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    for number in 0..=MOST_QUEUED {
        say(&server, &number.to_string(), "hi");
    }
    for number in 0..MOST_QUEUED {
        assert_eq!(queue(&server, &number.to_string()).await, 201);
    }
    let last = json!({"message_id": format!("twitch:{MOST_QUEUED}")});
    let (status, _, problem) = change(&server, "POST", QUEUE, last.clone()).await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().contains("the queue is full"), "{problem}");
    assert_eq!(change(&server, "POST", FEATURE, json!({"next": true})).await.0, 200);
    assert_eq!(change(&server, "POST", QUEUE, last).await.0, 201);
    server.stop().await;
}

/// What was said before a restart can be queued after it, and the queue itself is there again.
#[tokio::test]
async fn the_queue_outlives_a_restart_and_so_does_what_may_not_be_in_it() {
    let server = Setup::new().rooms(&["ana"]).set("SYSTEM__FEED__RING_EVENTS", 64).start().await;
    for id in ["a", "b", "c", "d", "old", "gone"] {
        say(&server, id, &format!("words of {id}"));
    }
    for id in ["c", "a", "b", "d"] {
        assert_eq!(queue(&server, id).await, 201);
    }
    assert_eq!(change(&server, "POST", FEATURE, json!({"message_id": "twitch:d"})).await.0, 200);
    let room = server.room("ana");
    room.publish(&deletion("a"), &Arrival::now());
    room.publish(&deletion("gone"), &Arrival::now());
    // Far beyond what the ring remembers.
    for number in 0..200 {
        room.publish(&message(&format!("x{number}"), "3003", "filler"), &Arrival::now());
    }
    assert_eq!(queue(&server, "gone").await, 404);
    assert_eq!(queue(&server, "old").await, 201, "found in the log");
    drop(room);

    let server = server.stop_for_now().await.start().await;
    let socket = server.socket("/ws/ana").await;
    assert_eq!(ids(&socket.hello["queue"]), ["c", "b", "old"]);
    assert_eq!(socket.hello["queue"][2]["text"], "words of old");
    assert_eq!(socket.hello["featured"]["text"], "words of d");
    drop(socket);
    assert_eq!(queue(&server, "gone").await, 404);
    assert_eq!(queue(&server, "a").await, 404);
    assert_eq!(queue(&server, "x0").await, 201);
    server.room("ana").publish(&deletion("b"), &Arrival::now());

    // Asked before anybody has entered, and a change of what was there before.
    let server = server.stop_for_now().await.start().await;
    let path = format!("{QUEUE}/order");
    let (status, _, now) = change(&server, "POST", &path, json!({"order": ["twitch:x0"]})).await;
    assert_eq!((status, ids(&now["items"])), (200, vec!["x0", "c", "old"]));
    server.stop().await;
}

#[tokio::test]
async fn a_deletion_takes_a_message_off_the_stage_out_of_the_queue_and_out_of_what_was_told() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    say(&server, "a", "badword");
    say(&server, "b", "badword");
    say(&server, "c", "kept");
    for id in ["a", "b", "c"] {
        queue(&server, id).await;
    }
    assert_eq!(change(&server, "POST", FEATURE, json!({"next": true})).await.0, 200);
    let mut socket = server.socket("/ws/ana?backlog=0").await;
    let room = server.room("ana");
    room.publish(&deletion("b"), &Arrival::now());
    assert_eq!(socket.next_event().await["type"], "chat.delete");
    let update = socket.next_event().await;
    assert_eq!(
        (&update["type"], ids(&update["data"]["items"])),
        (&json!("queue.update"), vec!["c"])
    );
    room.publish(&deletion("a"), &Arrival::now());
    let hello = server.socket("/ws/ana").await.hello;
    assert_eq!((ids(&hello["queue"]), &hello["featured"]), (vec!["c"], &Value::Null));
    assert_eq!(ids(&server.json(QUEUE).await["items"]), ["c"]);
    let history = Value::Array(server.history("ana").await).to_string();
    assert!(!history.contains("badword"), "{history}");
    drop(room);
    // As the log has it.
    let server = server.stop_for_now().await.start().await;
    let history = Value::Array(server.history("ana").await).to_string();
    assert!(history.contains("queue.update") && !history.contains("badword"), "{history}");
    for id in ["a", "b"] {
        let body = json!({"message_id": format!("twitch:{id}")});
        assert_eq!(change(&server, "POST", FEATURE, body).await.0, 404);
    }
    server.stop().await;
}

/// A line with bits, sent `ago_ms` ago.
fn cheer(id: &str, bits: u32, ago_ms: i64) -> String {
    let line = privmsg_at("ana", id, "bo", "well played", Timestamp::now().plus_ms(-ago_ms));
    line.replacen("user-type=", &format!("user-type=;bits={bits}"), 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paid_messages_go_to_the_queue_by_themselves_where_that_is_wanted() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    twitch.send("ana", cheer("before", 500, 0)).await;
    socket.next_text().await;
    let settings = json!({"auto_feature_paid": true, "min_paid": 100});
    assert_eq!(change(&server, "PUT", "/api/settings?room=ana", settings).await.0, 200);
    socket.next_of("settings.update").await;
    for line in [
        cheer("little", 99, 0),
        cheer("enough", 100, 0),
        privmsg("ana", "free", "bo", "hi"),
        cheer("stale", 900, 3_600_000),
        cheer("much", 9000, 0),
    ] {
        twitch.send("ana", line).await;
    }
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let event = socket.next_of("queue.update").await;
        seen.push(ids(&event["data"]["items"]).join(" "));
    }
    assert_eq!(seen, ["enough", "enough much"]);
    // Delivered again after it was dealt with, it does not come back.
    assert_eq!(change(&server, "POST", FEATURE, json!({"next": true})).await.0, 200);
    let server = server.stop_for_now().await.start().await;
    let mut socket = server.socket("/ws/ana?backlog=0").await;
    assert_eq!(ids(&socket.hello["queue"]), ["much"]);
    twitch.send("ana", cheer("enough", 100, 0)).await;
    twitch.send("ana", privmsg("ana", "end", "bo", "end")).await;
    assert_eq!(socket.next_text().await, "end");
    assert_eq!(ids(&server.json(QUEUE).await["items"]), ["much"]);
    server.stop().await;
}

/// Played again, a paid message is not paid again.
#[tokio::test]
async fn a_recording_queues_nothing_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tape.jsonl");
    let mut event = serde_json::to_value(message("paid", "2002", "well played")).unwrap();
    event["data"]["amount"] = json!({"value": 900, "currency": "USD", "display": "$9.00"});
    for (key, value) in [
        ("v", json!(1)),
        ("room", json!("ana")),
        ("epoch", json!("01JD")),
        ("seq", json!(1)),
        ("ts", json!(Timestamp::now())),
    ] {
        event[key] = value;
    }
    fs::write(&file, format!("{event}\n")).unwrap();
    let (done, played) = tokio::sync::oneshot::channel();
    let room = "ana".parse().unwrap();
    let playback = Playback { file, room, speed: Speed::Max, wait: true, done };
    let wanted = json!({"id": "ana", "overlay": {"auto_feature_paid": true}});
    let creators = json!({ "creators": [wanted] });
    let server = Setup::new().creators(&creators).playback(playback).start().await;
    let mut socket = server.socket("/ws/ana").await;
    assert_eq!(socket.hello["settings"]["auto_feature_paid"], true);
    soon("the recording", played).await.unwrap().unwrap();
    let shown = socket.next_of("chat.message").await;
    assert_eq!(shown["data"]["amount"]["value"], 900);
    assert_eq!(server.json(QUEUE).await, json!({"items": []}));
    assert_eq!(queue(&server, "paid").await, 201, "by hand it may be");
    server.stop().await;
}
