//! Twitch's bad days: what the feed says meanwhile, and how soon everything is back.

use std::{collections::HashMap, time::Duration};

use serde_json::json;

use crate::support::{
    Setup, soon,
    twitch::{Twitch, privmsg},
};

#[tokio::test]
async fn a_cut_connection_degrades_the_room_until_it_is_live_again() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    let first = twitch.joined("ana").await;
    twitch.say("ana", "1", "before").await;
    assert_eq!(socket.next_text().await, "before");
    twitch.cut(first);
    let status = socket.next_status("degraded").await;
    assert_eq!(status["platform"], "twitch");
    assert_eq!(status["channel"], "ana");
    assert!(!status["detail"].as_str().unwrap().is_empty());
    socket.next_status("live").await;
    let metrics = server.get("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("streamsuites_channels{platform=\"twitch\",state=\"live\"} 1\n"));
    twitch.say("ana", "2", "after").await;
    assert_eq!(socket.next_text().await, "after");
    server.stop().await;
}

/// The one place for a bound of time: it is the promise itself.
#[tokio::test]
async fn every_channel_is_joined_within_a_moment_of_the_servers_return() {
    let mut twitch = Twitch::plain().await;
    let server = Setup::new()
        .twitch(&twitch)
        .channel("ana=twitch:ana")
        .channel("ben=twitch:ben")
        // The real ones, not the quick ones of other tests.
        .set("PLATFORMS__BACKOFF__FIRST_MS", 1000)
        .set("PLATFORMS__BACKOFF__LONGEST_MS", 60_000)
        .start()
        .await;
    let mut ana = server.socket("/ws/ana").await;
    twitch.joined("ana").await;
    twitch.joined("ben").await;
    ana.next_status("live").await;
    let before = twitch.seen().joins.len();
    twitch.go_away().await;
    // Away for several seconds: long enough for a back-off to have grown.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(server.room("ana").summary().status.len(), 1);
    let status = serde_json::to_value(&server.room("ana").summary().status[0]).unwrap();
    assert_eq!(status["state"], "degraded");
    assert!(status["detail"].as_str().unwrap().contains("the connection is refused"), "{status}");

    let back = twitch.come_back().await;
    twitch.joined("ana").await;
    twitch.joined("ben").await;
    for (_, channel, at) in &twitch.seen().joins[before..] {
        let took = at.saturating_duration_since(back);
        assert!(took < Duration::from_millis(1500), "{channel} joined {took:?} after the return");
    }
    twitch.say("ana", "1", "we are back").await;
    assert_eq!(ana.next_text().await, "we are back");
    server.stop().await;
}

#[tokio::test]
async fn no_line_is_lost_or_doubled_while_the_server_moves_us_to_another_connection() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    let old = twitch.joined("ana").await;
    twitch.say("ana", "1", "one").await;
    twitch.hold_joins();
    twitch.send_on(old, ":tmi.twitch.tv RECONNECT\r\n");
    twitch.send_on(old, privmsg("ana", "2", "bo", "two"));
    let new = twitch.until("a JOIN", |it| it.joins.get(1).map(|it| it.0)).await;
    assert_ne!(new, old);
    assert!(
        !twitch.seen().connections[old].closed,
        "the old one is read until the new one has joined"
    );
    // Over the old one, then over both.
    twitch.send_on(old, privmsg("ana", "3", "bo", "three"));
    let both = privmsg("ana", "4", "bo", "four");
    let cleared = "@room-id=1001;tmi-sent-ts=1772366400000;target-user-id=77;ban-duration=5 \
                   :tmi.twitch.tv CLEARCHAT #ana :cy\r\n";
    twitch.send_on(old, format!("{both}{cleared}"));
    // Read before the answer to the JOIN lets the old connection go.
    for text in ["one", "two", "three", "four"] {
        assert_eq!(socket.next_text().await, text);
    }
    assert_eq!(socket.next_event().await["type"], "chat.clear_user");
    twitch.release_joins(new, &format!("{both}{cleared}{}", privmsg("ana", "5", "bo", "five")));
    let rest = async {
        loop {
            let event = socket.next_event().await;
            match event["type"].as_str().unwrap() {
                "chat.message" => return event["data"]["text"].clone(),
                "chat.clear_user" => panic!("the purge came twice"),
                _ => {}
            }
        }
    };
    assert_eq!(rest.await, "five");
    twitch.until("the old one let go", |it| it.connections[old].closed.then_some(())).await;
    twitch.say("ana", "6", "six").await;
    assert_eq!(socket.next_text().await, "six");
    assert_eq!(server.room("ana").summary().messages, 6);
    let states: Vec<_> = server
        .history("ana")
        .await
        .iter()
        .filter(|it| it["type"] == "platform.status")
        .map(|it| it["data"]["state"].clone())
        .collect();
    assert!(!states.contains(&"degraded".into()), "nobody noticed: {states:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_answers_no_ping_is_left() {
    let twitch = Twitch::plain().await;
    let server = Setup::new()
        .twitch(&twitch)
        .channel("twitch:ana")
        .set("PLATFORMS__TWITCH__PING_SECONDS", 1)
        .set("PLATFORMS__TWITCH__PONG_SECONDS", 1)
        .start()
        .await;
    let mut socket = server.socket("/ws/ana").await;
    let first = twitch.joined("ana").await;
    twitch.until("a PING", |it| (it.pings > 0).then_some(())).await;
    twitch.fall_silent();
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().contains("no sign of life"), "{status}");
    twitch.speak_again();
    twitch.until("another connection", |it| it.carrier("ana").filter(|it| *it > first)).await;
    twitch.say("ana", "1", "alive").await;
    assert_eq!(socket.next_text().await, "alive");
    server.stop().await;
}

#[tokio::test]
async fn a_ping_of_the_server_is_answered_with_its_own_words() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    twitch.send("ana", "PING :are you there\r\n").await;
    twitch
        .until("a PONG", |it| it.pongs.contains(&":are you there".to_owned()).then_some(()))
        .await;
    server.stop().await;
}

#[tokio::test]
async fn a_refused_token_disables_the_channel_and_is_never_shown_or_tried_again() {
    for notice in ["Login authentication failed", "Improperly formatted auth"] {
        let twitch = Twitch::plain().await;
        twitch.refuse_login(notice);
        let server = Setup::new()
            .twitch(&twitch)
            .channel("ana=twitch:ana")
            .channel("ben=twitch:ben")
            .variable("TWITCH_OAUTH_TOKEN_ANA", "oauth:verysecret123")
            .variable("TWITCH_BOT_NICK_ANA", "AnaBot")
            .start()
            .await;
        let mut socket = server.socket("/ws/ana").await;
        let status = socket.next_status("disabled").await;
        let detail = status["detail"].as_str().unwrap();
        assert!(detail.contains("token") && !detail.contains("verysecret123"), "{detail}");
        // Ben comes without a token, and so over a connection of his own.
        twitch
            .until("Ben's attempt", |it| {
                let anonymous = |nick: &Option<String>| {
                    nick.as_ref().is_some_and(|it| it.starts_with("justinfan"))
                };
                (it.connections.iter().filter(|it| anonymous(&it.nick)).count() >= 1).then_some(())
            })
            .await;
        {
            let seen = twitch.seen();
            let hers: Vec<_> = seen.connections.iter().filter(|it| it.pass.is_some()).collect();
            assert_eq!(hers.len(), 1, "no further attempt with a refused token");
            assert_eq!(hers[0].pass.as_deref(), Some("oauth:verysecret123"));
            assert_eq!(hers[0].nick.as_deref(), Some("anabot"));
        }
        let everything =
            format!("{:?}{}", server.history("ana").await, server.json("/api/rooms").await);
        assert!(!everything.contains("verysecret123"));
        server.stop().await;
    }
}

#[tokio::test]
async fn a_channel_that_is_never_answered_for_is_degraded_and_the_others_are_live() {
    let twitch = Twitch::plain().await;
    twitch.ignore("tpyo");
    let server = Setup::new()
        .twitch(&twitch)
        .channel("ana=twitch:ana")
        .channel("ben=twitch:tpyo")
        .start()
        .await;
    let mut ben = server.socket("/ws/ben").await;
    let status = ben.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().contains("`tpyo`: is the name right?"), "{status}");
    let ana = serde_json::to_value(&server.room("ana").summary().status[0]).unwrap();
    assert_eq!(ana["state"], "live");
    assert_eq!(twitch.seen().connections.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn many_channels_are_joined_at_the_allowed_pace_over_few_connections() {
    let twitch = Twitch::plain().await;
    let mut setup = Setup::new()
        .twitch(&twitch)
        .set("PLATFORMS__TWITCH__JOINS_PER_10_SECONDS", 15)
        .set("PLATFORMS__TWITCH__CHANNELS_PER_CONNECTION", 10);
    for number in 0..25 {
        setup = setup.channel(&format!("room{number}=twitch:chan{number}"));
    }
    let server = setup.start().await;
    twitch.until("all joined", |it| (it.joins.len() >= 25).then_some(())).await;
    assert_paced(&twitch);
    server.stop().await;
}

/// Never more than fifteen joins in ten seconds, never more than ten channels on a connection.
fn assert_paced(twitch: &Twitch) {
    let seen = twitch.seen();
    let times: Vec<_> = seen.joins.iter().map(|it| it.2).collect();
    for (index, window) in times.windows(16).enumerate() {
        // The sixteenth waits for its window; a little is allowed for the way here.
        let took = window[15].duration_since(window[0]);
        assert!(took > Duration::from_millis(9_500), "16 joins in {took:?} from the {index}th on");
    }
    assert!(times[14].duration_since(times[0]) < Duration::from_secs(5), "no slower than allowed");
    let mut carried: HashMap<usize, usize> = HashMap::new();
    for (connection, _, _) in &seen.joins {
        *carried.entry(*connection).or_default() += 1;
    }
    assert_eq!(seen.connections.len(), 3);
    assert!(carried.values().all(|it| *it <= 10), "{carried:?}");
}

#[tokio::test]
async fn two_rooms_that_read_one_channel_share_its_join_and_leave_alone() {
    let twitch = Twitch::plain().await;
    let creators = |rooms: &[(&str, &str)]| {
        let creator = |(id, name): &(&str, &str)| json!({"id": id, "always_on": true, "channels": [{"platform": "twitch", "name": name}]});
        json!({"creators": rooms.iter().map(creator).collect::<Vec<_>>()})
    };
    let server = Setup::new()
        .twitch(&twitch)
        .set("PLATFORMS__TWITCH__CHANNELS_PER_CONNECTION", 2)
        .creators(&creators(&[("one", "a"), ("two", "b"), ("three", "c")]))
        .start()
        .await;
    twitch.joined("a").await;
    twitch.joined("b").await;
    let carrier = twitch.joined("c").await;
    // The connection without `c` has room again; a second reader of `c` belongs on the one that has it.
    server.write_creators(&creators(&[("two", "b"), ("three", "c")]));
    twitch.until("the PART", |it| it.parts.contains(&"a".to_owned()).then_some(())).await;
    for room in ["four", "five", "six"] {
        let readers = [("two", "b"), ("three", "c"), (room, "c")];
        server.write_creators(&creators(&readers));
        let mut socket = soon("the room", async {
            while server.server.hub.find_room(room).is_none() {
                tokio::task::yield_now().await;
            }
            server.socket(&format!("/ws/{room}")).await
        })
        .await;
        let live = |it: &serde_json::Value| it["status"][0]["state"] == "live";
        if !live(&socket.hello) {
            socket.next_status("live").await;
        }
        twitch.say("c", room, room).await;
        assert_eq!(socket.next_text().await, room);
    }
    assert_eq!(twitch.joined("c").await, carrier);
    let joins = twitch.seen().joins.iter().filter(|it| it.1 == "c").count();
    assert_eq!(joins, 1, "joined once, for however many rooms");
    server.write_creators(&creators(&[("two", "b"), ("six", "c")]));
    let mut six = server.socket("/ws/six").await;
    soon("the room closes", async {
        while server.server.hub.find_room("three").is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    twitch.say("c", "last", "still read for the other").await;
    while six.next_text().await != "still read for the other" {}
    server.stop().await;
}
