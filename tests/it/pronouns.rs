//! Pronouns of viewers on Twitch: asked for once, only for those who wrote in the room, never when that is off.

use serde_json::{Value, json};
use streamsuites::model::EventBody;

use crate::support::{
    Setup, TestServer,
    pronouns::{Answer, Pronouns, chose, viewer},
    soon,
};

fn setup(service: &Pronouns) -> Setup {
    let setup = Setup::new().set("PLATFORMS__PRONOUNS__ENABLED", true);
    setup.set("PLATFORMS__PRONOUNS__URL", service.url()).rooms(&["ana"])
}

/// What a viewer of that login says; its place in the feed.
fn say(server: &TestServer, login: &str) -> u64 {
    say_on(server, "twitch", login)
}

fn say_on(server: &TestServer, platform: &str, login: &str) -> u64 {
    let room = server.room("ana");
    let number = room.head();
    let body = json!({"type": "chat.message", "data": {
        "id": format!("{platform}:m{number}"), "platform": platform,
        "channel": {"id": format!("{platform}:1001"), "name": "ana"},
        "author": {"id": format!("{platform}:{login}-id"), "login": login, "name": login, "color": null,
            "badges": [], "roles": []},
        "text": "hi", "fragments": [{"type": "text", "text": "hi"}], "flags": [],
        "sent_at": "2026-01-01T00:00:00.000Z", "received_at": "2026-01-01T00:00:00.000Z",
    }});
    let body: EventBody = serde_json::from_value(body).unwrap();
    room.publish(&body, &streamsuites::chat::room::Arrival::now());
    room.head()
}

fn path(seqs: &[u64]) -> String {
    let events: Vec<String> = seqs.iter().map(|it| format!("event={it}")).collect();
    format!("/api/rooms/ana/pronouns?{}", events.join("&"))
}

async fn ask(server: &TestServer, seqs: &[u64]) -> Value {
    server.json(&path(seqs)).await["pronouns"].clone()
}

/// Asks until this is the answer: a service that failed is left alone for a moment.
async fn ask_until(server: &TestServer, seqs: &[u64], expected: &Value) {
    soon("the pronouns", async { while ask(server, seqs).await != *expected {} }).await;
}

#[tokio::test]
async fn whoever_wrote_in_the_room_is_asked_for_once_and_told_by_their_id() {
    let service = Pronouns::start().await;
    service.answer(&viewer("bo"), chose("hehim", None));
    service.answer(&viewer("cleo"), chose("sheher", Some("theythem")));
    service.answer(&viewer("dee"), chose("any", None));
    let server = setup(&service).start().await;
    let mut seqs: Vec<_> = ["Bo", "cleo", "dee", "nobody"].map(|it| say(&server, it)).into();
    seqs.push(say_on(&server, "kick", "bo"));
    seqs.push(say_on(&server, "twitch", "no/../login"));
    assert!(service.asked().is_empty(), "nobody wants to see any yet");

    let expected = json!({
        "twitch:Bo-id": "He/Him", "twitch:cleo-id": "She/They", "twitch:dee-id": "Any", "twitch:nobody-id": null,
    });
    assert_eq!(ask(&server, &seqs).await, expected);
    assert_eq!(ask(&server, &seqs).await, expected);
    let mut asked = service.asked();
    asked.sort();
    let all =
        ["/v1/pronouns", "/v1/users/bo", "/v1/users/cleo", "/v1/users/dee", "/v1/users/nobody"];
    assert_eq!(asked, all, "each once, those who told none as well");

    // Not by name, and not by a place that is nobody's.
    assert_eq!(ask(&server, &[9_999]).await, json!({}));
    let by_name = server.json("/api/rooms/ana/pronouns?viewer=twitch:eve").await;
    assert_eq!(by_name, json!({"pronouns": {}}));
    assert_eq!(service.asked().len(), 5);
    server.stop().await;
}

#[tokio::test]
async fn calls_at_the_same_time_share_what_is_under_way_and_none_waits_for_long() {
    let service = Pronouns::start().await;
    service.answer(&viewer("bo"), Answer::Slow);
    let server = setup(&service).start().await;
    let seq = say(&server, "bo");
    // Longer than an answer is waited for.
    let seqs = [seq];
    let all = futures_util::future::join_all((0..10).map(|_| ask(&server, &seqs)));
    assert!(all.await.into_iter().all(|it| it == json!({})), "absent, not wrong");
    service.until_asked(&viewer("bo"), 1).await;
    service.answer(&viewer("bo"), chose("theythem", None));
    ask_until(&server, &[seq], &json!({"twitch:bo-id": "They/Them"})).await;
    assert_eq!(service.count(&viewer("bo")), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_service_that_fails_is_left_alone_and_asked_again_later() {
    for failure in [Answer::Failure(429, None), Answer::Failure(503, None), Answer::Broken] {
        let service = Pronouns::start().await;
        service.answer(&viewer("bo"), failure);
        service.answer(&viewer("cleo"), chose("sheher", None));
        let server = setup(&service).set("PLATFORMS__BACKOFF__FIRST_MS", 3_600_000);
        let server = server.set("PLATFORMS__BACKOFF__LONGEST_MS", 3_600_000).start().await;
        let (bo, cleo) = (say(&server, "bo"), say(&server, "cleo"));
        assert_eq!(ask(&server, &[bo]).await, json!({}));
        assert_eq!(ask(&server, &[bo, cleo]).await, json!({}));
        assert_eq!(service.count(&viewer("bo")), 1, "not again so soon");
        assert_eq!(service.count(&viewer("cleo")), 0, "nor anybody else");
        server.stop().await;
    }
    let service = Pronouns::start().await;
    service.answer("/v1/pronouns", Answer::Failure(500, None));
    service.answer(&viewer("bo"), chose("sheher", None));
    let server = setup(&service).start().await;
    let bo = say(&server, "bo");
    assert_eq!(ask(&server, &[bo]).await, json!({}));
    service.answer(
        "/v1/pronouns",
        Answer::Told(json!({"sheher": {"subject": "She", "object": "Her"}})),
    );
    ask_until(&server, &[bo], &json!({"twitch:bo-id": "She/Her"})).await;
    server.stop().await;
}

#[tokio::test]
async fn the_service_says_how_long_it_wants_to_be_left_alone() {
    let service = Pronouns::start().await;
    service.answer(&viewer("bo"), Answer::Failure(429, Some(600)));
    let server = setup(&service).set("PLATFORMS__BACKOFF__FIRST_MS", 1).start().await;
    let (bo, cleo) = (say(&server, "bo"), say(&server, "cleo"));
    assert_eq!(ask(&server, &[bo]).await, json!({}));
    // Our own pause of a millisecond is over long before the last of these.
    for _ in 0..50 {
        assert_eq!(ask(&server, &[bo, cleo]).await, json!({}));
    }
    assert_eq!(service.asked().len(), 2, "{:?}", service.asked());
    server.stop().await;
}

#[tokio::test]
async fn a_reader_cannot_make_this_server_ask_without_end() {
    let service = Pronouns::start().await;
    let server =
        setup(&service).set("PLATFORMS__PRONOUNS__ASKS_PER_ROOM_AND_MINUTE", 5).start().await;
    let seqs: Vec<u64> = (0..60).map(|it| say(&server, &format!("viewer{it}"))).collect();
    for some in seqs.chunks(20) {
        ask(&server, some).await;
    }
    let asked = service.asked().len();
    assert!((6..=8).contains(&asked), "a budget of five, and the table: {asked}");
    let refused = server.get(&path(&(1..=26).collect::<Vec<_>>())).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    server.stop().await;
}

#[tokio::test]
async fn what_was_deleted_is_nobodys_and_what_left_the_memory_is_found_in_the_log() {
    let service = Pronouns::start().await;
    for login in ["bo", "cleo"] {
        service.answer(&viewer(login), chose("sheher", None));
    }
    let server = setup(&service).set("SYSTEM__FEED__RING_EVENTS", 64).start().await;
    let (bo, cleo) = (say(&server, "bo"), say(&server, "cleo"));
    let id = json!({"type": "chat.delete", "data": {"message_id": format!("twitch:m{}", cleo - 1), "platform": "twitch"}});
    let deletion: EventBody = serde_json::from_value(id).unwrap();
    server.room("ana").publish(&deletion, &streamsuites::chat::room::Arrival::now());
    for _ in 0..100 {
        say_on(&server, "kick", "other");
    }
    assert_eq!(ask(&server, &[bo, cleo]).await, json!({"twitch:bo-id": "She/Her"}));
    assert_eq!(service.count(&viewer("cleo")), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_room_that_needs_its_key_needs_it_here_too_and_what_is_off_asks_nobody() {
    let service = Pronouns::start().await;
    let keyed = setup(&service).set("SYSTEM__OVERLAY_ACCESS", "key").start().await;
    let seq = say(&keyed, "bo");
    assert_eq!(keyed.get(&path(&[seq])).send().await.unwrap().status(), 403);
    assert_eq!(keyed.get("/api/rooms/nobody/pronouns").send().await.unwrap().status(), 404);
    keyed.stop().await;
    let off = setup(&service).set("PLATFORMS__PRONOUNS__ENABLED", false).start().await;
    let seq = say(&off, "bo");
    assert_eq!(ask(&off, &[seq]).await, json!({}));
    off.stop().await;
    assert!(service.asked().is_empty());
}
