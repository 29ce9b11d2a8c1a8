//! What comes of each thing that Rumble tells: invented fixtures for every kind, and the recorded captures
//! where they are present.

use std::{collections::BTreeMap, fs, path::Path};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    model::{Message, Role},
    platforms::rumble::{News, Row, Said, What, news_of},
};

/// This server's clock in all tests.
fn received_at() -> Timestamp {
    Timestamp::parse("2026-03-01T12:00:00.500Z").unwrap()
}

fn begun() -> RumbleNormalizer {
    let mut normalizer = RumbleNormalizer::new("c/Ana");
    let cut_off = Timestamp::parse("2026-03-01T11:00:00Z").unwrap();
    let began = Happening::Began { chat_id: "77".to_owned(), cut_off };
    normalizer.normalize(&began, received_at(), &mut Vec::new()).unwrap();
    normalizer
}

fn joined(fragments: &[Fragment]) -> String {
    fragments.iter().map(Fragment::text).collect()
}

/// Asserts what holds for every event, whatever came.
fn check_whole(event: &EventBody) {
    match event {
        EventBody::ChatMessage(it) => assert_eq!(joined(&it.fragments), it.text),
        EventBody::Activity(it) => {
            assert!(!it.system_text.trim().is_empty(), "{it:?}");
            assert_eq!(it.fragments.as_deref().map(joined), it.text);
        }
        _ => {}
    }
    let json = serde_json::to_string(event).unwrap();
    assert_eq!(&serde_json::from_str::<EventBody>(&json).unwrap(), event, "{json}");
    assert!(!json.contains("\"https://"), "a foreign address of a picture: {json}");
}

fn take(normalizer: &mut RumbleNormalizer, happening: &Happening) -> Vec<EventBody> {
    let mut readings = Vec::new();
    // What cannot be read is counted, and the rest is told.
    let _ = normalizer.normalize(happening, received_at(), &mut readings);
    let events: Vec<_> = readings.into_iter().map(|it| it.body).collect();
    events.iter().for_each(check_whole);
    events
}

fn record(normalizer: &mut RumbleNormalizer, json: &Value) -> Vec<EventBody> {
    let record = Record::parse(&json.to_string()).unwrap();
    take(normalizer, &Happening::Record(Box::new(record)))
}

fn messages(elements: Value) -> Value {
    json!({ "type": "messages", "data": { "messages": elements,
        "users": [{ "id": "7", "username": "Bo", "badges": ["admin"] }], "channels": [
            { "id": "c1", "username": "Bo's Channel", "image.1": "https://ak2.rmbl.ws/c.jpeg" }] } })
}

fn line(id: &str, text: &str) -> Value {
    json!({ "id": id, "user_id": "7", "text": text, "time": "2026-03-01T12:00:00+00:00" })
}

fn message(event: &EventBody) -> &Message {
    match event {
        EventBody::ChatMessage(it) => it,
        other => panic!("no message: {other:?}"),
    }
}

fn kinds(events: &[EventBody]) -> Vec<&'static str> {
    events.iter().map(EventBody::kind).collect()
}

#[test]
fn history_is_told_by_its_time_and_marked_and_what_came_since_is_news() {
    let mut normalizer = begun();
    let at = |id: &str, time: &str| json!({ "id": id, "user_id": "7", "text": id, "time": time });
    let init = json!({ "type": "init", "data": { "users": [{ "id": 7, "username": "Bo" }], "messages": [
        at("new", "2026-03-01T11:30:00Z"), at("old", "2026-03-01T11:29:59+01:00"),
    ]}});
    let events = record(&mut normalizer, &init);
    let told: Vec<_> =
        events.iter().map(|it| (message(it).text.as_str(), message(it).flags.clone())).collect();
    assert_eq!(told, [("old", vec![Flag::Historical]), ("new", vec![])]);
    assert_eq!(record(&mut normalizer, &init), [], "each connection begins so");
}

#[test]
fn whoever_speaks_as_a_channel_has_its_name_and_picture_and_keeps_their_own_id() {
    let mut normalizer = begun();
    let mut element = line("1", "hi");
    element["channel_id"] = json!("c1");
    let events = record(&mut normalizer, &messages(json!([element])));
    let author = &message(&events[0]).author;
    assert_eq!((author.id.as_str(), author.name.as_str()), ("rumble:7", "Bo's Channel"));
    assert_eq!(author.avatar.as_deref(), Some("/media/at/ak2.rmbl.ws/c.jpeg"));
    assert_eq!(author.roles, [Role::Broadcaster]);
    // Later messages refer to what was told once.
    let later = json!({ "type": "messages", "data": { "messages": [line("2", "again")] } });
    let events = record(&mut normalizer, &later);
    assert_eq!(message(&events[0]).author.name, "Bo");
}

#[test]
fn what_the_api_told_first_is_not_told_again_and_a_deletion_finds_it() {
    let mut normalizer = begun();
    let said = |id: &str, text: &str| News {
        id: id.to_owned(),
        name: "bo".to_owned(),
        at: Timestamp::parse("2026-03-01T12:00:00Z").ok(),
        what: What::Say(Said { text: text.to_owned(), badges: Vec::new(), rant_cents: Some(500) }),
    };
    let events = take(&mut normalizer, &Happening::News(Box::new(said("say-x-1", "paid"))));
    assert_eq!(message(&events[0]).amount.as_ref().unwrap().display, "$5.00");
    let mut element = line("9", "paid");
    element["rant"] = json!({ "price_cents": 500 });
    assert_eq!(record(&mut normalizer, &messages(json!([element]))), []);
    let deleted = json!({ "type": "delete_messages", "data": { "message_ids": ["9"] } });
    let ids: Vec<_> = record(&mut normalizer, &deleted)
        .iter()
        .map(|it| it.identity().unwrap().as_str().to_owned())
        .collect();
    assert_eq!(ids, ["rumble:9", "rumble:say-x-1"]);
    let muted = json!({ "type": "mute_users", "data": { "user_ids": [7] } });
    assert_eq!(kinds(&record(&mut normalizer, &muted)), ["chat.clear_user", "chat.clear_user"]);
    // The other way round.
    record(&mut normalizer, &messages(json!([line("10", "first by the stream")])));
    let mut late = said("say-y-1", "first by the stream");
    late.what = What::Say(Said {
        text: "first by the stream".to_owned(),
        badges: Vec::new(),
        rant_cents: None,
    });
    assert_eq!(take(&mut normalizer, &Happening::News(Box::new(late))), []);
}

#[test]
fn a_row_of_the_page_is_the_message_of_the_stream_by_id_or_by_its_words() {
    let mut normalizer = begun();
    record(&mut normalizer, &messages(json!([line("1", "by id"), line("2", "by words")])));
    let row = |id: &str, text: &str, listing| Row {
        id: id.to_owned(),
        name: "Bo".to_owned(),
        text: text.to_owned(),
        listing,
        ..Row::default()
    };
    let mut tell = |row| take(&mut normalizer, &Happening::Row(Box::new(row)));
    assert_eq!(tell(row("1", "by id", Some(1))), []);
    assert_eq!(tell(row("", "by  words", Some(1))), []);
    let fresh = tell(row("", "fresh", None));
    let repeat = tell(row("", "fresh", None));
    assert_ne!(message(&fresh[0]).id, message(&repeat[0]).id, "two honest repeats");
    for _ in 0..2 {
        assert_eq!(tell(row("", "fresh", Some(2))), [], "the page was loaded anew");
    }
    assert_eq!(tell(row("", "fresh", Some(2))).len(), 1, "said meanwhile");
}

#[test]
fn everything_unpaid_goes_at_once_and_what_was_paid_for_stays() {
    let clear = json!({ "type": "delete_non_rant_messages", "data": { "clear": true } });
    let mut normalizer = begun();
    record(&mut normalizer, &messages(json!([line("1", "unpaid")])));
    assert_eq!(kinds(&record(&mut normalizer, &clear)), ["chat.clear"]);
    let mut paid = line("2", "paid");
    paid["rant"] = json!({ "price_cents": 100 });
    record(&mut normalizer, &messages(json!([paid])));
    let events = record(&mut normalizer, &clear);
    let ids: Vec<_> = events.iter().map(|it| it.identity().unwrap().as_str()).collect();
    assert_eq!(ids, ["rumble:1"]);
}

#[test]
fn mutes_and_clears_reach_what_comes_late() {
    let mut normalizer = begun();
    for told in [
        json!({ "type": "mute_users", "data": { "user_ids": [7] } }),
        json!({ "type": "delete_non_rant_messages", "data": { "clear": true } }),
    ] {
        let record = Happening::Record(Box::new(Record::parse(&told.to_string()).unwrap()));
        let mut readings = Vec::new();
        normalizer.normalize(&record, received_at(), &mut readings).unwrap();
        assert_eq!(readings[0].sent_at, Some(received_at()), "{told}");
    }
}

#[test]
fn the_folder_of_captures_becomes_what_is_expected_of_each() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/rumble");
    if !folder.is_dir() {
        eprintln!("skipped: no captures at {}", folder.display());
        return;
    }
    let mut outcomes = BTreeMap::new();
    for part in ["sse", "live-stream-api"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let mut normalizer = RumbleNormalizer::new("c/Ana");
            let mut events = Vec::new();
            if part == "live-stream-api" {
                for news in news_of(&serde_json::from_str(&text).unwrap()) {
                    events.extend(take(&mut normalizer, &Happening::News(Box::new(news))));
                }
            } else {
                let data = match name.ends_with(".sse") {
                    true => text
                        .lines()
                        .filter_map(|it| it.strip_prefix("data: "))
                        .map(str::to_owned)
                        .collect(),
                    false => vec![whole(&name, &text)],
                };
                for json in data {
                    if let Some(record) = Record::parse(&json) {
                        events.extend(take(&mut normalizer, &Happening::Record(Box::new(record))));
                    }
                }
            }
            outcomes.insert(name, events.iter().map(summary).collect::<Vec<_>>());
        }
    }
    let expected = [
        ("error-400-bad-chat-id", vec!["activity other"]),
        ("message-emote-block", vec!["chat.message text emote"]),
        ("message-rant-100-cents", vec!["chat.message text 100 USD"]),
        ("message-rant-500-cents", vec!["chat.message text 500 USD"]),
        ("messages-r-plus-emote-badges", vec!["chat.message text 2 badges #color avatar"]),
        ("stream-delayed", vec!["chat.message text"]),
        ("stream-duplicate", vec!["chat.message text"]),
        ("stream-keepalive-and-empty-messages", vec![]),
        (
            "stream-live",
            vec![
                "chat.message text 1 badges #color",
                "chat.message text 1 badges moderator #color",
                "chat.delete",
            ],
        ),
        ("stream-malformed", vec![]),
        ("stream-out-of-order", vec!["chat.message text", "chat.message text"]),
        ("stream-unknown", vec!["activity other"]),
        ("user-with-badges", vec!["activity other"]),
        ("error-400-no-token", vec![]),
        (
            "get-data-trimmed-150-cents",
            vec!["chat.message text 3 badges broadcaster", "chat.message text 1 badges 150 USD"],
        ),
    ];
    for (start, expected) in &expected {
        let found = outcomes.iter().find(|it| it.0.starts_with(start));
        let (name, found) = found.unwrap_or_else(|| panic!("no {start}"));
        assert_eq!(found, expected, "{name}");
    }
}

/// A whole record: some files hold one element of it.
fn whole(name: &str, text: &str) -> String {
    let element: Value = serde_json::from_str(text).unwrap();
    if name.starts_with("message-") {
        json!({ "type": "messages", "data": { "messages": [element] } }).to_string()
    } else {
        element.to_string()
    }
}

/// Kind and shape of an event, without a word of what somebody wrote.
fn summary(event: &EventBody) -> String {
    let mut words = vec![event.kind().to_owned()];
    match event {
        EventBody::ChatMessage(it) => {
            for fragment in &it.fragments {
                words.push(match fragment {
                    Fragment::Emote { .. } => "emote".to_owned(),
                    _ => "text".to_owned(),
                });
            }
            if !it.author.badges.is_empty() {
                words.push(format!("{} badges", it.author.badges.len()));
            }
            words.extend(it.author.roles.iter().map(|it| format!("{it:?}").to_lowercase()));
            words.extend(it.author.color.as_ref().map(|_| "#color".to_owned()));
            words.extend(it.author.avatar.as_ref().map(|_| "avatar".to_owned()));
            words.extend(it.amount.as_ref().map(|it| format!("{} {}", it.value, it.currency)));
        }
        EventBody::Activity(it) => words.push(format!("{:?}", it.kind).to_lowercase()),
        _ => {}
    }
    words.join(" ")
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z:@+ .\u{0}\u{1f600}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let name = prop::sample::select(vec![
            "type",
            "data",
            "messages",
            "users",
            "channels",
            "id",
            "user_id",
            "channel_id",
            "text",
            "time",
            "rant",
            "price_cents",
            "notification",
            "gift_purchase_notification",
            "blocks",
            "raid_notification",
            "badges",
            "config",
            "message_ids",
            "user_ids",
            "username",
            "name",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..5)
                .prop_map(|it| it.into_iter().map(|(key, it)| (key.to_owned(), it)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_it_panic(kind in prop::sample::select(vec![
        "init", "messages", "delete_messages", "delete_non_rant_messages", "mute_users", "pin_message", "else",
    ]), data in any_json()) {
        let json = json!({ "type": kind, "data": data }).to_string();
        if let Some(record) = Record::parse(&json) {
            take(&mut begun(), &Happening::Record(Box::new(record)));
        }
    }
}
