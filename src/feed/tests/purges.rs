//! Purges that come late: what they take away was written long ago.

use super::*;

async fn shown(room: &RoomLog) -> String {
    let page = room.page(Span::default()).await.unwrap();
    page.events.iter().map(|it| String::from_utf8_lossy(&it.json).into_owned()).collect()
}

fn purged() -> Deletion {
    Deletion::Author(QualifiedId::try_from("twitch:bo".to_owned()).unwrap())
}

/// Goal: a purge that is noted while a group is on its way to the disk is neither in that group nor forgotten with it.
/// Method: a group's steps by hand, and the purge between the last two.
#[test]
fn a_purge_of_what_was_written_before_outlives_the_group_that_is_being_written() {
    let disk = Disk::default();
    let database = Database::open_on(disk.clone()).unwrap();
    let (index, next) = prepare(&database, 0).unwrap();
    let room = index.room(&name("ana"));
    let write = |first: u64, last: u64, meanwhile: &dyn Fn()| {
        let written = database.write(|tx| {
            let mut batch = Batch::new(tx, &index, next)?;
            for seq in first..=last {
                let author = if seq == 1 { "bo" } else { "cy" };
                batch.add(&room, &record(seq, at(seq as i64), &said(seq, author, "badword")))?;
            }
            let written = batch.finish()?;
            meanwhile();
            Ok(written)
        });
        written.unwrap().publish();
    };
    write(1, 2, &|| {});
    write(3, 4, &|| room.note_deletion(purged(), Mark { seq: 2, at_ms: 0 }));
    let first = |index: &Index| -> Value {
        let room = index.room(&name("ana"));
        let span = Span { most_events: 1, ..Span::default() };
        let page = Reader::new(&database, index, &room).page(&span).unwrap();
        serde_json::from_slice(&page.events[0].json).unwrap()
    };
    assert_eq!(first(&index)["type"], "chat.redacted", "it holds before it is on the disk");
    write(5, 5, &|| {});
    assert!(room.pending().is_empty(), "it is on the disk");
    let (fresh, _) = prepare(&database, 0).unwrap();
    assert_eq!(first(&fresh)["type"], "chat.redacted", "and stays so");
}

#[tokio::test]
async fn a_purge_without_an_event_is_on_the_disk_by_itself() {
    let disk = Disk::default();
    let (log, _) = open(&disk, 1 << 20);
    let room = log.room(&name("ana"));
    room.append(record(1, at(1), &said(1, "bo", "badword")));
    room.append(record(2, at(2), &said(2, "bo", "fine")));
    room.append(record(3, at(3), &said(3, "bo", "newest")));
    log.flush().await;
    room.hide_before(purged(), 2, at(1));
    log.flush().await;
    // Killed there and then.
    let (after, _) = open(&disk.after_power_cut(1), 1 << 20);
    let text = shown(&after.room(&name("ana"))).await;
    assert!(!text.contains("badword") && text.contains("fine"), "{text}");
    after.close().await;

    // And while the disk refuses, it waits as events do.
    disk.refuse(Some(std::io::ErrorKind::StorageFull));
    room.hide_before(purged(), 3, at(2));
    while log.trouble().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    disk.refuse(None);
    while log.trouble().is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    log.close().await;
    let (after, _) = open(&disk, 1 << 20);
    let text = shown(&after.room(&name("ana"))).await;
    assert!(!text.contains("fine") && text.contains("newest"), "{text}");
    after.close().await;
}

#[tokio::test]
async fn what_somebody_said_is_named_as_far_back_as_the_purge_before() {
    let disk = Disk::default();
    let (log, _) = open(&disk, 1 << 20);
    let room = log.room(&name("ana"));
    let purge = body(
        "chat.clear_user",
        json!({"platform": "twitch", "author_id": "twitch:bo", "seconds": 1}),
    );
    let events =
        [said(1, "bo", "gone"), purge, said(3, "bo", "a"), said(4, "cy", "b"), said(5, "bo", "c")];
    for (seq, event) in (1..).zip(events) {
        room.append(record(seq, at(seq as i64), &event));
    }
    room.append(record(6, at(6), &said(6, "bo", "d")));
    room.append(record(7, at(7), &delete(5)));
    log.flush().await;
    let bo = QualifiedId::try_from("twitch:bo".to_owned()).unwrap();
    let named = async |before: u64| -> Vec<String> {
        let said = room.said_by(&bo, before).await.unwrap();
        said.iter().map(|it| it.as_str().to_owned()).collect()
    };
    assert_eq!(named(u64::MAX).await, ["twitch:6", "twitch:3"]);
    assert_eq!(named(6).await, ["twitch:3"]);
    log.close().await;
}
