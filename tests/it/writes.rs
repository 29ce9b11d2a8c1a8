//! Who may change things: the operator, and nobody else.

use serde_json::{Value, json};
use streamsuites::chat::room::Arrival;

use crate::support::{Setup, TOKEN, TestServer, message, twitch::Twitch};

/// Every route that changes something, with a body it takes and how it answers the operator.
const ROUTES: [(&str, &str, &str, u16); 18] = [
    ("POST", "/api/rooms/ana/synthetic", r#"{"text":"hello"}"#, 201),
    ("POST", "/api/rooms", r#"{"channel":"twitch:newcomer"}"#, 201),
    ("DELETE", "/api/rooms/newcomer/channels/twitch/newcomer", "", 204),
    ("POST", "/api/rooms", r#"{"channel":"newcomer=twitch:newcomer"}"#, 201),
    ("POST", "/api/rooms/ana/messages", r#"{"text":"hello","platforms":["twitch"]}"#, 202),
    ("PUT", "/api/settings?room=ana", r#"{"max_messages":5}"#, 200),
    ("POST", "/api/settings?room=ana", r#"{"max_messages":6}"#, 200),
    ("POST", "/api/themes?room=ana", r#"{"name":"mine","css":".line { color: red }"}"#, 201),
    ("PUT", "/api/themes/mine?room=ana", r#"{"title":"Mine"}"#, 200),
    ("DELETE", "/api/themes/mine?room=ana", "", 204),
    ("POST", "/api/rooms/ben/queue", r#"{"message_id":"twitch:1"}"#, 201),
    ("PATCH", "/api/rooms/ben/queue/twitch:1", r#"{"position":0}"#, 200),
    ("POST", "/api/rooms/ben/queue/order", r#"{"order":["twitch:1"]}"#, 200),
    ("DELETE", "/api/rooms/ben/queue/twitch:1", "", 204),
    ("POST", "/api/rooms/ben/feature", r#"{"message_id":"twitch:1"}"#, 200),
    ("DELETE", "/api/rooms/ben/feature", "", 204),
    ("DELETE", "/api/rooms/newcomer", "", 204),
    // Let in: what is said against it is that this is no feed log.
    ("POST", RESTORE, "no feed log", 400),
];

/// Takes as much as comes: a whole feed log.
const RESTORE: &str = "/api/restore";

/// Every route that only the operator may read.
const READS: [&str; 5] = [
    "/api/settings?room=ana",
    "/api/themes?room=ana",
    "/api/themes/slate?room=ana",
    "/api/rooms/ana/messages",
    "/api/backup",
];

/// Signs in over the link printed at the start: the cookie.
async fn sign_in(server: &TestServer) -> String {
    let answer = server.get(&server.server.sign_in).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

async fn problem(answer: reqwest::Response, status: u16) -> Value {
    assert_eq!(answer.status(), status);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(problem["status"], status);
    assert!(problem["type"].as_str().unwrap().starts_with("/problems/"));
    assert!(!problem["detail"].as_str().unwrap().is_empty());
    problem
}

/// A server in a multi-threaded runtime, as in production: adding a room blocks for a moment. In ben's room
/// something was said.
async fn start() -> (TestServer, Twitch) {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).rooms(&["ana", "ben"]).start().await;
    server.room("ben").publish(&message("1", "2002", "hi"), &Arrival::now());
    (server, twitch)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_operator_changes_anything() {
    let (server, _twitch) = start().await;
    let host = server.url("");
    for (method, path, body, _) in ROUTES {
        let post = |body: &str| server.request(method, path, body);
        let send = |it: reqwest::RequestBuilder| it.send();
        let answer = send(post(body)).await.unwrap();
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        problem(answer, 401).await;
        for header in ["Bearer wrong", "Bearer ", "Basic b3A6b3A=", TOKEN] {
            let answer = send(post(body).header("authorization", header)).await.unwrap();
            problem(answer, 401).await;
        }
        let cookie = "streamsuites_session=guessed";
        let forged = post(body).header("cookie", cookie).header("origin", &host);
        problem(send(forged).await.unwrap(), 401).await;
        // Who is not let in learns nothing about the body either.
        problem(send(post("{")).await.unwrap(), 401).await;
        // A connection of its own: it ends with the answer, because nobody reads so much.
        let much = post(&"x".repeat(300_000)).header("connection", "close");
        problem(send(much).await.unwrap(), 401).await;
    }
    for path in READS {
        problem(server.get(path).send().await.unwrap(), 401).await;
        problem(server.get(path).bearer_auth("wrong").send().await.unwrap(), 401).await;
        let answer = server.get(path).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    assert!(server.history("ana").await.is_empty());
    assert!(server.server.hub.find_room("newcomer").is_none());

    for (method, path, body, status) in ROUTES {
        let answer = server.request(method, path, body).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        if path == "/api/rooms" {
            assert!(server.server.hub.find_room("newcomer").is_some());
        }
    }
    assert!(server.server.hub.find_room("newcomer").is_none());
    let own = server.post(ROUTES[0].1, ROUTES[0].2).header("x-streamsuites-token", TOKEN);
    assert_eq!(own.send().await.unwrap().status(), 201);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_changes_things_from_our_own_pages_only_and_the_link_works_once() {
    let (server, _twitch) = start().await;
    let wrong = server.get("/auth/operator?token=wrong").send().await.unwrap();
    assert_eq!(wrong.status(), 403);
    assert!(!wrong.headers().contains_key("set-cookie"));
    let cookie = sign_in(&server).await;
    let again = server.get(&server.server.sign_in).send().await.unwrap();
    assert_eq!(again.status(), 403);
    assert!(!again.headers().contains_key("set-cookie"));

    let own = server.url("");
    for (method, path, body, status) in ROUTES {
        let post = || server.request(method, path, body).header("cookie", &cookie);
        let lookalike = format!("{own}.evil.example");
        for origin in ["https://evil.example", "null", "http://127.0.0.1:1", &lookalike] {
            problem(post().header("origin", origin).send().await.unwrap(), 403).await;
        }
        problem(post().send().await.unwrap(), 403).await;
        assert_eq!(post().header("origin", &own).send().await.unwrap().status(), status, "{path}");
    }
    // A page of another site cannot read over the session either.
    let foreign = server.get("/api/rooms/ana/events").header("cookie", &cookie);
    let answer = foreign.header("origin", "https://evil.example").send().await.unwrap();
    problem(answer, 403).await;
    server.stop().await;
}

#[tokio::test]
async fn a_synthetic_message_is_shown_to_everybody_and_flagged() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let mut socket = server.socket("/ws/ana").await;
    let body = json!({"text": "hi <b>there</b>\u{7}", "display_name": "The Host", "author_source": "discord", "author_id": "42"});
    let answer = server.post("/api/rooms/ana/synthetic", body).bearer_auth(TOKEN).send().await;
    let answer: Value = serde_json::from_slice(&answer.unwrap().bytes().await.unwrap()).unwrap();
    let event = socket.next_of("chat.message").await;
    assert_eq!(answer["event"], event);
    let data = &event["data"];
    assert_eq!(data["text"], "hi <b>there</b>", "kept but for control characters");
    assert_eq!(data["flags"], json!(["synthetic"]));
    assert_eq!(data["author"]["name"], "The Host");
    assert_eq!(data["author"]["id"], "streamsuites:discord-42");
    server.stop().await;
}

#[tokio::test]
async fn the_thirty_first_synthetic_message_of_a_minute_waits_and_other_rooms_do_not() {
    let server = Setup::new().rooms(&["ana", "ben"]).start().await;
    let post = |room: &str, number: u32| {
        let path = format!("/api/rooms/{room}/synthetic");
        server.post(&path, json!({"text": number.to_string()})).bearer_auth(TOKEN).send()
    };
    for number in 1..=30 {
        assert_eq!(post("ana", number).await.unwrap().status(), 201, "{number}");
    }
    let answer = post("ANA", 31).await.unwrap();
    let seconds: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    problem(answer, 429).await;
    assert_eq!(post("ben", 1).await.unwrap().status(), 201);
    // What was refused for its body spends nothing.
    let bad = server.post("/api/rooms/ben/synthetic", json!({"text": ""})).bearer_auth(TOKEN);
    problem(bad.send().await.unwrap(), 400).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_body_is_refused_with_a_problem_that_says_what_is_wrong() {
    let (server, _twitch) = start().await;
    let long_name = "n".repeat(65);
    let long_text = "t".repeat(501);
    for (body, word) in [
        ("{".to_owned(), ""),
        ("[]".to_owned(), ""),
        (r#"{"text":""}"#.to_owned(), "`text`"),
        (r#"{"text":"\u0007"}"#.to_owned(), "`text`"),
        (r#"{"text":3}"#.to_owned(), ""),
        (r#"{"txet":"hi"}"#.to_owned(), "txet"),
        (json!({"text": long_text}).to_string(), "500"),
        (json!({"text": "hi", "display_name": long_name}).to_string(), "`display_name`"),
        (json!({"text": "hi", "author_source": "x"}).to_string(), "`author_source`"),
        (json!({"text": "hi", "avatar_url": "javascript:alert(1)"}).to_string(), "`avatar_url`"),
    ] {
        let post = server.post("/api/rooms/ana/synthetic", &body).bearer_auth(TOKEN);
        let problem = problem(post.send().await.unwrap(), 400).await;
        assert!(problem["detail"].as_str().unwrap().contains(word), "{body}: {problem}");
    }
    for body in [
        r#"{"channel":"myspace:tom"}"#,
        r#"{"channel":"twitch:two words"}"#,
        r#"{"channel":"discord:@tom"}"#,
        r#"{"channel":""}"#,
        r#"{"channle":"twitch:tom"}"#,
        "null",
    ] {
        let post = server.post("/api/rooms", body).bearer_auth(TOKEN);
        problem(post.send().await.unwrap(), 400).await;
    }
    let takes_little = |it: &(&str, &str, &str, u16)| it.0 != "DELETE" && it.1 != RESTORE;
    for (method, path, _, _) in ROUTES.into_iter().filter(takes_little) {
        let body = json!({"text": "x".repeat(300_000), "channel": "y".repeat(300_000)});
        let request = server.request(method, path, body).header("connection", "close");
        problem(request.bearer_auth(TOKEN).send().await.unwrap(), 413).await;
    }
    let nobody = server.post("/api/rooms/nobody/synthetic", r#"{"text":"hi"}"#).bearer_auth(TOKEN);
    problem(nobody.send().await.unwrap(), 404).await;
    problem(server.get("/api/rooms/ana/synthetic").send().await.unwrap(), 405).await;
    assert!(server.history("ana").await.is_empty());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_the_operator_typed_is_read_at_once() {
    let (server, twitch) = start().await;
    let post = server
        .post("/api/rooms", r#"{"channel":"twitch:https://www.twitch.tv/Newcomer"}"#)
        .bearer_auth(TOKEN);
    let answer = post.send().await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["location"], "/api/rooms/Newcomer");
    let mut socket = server.socket("/ws/newcomer").await;
    twitch.say("newcomer", "1", "welcome").await;
    assert_eq!(socket.next_text().await, "welcome");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_operator_takes_a_typed_room_away_and_its_readers_are_told() {
    let (server, _twitch) = start().await;
    let client = reqwest::Client::new();
    let delete = |room: &str| client.delete(server.url(&format!("/api/rooms/{room}")));
    let typed = server.post(ROUTES[1].1, ROUTES[1].2).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(typed.status(), 201);
    let socket = server.socket("/ws/newcomer").await;

    problem(delete("newcomer").send().await.unwrap(), 401).await;
    problem(delete("newcomer").bearer_auth("wrong").send().await.unwrap(), 401).await;
    problem(delete("nobody").bearer_auth(TOKEN).send().await.unwrap(), 404).await;
    // The configuration made this one, and only the configuration ends it.
    problem(delete("ana").bearer_auth(TOKEN).send().await.unwrap(), 409).await;
    assert!(server.server.hub.find_room("newcomer").is_some());

    let gone = delete("newcomer").bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert!(server.server.hub.find_room("newcomer").is_none());
    assert_eq!(socket.closed().await, Some(4004));
    server.stop().await;
}

/// Whoever may read a room may say how its overlay keeps up, and nobody else.
#[tokio::test]
async fn a_beacon_needs_what_the_rooms_socket_needs_and_shows_in_the_metrics() {
    let report = json!({
        "frame_ms": {"p50": 17, "p99": 20.5, "longest": 41}, "paint_ms": null, "removal_ms": null,
        "longest_task_ms": 0, "step": "collapse",
    });
    let server =
        Setup::new().rooms(&["ana", "ben"]).set("SYSTEM__OVERLAY_ACCESS", "key").start().await;
    let key = |room: &str| server.server.key_query(&room.parse().unwrap());
    let path = "/api/rooms/ana/beacon";
    for query in ["", "?key=", "?key=wrong", &key("ben")] {
        let path = format!("{path}{query}");
        problem(server.post(&path, &report).send().await.unwrap(), 403).await;
        // Who is not let in learns nothing about the body either.
        problem(server.post(&path, "{").send().await.unwrap(), 403).await;
    }
    let unknown = format!("/api/rooms/nobody/beacon{}", key("ana"));
    problem(server.post(&unknown, &report).send().await.unwrap(), 404).await;
    let metrics = async || server.get("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(!metrics().await.contains("room=\"ana\""));

    let path = format!("{path}{}", key("ana"));
    for wrong in [
        json!({}),
        json!({"longest_task_ms": -1, "step": "calm"}),
        json!({"longest_task_ms": 60_001, "step": "calm"}),
        json!({"longest_task_ms": 0, "step": "panic"}),
        json!({"longest_task_ms": 0, "step": "calm", "more": 1}),
        json!({"longest_task_ms": 0, "step": "calm", "frame_ms": {"p50": 1, "p99": 1e6, "longest": 1}}),
    ] {
        problem(server.post(&path, wrong).send().await.unwrap(), 400).await;
    }
    // As a page of another site may send it without being asked whether it may.
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let plain = http.post(server.url(&path)).header("content-type", "text/plain");
    problem(plain.body(report.to_string()).send().await.unwrap(), 400).await;
    problem(server.post(&path, "x".repeat(2000)).send().await.unwrap(), 413).await;
    assert!(!metrics().await.contains("room=\"ana\""));

    for _ in 0..30 {
        assert_eq!(server.post(&path, &report).send().await.unwrap().status(), 204);
    }
    let answer = server.post(&path, &report).send().await.unwrap();
    assert!(answer.headers().contains_key("retry-after"));
    problem(answer, 429).await;
    let text = metrics().await;
    for line in [
        "streamsuites_overlay_frame_seconds{room=\"ana\",quantile=\"0.99\"} 0.0205",
        "streamsuites_overlay_flood_step{room=\"ana\"} 2",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in {text}");
    }
    server.stop().await;

    // Where reading is open, reporting is.
    let open = Setup::new().rooms(&["ana"]).start().await;
    let answer = open.post("/api/rooms/ana/beacon", &report).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    open.stop().await;
}
