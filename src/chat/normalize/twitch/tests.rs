//! The fixtures in `tests/fixtures/twitch`: `noun.irc` holds lines as Twitch would send them (every name
//! invented), read in order by one normalizer; `noun.json` says for each of them why it is there and what
//! must come of it. The recorded captures, where present, are read as well.

use std::{collections::BTreeMap, fs, path::Path};

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use twitch_irc::message::IRCMessage;

use super::*;
use crate::model::{Activity, ActivityKind, Amount, EventBody, Flag, Fragment, Message, Role};

/// This server's clock in all tests.
fn received_at() -> Timestamp {
    Timestamp::parse("2026-03-01T12:00:00.500Z").unwrap()
}

fn parse(line: &str) -> IRCMessage {
    IRCMessage::parse(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn message(line: &str) -> Message {
    match TwitchNormalizer::new("ana").normalize(&parse(line), received_at()) {
        Ok(Normalized::Event(EventBody::ChatMessage(message))) => *message,
        other => panic!("{other:?}: {line}"),
    }
}

fn joined(fragments: &[Fragment]) -> String {
    fragments.iter().map(Fragment::text).collect()
}

/// Asserts what holds for every event, whatever the line.
fn check_whole(event: &EventBody) {
    match event {
        EventBody::ChatMessage(it) => assert_eq!(joined(&it.fragments), it.text),
        EventBody::Activity(it) => {
            assert!(!it.system_text.trim().is_empty(), "{it:?}");
            assert_eq!(it.text.is_some(), it.fragments.is_some());
            assert_eq!(it.fragments.as_deref().map(joined), it.text);
        }
        _ => {}
    }
    let json = serde_json::to_string(event).unwrap();
    assert_eq!(&serde_json::from_str::<EventBody>(&json).unwrap(), event, "{json}");
}

/// An outcome as the fixtures write it; an id that was invented becomes `twitch:local-…`.
fn as_json(outcome: &Result<Normalized, NormalizeError>) -> Value {
    match outcome {
        Ok(Normalized::Event(event)) => {
            let mut value = serde_json::to_value(event).unwrap();
            if let Some(Value::String(id)) = value.pointer_mut("/data/id")
                && id.starts_with("twitch:local-")
            {
                "twitch:local-…".clone_into(id);
            }
            value
        }
        Ok(Normalized::Nothing(why)) => json!({ "nothing": why }),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    why: String,
    expect: Value,
}

/// Goal: every kind of line becomes what the feed promises.
/// Method: one table per noun, compared as JSON, so that a changed field name fails too.
#[test]
fn every_fixture_becomes_what_its_table_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/twitch");
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|it| it != "irc") {
            continue;
        }
        files += 1;
        let lines = fs::read_to_string(&path).unwrap();
        let table = fs::read_to_string(path.with_extension("json")).unwrap();
        let cases: Vec<Case> = serde_json::from_str(&table).unwrap();
        let mut normalizer = TwitchNormalizer::new("ana");
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(lines.len(), cases.len(), "{}", path.display());
        for (index, (line, case)) in lines.iter().zip(&cases).enumerate() {
            let outcome = normalizer.normalize(&parse(line), received_at());
            if let Ok(Normalized::Event(event)) = &outcome {
                check_whole(event);
            }
            let found = as_json(&outcome);
            assert_eq!(
                found,
                case.expect,
                "{}:{}: {}\n{found:#}",
                path.display(),
                index + 1,
                case.why
            );
        }
    }
    assert!(files >= 10, "{files} tables in {}", folder.display());
}

#[test]
fn invented_ids_are_unique() {
    let line = "@user-id=7 :bo!bo@bo.tmi.twitch.tv PRIVMSG #ana :hi";
    let (first, second) = (message(line), message(line));
    assert!(first.id.as_str().starts_with("twitch:local-"));
    assert_ne!(first.id, second.id);
}

#[test]
fn a_line_without_an_id_is_recognised_over_two_connections_and_honest_repeats_are_not() {
    let key = |line| dedupe_key(&parse(line));
    let ban =
        "@room-id=1;target-user-id=7;tmi-sent-ts=1700000000000 :tmi.twitch.tv CLEARCHAT #ana :bo";
    assert!(key(ban).is_some());
    assert_eq!(key(ban), key(ban));
    for other in [
        ban.replace("000000000", "000000001"),
        ban.replace("user-id=7", "user-id=8"),
        ban.replace("room-id=1", "room-id=2"),
        ban.replace("target-user-id=7;", "").replace(" :bo", ""),
    ] {
        assert_ne!(dedupe_key(&parse(&other)), key(ban), "{other}");
    }
    assert!(key("@target-msg-id=m1 :tmi.twitch.tv CLEARMSG #ana :x").is_some());
    assert_eq!(key(":tmi.twitch.tv CLEARCHAT #ana"), None);
    assert_eq!(key("@id=m1;tmi-sent-ts=1 :bo!bo@bo.tmi.twitch.tv PRIVMSG #ana :x"), None);
}

#[test]
fn the_channels_id_is_remembered_for_lines_of_that_channel_only() {
    let mut normalizer = TwitchNormalizer::new("#Ana");
    let mut read = |line| match normalizer.normalize(&parse(line), received_at()).unwrap() {
        Normalized::Event(EventBody::ChatMessage(it)) => it.channel.id.to_string(),
        other => format!("{other:?}"),
    };
    let own = ":bo!bo@bo.tmi.twitch.tv PRIVMSG #ana :hi";
    assert_eq!(read(own), "twitch:ana");
    read("@room-id=42;slow=5 :tmi.twitch.tv ROOMSTATE #ana");
    assert_eq!(read(own), "twitch:42");
    assert_eq!(read(":bo!bo@bo.tmi.twitch.tv PRIVMSG #other :hi"), "twitch:other");
}

proptest! {
    #[test]
    fn fragments_always_join_to_the_text(text in "\\PC*", tag in emotes_tag(), bits in 0..300_i64) {
        let line = IRCMessage::new(
            tags([("emotes", tag), ("bits", bits.to_string()), ("user-id", "7".to_owned())]),
            None,
            "PRIVMSG".to_owned(),
            vec!["#ana".to_owned(), text.clone()],
        );
        match TwitchNormalizer::new("ana").normalize(&line, received_at()) {
            Ok(Normalized::Event(event @ EventBody::ChatMessage(_))) => {
                check_whole(&event);
                let EventBody::ChatMessage(message) = event else { unreachable!() };
                prop_assert_eq!(message.text, text);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn fragments_join_in_texts_made_of_everything_that_is_special(
        words in prop::collection::vec(word(), 0..12),
        tag in emotes_tag(),
    ) {
        let text = words.concat();
        for sent in [text.clone(), format!("\u{1}ACTION {text}\u{1}")] {
            let body = body::read(&sent, Some(&tag), Some(500));
            prop_assert_eq!(joined(&body.fragments), body.text);
        }
    }

    #[test]
    fn no_line_of_any_tags_panics(
        command in prop::sample::select(vec![
            "PRIVMSG", "USERNOTICE", "CLEARCHAT", "CLEARMSG", "ROOMSTATE", "NOTICE", "WHISPER", "001",
        ]),
        soup in prop::collection::vec((tag_key(), tag_value()), 0..16),
        params in prop::collection::vec("#ana|\\*|bo|.{0,12}", 0..4),
    ) {
        let line = IRCMessage::new(tags(soup), None, command.to_owned(), params);
        let mut normalizer = TwitchNormalizer::new("ana");
        for _ in 0..2 {
            if let Ok(Normalized::Event(event)) = normalizer.normalize(&line, received_at()) {
                if let EventBody::ChatMessage(it) = &event {
                    prop_assert_eq!(joined(&it.fragments), it.text.clone());
                }
                serde_json::to_string(&event).unwrap();
            }
        }
        let _ = dedupe_key(&line); // Only that it returns matters here.
    }
}

fn tags<K: Into<String>>(
    pairs: impl IntoIterator<Item = (K, String)>,
) -> twitch_irc::message::IRCTags {
    twitch_irc::message::IRCTags(
        pairs.into_iter().map(|(key, value)| (key.into(), value)).collect(),
    )
}

fn emotes_tag() -> impl Strategy<Value = String> {
    let range = prop_oneof![
        (0..40_usize, 0..8_usize).prop_map(|(first, length)| format!("{first}-{}", first + length)),
        "[0-9]{0,22}-[0-9]{0,22}",
        "[-0-9:,/]{0,6}",
    ];
    let group = (
        "[0-9]{1,3}|emotesv2_0a|80_/3|\\PC{0,4}",
        prop::collection::vec(range, 0..4).prop_map(|it| it.join(",")),
    );
    prop::collection::vec(group.prop_map(|(id, ranges)| format!("{id}:{ranges}")), 0..4)
        .prop_map(|it| it.join("/"))
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            " ",
            "  ",
            "Kappa",
            "😀",
            "é",
            "@",
            "@ana",
            "@안나",
            "example.org",
            "https://",
            "://",
            ".",
            "Cheer100",
            "Cheer1 ",
            "\u{1}",
            "\u{85}",
            "\u{e0000}",
            "\n",
            "me@example.org",
            "/",
        ])
        .prop_map(str::to_owned),
        ".{0,3}",
    ]
}

fn tag_key() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "id",
            "user-id",
            "room-id",
            "login",
            "display-name",
            "color",
            "badges",
            "badge-info",
            "emotes",
            "bits",
            "msg-id",
            "source-msg-id",
            "source-room-id",
            "system-msg",
            "tmi-sent-ts",
            "rm-deleted",
            "historical",
            "reply-parent-msg-id",
            "reply-parent-user-login",
            "target-user-id",
            "target-msg-id",
            "ban-duration",
            "followers-only",
            "slow",
            "msg-param-mass-gift-count",
            "msg-param-origin-id",
            "msg-param-community-gift-id",
            "msg-param-months",
            "msg-param-recipient-id",
            "msg-param-amount",
            "msg-param-currency",
            "msg-param-exponent",
            "pinned-chat-paid-amount",
            "pinned-chat-paid-currency",
            "pinned-chat-paid-exponent",
        ])
        .prop_map(str::to_owned),
        "[a-z-]{1,8}",
    ]
}

fn tag_value() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "",
            "1",
            "0",
            "-1",
            "7",
            "99999999999999999999",
            "9223372036854775807",
            "sub",
            "resub",
            "subgift",
            "submysterygift",
            "raid",
            "announcement",
            "bitsbadgetier",
            "viewermilestone",
            "charitydonation",
            "midnightsquid",
            "sharedchatnotice",
            "modiversary",
            "USD",
            "é is here",
            "subscriber/12,bits/100",
            "predictions/a/b,/",
            "25:0-4",
            "25:4-0/:",
            "   ",
        ])
        .prop_map(str::to_owned),
        ".{0,12}",
    ]
}

/// What became of the recorded lines: file and line number (from 1) to outcome. `None` without the captures,
/// which are strangers' chat and so are not part of this repository.
fn captured() -> Option<BTreeMap<(String, usize), Result<Normalized, NormalizeError>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/twitch");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: no captures at {}", folder.display());
        return None;
    };
    let mut outcomes = BTreeMap::new();
    for path in entries.map(|it| it.unwrap().path()) {
        if path.extension().is_none_or(|it| it != "irc") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut normalizer = TwitchNormalizer::new("ana");
        let text = fs::read_to_string(&path).unwrap();
        for (index, line) in text.split('\n').filter(|it| !it.is_empty()).enumerate() {
            let line = match IRCMessage::parse(line) {
                Ok(line) => line,
                Err(_) if name == "peer-made" => continue,
                Err(error) => panic!("{name}:{}: {error}", index + 1),
            };
            let outcome = normalizer.normalize(&line, received_at());
            outcomes.insert((name.clone(), index + 1), outcome);
        }
    }
    Some(outcomes)
}

#[test]
fn every_recorded_line_is_understood() {
    let Some(outcomes) = captured() else { return };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for ((file, number), outcome) in &outcomes {
        let what = match outcome {
            Ok(Normalized::Event(event)) => {
                check_whole(event);
                event.kind().to_owned()
            }
            Ok(Normalized::Nothing(why)) => {
                assert!(*why != "unknown command" || file == "peer-made", "{file}:{number}");
                format!("nothing: {why}")
            }
            Err(error) => {
                assert_eq!(file, "peer-made", "{file}:{number}: {error}");
                format!("error: {error}")
            }
        };
        *counts.entry(what).or_default() += 1;
    }
    for (what, count) in counts {
        println!("{count:6}  {what}");
    }
}

/// Goal: the traps that were found in the recorded lines stay closed.
/// Method: the file and line of each, and what must be seen there.
#[test]
fn the_known_traps_of_the_recorded_lines_are_avoided() {
    let Some(outcomes) = captured() else { return };
    let at = |file: &str, line: usize| match &outcomes[&(file.to_owned(), line)] {
        Ok(Normalized::Event(event)) => event,
        other => panic!("{file}:{line}: {other:?}"),
    };
    let said = |file, line| -> &Message {
        let EventBody::ChatMessage(it) = at(file, line) else { panic!("{file}:{line}") };
        it
    };
    let done = |file, line| -> &Activity {
        let EventBody::Activity(it) = at(file, line) else { panic!("{file}:{line}") };
        it
    };
    // Emotes with their places in code points, the last one included.
    let emotes = |file, line| -> Vec<(String, usize, usize)> {
        let mut from = 0;
        let mut found = Vec::new();
        for fragment in &said(file, line).fragments {
            let length = fragment.text().chars().count();
            if let Fragment::Emote { emote, .. } = fragment {
                found.push((emote.id.clone(), from, from + length - 1));
            }
            from += length;
        }
        found
    };
    let emote = |id: &str, from, to| (id.to_owned(), from, to);

    // Code points, opaque ids, ranges out of order, between dots, within an ACTION, too far to the right.
    assert_eq!(emotes("odd", 3), [emote("25", 0, 4), emote("25", 8, 12)]);
    assert_eq!(emotes("odd", 20), [emote("483", 2, 3), emote("483", 7, 8), emote("483", 12, 13)]);
    assert_eq!(emotes("odd", 16), [emote("80481_/3", 7, 14)]);
    assert_eq!(emotes("odd", 9).len(), 3);
    assert_eq!(emotes("odd", 15), [emote("25", 6, 10), emote("1902", 16, 20)]);
    assert_eq!(emotes("odd", 12), [emote("245", 37, 51)]);
    assert_eq!(emotes("odd", 13), [emote("25", 39, 43)]);
    assert_eq!(emotes("odd", 14).len(), 4);
    assert_eq!(emotes("odd", 21), [emote("425618", 48, 50)]);
    for line in [1, 91, 92] {
        assert_eq!(emotes("peer-made", line), [], "peer-made:{line}");
    }
    assert!(said("odd", 1).has(Flag::Action));
    assert!(said("peer-made", 21).has(Flag::Action) && said("peer-made", 21).text.is_empty());

    // Names, badges, roles.
    assert!(said("odd", 8).author.name.ends_with(' '));
    assert_eq!(said("bits", 10).author.color, None);
    assert!(said("privmsg", 21).author.roles.contains(&Role::Subscriber));
    assert!(said("privmsg", 21).author.badges.iter().any(|it| it.set == "founder"));
    assert!(said("privmsg", 3).author.roles.contains(&Role::Vip));
    assert!(!done("usernotice", 5).author.as_ref().unwrap().roles.contains(&Role::Vip));
    assert_eq!(
        said("odd", 3).author.badges[1].title.as_deref(),
        Some("80-Month Subscriber"),
        "the version is 3072"
    );
    assert!(matches!(at("odd", 2), EventBody::ChatRedacted(_)));
    assert!(said("odd", 7).has(Flag::Historical));

    // Shared chat: own lines carry source tags too; what was paid elsewhere is not paid here.
    for line in [2, 3, 4, 5, 6, 9] {
        assert!(said("shared-chat", line).has(Flag::SharedChat), "shared-chat:{line}");
        assert_eq!(said("shared-chat", line).amount, None);
    }
    assert!(!said("shared-chat", 10).has(Flag::SharedChat));
    for line in [8, 13, 14] {
        assert!(done("shared-chat", line).source_channel.is_none(), "shared-chat:{line}");
    }
    for (line, kind) in [
        (1, ActivityKind::Raid),
        (7, ActivityKind::Subscription),
        (11, ActivityKind::Gift),
        (12, ActivityKind::Subscription),
        (15, ActivityKind::Gift),
        (16, ActivityKind::Gift),
        (17, ActivityKind::Subscription),
    ] {
        assert_eq!(done("shared-chat", line).kind, kind, "shared-chat:{line}");
        assert!(done("shared-chat", line).flags.contains(&Flag::SharedChat));
        assert!(done("shared-chat", line).source_channel.is_some());
    }
    assert!(said("shared-chat", 5).author.roles.contains(&Role::Moderator));
    assert!(!said("shared-chat", 5).author.roles.contains(&Role::Subscriber));
    let reply = said("shared-chat", 9).reply_to.as_ref().unwrap();
    assert!(reply.id.as_str().starts_with("twitch:3c231d98"), "the parent, not the thread's root");

    // Gifts: counted once, and anonymous ones credited to nobody.
    for (line, count) in [(29, 1), (40, 10), (48, 1), (70, 1), (72, 7)] {
        let bundle = done("usernotice", line);
        if bundle.raw_kind.as_deref() == Some("submysterygift") {
            assert_eq!(bundle.count, Some(count), "usernotice:{line}");
        } else {
            assert_eq!(bundle.count, Some(0), "usernotice:{line}");
        }
        assert!(bundle.part_of.is_some(), "usernotice:{line}");
    }
    for line in [10, 20, 39, 40, 67, 68, 69, 75, 76] {
        assert_eq!(done("usernotice", line).author, None, "usernotice:{line}");
        assert_eq!(done("usernotice", line).kind, ActivityKind::Gift);
    }
    assert_eq!(done("usernotice", 11).months, Some(12));
    assert_eq!(done("usernotice", 12).months, Some(9));
    assert_eq!(done("usernotice", 13).months, Some(12));

    // Sentences, and texts without a colon.
    assert!(done("usernotice", 1).system_text.starts_with("Announcement from "));
    assert!(done("usernotice", 5).system_text.contains(" has been a moderator for 18 months!"));
    assert!(!done("usernotice", 33).system_text.contains("notification"));
    assert!(done("usernotice", 14).text.is_some());
    assert_eq!(done("usernotice", 14).kind, ActivityKind::WatchStreak);

    // What was paid.
    assert_eq!(said("bits", 2).amount.as_ref().unwrap().display, "$5.00");
    assert_eq!(said("bits", 15).amount, Some(Amount::bits(100)));
    for line in [49, 50, 56, 57, 58] {
        assert!(said("bits", line).has(Flag::Redeemed), "bits:{line}");
    }

    // Moderation and rules.
    assert!(matches!(at("moderation", 15), EventBody::ChatClear(_)));
    for (line, seconds) in [(16, None), (17, Some(5)), (11, Some(1)), (33, None)] {
        let EventBody::ChatClearUser(it) = at("moderation", line) else { panic!("{line}") };
        assert_eq!(it.seconds, seconds, "moderation:{line}");
    }
    assert!(matches!(at("moderation", 21), EventBody::ChatDelete(_)));
    for line in [235, 237] {
        assert!(said("replay", line).text.starts_with(':'), "replay:{line}");
    }
}
