//! Polls, tallies and scoreboards as those see them who run them, vote in them and look at them: over the network, through
//! the chats' own ways, over restarts and kills.

use std::{collections::HashMap, path::Path, sync::Arc};

use serde_json::{Value, json};
use streamsuites::{
    boards::Boards,
    chat::{Listener, Room, Rooms},
    jobs::NewJob,
    model::{EventBody, Platform, Timestamp},
    platforms::{Emotes, Ingest, Raw, Source, sending::Echoes},
    storage::{Kind, State},
    telemetry::Telemetry,
};

use crate::support::{
    Setup, TOKEN, TestServer, message_on,
    people::Person,
    process::Process,
    resend::Resend,
    socket::Socket,
    soon,
    twitch::{Twitch, number_of, privmsg},
};

async fn ask(server: &TestServer, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = server.request(method, path, body).bearer_auth(TOKEN);
    let answer = soon(path, request.send()).await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

fn votes(poll: &Value) -> Vec<u64> {
    let options = poll["options"].as_array().unwrap();
    options.iter().map(|it| it["votes"].as_u64().unwrap()).collect()
}

/// Waits until a socket is told of a poll with these votes.
async fn told(socket: &mut Socket, expected: &[u64]) -> Value {
    loop {
        let event = socket.next_of("poll.update").await;
        if votes(&event["data"]) == expected {
            return event["data"].clone();
        }
    }
}

#[tokio::test]
async fn what_is_asked_is_shown_voted_for_in_chat_and_there_again_after_a_restart_unrecorded_too() {
    let twitch = Twitch::plain().await;
    let creators = json!({"creators": [{
        "id": "ana", "record": false, "always_on": true, "channels": [{"platform": "twitch", "name": "ana"}],
    }]});
    let server = Setup::new().twitch(&twitch).creators(&creators).start().await;
    twitch.joined("ana").await;
    let mut socket = server.socket("/ws/ana").await;
    let new =
        json!({"question": "Where next?", "options": ["North", "South"], "bare_numbers": true});
    let (status, poll) = ask(&server, "POST", "/api/rooms/ana/polls", new).await;
    assert_eq!((status, &poll["state"]), (201, &json!("open")));
    let path = format!("/api/rooms/ana/polls/{}", poll["poll_id"].as_str().unwrap());
    for (id, login, text) in [
        ("1", "bo", "!vote south"),
        ("2", "cy", "1"),
        ("3", "cy", "2"),
        ("3", "cy", "1"),
        ("4", "di", "1 of them"),
    ] {
        twitch.send("ana", privmsg("ana", id, login, text)).await;
    }
    let shown = told(&mut socket, &[0, 2]).await;
    assert_eq!(shown["vote_trigger"], "!vote");
    let voted = json!({"voter": "youtube:x", "choice": "north"});
    let (_, voted) = ask(&server, "POST", &format!("{path}/votes"), voted).await;
    assert_eq!((&voted["label"], &voted["before"]), (&json!("North"), &Value::Null));
    let tally = json!({"label": "Lines", "tally_id": "lines", "feed": "messages", "target": 10});
    assert_eq!(ask(&server, "POST", "/api/rooms/ana/tallies", tally).await.0, 201);
    let quiz = json!({"title": "Quiz", "scoreboard_id": "quiz"});
    assert_eq!(ask(&server, "POST", "/api/rooms/ana/scoreboards", quiz).await.0, 201);
    let score = json!({"label": "Mira", "by": 5});
    assert_eq!(ask(&server, "POST", "/api/rooms/ana/scoreboards/quiz/scores", score).await.0, 200);
    twitch.send("ana", privmsg("ana", "5", "bo", "hello")).await;
    while socket.next_of("tally.update").await["data"]["count"] != 1 {}

    let server = server.stop_for_now().await.start().await;
    let mut socket = server.socket("/ws/ana").await;
    let boards = &socket.hello["boards"];
    assert_eq!(votes(&boards["polls"][0]), [1, 2]);
    assert_eq!(boards["tallies"][0]["count"], 1);
    assert_eq!(boards["scoreboards"][0]["entries"][0]["label"], "Mira");
    twitch.joined("ana").await;
    twitch.send("ana", privmsg("ana", "6", "di", "!vote 1")).await;
    told(&mut socket, &[2, 2]).await;

    let (status, closed) = ask(&server, "PATCH", &path, json!({"state": "closed"})).await;
    assert_eq!((status, votes(&closed)), (200, vec![2, 2]));
    assert_eq!(told(&mut socket, &[2, 2]).await["state"], "closed");
    let (status, problem) = ask(&server, "PATCH", &path, json!({"state": "open"})).await;
    assert_eq!(
        (status, &problem["detail"]),
        (409, &json!("a poll that is closed cannot become open"))
    );
    assert_eq!(ask(&server, "DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(socket.next_of("poll.update").await["data"]["state"], "archived");
    assert_eq!(ask(&server, "DELETE", "/api/rooms/ana/tallies/lines", Value::Null).await.0, 204);
    while socket.next_of("tally.update").await["data"]["removed"] != true {}
    let socket = server.socket("/ws/ana").await;
    assert_eq!(socket.hello["boards"]["polls"], json!([]));
    assert_eq!(socket.hello["boards"]["tallies"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_moderator_needs_the_right_a_tier_says_how_many_and_drafts_are_for_those_who_open_them() {
    let resend = Resend::start().await;
    let server = Setup::new().rooms(&["ben"]).people(&resend).start().await;
    let owner = Person::put(&server, "owner", &["ana"]).await;
    let viewer = Person::put(&server, "viewer", &[]).await;
    let new = |more: Value| {
        let mut poll = json!({"question": "?", "options": ["a", "b"]});
        poll.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        poll
    };
    let polls = "/api/rooms/ana/polls";
    assert_eq!(viewer.ask(&server, "POST", polls, new(json!({}))).await.0, 403);
    let many = new(json!({"options": ["1", "2", "3", "4", "5"]}));
    let (status, problem) = owner.ask(&server, "POST", polls, many).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (400, &json!("/options")));
    assert_eq!(owner.ask(&server, "POST", polls, new(json!({"draft": true}))).await.0, 201);
    assert_eq!(owner.ask(&server, "POST", polls, new(json!({}))).await.0, 201);
    let other = new(json!({"vote_trigger": "!other"}));
    let (status, problem) = owner.ask(&server, "POST", polls, other.clone()).await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().starts_with("another poll is open"), "{problem}");
    // The operator's own rooms have no such limits.
    for more in [json!({}), json!({"vote_trigger": "!other"})] {
        assert_eq!(ask(&server, "POST", "/api/rooms/ben/polls", new(more)).await.0, 201);
    }
    let count = |(status, answer): (u16, Value)| {
        assert_eq!(status, 200);
        answer["polls"].as_array().unwrap().len()
    };
    assert_eq!(count(owner.ask(&server, "GET", polls, Value::Null).await), 2);
    assert_eq!(count(viewer.ask(&server, "GET", polls, Value::Null).await), 1);
    let identities = "/api/rooms/ana/identities";
    assert_eq!(viewer.ask(&server, "GET", identities, Value::Null).await.0, 403);
    let link = json!({"accounts": ["twitch:1", "kick:1"], "reason": "known"});
    let (status, linked) = owner.ask(&server, "POST", identities, link.clone()).await;
    assert_eq!((status, &linked["linked_by"]), (201, &json!(owner.code)));
    assert_eq!(owner.ask(&server, "POST", identities, link).await.0, 409);
    server.stop().await;
}

/// Goal: a room that an account takes with it leaves no votes, no addresses of webhooks, and no jobs behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_deleted_takes_what_its_rooms_had_with_it() {
    let resend = Resend::start().await;
    let server = Setup::new().people(&resend).start().await;
    let owner = Person::put(&server, "owner", &["theirs"]).await;
    let room = |path: &str| format!("/api/rooms/theirs{path}");
    soon("the room is there", async {
        while ask(&server, "GET", &room(""), Value::Null).await.0 != 200 {}
    })
    .await;
    let poll = json!({"question": "?", "options": ["a", "b"]});
    let (status, poll) = ask(&server, "POST", &room("/polls"), poll).await;
    assert_eq!(status, 201, "{poll}");
    let votes = room(&format!("/polls/{}/votes", poll["poll_id"].as_str().unwrap()));
    let vote = json!({"voter": "twitch:1", "choice": "a"});
    assert_eq!(ask(&server, "POST", &votes, vote).await.0, 200);
    let trigger = json!({"trigger_id": "t", "type": "keyword", "keywords": ["x"], "actions": [
        {"action_type": "webhook", "payload": {"url": "https://hooks.example.com/?key=s3cret"}}]});
    let (status, trigger) = ask(&server, "POST", &room("/triggers"), trigger).await;
    assert_eq!(status, 201, "{trigger}");
    let new = NewJob::webhook(
        "theirs".parse().unwrap(),
        "https://hooks.example.com/?key=s3cret",
        json!({}),
        "test",
    );
    server.server.jobs.add(new).unwrap();

    let gone = server.server.accounts.change(move |change| {
        change.remove_account(owner.id);
        Ok(())
    });
    gone.await.unwrap();
    soon("it is forgotten", async {
        while !server.server.jobs.list(None).is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let stopped = server.stop_for_now().await;
    let state = State::open(&stopped.data_folder().join("state.redb")).unwrap();
    for kind in [Kind::Polls, Kind::Votes, Kind::Triggers, Kind::Jobs] {
        assert_eq!(state.list(kind), [], "{kind:?}");
    }
}

struct Ears(Boards);

impl Listener for Ears {
    fn heard(&self, room: &Arc<Room>, body: &EventBody, seq: u64) {
        self.0.hear(room, body, seq);
    }
}

/// Goal: exactly one vote a viewer, the last one each said, however often a platform tells the same.
/// Method: 50,000 viewers of three platforms vote twice through the way that workers use; every fifth message is delivered
/// again after a reconnect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_votes_of_three_platforms_are_counted_exactly() {
    const VIEWERS: usize = 50_000;
    let creators = json!({"creators": [{"id": "ana", "record": false}]});
    let server = Setup::new().creators(&creators).start().await;
    let new = json!({"question": "?", "options": ["a", "b", "c"]});
    let (_, poll) = ask(&server, "POST", "/api/rooms/ana/polls", new).await;
    let once = json!({"label": "Messages", "tally_id": "messages", "feed": "messages"});
    ask(&server, "POST", "/api/rooms/ana/tallies", once).await;
    let rooms = Rooms::new(
        Arc::clone(&server.server.hub),
        Telemetry::new(),
        Emotes::default(),
        Echoes::default(),
        300,
    );
    rooms.set_listener(Arc::new(Ears(server.server.boards.clone())));
    let ingest = |platform| {
        let source = Source {
            creator: "ana".parse().unwrap(),
            platform,
            channel: "ana".into(),
            recorded: false,
        };
        Ingest::new(&rooms, source).unwrap()
    };
    let platforms = [Platform::Twitch, Platform::Youtube, Platform::Kick];
    let mut ingests: HashMap<_, _> = platforms.into_iter().map(|it| (it, ingest(it))).collect();
    let mut expected = [0_u64; 3];
    for round in 0..2 {
        for viewer in 0..VIEWERS {
            let platform = platforms[viewer % 3];
            let option = (viewer / 3 + round * viewer) % 3;
            if round == 1 {
                expected[option] += 1;
            }
            let (id, text) = (format!("{round}-{viewer}"), format!("!vote {}", option + 1));
            let body = message_on(platform, &id, &viewer.to_string(), &text);
            let again = (viewer % 5 == 0).then(|| body.clone());
            let to = ingests.get_mut(&platform).unwrap();
            to.accept(Raw::Event(Box::new(body)), Timestamp::now());
            if let Some(body) = again {
                // The connection broke, and the platform tells the last messages once more.
                ingests.insert(platform, ingest(platform));
                let to = ingests.get_mut(&platform).unwrap();
                to.accept(Raw::Event(Box::new(body)), Timestamp::now());
            }
        }
    }
    let poll = format!("/api/rooms/ana/polls/{}", poll["poll_id"].as_str().unwrap());
    let (_, now) = ask(&server, "GET", &poll, Value::Null).await;
    assert_eq!(votes(&now), expected);
    assert_eq!(now["votes"], VIEWERS);
    let (_, tally) = ask(&server, "GET", "/api/rooms/ana/tallies/messages", Value::Null).await;
    assert_eq!(tally["count"], 2 * VIEWERS);
    drop((ingests, rooms));

    let server = server.stop_for_now().await.start().await;
    let (_, then) = ask(&server, "GET", &poll, Value::Null).await;
    assert_eq!(votes(&then), expected);
    server.stop().await;
}

#[tokio::test]
async fn a_copy_carries_them_and_brings_them_back_into_the_running_server() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let new = json!({"question": "?", "options": ["a", "b"]});
    let (_, poll) = ask(&server, "POST", "/api/rooms/ana/polls", new).await;
    let path = format!("/api/rooms/ana/polls/{}", poll["poll_id"].as_str().unwrap());
    let vote = json!({"voter": "twitch:1", "choice": "b"});
    assert_eq!(ask(&server, "POST", &format!("{path}/votes"), vote).await.0, 200);
    let tally = json!({"label": "Deaths", "tally_id": "deaths"});
    assert_eq!(ask(&server, "POST", "/api/rooms/ana/tallies", tally).await.0, 201);
    let copy = server.get("/api/backup").bearer_auth(TOKEN).send().await.unwrap();
    let copy = copy.bytes().await.unwrap().to_vec();

    assert_eq!(ask(&server, "PATCH", &path, json!({"state": "closed"})).await.0, 200);
    assert_eq!(ask(&server, "DELETE", "/api/rooms/ana/tallies/deaths", Value::Null).await.0, 204);
    let quiz = json!({"title": "Quiz", "scoreboard_id": "quiz"});
    assert_eq!(ask(&server, "POST", "/api/rooms/ana/scoreboards", quiz).await.0, 201);
    let url = server.url("/api/restore");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let restored = soon("the restore", http.post(url).bearer_auth(TOKEN).body(copy).send()).await;
    assert!(restored.unwrap().status().is_success());

    let (_, then) = ask(&server, "GET", &path, Value::Null).await;
    assert_eq!((&then["state"], votes(&then)), (&json!("open"), vec![0, 1]));
    let vote = json!({"voter": "twitch:2", "choice": "b"});
    assert_eq!(ask(&server, "POST", &format!("{path}/votes"), vote).await.0, 200);
    assert_eq!(ask(&server, "GET", "/api/rooms/ana/tallies/deaths", Value::Null).await.0, 200);
    assert_eq!(ask(&server, "GET", "/api/rooms/ana/scoreboards/quiz", Value::Null).await.0, 404);
    // And whoever comes now sees that.
    let mut socket = server.socket("/ws/ana").await;
    let mut shown = votes(&socket.hello["boards"]["polls"][0]);
    while shown != [0, 2] {
        shown = votes(&socket.next_of("poll.update").await["data"]);
    }
    let boards = soon("the room is told of the others", async {
        loop {
            let boards = server.socket("/ws/ana").await.hello["boards"].clone();
            if boards["tallies"][0]["tally_id"] == "deaths" && boards["scoreboards"] == json!([]) {
                return boards;
            }
        }
    })
    .await;
    assert_eq!(votes(&boards["polls"][0]), [0, 2]);
    server.stop().await;
}

/// A server of its own that reads ana's chat from a stand-in.
struct Served {
    process: Process,
    address: String,
    http: reqwest::Client,
}

impl Served {
    async fn start(folder: &Path, twitch: &Twitch) -> Self {
        let variables = [
            ("STREAMSUITES_OPERATOR_TOKEN", TOKEN.to_owned()),
            ("STREAMSUITES__PLATFORMS__TWITCH__IRC_URL", twitch.url()),
        ];
        let arguments = ["--listen", "127.0.0.1:0", "--channel", "twitch:ana"];
        let process = Process::start_at(folder, &arguments, &variables);
        let address = process.address().await;
        Self { process, address, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("http://{}/api/rooms/ana{path}", self.address);
        let request = self.http.request(method.parse().unwrap(), url).bearer_auth(TOKEN);
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = soon(path, request.send()).await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// Votes that the log has, in their order: login and option.
    async fn logged(&self) -> Vec<(String, usize)> {
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let path = format!("/events?types=chat.message&limit=500&after={after}");
            let page = self.ask("GET", &path, Value::Null).await;
            for it in page["events"].as_array().unwrap() {
                let text = it["data"]["text"].as_str().unwrap();
                let option = text.strip_prefix("!vote ").unwrap().parse().unwrap();
                found.push((it["data"]["author"]["login"].as_str().unwrap().to_owned(), option));
            }
            match page["next"].as_u64() {
                Some(next) if !page["events"].as_array().unwrap().is_empty() => after = next,
                _ => return found,
            }
        }
    }
}

fn counted(votes: &[(String, usize)]) -> Vec<u64> {
    let newest: HashMap<_, _> = votes.iter().map(|(who, what)| (who, *what)).collect();
    (1..=3).map(|it| newest.values().filter(|what| **what == it).count() as u64).collect()
}

/// Goal: after a kill in the middle of a flood of votes, nothing counts twice and nothing that the log has is lost; what the
/// platform tells again brings the rest.
/// Method: the real program on a stand-in of Twitch, killed as a power cut does while votes stream in; then the same votes
/// are delivered again.
#[tokio::test]
async fn a_kill_in_a_flood_of_votes_loses_nothing_that_the_log_has_and_counts_nothing_twice() {
    const VIEWERS: usize = 2_500;
    let twitch = Twitch::plain().await;
    let folder = tempfile::tempdir().unwrap();
    let server = Served::start(folder.path(), &twitch).await;
    twitch.joined("ana").await;
    let new = json!({"question": "?", "options": ["a", "b", "c"]});
    let poll = server.ask("POST", "/polls", new).await;
    let path = format!("/polls/{}", poll["poll_id"].as_str().unwrap());
    // Every viewer votes three times, each time for something else; all of it fits in what is known of repeats.
    let line = |number: usize| {
        let (viewer, round) = (number % VIEWERS, number / VIEWERS);
        let (login, option) = (format!("v{viewer}"), 1 + (viewer + round) % 3);
        let line = privmsg("ana", &format!("m{number}"), &login, &format!("!vote {option}"));
        line.replace(
            &format!("user-id={};", number_of(&login)),
            &format!("user-id={};", 1 + viewer),
        )
    };
    let mut socket = Socket::open(&format!("ws://{}/ws/ana?types=chat", server.address)).await;
    for number in 0..2 * VIEWERS {
        twitch.send("ana", line(number)).await;
    }
    // In the middle of it: a socket has come so far, and the rest is on its way.
    while socket.next_of("chat.message").await["data"]["id"] != format!("twitch:m{}", VIEWERS + 500)
    {
    }
    server.process.kill().await;

    let server = Served::start(folder.path(), &twitch).await;
    let logged = server.logged().await;
    assert!(logged.len() > VIEWERS, "{} are in the log", logged.len());
    let after = server.ask("GET", &path, Value::Null).await;
    let (found, expected) = (votes(&after), counted(&logged));
    // Votes may be written down that the log lost the messages of; never the other way round.
    let lost: u64 = found.iter().zip(&expected).map(|it| it.0.abs_diff(*it.1)).sum();
    println!("{} in the log; votes {found:?}, by the log {expected:?}", logged.len());
    assert!(found.iter().sum::<u64>() <= VIEWERS as u64);
    assert!(found.iter().sum::<u64>() >= expected.iter().sum::<u64>());
    assert!(lost <= 600, "as much as was on its way: {lost}");

    twitch.joined("ana").await;
    let mut socket = Socket::open(&format!("ws://{}/ws/ana?types=chat", server.address)).await;
    for number in 0..3 * VIEWERS {
        twitch.send("ana", line(number)).await;
    }
    let last = format!("twitch:m{}", 3 * VIEWERS - 1);
    while socket.next_of("chat.message").await["data"]["id"] != last {}
    let end = server.ask("GET", &path, Value::Null).await;
    assert_eq!(
        votes(&end),
        counted(&(0..VIEWERS).map(|it| (it.to_string(), 1 + (it + 2) % 3)).collect::<Vec<_>>())
    );
    // And once more, with everything known.
    for number in 0..3 * VIEWERS {
        twitch.send("ana", line(number)).await;
    }
    twitch.say("ana", "end", "that was all").await;
    while socket.next_of("chat.message").await["data"]["id"] != "twitch:end" {}
    assert_eq!(votes(&server.ask("GET", &path, Value::Null).await), votes(&end));
    server.process.kill().await;
}
