//! Saying something in a creator's chats: the state of each platform, and the way back into the feed.

use serde_json::{Value, json};

use crate::support::{
    Setup, TOKEN, TestServer, soon,
    twitch::{Twitch, number_of, privmsg},
    twitch_api::{self, TwitchApi},
};

async fn start(twitch: &Twitch, api: &TwitchApi) -> TestServer {
    let setup = Setup::new()
        .twitch(twitch)
        .channel("twitch:ana")
        .variable("TWITCH_OAUTH_TOKEN_ANA", format!("oauth:{}", twitch_api::TOKEN))
        .variable("TWITCH_BOT_NICK_ANA", "anabot");
    let set = |setup: Setup, (key, value): (String, String)| setup.set(&key, value);
    let server = api.variables().into_iter().fold(setup, set).start().await;
    twitch.joined("ana").await;
    server
}

async fn say(server: &TestServer, body: Value) -> (u16, Value) {
    let answer =
        server.post("/api/rooms/ana/messages", body).bearer_auth(TOKEN).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

/// The newest message, once nothing of it is under way any more.
async fn settled(server: &TestServer) -> Value {
    soon("the message settles", async {
        loop {
            let answer =
                server.get("/api/rooms/ana/messages").bearer_auth(TOKEN).send().await.unwrap();
            let list: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            let last = list["messages"].as_array().unwrap().last().unwrap().clone();
            let open = |it: &Value| it["state"] == "queued" || it["state"] == "sending";
            if !last["platforms"].as_array().unwrap().iter().any(open) {
                return last;
            }
        }
    })
    .await
}

#[tokio::test]
async fn what_is_said_over_the_api_comes_back_as_our_own_words() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&["user:write:chat"]).await);
    let server = start(&twitch, &api).await;
    let mut socket = server.socket("/ws/ana").await;
    let (status, problem) = say(&server, json!({"text": "x", "platforms": []})).await;
    assert_eq!(status, 400, "{problem}");
    let (status, message) = say(&server, json!({"text": " hello chat "})).await;
    assert_eq!(status, 202, "{message}");
    assert_eq!(message["platforms"][0]["state"], "queued");
    let last = settled(&server).await;
    assert_eq!(last["text"], "hello chat");
    assert_eq!(last["platforms"][0]["state"], "sent", "{last}");
    assert_eq!(last["platforms"][0]["message_id"], "twitch:api-1");
    {
        let seen = api.seen();
        assert_eq!(seen.messages[0]["broadcaster_id"], number_of("ana").to_string());
        assert_eq!(seen.messages[0]["sender_id"], number_of("anabot").to_string());
    }
    twitch.send("ana", privmsg("ana", "api-1", "anabot", "hello chat")).await;
    let ours = socket.next_of("chat.message").await;
    assert_eq!(ours["data"]["author"]["roles"], json!(["bot"]));
    // The account's own hand on a keyboard is no bot.
    twitch.send("ana", privmsg("ana", "other", "anabot", "hello chat")).await;
    let hers = socket.next_of("chat.message").await;
    assert_eq!(hers["data"]["author"]["roles"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_reply_goes_to_the_message_it_answers_and_nowhere_else() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&["user:write:chat"]).await);
    let server = start(&twitch, &api).await;
    let (status, _) = say(&server, json!({"text": "yes", "reply_to": "twitch:m7"})).await;
    assert_eq!(status, 202);
    settled(&server).await;
    assert_eq!(api.seen().messages[0]["reply_parent_message_id"], "m7");
    let (status, problem) =
        say(&server, json!({"text": "yes", "reply_to": "twitch:m7", "platforms": ["kick"]})).await;
    assert_eq!(status, 400, "{problem}");
    let (status, problem) = say(&server, json!({"text": "yes", "reply_to": "kick:m7"})).await;
    assert_eq!(status, 409, "{problem}");
    server.stop().await;
}

#[tokio::test]
async fn what_twitch_drops_refuses_or_asks_to_wait_for_is_said_so() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&["user:write:chat"]).await);
    let server = start(&twitch, &api).await;
    let drop = json!({"data": [{"message_id": "", "is_sent": false,
        "drop_reason": {"code": "msg_rejected", "message": "held by AutoMod"}}]});
    api.answer(200, &[], drop);
    say(&server, json!({"text": "one"})).await;
    let last = settled(&server).await;
    assert_eq!(last["platforms"][0]["state"], "blocked");
    assert_eq!(last["platforms"][0]["detail"], "Twitch dropped it: held by AutoMod");

    api.answer(
        403,
        &[],
        json!({"error": "Forbidden", "status": 403, "message": "The sender is banned"}),
    );
    say(&server, json!({"text": "two"})).await;
    let last = settled(&server).await;
    assert_eq!(last["platforms"][0]["state"], "blocked");
    assert!(last["platforms"][0]["detail"].as_str().unwrap().contains("The sender is banned"));

    api.answer(429, &[("retry-after", "1")], json!({"status": 429, "message": "slow down"}));
    say(&server, json!({"text": "three"})).await;
    assert_eq!(settled(&server).await["platforms"][0]["state"], "sent");

    // Whether it was said is not known: better once too few than twice.
    let before = api.seen().messages.len();
    api.answer(503, &[], json!({}));
    say(&server, json!({"text": "four"})).await;
    let last = settled(&server).await;
    assert_eq!(last["platforms"][0]["state"], "failed", "{last}");
    assert_eq!(api.seen().messages.len(), before + 1);

    api.seen().revoked = true;
    say(&server, json!({"text": "five"})).await;
    let last = settled(&server).await;
    assert_eq!(last["platforms"][0]["state"], "blocked");
    assert!(!last.to_string().contains(twitch_api::TOKEN));
    server.stop().await;
}

#[tokio::test]
async fn a_token_that_the_api_does_not_take_speaks_over_irc() {
    let (twitch, api) =
        (Twitch::plain().await, TwitchApi::start(&["chat:read", "chat:edit"]).await);
    let server = start(&twitch, &api).await;
    let mut socket = server.socket("/ws/ana").await;
    say(&server, json!({"text": "over IRC"})).await;
    let ours = socket.next_of("chat.message").await;
    assert_eq!(ours["data"]["text"], "over IRC");
    assert_eq!(ours["data"]["author"]["roles"], json!(["bot"]));
    assert_eq!(settled(&server).await["platforms"][0]["message_id"], "twitch:irc-0");
    let said = twitch.seen().said.clone();
    assert_eq!(said, [("anabot".to_owned(), "ana".to_owned(), "over IRC".to_owned())]);
    twitch.refuse_words("This room is in followers-only mode.");
    say(&server, json!({"text": "again"})).await;
    let last = settled(&server).await;
    assert_eq!(last["platforms"][0]["state"], "blocked");
    assert_eq!(last["platforms"][0]["detail"], "Twitch says: This room is in followers-only mode.");
    server.stop().await;
}

#[tokio::test]
async fn a_room_without_a_token_says_where_it_may_not_speak() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    let (status, problem) = say(&server, json!({"text": "hi"})).await;
    assert_eq!(status, 409, "{problem}");
    let (status, message) =
        say(&server, json!({"text": "hi", "platforms": ["twitch", "rumble"]})).await;
    assert_eq!(status, 202);
    let details: Vec<_> = message["platforms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["state"].as_str().unwrap(), it["detail"].as_str().unwrap()))
        .collect();
    assert_eq!(
        details,
        [
            ("blocked", "there is no TWITCH_OAUTH_TOKEN_ANA"),
            ("blocked", "the room has no channel on Rumble")
        ]
    );
    let (status, _) = say(&server, json!({"text": "hi", "colour": "red"})).await;
    assert_eq!(status, 400);
    let anybody = server.get("/api/rooms/ana/messages").send().await.unwrap();
    assert_eq!(anybody.status(), 401, "what was said is for the operator");
    server.stop().await;
}
