//! From a chat line to the sockets of its room.

use serde_json::Value;

use crate::support::{Setup, message, process::Process, socket::Socket, soon, twitch::Twitch};
use streamsuites::chat::room::Arrival;

/// Goal: what is said on a platform reaches that creator's room, in order, and no other room.
/// Method: the real server on port 0, a scripted platform, two plain WebSocket clients.
#[tokio::test]
async fn a_chat_line_reaches_only_its_own_room() {
    let twitch = Twitch::plain().await;
    let server =
        Setup::new().twitch(&twitch).channel("ana=twitch:ana").channel("ben=twitch:ben").start();
    let server = server.await;
    let mut ana = server.socket("/ws/ana").await;
    let mut ben = server.socket("/ws/BEN").await;

    for (room, id, text) in
        [("ana", "1", "first"), ("ben", "2", "elsewhere"), ("ana", "3", "second")]
    {
        twitch.say(room, id, text).await;
    }

    assert_eq!(ana.next_text().await, "first");
    assert_eq!(ana.next_text().await, "second");
    assert_eq!(ben.next_text().await, "elsewhere");
    assert_eq!(server.room("ana").summary().messages, 2);
    assert_eq!(server.room("ben").summary().messages, 1);
    server.stop().await;
}

/// The flag that names no room names it after the channel; nothing but the address differs from plain.
#[tokio::test]
async fn chat_is_read_over_tls_with_an_authority_of_ones_own() {
    let twitch = Twitch::tls().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:Ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    twitch.say("ana", "1", "over TLS: ü 🎉").await;
    assert_eq!(socket.next_text().await, "over TLS: ü 🎉");
    assert!(twitch.seen().connections[0].nick.as_ref().unwrap().starts_with("justinfan"));
    server.stop().await;
}

#[tokio::test]
async fn an_authority_that_nobody_trusts_is_refused_and_said_so() {
    let twitch = Twitch::tls().await;
    let setup = Setup::new().set("PLATFORMS__TWITCH__IRC_URL", twitch.url());
    let server = setup.channel("twitch:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().starts_with("cannot reach 127.0.0.1"), "{status}");
    assert!(twitch.seen().joins.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn the_binary_serves_a_channel_from_the_command_line() {
    for twitch in [Twitch::plain().await, Twitch::tls().await] {
        let mut variables = vec![("STREAMSUITES__PLATFORMS__TWITCH__IRC_URL", twitch.url())];
        if let Some(file) = twitch.ca_file() {
            let name = "STREAMSUITES__PLATFORMS__TWITCH__TLS_CA_FILE";
            variables.push((name, file.display().to_string()));
        }
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--channel", "twitch:ana"];
        let process = Process::start(&arguments, &variables);
        let address = process.address().await;
        assert_eq!(
            process.printed("overlay").await.split_whitespace().next(),
            Some(format!("http://{address}/overlay/ana").as_str())
        );
        assert_eq!(process.printed("pop-out").await, format!("http://{address}/chat/ana"));
        let mut socket = Socket::open(&format!("ws://{address}/ws/ana")).await;
        twitch.say("ana", "1", "hello").await;
        assert_eq!(socket.next_text().await, "hello");
    }
}

/// Every recorded line of the fixtures, through a connection of their own each (they share ids).
#[tokio::test]
async fn the_fixtures_come_out_of_the_socket_as_they_are_expected() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/twitch");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .filter_map(|it| it.strip_suffix(".irc").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() > 5);
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    twitch.joined("ana").await;
    for name in names {
        let lines = std::fs::read_to_string(format!("{folder}/{name}.irc")).unwrap();
        let table = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
        let table: Vec<Value> = serde_json::from_str(&table).unwrap();
        for (index, (line, row)) in lines.lines().zip(&table).enumerate() {
            let expected = &row["expect"];
            if expected["type"] != "chat.message" {
                continue;
            }
            // An id of its own, and no sign of age: the fixtures reuse ids and are of another year.
            let id = format!("{name}-{index}");
            let mine = replace_tag(line, "id", &id);
            // Without a room's number the one that was told at the JOIN counts, which changes the badges.
            if mine == line || !line.contains(" #ana") || !line.contains(";room-id=1") {
                continue;
            }
            twitch.send("ana", format!("{mine}\r\n")).await;
            let event = soon(&id, async {
                loop {
                    let event = socket.next_event().await;
                    if event["data"]["id"] == format!("twitch:{id}") {
                        return event;
                    }
                }
            })
            .await;
            let (data, expected) = (&event["data"], &expected["data"]);
            for key in ["text", "fragments", "author", "amount", "reply_to", "source_channel"] {
                assert_eq!(data[key], expected[key], "{name}:{} {key} ({})", index + 1, row["why"]);
            }
        }
    }
    server.stop().await;
}

/// `line` with another value of a tag.
fn replace_tag(line: &str, tag: &str, value: &str) -> String {
    let Some((tags, rest)) = line.split_once(' ').filter(|it| it.0.starts_with('@')) else {
        return line.to_owned();
    };
    let tags: Vec<String> = tags[1..]
        .split(';')
        .map(|it| match it.split_once('=') {
            Some((name, _)) if name == tag => format!("{tag}={value}"),
            _ => it.to_owned(),
        })
        .collect();
    format!("@{} {rest}", tags.join(";"))
}

#[tokio::test]
async fn a_socket_begins_with_hello_and_as_much_backlog_as_it_asked_for() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let room = server.room("ana");
    for number in 1..=600 {
        room.publish(&message(&format!("m{number}"), "2002", &number.to_string()), &Arrival::now());
    }
    for (query, first) in [
        ("?backlog=0", 602),
        ("?backlog=3", 599),
        ("?backlog=500", 102),
        ("", 552),
        ("?backlog=9999", 102),
    ] {
        let mut socket = server.socket(&format!("/ws/ana{query}")).await;
        assert_eq!(socket.hello["room"], "ana");
        // The start of the stream has the first place.
        assert_eq!(socket.hello["seq"], 601);
        assert_eq!(socket.hello["recovered"], false);
        assert_eq!(socket.hello["epoch"], room.epoch().as_ref());
        assert!(socket.hello["settings"].is_object() && socket.hello["status"].is_array());
        for seq in first..=601 {
            assert_eq!(socket.next_event().await["seq"], seq, "{query}");
        }
    }
    let mut socket = server.socket("/ws/ana?backlog=0").await;
    room.publish(&message("next", "2002", "live"), &Arrival::now());
    assert_eq!(socket.next_event().await["seq"], 602);
    server.stop().await;
}

#[tokio::test]
async fn a_filtered_socket_gets_the_wanted_types_and_platforms_only() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    let mut all = server.socket("/ws/ana").await;
    let mut chat = server.socket("/ws/ana?types=chat").await;
    let mut rules = server.socket("/ws/ana?types=room.state,activity").await;
    let mut ours = server.socket("/ws/ana?platforms=streamsuites").await;
    let mut twitchers = server.socket("/ws/ana?platforms=twitch&types=chat.message").await;

    twitch.say("ana", "1", "from Twitch").await;
    assert_eq!(all.next_text().await, "from Twitch");
    let post = server.post("/api/rooms/ana/synthetic", r#"{"text":"from here"}"#);
    let token = crate::support::TOKEN;
    assert_eq!(post.bearer_auth(token).send().await.unwrap().status(), 201);
    twitch.say("ana", "2", "again").await;

    for (socket, expected) in [
        (&mut chat, ["from Twitch", "from here", "again"].as_slice()),
        (&mut twitchers, &["from Twitch", "again"]),
        (&mut ours, &["from here"]),
    ] {
        for text in expected {
            assert_eq!(socket.next_text().await, *text);
        }
    }
    assert_eq!(rules.next_event().await["type"], "room.state");
    let history = server.json("/api/rooms/ana/events?types=chat&platforms=twitch").await;
    assert_eq!(history["events"].as_array().unwrap().len(), 2);
    assert_eq!(
        Socket::refused(&format!("ws://{}/ws/ana?platforms=myspace", server.server.address)).await,
        400
    );
    server.stop().await;
}

#[tokio::test]
async fn one_message_delivered_twice_is_one_event_and_two_honest_repeats_are_two() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    twitch.say("ana", "1", "hi").await;
    twitch.say("ana", "1", "hi").await;
    twitch.say("ana", "2", "hi").await;
    twitch.say("ana", "end", "end").await;
    let ids = async {
        let mut ids = Vec::new();
        while ids.last() != Some(&"twitch:end".to_owned()) {
            let event = socket.next_of("chat.message").await;
            ids.push(event["data"]["id"].as_str().unwrap().to_owned());
        }
        ids
    };
    assert_eq!(ids.await, ["twitch:1", "twitch:2", "twitch:end"]);
    server.stop().await;
}

#[tokio::test]
async fn whether_the_server_is_well_is_told_to_everybody() {
    let server =
        Setup::new().rooms(&["ana", "ben"]).set("SYSTEM__OVERLAY_ACCESS", "key").start().await;
    let key = server.server.key_query(&"ana".parse().unwrap());
    let _socket = server.socket(&format!("/ws/ana{key}")).await;
    let health = server.json("/api/health").await;
    for (name, value) in [
        ("status", Value::from("healthy")),
        ("recording", "on".into()),
        ("rooms", 2.into()),
        ("sessions", 2.into()),
        ("connections", 1.into()),
        ("version", streamsuites::VERSION.into()),
    ] {
        assert_eq!(health[name], value, "{name}");
    }
    server.stop().await;
}
