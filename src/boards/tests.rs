use std::{collections::HashMap, time::Duration};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{limits::*, *};
use crate::{
    chat::room::{Arrival, Published},
    feed::{FeedLog, Options, Policies},
    lifecycle::Lifecycle,
    model::{OverlaySettings, Platform, QualifiedId, Role},
    telemetry::Telemetry,
};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn now() -> Timestamp {
    at("2024-08-10T12:00:00Z")
}

fn ana() -> CreatorId {
    "ana".parse().unwrap()
}

fn id(text: &str) -> QualifiedId {
    QualifiedId::try_from(text.to_owned()).unwrap()
}

fn new_poll(options: &[&str]) -> NewPoll {
    NewPoll {
        question: "Where next?".to_owned(),
        options: options.iter().map(|it| (*it).to_owned()).collect(),
        ..NewPoll::default()
    }
}

fn open(boards: &Boards, new: &NewPoll) -> String {
    boards.open_poll(&ana(), new, "test", Most::default(), now()).unwrap().poll_id
}

fn counts(boards: &Boards, poll: &str) -> Vec<u64> {
    let view = boards.find_poll(&ana(), poll).unwrap();
    view.options.iter().map(|it| it.votes).collect()
}

fn message(author: &str, login: &str, text: &str) -> Value {
    let author = id(author);
    let platform = author.platform().unwrap();
    let number = rand::random::<u64>();
    json!({"type": "chat.message", "data": {
        "id": QualifiedId::new(platform, &number.to_string()), "platform": platform,
        "channel": {"id": QualifiedId::new(platform, "1"), "name": "ana"},
        "author": {"id": author, "login": login, "name": "Somebody", "color": null, "badges": [], "roles": []},
        "text": text, "fragments": [{"type": "text", "text": text}], "flags": [],
        "sent_at": now(), "received_at": now(),
    }})
}

fn say_at(boards: &Boards, author: &str, login: &str, text: &str, now: Timestamp) {
    let body = serde_json::from_value(message(author, login, text)).unwrap();
    boards.hear_at(&ana(), &body, None, now);
}

fn say(boards: &Boards, author: &str, text: &str) {
    say_at(boards, author, "login", text, now());
}

fn hear(boards: &Boards, body: Value) {
    boards.hear_at(&ana(), &serde_json::from_value(body).unwrap(), None, now());
}

fn activity(kind: &str, more: Value) -> Value {
    let mut data = json!({"kind": kind, "platform": "twitch", "id": format!("twitch:{}", rand::random::<u64>()),
        "system_text": "something happened"});
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"type": "activity", "data": data})
}

#[test]
fn votes_are_said_by_number_by_words_and_as_people_write_them() {
    let boards = Boards::new(State::in_memory());
    let poll = open(&boards, &new_poll(&["Pizza", "Käse und Brot", "2"]));
    for (voter, text) in [
        ("twitch:1", "!vote 1"),
        ("twitch:2", "  !VOTE   pizza  "),
        ("youtube:3", "!vote KÄSE  und brot"),
        ("kick:4", "!vote #2 \u{e0000}"),
        // Words go before numbers.
        ("twitch:5", "!vote 2"),
        ("twitch:6", "2"),
        ("twitch:7", "!votes 1"),
        ("twitch:8", "!vote"),
        ("twitch:9", "!vote 4"),
        ("twitch:10", "!vote 0"),
        ("twitch:11", "!vote 99999999999999999999999999"),
        ("twitch:12", "I say !vote 1"),
    ] {
        say(&boards, voter, text);
    }
    assert_eq!(counts(&boards, &poll), [2, 2, 1]);
    assert_eq!(boards.newest_votes().len(), 5);
}

#[test]
fn programs_shared_chats_and_the_platform_do_not_vote_and_a_reply_does() {
    let boards = Boards::new(State::in_memory());
    let poll = open(&boards, &new_poll(&["a", "b"]));
    for flags in [json!(["shared_chat"]), json!(["system"])] {
        let mut it = message("twitch:1", "x", "!vote 1");
        it["data"]["flags"] = flags;
        hear(&boards, it);
    }
    let mut it = message("twitch:2", "x", "!vote 1");
    it["data"]["author"]["roles"] = json!([Role::Bot]);
    hear(&boards, it);
    assert_eq!(counts(&boards, &poll), [0, 0]);
    let mut it = message("twitch:3", "x", "@ana !vote 2");
    it["data"]["flags"] = json!(["reply"]);
    let author = it["data"]["author"].clone();
    it["data"]["reply_to"] = json!({"id": "twitch:m", "author": author, "text": "vote!"});
    hear(&boards, it);
    assert_eq!(counts(&boards, &poll), [0, 1]);
}

#[test]
fn polls_beside_each_other_have_other_words_and_other_platforms_and_a_tier_says_how_many() {
    let boards = Boards::new(State::in_memory());
    let try_open = |new: &NewPoll, open_polls: u32| {
        let most = Most { open_polls, options: 4 };
        boards.open_poll(&ana(), new, "test", most, now())
    };
    let said = |result: Result<PollView, BoardError>| result.unwrap_err().to_string();
    let plain = new_poll(&["a", "b"]);
    assert!(said(try_open(&plain, 0)).contains("tier"));
    let first = try_open(&plain, 1).unwrap().poll_id;
    assert!(said(try_open(&plain, 1)).contains("another poll is open"));
    assert!(said(try_open(&plain, 9)).contains("`!vote` already votes in “Where next?”"));
    let other =
        NewPoll { vote_trigger: Some("!WO".to_owned()), bare_numbers: true, ..plain.clone() };
    let second = try_open(&other, 9).unwrap().poll_id;
    let third = NewPoll { vote_trigger: Some("!third".to_owned()), ..other };
    assert!(said(try_open(&third, 9)).contains("numbers alone"));
    say(&boards, "twitch:1", "!vote a");
    say(&boards, "twitch:2", "!wo b");
    say(&boards, "twitch:3", "2");
    assert_eq!((counts(&boards, &first), counts(&boards, &second)), (vec![1, 0], vec![0, 2]));
    assert!(said(try_open(&new_poll(&["1", "2", "3", "4", "5"]), 9)).contains("at most 4 options"));

    for it in [&first, &second] {
        boards.close_poll(&ana(), Some(it), now()).unwrap();
    }
    let on = |platform| NewPoll { platforms: vec![platform], ..plain.clone() };
    let twitch = try_open(&on(Platform::Twitch), 9).unwrap().poll_id;
    let kick = try_open(&on(Platform::Kick), 9).unwrap().poll_id;
    say(&boards, "twitch:1", "!vote a");
    say(&boards, "kick:1", "!vote b");
    say(&boards, "youtube:1", "!vote b");
    assert_eq!((counts(&boards, &twitch), counts(&boards, &kick)), (vec![1, 0], vec![0, 1]));
    let refused = boards.vote(&ana(), Some(&kick), &id("rumble:1"), "a", now()).unwrap_err();
    assert!(refused.to_string().contains("do not count"), "{refused}");
    let unclear = boards.vote(&ana(), None, &id("kick:1"), "a", now()).unwrap_err();
    assert_eq!(unclear.to_string(), "several polls are open: say which");
}

#[test]
fn a_poll_goes_from_draft_to_the_archive_and_never_back() {
    let boards = Boards::new(State::in_memory());
    let draft = NewPoll { draft: true, seconds: Some(60), ..new_poll(&["a", "b"]) };
    let poll = open(&boards, &draft);
    let change = |change: Value, now: Timestamp| {
        let change: PollChange = serde_json::from_value(change).unwrap();
        boards.change_poll(&ana(), &poll, &change, Most::default(), now)
    };
    assert!(boards.list_polls(&ana(), false).is_empty() && boards.polls().is_empty());
    assert_eq!(boards.list_polls(&ana(), true).len(), 1);
    assert!(boards.vote(&ana(), Some(&poll), &id("twitch:1"), "a", now()).is_err());
    let written = change(json!({"question": "How?", "options": ["x", "y", "z"]}), now()).unwrap();
    assert_eq!((written.question.as_str(), written.options.len()), ("How?", 3));
    assert!(change(json!({"options": ["x", "X"]}), now()).is_err());
    let opened = change(json!({"state": "open"}), now()).unwrap();
    assert_eq!(opened.closes_at, Some(now().plus_ms(60_000)));
    assert!(change(json!({"question": "Why?"}), now()).unwrap_err().to_string().contains("draft"));
    assert!(change(json!({"state": "draft"}), now()).is_err());

    let last = now().plus_ms(59_999);
    say_at(&boards, "twitch:1", "a", "!vote x", last);
    // The clock closes it to the millisecond, whoever looks first.
    say_at(&boards, "twitch:2", "b", "!vote x", last.plus_ms(1));
    let late = boards.vote(&ana(), Some(&poll), &id("twitch:3"), "x", last.plus_ms(2));
    assert_eq!(late.unwrap_err().to_string(), "“How?” is not open: it is closed");
    let view = boards.find_poll(&ana(), &poll).unwrap();
    assert_eq!((view.state, view.votes), (PollState::Closed, 1));
    assert_eq!(view.closed_at, view.closes_at);
    let conflict = change(json!({"state": "open"}), now()).unwrap_err();
    assert_eq!(conflict.to_string(), "a poll that is closed cannot become open");
    change(json!({"state": "archived"}), now()).unwrap();
    boards.remove_poll(&ana(), &poll, now()).unwrap();
    assert_eq!(boards.find_poll(&ana(), &poll), None);
}

/// What is done to a poll in [`counts_are_those_of_a_tiny_model`].
#[derive(Debug, Clone)]
enum Step {
    Vote(u8, u8),
    Link(u8, u8),
    Unlink(u8),
    Remove(u8),
    Restart,
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0_u8..8, 0_u8..3).prop_map(|(who, what)| Step::Vote(who, what)),
        3 => (0_u8..8, 0_u8..8).prop_map(|(one, other)| Step::Link(one, other)),
        2 => (0_u8..8).prop_map(Step::Unlink),
        1 => (0_u8..8).prop_map(Step::Remove),
        2 => Just(Step::Restart),
        1 => Just(Step::Close),
    ]
}

proptest! {
    /// Goal: each person counts once, with the newest vote of their accounts, whatever is linked when, and over restarts.
    /// Method: the same steps in a model that keeps lists and counts anew each time.
    #[test]
    fn counts_are_those_of_a_tiny_model(steps in prop::collection::vec(step(), 0..60)) {
        let state = State::in_memory();
        let mut boards = Boards::new(state.clone());
        let poll = open(&boards, &new_poll(&["a", "b", "c"]));
        let account = |who: u8| {
            id(&format!("{}:{who}", ["twitch", "youtube", "kick"][usize::from(who) % 3]))
        };
        // The model: votes in their order, and which group each account is of.
        let mut votes: Vec<(u8, u8)> = Vec::new();
        let mut groups: HashMap<u8, u8> = (0..8).map(|it| (it, it)).collect();
        let mut closed = false;
        for step in steps {
            match step {
                Step::Vote(who, what) => {
                    let words = (what + 1).to_string();
                    let voted = boards.vote(&ana(), Some(&poll), &account(who), &words, now());
                    prop_assert_eq!(voted.is_ok(), !closed);
                    if !closed {
                        votes.retain(|it| it.0 != who);
                        votes.push((who, what));
                    }
                }
                Step::Link(one, other) => {
                    let accounts = vec![account(one), account(other)];
                    let new = NewIdentity { accounts, reason: "known".to_owned() };
                    let linked = boards.link(&ana(), &new, "test", now());
                    let (a, b) = (groups[&one], groups[&other]);
                    prop_assert_eq!(linked.is_ok(), a != b);
                    groups.values_mut().filter(|it| **it == b).for_each(|it| *it = a);
                }
                Step::Unlink(who) => {
                    let all = boards.list_identities(&ana());
                    let of = all.iter().find(|it| it.accounts.contains(&account(who)));
                    if let Some(it) = of {
                        boards.unlink(&ana(), &it.identity_id).unwrap();
                        let group = groups[&who];
                        for (one, of) in &mut groups {
                            if *of == group {
                                // Numbers that no group has.
                                *of = 100 + one;
                            }
                        }
                    }
                }
                Step::Remove(who) => {
                    let removed = boards.remove_vote(&ana(), &poll, &account(who), now());
                    let group = groups[&who];
                    let had = votes.iter().any(|it| groups[&it.0] == group);
                    prop_assert_eq!(removed.is_ok(), had && !closed);
                    if !closed {
                        votes.retain(|it| groups[&it.0] != group);
                    }
                }
                Step::Restart => boards = Boards::new(state.clone()),
                Step::Close if closed => {}
                Step::Close => {
                    boards.close_poll(&ana(), None, now()).unwrap();
                    closed = true;
                    // From now on the outcome stands, whoever is linked.
                    let mut frozen = HashMap::new();
                    votes.iter().for_each(|(who, what)| { frozen.insert(groups[who], *what); });
                    let kept = frozen.into_values().enumerate();
                    votes = kept.map(|(who, what)| (200 + u8::try_from(who).unwrap(), what)).collect();
                    groups.extend((200..=255).map(|it| (it, it)));
                }
            }
            let mut newest: HashMap<u8, u8> = HashMap::new();
            votes.iter().for_each(|(who, what)| { newest.insert(groups[who], *what); });
            let mut expected = vec![0; 3];
            newest.values().for_each(|it| expected[usize::from(*it)] += 1);
            prop_assert_eq!(counts(&boards, &poll), expected);
        }
    }
}

#[tokio::test]
async fn everything_is_there_after_a_restart_and_votes_of_what_is_closed_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.redb");
    let state = State::open(&path).unwrap();
    let boards = Boards::new(state.clone());
    let closed = open(&boards, &new_poll(&["a", "b"]));
    say(&boards, "twitch:1", "!vote b");
    boards.close_poll(&ana(), None, now()).unwrap();
    let poll = open(&boards, &new_poll(&["a", "b"]));
    for voter in 0..100 {
        say(&boards, &format!("twitch:{voter}"), &format!("!vote {}", 1 + voter % 2));
    }
    let once = NewTally {
        label: "Attendance".to_owned(),
        tally_id: Some("there".to_owned()),
        once_per_viewer: true,
        ..NewTally::default()
    };
    boards.add_tally(&ana(), &once, now()).unwrap();
    for voter in ["twitch:1", "twitch:2", "twitch:1"] {
        boards.count(&ana(), "there", Some("ja"), 1, Some(&id(voter)), now()).unwrap();
    }
    let quiz = NewScoreboard {
        title: "Quiz".to_owned(),
        scoreboard_id: Some("quiz".to_owned()),
        ..NewScoreboard::default()
    };
    boards.add_scoreboard(&ana(), &quiz, now()).unwrap();
    let mira = Contestant { label: "Mira".to_owned(), user_id: Some(id("twitch:1")) };
    let team = Contestant { label: "Team/Ä e".to_owned(), user_id: None };
    boards.score(&ana(), "quiz", &mira, 5, now()).unwrap();
    boards.score(&ana(), "quiz", &team, 7, now()).unwrap();
    let both = NewIdentity {
        accounts: vec![id("twitch:1"), id("youtube:one")],
        reason: "the same voice".to_owned(),
    };
    boards.link(&ana(), &both, "operator", now()).unwrap();
    let picture = |it: &Boards| {
        (
            it.list_polls(&ana(), true),
            it.find_tally(&ana(), "there"),
            it.find_scoreboard(&ana(), "quiz"),
            it.list_identities(&ana()),
        )
    };
    let before = picture(&boards);
    assert_eq!(before.1.as_ref().unwrap().count, 2);
    state.close().await;
    drop((boards, state));

    let state = State::open(&path).unwrap();
    let boards = Boards::new(state.clone());
    assert_eq!(picture(&boards), before);
    assert_eq!(counts(&boards, &poll), [50, 50]);
    assert_eq!(counts(&boards, &closed), [0, 1]);
    // Who counted does not count again, with no account of theirs.
    boards.count(&ana(), "there", None, 1, Some(&id("youtube:one")), now()).unwrap();
    assert_eq!(boards.find_tally(&ana(), "there").unwrap().count, 2);
    // A kill came between the outcome and the votes that it made needless.
    let hub = Arc::new(test_hub());
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(boards.clone().run(hub, stop.clone()));
    let left = || {
        let all = state.list(crate::storage::Kind::Votes);
        all.into_iter().filter(|it| it.0.contains(&closed)).count()
    };
    while left() > 0 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    running.await.unwrap();
    assert_eq!(counts(&boards, &poll), [50, 50]);

    // A room that is retired leaves nothing.
    boards.forget_room(&ana());
    for kind in crate::storage::Kind::ALL {
        assert_eq!(state.list(kind), [], "{kind:?}");
    }
}

fn test_hub() -> crate::chat::Hub {
    hub_on(FeedLog::none())
}

fn hub_on(log: FeedLog) -> crate::chat::Hub {
    crate::chat::Hub::new(crate::chat::RoomParts {
        life: crate::lifecycle::Lifecycle::new(),
        telemetry: crate::telemetry::Telemetry::new(),
        log,
        demand: Arc::default(),
        ring_events: 4096,
        dedupe_ids: 64,
        idle_minutes: 30,
    })
}

/// Says something in a room that keeps a log; only `heard` tells the boards of it.
fn say_in(boards: &Boards, room: &Arc<Room>, author: &str, text: &str, heard: bool) {
    let body: EventBody = serde_json::from_value(message(author, "login", text)).unwrap();
    let Published::At(seq) = room.publish(&body, &Arrival::now()) else { panic!("not new") };
    if author.contains("recorded") {
        boards.pass_over(room, &body, seq);
    } else if heard {
        boards.hear(room, &body, seq);
    }
}

/// Goal: after a kill exactly those votes of the log are counted that were not counted yet.
/// Method: some messages are published and never heard, as if the server was killed in between; then boards are read anew.
#[tokio::test]
async fn a_start_counts_what_the_log_has_and_nothing_that_was_changed_since() {
    let folder = tempfile::tempdir().unwrap();
    let log = FeedLog::open(
        Options {
            path: folder.path().join("feed.redb"),
            commit_delay: Duration::from_millis(1),
            queue_bytes: 1 << 20,
            policies: Policies::default(),
        },
        Lifecycle::new(),
        Telemetry::new(),
    );
    let hub = hub_on(log.unwrap());
    let room = hub.open_room(&ana(), OverlaySettings::default(), true);
    let state = State::in_memory();
    let boards = Boards::new(state.clone());
    let before = Timestamp::now();
    say_in(&boards, &room, "twitch:early", "!vote 1", true);
    let poll = boards.open_poll(&ana(), &new_poll(&["a", "b"]), "test", Most::default(), before);
    let poll = poll.unwrap().poll_id;
    say_in(&boards, &room, "twitch:1", "!vote 1", true);
    say_in(&boards, &room, "twitch:2", "!vote 1", true);
    say_in(&boards, &room, "kick:3", "!vote 1", false);
    say_in(&boards, &room, "youtube:recorded", "!vote 1", false);
    // By other ways than the chat.
    boards.vote(&ana(), Some(&poll), &id("twitch:1"), "b", before).unwrap();
    boards.remove_vote(&ana(), &poll, &id("twitch:2"), before).unwrap();
    say_in(&boards, &room, "twitch:4", "!vote 2", false);
    assert_eq!(counts(&boards, &poll), [0, 1]);
    room.log().settled().await;

    for _ in 0..2 {
        let boards = Boards::new(state.clone());
        boards.greet(&room);
        boards.catch_up(&hub).await;
        assert_eq!(counts(&boards, &poll), [1, 2]);
    }
    // What another start counted stays removed as well.
    let boards = Boards::new(state.clone());
    boards.remove_vote(&ana(), &poll, &id("kick:3"), Timestamp::now()).unwrap();
    let boards = Boards::new(state.clone());
    boards.catch_up(&hub).await;
    assert_eq!(counts(&boards, &poll), [0, 2]);

    // A kill lost places of the feed that votes were counted at: others have them now.
    let far = room.head() + 100;
    state.set(crate::storage::Kind::Votes, "ana/h/twitch/1", Some(far.to_string()));
    let boards = Boards::new(state.clone());
    boards.greet(&room);
    say_in(&boards, &room, "twitch:5", "!vote 1", false);
    room.log().settled().await;
    boards.catch_up(&hub).await;
    assert_eq!(counts(&boards, &poll), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_room_is_told_at_once_then_at_most_every_quarter_of_a_second_and_last_of_how_it_ended() {
    let boards = Boards::new(State::in_memory());
    let hub = Arc::new(test_hub());
    let room = hub.open_room(&ana(), crate::model::OverlaySettings::default(), false);
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(boards.clone().run(Arc::clone(&hub), stop.clone()));
    let poll = open(&boards, &new_poll(&["a", "b"]));
    for millisecond in 0..1000 {
        let voter = id(&format!("twitch:{millisecond}"));
        boards.vote(&ana(), Some(&poll), &voter, "a", now()).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    boards.close_poll(&ana(), None, now()).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    boards.remove_poll(&ana(), &poll, now()).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    stop.cancel();
    running.await.unwrap();

    let page = room.recent(&crate::feed::Span::default());
    let told: Vec<Value> =
        page.events.iter().map(|it| serde_json::from_slice(&it.json).unwrap()).collect();
    assert!((5..=8).contains(&told.len()), "{}", told.len());
    assert_eq!(told[0]["data"]["vote_trigger"], "!vote");
    let last = &told[told.len() - 2]["data"];
    assert_eq!((&last["state"], &last["options"][0]["votes"]), (&json!("closed"), &json!(1000)));
    assert_eq!(told[told.len() - 1]["data"]["state"], "archived");
}

#[test]
fn what_people_prove_in_chat_links_them_and_half_of_it_does_not() {
    let boards = Boards::new(State::in_memory());
    let poll = open(&boards, &new_poll(&["a", "b"]));
    say_at(&boards, "twitch:1", "mira", "!vote a", now());
    say_at(&boards, "youtube:UC9", "mira_yt", "!vote b", now());
    assert_eq!(counts(&boards, &poll), [1, 1]);
    let later = |minutes: i64| now().plus_ms(minutes * 60_000);
    // Half a proof, one that comes too late, somebody else's, and one by a name that anybody may have.
    say_at(&boards, "twitch:1", "mira", "!link youtube:@Mira_YT", now());
    say_at(&boards, "youtube:UC8", "other", "!link twitch:mira", later(1));
    say_at(&boards, "youtube:UC9", "mira_yt", "!link twitch:Somebody", later(2));
    say_at(&boards, "youtube:UC9", "mira_yt", "!link twitch:mira", later(11));
    assert!(boards.list_identities(&ana()).is_empty());
    say_at(&boards, "twitch:1", "mira", "!LINK youtube:UC9", later(12));
    let all = boards.list_identities(&ana());
    assert_eq!(all[0].accounts, [id("twitch:1"), id("youtube:UC9")]);
    assert_eq!(all[0].linked_by, "chat");
    // The newest vote of the person counts.
    assert_eq!(counts(&boards, &poll), [0, 1]);
    say(&boards, "twitch:1", "!vote a");
    assert_eq!(counts(&boards, &poll), [1, 0]);
    // An account of one's own platform can be linked as well, oneself cannot.
    say_at(&boards, "twitch:1", "mira", "!link twitch:mira", later(13));
    say_at(&boards, "twitch:1", "mira", "!link twitch:mira2", later(13));
    say_at(&boards, "twitch:2", "mira2", "!link twitch:1", later(13));
    assert_eq!(boards.list_identities(&ana())[0].accounts.len(), 3);
    boards.unlink(&ana(), &boards.list_identities(&ana())[0].identity_id).unwrap();
    assert_eq!(counts(&boards, &poll), [1, 1]);
}

#[test]
fn periods_end_by_the_calendar_and_what_was_counted_is_kept_under_their_names() {
    let boards = Boards::new(State::in_memory());
    let monthly: NewTally = serde_json::from_value(json!({
        "label": "Deaths", "tally_id": "deaths", "items": ["fall", "fire"], "once_per_viewer": true,
        "aggregation": {"type": "monthly"},
    }))
    .unwrap();
    boards.add_tally(&ana(), &monthly, now()).unwrap();
    let quiz: NewScoreboard = serde_json::from_value(json!({
        "title": "Quiz", "scoreboard_id": "quiz", "aggregation": {"type": "weekly"},
    }))
    .unwrap();
    boards.add_scoreboard(&ana(), &quiz, now()).unwrap();
    let mira = Contestant { label: "Mira".to_owned(), user_id: None };
    let last = at("2024-08-31T23:59:59.999Z");
    let next = at("2024-09-01T00:00:00.000Z");
    boards.count(&ana(), "deaths", Some("FIRE"), 3, Some(&id("twitch:1")), last).unwrap();
    boards.score(&ana(), "quiz", &mira, 5, last).unwrap();
    boards.count(&ana(), "deaths", Some("fire"), 1, Some(&id("twitch:1")), next).unwrap();
    boards.score(&ana(), "quiz", &mira, 2, next).unwrap();
    let deaths = boards.list_tallies(&ana()).remove(0);
    assert_eq!((deaths.count, deaths.period.unwrap().period_id.as_str()), (1, "2024-09"));
    boards.advance_all(at("2024-09-02T00:00:00Z"));
    let deaths = boards.tallies().remove(0);
    assert_eq!(deaths.count, 1);
    let room = boards.find(&ana()).unwrap();
    let past = lock(&room).kept.past_tallies("deaths");
    assert_eq!((past.len(), past[0].period_id.as_str(), past[0].count), (1, "2024-08", 3));
    let past = lock(&room).kept.past_scoreboards("quiz");
    let told: Vec<_> =
        past.iter().map(|it| (it.period_id.as_str(), it.entries[0].score_value)).collect();
    // The last of August was a Saturday, the first of September a Sunday.
    assert_eq!(told, [("2024-W35", 7)]);
    assert!(boards.scoreboards()[0].entries.is_empty());
    assert_eq!(boards.scoreboards()[0].period.as_deref(), Some("2024-W36"));
}

#[test]
fn of_a_period_that_is_over_the_best_are_kept_and_nobody_is_left_in_the_next() {
    let state = State::in_memory();
    let boards = Boards::new(state.clone());
    let quiz = json!({"title": "Quiz", "scoreboard_id": "quiz", "aggregation": {"type": "weekly"}});
    boards.add_scoreboard(&ana(), &serde_json::from_value(quiz).unwrap(), now()).unwrap();
    for points in 1..=300 {
        let who = Contestant { label: format!("Viewer {points}"), user_id: None };
        boards.score(&ana(), "quiz", &who, points, now()).unwrap();
    }
    boards.advance_all(now().plus_ms(7 * 86_400_000));
    let quiz = Boards::new(state.clone()).find_scoreboard(&ana(), "quiz").unwrap();
    assert!(quiz.entries.is_empty());
    let kept = &quiz.periods.unwrap()[0].entries;
    assert_eq!(kept.len(), MOST_PAST_ENTRIES);
    assert_eq!((kept[0].score_value, kept[199].score_value), (300, 101));
    let rows = state.list_beginning(crate::storage::Kind::Scoreboards, "ana/quiz/e/");
    assert_eq!(rows, []);
}

#[test]
fn the_last_days_are_counted_and_what_is_older_falls_off() {
    let boards = Boards::new(State::in_memory());
    let rolling = json!({"type": "rolling", "days": 7});
    let tally = json!({"label": "Week", "tally_id": "week", "aggregation": rolling});
    boards.add_tally(&ana(), &serde_json::from_value(tally).unwrap(), now()).unwrap();
    let board = json!({"title": "Week", "scoreboard_id": "week", "aggregation": rolling});
    boards.add_scoreboard(&ana(), &serde_json::from_value(board).unwrap(), now()).unwrap();
    let mira = Contestant { label: "Mira".to_owned(), user_id: None };
    let day = |days: i64| now().plus_ms(days * 86_400_000);
    for it in 0..10 {
        boards.count(&ana(), "week", Some("x"), 1 << it, None, day(it)).unwrap();
        boards.score(&ana(), "week", &mira, 1 << it, day(it)).unwrap();
    }
    let last_seven: i64 = (3..10).map(|it| 1 << it).sum();
    let tally = boards.tallies().remove(0);
    assert_eq!((tally.count, tally.items[0].count), (last_seven, last_seven));
    assert_eq!(boards.scoreboards()[0].entries[0].score, last_seven);
    boards.advance_all(day(15));
    assert_eq!(boards.tallies()[0].count, 1 << 9);
    boards.advance_all(day(40));
    assert_eq!(boards.tallies()[0].count, 0);
    assert_eq!(boards.scoreboards()[0].entries[0].score, 0);
}

#[test]
fn goals_move_by_what_happens_and_money_by_whole_units() {
    let boards = Boards::new(State::in_memory());
    for (name, more) in [
        ("follows", json!({"target": 100})),
        ("subscriptions", json!({})),
        ("gifts", json!({})),
        ("bits", json!({})),
        ("kicks", json!({})),
        ("raiders", json!({})),
        ("messages", json!({})),
        ("donations", json!({"currency": "eur"})),
    ] {
        let mut tally = json!({"label": name, "tally_id": name, "feed": name});
        tally.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        boards.add_tally(&ana(), &serde_json::from_value(tally).unwrap(), now()).unwrap();
    }
    let amount =
        |value: i64, currency: &str| json!({"value": value, "currency": currency, "display": "x"});
    for it in [
        activity("follow", json!({})),
        activity("subscription", json!({})),
        activity("membership", json!({})),
        // A bundle counts, the gifts in it do not.
        activity("gift", json!({"count": 5})),
        activity("gift", json!({"count": 0, "part_of": "twitch:x"})),
        activity("raid", json!({"count": 40})),
        activity("milestone", json!({"amount": amount(1000, "bits")})),
        activity("donation", json!({"amount": amount(1250, "EUR")})),
        activity("paid", json!({"amount": amount(80, "EUR")})),
        activity("donation", json!({"amount": amount(900, "USD")})),
        activity("donation", json!({"amount": amount(-900, "EUR")})),
    ] {
        hear(&boards, it);
    }
    let mut cheer = message("twitch:1", "x", "Cheer100");
    cheer["data"]["amount"] = amount(100, "bits");
    hear(&boards, cheer);
    let mut chat = message("youtube:1", "x", "hello");
    chat["data"]["amount"] = amount(170, "EUR");
    hear(&boards, chat);
    let told: HashMap<_, _> =
        boards.tallies().into_iter().map(|it| (it.tally_id, it.count)).collect();
    let expected = [
        ("follows", 1),
        ("subscriptions", 7),
        ("gifts", 5),
        ("bits", 100),
        ("kicks", 0),
        ("raiders", 40),
        ("messages", 2),
        ("donations", 15),
    ];
    assert_eq!(told, expected.map(|(name, count)| (name.to_owned(), count)).into());
    let no_money = json!({"label": "x", "feed": "donations"});
    assert!(boards.add_tally(&ana(), &serde_json::from_value(no_money).unwrap(), now()).is_err());
}

#[test]
fn a_scoreboard_is_exported_and_imported_again_and_is_final_when_it_is() {
    let boards = Boards::new(State::in_memory());
    for name in ["quiz", "copy"] {
        let new = NewScoreboard {
            title: name.to_owned(),
            scoreboard_id: Some(name.to_owned()),
            ..NewScoreboard::default()
        };
        boards.add_scoreboard(&ana(), &new, now()).unwrap();
    }
    let who = |label: &str, user: Option<&str>| Contestant {
        label: label.to_owned(),
        user_id: user.map(id),
    };
    boards.score(&ana(), "quiz", &who("Mira", Some("twitch:1")), 5, now()).unwrap();
    boards.score(&ana(), "quiz", &who("Mira 2", Some("youtube:1")), 4, now()).unwrap();
    boards.score(&ana(), "quiz", &who("Orin", None), 8, now()).unwrap();
    boards.set_score(&ana(), "quiz", &who("ORIN", None), 6, now()).unwrap();
    // One person has one entry.
    let both =
        NewIdentity { accounts: vec![id("twitch:1"), id("youtube:1")], reason: "known".to_owned() };
    boards.link(&ana(), &both, "test", now()).unwrap();
    boards.score(&ana(), "quiz", &who("Mira 2", Some("youtube:1")), 1, now()).unwrap();
    let told = |name: &str| -> Vec<_> {
        let all = boards.scoreboards();
        let found = all.into_iter().find(|it| it.scoreboard_id == name).unwrap();
        found.entries.into_iter().map(|it| (it.position, it.label, it.score)).collect()
    };
    assert_eq!(told("quiz"), [(1, "Mira".to_owned(), 10), (2, "Orin".to_owned(), 6)]);

    let exported = json!(boards.find_scoreboard(&ana(), "quiz").unwrap());
    let import: Import = serde_json::from_value(exported.clone()).unwrap();
    boards.score(&ana(), "copy", &who("goes", None), 1, now()).unwrap();
    let import = Import { replace: true, ..import };
    assert_eq!(boards.import_scores(&ana(), "copy", import, now()), Ok(2));
    let copied = json!(boards.find_scoreboard(&ana(), "copy").unwrap());
    assert_eq!(copied["entries"], exported["entries"]);
    // The shape that other programs wrote.
    let older = json!({"entries": [{"module_id": "quizbot", "user_id": "77", "display_name": "Old",
        "score_value": 11, "created_at": "2024-08-01T00:00:00Z", "updated_at": null, "last_event_at": null}]});
    boards.import_scores(&ana(), "copy", serde_json::from_value(older).unwrap(), now()).unwrap();
    assert_eq!(told("copy")[0], (1, "Old".to_owned(), 11));
    let twice = json!({"entries": [{"display_name": "x", "score_value": 1}, {"display_name": "X", "score_value": 2}]});
    assert!(
        boards
            .import_scores(&ana(), "copy", serde_json::from_value(twice).unwrap(), now())
            .is_err()
    );
    assert_eq!(told("copy").len(), 3);

    boards.finalize(&ana(), "quiz", now()).unwrap();
    for refused in [
        boards.score(&ana(), "quiz", &who("Orin", None), 1, now()).map(drop),
        boards.finalize(&ana(), "quiz", now()),
    ] {
        assert!(refused.unwrap_err().to_string().contains("“quiz” is final"));
    }
    let open = ScoreboardChange { finalized: Some(false), ..ScoreboardChange::default() };
    boards.change_scoreboard(&ana(), "quiz", &open, now()).unwrap();
    boards.score(&ana(), "quiz", &who("Orin", None), 1, now()).unwrap();
}

#[test]
fn hostile_input_is_refused_in_words_or_bounded() {
    let boards = Boards::new(State::in_memory());
    let refused = |new: NewPoll| {
        boards.open_poll(&ana(), &new, "test", Most::default(), now()).unwrap_err().to_string()
    };
    let many: Vec<_> = (0..10_000).map(|it| it.to_string()).collect();
    assert_eq!(
        refused(NewPoll { options: many, ..new_poll(&[]) }),
        "/options: at most 100 options here"
    );
    let endless = "a".repeat(1_000_000);
    assert_eq!(refused(new_poll(&["ok", &endless])), "/options/1: longer than 80 characters");
    assert_eq!(
        refused(new_poll(&["ok", "\u{202e}\u{200b}"])),
        "/options/1: say something that can be seen"
    );
    assert_eq!(
        refused(new_poll(&["ok", " O\u{200b}K "])),
        "/options/1: another option says the same"
    );
    assert_eq!(refused(new_poll(&["ok"])), "/options: a poll has at least 2 options");
    for trigger in ["7", "two words", ""] {
        let new = NewPoll { vote_trigger: Some(trigger.to_owned()), ..new_poll(&["a", "b"]) };
        assert!(refused(new).starts_with("/vote_trigger: "));
    }
    for (seconds, closes_at) in [(Some(u32::MAX), None), (None, Some(now()))] {
        refused(NewPoll { seconds, closes_at, ..new_poll(&["a", "b"]) });
    }
    let poll = open(&boards, &new_poll(&["\u{202e}abc", "b"]));
    assert_eq!(boards.find_poll(&ana(), &poll).unwrap().options[0].label, "abc");
    for text in [
        format!("!vote {endless}"),
        endless.clone(),
        format!("!link twitch:{endless}"),
        "!link :".to_owned(),
    ] {
        say(&boards, "twitch:1", &text);
    }
    assert_eq!(counts(&boards, &poll), [0, 0]);
    assert!(matches!(
        boards.vote(&ana(), Some("none"), &id("twitch:1"), "1", now()),
        Err(BoardError::Unknown(_))
    ));

    // Who is named by hand is kept, and so no longer than an account is.
    let long = id(&format!("twitch:{}", "1".repeat(200)));
    let told = |it: BoardError| it.to_string();
    let vote = boards.vote(&ana(), Some(&poll), &long, "1", now()).map_err(told);
    assert_eq!(vote.unwrap_err(), "/voter: longer than 200 bytes");
    let both = NewIdentity { accounts: vec![id("kick:1"), long.clone()], reason: "x".to_owned() };
    let linked = boards.link(&ana(), &both, "test", now()).map_err(told);
    assert_eq!(linked.unwrap_err(), "/accounts/1: longer than 200 bytes");
    let board = NewScoreboard {
        title: "x".to_owned(),
        scoreboard_id: Some("x".to_owned()),
        ..NewScoreboard::default()
    };
    boards.add_scoreboard(&ana(), &board, now()).unwrap();
    let who = Contestant { label: "x".to_owned(), user_id: Some(long) };
    let scored = boards.score(&ana(), "x", &who, 1, now()).map_err(told);
    assert_eq!(scored.unwrap_err(), "/user_id: longer than 200 bytes");
    // A draft of better times is not asked when less is allowed.
    let draft = NewPoll { draft: true, ..new_poll(&["1", "2", "3", "4", "5"]) };
    let draft = open(&boards, &draft);
    let ask: PollChange = serde_json::from_value(json!({"state": "open"})).unwrap();
    let less = Most { open_polls: 9, options: 4 };
    let asked = boards.change_poll(&ana(), &draft, &ask, less, now()).map_err(told);
    assert_eq!(asked.unwrap_err(), "/options: at most 4 options here");

    // Numbers end, and do not turn round.
    let tally =
        NewTally { label: "x".to_owned(), tally_id: Some("x".to_owned()), ..NewTally::default() };
    boards.add_tally(&ana(), &tally, now()).unwrap();
    for _ in 0..3 {
        boards.count(&ana(), "x", Some("y"), i64::MAX, None, now()).unwrap();
    }
    assert_eq!(boards.tallies()[0].count, MOST_COUNT);
    for _ in 0..3 {
        boards.count(&ana(), "x", Some("y"), i64::MIN, None, now()).unwrap();
    }
    assert_eq!(boards.tallies()[0].items[0].count, -MOST_COUNT);
    assert!(boards.count(&ana(), "y", None, 1, None, now()).is_err());
    for item in 0..MOST_ITEMS - 1 {
        boards.count(&ana(), "x", Some(&format!("i{item}")), 1, None, now()).unwrap();
    }
    assert!(boards.count(&ana(), "x", Some("one too many"), 1, None, now()).is_err());
    for bad in ["a/b", "../x", "", "ä"] {
        let tally = NewTally { tally_id: Some(bad.to_owned()), ..tally.clone() };
        assert!(boards.add_tally(&ana(), &tally, now()).is_err(), "{bad}");
    }

    // A room keeps so many polls, and those that are put away make room.
    boards.close_poll(&ana(), None, now()).unwrap();
    let draft = NewPoll { draft: true, ..new_poll(&["a", "b"]) };
    while boards.list_polls(&ana(), true).len() < MOST_POLLS {
        open(&boards, &draft);
    }
    assert!(refused(draft.clone()).contains("archive or delete some"));
    let archived = PollChange { state: Some(PollState::Archived), ..PollChange::default() };
    boards.change_poll(&ana(), &poll, &archived, Most::default(), now()).unwrap();
    open(&boards, &draft);
    assert_eq!(boards.find_poll(&ana(), &poll), None);
    assert_eq!(boards.list_polls(&ana(), true).len(), MOST_POLLS);
}
