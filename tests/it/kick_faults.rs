//! Kick's bad days: killed, stalled, delayed, revoked; what the room says of it, and how soon.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    Setup, TestServer,
    kick::{Kick, Kind},
    soon,
};

/// The promise: the truth is shown within this time.
const PROMISE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_socket_that_falls_silent_is_left_within_ten_seconds() {
    for setting in ["auto", "pusher"] {
        let kick = Kick::start().await;
        let setup = Setup::new().kick(&kick).set("PLATFORMS__KICK__SOCKET", setting);
        let server = setup.channel("kick:ana").start().await;
        let mut socket = server.socket("/ws/ana").await;
        let first = kick.reading(0).await;
        if socket.hello["status"][0]["state"] != "live" {
            socket.next_status("live").await;
        }
        // With the times it is shipped with: nothing is set quicker here.
        kick.seen().mute = true;
        let begun = Instant::now();
        let status = socket.next_status("degraded").await;
        assert!(begun.elapsed() < PROMISE, "{:?}", begun.elapsed());
        assert!(status["detail"].as_str().unwrap().contains("no sign of life"), "{status}");
        kick.seen().mute = false;
        kick.reading(first + 1).await;
        kick.say("back");
        assert_eq!(socket.next_text().await, "back");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_stops_pinging_is_left_though_it_answers_ours() {
    let kick = Kick::start().await;
    (kick.seen().ping, kick.seen().no_pings) = (1, false);
    let server = Setup::new()
        .kick(&kick)
        .set("PLATFORMS__KICK__PING_SECONDS", 1)
        .channel("kick:ana")
        .start()
        .await;
    let mut socket = server.socket("/ws/ana").await;
    let first = kick.reading(0).await;
    kick.until("an answered ping", |it| {
        it.connections[first].texts.contains(&"{}".to_owned()).then_some(())
    })
    .await;
    kick.seen().no_pings = true;
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().contains("no ping"), "{status}");
    server.stop().await;
}

#[tokio::test]
async fn another_token_is_asked_for_before_the_old_one_ends() {
    let kick = Kick::start().await;
    kick.seen().ttl = 2;
    let server = Setup::new().kick(&kick).channel("kick:ana").start().await;
    let connection = kick.reading(0).await;
    kick.until("two further tokens", |it| {
        let texts = &it.connections[connection].texts;
        (texts.iter().filter(|it| it.contains("\"refresh\"")).count() >= 2).then_some(())
    })
    .await;
    assert_eq!(kick.seen().connections.len(), 1, "over the same connection");
    server.stop().await;
}

#[tokio::test]
async fn a_site_that_turns_us_away_is_named() {
    let policy = r#"{"error":"Request blocked by security policy.","reference":"1"}"#;
    for (answer, word) in [
        ((403, "text/html", "<!DOCTYPE html>"), "Cloudflare challenge"),
        ((403, "application/json", policy), "security policy"),
        ((200, "text/html", "<html>"), "HTML"),
        ((200, "application/json", "{}"), "another shape"),
        ((500, "application/json", "{}"), "500"),
    ] {
        let kick = Kick::start().await;
        kick.seen().site_answer = Some((answer.0, answer.1, answer.2.to_owned()));
        let server = Setup::new().kick(&kick).channel("kick:ana").start().await;
        let mut socket = server.socket("/ws/ana").await;
        let status = socket.next_status("degraded").await;
        let detail = status["detail"].as_str().unwrap();
        assert!(detail.contains(word) && detail.contains("chat_id"), "{detail}");
        kick.seen().site_answer = None;
        socket.next_status("live").await;
        server.stop().await;
    }
}

#[tokio::test]
async fn an_unknown_channel_is_named_and_looked_for_again_for_a_while() {
    let kick = Kick::start().await;
    let server = Setup::new().kick(&kick).channel("ana=kick:nobody").start().await;
    let mut socket = server.socket("/ws/ana").await;
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().contains("no channel `nobody`"), "{status}");
    kick.until("it is looked for again", |it| (it.requests.len() > 1).then_some(())).await;
    server.stop().await;
}

#[tokio::test]
async fn a_socket_that_is_closed_for_good_is_left_alone_and_the_other_is_read() {
    let kick = Kick::start().await;
    let server = Setup::new().kick(&kick).channel("kick:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    let first = kick.reading(0).await;
    kick.close(first, 3503, "force no reconnect");
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().contains("3503"), "{status}");
    let second = kick.reading(first + 1).await;
    assert_eq!(kick.seen().connections[second].kind, Kind::Pusher);
    kick.send_on(
        second,
        json!({"event": "pusher:error", "data": {"code": 4001, "message": "gone"}}).to_string(),
    );
    // Both may have meant something that passes: shown, and tried again later, but not at once.
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().contains("4001"), "{status}");
    let more = failures(&server).await + 3;
    let failed_again = async { while failures(&server).await < more {} };
    soon("three more tries", failed_again).await;
    assert_eq!(kick.seen().connections.len(), second + 1);
    server.stop().await;
}

/// How often a worker has failed.
async fn failures(server: &TestServer) -> u64 {
    let metrics = server.get("/metrics").send().await.unwrap().text().await.unwrap();
    let line = metrics.lines().find(|it| it.starts_with("streamsuites_worker_failures_total"));
    line.unwrap().split_whitespace().last().unwrap().parse().unwrap()
}

#[tokio::test]
async fn codes_that_allow_it_lead_back_to_the_same_socket() {
    let kick = Kick::start().await;
    let server = Setup::new().kick(&kick).channel("kick:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    let mut connection = kick.reading(0).await;
    let push = json!({"push": {"disconnect": {"code": 3005, "reason": "expired"}}}).to_string();
    kick.send_on(connection, push);
    connection = kick.reading(connection + 1).await;
    kick.close(connection, 4000, "later");
    connection = kick.reading(connection + 1).await;
    kick.say("still here");
    while socket.next_text().await != "still here" {}
    assert_eq!(kick.seen().connections[connection].kind, Kind::Centrifugo);
    server.stop().await;
}

#[tokio::test]
async fn an_invitation_to_come_back_at_once_is_followed() {
    let kick = Kick::start().await;
    let server = Setup::new()
        .kick(&kick)
        .set("PLATFORMS__KICK__SOCKET", "pusher")
        // A pause would be long.
        .set("PLATFORMS__BACKOFF__FIRST_MS", 3_600_000)
        .set("PLATFORMS__BACKOFF__LONGEST_MS", 3_600_000)
        .channel("kick:ana")
        .start()
        .await;
    let mut socket = server.socket("/ws/ana").await;
    let first = kick.reading(0).await;
    let error = json!({"event": "pusher:error", "data": {"code": 4200, "message": "Please reconnect immediately"}});
    kick.send_on(first, error.to_string());
    kick.reading(first + 1).await;
    kick.say("back");
    while socket.next_text().await != "back" {}
    server.stop().await;
}

#[tokio::test]
async fn a_delay_of_the_platform_is_shown() {
    let kick = Kick::start().await;
    let server = Setup::new().kick(&kick).channel("kick:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    kick.reading(0).await;
    let mut late = kick.message("late");
    let sent = streamsuites::model::Timestamp::now().plus_ms(-42_000).to_string();
    late["created_at"] = Value::from(sent);
    kick.publish(&crate::support::kick::chat(), "App\\Events\\ChatMessageEvent", &late);
    let shown = async {
        loop {
            let status = socket.next_status("live").await;
            if status["detail"].as_str().unwrap().starts_with("lagging 4") {
                return;
            }
        }
    };
    let begun = Instant::now();
    shown.await;
    assert!(begun.elapsed() < PROMISE);
    server.stop().await;
}

#[tokio::test]
async fn a_slow_negotiation_is_not_waited_for() {
    let kick = Kick::start().await;
    let channel = json!({"platform": "kick", "name": "ana", "channel_id": 11, "chat_id": 13});
    let creators = json!({"creators": [{"id": "ana", "always_on": true, "channels": [channel]}]});
    kick.seen().slow = Duration::from_secs(3_600);
    let begun = Instant::now();
    let server = Setup::new().kick(&kick).creators(&creators).start().await;
    let connection = kick.reading(0).await;
    assert!(begun.elapsed() < PROMISE, "{:?}", begun.elapsed());
    assert_eq!(kick.seen().connections[connection].kind, Kind::Pusher);
    server.stop().await;
}

#[tokio::test]
async fn a_socket_that_does_not_get_as_far_as_the_chat_gives_the_other_a_turn() {
    let kick = Kick::start().await;
    kick.seen().connect_error =
        Some(json!({"code": 100, "message": "internal", "temporary": true}));
    let server = Setup::new().kick(&kick).channel("kick:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    kick.until("the Pusher socket", |it| {
        it.connections
            .iter()
            .any(|it| it.kind == Kind::Pusher && !it.channels.is_empty())
            .then_some(())
    })
    .await;
    socket.next_status("live").await;
    kick.say("hi");
    assert_eq!(socket.next_text().await, "hi");
    server.stop().await;
}
