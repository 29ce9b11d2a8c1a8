use std::{fs, path::Path};

use serde_json::json;

use super::*;

fn at() -> Timestamp {
    Timestamp::parse("2026-11-20T18:03:11.412Z").unwrap()
}

fn read_one(kind: &str, event: Value) -> Option<EventBody> {
    let notification = Notification {
        message_id: "m1".to_owned(),
        sent_at: Some(at()),
        kind: kind.to_owned(),
        event,
    };
    let mut readings = Vec::new();
    normalize(&notification, at(), &mut readings);
    assert!(readings.len() <= 1);
    readings.pop().map(|it| it.body)
}

/// An event in a few words: type, kind, sentence.
fn summary(body: Option<EventBody>) -> String {
    match body {
        None => "nothing".to_owned(),
        Some(EventBody::Activity(it)) => {
            assert!(!it.system_text.is_empty());
            if let (Some(text), Some(fragments)) = (&it.text, &it.fragments) {
                assert_eq!(fragments.iter().map(Fragment::text).collect::<String>(), *text);
            }
            let kind = serde_json::to_value(it.kind).unwrap();
            format!("{}: {}", kind.as_str().unwrap(), it.system_text)
        }
        Some(EventBody::ChatClearUser(it)) => format!("clear {} {:?}", it.author_id, it.seconds),
        Some(EventBody::ChatDelete(it)) => format!("delete {}", it.message_id),
        Some(other) => other.kind().to_owned(),
    }
}

#[test]
fn a_follow_is_one_however_often_it_is_told() {
    let event = json!({"user_id": "7", "user_login": "bo", "user_name": "Bo", "followed_at": "2026-11-20T18:03:11Z"});
    let Some(EventBody::Activity(it)) = read_one("channel.follow", event) else {
        panic!("a follow")
    };
    assert_eq!(it.kind, ActivityKind::Follow);
    assert_eq!(it.id.as_str(), "twitch:follow-7-2026-11-20T18:03:11Z");
    assert_eq!(it.system_text, "Bo follows the channel");
}

#[test]
fn a_message_is_the_same_as_over_irc() {
    let event = json!({
        "broadcaster_user_id": "1", "broadcaster_user_login": "ana", "broadcaster_user_name": "Ana",
        "chatter_user_id": "7", "chatter_user_login": "bo", "chatter_user_name": "Bo",
        "message_id": "abc", "color": "#FF0000", "message_type": "channel_points_highlighted",
        "badges": [{"set_id": "subscriber", "id": "12", "info": "14"}],
        "cheer": {"bits": 100}, "reply": null, "source_broadcaster_user_id": null,
        "message": {"text": "hi Kappa @cy Cheer100", "fragments": [
            {"type": "text", "text": "hi "}, {"type": "emote", "text": "Kappa", "emote": {"id": "25"}},
            {"type": "text", "text": " "}, {"type": "mention", "text": "@cy"}, {"type": "text", "text": " "},
            {"type": "cheermote", "text": "Cheer100", "cheermote": {"bits": 100, "prefix": "cheer", "tier": 1}}]}});
    let Some(EventBody::ChatMessage(it)) = read_one("channel.chat.message", event) else {
        panic!("a message")
    };
    assert_eq!(it.id.as_str(), "twitch:abc");
    assert_eq!(it.fragments.len(), 6);
    assert_eq!(it.fragments.iter().map(Fragment::text).collect::<String>(), it.text);
    assert_eq!(it.author.badges[0].title.as_deref(), Some("14-Month Subscriber"));
    assert_eq!(it.author.badges[0].url.as_deref(), Some("/media/twitch/badges/1/subscriber/12"));
    assert_eq!(it.amount.as_ref().unwrap().display, "100 bits");
    assert!(it.has(crate::model::Flag::Highlighted));
}

#[test]
fn what_moderators_do_is_said_without_what_only_they_may_see() {
    let target = json!({"user_id": "7", "user_login": "bo", "user_name": "Bo"});
    let with = |action: &str, more: Value| {
        let mut details = target.clone();
        details.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let event = json!({"action": action, "moderator_user_id": "1", "moderator_user_login": "ana",
            "moderator_user_name": "Ana", action: details});
        summary(read_one("channel.moderate", event))
    };
    assert_eq!(with("ban", json!({"reason": "secret"})), "clear twitch:7 None");
    let until = json!({"expires_at": "2026-11-20T18:13:11.400Z"});
    assert_eq!(with("timeout", until), "clear twitch:7 Some(600)");
    assert_eq!(
        with("delete", json!({"message_id": "abc", "message_body": "x"})),
        "delete twitch:abc"
    );
    assert_eq!(with("unban", json!({})), "other: Ana: unban Bo");
    assert_eq!(with("warn", json!({"reason": "secret"})), "nothing");
    assert_eq!(
        summary(read_one("automod.message.hold", json!({"message": {"text": "held"}}))),
        "nothing"
    );
}

#[test]
fn polls_redemptions_and_what_nobody_knows_yet_are_activities() {
    let poll = json!({"id": "p", "title": "Left?", "choices": [{"title": "Yes", "votes": 3}, {"title": "No", "votes": 1}]});
    assert_eq!(
        summary(read_one("channel.poll.end", poll)),
        "other: The poll ended: Left? (Yes 3, No 1)"
    );
    let redemption = json!({"id": "r1", "user_id": "7", "user_login": "bo", "user_name": "Bo", "status": "unfulfilled",
        "user_input": "words", "reward": {"title": "Hydrate", "cost": 5}});
    let kind = "channel.channel_points_custom_reward_redemption.add";
    assert_eq!(summary(read_one(kind, redemption)), "redemption: Bo redeemed “Hydrate”");
    assert_eq!(summary(read_one("channel.brand_new", json!({}))), "other: Twitch: brand new");
    for odd in [json!(null), json!([]), json!({"user_id": 7}), json!("text")] {
        for kind in ["channel.follow", "channel.chat.message", "channel.moderate", "channel.raid"] {
            // Nothing can be made of it; nothing breaks.
            let _ = read_one(kind, odd.clone());
        }
    }
}

/// The kind of a recorded event, from its payload or its file's name.
fn recorded(path: &Path) -> (String, Value) {
    let payload: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    if payload["metadata"].is_object() {
        let kind = payload["metadata"]["subscription_type"].as_str().unwrap_or_default().to_owned();
        return (kind, payload["payload"]["event"].clone());
    }
    if let Some(kind) = payload["subscription"]["type"].as_str() {
        return (kind.to_owned(), payload["event"].clone());
    }
    let kind = name.trim_start_matches("event-").split("--").next().unwrap();
    let kind = match kind {
        "automod-message-hold" => "automod.message.hold".to_owned(),
        "channel-chat-user-message-hold" => "channel.chat.user_message_hold".to_owned(),
        "channel-chat-user-message-update" => "channel.chat.user_message_update".to_owned(),
        "channel-suspicious-user-message" => "channel.suspicious_user.message".to_owned(),
        "channel-suspicious-user-update" => "channel.suspicious_user.update".to_owned(),
        other => other.replace('-', "."),
    };
    (kind, payload)
}

/// What each recorded kind becomes: the beginning of its summary.
fn expected(kind: &str, event: &Value) -> &'static [&'static str] {
    match kind {
        "" => &["nothing"],
        _ if moderation::is_for_moderators(kind) => &["nothing"],
        "channel.moderate" => match event["action"].as_str().unwrap() {
            "ban" | "shared_chat_ban" | "timeout" => &["clear twitch:"],
            "clear" => &["chat.clear"],
            "warn" | "add_blocked_term" | "remove_permitted_term" => &["nothing"],
            _ => &["other: "],
        },
        "channel.ban" | "channel.chat.clear_user_messages" => &["clear twitch:"],
        "channel.chat.clear" => &["chat.clear"],
        "channel.chat.message_delete" => &["delete twitch:"],
        "channel.chat.notification" => {
            match event["notice_type"].as_str().unwrap().trim_start_matches("shared_chat_") {
                "resub" | "sub" => &["subscription: "],
                "sub_gift" | "community_sub_gift" => &["gift: "],
                "raid" => &["raid: "],
                "announcement" => &["announcement: "],
                _ => &["other: ", "donation: ", "milestone: "],
            }
        }
        "channel.follow" => &["follow: "],
        "channel.raid" => &["raid: "],
        "channel.subscribe" => &["subscription: "],
        "channel.subscription.gift" => &["gift: "],
        "channel.cheer" | "channel.bits.use" => &["paid: "],
        _ if kind.contains("redemption.add") => &["redemption: "],
        _ => &["other: "],
    }
}

#[test]
#[allow(clippy::print_stderr)] // Says that it was skipped.
fn every_recorded_event_is_what_it_should_be() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/twitch-eventsub");
    if !folder.is_dir() {
        eprintln!("skipped: no {}", folder.display());
        return;
    }
    let mut count = 0;
    for part in ["docs-payloads", "events", "frames"] {
        for file in fs::read_dir(folder.join(part)).unwrap().flatten() {
            let (kind, event) = recorded(&file.path());
            if kind.is_empty() {
                continue; // A welcome.
            }
            // Some files hold several, one after another.
            let events = event.as_array().cloned().unwrap_or_else(|| vec![event]);
            for event in events {
                count += 1;
                let found = summary(read_one(&kind, event.clone()));
                let expected = expected(&kind, &event);
                assert!(
                    expected.iter().any(|it| found.starts_with(it)),
                    "{}: {kind} became {found}",
                    file.path().display()
                );
            }
        }
    }
    assert!(count > 70, "{count}");
}
