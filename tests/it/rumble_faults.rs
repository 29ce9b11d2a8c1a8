//! Rumble's bad days: what the feed says meanwhile, and that nothing is lost or doubled.

use serde_json::json;

use crate::{
    rumble::{setup, status},
    support::rumble::{Answer, Live, Rumble, message},
};

#[tokio::test]
async fn a_cut_in_the_middle_of_a_record_loses_nothing_and_doubles_nothing() {
    let rumble = Rumble::start().await;
    let server = setup(&rumble).start().await;
    let mut socket = server.socket("/ws/ana").await;
    rumble.opened(1).await;
    // Rumble sends no ids so far.
    rumble.write_bytes(b"id: e-17\n");
    rumble.say("1", "before");
    assert_eq!(socket.next_text().await, "before");
    rumble.keep(message("2", "meanwhile", json!({})));
    rumble.write_bytes(b"data: {\"type\":\"messages\",\"data\":{\"messages\":[{\"id\":\"2\",\"te");
    rumble.cut();
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().starts_with("SSE_BEST_EFFORT: "), "{status}");
    let meanwhile = socket.next_of("chat.message").await["data"].clone();
    assert_eq!((&meanwhile["text"], &meanwhile["flags"]), (&json!("meanwhile"), &json!([])));
    socket.next_status("live").await;
    rumble.say("3", "after");
    assert_eq!(socket.next_text().await, "after");
    assert_eq!(server.room("ana").summary().messages, 3);
    assert_eq!(rumble.seen().streams[1]["last-event-id"], "e-17");
    server.stop().await;
}

#[tokio::test]
async fn a_chat_that_is_not_ready_is_waited_for_and_that_is_no_failure() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.answers.extend(vec![Answer::Status(204); 12]));
    let server = setup(&rumble).start().await;
    let mut socket = server.socket("/ws/ana").await;
    rumble.opened(1).await;
    rumble.say("1", "at last");
    assert_eq!(socket.next_text().await, "at last");
    let states: Vec<_> = server
        .history("ana")
        .await
        .iter()
        .filter(|it| it["type"] == "platform.status")
        .map(|it| it["data"].clone())
        .collect();
    assert!(states.iter().all(|it| it["state"] != "degraded"), "{states:?}");
    let told = states.iter().any(|it| it["detail"].as_str().unwrap().contains("not ready (204)"));
    assert!(told, "{states:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_chat_that_stays_away_is_looked_for_again() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.answer = Answer::Status(204));
    let server = setup(&rumble).start().await;
    let mut socket = server.socket("/ws/ana").await;
    rumble.until("a 204", |it| (it.streams.len() > 2).then_some(())).await;
    let live = Live { chat_id: 78, embed: "v5new1", title: "" };
    rumble.set(|it| {
        it.answer = Answer::Stream;
        it.answers.clear();
        it.channels.insert("c/ana".to_owned(), Some(live));
    });
    rumble.until("the new chat", |it| it.chats.contains(&"78".to_owned()).then_some(())).await;
    rumble.opened(1).await;
    rumble.say("1", "in the new chat");
    assert_eq!(socket.next_text().await, "in the new chat");
    server.stop().await;
}

#[tokio::test]
async fn without_a_browser_three_answers_that_are_no_stream_are_the_end_and_it_is_said_why() {
    for (answer, words) in [
        (Answer::Html, "answers with `text/html` in place of events"),
        (Answer::Status(403), "the chat's stream answers 403"),
    ] {
        let rumble = Rumble::start().await;
        rumble.set(|it| it.answer = answer);
        let server = setup(&rumble).start().await;
        let mut socket = server.socket("/ws/ana").await;
        let status = socket.next_status("disabled").await;
        let detail = status["detail"].as_str().unwrap();
        assert!(detail.starts_with("DISABLED") && detail.contains(words), "{detail}");
        assert!(detail.contains("this machine has no browser"), "{detail}");
        assert_eq!(rumble.seen().streams.len(), 3);
        server.stop().await;
    }
}

#[tokio::test]
async fn an_outage_of_the_site_is_waited_out_however_long_it_takes() {
    for code in [502, 503, 429] {
        let rumble = Rumble::start().await;
        rumble.set(|it| it.answers.extend(vec![Answer::Status(code); 10]));
        let server = setup(&rumble).start().await;
        let mut socket = server.socket("/ws/ana").await;
        let status = socket.next_status("degraded").await;
        let words = format!("answers {code}");
        assert!(status["detail"].as_str().unwrap().contains(&words), "{status}");
        rumble.opened(1).await;
        rumble.say("1", "back");
        assert_eq!(socket.next_text().await, "back");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_channel_that_no_mode_reads_is_tried_again() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.answers.extend(vec![Answer::Status(403); 3]));
    let server = setup(&rumble).set("PLATFORMS__RUMBLE__TRY_BETTER_SECONDS", 1).start().await;
    let mut socket = server.socket("/ws/ana").await;
    socket.next_status("disabled").await;
    rumble.opened(1).await;
    rumble.say("1", "back");
    assert_eq!(socket.next_text().await, "back");
    server.stop().await;
}

#[tokio::test]
async fn a_silent_stream_of_a_chat_that_is_over_is_left() {
    let rumble = Rumble::start().await;
    let server = setup(&rumble)
        .set("PLATFORMS__RUMBLE__REOPEN_SECONDS", 2)
        .set("PLATFORMS__RUMBLE__OFFLINE_SECONDS", 1)
        .start()
        .await;
    let mut socket = server.socket("/ws/ana").await;
    rumble.opened(1).await;
    rumble.set_channel(None);
    assert_eq!(socket.next_status("offline").await["detail"], "not live");
    server.stop().await;
}

#[tokio::test]
async fn a_byte_order_mark_costs_one_connection_and_not_the_worker() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.answers.push_back(Answer::Bom));
    let server = setup(&rumble).start().await;
    let mut socket = server.socket("/ws/ana").await;
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().contains("byte-order mark"), "{status}");
    socket.next_status("live").await;
    rumble.say("1", "readable");
    assert_eq!(socket.next_text().await, "readable");
    server.stop().await;
}

#[tokio::test]
async fn records_that_are_broken_doubled_late_or_out_of_order_cost_nothing_else() {
    let rumble = Rumble::start().await;
    let server = setup(&rumble).start().await;
    let mut socket = server.socket("/ws/ana").await;
    rumble.opened(1).await;
    rumble.write_bytes(b"data: {not-json}\n\n: comment\n\ndata: []\n\n");
    rumble.say("2", "second first");
    rumble.write(&json!({ "type": "messages", "data": { "messages": [
        message("2", "second first", json!({})),
        message("1", "first second", json!({ "time": "2026-01-01T00:00:00Z" })),
        { "id": "x" }, 7, [],
    ], "users": [[]], "channels": [[]] } }));
    rumble.write(
        &json!({ "type": "messages", "data": { "messages": [], "users": [], "channels": [] } }),
    );
    rumble.say("3", "third");
    for text in ["second first", "first second", "third"] {
        assert_eq!(socket.next_text().await, text);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stream_that_fell_silent_is_opened_anew_and_what_it_kept_back_is_told() {
    let rumble = Rumble::start().await;
    let server = setup(&rumble)
        .set("PLATFORMS__RUMBLE__COMPARE_SECONDS", 1)
        .set("PLATFORMS__RUMBLE__REOPEN_SECONDS", 2)
        .set("PLATFORMS__RUMBLE__QUIET_SECONDS", 1)
        .start()
        .await;
    let mut socket = server.socket("/ws/ana").await;
    rumble.opened(1).await;
    rumble.say("1", "before");
    assert_eq!(socket.next_text().await, "before");
    rumble.fall_silent(true);
    rumble.say("2", "kept back");
    // Quiet is no fault.
    loop {
        let status = socket.next_status("live").await;
        if status["detail"] == "SSE_BEST_EFFORT: quiet" {
            break;
        }
    }
    assert_eq!(socket.next_text().await, "kept back");
    rumble.fall_silent(false);
    rumble.say("3", "after");
    assert_eq!(socket.next_text().await, "after");
    let degraded = server.history("ana").await;
    let degraded = degraded.iter().filter(|it| it["data"]["state"] == "degraded").count();
    assert_eq!(degraded, 0, "the chat was read all the time");
    assert_eq!(status(&server)["state"], "live");
    server.stop().await;
}

#[tokio::test]
async fn a_chat_that_rumble_does_not_know_is_looked_for_anew() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.answers.push_back(Answer::Status(400)));
    let server = setup(&rumble).start().await;
    let mut socket = server.socket("/ws/ana").await;
    let status = socket.next_status("degraded").await;
    assert!(
        status["detail"].as_str().unwrap().contains("Rumble knows no chat 445201096"),
        "{status}"
    );
    socket.next_status("live").await;
    assert!(rumble.seen().pages >= 2, "looked at again");
    server.stop().await;
}

#[tokio::test]
async fn a_blocked_page_is_named_and_the_chat_that_is_remembered_is_read_meanwhile() {
    let rumble = Rumble::start().await;
    let server = setup(&rumble).start().await;
    rumble.opened(1).await;
    let mut socket = server.socket("/ws/ana").await;
    rumble.say("1", "before the restart");
    assert_eq!(socket.next_text().await, "before the restart");
    let stopped = server.stop_for_now().await;
    rumble.until("it lets go", |it| (it.open == 0).then_some(())).await;
    // The page is blocked; the embed document confirms what is remembered.
    rumble.set(|it| it.page_status = 403);
    let server = stopped.start().await;
    let mut socket = server.socket("/ws/ana").await;
    rumble.opened(1).await;
    rumble.say("2", "after the restart");
    while socket.next_text().await != "after the restart" {}
    // Another stream: what is remembered proves wrong, and the page cannot be asked.
    let live = Live { chat_id: 79, embed: "v5oth1", title: "" };
    rumble.set_channel(Some(live));
    rumble.end();
    let status = socket.next_status("disabled").await;
    let detail = status["detail"].as_str().unwrap();
    assert!(
        detail.contains("the channel page answers 403: Rumble blocks this address"),
        "{detail}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_stream_that_opens_and_brings_nothing_is_not_alive() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.answers.push_back(Answer::Nothing));
    let server = setup(&rumble).start().await;
    let mut socket = server.socket("/ws/ana").await;
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().contains("brings nothing"), "{status}");
    socket.next_status("live").await;
    server.stop().await;
}
