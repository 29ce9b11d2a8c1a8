//! What a moderator does, on Kick and YouTube: what is asked of them, and what is told of their answers.

use serde_json::{Value, json};
use streamsuites::{chat::room::Arrival, model::Platform};

use crate::support::{
    Setup, TOKEN, TestServer,
    kick::{Kick, USER},
    message_on,
    youtube::{ApiFault, Youtube, chat_id, ids},
};

/// What came of it: each place with how it ended and why.
async fn moderate(server: &TestServer, body: Value) -> (Vec<(String, String, String)>, Value) {
    let answer = server.post("/api/rooms/ana/moderation", body).bearer_auth(TOKEN).send().await;
    let answer = answer.unwrap();
    let status = answer.status().as_u16();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(status, 200, "{answer}");
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let results = answer["results"].as_array().unwrap();
    let results =
        results.iter().map(|it| (text(&it["place"]), text(&it["state"]), text(&it["detail"])));
    (results.collect(), answer["undo"].clone())
}

/// `place: state` of each.
fn states(results: &[(String, String, String)]) -> Vec<String> {
    results.iter().map(|it| format!("{}: {}", it.0, it.1)).collect()
}

#[tokio::test]
async fn on_kick_messages_are_deleted_and_viewers_banned_for_minutes() {
    let kick = Kick::start().await;
    let setup = Setup::new()
        .kick(&kick)
        .variable("KICK_CLIENT_ID", "app")
        .variable("KICK_CLIENT_SECRET", "verysecret123")
        .variable("KICK_REFRESH_TOKEN_ANA", "refresh-0");
    let server = setup.channel("kick:ana").start().await;
    kick.reading(0).await;
    let room = server.room("ana");
    for id in ["m1", "m2"] {
        room.publish(&message_on(Platform::Kick, id, "21", "hello"), &Arrival::now());
    }
    let (results, _) = moderate(&server, json!({"action": "hide", "message_id": "kick:m1"})).await;
    assert_eq!(states(&results), ["feed: done", "kick: done"]);
    let timeout = json!({"action": "timeout", "message_id": "kick:m2", "seconds": 90});
    let (results, undo) = moderate(&server, timeout).await;
    assert_eq!(states(&results), ["feed: done", "kick: done"]);
    assert_eq!(undo, json!({"action": "unban", "user_id": "kick:21"}));
    let (results, _) = moderate(&server, undo).await;
    assert_eq!(states(&results), ["kick: done"]);
    moderate(&server, json!({"action": "ban", "user_id": "kick:22"})).await;
    let viewer = |id: u64| json!({"broadcaster_user_id": USER, "user_id": id});
    let mut silenced = viewer(21);
    silenced["duration"] = json!(2);
    let did = |verb: &str, path: &str, body: Value| (verb.to_owned(), path.to_owned(), body);
    let bans = "/public/v1/moderation/bans";
    assert_eq!(
        kick.seen().moderated,
        [
            did("DELETE", "/public/v1/chat/m1", Value::Null),
            did("POST", bans, silenced),
            did("DELETE", bans, viewer(21)),
            did("POST", bans, viewer(22)),
        ]
    );

    // What Kick answers is told; here it is done all the same.
    for code in [403, 404, 429, 500] {
        let answer = json!({"message": "cannot ban the broadcaster", "data": {}});
        kick.seen().moderation_answer = Some((code, answer));
        let (results, undo) =
            moderate(&server, json!({"action": "ban", "user_id": "kick:23"})).await;
        assert_eq!(states(&results), ["feed: done", "kick: refused"], "{code}");
        assert!(!results[1].2.is_empty(), "{code}");
        assert!(!results[1].2.contains("access-"), "{code}: no token in {}", results[1].2);
        assert!(undo.is_null(), "{code}");
    }
    let (results, _) = moderate(&server, json!({"action": "ban", "user_id": "kick:bo"})).await;
    assert_eq!(states(&results), ["feed: done", "kick: impossible"]);
    server.stop().await;
}

#[tokio::test]
async fn on_youtube_a_ban_is_taken_back_by_its_own_id() {
    let youtube = Youtube::live().await;
    let server = Setup::new()
        .youtube(&youtube)
        .channel("ana=youtube:@ana")
        .variable("GOOGLE_CLIENT_ID", "client")
        .variable("GOOGLE_CLIENT_SECRET", "a-client-secret")
        .variable("YOUTUBE_REFRESH_TOKEN_ANA", "good")
        .start()
        .await;
    let mut socket = server.socket("/ws/ana").await;
    let is_live = socket.hello["status"].to_string().contains("\"live\"");
    if !is_live {
        socket.next_status("live").await;
    }
    let room = server.room("ana");
    for id in ["CAone", "CAtwo"] {
        room.publish(&message_on(Platform::Youtube, id, "UCbo", "hello"), &Arrival::now());
    }
    let (results, _) =
        moderate(&server, json!({"action": "hide", "message_id": "youtube:CAone"})).await;
    assert_eq!(states(&results), ["feed: done", "youtube: done"], "{results:?}");
    let timeout = json!({"action": "timeout", "message_id": "youtube:CAtwo", "seconds": 90});
    let (results, undo) = moderate(&server, timeout).await;
    assert_eq!(states(&results), ["feed: done", "youtube: done"], "{results:?}");
    let (results, _) = moderate(&server, undo.clone()).await;
    assert_eq!(states(&results), ["youtube: done"], "{results:?}");
    // Taken back already: there is nothing that it could be done by.
    let (results, _) = moderate(&server, undo).await;
    assert_eq!(states(&results), ["youtube: impossible"], "{results:?}");
    {
        let seen = youtube.seen();
        let [deleted, banned, unbanned] = seen.moderated.as_slice() else {
            panic!("{:?}", seen.moderated);
        };
        assert_eq!((deleted.0.as_str(), &deleted.2["id"]), ("DELETE", &ids("CAone").1));
        assert_eq!(banned.2["part"], "snippet");
        assert_eq!(
            banned.3["snippet"],
            json!({
                "liveChatId": chat_id(), "type": "temporary", "banDurationSeconds": "90",
                "bannedUserDetails": {"channelId": "UCbo"},
            })
        );
        assert_eq!((unbanned.0.as_str(), unbanned.2["id"].as_str()), ("DELETE", "ban-2"));
        assert_eq!(unbanned.1, "/youtube/v3/liveChat/bans");
    }

    for (status, reason) in [(403, "insufficientPermissions"), (503, "backendError")] {
        youtube.seen().api_fault = Some(ApiFault::Refuses(status, reason));
        let (results, undo) =
            moderate(&server, json!({"action": "ban", "user_id": "youtube:UCcy"})).await;
        assert_eq!(states(&results), ["feed: done", "youtube: refused"]);
        assert!(!results[1].2.is_empty() && undo.is_null(), "{results:?}");
        assert!(!results[1].2.contains("an-access-token"));
    }
    server.stop().await;
}
