//! The log on disks that fail: cut at every point, full, slow to come back.

mod imports;
mod purges;

use std::time::Duration;

use serde_json::{Value, json};

use super::{batch::Batch, index::Index, open::prepare, reading::Reader, *};
use crate::{
    model::{EventBody, Platform, QualifiedId, Timestamp},
    storage::{
        Database,
        disk::Disk,
        tables::{events::EventsView, marks::Mark, meta, minutes, sessions},
    },
};

fn name(text: &str) -> CreatorId {
    text.parse().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::parse("2026-11-24T18:00:00Z").unwrap().plus_ms(seconds * 1000)
}

fn body(kind: &str, data: Value) -> EventBody {
    serde_json::from_value(json!({ "type": kind, "data": data })).unwrap()
}

fn said(id: u64, author: &str, text: &str) -> EventBody {
    body(
        "chat.message",
        json!({
            "id": format!("twitch:{id}"), "platform": "twitch",
            "channel": {"id": "twitch:1", "name": "ana"},
            "author": {"id": format!("twitch:{author}"), "login": author, "name": author,
                "color": null, "badges": [], "roles": []},
            "text": text, "fragments": [{"type": "text", "text": text}], "flags": [],
            "sent_at": at(0), "received_at": at(0),
        }),
    )
}

fn record(seq: u64, ts: Timestamp, body: &EventBody) -> Record {
    Record::new(seq, ts, body, body.data_json().into())
}

/// What happens in the script below at a place: a session, messages, deletions, a purge.
fn event_at(seq: u64) -> EventBody {
    match seq {
        1 => body("session.start", json!({"session_id": "s1"})),
        it if it % 10 == 0 => body(
            "chat.delete",
            json!({"message_id": format!("twitch:{}", it - 1), "platform": "twitch"}),
        ),
        it if it % 25 == 0 => body(
            "chat.clear_user",
            json!({"platform": "twitch", "author_id": "twitch:bo", "seconds": 1}),
        ),
        it => said(it, if it % 2 == 0 { "bo" } else { "cy" }, &"word ".repeat(20)),
    }
}

const ROOMS: [&str; 2] = ["ana", "ben"];
const GROUPS: u64 = 5;
const EVENTS_IN_GROUP: u64 = 12;

/// Opens, and writes groups of events into two rooms. Answers how many groups were acknowledged.
fn script(disk: &Disk) -> u64 {
    let mut acknowledged = 0;
    // Where the power goes, everything fails.
    let _ = (|| -> Result<(), StorageError> {
        let database = Database::open_on(disk.clone())?;
        let (index, mut next) = prepare(&database, 0)?;
        for group in 0..GROUPS {
            let written = database.write(|tx| {
                let mut batch = Batch::new(tx, &index, next)?;
                for seq in group * EVENTS_IN_GROUP + 1..=(group + 1) * EVENTS_IN_GROUP {
                    for room in ROOMS {
                        batch.add(
                            &index.room(&name(room)),
                            &record(seq, at(seq as i64 * 20), &event_at(seq)),
                        )?;
                    }
                }
                batch.finish()
            })?;
            written.publish();
            next = written.next_number;
            acknowledged += 1;
        }
        Ok(())
    })();
    acknowledged
}

/// Fails unless everything in the file agrees with everything else; answers the head of the rooms.
fn inspect(database: &Database, index: &Index) -> u64 {
    let mut heads = Vec::new();
    for room in ROOMS {
        let room = index.room(&name(room));
        let durable = room.durable().clone();
        let head = durable.head;
        heads.push(head);
        if head == 0 {
            continue;
        }
        database
            .read(|tx| {
                let (mut expected, mut bytes, mut messages, mut deleted) = (1, 0, 0, Vec::new());
                EventsView::look(tx)?.each(durable.number, (0, u64::MAX), false, |seq, row| {
                    assert_eq!(seq, expected, "no hole");
                    assert_eq!(row.data, event_at(seq).data_json(), "as it was written");
                    let mut raw = Vec::new();
                    row.write(&mut raw);
                    bytes += 12 + raw.len() as u64;
                    messages += u64::from(row.kind == "chat.message");
                    if row.kind == "chat.delete" {
                        deleted.push(seq - 1);
                    }
                    expected += 1;
                    Ok(true)
                })?;
                assert_eq!(expected - 1, head, "as far as the room says");
                assert_eq!(bytes, durable.bytes);
                let mut all = minutes::list(tx, durable.number, 0, u64::MAX, |_| true)?;
                all.extend(durable.minute);
                assert_eq!(all.iter().map(|it| u64::from(it.messages)).sum::<u64>(), messages);
                assert_eq!(all.iter().map(|it| it.last_seq).max(), Some(head));
                let session = durable.session.as_ref().expect("the session goes on");
                assert_eq!(session.messages, messages);
                sessions::each_newest(tx, durable.number, |it| panic!("not ended: {it:?}"))?;
                for seq in deleted {
                    let reader = Reader::new(database, index, &room);
                    let span = Span { after: seq - 1, most_events: 1, ..Span::default() };
                    let shown = reader.page(&span)?.events.remove(0).json;
                    let shown: Value = serde_json::from_slice(&shown).unwrap();
                    assert_eq!(shown["type"], "chat.redacted", "{shown}");
                }
                Ok(())
            })
            .unwrap();
    }
    assert_eq!(heads[0], heads[1], "a group is whole or not there");
    heads[0]
}

/// Goal: whenever the power goes, what was acknowledged is there, whole, and nothing contradicts anything.
/// Method: a disk that is cut after 0, 1, 2 … operations and keeps, of what was not yet flushed, any part in
/// any order.
#[test]
fn a_power_cut_at_any_point_of_a_commit_loses_nothing_that_was_acknowledged() {
    let whole = Disk::default();
    assert_eq!(script(&whole), GROUPS);
    let operations = whole.operations();
    assert!(operations > 50, "there is something to cut: {operations}");
    let (mut cuts, mut epochs) = (0, std::collections::HashSet::new());
    for cut in 0..operations {
        let disk = Disk::default();
        disk.cut_after(cut);
        let acknowledged = script(&disk);
        for luck in 0..3 {
            let survivor = disk.after_power_cut(cut * 31 + luck);
            let database = match Database::open_on(survivor.clone()) {
                Ok(it) => it,
                // Cut while the file was made: there is nothing in it that could be lost.
                Err(error) => {
                    assert_eq!(acknowledged, 0, "cut after {cut}: {error}");
                    continue;
                }
            };
            let (index, _) = prepare(&database, 0).unwrap();
            let head = inspect(&database, &index);
            let least = acknowledged * EVENTS_IN_GROUP;
            assert!(head >= least, "cut after {cut}: {head} of at least {least} events");
            assert!(
                head <= (acknowledged + 1) * EVENTS_IN_GROUP
                    && head.is_multiple_of(EVENTS_IN_GROUP)
            );
            assert!(epochs.insert(index.epoch_name(index.epoch).unwrap()), "a new epoch each time");
            cuts += 1;
        }
    }
    assert!(cuts > 100, "{cuts} cuts were looked at");
}

fn options(queue_bytes: usize) -> Options {
    Options {
        path: "feed.redb".into(),
        commit_delay: Duration::from_millis(10),
        queue_bytes,
        policies: Policies::default(),
    }
}

fn open(disk: &Disk, queue_bytes: usize) -> (FeedLog, Telemetry) {
    let telemetry = Telemetry::new();
    let disk = disk.clone();
    let opener = move || Database::open_on(disk.clone());
    let log = FeedLog::open_with(opener, options(queue_bytes), Lifecycle::new(), telemetry.clone());
    (log.unwrap(), telemetry)
}

async fn all(log: &RoomLog) -> Vec<Value> {
    let page = log.page(Span::default()).await.unwrap();
    page.events.iter().map(|it| serde_json::from_slice(&it.json).unwrap()).collect()
}

/// Goal: a full disk costs what is shown meanwhile, says so once, and nothing else.
#[tokio::test]
async fn a_full_disk_leaves_a_gap_of_the_right_size_and_recording_goes_on_by_itself() {
    let disk = Disk::default();
    let (log, telemetry) = open(&disk, 1 << 16);
    let room = log.room(&name("ana"));
    let mut seq = 0;
    let mut say = |many: u64| {
        (0..many)
            .filter(|_| {
                seq += 1;
                room.append(record(seq, at(seq as i64), &said(seq, "bo", &"x".repeat(200))))
            })
            .count() as u64
    };
    assert_eq!(say(10), 10);
    log.flush().await;
    disk.refuse(Some(std::io::ErrorKind::StorageFull));
    say(1);
    while log.trouble().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let sentence = log.trouble().unwrap();
    assert!(sentence.contains("feed.redb") && sentence.contains("live chat goes on"), "{sentence}");
    let taken = say(1_000);
    assert!(taken > 20 && taken < 500, "{taken} were taken before the queue was full");
    assert!(!room.append(record(1_012, at(1_012), &said(1_012, "bo", "the queue is full"))));

    disk.refuse(None);
    while log.trouble().is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(room.append(record(1_013, at(1_013), &said(1_013, "bo", "again"))));
    log.flush().await;
    let events = all(&room).await;
    let gap = events.iter().find(|it| it["type"] == "feed.gap").unwrap();
    let (lost, place) = (gap["data"]["events"].as_u64().unwrap(), gap["seq"].as_u64().unwrap());
    assert_eq!(place, 1_012);
    assert_eq!(11 + taken + lost, 1_012, "what was taken, and what was not");
    assert_eq!(events.last().unwrap()["seq"], 1_013);
    // Whoever stands inside the gap goes on behind it.
    let next = room.next(place - 5, &Filter::default(), 10, 10_000).await.unwrap();
    assert_eq!(next.events[0].seq, place);
    let errors = telemetry.recent.list_errors();
    let kinds: Vec<_> = errors.iter().map(|it| it.error_type).collect();
    assert_eq!(kinds, ["not_writable", "not_recorded"], "said once each");
    assert!(errors[1].message.contains(&lost.to_string()), "{}", errors[1].message);
    log.close().await;

    // A loss at the very end is a gap as well.
    let (log, _) = open(&disk, 1 << 16);
    assert_eq!(log.room(&name("ana")).head(), 1_013);
    log.close().await;
}

/// Goal: numbering goes on over a stop in order under the same epoch, and over a kill under a new one that sends
/// every client to the right place.
#[tokio::test]
async fn a_client_of_an_older_epoch_goes_on_behind_what_reached_the_disk() {
    let disk = Disk::default();
    let (log, _) = open(&disk, 1 << 20);
    let room = log.room(&name("ana"));
    let first = room.epoch().unwrap();
    for seq in 1..=5 {
        room.append(record(seq, at(0), &said(seq, "bo", "hi")));
    }
    log.close().await;

    let (log, _) = open(&disk, 1 << 20);
    let room = log.room(&name("ana"));
    assert_eq!((room.epoch().unwrap(), room.head()), (first.clone(), 5), "a stop in order");
    room.append(record(6, at(0), &said(6, "bo", "hi")));
    log.flush().await;
    // Killed: what is on the disk now, with whatever was shown and never arrived.
    let disk = disk.after_power_cut(1);
    let (log, _) = open(&disk, 1 << 20);
    let room = log.room(&name("ana"));
    let second = room.epoch().unwrap();
    assert_ne!(second, first);
    assert_eq!(room.head(), 6);
    assert_eq!(room.find_place(&first, 4), Some(4), "it has missed 5 and 6");
    assert_eq!(room.find_place(&first, 6), Some(6));
    assert_eq!(room.find_place(&first, 9), Some(6), "7 to 9 were lost and will be given again");
    assert_eq!(room.find_place(&second, 6), Some(6));
    assert_eq!(room.find_place("01JD0000000000000000000000", 3), None, "of another server");
    for seq in 7..=9 {
        room.append(record(seq, at(0), &said(seq + 100, "bo", "new")));
    }
    log.flush().await;
    assert_eq!(room.find_place(&first, 9), Some(6), "all that the new epoch has");
    assert_eq!(room.find_place(&second, 8), Some(8));
    let events = all(&room).await;
    assert!(events[..6].iter().all(|it| it["epoch"] == *first));
    assert!(events[6..].iter().all(|it| it["epoch"] == *second));
    log.close().await;
}

#[tokio::test]
async fn nothing_that_was_moderated_is_read_by_viewers_and_the_audit_reads_it_all() {
    let disk = Disk::default();
    let (log, _) = open(&disk, 1 << 20);
    let room = log.room(&name("ana"));
    let reply = |id: u64, to: u64, by: &str, quote: &str| {
        let mut reply = serde_json::to_value(said(id, "dee", "an answer")).unwrap();
        let author = json!({"id": format!("twitch:{by}"), "login": by, "name": by, "color": null, "badges": [], "roles": []});
        reply["data"]["reply_to"] =
            json!({"id": format!("twitch:{to}"), "author": author, "text": quote});
        serde_json::from_value::<EventBody>(reply).unwrap()
    };
    let activity = body(
        "activity",
        json!({"kind": "subscription", "platform": "twitch", "id": "twitch:a1", "system_text": "bo subscribed",
            "author": {"id": "twitch:bo", "login": "bo", "name": "bo", "color": null, "badges": [], "roles": []},
            "text": "badword", "fragments": [{"type": "text", "text": "badword"}], "flags": []}),
    );
    let queue = body(
        "queue.update",
        json!({"items": [serde_json::to_value(said(1, "cy", "badword")).unwrap()["data"],
            serde_json::to_value(said(8, "dee", "kept")).unwrap()["data"]]}),
    );
    let delete = |id: u64| {
        body("chat.delete", json!({"message_id": format!("twitch:{id}"), "platform": "twitch"}))
    };
    let purge = body(
        "chat.clear_user",
        json!({"platform": "twitch", "author_id": "twitch:bo", "seconds": null}),
    );
    let events = [
        said(1, "cy", "badword one"),
        said(2, "bo", "badword two"),
        reply(3, 1, "cy", "badword quoted"),
        activity,
        queue,
        delete(1),
        purge,
        said(4, "bo", "after the purge"),
        reply(5, 4, "bo", "fine words"),
    ];
    for (seq, event) in (1..).zip(&events) {
        assert!(room.append(record(seq, at(0), event)));
    }
    // One that was deleted before it came, and a quote that was.
    let hidden = |seq, hidden, body: &EventBody| Record { hidden, ..record(seq, at(0), body) };
    assert!(room.append(hidden(10, Hidden::Whole, &said(6, "dee", "badword late"))));
    assert!(room.append(hidden(11, Hidden::Quote, &reply(7, 6, "dee", "badword quoted"))));
    log.flush().await;

    let shown = all(&room).await;
    let text = Value::Array(shown.clone()).to_string();
    assert!(!text.contains("badword"), "{text}");
    let kinds: Vec<_> = shown.iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds[..5],
        ["chat.redacted", "chat.redacted", "chat.message", "activity", "queue.update"]
    );
    assert_eq!(kinds[9], "chat.redacted");
    assert_eq!(
        shown[4]["data"]["items"].as_array().unwrap().len(),
        1,
        "the queue keeps the others"
    );
    assert_eq!(shown[2]["data"]["text"], "an answer");
    assert_eq!(shown[7]["data"]["text"], "after the purge", "a purge covers what came before it");
    assert_eq!(shown[8]["data"]["reply_to"]["text"], "fine words");
    let seqs: Vec<_> = shown.iter().map(|it| it["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=11).collect::<Vec<_>>(), "numbering stays whole");

    let chat = Filter::parse(Some("chat.message"), None).unwrap();
    let only = room.page(Span { filter: chat, ..Span::default() }).await.unwrap();
    assert_eq!(only.events.iter().map(|it| it.seq).collect::<Vec<_>>(), [3, 8, 9, 11]);
    let redacted = Filter::parse(Some("chat.redacted"), None).unwrap();
    let only = room.page(Span { filter: redacted, ..Span::default() }).await.unwrap();
    assert_eq!(only.events.iter().map(|it| it.seq).collect::<Vec<_>>(), [1, 2, 10]);

    let audit = room.page(Span { originals: true, ..Span::default() }).await.unwrap();
    let text: String =
        audit.events.iter().map(|it| String::from_utf8_lossy(&it.json).into_owned()).collect();
    for words in ["badword one", "badword two", "badword late", "badword quoted"] {
        assert!(text.contains(words), "{words}");
    }

    // A whole chat that is cleared.
    room.append(record(12, at(0), &body("chat.clear", json!({"platform": "twitch"}))));
    room.append(record(13, at(0), &said(9, "dee", "after the clear")));
    log.flush().await;
    let shown = all(&room).await;
    let left: Vec<_> = shown.iter().filter(|it| it["type"] == "chat.message").collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["data"]["text"], "after the clear");

    // What a restart remembers of it.
    let tail = room.tail(100).await.unwrap();
    assert!(tail.deleted.contains(&QualifiedId::new(Platform::Twitch, "1")));
    assert!(tail.seen.contains(&("chat.message", "twitch:9".to_owned())));
    log.close().await;
}

#[tokio::test]
async fn what_is_too_old_or_too_much_goes_with_all_that_belongs_to_it() {
    let disk = Disk::default();
    let (log, _) = open(&disk, 8 << 20);
    let room = log.room(&name("ana"));
    let now = Timestamp::now();
    let day = 86_400_000;
    let mut seq = 0;
    let mut say = |ts: Timestamp, body: &EventBody| {
        seq += 1;
        room.append(record(seq, ts, body));
        seq
    };
    let session = |id: &str| body("session.start", json!({ "session_id": id }));
    say(now.plus_ms(-40 * day), &session("old"));
    for id in 1..=3_000 {
        say(now.plus_ms(-40 * day + id), &said(id as u64, "bo", "old"));
    }
    say(
        now.plus_ms(-40 * day + 5_000),
        &body("chat.delete", json!({"message_id": "twitch:7", "platform": "twitch"})),
    );
    say(now.plus_ms(-20 * day), &session("half"));
    for id in 1..=3_000 {
        say(now.plus_ms(-20 * day + id), &said(10_000 + id as u64, "bo", &"x".repeat(300)));
    }
    let last = say(now, &session("new"));
    log.flush().await;
    let ids = async || -> Vec<String> {
        let list = room.sessions(None, 10).await.unwrap();
        list.into_iter()
            .map(|it| format!("{}{}", it.session_id, if it.truncated { " cut" } else { "" }))
            .collect()
    };
    assert_eq!(ids().await, ["new", "half", "old"]);

    let policy = |days, bytes| Policies {
        default: Some(Retention { days, bytes }),
        rooms: std::collections::HashMap::new(),
    };
    log.set_policies(policy(30, u64::MAX));
    log.retain().await;
    assert_eq!(ids().await, ["new", "half"]);
    assert_eq!(room.floor(), 3_002, "the whole old session is gone");
    assert!(!room.holds(3_001) && room.holds(3_002));
    let gone = room.next(100, &Filter::default(), 10, 10_000).await;
    assert!(matches!(gone, Err(ReadError::Gone)), "a reader there is told");
    let first = room.page(Span { most_events: 1, ..Span::default() }).await.unwrap();
    assert_eq!(first.events[0].seq, 3_003);

    log.set_policies(policy(30, 300_000));
    log.retain().await;
    assert_eq!(ids().await, ["new", "half cut"]);
    let (floor, open) = (room.floor(), log.room(&name("ana")));
    assert!(floor > 3_003 && floor < last);
    assert!(open.0.unwrap().1.durable().bytes <= 300_000);

    log.set_policies(policy(1, 0));
    log.retain().await;
    assert_eq!(room.floor(), last - 1, "the last event stays: numbering goes on behind it");
    log.close().await;
    let (log, _) = open_again(&disk);
    assert_eq!(log.room(&name("ana")).head(), last);
    log.close().await;
}

fn open_again(disk: &Disk) -> (FeedLog, Telemetry) {
    open(disk, 1 << 20)
}

#[tokio::test]
async fn a_moment_is_found_though_the_clock_was_set_back() {
    let disk = Disk::default();
    let (log, _) = open(&disk, 8 << 20);
    let room = log.room(&name("ana"));
    // Minutes 0 to 9, then the clock goes back to minute 5.
    let minutes: Vec<i64> = (0..10).chain(5..8).collect();
    for (seq, minute) in (1..).zip(&minutes) {
        room.append(record(seq, at(minute * 60 + 5), &said(seq, "bo", "hi")));
    }
    log.flush().await;
    let found = async |from: i64, to: i64, newest| -> Vec<u64> {
        let span =
            Span { from: Some(at(from * 60)), to: Some(at(to * 60)), newest, ..Span::default() };
        room.page(span).await.unwrap().events.iter().map(|it| it.seq).collect()
    };
    assert_eq!(found(6, 7, false).await, [7, 12]);
    assert_eq!(found(6, 7, true).await, [7, 12]);
    assert_eq!(found(8, 99, false).await, [9, 10]);
    assert_eq!(found(0, 2, false).await, [1, 2]);
    assert_eq!(found(20, 30, false).await, [0; 0]);
    log.close().await;
}

#[tokio::test]
async fn pages_add_up_to_the_whole_in_both_directions_and_tell_when_they_end() {
    let disk = Disk::default();
    let (log, _) = open(&disk, 8 << 20);
    let room = log.room(&name("ana"));
    for seq in 1..=100 {
        room.append(record(seq, at(seq as i64), &event_at(seq)));
    }
    log.flush().await;
    let filter = Filter::parse(Some("chat.message,chat.redacted"), None).unwrap();
    let all = room.page(Span { filter: filter.clone(), ..Span::default() }).await.unwrap();
    let all: Vec<_> = all.events.iter().map(|it| it.seq).collect();
    for limit in [1, 7, 50, 500] {
        let (mut forward, mut after) = (Vec::new(), 0);
        loop {
            let span =
                Span { after, most_events: limit, filter: filter.clone(), ..Span::default() };
            let page = room.page(span).await.unwrap();
            forward.extend(page.events.iter().map(|it| it.seq));
            after = page.reached;
            if !page.more {
                break;
            }
        }
        assert_eq!(forward, all, "{limit} at a time");
        let (mut backward, mut before) = (Vec::new(), u64::MAX);
        loop {
            let span = Span {
                before,
                most_events: limit,
                newest: true,
                filter: filter.clone(),
                ..Span::default()
            };
            let page = room.page(span).await.unwrap();
            backward.splice(0..0, page.events.iter().map(|it| it.seq));
            before = page.reached;
            if !page.more {
                break;
            }
        }
        assert_eq!(backward, all, "{limit} at a time, from the end");
    }
    let start = room.backlog_start(101, 5, &filter).await.unwrap();
    assert_eq!(start, all[all.len() - 5] - 1);
    log.close().await;
}

#[tokio::test]
async fn what_is_downloaded_and_imported_again_is_the_same_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session.jsonl");
    let disk = Disk::default();
    let (log, _) = open(&disk, 8 << 20);
    let room = log.room(&name("ana"));
    for seq in 1..=60 {
        room.append(record(seq, at(seq as i64), &event_at(seq)));
    }
    log.flush().await;
    let lines = async |room: &RoomLog| -> String {
        let page = room.page(Span::default()).await.unwrap();
        page.events.iter().map(|it| format!("{}\n", String::from_utf8_lossy(&it.json))).collect()
    };
    let downloaded = lines(&room).await;
    std::fs::write(&file, &downloaded).unwrap();
    log.close().await;

    let other = Disk::default();
    let (log, _) = open(&other, 8 << 20);
    let imported = log.import(name("ana"), file.clone()).await.unwrap();
    assert_eq!(imported, Imported { events: 60, first_seq: 1, last_seq: 60, as_numbered: true });
    let room = log.room(&name("ana"));
    assert_eq!(lines(&room).await, downloaded);
    let sessions = room.sessions(None, 10).await.unwrap();
    assert_eq!(
        (sessions.len(), sessions[0].imported, sessions[0].state),
        (1, true, SessionState::Closed)
    );
    // The same again is refused, and changes nothing.
    let twice = log.import(name("ana"), file.clone()).await;
    assert!(matches!(twice, Err(ImportError::Exists(_))), "{twice:?}");
    // Behind what another room has, with the next places.
    let ben = log.room(&name("ben"));
    ben.append(record(1, at(0), &said(1, "bo", "was here")));
    log.flush().await;
    let imported = log.import(name("ben"), file.clone()).await.unwrap();
    assert_eq!((imported.first_seq, imported.last_seq, imported.as_numbered), (2, 61, false));
    let without_place = |text: &str| -> Vec<Value> {
        let lines = text.lines().map(|it| serde_json::from_str::<Value>(it).unwrap());
        lines.map(|it| json!([it["ts"], it["type"], it["data"]])).collect()
    };
    assert_eq!(without_place(&lines(&ben).await)[1..], without_place(&downloaded)[..]);

    // A bad line names itself, and nothing is written.
    let bad = folder.path().join("bad.jsonl");
    std::fs::write(
        &bad,
        downloaded.lines().take(3).collect::<Vec<_>>().join("\n") + "\n{\"v\":1}\n",
    )
    .unwrap();
    let refused = log.import(name("cy"), bad).await.unwrap_err();
    assert!(refused.to_string().starts_with("line 4: "), "{refused}");
    assert_eq!(log.room(&name("cy")).head(), 0);
    assert!(matches!(log.import(name("cy"), "/nowhere".into()).await, Err(ImportError::Io(_))));
    std::fs::write(folder.path().join("empty.jsonl"), "\n").unwrap();
    let empty = log.import(name("cy"), folder.path().join("empty.jsonl")).await;
    assert!(matches!(empty, Err(ImportError::Empty)));
    log.close().await;
}

#[tokio::test]
async fn a_stop_in_order_is_written_down_and_a_kill_is_not() {
    let disk = Disk::default();
    let (log, _) = open(&disk, 1 << 20);
    log.close().await;
    let clean = |disk: &Disk| {
        let database = Database::open_on(disk.clone()).unwrap();
        database.read(|tx| meta::find(&meta::look(tx)?, meta::CLEAN)).unwrap()
    };
    assert_eq!(clean(&disk).as_deref(), Some("true"));
    let (log, _) = open(&disk, 1 << 20);
    assert_eq!(clean(&disk.after_power_cut(1)).as_deref(), Some("false"));
    log.close().await;
}

fn delete(id: u64) -> EventBody {
    body("chat.delete", json!({"message_id": format!("twitch:{id}"), "platform": "twitch"}))
}

/// Goal: what was deleted is gone for every reader at once, whether or when its deletion reaches the disk.
#[tokio::test]
async fn a_deletion_holds_before_it_is_written_and_when_it_cannot_be() {
    let disk = Disk::default();
    let (log, _) = open(&disk, 1 << 16);
    let room = log.room(&name("ana"));
    let shown = async || -> String {
        let page = room.page(Span::default()).await.unwrap();
        page.events.iter().map(|it| String::from_utf8_lossy(&it.json).into_owned()).collect()
    };
    room.append(record(1, at(1), &said(1, "bo", "badword one")));
    room.append(record(2, at(2), &said(2, "bo", "badword two")));
    log.flush().await;
    disk.refuse(Some(std::io::ErrorKind::StorageFull));
    room.append(record(3, at(3), &delete(1)));
    while log.trouble().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The queue fills, and the second deletion is not even taken.
    let mut seq = 4;
    while room.append(record(seq, at(4), &said(seq, "cy", &"x".repeat(500)))) {
        seq += 1;
    }
    while room.append(record(seq + 1, at(4), &body("feature.clear", json!({})))) {
        seq += 1;
    }
    assert!(!room.append(record(seq + 2, at(5), &delete(2))));
    // Whoever asks for something meanwhile is answered, whatever the disk does.
    tokio::time::timeout(Duration::from_secs(5), log.flush()).await.unwrap();
    assert!(!room.reaches(seq + 2), "nobody is promised what may never come");
    // The disk cannot be opened while it refuses: nothing is read, or nothing that was deleted.
    if room.page(Span::default()).await.is_ok() {
        assert!(!shown().await.contains("badword"));
    }

    disk.refuse(None);
    while log.trouble().is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    log.flush().await;
    let text = shown().await;
    assert!(!text.contains("badword") && text.contains("feed.gap"), "{text}");
    log.close().await;
    let (log, _) = open(&disk, 1 << 16);
    let room = log.room(&name("ana"));
    let page = room.page(Span::default()).await.unwrap();
    let kinds: Vec<Value> =
        page.events[..2].iter().map(|it| serde_json::from_slice(&it.json).unwrap()).collect();
    assert!(kinds.iter().all(|it| it["type"] == "chat.redacted"), "{kinds:?}");
    log.close().await;
}

/// Goal: a copy that is put back gives no number twice under one epoch, and brings back nothing that was deleted.
#[tokio::test]
async fn an_older_copy_begins_a_new_epoch_and_what_was_deleted_since_stays_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feed.redb");
    let open = || {
        let options = Options { path: path.clone(), ..options(1 << 20) };
        FeedLog::open(options, Lifecycle::new(), Telemetry::new()).unwrap()
    };
    let log = open();
    let ana = log.room(&name("ana"));
    for seq in 1..=5 {
        ana.append(record(seq, at(seq as i64), &said(seq, "bo", &format!("badword {seq}"))));
    }
    log.flush().await;
    let (online, offline) = (folder.path().join("online.redb"), folder.path().join("offline.redb"));
    assert_eq!(log.back_up(online.clone(), Belongings::default(), None).await.unwrap(), 5);
    assert!(
        log.back_up(online.clone(), Belongings::default(), None).await.is_err(),
        "nothing is overwritten"
    );
    log.close().await;
    std::fs::copy(&path, &offline).unwrap();

    for (round, copy) in [&online, &offline].into_iter().enumerate() {
        let log = open();
        let (ana, ben) = (log.room(&name("ana")), log.room(&name("ben")));
        let before = ana.epoch().unwrap();
        let head = ana.head();
        ben.append(record(ben.head() + 1, at(8), &said(100 + round as u64, "cy", "ben's own")));
        ana.append(record(head + 1, at(9), &delete(2)));
        let purge = json!({"platform": "twitch", "author_id": "twitch:bo", "seconds": null});
        ana.append(record(head + 2, at(9), &body("chat.clear_user", purge)));
        ana.append(record(head + 3, at(9), &said(50 + round as u64, "cy", "after the copy")));
        log.flush().await;
        let candidate = folder.path().join("candidate.redb");
        std::fs::copy(copy, &candidate).unwrap();
        log.restore(candidate).await.unwrap();
        // The room that was open is of another file: it reads nothing of this one, and writes nothing into it.
        assert!(matches!(ana.page(Span::default()).await, Err(ReadError::Unavailable)));
        ana.append(record(head + 4, at(10), &said(60, "cy", "too late")));
        log.flush().await;
        let ana = log.room(&name("ana"));
        assert_ne!(ana.epoch().unwrap(), before);
        assert_eq!(ana.head(), 5);
        let text = Value::Array(all(&ana).await).to_string();
        assert!(!text.contains("badword") && !text.contains("too late"), "{text}");
        assert_eq!(log.room(&name("ben")).head(), 0, "the copy knew nothing of it");
        ana.append(record(6, at(11), &said(70 + round as u64, "cy", "goes on")));
        log.flush().await;
        assert_eq!(all(&ana).await.last().unwrap()["data"]["text"], "goes on");
        log.close().await;
    }
    let nonsense = folder.path().join("nonsense");
    std::fs::write(&nonsense, "not a database").unwrap();
    let log = open();
    assert!(matches!(log.restore(nonsense).await, Err(StorageError::Damaged(_))));
    assert_eq!(log.room(&name("ana")).head(), 6, "what is no copy changes nothing");
    log.close().await;
    // While nobody runs: the same.
    let aside = restore_file(&offline, &path).unwrap();
    assert!(aside.is_file() && path.is_file());
    let log = open();
    let text = Value::Array(all(&log.room(&name("ana"))).await).to_string();
    assert!(!text.contains("badword"), "{text}");
    log.close().await;
}

#[tokio::test]
async fn what_a_recording_says_of_itself_is_checked_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = open(&Disk::default(), 1 << 20);
    let line = |epoch: &str, seq: u64, body: &EventBody| {
        let mut event = serde_json::to_value(body).unwrap();
        event["v"] = json!(1);
        event["room"] = json!("ana");
        event["epoch"] = json!(epoch);
        event["seq"] = json!(seq);
        event["ts"] = json!(at(seq as i64));
        format!("{event}\n")
    };
    let session = |id: &str| body("session.start", json!({ "session_id": id }));
    for (text, problem) in [
        (line("a\"b", 1, &said(1, "bo", "hi")), "line 1: the epoch"),
        (line("", 1, &said(1, "bo", "hi")), "line 1: the epoch"),
        (line("E", 1, &session("../x y\"")), "line 1: `../x y\"` is not a session id"),
        (line("E", 1, &session("latest")), "line 1: `latest` is not"),
        (
            line("E", 1, &session("s")) + &line("E", 2, &session("s")),
            "the session s begins in it twice",
        ),
        (
            line("E", 5, &said(5, "bo", "late")) + &line("E", 4, &said(4, "bo", "early")),
            "it is out of order: an event of 2026-11-24T18:00:04.000Z",
        ),
        ("x".repeat((1 << 20) + 1), "line 1: longer than"),
    ] {
        let file = folder.path().join("file.jsonl");
        std::fs::write(&file, text).unwrap();
        let refused = log.import(name("ana"), file).await.unwrap_err().to_string();
        assert!(refused.starts_with(problem), "{refused}");
        assert_eq!(log.room(&name("ana")).head(), 0);
    }
    // One without a beginning of its own is a session all the same, as often as it comes.
    let file = folder.path().join("file.jsonl");
    std::fs::write(&file, line("E", 7, &delete(9)) + &line("E", 8, &said(9, "bo", "badword")))
        .unwrap();
    for _ in 0..2 {
        log.import(name("ana"), file.clone()).await.unwrap();
    }
    let room = log.room(&name("ana"));
    let ids: Vec<_> =
        room.sessions(None, 10).await.unwrap().into_iter().map(|it| it.session_id).collect();
    assert_eq!(ids, ["20261124T180007Z-2", "20261124T180007Z"]);
    assert!(!Value::Array(all(&room).await).to_string().contains("badword"));
    log.close().await;
}
