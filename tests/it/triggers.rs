//! What is said sets off what was configured: through the real server, a scripted Twitch, and the API.

use serde_json::{Value, json};
use streamsuites::storage::{Kind, State};

use crate::support::{
    Setup, TOKEN, TestServer,
    people::Person,
    soon,
    twitch::{Twitch, privmsg, privmsg_at},
    twitch_api::{self, TwitchApi},
};

const TRIGGERS: &str = "/api/rooms/ana/triggers";

fn setup(twitch: &Twitch, api: &TwitchApi) -> Setup {
    let setup = Setup::new()
        .twitch(twitch)
        .channel("twitch:ana")
        .variable("TWITCH_OAUTH_TOKEN_ANA", format!("oauth:{}", twitch_api::TOKEN))
        .variable("TWITCH_BOT_NICK_ANA", "anabot");
    api.variables().into_iter().fold(setup, |setup, (key, value)| setup.set(&key, value))
}

async fn start(twitch: &Twitch, api: &TwitchApi) -> TestServer {
    let server = setup(twitch, api).start().await;
    twitch.joined("ana").await;
    server
}

/// A call by the operator: status and body, or null.
async fn call(server: &TestServer, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = server.request(method, path, body).bearer_auth(TOKEN).send().await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

async fn add(server: &TestServer, trigger: Value) {
    let (status, body) = call(server, "POST", TRIGGERS, trigger).await;
    assert_eq!(status, 201, "{body}");
}

/// What was decided, oldest first, once there are so many.
async fn decisions(server: &TestServer, count: usize) -> Vec<Value> {
    soon("it is decided", async {
        loop {
            let (_, body) =
                call(server, "GET", &format!("{TRIGGERS}/decisions"), Value::Null).await;
            let mut list = body["decisions"].as_array().unwrap().clone();
            if list.len() >= count {
                list.reverse();
                return list;
            }
        }
    })
    .await
}

fn outcomes(decisions: &[Value]) -> Vec<(&str, &str)> {
    fn text(it: &Value) -> &str {
        it.as_str().unwrap_or_default()
    }
    decisions.iter().map(|it| (text(&it["trigger_id"]), text(&it["outcome"]))).collect()
}

fn command(word: &str, more: Value) -> Value {
    let mut trigger = json!({
        "trigger_id": word, "type": "command", "command": word,
        "actions": [{"action_type": "reply", "payload": {"text": "{user} said {args} ({count})"}}],
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        trigger[key] = value.clone();
    }
    trigger
}

#[tokio::test]
async fn a_command_is_answered_once_however_often_the_platform_delivers_it() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&["user:write:chat"]).await);
    let server = start(&twitch, &api).await;
    let mut socket = server.socket("/ws/ana").await;
    add(&server, command("hello", json!({"aliases": ["hi"]}))).await;

    let line = privmsg("ana", "m1", "bo", "!HI  big world");
    twitch.send("ana", line.clone()).await;
    socket.next_of("chat.message").await;
    let said = api.until("the answer", |seen| seen.messages.first().cloned()).await;
    assert_eq!(said["message"], "bo said big world (1)");
    assert_eq!(said["reply_parent_message_id"], "m1");

    // The connection is cut, and the line comes again.
    let connection = twitch.joined("ana").await;
    twitch.cut(connection);
    let anew =
        |seen: &crate::support::twitch::Seen| seen.carrier("ana").filter(|it| *it > connection);
    twitch.until("it is joined anew", anew).await;
    twitch.send("ana", line).await;
    twitch.send("ana", privmsg("ana", "m2", "cy", "!hello again")).await;
    let said = api.until("the second answer", |seen| seen.messages.get(1).cloned()).await;
    assert_eq!(said["message"], "cy said again (2)");
    // What this server said comes back as a bot's, and sets nothing off.
    twitch.send("ana", privmsg("ana", "api-2", "anabot", "!hello me")).await;
    twitch.send("ana", privmsg("ana", "m3", "cy", "!hello end")).await;
    let said = api.until("the third answer", |seen| seen.messages.get(2).cloned()).await;
    assert_eq!(said["message"], "cy said end (3)");
    let list = decisions(&server, 3).await;
    assert_eq!(outcomes(&list), [("hello", "matched"); 3]);
    assert_eq!(list[0]["message_id"], "twitch:m1");
    assert_eq!(list[0]["actions"][0]["state"], "queued");
    server.stop().await;
}

#[tokio::test]
async fn every_decision_is_explained_and_cooldowns_outlive_a_restart() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&["user:write:chat"]).await);
    let server = start(&twitch, &api).await;
    let slow = json!({"cooldown_seconds": 600});
    add(&server, command("slow", slow)).await;
    add(&server, command("mods", json!({"access": "moderators"}))).await;
    add(&server, command("paid", json!({"least_amount": {"value": 100, "currency": "bits"}})))
        .await;
    add(&server, command("kick", json!({"platforms": ["kick"]}))).await;
    add(&server, command("off", json!({"enabled": false}))).await;
    for (at, text) in ["!slow", "!slow", "!mods", "!paid", "!kick", "!off"].iter().enumerate() {
        twitch.send("ana", privmsg("ana", &format!("m{at}"), "bo", text)).await;
    }
    let long_ago = streamsuites::model::Timestamp::now().plus_ms(-3_600_000);
    twitch.send("ana", privmsg_at("ana", "old", "bo", "!mods !slow", long_ago)).await;
    twitch.send("ana", privmsg_at("ana", "older", "bo", "hello", long_ago)).await;
    let list = decisions(&server, 7).await;
    assert_eq!(
        outcomes(&list),
        [
            ("slow", "matched"),
            ("slow", "cooldown"),
            ("mods", "role"),
            ("paid", "amount"),
            ("kick", "platform"),
            ("off", "disabled"),
            ("mods", "role"),
        ]
    );
    let detail = list[1]["detail"].as_str().unwrap();
    assert!(
        (detail.starts_with("cooldown 600.0") || detail.starts_with("cooldown 5"))
            && detail.ends_with(" s left"),
        "{detail}"
    );
    assert_eq!(list[2]["detail"], "role too low: only moderators and above");
    assert!(!json!(list).to_string().contains("hello"), "no words of chat are kept");

    let server = server.stop_for_now().await.start().await;
    twitch.joined("ana").await;
    assert_eq!(decisions(&server, 7).await, list, "what was decided is kept");
    twitch.send("ana", privmsg("ana", "m9", "bo", "!slow")).await;
    let list = decisions(&server, 8).await;
    assert_eq!(outcomes(&list)[7], ("slow", "cooldown"));
    server.stop().await;
}

#[tokio::test]
async fn a_trigger_of_one_room_holds_up_none_of_another_that_is_called_the_same() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&["user:write:chat"]).await);
    let server = setup(&twitch, &api).channel("ben=twitch:ben").start().await;
    twitch.joined("ana").await;
    twitch.joined("ben").await;
    let hello = command("hello", json!({"global_cooldown_seconds": 600_000}));
    for room in ["ana", "ben"] {
        let path = format!("/api/rooms/{room}/triggers");
        assert_eq!(call(&server, "POST", &path, hello.clone()).await.0, 201);
    }
    twitch.send("ana", privmsg("ana", "a1", "bo", "!hello")).await;
    assert_eq!(outcomes(&decisions(&server, 1).await), [("hello", "matched")]);
    twitch.send("ben", privmsg("ben", "b1", "bo", "!hello")).await;
    let of_ben = soon("it is decided", async {
        loop {
            let path = "/api/rooms/ben/triggers/decisions";
            let (_, body) = call(&server, "GET", path, Value::Null).await;
            if let [only] = body["decisions"].as_array().unwrap().as_slice() {
                return only.clone();
            }
        }
    });
    let of_ben = of_ben.await;
    assert_eq!(of_ben["outcome"], "matched", "{of_ben}");
    // In its own room it holds.
    twitch.send("ana", privmsg("ana", "a2", "cy", "!hello")).await;
    let list = decisions(&server, 2).await;
    assert_eq!(outcomes(&list)[1], ("hello", "cooldown"));
    server.stop().await;
}

#[tokio::test]
async fn a_trigger_works_on_boards_stage_and_queue_and_its_jobs_are_listed() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&["user:write:chat"]).await);
    let server = start(&twitch, &api).await;
    let mut socket = server.socket("/ws/ana?types=poll,tally,score,feature,queue").await;
    let acts = |list: Value| json!({"actions": list});
    let act = |kind: &str, payload: Value| json!({"action_type": kind, "payload": payload});
    let board = json!({"title": "Wins"});
    let (status, board) = call(&server, "POST", "/api/rooms/ana/scoreboards", board).await;
    assert_eq!(status, 201, "{board}");
    let tally = json!({"label": "Deaths"});
    let (status, tally) = call(&server, "POST", "/api/rooms/ana/tallies", tally).await;
    assert_eq!(status, 201, "{tally}");
    add(&server, command("ask", acts(json!([act("poll_open", json!({}))])))).await;
    add(&server, command("v", acts(json!([act("poll_vote", json!({}))])))).await;
    let counts = json!([
        act("tally", json!({"tally_id": tally["tally_id"], "by": 2})),
        act("score", json!({"scoreboard_id": board["scoreboard_id"], "points": 5})),
        act("feature", json!({})),
        act("clip", json!({"seconds": 30})),
        act("webhook", json!({"url": "https://example.com/hook?token=secret"})),
    ]);
    add(&server, command("all", acts(counts))).await;

    twitch.send("ana", privmsg("ana", "m1", "bo", "!ask Which? | Chess | Go")).await;
    let open = soon("the poll", async {
        loop {
            let event = socket.next_of("poll.update").await;
            if event["data"]["state"] == "open" {
                return event;
            }
        }
    })
    .await;
    assert_eq!(open["data"]["question"], "Which?");
    twitch.send("ana", privmsg("ana", "m2", "bo", "!v go")).await;
    twitch.send("ana", privmsg("ana", "m3", "cy", "!vote 2")).await;
    soon("both votes count", async {
        loop {
            let event = socket.next_of("poll.update").await;
            if event["data"]["options"][1]["votes"] == 2 {
                return;
            }
        }
    })
    .await;

    twitch.send("ana", privmsg("ana", "m4", "bo", "!all")).await;
    assert_eq!(socket.next_of("feature.show").await["data"]["id"], "twitch:m4");
    let list = decisions(&server, 3).await;
    let states: Vec<_> = list[2]["actions"].as_array().unwrap().iter().collect();
    let states: Vec<_> = states.iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(states[..4], ["done", "done", "done", "blocked"], "{list:?}");
    assert_eq!(list[2]["actions"][0]["detail"], "Deaths is 2");
    let (_, jobs) = call(&server, "GET", "/api/rooms/ana/jobs", Value::Null).await;
    assert_eq!(jobs["jobs"][0]["kind"], "webhook", "{jobs}");
    assert!(!format!("{jobs}{list:?}").contains("token=secret"), "{jobs}");
    server.stop().await;
}

#[tokio::test]
async fn whatever_is_wrong_with_a_trigger_is_said_where_it_stands_and_nothing_changes() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let bad = json!({
        "trigger_id": "a b", "type": "regex", "pattern": "(", "cooldown_seconds": -1, "colour": 1,
        "actions": [{"action_type": "reply", "payload": {"text": "{usr}"}}],
    });
    let (status, problem) = call(&server, "POST", TRIGGERS, bad).await;
    assert_eq!(status, 400, "{problem}");
    let pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|it| it["pointer"].clone()).collect();
    assert!(pointers.contains(&json!("/trigger_id")), "{problem}");
    assert!(pointers.contains(&json!("/cooldown_seconds")), "{problem}");
    let bad = json!({"trigger_id": "a", "type": "regex", "pattern": "(a{999}){999}",
        "actions": [{"action_type": "reply", "payload": {"text": "{usr}"}}]});
    let (status, problem) = call(&server, "POST", TRIGGERS, bad).await;
    assert_eq!(status, 400);
    assert_eq!(problem["errors"][0]["pointer"], "/pattern", "{problem}");
    assert_eq!(problem["errors"][1]["detail"], "there is no {usr}, did you mean {user}?");

    add(&server, command("a", json!({}))).await;
    assert_eq!(call(&server, "POST", TRIGGERS, command("a", json!({}))).await.0, 409);
    let (status, _) = call(&server, "PUT", &format!("{TRIGGERS}/z"), command("z", json!({}))).await;
    assert_eq!(status, 404);
    let (_, list) = call(&server, "GET", TRIGGERS, Value::Null).await;
    assert_eq!(list["triggers"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!((&list["limit"], &list["triggers"][0]["source"]), (&Value::Null, &json!("page")));
    server.stop().await;
}

#[tokio::test]
async fn the_operator_s_file_comes_first_is_followed_live_and_is_not_changed_on_a_page() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&["user:write:chat"]).await);
    let server = start(&twitch, &api).await;
    add(&server, command("ping", json!({}))).await;
    let file = |text: &str| {
        let action = json!([{"action_type": "reply", "payload": {"text": text}}]);
        let all = [
            command("rules", json!({"actions": action})),
            command(
                "ping2",
                json!({"command": "ping",
            "actions": [{"action_type": "reply", "payload": {"text": "of the file"}}]}),
            ),
        ];
        json!({ "triggers": all }).to_string()
    };
    server.write_config("triggers.json", &file("be kind"));
    soon("the file is in force", async {
        while call(&server, "GET", TRIGGERS, Value::Null).await.1["triggers"]
            .as_array()
            .unwrap()
            .len()
            < 3
        {}
    })
    .await;
    let (_, list) = call(&server, "GET", TRIGGERS, Value::Null).await;
    let ids: Vec<_> =
        list["triggers"].as_array().unwrap().iter().map(|it| &it["trigger_id"]).collect();
    assert_eq!(ids, ["rules", "ping2", "ping"]);
    assert_eq!(list["triggers"][2]["shut"], "`ping2` stands before it and has its word");
    assert_eq!(call(&server, "DELETE", &format!("{TRIGGERS}/rules"), Value::Null).await.0, 409);
    twitch.send("ana", privmsg("ana", "m1", "bo", "!ping")).await;
    let said = api.until("the answer", |seen| seen.messages.first().cloned()).await;
    assert_eq!(said["message"], "of the file");
    server.stop().await;
}

#[tokio::test]
async fn an_old_file_is_taken_in_and_what_has_no_place_is_said() {
    let server = Setup::new().rooms(&["ana", "ben"]).start().await;
    let old = json!({"meta": {}, "triggers": [
        {"trigger_id": "one", "creator_id": "ana", "type": "command", "command": "!one", "cooldown_seconds": 3,
            "actions": [{"action_type": "send_chat_message", "payload": {"text": "one"}}]},
        {"triggerId": "two", "creatorId": "ben", "command": "!two", "response_template": "two"},
        {"trigger": "!three", "response_template": "three $(user)", "volume": 11},
    ]});
    let (status, body) = call(&server, "POST", &format!("{TRIGGERS}/import"), old).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["imported"], json!(["one", "three"]));
    let problems = body["problems"].to_string();
    assert!(problems.contains("/triggers/2/volume") && problems.contains("room ben"), "{problems}");
    let (_, list) = call(&server, "GET", TRIGGERS, Value::Null).await;
    assert_eq!(list["triggers"][1]["actions"][0]["payload"]["text"], "three {user}");
    let (status, body) =
        call(&server, "POST", &format!("{TRIGGERS}/import"), json!({"x": 1})).await;
    assert_eq!(status, 400, "{body}");
    server.stop().await;
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_says_and_does_nothing() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&["user:write:chat"]).await);
    let server = start(&twitch, &api).await;
    let mut socket = server.socket("/ws/ana").await;
    add(&server, command("mods", json!({"access": "moderators", "cooldown_seconds": 60}))).await;
    // What was written in another channel sets nothing off, neither then nor in a dry run.
    let shared = privmsg("ana", "shared", "cy", "!gg elsewhere");
    let shared = shared.replacen('@', "@source-room-id=4242;source-id=other;source-badges=;", 1);
    twitch.send("ana", shared).await;
    socket.next_of("chat.message").await;
    for (at, text) in ["hello", "!gg well played", "nothing", "!gg"].iter().enumerate() {
        twitch.send("ana", privmsg("ana", &format!("m{at}"), "bo", text)).await;
        socket.next_of("chat.message").await;
    }
    let dry = format!("{TRIGGERS}/dry-run");
    let line = |more: Value| {
        let mut body =
            json!({"platform": "twitch", "message": "!mods now", "stream_context": {"live": true}});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    };
    let (_, tried) = call(&server, "POST", &dry, line(json!({}))).await;
    assert_eq!((&tried["matched"], &tried["would_post"]), (&json!(false), &json!(false)));
    assert_eq!(tried["blocked_reason"], "role too low: only moderators and above", "{tried}");
    let actor = json!({"display_name": "Cy", "is_moderator": true});
    let (_, tried) = call(&server, "POST", &dry, line(json!({ "actor": actor }))).await;
    assert_eq!(tried["generated_reply"], "Cy said now (1)", "{tried}");
    assert_eq!((&tried["would_post"], &tried["platform_max_chars"]), (&json!(true), &json!(500)));
    assert_eq!(tried["actions"][0]["would"], "answer Cy on Twitch");
    let (_, tried) =
        call(&server, "POST", &dry, line(json!({"platform": "kick", "actor": actor}))).await;
    assert_eq!(tried["blocked_reason"], "the room has no channel on Kick", "{tried}");
    let draft = json!({"message": "gg", "triggers": [
        {"trigger_id": "d", "type": "keyword", "keywords": ["gg"],
            "actions": [{"action_type": "reply", "payload": {"text": "{usr}"}}]}]});
    let (_, tried) = call(&server, "POST", &dry, line(draft)).await;
    assert_eq!(tried["matched"], true, "{tried}");
    assert!(
        tried["validation_warnings"][0].as_str().unwrap().contains("did you mean {user}"),
        "{tried}"
    );
    let draft = json!({"message": "gg", "triggers": [
        {"trigger_id": "d", "type": "keyword", "keywords": ["gg"],
            "actions": [{"action_type": "webhook", "payload": {"url": "https://hooks.example.com/hidden"}}]}]});
    let (_, tried) = call(&server, "POST", &dry, line(draft)).await;
    assert_eq!(
        tried["validation_warnings"],
        json!([
            "webhook would fail: the host hooks.example.com is not in automation.allowed_hosts of system.json"
        ]),
    );

    // A whole recorded session.
    let sessions = server.json("/api/rooms/ana/sessions").await;
    let id = &sessions["sessions"][0]["session_id"];
    let drafts = json!([command("gg", json!({"cooldown_seconds": 3600}))]);
    let body = json!({"session_id": id, "triggers": drafts});
    let (status, tried) = call(&server, "POST", &dry, body).await;
    assert_eq!(status, 200, "{tried}");
    assert_eq!((&tried["messages"], &tried["matched"]), (&json!(5), &json!(1)), "{tried}");
    assert_eq!(tried["first"][0]["reply"], "bo said well played (1)");
    assert_eq!(tried["by_trigger"], json!([{"trigger_id": "gg", "count": 1}]));
    let none = call(&server, "POST", &dry, json!({"session_id": "none"})).await;
    assert_eq!(none.0, 404);

    assert!(api.seen().messages.is_empty(), "nothing was said");
    let (_, list) = call(&server, "GET", &format!("{TRIGGERS}/decisions"), Value::Null).await;
    assert_eq!(list, json!({"decisions": []}), "nor decided");
    server.stop().await;
}

#[tokio::test]
async fn a_timer_waits_for_its_minutes_and_for_lines_of_all_platforms_and_goes_on_after_a_restart()
{
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&["user:write:chat"]).await);
    let server = start(&twitch, &api).await;
    let timer = json!({"trigger_id": "water", "type": "timer", "minutes": 30, "least_lines": 3,
        "actions": [{"action_type": "send_chat_message", "payload": {"text": "drink ({count})"}}]});
    add(&server, timer).await;
    let stopped = server.stop_for_now().await;
    // It acted 31 minutes ago.
    let state = State::open(&stopped.data_folder().join("state.redb")).unwrap();
    let at = streamsuites::model::Timestamp::now().plus_ms(-31 * 60_000).unix_ms();
    state.set(Kind::Cooldowns, "ana/water", Some(format!("{at} 4")));
    state.close().await;
    drop(state);
    let server = stopped.start().await;
    twitch.joined("ana").await;
    for at in 0..3 {
        assert!(api.seen().messages.is_empty());
        twitch.send("ana", privmsg("ana", &format!("t{at}"), "bo", "hi")).await;
    }
    let said = api.until("the timer speaks", |seen| seen.messages.first().cloned()).await;
    assert_eq!(said["message"], "drink (5)");
    let list = decisions(&server, 1).await;
    assert_eq!(outcomes(&list), [("water", "matched")]);
    assert_eq!(list[0].get("message_id"), None);
    server.stop().await;
}

#[tokio::test]
async fn a_tier_bounds_how_many_and_how_often_and_what_may_be_done_by_itself() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&["user:write:chat"]).await);
    let server = setup(&twitch, &api).start().await;
    let owner = Person::put(&server, "ada", &["ada"]).await;
    let stranger = Person::put(&server, "ben", &["ben"]).await;
    soon("the room is there", async {
        while server.server.hub.find_room("ada").is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let path = "/api/rooms/ada/triggers";
    let post = |body: Value| {
        let request = server.post(path, body).header("cookie", &owner.cookie);
        request.header("origin", server.url(""))
    };
    for number in 0..10 {
        let trigger = match number {
            0 => json!({"trigger_id": "t", "type": "timer", "minutes": 1,
                "actions": [{"action_type": "send_chat_message", "payload": {"text": "x"}}]}),
            _ => command(&format!("c{number}"), json!({})),
        };
        assert_eq!(post(trigger).send().await.unwrap().status(), 201);
    }
    let answer = post(command("more", json!({}))).send().await.unwrap();
    assert_eq!(answer.status(), 409);
    let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(problem["detail"], "this room has its 10 triggers: remove one first");
    let list = server.get(path).header("cookie", &owner.cookie).send().await.unwrap();
    let list: Value = serde_json::from_slice(&list.bytes().await.unwrap()).unwrap();
    assert_eq!((&list["limit"], &list["remaining"]), (&json!(10), &json!(0)));
    assert_eq!(
        list["triggers"][0]["shut"], "the tier of this room's owner has no timers",
        "{list}"
    );

    // Whoever owns another room, or nobody, gets no further.
    for method in ["GET", "POST"] {
        let request = server.request(method, path, command("x", json!({})).to_string());
        let request = request.header("origin", server.url(""));
        let status = request.header("cookie", &stranger.cookie).send().await.unwrap().status();
        assert_eq!(status, 403, "{method}");
        let nobody = server.request(method, path, command("x", json!({})).to_string());
        assert_eq!(nobody.send().await.unwrap().status(), 401, "{method}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_was_deleted_before_it_came_or_was_written_elsewhere_sets_nothing_off() {
    let (twitch, api) = (Twitch::plain().await, TwitchApi::start(&["user:write:chat"]).await);
    let server = start(&twitch, &api).await;
    let mut socket = server.socket("/ws/ana").await;
    add(&server, command("hello", json!({}))).await;
    let deletion = "@login=bo;room-id=;target-msg-id=m1;tmi-sent-ts=1 \
                    :tmi.twitch.tv CLEARMSG #ana :!hello spam\r\n";
    twitch.send("ana", deletion).await;
    socket.next_of("chat.delete").await;
    twitch.send("ana", privmsg("ana", "m1", "bo", "!hello spam")).await;
    socket.next_of("chat.redacted").await;
    // A shared chat: the other channel's own bot answers there.
    let shared = privmsg("ana", "m2", "cy", "!hello elsewhere");
    let shared = shared.replacen('@', "@source-room-id=4242;source-id=m2b;source-badges=;", 1);
    twitch.send("ana", shared).await;
    let event = socket.next_of("chat.message").await;
    assert_eq!(event["data"]["flags"], json!(["shared_chat"]), "{event}");
    twitch.send("ana", privmsg("ana", "m3", "cy", "!hello here")).await;
    let said = api.until("the answer", |seen| seen.messages.first().cloned()).await;
    assert_eq!(said["message"], "cy said here (1)");
    assert_eq!(decisions(&server, 1).await.len(), 1);
    server.stop().await;
}
