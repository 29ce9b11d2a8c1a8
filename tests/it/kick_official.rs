//! Kick's official API: webhooks in, messages out.

use serde_json::{Value, json};
use streamsuites::{
    lifecycle::Lifecycle,
    model::Timestamp,
    platforms::{
        Memory,
        kick::{
            Application,
            sender::{Account, KickSender, SendError},
        },
    },
    storage::State,
};

use crate::support::{
    Setup, TestServer,
    kick::{CHATROOM, Kick, USER, chat},
    socket::Socket,
    soon,
};

/// With an application, and an address at which Kick could deliver.
fn setup(kick: &Kick) -> Setup {
    Setup::new()
        .kick(kick)
        .variable("KICK_CLIENT_ID", "app")
        .variable("KICK_CLIENT_SECRET", "verysecret123")
        .set("PLATFORMS__KICK__WEBHOOK_URL", "https://example.org/webhooks/kick")
}

async fn started(kick: &Kick) -> (TestServer, Socket) {
    let server = setup(kick).channel("kick:ana").start().await;
    let socket = server.socket("/ws/ana").await;
    kick.reading(0).await;
    kick.until("all webhooks asked for", |it| (it.subscribed.len() == 10).then_some(())).await;
    (server, socket)
}

fn broadcaster() -> Value {
    json!({"user_id": USER, "username": "Ana", "channel_slug": "ana"})
}

fn follow() -> Value {
    json!({"broadcaster": broadcaster(), "follower": {"user_id": 31, "username": "Di", "channel_slug": "di"}})
}

fn now() -> String {
    Timestamp::now().to_string()
}

type Delivery = (reqwest::header::HeaderMap, String);

async fn deliver_once(server: &TestServer, (headers, body): Delivery) -> u16 {
    server.post("/webhooks/kick", body).headers(headers).send().await.unwrap().status().as_u16()
}

/// Delivers as Kick does: what was sent back is repeated.
async fn deliver(server: &TestServer, delivery: Delivery) -> u16 {
    let taken = async {
        loop {
            match deliver_once(server, delivery.clone()).await {
                503 => tokio::task::yield_now().await,
                other => return other,
            }
        }
    };
    soon("the delivery taken", taken).await
}

#[tokio::test]
async fn a_signed_webhook_becomes_an_activity_once() {
    let kick = Kick::start().await;
    let (server, mut socket) = started(&kick).await;
    let at = now();
    for _ in 0..3 {
        assert_eq!(
            deliver(&server, kick.webhook("w1", "channel.followed", &at, &follow())).await,
            204
        );
    }
    let event = socket.next_of("activity").await;
    assert_eq!(event["data"]["kind"], "follow");
    assert_eq!(event["data"]["id"], "kick:w1");
    assert_eq!(event["data"]["author"]["id"], "kick:31");
    kick.say("end");
    assert_eq!(socket.next_text().await, "end");
    let follows = server.history("ana").await.iter().filter(|it| it["type"] == "activity").count();
    assert_eq!(follows, 1);
    let asked = kick.seen().requests.iter().filter(|it| it.contains("public key")).count();
    assert_eq!(asked, 1, "the key is kept");
    server.stop().await;
}

#[tokio::test]
async fn a_webhook_that_is_forged_torn_old_or_large_is_refused() {
    let kick = Kick::start().await;
    let (server, _socket) = started(&kick).await;
    let good = || kick.webhook("w1", "channel.followed", &now(), &follow());
    let mut changed = good();
    changed.1 = changed.1.replace("Di", "Ed");
    assert_eq!(deliver(&server, changed).await, 403);
    let mut renamed = good();
    renamed.0.insert("kick-event-message-id", "w2".parse().unwrap());
    assert_eq!(deliver(&server, renamed).await, 403);
    let mut unsigned = good();
    unsigned.0.remove("kick-event-signature");
    assert_eq!(deliver(&server, unsigned).await, 400);
    let old = Timestamp::now().plus_ms(-3 * 86_400_000).to_string();
    let old = kick.webhook("w1", "channel.followed", &old, &follow());
    assert_eq!(deliver(&server, old).await, 403);
    let large = json!({"broadcaster": broadcaster(), "rest": "x".repeat(200_000)});
    let large = kick.webhook("w1", "channel.followed", &now(), &large);
    assert_eq!(deliver(&server, large).await, 413);
    assert_eq!(deliver(&server, good()).await, 204, "none of these used its id up");
    let elsewhere =
        json!({"broadcaster": {"user_id": 999}, "follower": {"user_id": 1, "username": "Ed"}});
    let elsewhere = kick.webhook("w9", "channel.followed", &now(), &elsewhere);
    assert_eq!(deliver(&server, elsewhere).await, 204, "of a channel that nobody reads");
    let key = kick.seen().requests.iter().filter(|it| it.contains("public key")).count();
    assert_eq!(key, 1, "a forgery does not make us ask each time");
    server.stop().await;
}

/// Goal: Kick signs for everybody's application, and not the kind: neither puts words into a room.
#[tokio::test]
async fn a_webhook_of_somebody_elses_application_or_of_a_made_up_kind_is_refused() {
    let kick = Kick::start().await;
    let (server, mut socket) = started(&kick).await;
    let mut foreign = kick.webhook("w1", "channel.followed", &now(), &follow());
    foreign.0.insert("kick-event-subscription-id", "elsewhere".parse().unwrap());
    assert_eq!(deliver(&server, foreign).await, 403);
    let mut without = kick.webhook("w1", "channel.followed", &now(), &follow());
    without.0.remove("kick-event-subscription-id");
    assert_eq!(deliver(&server, without).await, 400);
    let mut made_up = kick.webhook("w1", "channel.followed", &now(), &follow());
    made_up.0.insert("kick-event-type", "buy this".parse().unwrap());
    assert_eq!(deliver(&server, made_up).await, 400);
    kick.say("end");
    assert_eq!(socket.next_text().await, "end");
    assert!(server.history("ana").await.iter().all(|it| it["type"] != "activity"));
    server.stop().await;
}

#[tokio::test]
async fn what_comes_by_socket_and_webhook_is_one() {
    let kick = Kick::start().await;
    let (server, mut socket) = started(&kick).await;
    let message = kick.message("both ways");
    let by_webhook = json!({
        "message_id": message["id"], "content": "both ways", "created_at": now(), "emotes": null,
        "broadcaster": broadcaster(), "sender": {"user_id": 21, "username": "Bo", "channel_slug": "bo"},
    });
    assert_eq!(
        deliver(&server, kick.webhook("w1", "chat.message.sent", &now(), &by_webhook)).await,
        204
    );
    assert_eq!(socket.next_text().await, "both ways");
    kick.publish(&chat(), "App\\Events\\ChatMessageEvent", &message);
    let data = json!({"chatroom_id": CHATROOM, "username": "Bo", "months": 3});
    kick.publish(&chat(), "App\\Events\\SubscriptionEvent", &data);
    let renewal = json!({"broadcaster": broadcaster(), "subscriber": {"user_id": 21, "username": "Bo"},
                         "duration": 3, "created_at": now()});
    assert_eq!(
        deliver(&server, kick.webhook("w2", "channel.subscription.renewal", &now(), &renewal))
            .await,
        204
    );
    let event = socket.next_of("activity").await;
    assert_eq!(
        (&event["data"]["months"], &event["data"]["author"]["id"]),
        (&json!(3), &json!("kick:21"))
    );
    kick.say("end");
    assert_eq!(socket.next_text().await, "end");
    let kinds: Vec<_> = server.history("ana").await.iter().map(|it| it["type"].clone()).collect();
    let count = |kind: &str| kinds.iter().filter(|it| *it == kind).count();
    assert_eq!((count("chat.message"), count("activity")), (2, 1));
    server.stop().await;
}

#[tokio::test]
async fn a_late_webhook_is_history() {
    let kick = Kick::start().await;
    let (server, mut socket) = started(&kick).await;
    let late = Timestamp::now().plus_ms(-600_000).to_string();
    assert_eq!(
        deliver(&server, kick.webhook("w1", "channel.followed", &late, &follow())).await,
        204
    );
    assert_eq!(socket.next_of("activity").await["data"]["flags"], json!(["historical"]));
    server.stop().await;
}

#[tokio::test]
async fn the_state_names_what_the_official_api_waits_for() {
    // (client id, webhook address, refusal of the API, words)
    for (app, address, refusal, words) in [
        (false, true, None, "waiting for credentials"),
        (true, false, None, "waiting for a public webhook address"),
        (true, true, Some(403), "waiting for scopes"),
        (true, true, None, "waiting for the first webhook event"),
    ] {
        let kick = Kick::start().await;
        kick.seen().events_answer = refusal;
        let mut setup = Setup::new().kick(&kick);
        if app {
            setup = setup.variable("KICK_CLIENT_ID", "app").variable("KICK_CLIENT_SECRET", "s");
        }
        if address {
            setup = setup.set("PLATFORMS__KICK__WEBHOOK_URL", "https://example.org/webhooks/kick");
        }
        let server = setup.channel("kick:ana").start().await;
        let mut socket = server.socket("/ws/ana").await;
        let shown = |it: &Value| it["detail"].as_str().unwrap().contains(words);
        if !shown(&socket.hello["status"][0]) {
            while !shown(&socket.next_status("live").await) {}
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn webhooks_alone_read_a_chat_whose_number_the_site_does_not_tell() {
    let kick = Kick::start().await;
    kick.seen().site_answer = Some((403, "text/html", "<html>".to_owned()));
    let server = setup(&kick).channel("kick:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    kick.until("all webhooks asked for", |it| (it.subscribed.len() == 10).then_some(())).await;
    socket.next_status("degraded").await;
    let message = json!({"message_id": "m1", "content": "hi", "created_at": now(), "broadcaster": broadcaster(),
                         "sender": {"user_id": 21, "username": "Bo"}});
    assert_eq!(
        deliver(&server, kick.webhook("w1", "chat.message.sent", &now(), &message)).await,
        204
    );
    assert_eq!(socket.next_text().await, "hi");
    socket.next_status("live").await;
    server.stop().await;
}

/// Goal: a follow, which is told by webhook alone, is not lost while it is still asked whose channel it is.
#[tokio::test]
async fn a_webhook_that_comes_before_its_channel_is_known_is_sent_back_and_taken_later() {
    let kick = Kick::start().await;
    (kick.seen().site_answer, kick.seen().grant_answer) =
        (Some((403, "text/html", "<html>".to_owned())), Some(500));
    let server = setup(&kick).channel("kick:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    kick.until("the channel asked for", |it| {
        it.requests.iter().any(|it| it.starts_with("GET channel")).then_some(())
    })
    .await;
    let early =
        deliver_once(&server, kick.webhook("w1", "channel.followed", &now(), &follow())).await;
    assert_eq!(early, 503);
    (kick.seen().site_answer, kick.seen().grant_answer) = (None, None);
    let again = kick.webhook("w1", "channel.followed", &now(), &follow());
    assert_eq!(deliver(&server, again).await, 204);
    assert_eq!(socket.next_of("activity").await["data"]["id"], "kick:w1");
    server.stop().await;
}

#[tokio::test]
async fn webhooks_come_for_numbers_entered_by_hand_though_the_site_turns_us_away() {
    let kick = Kick::start().await;
    kick.seen().site_answer = Some((403, "text/html", "<html>".to_owned()));
    let channel = json!({"platform": "kick", "name": "ana", "channel_id": 11, "chat_id": 13});
    let creators = json!({"creators": [{"id": "ana", "always_on": true, "channels": [channel]}]});
    let server = setup(&kick).creators(&creators).start().await;
    let mut socket = server.socket("/ws/ana").await;
    let again = kick.webhook("w1", "channel.followed", &now(), &follow());
    assert_eq!(deliver(&server, again).await, 204);
    assert_eq!(socket.next_of("activity").await["data"]["id"], "kick:w1");
    server.stop().await;
}

fn account(kick: &Kick) -> Account {
    Account {
        api_url: kick.http_url().to_owned(),
        id_url: kick.http_url().to_owned(),
        application: Application {
            client_id: "app".to_owned(),
            client_secret: "verysecret123".to_owned(),
        },
        refresh_token: "refresh-0".to_owned(),
        suffix: "ANA".to_owned(),
    }
}

fn sender(kick: &Kick, memory: &Memory) -> KickSender {
    KickSender::new(reqwest::Client::new(), account(kick), memory.clone(), Lifecycle::new())
}

#[tokio::test]
async fn a_message_is_sent_and_every_refresh_token_is_used_once() {
    let kick = Kick::start().await;
    let memory = Memory::new(State::in_memory());
    let first = sender(&kick, &memory);
    let both = tokio::join!(first.send(USER, "one", None), first.send(USER, "two", Some("m1")));
    assert_eq!(both.0.unwrap().message_id.as_deref(), Some("sent-1"));
    both.1.unwrap();
    assert_eq!(kick.seen().refreshed, ["refresh-0"], "one exchange for both");
    let sent = kick.seen().sent.clone();
    assert!(sent.contains(&json!({"broadcaster_user_id": USER, "content": "two", "type": "user", "reply_to_message_id": "m1"})));
    // After a restart: with the newest token, not with that of the environment.
    sender(&kick, &memory).send(USER, "three", None).await.unwrap();
    assert_eq!(kick.seen().refreshed, ["refresh-0", "refresh-1"]);
    // One that was taken back is replaced.
    kick.seen().send_answer = Some((401, None));
    sender(&kick, &memory).send(USER, "four", None).await.unwrap();
    assert_eq!(kick.seen().sent.len(), 4);
}

/// Goal: a message that is given up on does not cost the account its sign-in.
/// Method: the sending is dropped once Kick replaced the refresh token, before we hear of it.
#[tokio::test]
async fn a_refresh_token_that_was_replaced_is_kept_though_nobody_waits_for_it() {
    let kick = Kick::start().await;
    let memory = Memory::new(State::in_memory());
    let it = sender(&kick, &memory);
    kick.seen().grant_pause = std::time::Duration::from_millis(200);
    tokio::select! {
        sent = it.send(USER, "given up", None) => panic!("{sent:?}"),
        () = kick.until("the exchange", |it| (!it.refreshed.is_empty()).then_some(())) => {}
    }
    it.send(USER, "one", None).await.unwrap();
    assert_eq!(kick.seen().refreshed, ["refresh-0"], "the exchange went on");
    sender(&kick, &memory).send(USER, "two", None).await.unwrap();
    assert_eq!(kick.seen().refreshed, ["refresh-0", "refresh-1"]);
}

#[tokio::test]
async fn what_cannot_be_sent_says_why() {
    let kick = Kick::start().await;
    let memory = Memory::new(State::in_memory());
    let it = sender(&kick, &memory);
    for text in ["", "   ", &"x".repeat(501)] {
        assert!(matches!(it.send(USER, text, None).await, Err(SendError::Blocked(_))));
    }
    assert!(kick.seen().requests.is_empty(), "none of these is asked for");
    it.send(USER, &"é".repeat(500), None).await.unwrap();
    kick.seen().send_answer = Some((429, Some(120)));
    let wait = it.send(USER, "hi", None).await.unwrap_err();
    assert_eq!(wait, SendError::Wait(std::time::Duration::from_secs(120)));
    kick.seen().send_answer = Some((429, Some(0)));
    it.send(USER, "hi", None).await.unwrap();
    kick.seen().send_answer = Some((403, None));
    assert!(matches!(it.send(USER, "hi", None).await, Err(SendError::Blocked(_))));
    kick.seen().send_answer = Some((500, None));
    let failed = it.send(USER, "hi", None).await.unwrap_err();
    assert!(matches!(&failed, SendError::Failed(text) if text.contains("500")), "{failed}");
    kick.seen().grant_answer = Some(400);
    let blocked = sender(&kick, &memory).send(USER, "hi", None).await.unwrap_err();
    let shown = format!("{blocked} {:?}", account(&kick));
    assert!(matches!(blocked, SendError::Blocked(_)));
    assert!(!shown.contains("refresh-") && !shown.contains("verysecret"), "{shown}");
}
