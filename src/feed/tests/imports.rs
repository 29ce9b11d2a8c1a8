//! Recordings that are put behind what a room holds.

use super::*;

#[tokio::test]
async fn a_recording_behind_a_room_of_today_changes_nothing_of_its_stage() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.jsonl");
    let message =
        |id: u64, text: &str| serde_json::to_value(said(id, "bo", text)).unwrap()["data"].clone();
    let tally = |title: &str| {
        body(
            "tally.update",
            json!({"tally_id": "t", "creator": "ana", "label": title, "count": 1, "last_updated_at": at(1)}),
        )
    };
    let stage = |id: u64, word: &str| {
        [
            body("feature.show", message(id, &format!("featured {word}"))),
            body("queue.update", json!({"items": [message(id + 1, &format!("queued {word}"))]})),
            tally(word),
        ]
    };
    let disk = Disk::default();
    let (log, _) = open(&disk, 1 << 20);
    for (room, first) in [("tape", 10), ("ana", 20)] {
        let events = stage(first, if room == "tape" { "then" } else { "now" });
        for (seq, event) in (1..).zip(events) {
            log.room(&name(room)).append(record(seq, at(seq as i64), &event));
        }
    }
    log.flush().await;
    let recorded = all(&log.room(&name("tape"))).await;
    let lines: Vec<String> = recorded.iter().map(Value::to_string).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();

    let imported = log.import(name("ana"), file.clone()).await.unwrap();
    assert_eq!((imported.as_numbered, imported.last_seq), (false, 6));
    let shown = async |log: &FeedLog, room: &str| {
        let room = log.room(&name(room));
        let queue = room.queue().await.unwrap();
        let featured = room.featured().await.unwrap().unwrap().text.clone();
        let EventBody::TallyUpdate(tally) = room.boards().await.unwrap().remove(0) else {
            panic!()
        };
        [featured, queue[0].text.clone(), tally.label]
    };
    assert_eq!(shown(&log, "ana").await, ["featured now", "queued now", "now"]);
    // In an empty room it is all there is.
    let imported = log.import(name("ben"), file).await.unwrap();
    assert!(imported.as_numbered);
    assert_eq!(shown(&log, "ben").await, ["featured then", "queued then", "then"]);
    log.close().await;
}
