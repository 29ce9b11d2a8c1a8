//! Emotes of 7TV, BetterTTV and FrankerFaceZ: there at once, kept, changed live, never lost to an outage.

use serde_json::{Value, json};

use crate::support::{
    Setup, TestServer,
    emotes::{Answer, Emotes},
    socket::Socket,
    soon,
    twitch::Twitch,
};

/// The number the scripted Twitch gives `ana`.
const SEVENTV: &str = "/7tv/users/twitch/9294";
const BTTV: &str = "/bttv/cached/users/twitch/9294";
const FFZ: &str = "/ffz/room/id/9294";

fn active(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "flags": 0, "data": {"flags": 0, "animated": true,
        "host": {"url": format!("//cdn.7tv.app/emote/{id}"), "files": [{"name": "3x.webp"}]}}})
}

fn seventv(emotes: &[Value]) -> Answer {
    Answer::List(json!({"id": "c1", "platform": "TWITCH", "user": {"id": "u1"},
        "emote_set": {"id": "s1", "emotes": emotes}}))
}

fn setup(emotes: &Emotes, twitch: &Twitch) -> Setup {
    let setup = Setup::new().twitch(twitch).channel("twitch:ana");
    emotes.variables().into_iter().fold(setup, |setup, (key, value)| setup.set(&key, value))
}

/// The emotes of the next message, as `provider:name`.
async fn next_emotes(socket: &mut Socket) -> Vec<String> {
    let message = socket.next_of("chat.message").await;
    let fragments = message["data"]["fragments"].as_array().unwrap().clone();
    let joined: String = fragments.iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert_eq!(joined, message["data"]["text"].as_str().unwrap());
    let emotes = fragments.iter().filter(|it| it["type"] == "emote");
    emotes
        .map(|it| {
            let url = it["emote"]["url"].as_str().unwrap();
            assert!(url.starts_with("/media/at/"), "{url}");
            format!(
                "{}:{}",
                it["emote"]["provider"].as_str().unwrap(),
                it["text"].as_str().unwrap()
            )
        })
        .collect()
}

/// Says `text` until its emotes are these: lists come when they come, chat does not wait for them.
async fn say_until(
    server: &TestServer,
    twitch: &Twitch,
    socket: &mut Socket,
    text: &str,
    expected: &[&str],
) {
    soon("the emotes", async {
        loop {
            let id = format!("at-{}", server.room("ana").head());
            twitch.say("ana", &id, text).await;
            if next_emotes(socket).await == expected {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn words_become_emotes_of_every_provider_and_the_channels_win() {
    let (emotes, twitch) = (Emotes::start().await, Twitch::plain().await);
    let bttv = |code: &str| json!({"id": "b1", "code": code, "imageType": "gif", "animated": true});
    emotes
        .answer("/bttv/cached/emotes/global", Answer::List(json!([bttv("(ditto)"), bttv("Wave")])));
    emotes.answer(SEVENTV, seventv(&[active("e1", "Wave")]));
    emotes.answer(
        BTTV,
        Answer::List(json!({"channelEmotes": [bttv("Wave"), bttv("Own")], "sharedEmotes": []})),
    );
    let ffz = json!({"id": 5, "name": "LULW", "urls": {"1": "//cdn.frankerfacez.com/emote/5/1"}});
    emotes.answer(
        FFZ,
        Answer::List(json!({"room": {"set": 9}, "sets": {"9": {"emoticons": [ffz]}}})),
    );
    let server = setup(&emotes, &twitch).start().await;
    let mut socket = server.socket("/ws/ana").await;
    twitch.joined("ana").await;
    let text = "Wave (ditto) Own LULW wave";
    let expected = ["7tv:Wave", "bttv:(ditto)", "bttv:Own", "ffz:LULW"];
    say_until(&server, &twitch, &mut socket, text, &expected).await;
    server.stop().await;
}

#[tokio::test]
async fn what_7tv_changes_is_seen_in_the_next_message_and_a_lost_socket_is_made_good() {
    let (emotes, twitch) = (Emotes::start().await, Twitch::plain().await);
    emotes.answer(SEVENTV, seventv(&[active("e1", "Old"), active("e2", "Gone")]));
    let server = setup(&emotes, &twitch).start().await;
    let mut socket = server.socket("/ws/ana").await;
    twitch.joined("ana").await;
    say_until(&server, &twitch, &mut socket, "Old Gone New", &["7tv:Old", "7tv:Gone"]).await;
    for wanted in ["35 emote_set.update s1", "35 user.update u1"] {
        let found = |it: &crate::support::emotes::Seen| {
            it.subscriptions.contains(&wanted.to_owned()).then_some(())
        };
        emotes.until(wanted, found).await;
    }
    let entry =
        |value: Value, old: Value| json!({"key": "emotes", "value": value, "old_value": old});
    emotes.tell(&json!({"op": 0, "d": {"type": "emote_set.update", "body": {"id": "s1",
        "updated": [entry(active("e1", "New"), active("e1", "Old"))],
        "pulled": [entry(Value::Null, active("e2", "Gone"))]}}}));
    say_until(&server, &twitch, &mut socket, "Old Gone New", &["7tv:New"]).await;

    // Changed while the socket is away: compared as soon as it is back.
    emotes.answer(SEVENTV, seventv(&[active("e3", "Later")]));
    emotes.cut_sockets();
    say_until(&server, &twitch, &mut socket, "New Later", &["7tv:Later"]).await;
    server.stop().await;
}

#[tokio::test]
async fn an_outage_leaves_the_last_emotes_over_a_restart_and_nothing_is_fetched_twice() {
    let (emotes, twitch) = (Emotes::start().await, Twitch::plain().await);
    emotes.answer(SEVENTV, seventv(&[active("e1", "Wave")]));
    let server = setup(&emotes, &twitch).start().await;
    let mut socket = server.socket("/ws/ana").await;
    twitch.joined("ana").await;
    say_until(&server, &twitch, &mut socket, "Wave", &["7tv:Wave"]).await;
    drop(socket);
    // Unchanged: asked for by its ETag.
    let again = server.stop_for_now().await;
    let before = emotes.seen().asked.len();
    let server = again.start().await;
    let etag = |it: &crate::support::emotes::Seen| {
        it.asked[before..].iter().any(|it| it.0 == SEVENTV && it.1.is_some()).then_some(())
    };
    emotes.until("a question by ETag", etag).await;
    let again = server.stop_for_now().await;

    for path in [SEVENTV, BTTV, FFZ] {
        emotes.answer(path, Answer::Failure(503));
    }
    let server = again.start().await;
    let mut socket = server.socket("/ws/ana").await;
    twitch.joined("ana").await;
    say_until(&server, &twitch, &mut socket, "Wave", &["7tv:Wave"]).await;
    server.stop().await;
}
