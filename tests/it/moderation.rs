//! A deletion overtakes everything and holds everywhere.

use serde_json::Value;
use streamsuites::{chat::room::Arrival, model::Timestamp};

use crate::support::{
    Setup, TestServer, deletion, message,
    raw::RawSocket,
    soon,
    twitch::{Twitch, privmsg, privmsg_at},
};

/// Twitch's deletion of one message.
fn clearmsg(id: &str) -> String {
    format!(
        "@login=bo;room-id=;target-msg-id={id};tmi-sent-ts=1772366400000 :tmi.twitch.tv CLEARMSG #ana :gone\r\n"
    )
}

/// Twitch's purge of a viewer, or without one of the whole chat.
fn clearchat(user_id: Option<&str>) -> String {
    let (tag, login) =
        user_id.map_or_else(Default::default, |it| (format!(";target-user-id={it}"), " :bo"));
    let now = Timestamp::now().unix_ms();
    format!("@room-id=1001{tag};tmi-sent-ts={now} :tmi.twitch.tv CLEARCHAT #ana{login}\r\n")
}

/// What a stream of Server-Sent Events holds up to the event with that place.
async fn sse_until(server: &TestServer, seq: u64) -> String {
    let mut answer = server.get("/sse/ana?backlog=500").send().await.unwrap();
    let mut text = String::new();
    soon("the event stream", async {
        while !text.contains(&format!(".{seq}\n")) || !text.ends_with("\n\n") {
            text.push_str(&String::from_utf8_lossy(&answer.chunk().await.unwrap().unwrap()));
        }
    })
    .await;
    text
}

async fn assert_gone(server: &TestServer, words: &[&str], redacted: &[&str]) {
    let head = server.room("ana").head();
    let history = server.history("ana").await;
    let seqs: Vec<_> = history.iter().map(|it| it["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=head).collect::<Vec<_>>(), "numbering stays whole");
    let sse = sse_until(server, head).await;
    let mut socket = server.socket("/ws/ana?backlog=500").await;
    let mut backlog = Vec::new();
    while socket.seq < head {
        backlog.push(socket.next_event().await);
    }
    assert_eq!(backlog, history, "sockets and pages read the same again");
    let all = Value::Array(history.clone()).to_string();
    for word in words {
        assert!(!all.contains(word) && !sse.contains(word), "`{word}` is still there");
    }
    for id in redacted {
        let id = format!("twitch:{id}");
        let shown = |it: &&Value| it["type"] == "chat.redacted" && it["data"]["message_id"] == *id;
        assert_eq!(history.iter().filter(shown).count(), 1, "{id} has its place");
    }
}

#[tokio::test]
async fn a_deleted_purged_or_cleared_message_is_nowhere_to_be_read_again() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    twitch.say("ana", "1", "badword-one").await;
    twitch.say("ana", "2", "fine").await;
    assert_eq!(socket.next_text().await, "badword-one");
    let author = socket.next_of("chat.message").await["data"]["author"]["id"].clone();
    twitch.send("ana", clearmsg("1")).await;
    let deleted = socket.next_of("chat.delete").await;
    assert_eq!(deleted["data"]["message_id"], "twitch:1");
    assert_gone(&server, &["badword-one"], &["1"]).await;

    twitch.say("ana", "3", "badword-three").await;
    twitch.send("ana", privmsg("ana", "4", "cy", "good-four")).await;
    assert_eq!(socket.next_text().await, "badword-three");
    let own = author.as_str().unwrap().strip_prefix("twitch:").unwrap();
    twitch.send("ana", clearchat(Some(own))).await;
    assert_eq!(socket.next_of("chat.clear_user").await["data"]["author_id"], author);
    assert_gone(&server, &["badword-three", "\"fine\""], &["2", "3"]).await;
    assert!(Value::Array(server.history("ana").await).to_string().contains("good-four"));

    twitch.send("ana", clearchat(None)).await;
    assert_eq!(socket.next_of("chat.clear").await["data"]["platform"], "twitch");
    assert_gone(&server, &["good-four"], &["4"]).await;
    server.stop().await;
}

#[tokio::test]
async fn a_message_whose_deletion_came_first_is_never_shown() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    twitch.send("ana", clearmsg("late")).await;
    twitch.say("ana", "late", "badword-late").await;
    assert_eq!(socket.next_of("chat.redacted").await["data"]["message_id"], "twitch:late");

    // A purge that overtook what was written before it; what is written after it is new.
    let written = Timestamp::now().plus_ms(-2_000);
    let line = privmsg_at("ana", "old", "bo", "badword-old", written);
    let own: String =
        line.split("user-id=").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    twitch.send("ana", clearchat(Some(&own))).await;
    twitch.send("ana", line).await;
    assert_eq!(socket.next_of("chat.redacted").await["data"]["message_id"], "twitch:old");
    let later = Timestamp::now().plus_ms(2_000);
    twitch.send("ana", privmsg_at("ana", "new", "bo", "back again", later)).await;
    assert_eq!(socket.next_text().await, "back again");
    assert_gone(&server, &["badword"], &["late", "old"]).await;
    server.stop().await;
}

#[tokio::test]
async fn an_answer_to_a_deleted_message_no_longer_quotes_it() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    let reply = |id: &str, parent: &str| {
        privmsg("ana", id, "cy", &format!("@bo answer {id}")).replacen(
            "room-id=",
            &format!(
                "reply-parent-display-name=Bo;reply-parent-msg-body=quoted\\sbadword;reply-parent-msg-id={parent};\
                 reply-parent-user-id=2002;reply-parent-user-login=bo;room-id="
            ),
            1,
        )
    };
    twitch.say("ana", "1", "quoted badword").await;
    twitch.send("ana", reply("2", "1")).await;
    socket.next_text().await;
    let shown = socket.next_of("chat.message").await;
    assert_eq!(shown["data"]["reply_to"]["text"], "quoted badword");
    twitch.send("ana", clearmsg("1")).await;
    twitch.send("ana", reply("3", "1")).await;
    let later = socket.next_of("chat.message").await;
    assert_eq!(later["data"]["text"], "@bo answer 3");
    assert_eq!(later["data"]["reply_to"]["id"], "twitch:1");
    assert_eq!(later["data"]["reply_to"]["text"], "");
    assert_gone(&server, &["quoted badword"], &["1"]).await;
    assert!(Value::Array(server.history("ana").await).to_string().contains("@bo answer 2"));
    server.stop().await;
}

/// Goal: what must vanish does not wait behind what a slow reader has not read yet.
/// Method: a client with a tiny buffer that does not read; thousands of messages, then a deletion.
#[tokio::test]
async fn a_deletion_reaches_a_reader_that_is_behind_ahead_of_what_waits_for_it() {
    let server =
        Setup::new().rooms(&["ana"]).set("SYSTEM__FEED__RING_EVENTS", 65_536).start().await;
    let room = server.room("ana");
    let mut slow = RawSocket::open(server.server.address, "/ws/ana", Some(4096)).await;
    let mut quick = server.socket("/ws/ana").await;
    let text = "x".repeat(4000);
    let count = 3_000;
    for number in 1..=count {
        room.publish(&message(&format!("m{number}"), "2002", &text), &Arrival::now());
        if number % 50 == 0 {
            // As sources do: the writers get their turn.
            quick.next_event().await;
            room.relieved().await;
        }
    }
    // The start of the stream has the first place.
    while quick.seq < count + 1 {
        quick.next_event().await;
    }
    room.publish(&deletion(&format!("m{count}")), &Arrival::now());
    assert_eq!(quick.next_event().await["type"], "chat.delete");

    let (mut early_at, mut place_at, mut number) = (None, None, 0);
    let mut last = 0;
    while last < count + 2 {
        let (opcode, payload) = slow.next_frame().await.expect("the reader is caught up, not cut");
        if opcode != 0x1 {
            continue;
        }
        number += 1;
        let frame: Value = serde_json::from_slice(&payload).unwrap();
        if frame["type"] == "hello" {
            continue;
        }
        match frame["seq"].as_u64() {
            Some(seq) => {
                assert_eq!(seq, last + 1, "no hole");
                last = seq;
                if seq == count + 1 {
                    assert_eq!(frame["type"], "chat.redacted", "never sent as it was");
                    place_at = Some(number);
                }
            }
            None => {
                assert_eq!(frame["type"], "chat.delete");
                assert_eq!(frame["data"]["message_id"], format!("twitch:m{count}"));
                early_at.get_or_insert(number);
            }
        }
    }
    let (early_at, place_at) = (early_at.expect("an early copy"), place_at.unwrap());
    assert!(
        early_at + 100 < place_at,
        "the early copy at {early_at}, the message's place at {place_at}"
    );
    drop(slow);
    server.stop().await;
}

/// The same promise for those who cannot hold a socket.
#[tokio::test]
async fn a_deletion_reaches_an_event_stream_that_is_behind_ahead_of_what_waits_for_it() {
    let server =
        Setup::new().rooms(&["ana"]).set("SYSTEM__FEED__RING_EVENTS", 65_536).start().await;
    let room = server.room("ana");
    let address = server.server.address;
    let request = format!("GET /sse/ana HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut slow = RawSocket::request(address, &request, Some(4096)).await;
    assert_eq!(slow.status(), 200);
    let text = "x".repeat(4000);
    let count = 2_000;
    for number in 1..=count {
        room.publish(&message(&format!("m{number}"), "2002", &text), &Arrival::now());
        if number % 50 == 0 {
            // As sources do: the readers get their turn.
            tokio::task::yield_now().await;
        }
    }
    room.publish(&deletion(&format!("m{count}")), &Arrival::now());
    let epoch = room.epoch();
    let all = slow.text_until(&format!("id: {epoch}.{}\n", count + 2)).await;
    let early = all.find(r#""type":"chat.delete""#).expect("an early copy");
    let place =
        all.find(&format!("id: {epoch}.{}\n", count + 1)).expect("the place of the message");
    assert!(early + 100_000 < place, "the early copy at {early}, the message's place at {place}");
    let places: Vec<u64> = all
        .lines()
        .filter_map(|it| it.strip_prefix("id: ")?.rsplit_once('.')?.1.parse().ok())
        .collect();
    // The start of the stream, the messages, the deletion.
    assert_eq!(places, (1..=count + 2).collect::<Vec<_>>());
    drop(slow);
    server.stop().await;
}

#[tokio::test]
async fn a_purge_that_comes_late_leaves_what_its_viewer_wrote_since() {
    let setup = Setup::new().set("SYSTEM__FEED__RING_EVENTS", 64).rooms(&["ana"]);
    let server = setup.start().await;
    let room = server.room("ana");
    let now = Timestamp::now();
    let say_as = |id: &str, author: &str, text: &str, sent_at: Timestamp| {
        let mut body = message(id, author, text);
        if let streamsuites::model::EventBody::ChatMessage(it) = &mut body {
            it.sent_at = sent_at;
        }
        room.publish(&body, &Arrival { received_at: now, sent_at: Some(sent_at), key: None });
    };
    let say = |id: &str, text: &str, sent_at: Timestamp| say_as(id, "77", text, sent_at);
    let purge = |at: Timestamp| {
        let purge: streamsuites::model::EventBody = serde_json::from_value(serde_json::json!({
            "type": "chat.clear_user",
            "data": {"platform": "twitch", "author_id": "twitch:77", "seconds": 60}
        }))
        .unwrap();
        room.publish(&purge, &Arrival { received_at: now, sent_at: Some(at), key: None });
    };
    let purged_at = now.plus_ms(-600_000);
    say("0", "before it, and older than the ring", purged_at.plus_ms(-60_000));
    for number in 0..70 {
        say_as(&format!("other-{number}"), "5", "somebody else", purged_at.plus_ms(-30_000));
    }
    say("1", "before it", purged_at.plus_ms(-5_000));
    let resub: streamsuites::model::EventBody = serde_json::from_value(serde_json::json!({
        "type": "activity",
        "data": {"kind": "subscription", "id": "twitch:resub", "platform": "twitch", "channel": "ana",
            "author": {"id": "twitch:77", "login": "u77", "name": "u77", "roles": [], "badges": []},
            "system_text": "u77 subscribed", "text": "before it, with a subscription", "flags": [],
            "sent_at": purged_at.plus_ms(-4_000)}
    }))
    .unwrap();
    room.publish(&resub, &Arrival { received_at: now, sent_at: None, key: None });
    say("2", "after it", purged_at.plus_ms(5_000));
    purge(purged_at);
    // One that is older still, and comes later, takes nothing back.
    purge(purged_at.plus_ms(-120_000));
    say("3", "before it, and late", purged_at.plus_ms(-1_000));
    let judge = |all: &str| {
        assert!(all.contains("after it"), "{all}");
        assert!(!all.contains("before it"), "{all}");
        assert!(all.contains("u77 subscribed"), "that it happened stays true: {all}");
    };
    judge(&Value::Array(server.history("ana").await).to_string());
    let server = server.stop_for_now().await.start().await;
    judge(&Value::Array(server.history("ana").await).to_string());
    server.stop().await;
}

/// Goal: open screens hear of everything that a late purge takes away, also of what is older than the ring.
#[tokio::test]
async fn a_late_purge_is_told_also_of_what_is_older_than_the_ring() {
    let twitch = Twitch::plain().await;
    let setup = Setup::new().set("SYSTEM__FEED__RING_EVENTS", 64);
    let server = setup.twitch(&twitch).channel("twitch:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    let purged_at = Timestamp::now().plus_ms(-600_000);
    let old = privmsg_at("ana", "old", "bo", "badword-old", purged_at.plus_ms(-60_000));
    let own: String =
        old.split("user-id=").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    twitch.send("ana", old).await;
    for number in 0..80 {
        twitch.send("ana", privmsg("ana", &format!("other-{number}"), "cy", "fine")).await;
    }
    twitch.say("ana", "since", "back again").await;
    while socket.next_text().await != "back again" {}
    let purge = format!(
        "@room-id=1001;target-user-id={own};tmi-sent-ts={} :tmi.twitch.tv CLEARCHAT #ana :bo\r\n",
        purged_at.unix_ms()
    );
    twitch.send("ana", purge).await;
    assert_eq!(socket.next_of("chat.delete").await["data"]["message_id"], "twitch:old");
    assert_gone(&server, &["badword-old"], &["old"]).await;
    assert!(Value::Array(server.history("ana").await).to_string().contains("back again"));
    server.stop().await;
}
