//! Moderators: each does what was granted and nothing else, and nothing any more once it is taken back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use streamsuites::{accounts::AccountId, chat::room::Arrival};

use crate::support::{
    Setup, TOKEN, TestServer, message,
    people::Person,
    resend::Resend,
    socket::Socket,
    soon,
    twitch::{Twitch, number_of},
    twitch_api::{self, TwitchApi},
};

const RIGHTS: [&str; 7] = ["queue", "feature", "hide", "timeout", "ban", "send", "polls"];

/// Each thing a moderator can do, and what it takes; the empty right is one that none has.
fn list_acts() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let said = json!({"message_id": "twitch:1"});
    let act = |action: &str| json!({"action": action, "user_id": "twitch:9", "platforms": []});
    vec![
        ("POST", "/queue", said.clone(), "queue"),
        ("PATCH", "/queue/twitch:1", json!({"position": 0}), "queue"),
        ("POST", "/queue/order", json!({"order": ["twitch:1"]}), "queue"),
        ("DELETE", "/queue/twitch:1", Value::Null, "queue"),
        ("POST", "/feature", said, "feature"),
        ("DELETE", "/feature", Value::Null, "feature"),
        ("POST", "/moderation", act("hide"), "hide"),
        ("POST", "/moderation", act("unhide"), "hide"),
        ("POST", "/moderation", act("timeout"), "timeout"),
        ("POST", "/moderation", act("ban"), "ban"),
        ("POST", "/moderation", act("unban"), "ban"),
        ("GET", "/messages", Value::Null, "send"),
        ("POST", "/messages", json!({"text": "hi"}), "send"),
        ("GET", "/moderators", Value::Null, ""),
        ("POST", "/moderators", json!({"to": "x@example.com", "preset": "producer"}), ""),
        ("DELETE", "/moderators?id=U-00000000", Value::Null, ""),
        ("POST", "/synthetic", json!({"text": "hi"}), ""),
    ]
}

/// Goal: a right allows what it says and nothing else, in its own room and in no other.
/// Method: for each right an account that has it alone, and everything a moderator could ask for, in two rooms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_right_alone_allows_exactly_what_it_says_and_in_its_own_room_only() {
    let server = Setup::new().rooms(&["ana", "ben"]).start().await;
    for room in ["ana", "ben"] {
        server.room(room).publish(&message("1", "2002", "hi"), &Arrival::now());
    }
    let owner = Person::put(&server, "ana", &["ana"]).await;
    let mut wrong = Vec::new();
    for right in RIGHTS {
        let moderator = Person::put(&server, &format!("mo-{right}"), &[]).await;
        let asked = json!({"to": moderator.code, "rights": [right]});
        let path = "/api/rooms/ana/moderators";
        let (status, answer) = owner.ask(&server, "POST", path, asked).await;
        assert_eq!(status, 201, "{answer}");
        assert_eq!(answer["moderator"]["rights"], json!([right]));
        for (method, act, body, needed) in list_acts() {
            for room in ["ana", "ben"] {
                let path = format!("/api/rooms/{room}{act}");
                let (status, _) = moderator.ask(&server, method, &path, body.clone()).await;
                let may = room == "ana" && needed == right;
                if (status != 403) != may || status == 401 {
                    wrong.push(format!("{right}: {method} {path} {body} got {status}"));
                }
            }
        }
        for path in [
            "/api/settings?room=ana",
            "/api/settings/overlay-keys?room=ana",
            "/api/themes?room=ana",
        ] {
            let (status, _) = moderator.ask(&server, "GET", path, Value::Null).await;
            assert_eq!(status, 403, "{right}: {path}");
        }
        // Their page knows the same.
        let request = server.get("/chat/ana").header("cookie", &moderator.cookie);
        let page = request.send().await.unwrap().text().await.unwrap();
        assert!(page.contains(&format!(r#""rights":["{right}"]"#)), "{right}: {page}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // From another site's page nothing goes, and nobody at all may do nothing.
    let stranger = Person::put(&server, "stranger", &["ben"]).await;
    for (method, act, body, _) in list_acts() {
        let path = format!("/api/rooms/ana{act}");
        assert_eq!(stranger.ask(&server, method, &path, body.clone()).await.0, 403, "{path}");
        let anonymous = server.request(method, &path, body.clone()).send().await.unwrap();
        assert_eq!(anonymous.status(), 401, "{method} {path}");
        if method != "GET" {
            let request = server.request(method, &path, body).header("cookie", &owner.cookie);
            let foreign = request.header("origin", "https://evil.example").send().await.unwrap();
            assert_eq!(foreign.status(), 403, "{method} {path}");
        }
    }
    server.stop().await;
}

/// Goal: whatever ends a moderator's rights ends what they have open, within a second.
/// Method: a socket and a stream in a room that nobody else may read, for each way to end them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_moderator_has_open_is_closed_within_a_second_whatever_ends_it() {
    let setup = Setup::new().rooms(&["ana", "ben"]).set("SYSTEM__OVERLAY_ACCESS", "key");
    let server = setup.start().await;
    let owner = Person::put(&server, "ana", &["ana"]).await;
    let mo = Person::put(&server, "mo", &[]).await;
    let other = Person::put(&server, "other", &[]).await;
    let moderators = "/api/rooms/ana/moderators";
    let grant = async |who: &Person, rights: Value| {
        let asked = json!({"to": who.code, "rights": rights});
        assert_eq!(owner.ask(&server, "POST", moderators, asked).await.0, 201);
    };
    grant(&other, json!(["queue"])).await;
    let kept = other.socket(&server, "ana").await;
    let address = server.server.address;
    for ending in ["revoked", "fewer rights", "suspended", "signed out"] {
        grant(&mo, json!(["queue", "ban"])).await;
        let socket = mo.socket(&server, "ana").await;
        let stream = server.get("/sse/ana").header("cookie", &mo.cookie).send().await;
        let mut stream = stream.unwrap();
        assert_eq!(stream.status(), 200, "{ending}");
        let refused = server.get("/sse/ben").header("cookie", &mo.cookie).send().await.unwrap();
        assert_eq!(refused.status(), 403, "another room");
        let asked = Instant::now();
        match ending {
            "revoked" => {
                let path = format!("{moderators}?id={}", mo.id);
                assert_eq!(owner.ask(&server, "DELETE", &path, Value::Null).await.0, 204);
            }
            "fewer rights" => grant(&mo, json!(["queue"])).await,
            "suspended" => set_suspended(&server, mo.id, true).await,
            _ => assert_eq!(mo.ask(&server, "POST", "/auth/logout", json!({})).await.0, 200),
        }
        assert_eq!(socket.closed().await, Some(4003), "{ending}");
        assert!(asked.elapsed() < Duration::from_secs(1), "{ending}: {:?}", asked.elapsed());
        soon("the end of the stream", async { while stream.chunk().await.unwrap().is_some() {} })
            .await;
        let queue = json!({"message_id": "twitch:1"});
        let (status, _) = mo.ask(&server, "POST", "/api/rooms/ana/queue", queue).await;
        let expected = match ending {
            "fewer rights" => 404, // They may, and there is no such message.
            "revoked" => 403,
            _ => 401,
        };
        assert_eq!(status, expected, "{ending}");
        if ending == "suspended" {
            set_suspended(&server, mo.id, false).await;
        }
    }
    let without = format!("ws://{address}/ws/ana");
    assert_eq!(Socket::refused(&without).await, 403);
    server.room("ana").publish(&message("1", "2002", "undisturbed"), &Arrival::now());
    let mut kept = kept;
    assert_eq!(kept.next_text().await, "undisturbed");
    drop(kept);
    server.stop().await;
}

async fn set_suspended(server: &TestServer, id: AccountId, suspended: bool) {
    use streamsuites::accounts::AccountStatus::{Active, Suspended};
    let done = server.server.accounts.change(move |change| {
        let mut account = change.find_account(id)?;
        account.status = if suspended { Suspended } else { Active };
        change.put_account(account)?;
        change.cut_off(id);
        Ok(())
    });
    done.await.unwrap();
}

/// Goal: whoever is asked by mail decides; whether an address has an account nobody learns.
#[tokio::test]
async fn an_invitation_is_the_same_for_every_address_and_is_taken_up_once() {
    let resend = Resend::start().await;
    let server = Setup::new().rooms(&["ana"]).resend(&resend).start().await;
    let owner = Person::put(&server, "ana", &["ana"]).await;
    let mo = Person::put(&server, "mo", &[]).await;
    let path = "/api/rooms/ana/moderators";
    let mut answers = Vec::new();
    for to in ["mo@example.com", "nobody@example.com"] {
        let (status, mut answer) =
            owner.ask(&server, "POST", path, json!({"to": to, "preset": "moderator"})).await;
        assert_eq!(status, 202, "{answer}");
        for it in ["id", "to", "expires_at"] {
            answer["invitation"][it] = Value::Null;
        }
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
    for (body, status) in [
        (json!({"to": "no address", "rights": ["queue"]}), 400),
        (json!({"to": "x@example.com", "rights": []}), 400),
        (json!({"to": "x@example.com", "rights": ["everything"]}), 400),
        (json!({"to": "x@example.com", "preset": "king"}), 400),
        (json!({"to": "U-ZZZZZZZZ", "rights": ["queue"]}), 404),
        (json!({"to": owner.code, "rights": ["queue"]}), 409),
    ] {
        assert_eq!(owner.ask(&server, "POST", path, body.clone()).await.0, status, "{body}");
    }
    let (_, list) = owner.ask(&server, "GET", path, Value::Null).await;
    assert_eq!(
        (
            list["moderators"].as_array().unwrap().len(),
            list["invitations"].as_array().unwrap().len()
        ),
        (0, 2)
    );

    let link = resend.mail_link("mo@example.com").await;
    let token = link.split("token=").nth(1).unwrap().to_owned();
    assert!(!list.to_string().contains(&token), "the link is for whoever reads the mail");
    let page = format!("/invitation?token={token}");
    // Opened by whatever looks into mails, it is still there.
    for _ in 0..2 {
        let answer = server.get(&page).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.unwrap();
        assert!(text.contains("Sign in to accept") && text.contains("ban viewers"), "{text}");
    }
    let anonymous = server.post("/api/invitations", json!({"token": token})).send().await.unwrap();
    assert_eq!(anonymous.status(), 401);
    let (status, answer) =
        mo.ask(&server, "POST", "/api/invitations", json!({"token": token})).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["room"], "ana");
    assert_eq!(answer["rights"], json!(["queue", "hide", "timeout", "ban", "polls"]));
    for who in [&mo, &owner] {
        let again = who.ask(&server, "POST", "/api/invitations", json!({"token": token})).await;
        assert_eq!(again.0, 400, "a link works once");
    }
    assert_eq!(server.get(&page).send().await.unwrap().status(), 404);

    let (_, list) = owner.ask(&server, "GET", path, Value::Null).await;
    assert_eq!(list["moderators"][0]["user_code"], mo.code);
    let waiting = list["invitations"][0]["id"].as_str().unwrap();
    let (status, _) =
        owner.ask(&server, "DELETE", &format!("{path}?id={waiting}"), Value::Null).await;
    assert_eq!(status, 204);
    let link = resend.mail_link("nobody@example.com").await;
    let token = link.split("token=").nth(1).unwrap();
    let taken_back = mo.ask(&server, "POST", "/api/invitations", json!({"token": token})).await;
    assert_eq!(taken_back.0, 400);
    let audit = server.server.accounts.list_audit(None, 50).await.unwrap().entries;
    let actions: Vec<_> = audit.iter().map(|it| it.action.as_str()).collect();
    for it in ["moderator_invited", "moderator_accepted", "moderator_removed"] {
        assert!(actions.contains(&it), "{it} in {actions:?}");
    }
    server.stop().await;
}

/// Goal: whoever moderates finds the rooms, and what they may do there, on their own page.
#[tokio::test]
async fn an_account_is_told_where_it_moderates_and_with_which_rights() {
    let server = Setup::new().rooms(&["ana", "ben", "cy"]).start().await;
    let ana = Person::put(&server, "ana", &["ana"]).await;
    let mo = Person::put(&server, "mo", &["cy"]).await;
    let (_, before) = mo.ask(&server, "GET", "/account/me", Value::Null).await;
    let none = json!({"active": false, "assignment_count": 0, "contexts": []});
    assert_eq!(before["moderator_access"], none);

    for (room, rights) in [("ana", json!(["queue"])), ("ben", json!(["queue", "send"]))] {
        let asked = json!({"to": mo.code, "rights": rights});
        let path = format!("/api/rooms/{room}/moderators");
        let grant = server.post(&path, asked).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(grant.status(), 201);
    }
    let (_, session) = mo.ask(&server, "GET", "/auth/session", Value::Null).await;
    let access = &session["user"]["moderator_access"];
    assert_eq!((&access["active"], &access["assignment_count"]), (&json!(true), &json!(2)));
    let capabilities = |rights: &[&str]| {
        let each = RIGHTS.iter().map(|it| ((*it).to_owned(), json!(rights.contains(it))));
        Value::Object(each.collect())
    };
    assert_eq!(
        access["contexts"],
        json!([
            {"room": "ana", "creator_account_id": ana.id, "creator_display_name": "ana", "owner": false,
                "permission_preset": "helper", "capabilities": capabilities(&["queue"])},
            {"room": "ben", "creator_account_id": null, "creator_display_name": "", "owner": false,
                "permission_preset": "custom", "capabilities": capabilities(&["queue", "send"])},
        ])
    );
    let own = &session["user"]["creator_workspace_access"]["contexts"][0];
    assert_eq!((&own["room"], &own["owner"]), (&json!("cy"), &json!(true)));
    assert_eq!(own["capabilities"], capabilities(&RIGHTS));
    server.stop().await;
}

/// Goal: nobody tries secrets of invitations out, or has mails sent, as fast as they can.
#[tokio::test]
async fn invitations_are_paced() {
    for what in ["look", "accept", "invite"] {
        let setup = Setup::new().rooms(&["ana"]).set("SYSTEM__AUTH__ATTEMPTS_PER_MINUTE", 3);
        let server = setup.start().await;
        let ana = Person::put(&server, "ana", &["ana"]).await;
        let mut statuses = Vec::new();
        for it in 0..4 {
            let (method, path, body) = match what {
                "look" => ("GET", "/invitation?token=x", Value::Null),
                "accept" => ("POST", "/api/invitations", json!({"token": "x"})),
                _ => {
                    let asked = json!({"to": format!("mo{it}@example.com"), "preset": "helper"});
                    ("POST", "/api/rooms/ana/moderators", asked)
                }
            };
            statuses.push(ana.ask(&server, method, path, body).await.0);
        }
        assert_eq!(statuses.pop(), Some(429), "{what}");
        assert!(!statuses.contains(&429), "{what}: {statuses:?}");
        server.stop().await;
    }
}

/// Goal: a platform is asked once, however often it is named.
#[tokio::test]
async fn each_platform_is_named_once_in_what_came_of_it_and_no_more_than_there_are() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let ana = Person::put(&server, "ana", &["ana"]).await;
    let act = |platforms: Vec<&str>| json!({"action": "unban", "user_id": "twitch:9", "platforms": platforms});
    let path = "/api/rooms/ana/moderation";
    let (status, told) =
        ana.ask(&server, "POST", path, act(vec!["kick", "twitch", "kick", "twitch", "kick"])).await;
    assert_eq!(status, 200, "{told}");
    let places = told["results"].as_array().unwrap().iter().map(|it| it["place"].clone());
    assert_eq!(places.collect::<Vec<_>>(), ["kick", "twitch"]);
    assert_eq!(ana.ask(&server, "POST", path, act(vec!["kick"; 9])).await.0, 400);
    server.stop().await;
}

/// Goal: what is taken away here is gone here at once, and on Twitch where the token allows; each is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moderator_acts_here_and_on_twitch_and_is_told_what_came_of_it() {
    let scopes = ["user:write:chat", "moderator:manage:banned_users"];
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&scopes).await);
    let setup = Setup::new()
        .twitch(&twitch)
        .channel("twitch:ana")
        .variable("TWITCH_OAUTH_TOKEN_ANA", format!("oauth:{}", twitch_api::TOKEN))
        .variable("TWITCH_BOT_NICK_ANA", "anabot");
    let set = |setup: Setup, (key, value): (String, String)| setup.set(&key, value);
    let server = api.variables().into_iter().fold(setup, set).start().await;
    twitch.joined("ana").await;
    let mo = Person::put(&server, "mo", &[]).await;
    let asked = json!({"to": mo.code, "preset": "moderator"});
    let grant = server.post("/api/rooms/ana/moderators", asked).bearer_auth(TOKEN).send();
    assert_eq!(grant.await.unwrap().status(), 201);
    let mut socket = server.socket("/ws/ana?backlog=0").await;
    server.room("ana").publish(&message("1", "2002", "one"), &Arrival::now());
    server.room("ana").publish(&message("2", "2002", "two"), &Arrival::now());
    let path = "/api/rooms/ana/moderation";
    let act = async |body: Value| {
        let (status, answer) = mo.ask(&server, "POST", path, body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let states = |answer: &Value| -> Vec<(String, String)> {
        let text = |it: &Value| it.as_str().unwrap().to_owned();
        let results = answer["results"].as_array().unwrap();
        assert!(results.iter().all(|it| it["at"].is_string()));
        results.iter().map(|it| (text(&it["place"]), text(&it["state"]))).collect()
    };
    let pair = |place: &str, state: &str| (place.to_owned(), state.to_owned());

    // The token may not delete: here it is gone all the same.
    let answer = act(json!({"action": "hide", "message_id": "twitch:1"})).await;
    assert_eq!(states(&answer), [pair("feed", "done"), pair("twitch", "impossible")]);
    assert!(
        answer["results"][1]["detail"].as_str().unwrap().contains("moderator:manage:chat_messages")
    );
    assert_eq!(socket.next_of("chat.delete").await["data"]["message_id"], "twitch:1");
    let (status, _) =
        mo.ask(&server, "POST", path, json!({"action": "hide", "message_id": "twitch:1"})).await;
    assert_eq!(status, 404, "it is gone");

    // A timeout of whoever wrote a message, and the way back.
    let answer = act(json!({"action": "timeout", "message_id": "twitch:2", "seconds": 30})).await;
    assert_eq!(states(&answer), [pair("feed", "done"), pair("twitch", "done")]);
    assert_eq!(answer["undo"], json!({"action": "unban", "user_id": "twitch:2002"}));
    let purge = socket.next_of("chat.clear_user").await;
    assert_eq!(
        (&purge["data"]["author_id"], &purge["data"]["seconds"]),
        (&json!("twitch:2002"), &json!(30))
    );
    let shown = server.history("ana").await;
    assert!(!json!(shown).to_string().contains("two"), "their words are gone");
    let answer = act(answer["undo"].clone()).await;
    assert_eq!(states(&answer), [pair("twitch", "done")]);

    // Twitch says no; banned before is banned.
    api.answer(400, &[], json!({"status": 400, "message": "The user may not be banned."}));
    let answer = act(json!({"action": "ban", "user_id": "twitch:7"})).await;
    assert_eq!(states(&answer), [pair("feed", "done"), pair("twitch", "refused")]);
    assert!(answer["undo"].is_null());
    api.answer(400, &[], json!({"status": 400, "message": "user is already banned"}));
    let answer = act(json!({"action": "ban", "user_id": "twitch:7"})).await;
    assert_eq!(states(&answer), [pair("feed", "done"), pair("twitch", "done")]);
    let answer =
        act(json!({"action": "ban", "user_id": "kick:7", "platforms": ["kick", "twitch"]})).await;
    assert_eq!(
        states(&answer),
        [pair("feed", "done"), pair("kick", "impossible"), pair("twitch", "impossible")]
    );

    // A viewer off the overlays, by the room's own settings, and back.
    let answer = act(json!({"action": "hide", "user_id": "twitch:9"})).await;
    assert_eq!(states(&answer), [pair("feed", "done")]);
    assert_eq!(server.room("ana").settings().hidden_users, ["twitch:9"]);
    assert_eq!(
        socket.next_of("settings.update").await["data"]["hidden_users"],
        json!(["twitch:9"])
    );
    act(answer["undo"].clone()).await;
    assert!(server.room("ana").settings().hidden_users.is_empty());
    for (body, status) in [
        (json!({"action": "ban"}), 400),
        (json!({"action": "ban", "user_id": "twitch:1", "message_id": "twitch:1"}), 400),
        (json!({"action": "ban", "user_id": "twitch:1", "seconds": 5}), 400),
        (json!({"action": "timeout", "user_id": "twitch:1", "seconds": 0}), 400),
        (json!({"action": "explode", "user_id": "twitch:1"}), 400),
    ] {
        assert_eq!(mo.ask(&server, "POST", path, body.clone()).await.0, status, "{body}");
    }

    let seen = api.seen().moderation.clone();
    let (method, what, query, body) = &seen[0];
    assert_eq!((method.as_str(), what.as_str()), ("POST", "bans"));
    assert_eq!(query["broadcaster_id"], number_of("ana").to_string());
    assert_eq!(body, &json!({"data": {"user_id": "2002", "duration": 30}}));
    assert_eq!((seen[1].0.as_str(), seen[1].2["user_id"].as_str()), ("DELETE", "2002"));
    assert_eq!(seen[2].3, json!({"data": {"user_id": "7"}}));
    // All of it stands under the moderator's own name.
    let audit = server.server.accounts.list_audit(None, 50).await.unwrap().entries;
    let acts: Vec<_> = audit.iter().filter(|it| it.action.starts_with("moderation_")).collect();
    assert!(acts.len() >= 7, "{}", acts.len());
    assert!(acts.iter().all(|it| serde_json::to_string(&it.actor).unwrap().contains(&mo.code)));
    server.stop().await;
}
