//! Recordings, through the same path as live chat.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use streamsuites::{
    app::Playback,
    platforms::recording::{Played, Speed},
};

use crate::support::{Setup, TestServer, process::Process, socket::Socket, soon, twitch::privmsg};

/// Plays a file into the room `tape` as soon as somebody watches.
async fn play(file: &Path) -> (TestServer, Socket, Played) {
    let (done, played) = tokio::sync::oneshot::channel();
    let room = "tape".parse().unwrap();
    let playback = Playback { file: file.to_owned(), room, speed: Speed::Max, wait: true, done };
    let server = Setup::new()
        .set("SYSTEM__FEED__RING_EVENTS", 65_536)
        .set("SYSTEM__FEED__DEDUPE_IDS", 1_000_000)
        .playback(playback)
        .start()
        .await;
    let socket = server.socket("/ws/tape").await;
    let played = soon("the recording", played).await.unwrap().unwrap();
    (server, socket, played)
}

/// Everything the room holds, page by page.
async fn whole_history(server: &TestServer) -> Vec<Value> {
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let page = server.json(&format!("/api/rooms/tape/events?after={after}")).await;
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        match page["next"].as_u64() {
            Some(next) => after = next,
            None => return events,
        }
    }
}

#[tokio::test]
async fn a_recording_is_played_into_its_room_and_the_program_ends() {
    for name in ["tape.irc", "tape.jsonl"] {
        let folder = tempfile::tempdir().unwrap();
        let text: String = if name == "tape.irc" {
            (1..=500)
                .map(|it| privmsg("ana", &format!("m{it}"), "bo", &format!("line {it}")))
                .collect()
        } else {
            (1..=500).map(|it| format!("{}\n", recorded(it))).collect()
        };
        fs::write(folder.path().join(name), format!("{text}this is no line\n{{\n")).unwrap();
        let arguments = [
            "replay",
            name,
            "--into",
            "tape",
            "--speed",
            "max",
            "--wait",
            "--exit",
            "--listen",
            "127.0.0.1:0",
        ];
        let process = Process::start_in(folder, &arguments, &[]);
        let address = process.address().await;
        let mut socket = Socket::open(&format!("ws://{address}/ws/tape")).await;
        for number in 1..=500 {
            assert_eq!(socket.next_text().await, format!("line {number}"), "{name}");
        }
        assert_eq!(socket.closed().await, Some(1001));
        let ended = process.ended().await;
        assert!(ended.status.success(), "{}", ended.err);
        assert!(ended.out.contains(&format!("of {name} into tape")), "{}", ended.out);
    }
}

/// An event of a recorded feed.
fn recorded(number: u64) -> Value {
    let at = "2026-03-01T12:00:00.000Z";
    json!({"v": 1, "room": "ana", "epoch": "01JD", "seq": number, "ts": at, "type": "chat.message", "data": {
        "id": format!("twitch:m{number}"), "platform": "twitch",
        "channel": {"id": "twitch:1001", "name": "ana"},
        "author": {"id": "twitch:2002", "login": "bo", "name": "Bo", "color": null, "badges": [], "roles": []},
        "text": format!("line {number}"),
        "fragments": [{"type": "text", "text": format!("line {number}")}], "flags": [],
        "sent_at": at, "received_at": at,
    }})
}

#[tokio::test]
async fn the_lines_that_cannot_be_read_are_counted_and_the_first_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tape.jsonl");
    fs::write(&file, format!("{}\n\nnot json\n{{\"v\":1}}\n{}\n", recorded(1), recorded(2)))
        .unwrap();
    let (server, mut socket, played) = play(&file).await;
    assert_eq!((played.lines, played.unreadable), (2, 2));
    assert_eq!(played.first_problem.unwrap().0, 3);
    assert_eq!(socket.next_text().await, "line 1");
    assert_eq!(socket.next_text().await, "line 2");
    server.stop().await;
}

/// Goal: what was queued in a recorded stream is not what is queued now.
#[tokio::test]
async fn the_queue_of_a_recording_is_not_played() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tape.jsonl");
    let mut queue = recorded(2);
    queue["type"] = json!("queue.update");
    queue["data"] = json!({"items": [recorded(1)["data"]]});
    fs::write(&file, format!("{}\n{queue}\n{}\n", recorded(1), recorded(3))).unwrap();
    let (server, mut socket, played) = play(&file).await;
    assert_eq!((played.lines, played.unreadable), (3, 0));
    assert_eq!(socket.next_text().await, "line 1");
    assert_eq!(socket.next_text().await, "line 3");
    let kinds: Vec<Value> =
        whole_history(&server).await.into_iter().map(|it| it["type"].clone()).collect();
    assert!(!kinds.contains(&json!("queue.update")), "{kinds:?}");
    server.stop().await;
}

/// Goal: what people really wrote crashes nothing, is shown once, and what is left out has a reason.
/// Method: every capture beside the repository, if there are any, through a running server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_was_ever_captured_is_played_without_a_loss_that_has_no_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/twitch");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: there are no captures in {}", folder.display());
        return;
    };
    let mut files: Vec<PathBuf> = entries.map(|it| it.unwrap().path()).collect();
    files.retain(|it| it.extension().is_some_and(|it| it == "irc"));
    files.sort();
    // Side by side: most of the time goes into stopping.
    let played = files.into_iter().map(|file| tokio::spawn(play_capture(file)));
    for played in played.collect::<Vec<_>>() {
        played.await.unwrap();
    }
}

/// Plays one capture and looks at everything that came of it.
#[expect(clippy::print_stdout, reason = "the reasons are worth reading")]
async fn play_capture(file: PathBuf) {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let (server, socket, played) = play(&file).await;
    let events = whole_history(&server).await;
    let seqs: Vec<_> = events.iter().map(|it| it["seq"].as_u64().unwrap()).collect();
    let head = server.room("tape").head();
    assert_eq!(seqs, (1..=head).collect::<Vec<_>>(), "{name}: every place is taken once");

    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for event in &events {
        let kind = event["type"].as_str().unwrap();
        *kinds.entry(kind).or_default() += 1;
        let id = match kind {
            "chat.message" | "activity" => &event["data"]["id"],
            "chat.redacted" => &event["data"]["message_id"],
            _ => continue,
        };
        assert!(ids.insert((kind, id.as_str().unwrap())), "{name}: {id} is there twice");
        if kind == "chat.message" {
            let texts = event["data"]["fragments"].as_array().unwrap().iter();
            let joined: String = texts.map(|it| it["text"].as_str().unwrap()).collect();
            assert_eq!(joined, event["data"]["text"].as_str().unwrap(), "{name}: {id}");
        }
    }
    let (lines, reasons) = reasons(&fs::read(&file).unwrap());
    assert_eq!(played.lines + played.unreadable, lines, "{name}");
    let ours = ["platform.status", "session.start"].map(|it| kinds.get(it).copied().unwrap_or(0));
    let own = events.len() as u64 - ours.iter().sum::<u64>();
    println!("{name}: {lines} lines, {own} events {kinds:?}, without an event: {reasons:?}");
    let explained: u64 = reasons.values().sum();
    assert!(own <= lines, "{name}: never more events than lines");
    assert!(
        own + explained >= lines,
        "{name}: {own} events and {explained} reasons of {lines} lines"
    );
    drop(socket);
    server.stop().await;
}

/// How many lines there are, and how many of them carry nothing new, by reason. A line may have two.
fn reasons(bytes: &[u8]) -> (u64, BTreeMap<&'static str, u64>) {
    let (mut lines, mut reasons) = (0, BTreeMap::new());
    let mut seen = BTreeSet::new();
    for line in String::from_utf8_lossy(bytes).lines().filter(|it| !it.trim().is_empty()) {
        lines += 1;
        let (tags, rest) = match line.strip_prefix('@').and_then(|it| it.split_once(' ')) {
            Some((tags, rest)) => (tags, rest),
            None => ("", line),
        };
        let tag =
            |name: &str| tags.split(';').find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
        let mut words = rest.split(' ').skip_while(|it| it.starts_with(':') || it.is_empty());
        let command = words.next().unwrap_or_default().trim();
        let target = words.next().unwrap_or_default().trim();
        let repeat = match command {
            "PRIVMSG" | "USERNOTICE" => {
                tag("id").is_some_and(|it| !it.is_empty() && !seen.insert(it.to_owned()))
            }
            "CLEARMSG" => {
                tag("target-msg-id").is_some_and(|it| !seen.insert(format!("CLEARMSG {it}")))
            }
            "CLEARCHAT" => !seen.insert(line.to_owned()),
            _ => false,
        };
        let reason = match command {
            _ if repeat => "a repeat",
            "PRIVMSG" | "USERNOTICE" | "CLEARCHAT" | "CLEARMSG" | "ROOMSTATE" | "NOTICE"
                if !target.starts_with('#') =>
            {
                "of no channel"
            }
            "PRIVMSG" | "USERNOTICE" | "CLEARCHAT" | "CLEARMSG" => continue,
            "ROOMSTATE" | "NOTICE" => "rules that did not change, or a notice that is only for us",
            _ => "carries nothing",
        };
        *reasons.entry(reason).or_default() += 1;
    }
    (lines, reasons)
}

/// A recording is played to be seen: that its messages came before does not hide them.
#[tokio::test]
async fn a_recording_is_shown_as_often_as_it_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (1..=20).map(|it| format!("{}\n", recorded(it))).collect();
    fs::write(folder.path().join("tape.jsonl"), text).unwrap();
    let arguments = ["replay", "tape.jsonl", "--into", "tape", "--speed", "max", "--listen"];
    for _ in 0..2 {
        let arguments = [&arguments[..], &["127.0.0.1:0", "--exit"]].concat();
        let ended = Process::start_at(folder.path(), &arguments, &[]).ended().await;
        assert!(ended.status.success(), "{}", ended.err);
    }
    fs::create_dir(folder.path().join("config")).unwrap();
    let creators = json!({"creators": [{"id": "tape"}]}).to_string();
    fs::write(folder.path().join("config/creators.json"), creators).unwrap();
    let server = Process::start_at(folder.path(), &["--listen", "127.0.0.1:0"], &[]);
    let url = format!("http://{}/api/rooms/tape/events?types=chat.message", server.address().await);
    let page: Value =
        serde_json::from_slice(&reqwest::get(url).await.unwrap().bytes().await.unwrap()).unwrap();
    assert_eq!(page["events"].as_array().unwrap().len(), 40);
    server.kill().await;
}
