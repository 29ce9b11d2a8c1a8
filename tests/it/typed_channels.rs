//! Channels that the operator types: into which room, and how they are taken out again.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Setup, TOKEN, TestServer, twitch::Twitch};

async fn ask(server: &TestServer, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = server.request(method, path, body).bearer_auth(TOKEN).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

async fn remove(server: &TestServer, path: &str) -> u16 {
    ask(server, "DELETE", path, Value::Null).await.0
}

async fn setup(twitch: &Twitch) -> TestServer {
    let creators = json!({"creators": [
        {"id": "ana", "always_on": true, "channels": [{"platform": "twitch", "name": "ana"}]}
    ]});
    Setup::new().twitch(twitch).creators(&creators).start().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typed_channel_is_taken_out_again_at_once_and_over_restarts() {
    let twitch = Twitch::plain().await;
    let server = setup(&twitch).await;
    for channel in ["twitch:one", "twitch:two"] {
        let typed = json!({ "channel": channel, "room": "den" });
        assert_eq!(ask(&server, "POST", "/api/rooms", typed).await.0, 201);
    }
    // Into a room of the configuration, where one of its own stands beside it.
    let (status, card) = ask(&server, "POST", "/api/rooms", json!({"channel": "ANA=three"})).await;
    assert_eq!((status, &card["room"]), (201, &json!("ana")));
    let three = json!({"platform": "twitch", "channel": "three"});
    assert_eq!(card["typed"], json!({"channels": [three], "room": false}));
    let mut den = server.socket("/ws/den").await;
    for channel in ["one", "two", "three", "ana"] {
        twitch.joined(channel).await;
    }
    twitch.say("one", "1", "still here").await;
    assert_eq!(den.next_text().await, "still here");

    // Nobody but the operator, and nothing that was not typed.
    let path = "/api/rooms/den/channels/twitch/one";
    for request in [
        server.request("DELETE", path, ""),
        server.request("DELETE", path, "").bearer_auth("wrong"),
        server.request("DELETE", path, "").header("cookie", "streamsuites_session=guessed"),
    ] {
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    for (path, status) in [
        ("/api/rooms/nobody/channels/twitch/one", 404),
        ("/api/rooms/den/channels/twitch/three", 404),
        ("/api/rooms/den/channels/kick/one", 404),
        ("/api/rooms/den/channels/myspace/one", 404),
        ("/api/rooms/den/channels/twitch/not%20one", 404),
        ("/api/rooms/ana/channels/twitch/ana", 409),
    ] {
        assert_eq!(remove(&server, path).await, status, "{path}");
    }
    assert!(twitch.seen().parts.is_empty());

    let asked = Instant::now();
    assert_eq!(remove(&server, "/api/rooms/DEN/channels/twitch/%23One").await, 204);
    twitch.until("the PART", |it| it.parts.contains(&"one".to_owned()).then_some(())).await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(remove(&server, path).await, 404, "it is gone");
    twitch.say("two", "2", "goes on").await;
    assert_eq!(den.next_text().await, "goes on");
    let (_, room) = ask(&server, "GET", "/api/rooms/den", Value::Null).await;
    let channels: Vec<_> = room["status"].as_array().unwrap().iter().collect();
    assert_eq!(channels.len(), 1, "{room}");
    assert_eq!(channels[0]["channel"], "two");
    let two = json!({"platform": "twitch", "channel": "two"});
    assert_eq!(room["typed"], json!({"channels": [two], "room": true}));
    drop(den);

    let joined = |twitch: &Twitch| -> Vec<String> {
        twitch.seen().joins.iter().map(|it| it.1.clone()).collect()
    };
    let before = joined(&twitch).len();
    let server = server.stop_for_now().await.start().await;
    for channel in ["two", "three", "ana"] {
        twitch.until("the JOIN", |it| it.carrier(channel).map(drop)).await;
    }
    let since = joined(&twitch).split_off(before);
    assert!(!since.contains(&"one".to_owned()), "{since:?}");

    // With its last channel the room goes, and whoever reads it is told; the configuration's stays.
    let den = server.socket("/ws/den").await;
    assert_eq!(remove(&server, "/api/rooms/den/channels/twitch/two").await, 204);
    assert_eq!(den.closed().await, Some(4004));
    assert_eq!(ask(&server, "GET", "/api/rooms/den", Value::Null).await.0, 404);
    assert_eq!(remove(&server, "/api/rooms/ana/channels/twitch/three").await, 204);
    let (status, room) = ask(&server, "GET", "/api/rooms/ana", Value::Null).await;
    assert_eq!((status, &room["typed"]), (200, &json!({"channels": [], "room": false})));
    server.stop().await;
}

/// Names with a slash, an `@` or letters of another script are one part of the address all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_is_taken_out_by_whatever_name_it_has() {
    // Nobody is there to be read.
    let away = "http://127.0.0.1:1";
    let server = Setup::new()
        .set("PLATFORMS__YOUTUBE__WEB_URL", away)
        .set("PLATFORMS__RUMBLE__ENABLED", false)
        .start()
        .await;
    for (channel, path) in [
        ("den=youtube:@테스트", "youtube/@%ED%85%8C%EC%8A%A4%ED%8A%B8"),
        ("den=youtube:c/Some.Name", "youtube/c%2FSome.Name"),
        ("den=https://rumble.com/user/Some-Name", "rumble/user%2FSome-Name"),
    ] {
        let typed = ask(&server, "POST", "/api/rooms", json!({ "channel": channel })).await;
        assert_eq!(typed.0, 201, "{typed:?}");
        let path = format!("/api/rooms/den/channels/{path}");
        assert_eq!(remove(&server, &path).await, 204, "{channel}");
        assert!(server.server.hub.find_room("den").is_none());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_named_beside_the_channel_or_before_it() {
    let twitch = Twitch::plain().await;
    let server = setup(&twitch).await;
    for (body, room) in [
        (json!({"channel": "den = twitch:one"}), "den"),
        (json!({"channel": "den=one"}), "den"),
        (json!({"channel": "den=https://www.twitch.tv/one", "room": "DEN"}), "den"),
        (json!({"channel": "https://www.twitch.tv/two?a=b"}), "two"),
    ] {
        let (status, card) = ask(&server, "POST", "/api/rooms", body.clone()).await;
        assert_eq!((status, &card["room"]), (201, &json!(room)), "{body}");
    }
    for (body, word) in [
        (json!({"channel": "den=one", "room": "other"}), "`room` is `other`"),
        (json!({"channel": "d e n=one"}), "not a creator id"),
        (json!({"channel": "den="}), "not a Twitch channel"),
        // What the sentence says to write is what is understood.
        (json!({"channel": "youtube:@테스트"}), "write `ROOM=youtube:@테스트`"),
    ] {
        let (status, problem) = ask(&server, "POST", "/api/rooms", body.clone()).await;
        assert_eq!(status, 400, "{body}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    }
    server.stop().await;
}
