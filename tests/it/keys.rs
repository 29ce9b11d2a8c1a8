//! Rooms that need their key, and secrets that stay secret.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use streamsuites::chat::room::Arrival;

use crate::support::{
    Setup, TOKEN, TestServer, message, process::Process, socket::Socket, soon, twitch::Twitch,
};

const ONE: &str = "/api/settings/overlay-key?room=ana";
const LIST: &str = "/api/settings/overlay-keys?room=ana";

/// What the operator is answered, and with which status.
async fn ask(server: &TestServer, method: &str, path: &str, body: Value) -> (u16, Value) {
    let sent = server.request(method, path, body).bearer_auth(TOKEN).send();
    let answer = soon(path, sent).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// A new key in the place of one.
async fn rotate(server: &TestServer, body: Value) -> String {
    let (status, answer) = ask(server, "POST", ONE, body).await;
    assert_eq!(status, 200, "{answer}");
    answer["key"].as_str().unwrap().to_owned()
}

async fn keyed() -> TestServer {
    Setup::new().rooms(&["ana", "ben"]).set("SYSTEM__OVERLAY_ACCESS", "key").start().await
}

#[tokio::test]
async fn a_room_that_needs_its_key_opens_to_nothing_else() {
    let server =
        Setup::new().rooms(&["ana", "ben"]).set("SYSTEM__OVERLAY_ACCESS", "key").start().await;
    let (ana, ben) = ("ana".parse().unwrap(), "ben".parse().unwrap());
    let (own, other) = (server.server.key_query(&ana), server.server.key_query(&ben));
    assert!(own.len() > 20 && own != other);
    let address = server.server.address;
    for path in ["/api/rooms/ana", "/api/rooms/ana/events", "/sse/ana", "/overlay/ana", "/chat/ana"]
    {
        for query in ["", "?key=", "?key=wrong", &other, &own.to_uppercase()] {
            let answer = server.get(&format!("{path}{query}")).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path}{query}");
        }
        let answer = server.get(&format!("{path}{own}")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let answer = server.get(path).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path} for the operator");
    }
    for query in ["", "?key=wrong", &other] {
        assert_eq!(Socket::refused(&format!("ws://{address}/ws/ana{query}")).await, 403);
    }
    // The key is not the room's name: an unknown room is no more open than a known one.
    assert_eq!(Socket::refused(&format!("ws://{address}/ws/nobody{own}")).await, 404);
    drop(server.socket(&format!("/ws/ana{own}&backlog=0")).await);
    drop(server.socket(&format!("/ws/ANA{own}")).await);

    assert_eq!(server.get("/api/rooms").send().await.unwrap().status(), 401);
    let listed = server.get("/api/rooms").bearer_auth(TOKEN).send().await.unwrap();
    assert!(listed.text().await.unwrap().contains(&own));
    let one =
        server.get(&format!("/api/rooms/ana{own}")).send().await.unwrap().text().await.unwrap();
    assert!(!one.contains(&own[5..]), "whoever has a key is not told it again");
    let home = server.get("/").send().await.unwrap().text().await.unwrap();
    assert!(!home.contains("key="), "nobody signed in: no keys");
    server.stop().await;
}

#[tokio::test]
async fn a_key_of_its_own_for_each_source_is_shown_only_when_asked_and_ends_alone() {
    let server = keyed().await;
    let (status, made) = ask(&server, "POST", ONE, json!({"name": "Main scene"})).await;
    assert_eq!(status, 201);
    let key = made["key"].as_str().unwrap().to_owned();
    assert!(made["overlay_url"].as_str().unwrap().ends_with(&format!("/overlay/ana?key={key}")));
    let (status, _) = ask(&server, "POST", ONE, json!({"name": "main SCENE"})).await;
    assert_eq!(status, 409);
    for bad in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "x", "grace_seconds": 1}),
        json!({"rotate": true, "grace_seconds": 99_999_999}),
        json!({"nmae": "x"}),
    ] {
        assert_eq!(ask(&server, "POST", ONE, bad.clone()).await.0, 400, "{bad}");
    }
    assert_eq!(ask(&server, "POST", ONE, json!({"name": "no", "rotate": true})).await.0, 404);

    let mut with_own = server.socket(&format!("/ws/ana?key={key}")).await;
    let default = server.server.key_query(&"ana".parse().unwrap());
    let mut with_default = server.socket(&format!("/ws/ana{default}")).await;
    assert_eq!(
        Socket::refused(&format!("ws://{}/ws/ben?key={key}", server.server.address)).await,
        403
    );

    let (status, listed) = ask(&server, "GET", LIST, Value::Null).await;
    assert_eq!(status, 200);
    assert!(!listed.to_string().contains(&key) && !listed.to_string().contains(&default[5..]));
    assert_eq!((&listed["access"], &listed["most"]), (&json!("key"), &json!(32)));
    let cards = listed["keys"].as_array().unwrap();
    let card = |at: usize| (cards[at]["name"].clone(), cards[at]["open"].clone());
    assert_eq!(card(0), (json!("default"), json!(1)));
    assert_eq!(card(1), (json!("Main scene"), json!(1)));
    assert!(cards[0]["created_at"].is_null() && cards[1]["created_at"].is_string());
    assert!(cards.iter().all(|it| it["last_seen"].is_string()));
    let reveal = format!("{ONE}&name=Main%20scene");
    assert_eq!(ask(&server, "GET", &reveal, Value::Null).await.1["key"], key);

    // Nobody else is told anything, whatever they may read; a key changes nothing.
    for (method, path) in [("GET", LIST), ("GET", &reveal), ("POST", ONE), ("DELETE", &reveal)] {
        for path in [path.to_owned(), format!("{path}&key={key}")] {
            let answer = server.request(method, &path, json!({"rotate": true})).send().await;
            assert_eq!(answer.unwrap().status(), 401, "{method} {path}");
        }
    }

    // It goes, and what is open with it; the other one stays.
    assert_eq!(ask(&server, "DELETE", ONE, Value::Null).await.0, 400);
    assert_eq!(ask(&server, "DELETE", &format!("{ONE}&name=default"), Value::Null).await.0, 409);
    let asked = Instant::now();
    assert_eq!(ask(&server, "DELETE", &reveal, Value::Null).await.0, 204);
    assert_eq!(ask(&server, "DELETE", &reveal, Value::Null).await.0, 404);
    server.room("ana").publish(&message("1", "2002", "for those who may"), &Arrival::now());
    assert_eq!(with_default.next_text().await, "for those who may");
    with_own.seq = 0;
    assert_eq!(with_own.closed().await, Some(4003));
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(server.get(&format!("/overlay/ana?key={key}")).send().await.unwrap().status(), 403);
    // The same name again is another key.
    let (_, again) = ask(&server, "POST", ONE, json!({"name": "Main scene"})).await;
    assert_ne!(again["key"], key);
    drop(with_default);
    server.stop().await;
}

#[tokio::test]
async fn a_rotated_key_works_for_its_grace_and_then_whatever_is_open_with_it_is_closed() {
    let server = keyed().await;
    let first = server.server.key_query(&"ana".parse().unwrap());
    let socket = server.socket(&format!("/ws/ana{first}")).await;
    let mut stream = server.get(&format!("/sse/ana{first}")).send().await.unwrap();
    let asked = Instant::now();
    let second = rotate(&server, json!({"rotate": true, "grace_seconds": 2})).await;
    assert_eq!(server.server.key_query(&"ana".parse().unwrap()), format!("?key={second}"));
    // Both open the room, also anew.
    drop(server.socket(&format!("/ws/ana{first}&backlog=0")).await);
    let mut kept = server.socket(&format!("/ws/ana?key={second}")).await;
    let (_, listed) = ask(&server, "GET", LIST, Value::Null).await;
    let old = &listed["keys"][0]["old"];
    assert_eq!(old.as_array().unwrap().len(), 1);
    assert!(old[0]["open"].as_u64().unwrap() >= 2 && old[0]["until"].is_string(), "{old}");
    let events = soon("an answer", server.get(&format!("/api/rooms/ana/events{first}")).send());
    assert_eq!(events.await.unwrap().status(), 200);

    assert_eq!(socket.closed().await, Some(4003));
    let took = asked.elapsed();
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(3), "{took:?}");
    soon("the end of the stream", async { while stream.chunk().await.unwrap().is_some() {} }).await;
    for path in ["/ws/ana", "/sse/ana", "/api/rooms/ana/events", "/overlay/ana"] {
        let answer = server.get(&format!("{path}{first}")).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
    server.room("ana").publish(&message("1", "2002", "still here"), &Arrival::now());
    assert_eq!(kept.next_text().await, "still here");

    // Without grace everything before it ends at once, over a restart too.
    rotate(&server, json!({"rotate": true, "name": "default", "grace_seconds": 600})).await;
    let asked = Instant::now();
    let last = rotate(&server, json!({"rotate": true})).await;
    assert_eq!(kept.closed().await, Some(4003));
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    let server = server.stop_for_now().await.start().await;
    assert_eq!(server.server.key_query(&"ana".parse().unwrap()), format!("?key={last}"));
    let refused = format!("ws://{}/ws/ana?key={second}", server.server.address);
    assert_eq!(Socket::refused(&refused).await, 403);
    drop(server.socket(&format!("/ws/ana?key={last}")).await);
    server.stop().await;
}

/// An operator who shuts the rooms means those too who are in already.
#[tokio::test]
async fn when_rooms_are_no_longer_open_whoever_came_in_without_a_key_goes() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let (_, made) = ask(&server, "POST", ONE, json!({"name": "dock"})).await;
    let key = made["key"].as_str().unwrap();
    let without = server.socket("/ws/ana").await;
    let mut with = server.socket(&format!("/ws/ana?key={key}")).await;
    server.write_config("system.json", r#"{"overlay_access": "key"}"#);
    assert_eq!(without.closed().await, Some(4003));
    server.room("ana").publish(&message("1", "2002", "undisturbed"), &Arrival::now());
    assert_eq!(with.next_text().await, "undisturbed");
    drop(with);
    server.stop().await;
}

/// Goal: what opens doors never stands in a log.
/// Method: the binary at its most talkative, every secret used in every way, then a look at all it said.
#[cfg(unix)]
#[tokio::test]
async fn keys_and_tokens_never_appear_in_the_log() {
    let twitch = Twitch::plain().await;
    let variables = [
        ("STREAMSUITES__PLATFORMS__TWITCH__IRC_URL", twitch.url()),
        ("STREAMSUITES__SYSTEM__OVERLAY_ACCESS", "key".to_owned()),
        ("STREAMSUITES__SYSTEM__LOG__LEVEL", "trace".to_owned()),
        ("STREAMSUITES_OPERATOR_TOKEN", "operator-secret-1".to_owned()),
        ("STREAMSUITES_SECRET_KEY", "secret-key-2".to_owned()),
        ("TWITCH_OAUTH_TOKEN_ANA", "oauth:token-secret-3".to_owned()),
    ];
    let arguments = ["--listen", "127.0.0.1:0", "--channel", "ana=twitch:ana"];
    let process = Process::start(&arguments, &variables);
    let address = process.address().await;
    let link = process.printed("/auth/operator?token=").await;
    let link = link.split_whitespace().next().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = |path: String| http.get(format!("http://{address}{path}"));
    let rooms = get("/api/rooms".to_owned()).bearer_auth("operator-secret-1").send().await.unwrap();
    let rooms: serde_json::Value = serde_json::from_slice(&rooms.bytes().await.unwrap()).unwrap();
    let url = rooms["rooms"][0]["overlay_url"].as_str().unwrap();
    let key = url.split("key=").nth(1).unwrap().to_owned();

    // Every key that was ever good: the named, the rotated, and the new in its place.
    let make = async |body: Value| {
        let sent = http
            .post(format!("http://{address}{ONE}"))
            .bearer_auth("operator-secret-1")
            .header("content-type", "application/json")
            .body(body.to_string());
        let answer = sent.send().await.unwrap().bytes().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        answer["key"].as_str().unwrap().to_owned()
    };
    let named = make(json!({"name": "dock"})).await;
    let newer = make(json!({"name": "dock", "rotate": true, "grace_seconds": 60})).await;
    drop(Socket::open(&format!("ws://{address}/ws/ana?key={named}")).await);
    drop(Socket::open(&format!("ws://{address}/ws/ana?key={newer}")).await);
    let mut socket = Socket::open(&format!("ws://{address}/ws/ana?key={key}")).await;
    twitch.say("ana", "1", "chat-text-of-a-viewer").await;
    assert_eq!(socket.next_text().await, "chat-text-of-a-viewer");
    for path in ["/overlay/ana", "/chat/ana", "/api/rooms/ana/events", "/sse/ana", "/nowhere"] {
        drop(get(format!("{path}?key={key}")).send().await.unwrap());
        drop(get(format!("{path}?key=wrong-key-4")).send().await.unwrap());
    }
    drop(get(format!("/auth/operator?token={link}")).send().await.unwrap());
    drop(get("/metrics".to_owned()).bearer_auth("wrong-token-5").send().await.unwrap());
    let metrics = get("/metrics".to_owned()).send().await.unwrap().text().await.unwrap();
    let exports = process.folder().join("exports");
    drop(socket);
    process.signal("-TERM").await;
    let written: String = list_files(&exports)
        .into_iter()
        .map(|it| String::from_utf8_lossy(&std::fs::read(it).unwrap()).into_owned())
        .collect();
    let ended = process.ended().await;
    assert!(ended.status.success());
    assert!(ended.err.contains("answered"), "it did log requests: {}", ended.err);
    let secrets = [
        key.as_str(),
        named.as_str(),
        newer.as_str(),
        "operator-secret-1",
        "secret-key-2",
        "token-secret-3",
        "wrong-key-4",
        "wrong-token-5",
        link,
        "chat-text-of-a-viewer",
    ];
    for secret in secrets {
        for (place, text) in [("log", &ended.err), ("metrics", &metrics), ("exports", &written)] {
            assert!(!text.contains(secret), "`{secret}` stands in the {place}");
        }
    }
    assert!(!ended.out.contains(&key), "terminals are on screen");
}

fn list_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|it| it.unwrap().path());
    paths.flat_map(|it| if it.is_dir() { list_files(&it) } else { vec![it] }).collect()
}
