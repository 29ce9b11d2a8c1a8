//! Kick, read as the site reads it: what is said there, once, in order, over every cut.

use serde_json::{Value, json};

use crate::support::{
    Setup, TestServer,
    kick::{CHANNEL, CHATROOM, Kick, Kind, chat},
    socket::Socket,
};

async fn started(kick: &Kick) -> (TestServer, Socket) {
    started_with(Setup::new().kick(kick)).await
}

async fn started_with(setup: Setup) -> (TestServer, Socket) {
    let server = setup.channel("kick:ana").start().await;
    let socket = server.socket("/ws/ana").await;
    (server, socket)
}

/// The texts of all messages that are in the feed.
async fn texts(server: &TestServer) -> Vec<String> {
    let events = server.history("ana").await;
    let said = events.iter().filter(|it| it["type"] == "chat.message");
    said.map(|it| it["data"]["text"].as_str().unwrap().to_owned()).collect()
}

async fn next_activity(socket: &mut Socket) -> Value {
    socket.next_of("activity").await["data"].clone()
}

#[tokio::test]
async fn a_message_reaches_the_room_over_the_negotiated_socket() {
    let kick = Kick::start().await;
    let (server, mut socket) = started(&kick).await;
    let connection = kick.reading(0).await;
    assert_eq!(kick.seen().connections[connection].kind, Kind::Centrifugo);
    let status = socket.next_status("live").await;
    assert_eq!((&status["channel"], &status["viewers"]), (&json!("ana"), &json!(42)));
    let id = kick.say("hi [emote:37226:KEKW]");
    let event = socket.next_of("chat.message").await;
    assert_eq!(event["data"]["id"], format!("kick:{id}"));
    assert_eq!(event["data"]["channel"], json!({"id": "kick:11", "name": "ana"}));
    assert_eq!(event["data"]["author"]["name"], "Bo");
    assert_eq!(event["data"]["fragments"][1]["type"], "emote");
    server.stop().await;
}

#[tokio::test]
async fn pusher_is_read_where_it_is_named_where_nothing_is_and_where_it_is_asked_for() {
    let connection =
        json!({"provider": "pusher", "credentials": {"app_key": "named-key", "cluster": "us2"}});
    let named = json!({"data": {"connections": [connection], "mode": "websocket"}});
    for (negotiation, setting, key) in [
        (Some((200, named)), "auto", "named-key"),
        (Some((500, json!({}))), "auto", "32cbd69e4b950bf97679"),
        (
            Some((200, json!({"data": {"connections": [{"provider": "new"}]}}))),
            "auto",
            "32cbd69e4b950bf97679",
        ),
        (None, "pusher", "32cbd69e4b950bf97679"),
    ] {
        let kick = Kick::start().await;
        kick.seen().negotiation = negotiation;
        let setup = Setup::new().kick(&kick).set("PLATFORMS__KICK__SOCKET", setting);
        let (server, mut socket) = started_with(setup).await;
        let connection = kick.reading(0).await;
        assert_eq!(kick.seen().connections[connection].kind, Kind::Pusher);
        let path =
            kick.seen().requests.iter().find(|it| it.starts_with("SOCKET")).cloned().unwrap();
        assert!(path.contains(&format!("/app/{key}?protocol=7")), "{path}");
        socket.next_status("live").await;
        kick.say("hi");
        assert_eq!(socket.next_text().await, "hi");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_refused_guest_is_read_over_pusher_instead() {
    for connect in [true, false] {
        let kick = Kick::start().await;
        if connect {
            kick.seen().connect_error = Some(json!({"code": 109, "message": "token expired"}));
        } else {
            kick.seen().token_answer = Some(403);
        }
        let (server, mut socket) = started(&kick).await;
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
}

/// Goal: nothing is lost or doubled over cuts in the middle of frames.
/// Method: some messages over the socket, some only in the history, some in both; the next one live.
#[tokio::test]
async fn no_message_is_lost_or_doubled_over_cuts() {
    let kick = Kick::start().await;
    let (server, mut socket) = started(&kick).await;
    let mut connection = kick.reading(0).await;
    let mut expected = Vec::new();
    for round in 0..4 {
        let live = kick.message(&format!("live {round}"));
        kick.publish(&chat(), "App\\Events\\ChatMessageEvent", &live);
        expected.push(format!("live {round}"));
        // Read before the cut.
        while socket.next_text().await != format!("live {round}") {}
        let missed = kick.message(&format!("missed {round}"));
        kick.seen().history.extend([live, missed]);
        expected.push(format!("missed {round}"));
        kick.cut(connection);
        connection = kick.reading(connection + 1).await;
    }
    kick.say("last");
    expected.push("last".to_owned());
    while socket.next_text().await != "last" {}
    assert_eq!(texts(&server).await, expected);
    assert!(
        !kick.seen().requests[..3].iter().any(|it| it.contains("messages")),
        "no gap, no question"
    );
    server.stop().await;
}

/// Goal: a gap whose history was refused is filled after the next cut, though later messages were read since.
#[tokio::test]
async fn a_gap_that_could_not_be_filled_is_filled_after_the_next_cut() {
    let kick = Kick::start().await;
    let (server, mut socket) = started(&kick).await;
    let first = kick.reading(0).await;
    let at = |text: &str, seconds_ago: i64| {
        let mut message = kick.message(text);
        let sent = streamsuites::model::Timestamp::now().plus_ms(-1_000 * seconds_ago);
        message["created_at"] = json!(format!("{}+00:00", &sent.to_string()[..19]));
        message
    };
    kick.publish(&chat(), "App\\Events\\ChatMessageEvent", &at("before", 60));
    assert_eq!(socket.next_text().await, "before");
    kick.seen().history.push(at("missed", 40));
    kick.seen().history_answer = Some(500);
    kick.cut(first);
    let second = kick.reading(first + 1).await;
    kick.publish(&chat(), "App\\Events\\ChatMessageEvent", &at("after", 20));
    assert_eq!(socket.next_text().await, "after");
    kick.until("the history asked for", |it| {
        it.requests.iter().any(|it| it.contains("messages")).then_some(())
    })
    .await;
    kick.seen().history_answer = None;
    kick.cut(second);
    assert_eq!(socket.next_text().await, "missed");
    server.stop().await;
}

#[tokio::test]
async fn a_cut_connection_degrades_the_room_until_it_is_live_again() {
    let kick = Kick::start().await;
    let (server, mut socket) = started(&kick).await;
    let first = kick.reading(0).await;
    socket.next_status("live").await;
    kick.cut(first);
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().contains("socket"), "{status}");
    socket.next_status("live").await;
    server.stop().await;
}

#[tokio::test]
async fn frames_of_another_room_and_repeated_frames_change_nothing() {
    let kick = Kick::start().await;
    let (server, mut socket) = started(&kick).await;
    let connection = kick.reading(0).await;
    let event = "App\\Events\\ChatMessageEvent";
    kick.publish_on(connection, "chatrooms.99.v2", event, &kick.message("elsewhere"));
    let message = kick.message("twice");
    kick.publish(&chat(), event, &message);
    kick.publish(&chat(), event, &message);
    kick.say("end");
    while socket.next_text().await != "end" {}
    assert_eq!(texts(&server).await, ["twice", "end"]);
    server.stop().await;
}

#[tokio::test]
async fn one_subscription_of_five_frames_is_one_activity_and_is_told_at_a_stop() {
    let kick = Kick::start().await;
    let (server, mut socket) = started(&kick).await;
    kick.reading(0).await;
    let tell = || {
        let copy = json!({"user_ids": [21], "username": "Bo", "channel_id": CHANNEL});
        kick.publish(&format!("channel_{CHANNEL}"), "App\\Events\\ChannelSubscriptionEvent", &copy);
        kick.publish(&format!("channel.{CHANNEL}"), "App\\Events\\ChannelSubscriptionEvent", &copy);
        let data = json!({"chatroom_id": CHATROOM, "username": "Bo", "months": 13});
        kick.publish(&chat(), "App\\Events\\SubscriptionEvent", &data);
        let data = json!({"message": {"id": "s1", "type": "info", "action": "subscribe", "months_subscribed": 13},
                          "user": {"id": 21, "username": "Bo"}});
        kick.publish(&format!("chatroom_{CHATROOM}"), "App\\Events\\ChatMessageSentEvent", &data);
    };
    tell();
    kick.say("end");
    // Held for two seconds, while the chat goes on.
    assert_eq!(socket.next_text().await, "end");
    let activity = next_activity(&mut socket).await;
    assert_eq!((&activity["kind"], &activity["months"]), (&json!("subscription"), &json!(13)));
    assert_eq!(
        (&activity["id"], &activity["author"]["id"]),
        (&json!("kick:s1"), &json!("kick:21"))
    );

    let data = json!({"chatroom_id": CHATROOM, "username": "Cy", "months": 2});
    kick.publish(&chat(), "App\\Events\\SubscriptionEvent", &data);
    kick.say("behind it");
    while socket.next_text().await != "behind it" {}
    let room = server.room("ana");
    server.stop().await;
    assert!(room.head() > socket.seq, "what was held is told at the stop");
}

#[tokio::test]
async fn deletions_and_bans_take_words_away() {
    let kick = Kick::start().await;
    let (server, mut socket) = started(&kick).await;
    kick.reading(0).await;
    let id = kick.say("bad");
    socket.next_text().await;
    let data = json!({"id": "d", "message": {"id": id}, "aiModerated": true});
    kick.publish(&chat(), "App\\Events\\MessageDeletedEvent", &data);
    assert_eq!(socket.next_of("chat.delete").await["data"]["message_id"], format!("kick:{id}"));
    let data =
        json!({"id": "b", "user": {"id": 21, "username": "Bo"}, "permanent": false, "duration": 5});
    kick.publish(&chat(), "App\\Events\\UserBannedEvent", &data);
    let event = socket.next_of("chat.clear_user").await;
    assert_eq!(event["data"], json!({"platform": "kick", "author_id": "kick:21", "seconds": 300}));
    kick.publish(&chat(), "App\\Events\\ChatroomClearEvent", &json!([]));
    socket.next_of("chat.clear").await;
    assert!(texts(&server).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_name_with_an_underscore_is_found_with_a_hyphen_and_its_numbers_are_kept() {
    let kick = Kick::start().await;
    kick.seen().slug = "an-a".to_owned();
    let setup = Setup::new().kick(&kick).channel("ana=kick:an_a");
    let server = setup.start().await;
    let mut socket = server.socket("/ws/ana").await;
    let connection = kick.reading(0).await;
    socket.next_status("live").await;
    let setup = server.stop_for_now().await;
    // The site turns us away now; the numbers are known.
    kick.seen().site_answer = Some((403, "text/html", "<html>".to_owned()));
    let server = setup.start().await;
    let mut socket = server.socket("/ws/ana").await;
    kick.reading(connection + 1).await;
    if socket.hello["status"][0]["state"] != "live" {
        socket.next_status("live").await;
    }
    kick.say("hi");
    assert_eq!(socket.next_text().await, "hi");
    server.stop().await;
}

#[tokio::test]
async fn numbers_entered_by_hand_need_no_site() {
    let kick = Kick::start().await;
    kick.seen().site_answer = Some((403, "text/html", "<html>".to_owned()));
    let channel =
        json!({"platform": "kick", "name": "ana", "channel_id": CHANNEL, "chat_id": CHATROOM});
    let creators = json!({"creators": [{"id": "ana", "always_on": true, "channels": [channel]}]});
    let server = Setup::new().kick(&kick).creators(&creators).start().await;
    let mut socket = server.socket("/ws/ana").await;
    kick.reading(0).await;
    kick.say("hi");
    assert_eq!(socket.next_text().await, "hi");
    server.stop().await;
}

#[tokio::test]
async fn going_live_begins_a_session_once_and_the_end_is_shown() {
    let kick = Kick::start().await;
    kick.seen().livestream = Value::Null;
    let (server, mut socket) = started(&kick).await;
    kick.reading(0).await;
    let status = socket.next_status("live").await;
    assert_eq!(status["detail"], "waiting for a livestream");
    let channel = format!("channel.{CHANNEL}");
    let data = json!({"livestream": {"id": 77, "session_title": "Hello", "created_at": "2026-11-20T18:00:00.000000Z"}});
    for _ in 0..2 {
        kick.publish(&channel, "App\\Events\\StreamerIsLive", &data);
    }
    let start = socket.next_of("session.start").await;
    assert_eq!(start["data"], json!({"session_id": "kick-77", "title": "Hello"}));
    assert_eq!(socket.next_status("live").await["detail"], "");
    kick.publish(&channel, "App\\Events\\StopStreamBroadcast", &json!({}));
    assert_eq!(socket.next_status("live").await["detail"], "waiting for a livestream");
    let events = server.history("ana").await;
    assert_eq!(events.iter().filter(|it| it["type"] == "session.start").count(), 1);
    server.stop().await;
}
