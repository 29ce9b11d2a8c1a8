//! Rooms that need their key, and secrets that stay secret.

use crate::support::{Setup, TOKEN, process::Process, socket::Socket, twitch::Twitch};

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
