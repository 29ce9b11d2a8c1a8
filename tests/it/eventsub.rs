//! What Twitch tells beside chat: nothing twice, nothing lost over a move, and no harm to chat when it fails.

use std::time::Duration;

use serde_json::json;

use crate::support::{
    Setup, TestServer,
    twitch::Twitch,
    twitch_api::{self, TwitchApi},
};

const SCOPES: [&str; 4] = [
    "moderator:read:followers",
    "channel:read:polls",
    "channel:read:redemptions",
    "channel:read:predictions",
];
/// Within which the state that is shown must be right.
const RIGHT_WITHIN: Duration = Duration::from_secs(10);

async fn start(twitch: &Twitch, api: &TwitchApi) -> TestServer {
    api.seen().login = "ana";
    let setup = Setup::new()
        .twitch(twitch)
        .channel("twitch:ana")
        .variable("TWITCH_OAUTH_TOKEN_ANA", twitch_api::TOKEN);
    let set = |setup: Setup, (key, value): (String, String)| setup.set(&key, value);
    let server = api.variables().into_iter().fold(setup, set).start().await;
    twitch.joined("ana").await;
    server
}

#[tokio::test]
async fn a_follow_is_shown_once_and_what_the_token_allows_is_asked_for() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&SCOPES).await);
    let server = start(&twitch, &api).await;
    let mut socket = server.socket("/ws/ana").await;
    let eventsub = api.sockets(1).await;
    api.until("subscriptions", |it| (it.subscriptions.len() >= 12).then_some(())).await;
    {
        let seen = api.seen();
        let kinds: Vec<_> =
            seen.subscriptions.iter().map(|it| it["type"].as_str().unwrap()).collect();
        assert!(
            kinds.contains(&"channel.follow") && kinds.contains(&"channel.poll.end"),
            "{kinds:?}"
        );
        assert!(!kinds.contains(&"channel.unban"), "no scope for it");
        assert!(!kinds.contains(&"channel.chat.message"), "chat comes over IRC");
        assert!(seen.subscriptions.iter().all(|it| it["transport"]["session_id"] == "session-0"));
    }
    api.follow(eventsub, "m1", "bo");
    api.follow(eventsub, "m1", "bo");
    api.follow(eventsub, "m22", "cy");
    for name in ["bo", "cy"] {
        let event = socket.next_of("activity").await;
        assert_eq!(event["data"]["kind"], "follow");
        assert_eq!(event["data"]["author"]["name"], name);
    }
    server.stop().await;
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_when_twitch_moves_the_session() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&SCOPES).await);
    let server = start(&twitch, &api).await;
    let mut socket = server.socket("/ws/ana").await;
    let old = api.sockets(1).await;
    api.until("subscriptions", |it| (it.subscriptions.len() >= 12).then_some(())).await;
    let asked = api.seen().subscriptions.len();
    api.reconnect(old);
    api.follow(old, "m1", "one");
    let new = api.sockets(2).await;
    api.follow(new, "m22", "two");
    api.until("the old one left", |it| it.left.contains(&old).then_some(())).await;
    api.follow(new, "m333", "three");
    for name in ["one", "two", "three"] {
        assert_eq!(socket.next_of("activity").await["data"]["author"]["name"], name);
    }
    assert_eq!(api.seen().subscriptions.len(), asked, "subscriptions move with the session");
    server.stop().await;
}

#[tokio::test]
async fn a_socket_that_falls_silent_or_is_closed_is_made_anew_and_chat_goes_on() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&SCOPES).await);
    let server = start(&twitch, &api).await;
    let mut socket = server.socket("/ws/ana").await;
    api.sockets(1).await;
    // It promised a sign of life each second and gives none.
    let second = api.sockets(2).await;
    api.close(second, 4000);
    let third = api.sockets(3).await;
    twitch.say("ana", "1", "chat goes on").await;
    assert_eq!(socket.next_text().await, "chat goes on");
    api.follow(third, "m1", "bo");
    assert_eq!(socket.next_of("activity").await["data"]["author"]["name"], "bo");
    server.stop().await;
}

/// A bound of time: it is the promise itself.
#[tokio::test]
async fn a_withdrawn_token_is_said_within_ten_seconds_and_never_shown() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&SCOPES).await);
    let server = start(&twitch, &api).await;
    let mut socket = server.socket("/ws/ana").await;
    let eventsub = api.sockets(1).await;
    api.until("subscriptions", |it| (it.subscriptions.len() >= 12).then_some(())).await;
    api.seen().revoked = true;
    let subscription =
        json!({"subscription": {"type": "channel.follow", "status": "authorization_revoked"}});
    api.tell(eventsub, "revocation", subscription, "r1", "channel.follow");
    let status = tokio::time::timeout(RIGHT_WITHIN, socket.next_status("degraded")).await.unwrap();
    let detail = status["detail"].as_str().unwrap();
    assert!(
        detail.contains("authorization_revoked") && !detail.contains(twitch_api::TOKEN),
        "{detail}"
    );
    twitch.say("ana", "1", "chat goes on").await;
    assert_eq!(socket.next_text().await, "chat goes on");
    server.stop().await;
}

#[tokio::test]
async fn what_the_owners_token_does_not_allow_is_said() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&["chat:read"]).await);
    let server = start(&twitch, &api).await;
    let mut socket = server.socket("/ws/ana").await;
    loop {
        let status = socket.next_status("live").await;
        if status["detail"] == "the token does not allow to read follows, polls, redemptions" {
            break;
        }
    }
    server.stop().await;
}
