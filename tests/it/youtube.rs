//! YouTube from end to end: both ways to read it, the change between them, and its bad days.

use std::time::Instant;

use serde_json::{Value, json};
use streamsuites::{
    config::quotas::QuotasConfig,
    http::Clients,
    model::{Platform, Timestamp},
    platforms::youtube::sender::{Permit, SendError, YoutubeSender},
    quotas::Quotas,
    storage::State,
};

use crate::support::{
    Setup, TestServer,
    socket::Socket,
    soon,
    youtube::{ApiFault, CHANNEL_ID, PROMISE, SiteFault, Youtube, chat_id},
};

fn by_site(youtube: &Youtube) -> Setup {
    Setup::new().youtube(youtube).channel("ana=youtube:@ana")
}

fn by_api(youtube: &Youtube) -> Setup {
    by_site(youtube)
        .set("PLATFORMS__YOUTUBE__READING", "data_api")
        // So that no pause is longer than the least.
        .set("QUOTAS__DEFAULT__YOUTUBE__DAILY_UNITS", 100_000_000)
        .variable("YOUTUBE_API_KEY", "a-secret-key")
}

/// The newest status of the room's one channel.
fn status(server: &TestServer) -> (String, String) {
    let status = server.room("ana").summary().status;
    let status = serde_json::to_value(&status[0]).unwrap();
    let text = |name: &str| status[name].as_str().unwrap_or_default().to_owned();
    (text("state"), text("detail"))
}

async fn next_live(socket: &mut Socket) -> Value {
    if socket.hello["status"].as_array().is_some_and(|it| it.iter().any(|it| it["state"] == "live"))
    {
        return socket.hello["status"][0].clone();
    }
    socket.next_status("live").await
}

/// Waits until the state is right, whatever it was before.
async fn until_status(server: &TestServer, state: &str, detail: &str) {
    let mut socket = server.socket("/ws/ana?backlog=0&types=platform").await;
    let mut found = socket.hello["status"][0].clone();
    let wait = async {
        while found["state"] != state || !found["detail"].as_str().unwrap().contains(detail) {
            found = socket.next_of("platform.status").await["data"].clone();
        }
    };
    if tokio::time::timeout(crate::support::DEADLINE, wait).await.is_err() {
        panic!("not {state} `{detail}` but {:?}", status(server));
    }
}

#[tokio::test]
async fn a_chat_line_reaches_the_room_without_a_key_however_the_channel_is_named() {
    for name in ["@ana", CHANNEL_ID, "aaaaaaaaaaa", "c/ana", "user/ana"] {
        let youtube = Youtube::live().await;
        let server =
            Setup::new().youtube(&youtube).channel(&format!("ana=youtube:{name}")).start().await;
        let mut socket = server.socket("/ws/ana").await;
        let live = next_live(&mut socket).await;
        assert_eq!((&live["platform"], &live["channel"]), (&json!("youtube"), &json!(name)));
        youtube.say("CAone", "bo", "hello");
        let event = socket.next_of("chat.message").await;
        let data = &event["data"];
        assert_eq!(data["id"], "youtube:CAone");
        assert_eq!(data["text"], "hello");
        assert_eq!(data["author"]["login"], "bo");
        assert_eq!(data["channel"], json!({"id": format!("youtube:{CHANNEL_ID}"), "name": "Ana"}));
        assert_eq!(data["flags"], json!([]));
        youtube.delete("CAone");
        assert_eq!(socket.next_of("chat.delete").await["data"]["message_id"], "youtube:CAone");
        {
            let seen = youtube.seen();
            assert_eq!(seen.headers["cookie"], "CONSENT=YES+1; SOCS=CAI");
            assert_eq!(seen.headers["accept-language"], "en");
            let client = &seen.chat_body["context"]["client"];
            assert_eq!(
                (&client["clientVersion"], &client["hl"]),
                (&json!("2.20260101.00.00"), &json!("en"))
            );
            assert_eq!(seen.count("list") + seen.count("videos"), 0, "no key, no Data API");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn what_was_said_before_is_history_and_what_follows_is_not() {
    let youtube = Youtube::live().await;
    youtube.say_at("CAold", "bo", "earlier", Timestamp::now().plus_ms(-30_000));
    let server = by_site(&youtube).start().await;
    let mut socket = server.socket("/ws/ana").await;
    let old = socket.next_of("chat.message").await;
    assert_eq!(old["data"]["flags"], json!(["historical"]));
    youtube.say("CAnew", "bo", "now");
    assert_eq!(socket.next_of("chat.message").await["data"]["flags"], json!([]));
    let live = serde_json::to_value(&server.room("ana").summary().status[0]).unwrap();
    assert_eq!(live["viewers"], 42);
    server.stop().await;
}

#[tokio::test]
async fn a_channel_is_offline_until_its_stream_begins_and_again_when_it_ends() {
    let youtube = Youtube::offline().await;
    let server = by_site(&youtube).start().await;
    let mut socket = server.socket("/ws/ana").await;
    until_status(&server, "offline", "not live").await;
    youtube.seen().scheduled = true;
    until_status(&server, "offline", "not live, scheduled for 2030-01-01 20:00 UTC").await;
    youtube.seen().live = true;
    socket.next_status("live").await;
    youtube.say("CAone", "bo", "hello");
    assert_eq!(socket.next_text().await, "hello");
    let start = server.history("ana").await;
    let start = start.iter().find(|it| it["type"] == "session.start").unwrap();
    assert_eq!(start["data"]["title"], "A stream };</script>");
    {
        let mut seen = youtube.seen();
        seen.live = false;
        seen.scheduled = false;
    }
    until_status(&server, "offline", "not live").await;
    server.stop().await;
}

#[tokio::test]
async fn a_stream_begins_for_each_creator_who_reads_its_channel() {
    let youtube = Youtube::offline().await;
    let server = by_site(&youtube).channel("ben=youtube:@ana").start().await;
    let mut ana = server.socket("/ws/ana").await;
    let mut ben = server.socket("/ws/ben").await;
    for socket in [&mut ana, &mut ben] {
        socket.next_status("offline").await;
    }
    youtube.seen().live = true;
    for socket in [&mut ana, &mut ben] {
        let start = socket.next_of("session.start").await;
        assert_eq!(start["data"]["title"], "A stream };</script>");
    }
    server.stop().await;
}

/// Goal: whatever the site does in the place of its chat is named, and reading goes on when it is over.
#[tokio::test]
async fn every_bad_day_of_the_site_is_named_and_survived() {
    const CONSENT: &str = r#"<form action="https://consent.youtube.com/save">"#;
    for (fault, words) in [
        (SiteFault::Answers(429, "<html>sorry</html>"), "YouTube blocks this address (429)"),
        (SiteFault::Answers(403, ""), "YouTube blocks this address (403)"),
        (SiteFault::Answers(200, CONSENT), "YouTube asks for consent"),
        (SiteFault::Answers(200, "<html>unusual traffic</html>"), "blocks this address"),
        (SiteFault::Answers(503, "<html>busy</html>"), "YouTube answers 503"),
        (
            SiteFault::Answers(200, "<html>?</html>"),
            "changed its shape: an answer that is not JSON",
        ),
        (SiteFault::NoContinuation, "YouTube's chat page changed its shape: no continuation"),
        (SiteFault::UnknownKinds, "items have the unknown kind chatMessageViewModel"),
    ] {
        let youtube = Youtube::live().await;
        let server = by_site(&youtube).start().await;
        let mut socket = server.socket("/ws/ana").await;
        next_live(&mut socket).await;
        let since = Instant::now();
        youtube.seen().site_fault = Some(fault.clone());
        if fault == SiteFault::UnknownKinds {
            (0..12).for_each(|it| youtube.say(&format!("CAx{it}"), "bo", "strange"));
        }
        until_status(&server, "degraded", words).await;
        assert!(since.elapsed() <= PROMISE, "{fault:?} after {:?}", since.elapsed());
        server.stop().await;
    }
    // From the beginning on.
    for (fault, state, words) in [
        (SiteFault::Answers(429, ""), "degraded", "blocks this address (429)"),
        (SiteFault::Answers(200, CONSENT), "degraded", "asks for consent"),
        (SiteFault::NoData, "degraded", "changed its shape: a page without ytInitialData"),
        (SiteFault::NoChat("Chat is disabled."), "disabled", "Chat is disabled."),
    ] {
        let youtube = Youtube::live().await;
        youtube.seen().site_fault = Some(fault.clone());
        let server = by_site(&youtube).start().await;
        let _watching = server.socket("/ws/ana").await;
        until_status(&server, state, words).await;
        server.stop().await;
    }
}

#[tokio::test]
async fn a_stream_without_chat_is_left_alone_and_the_next_one_is_read() {
    let youtube = Youtube::live().await;
    youtube.seen().site_fault = Some(SiteFault::NoChat("Chat is disabled."));
    let server = by_site(&youtube).start().await;
    let mut socket = server.socket("/ws/ana").await;
    until_status(&server, "disabled", "Chat is disabled.").await;
    youtube.until_more("page", 2).await;
    assert_eq!(youtube.seen().count("popout"), 1, "not asked again and again");
    assert_eq!(status(&server).0, "disabled", "it stays said");
    {
        let mut seen = youtube.seen();
        seen.site_fault = None;
        seen.video = Some("bbbbbbbbbbb");
    }
    socket.next_status("live").await;
    youtube.say("CAone", "bo", "hello");
    assert_eq!(socket.next_text().await, "hello");
    server.stop().await;
}

#[tokio::test]
async fn a_cut_chat_goes_on_where_it_was_without_a_gap_or_a_repeat() {
    let youtube = Youtube::live().await;
    let server = by_site(&youtube).start().await;
    let mut socket = server.socket("/ws/ana").await;
    next_live(&mut socket).await;
    youtube.say("CA1", "bo", "one");
    assert_eq!(socket.next_text().await, "one");
    youtube.seen().site_fault = Some(SiteFault::Answers(502, ""));
    socket.next_status("degraded").await;
    youtube.say("CA2", "bo", "two");
    youtube.say("CA3", "bo", "two");
    youtube.seen().site_fault = None;
    youtube.say("CA4", "bo", "four");
    for text in ["two", "two", "four"] {
        assert_eq!(socket.next_text().await, text, "honest repeats are two");
    }
    until_status(&server, "live", "").await;
    assert_eq!(server.room("ana").summary().messages, 4);
    server.stop().await;
}

#[tokio::test]
async fn a_block_is_left_behind_through_a_proxy() {
    let youtube = Youtube::live().await;
    let server = by_site(&youtube)
        .set("PLATFORMS__YOUTUBE__PROXIES", json!([youtube.proxy_url()]))
        .start()
        .await;
    let mut socket = server.socket("/ws/ana").await;
    next_live(&mut socket).await;
    assert_eq!(youtube.seen().by_proxy, 0);
    {
        let mut seen = youtube.seen();
        seen.site_fault = Some(SiteFault::Answers(429, ""));
        seen.proxy_is_well = true;
    }
    youtube.until("the proxy", |it| it.by_proxy > 1).await;
    youtube.say("CAone", "bo", "round the corner");
    assert_eq!(socket.next_text().await, "round the corner");
    assert_eq!(status(&server).0, "live", "nobody noticed");
    server.stop().await;
}

#[tokio::test]
async fn a_channel_that_does_not_exist_is_said_so_and_believed_only_after_minutes() {
    let youtube = Youtube::live().await;
    let server = Setup::new().youtube(&youtube).channel("ana=youtube:@tpyo").start().await;
    let _watching = server.socket("/ws/ana").await;
    until_status(&server, "degraded", "no channel `@tpyo`: is the name right?").await;
    youtube.until("looks", |it| it.count("page") > 3).await;
    assert_eq!(status(&server).0, "degraded");
    server.stop().await;
}

/// The one place for bounds of time: they are the promise itself.
#[tokio::test]
async fn a_site_that_hangs_or_is_gone_is_seen_within_ten_seconds() {
    let mut youtube = Youtube::live().await;
    let server = by_site(&youtube).start().await;
    let mut socket = server.socket("/ws/ana").await;
    next_live(&mut socket).await;
    let since = Instant::now();
    youtube.seen().site_fault = Some(SiteFault::Hangs);
    until_status(&server, "degraded", "no answer in time").await;
    assert!(since.elapsed() <= PROMISE, "{:?}", since.elapsed());
    youtube.seen().site_fault = None;
    socket.next_status("live").await;
    let since = Instant::now();
    youtube.go_away().await;
    until_status(&server, "degraded", "cannot be reached").await;
    assert!(since.elapsed() <= PROMISE, "{:?}", since.elapsed());
    server.stop().await;
}

#[tokio::test]
async fn a_key_reads_with_the_data_api_and_is_never_shown() {
    let youtube = Youtube::live().await;
    let server = by_api(&youtube).start().await;
    let mut socket = server.socket("/ws/ana").await;
    next_live(&mut socket).await;
    // A strange item must not take its page with it.
    youtube.push(
        json!({}),
        json!({"id": "strange", "snippet": {"publishedAt": "yesterday", "type": 7}}),
    );
    youtube.say("CAone", "bo", "hello");
    let event = socket.next_of("chat.message").await;
    assert_eq!(
        (&event["data"]["id"], &event["data"]["text"]),
        (&json!("youtube:CAone"), &json!("hello"))
    );
    youtube.delete("CAone");
    assert_eq!(socket.next_of("chat.delete").await["data"]["message_id"], "youtube:CAone");
    assert_eq!(youtube.seen().count("chat"), 0, "the site's chat is not asked");
    assert_eq!(youtube.seen().count("search"), 0, "nothing is searched for");
    youtube.seen().api_fault = Some(ApiFault::Refuses(403, "forbiddenForSomeReason"));
    socket.next_status("degraded").await;
    let everything =
        format!("{:?}{}", server.history("ana").await, server.json("/api/rooms").await);
    assert!(!everything.contains("a-secret-key"));
    server.stop().await;
}

#[tokio::test]
async fn every_refusal_of_the_data_api_is_answered_as_it_deserves() {
    for (fault, state, words) in [
        (ApiFault::Refuses(403, "quotaExceeded"), "degraded", "quota is spent until "),
        (ApiFault::Refuses(403, "dailyLimitExceeded"), "degraded", "quota is spent until "),
        (ApiFault::Refuses(400, "keyInvalid"), "disabled", "key is not accepted (keyInvalid)"),
        (ApiFault::Refuses(401, "authError"), "degraded", "key is not accepted (authError)"),
        (ApiFault::Refuses(403, "liveChatDisabled"), "disabled", "switched off"),
        (ApiFault::Refuses(403, "forbidden"), "disabled", "forbids reading"),
        (ApiFault::Refuses(503, "backendError"), "degraded", "YouTube answers 503"),
        (ApiFault::Html(502), "degraded", "YouTube answers 502"),
        (ApiFault::Html(429), "degraded", "asked too often"),
        (ApiFault::Hangs, "degraded", "does not answer"),
    ] {
        let youtube = Youtube::live().await;
        let server = by_api(&youtube).start().await;
        let mut socket = server.socket("/ws/ana").await;
        next_live(&mut socket).await;
        youtube.seen().api_fault = Some(fault.clone());
        until_status(&server, state, words).await;
        let before = youtube.seen().count("list");
        youtube.seen().api_fault = None;
        if matches!(&fault, ApiFault::Refuses(403, reason) if reason.ends_with("Exceeded")) {
            until_status(&server, "degraded", "quota").await;
            assert_eq!(youtube.seen().count("list"), before, "believed for a while");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn a_place_in_the_chat_is_kept_over_a_restart_and_let_go_when_it_is_too_old() {
    let youtube = Youtube::live().await;
    let server = by_api(&youtube).start().await;
    let mut socket = server.socket("/ws/ana").await;
    next_live(&mut socket).await;
    youtube.say("CA1", "bo", "one");
    assert_eq!(socket.next_text().await, "one");
    youtube.until_more("list", 1).await;
    let setup = server.stop_for_now().await;
    youtube.say("CA2", "bo", "two");
    let lists = youtube.seen().count("list");
    let videos = youtube.seen().count("videos");
    let server = setup.start().await;
    let mut socket = server.socket("/ws/ana?backlog=0").await;
    youtube.until("a list", |it| it.count("list") > lists).await;
    assert_eq!(youtube.seen().list_query["pageToken"], "p1");
    assert_eq!(youtube.seen().count("videos"), videos, "the chat's id is known, too");
    if server.room("ana").summary().messages < 2 {
        assert_eq!(socket.next_text().await, "two");
    }
    youtube.seen().stale_tokens = true;
    youtube.say("CA3", "bo", "three");
    while socket.next_text().await != "three" {}
    let said = server.history("ana").await;
    let said: Vec<_> = said.iter().filter(|it| it["type"] == "chat.message").collect();
    assert_eq!(said.len(), 3, "each once: {said:?}");
    server.stop().await;
}

/// Goal: stepping down loses nothing and doubles nothing.
/// Method: a quota that is used up after two looks, and somebody who talks all the time.
#[tokio::test]
async fn nothing_is_lost_or_doubled_when_the_site_takes_over_from_the_data_api() {
    let youtube = Youtube::live().await;
    let server = by_site(&youtube)
        .variable("YOUTUBE_API_KEY", "a-secret-key")
        .set("QUOTAS__DEFAULT__YOUTUBE__DAILY_UNITS", 100)
        .set("QUOTAS__DEFAULT__YOUTUBE__BUFFER_UNITS", 88)
        .start()
        .await;
    let mut socket = server.socket("/ws/ana").await;
    next_live(&mut socket).await;
    let mut number = 0;
    let mut texts = Vec::new();
    let talk = async {
        // Until the site has been reading for a while.
        while youtube.seen().count("chat") < 5 {
            youtube.say(&format!("CA{number}"), "bo", &format!("line {number}"));
            number += 1;
            texts.push(socket.next_text().await);
        }
    };
    soon("the change", talk).await;
    let expected: Vec<_> = (0..number).map(|it| format!("line {it}")).collect();
    assert_eq!(texts, expected);
    {
        let seen = youtube.seen();
        assert!(seen.count("list") >= 2, "the Data API came first: {:?}", seen.calls);
    }
    let lists = youtube.seen().count("list");
    youtube.until_more("chat", 3).await;
    assert_eq!(youtube.seen().count("list"), lists, "the buffer is saved");
    assert_eq!(server.room("ana").summary().messages, number);
    // A deletion by the one way takes away what came by the other.
    youtube.delete("CA0");
    assert_eq!(socket.next_of("chat.delete").await["data"]["message_id"], "youtube:CA0");
    // Now the site is blocked, and what was saved is used.
    youtube.seen().site_fault = Some(SiteFault::Answers(429, ""));
    youtube.until("the Data API again", |it| it.count("list") > lists).await;
    until_status(&server, "degraded", "so that the quota lasts until 0").await;
    assert_eq!(server.room("ana").summary().messages, number);
    let history = server.history("ana").await;
    assert!(
        !history.iter().any(|it| it["type"] == "chat.message" && it["data"]["text"] == "line 0")
    );
    server.stop().await;
}

#[tokio::test]
async fn a_blocked_site_leaves_finding_the_stream_to_the_data_api_without_a_search() {
    let youtube = Youtube::live().await;
    youtube.seen().site_fault = Some(SiteFault::Answers(429, ""));
    let server = by_site(&youtube).variable("YOUTUBE_API_KEY", "a-secret-key").start().await;
    let mut socket = server.socket("/ws/ana").await;
    youtube.say("CA1", "bo", "hello");
    assert_eq!(socket.next_text().await, "hello");
    {
        let seen = youtube.seen();
        assert_eq!((seen.count("channels"), seen.count("search")), (1, 0), "{:?}", seen.calls);
    }
    assert!(status(&server).1.contains("blocks this address (429)"), "{:?}", status(&server));
    server.stop().await;
}

#[tokio::test]
async fn a_refused_key_steps_down_to_the_site() {
    let youtube = Youtube::live().await;
    youtube.seen().api_fault = Some(ApiFault::Refuses(400, "keyInvalid"));
    let server = by_site(&youtube).variable("YOUTUBE_API_KEY", "a-secret-key").start().await;
    let mut socket = server.socket("/ws/ana").await;
    youtube.say("CA1", "bo", "hello");
    assert_eq!(socket.next_text().await, "hello");
    until_status(&server, "live", "key is not accepted (keyInvalid)").await;
    {
        let seen = youtube.seen();
        assert_eq!(seen.count("list") + seen.count("videos"), 1, "once");
    }
    server.stop().await;
}

fn sender(youtube: &Youtube, refresh_token: &str) -> (YoutubeSender, streamsuites::quotas::Quota) {
    // Every TLS client looks for it. It fails only when it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let quotas = Quotas::new(State::in_memory(), QuotasConfig::default());
    let quota = quotas.open(&"ana".parse().unwrap(), Platform::Youtube, None);
    let permit = Permit {
        client_id: "client".to_owned(),
        client_secret: "a-client-secret".to_owned(),
        refresh_token: refresh_token.to_owned(),
        token_url: format!("{}/token", youtube.url()),
        data_api_url: youtube.url(),
        ca_file: None,
    };
    (YoutubeSender::new(permit, Clients::default().into(), quota.clone()), quota)
}

#[tokio::test]
async fn a_message_is_sent_once_and_costs_its_units() {
    let youtube = Youtube::live().await;
    let (sender, quota) = sender(&youtube, "good");
    let chat = chat_id();
    let id = sender.send(&chat, "hello").await.unwrap();
    assert_eq!(id.as_str(), "youtube:CAsent1", "as it comes back in the chat");
    assert_eq!(sender.send(&chat, "again").await.unwrap().as_str(), "youtube:CAsent2");
    let now = Timestamp::now();
    assert_eq!(quota.snapshot(now).used, 100);
    {
        let seen = youtube.seen();
        assert_eq!(seen.authorization, "Bearer an-access-token");
        assert_eq!(seen.count("token"), 1, "one token for many messages");
        assert_eq!(seen.sent[0]["snippet"]["textMessageDetails"]["messageText"], "hello");
        assert_eq!(seen.sent[0]["snippet"]["liveChatId"], chat.as_str());
    }
    let long = "é".repeat(201);
    assert!(matches!(sender.send(&chat, &long).await, Err(SendError::Blocked(_))));
    assert!(sender.send(&chat, &long[2..]).await.is_ok(), "characters, not bytes");
    for (fault, blocked) in [
        (ApiFault::Refuses(403, "liveChatDisabled"), true),
        (ApiFault::Refuses(403, "forbidden"), true),
        (ApiFault::Refuses(503, "backendError"), false),
        (ApiFault::Refuses(403, "rateLimitExceeded"), false),
        (ApiFault::Refuses(403, "quotaExceeded"), true),
    ] {
        youtube.seen().api_fault = Some(fault.clone());
        let error = sender.send(&chat, "hi").await.unwrap_err();
        assert_eq!(matches!(error, SendError::Blocked(_)), blocked, "{fault:?}: {error}");
    }
    youtube.seen().api_fault = None;
    let calls = youtube.seen().count("insert");
    assert!(sender.send(&chat, "hi").await.is_err(), "nothing is left today");
    assert_eq!(youtube.seen().count("insert"), calls);
}

#[tokio::test]
async fn a_permission_that_was_taken_back_blocks_and_is_not_shown() {
    let youtube = Youtube::live().await;
    let (sender, _) = sender(&youtube, "taken-back");
    let error = sender.send(&chat_id(), "hi").await.unwrap_err();
    assert!(matches!(&error, SendError::Blocked(it) if it.contains("permission")), "{error}");
    let shown = format!("{error} {error:?} {sender:?}");
    assert!(!shown.contains("taken-back") && !shown.contains("secret"), "{shown}");
}
