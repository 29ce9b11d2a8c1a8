//! Events as the worker gives them, every name invented; and the recorded captures, where present, through the
//! worker's own folding.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::{
    model::{Flag, Fragment, Message, Role},
    platforms::kick::{Arrival, Fold, Frame, Moment, Notice},
};

/// This server's clock in all tests.
fn received_at() -> Timestamp {
    Timestamp::parse("2026-09-27T16:20:00.500Z").unwrap()
}

fn now() -> Moment {
    Moment { at: Instant::now(), clock: received_at() }
}

fn normalizer() -> KickNormalizer {
    let mut it = KickNormalizer::new("ana");
    let facts = ChannelFacts {
        channel_id: Some(11),
        user_id: Some(12),
        slug: "ana".to_owned(),
        badges: vec![
            (1, "https://files.kick.com/channel_subscriber_badges/1/original".to_owned()),
            (6, "https://files.kick.com/channel_subscriber_badges/6/original".to_owned()),
        ],
        rules: None,
    };
    let mut none = Vec::new();
    it.normalize(&Happening::Channel(Arc::new(facts)), received_at(), &mut none).unwrap();
    assert!(none.is_empty());
    it
}

/// What frames come to, once everything that is held was told.
fn read_all(arrivals: impl IntoIterator<Item = Arrival>) -> (Vec<EventBody>, Vec<NormalizeError>) {
    let (mut fold, mut normalizer) = (Fold::default(), normalizer());
    let mut told = Vec::new();
    for arrival in arrivals {
        told.extend(fold.accept(arrival, now()));
    }
    told.extend(fold.flush_all());
    let (mut readings, mut errors) = (Vec::new(), Vec::new());
    for (happening, at) in told {
        errors.extend(normalizer.normalize(&happening, at, &mut readings).err());
    }
    let bodies: Vec<EventBody> = readings.into_iter().map(|it| it.body).collect();
    bodies.iter().for_each(check_whole);
    (bodies, errors)
}

fn read(event: &str, data: Value) -> Vec<EventBody> {
    let (bodies, errors) = read_all([Arrival::Frame(Frame::new(event, None, data))]);
    assert_eq!(errors, []);
    bodies
}

fn activity_of(event: &str, data: Value) -> Activity {
    match read(event, data).pop() {
        Some(EventBody::Activity(it)) => *it,
        other => panic!("{other:?}"),
    }
}

fn message_of(data: Value) -> Message {
    match read("App\\Events\\ChatMessageEvent", data).pop() {
        Some(EventBody::ChatMessage(it)) => *it,
        other => panic!("{other:?}"),
    }
}

fn joined(fragments: &[Fragment]) -> String {
    fragments.iter().map(Fragment::text).collect()
}

/// Asserts what holds for every event, whatever came.
fn check_whole(event: &EventBody) {
    match event {
        EventBody::ChatMessage(it) => {
            assert_eq!(joined(&it.fragments), it.text);
            let urls = it.author.badges.iter().filter_map(|it| it.url.as_deref());
            assert!(urls.chain(it.author.avatar.as_deref()).all(|it| it.starts_with("/media/at/")));
        }
        EventBody::Activity(it) => {
            assert!(!it.system_text.trim().is_empty(), "{it:?}");
            assert!(it.raw_kind.is_some(), "{it:?}");
            assert_eq!(it.fragments.as_deref().map(joined), it.text);
        }
        _ => {}
    }
    if let Some(id) = event.identity() {
        assert_eq!(id.platform(), Some(Platform::Kick));
    }
    let json = serde_json::to_string(event).unwrap();
    assert_eq!(&serde_json::from_str::<EventBody>(&json).unwrap(), event, "{json}");
}

fn sent(content: &str) -> Value {
    json!({
        "id": "m1", "chatroom_id": 13, "content": content, "type": "message",
        "created_at": "2026-09-27T16:19:59+00:00",
        "sender": {"id": 21, "username": "Bo_Ek", "slug": "bo-ek",
                   "identity": {"color": "#e9113c", "badges": []}},
    })
}

#[test]
fn a_message_is_whole() {
    let mut data = sent("hi [emote:37226:KEKW] @ana\u{7}");
    data["sender"]["identity"]["badges"] = json!([
        {"type": "moderator", "text": "Moderator"},
        {"type": "subscriber", "text": "Subscriber", "count": 7},
        {"type": "sub_gifter", "text": "Sub Gifter", "count": 3, "active": false},
    ]);
    data["sender"]["identity"]["badges_v2"] = json!([
        {"name": "level", "badge_type": "global", "metadata": {"level": 21}, "selected": true,
         "image_url": "https://ext.cdn.kick.com/chat/badges/21.png"},
        {"name": "hidden", "image_url": "https://ext.cdn.kick.com/a.png", "selected": false},
        {"name": "elsewhere", "image_url": "https://example.org/a.png"},
    ]);
    let it = message_of(data);
    assert_eq!((it.id.as_str(), it.text.as_str()), ("kick:m1", "hi [emote:37226:KEKW] @ana"));
    assert_eq!(it.sent_at.to_string(), "2026-09-27T16:19:59.000Z");
    assert_eq!((it.channel.id.as_str(), it.channel.name.as_str()), ("kick:11", "ana"));
    let author = it.author;
    assert_eq!(
        (author.id.as_str(), author.login.as_str(), author.name.as_str()),
        ("kick:21", "bo-ek", "Bo_Ek")
    );
    assert_eq!(author.color.as_deref(), Some("#E9113C"));
    assert_eq!(author.roles, [Role::Moderator, Role::Subscriber]);
    let badges: Vec<_> = author
        .badges
        .iter()
        .map(|it| (it.set.as_str(), it.version.as_str(), it.title.as_deref(), it.url.as_deref()))
        .collect();
    assert_eq!(
        badges,
        [
            ("moderator", "1", Some("Moderator"), None),
            (
                "subscriber",
                "7",
                Some("7-Month Subscriber"),
                Some("/media/at/files.kick.com/channel_subscriber_badges%2F6%2Foriginal")
            ),
            (
                "level",
                "21",
                Some("Level 21"),
                Some("/media/at/ext.cdn.kick.com/chat%2Fbadges%2F21.png")
            ),
            ("elsewhere", "1", Some("elsewhere"), None),
        ]
    );
    let Fragment::Emote { text, emote } = &it.fragments[1] else { panic!("{:?}", it.fragments) };
    assert_eq!((text.as_str(), emote.id.as_str()), ("[emote:37226:KEKW]", "37226"));
    assert_eq!(emote.url, "/media/at/files.kick.com/emotes%2F37226%2Ffullsize");
}

#[test]
fn the_owner_of_the_channel_is_known_without_a_badge() {
    let mut data = sent("hi");
    data["sender"]["id"] = json!(12);
    assert_eq!(message_of(data).author.roles, [Role::Broadcaster]);
}

#[test]
fn a_reply_names_its_parent_by_the_socket_the_history_and_the_webhook() {
    let mut data = sent("yes");
    data["type"] = json!("reply");
    data["metadata"] = json!({"original_sender": {"id": 22, "username": "Cy"},
                              "original_message": {"id": "m0", "content": "is it?"}});
    let by_socket = message_of(data.clone());
    data["metadata"] = json!(data["metadata"].to_string());
    let happening = Happening::History { message: data, historical: true };
    let mut readings = Vec::new();
    normalizer().normalize(&happening, received_at(), &mut readings).unwrap();
    let Some(EventBody::ChatMessage(of_history)) = readings.pop().map(|it| it.body) else {
        panic!()
    };
    assert_eq!(of_history.flags, [Flag::Reply, Flag::Historical]);
    assert_eq!(of_history.reply_to, by_socket.reply_to);
    let reply = by_socket.reply_to.unwrap();
    assert_eq!((reply.id.as_str(), reply.text.as_str()), ("kick:m0", "is it?"));
    assert_eq!(reply.author.id.as_str(), "kick:22");

    let notice = notice(
        "chat.message.sent",
        json!({
            "message_id": "m1", "content": "yes", "created_at": "2026-09-27T16:19:59Z", "emotes": null,
            "sender": {"user_id": 21, "username": "Bo_Ek", "channel_slug": "bo-ek", "is_verified": true,
                       "profile_picture": "https://files.kick.com/a.webp",
                       "identity": {"username_color": "#E9113C", "badges": []}},
            "replies_to": {"message_id": "m0", "content": "is it?", "sender": {"user_id": 22, "username": "Cy"}},
        }),
    );
    let (mut bodies, _) = read_all([Arrival::Webhook(notice)]);
    let Some(EventBody::ChatMessage(by_webhook)) = bodies.pop() else { panic!() };
    assert_eq!(by_webhook.id, by_socket.id, "the room takes them for one");
    assert_eq!(by_webhook.author.id, by_socket.author.id);
    assert_eq!(by_webhook.author.color, by_socket.author.color);
    assert_eq!(by_webhook.reply_to, Some(reply));
    assert_eq!(by_webhook.author.roles, [Role::Verified]);
}

fn notice(kind: &str, body: Value) -> Notice {
    Notice { id: "01J".to_owned(), kind: kind.to_owned(), sent_at: received_at(), body }
}

#[test]
fn bans_are_told_in_seconds_and_without_end_as_null() {
    let user = json!({"id": 31, "username": "Di", "slug": "di"});
    for (rest, seconds) in [
        (json!({"permanent": true}), None),
        (
            json!({"permanent": false, "duration": 5, "expires_at": "2026-09-27T16:25:00+00:00"}),
            Some(300),
        ),
        (json!({}), None),
        (json!({"permanent": true, "duration": 5}), None),
    ] {
        let mut data = rest.clone();
        data["user"] = user.clone();
        let bodies = read("App\\Events\\UserBannedEvent", data);
        let [EventBody::ChatClearUser(it)] = bodies.as_slice() else { panic!("{bodies:?}") };
        assert_eq!((it.author_id.as_str(), it.seconds), ("kick:31", seconds), "{rest}");
    }
    let metadata =
        json!({"created_at": "2026-09-27T16:20:00Z", "expires_at": "2026-09-27T16:22:00Z"});
    let body = json!({"banned_user": {"user_id": 31, "username": "Di"}, "metadata": metadata});
    let (bodies, _) = read_all([Arrival::Webhook(notice("moderation.banned", body))]);
    let [EventBody::ChatClearUser(it)] = bodies.as_slice() else { panic!("{bodies:?}") };
    assert_eq!(it.seconds, Some(120));
}

#[test]
fn the_two_ways_of_telling_the_rules_are_one_event() {
    let chatroom = json!({"id": 13, "subscribers_mode": {"enabled": true}, "emotes_mode": {"enabled": false},
        "slow_mode": {"enabled": true, "message_interval": 5},
        "followers_mode": {"enabled": true, "min_duration": 2}});
    let settings = json!({"id": "x", "channel": {"id": 11}, "settings": {
        "slow_mode": {"duration_seconds": 5, "enabled": true},
        "followers_only_mode": {"duration_seconds": 120, "enabled": true},
        "subscribers_only_mode": {"enabled": true}, "emotes_only_mode": {"enabled": false}}});
    let first = Arrival::Frame(Frame::new("App\\Events\\ChatroomUpdatedEvent", None, chatroom));
    let second = Arrival::Frame(Frame::new("ChatSettingsChanged", None, settings));
    for order in [[first.clone(), second.clone()], [second, first]] {
        let (bodies, errors) = read_all(order);
        assert_eq!(errors, []);
        let [EventBody::RoomState(it)] = bodies.as_slice() else { panic!("{bodies:?}") };
        assert_eq!((it.slow_seconds, it.followers_only_minutes), (5, Some(2)));
        assert!(it.subscribers_only && !it.emote_only && !it.unique_chat);
    }
}

#[test]
fn activities_say_what_happened() {
    let raid = activity_of(
        "App\\Events\\StreamHostEvent",
        json!({"chatroom_id": 13, "host_username": "Cy", "number_viewers": 44, "optional_message": "hi"}),
    );
    assert_eq!((raid.kind, raid.count), (ActivityKind::Raid, Some(44)));
    assert_eq!(
        (raid.system_text.as_str(), raid.text.as_deref()),
        ("Cy raids with 44 viewers", Some("hi"))
    );

    let kicks = activity_of(
        "KicksGifted",
        json!({"gift_transaction_id": "t1", "message": "go", "sender": {"id": 21, "username": "Bo"},
               "gift": {"gift_id": "x", "name": "Rage Quit", "amount": 500, "tier": "MID"},
               "created_at": "2026-09-27T16:19:58.484939359Z"}),
    );
    assert_eq!((kicks.kind, kicks.id.as_str()), (ActivityKind::Paid, "kick:t1"));
    let amount = kicks.amount.unwrap();
    assert_eq!((amount.value, amount.currency.as_str()), (500, "kicks"));
    assert_eq!(kicks.system_text, "Bo sent Rage Quit (500 kicks)");

    let reward = activity_of(
        "RewardRedeemedEvent",
        json!({"reward_title": "Hydrate", "username": "Bo", "user_id": 21, "user_input": ""}),
    );
    assert_eq!((reward.kind, reward.text), (ActivityKind::Redemption, None));
    assert_eq!(reward.system_text, "Bo redeemed Hydrate");

    let new = activity_of("App\\Events\\BrandNewEvent", json!({"id": "n1"}));
    assert_eq!((new.kind, new.id.as_str()), (ActivityKind::Other, "kick:BrandNewEvent-n1"));
    assert_eq!(new.raw_kind.as_deref(), Some("App\\Events\\BrandNewEvent"));
    assert_eq!(activity_of("drops", json!(7)).kind, ActivityKind::Other);
}

#[test]
fn a_pin_vanishes_with_its_message_and_a_poll_is_told_twice_however_many_vote() {
    let pin = activity_of(
        "App\\Events\\PinnedMessageCreatedEvent",
        json!({"message": sent("rules"), "duration": "1200", "pinnedBy": {"id": 12, "username": "Ana"}}),
    );
    assert_eq!((pin.kind, pin.id.as_str()), (ActivityKind::Announcement, "kick:m1"));
    assert_eq!(
        (pin.system_text.as_str(), pin.text.as_deref()),
        ("Ana pinned a message of Bo_Ek", Some("rules"))
    );
    let poll = |votes: u64| {
        let options = json!([{"id": 0, "label": "yes", "votes": votes}, {"id": 1, "label": "no", "votes": 1}]);
        let data = json!({"poll": {"title": "Again?", "options": options, "duration": 30, "remaining": 5}});
        Arrival::Frame(Frame::new("App\\Events\\PollUpdateEvent", None, data))
    };
    let end = Arrival::Frame(Frame::new("App\\Events\\PollDeleteEvent", None, json!([])));
    let (bodies, _) = read_all([poll(0), poll(1), poll(2), end]);
    let texts: Vec<_> = bodies
        .iter()
        .map(|it| match it {
            EventBody::Activity(it) => it.system_text.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts, ["Poll: Again? (yes / no)", "The poll ended: Again? (yes 2, no 1)"]);
}

#[test]
fn what_lacks_its_essence_is_an_error_and_never_an_event() {
    for (event, data) in [
        ("ChatMessageEvent", json!({"id": "a"})),
        ("ChatMessageEvent", json!({"content": "a", "sender": {}})),
        ("ChatMessageEvent", json!([])),
        ("MessageDeletedEvent", json!({"id": "a"})),
        ("UserBannedEvent", json!({"user": {"username": "a"}})),
        ("KicksGifted", json!({"gift": {}})),
        ("StreamHostEvent", json!({})),
        ("PollUpdateEvent", json!(null)),
        ("GiftedSubscriptionsEvent", json!({})),
    ] {
        let (bodies, errors) = read_all([Arrival::Frame(Frame::new(event, None, data.clone()))]);
        assert_eq!((bodies.len(), errors.len()), (0, 1), "{event} {data}");
    }
}

/// Any JSON, near to what comes.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!("[emote:1:a]")),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let keys = prop::sample::select(vec![
            "id",
            "user",
            "username",
            "message",
            "content",
            "sender",
            "metadata",
            "celebration",
            "type",
            "action",
            "gift",
            "amount",
            "gifted_usernames",
            "gifter_username",
            "chunk_details",
            "poll",
            "options",
            "label",
            "months",
            "usernames",
            "settings",
            "slow_mode",
            "created_at",
            "subscriber",
            "giftees",
            "follower",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys, inner), 0..6).prop_map(|it| it
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

const NAMES: [&str; 24] = [
    "ChatMessageEvent",
    "MessageDeletedEvent",
    "UserBannedEvent",
    "UserUnbannedEvent",
    "ChatroomClearEvent",
    "ChatroomUpdatedEvent",
    "ChatSettingsChanged",
    "PinnedMessageCreatedEvent",
    "PollUpdateEvent",
    "PollDeleteEvent",
    "StreamHostEvent",
    "StreamHostedEvent",
    "ChatMoveToSupportedChannelEvent",
    "RewardRedeemedEvent",
    "KicksGifted",
    "FollowersUpdated",
    "GoalProgressUpdateEvent",
    "SubscriptionEvent",
    "GiftedSubscriptionsEvent",
    "SubscriptionGifted",
    "ChatMessageSentEvent",
    "NewActivityFeedEvent",
    "LuckyUsersWhoGotGiftSubscriptionsEvent",
    "New",
];
const KINDS: [&str; 9] = [
    "chat.message.sent",
    "channel.followed",
    "channel.subscription.new",
    "channel.subscription.gifts",
    "channel.reward.redemption.updated",
    "kicks.gifted",
    "moderation.banned",
    "livestream.status.updated",
    "new",
];

proptest! {
    #[test]
    fn nothing_that_comes_makes_it_panic(
        frames in prop::collection::vec((prop::sample::select(&NAMES), any_json()), 0..6),
        notices in prop::collection::vec((prop::sample::select(&KINDS), any_json()), 0..4),
    ) {
        let frames = frames.into_iter().map(|(name, data)| Arrival::Frame(Frame::new(name, None, data)));
        let notices = notices.into_iter().map(|(kind, body)| Arrival::Webhook(notice(kind, body)));
        read_all(frames.chain(notices));
    }
}

/// What each recorded payload comes to: file name to a line per event. `None` without the captures, which are
/// strangers' chat and so are not part of this repository.
fn captured(folder: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/kick").join(folder);
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: no captures at {}", folder.display());
        return None;
    };
    let mut outcomes = BTreeMap::new();
    for path in entries.map(|it| it.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = if name.ends_with(".jsonl") {
            text.lines().filter(|it| !it.is_empty()).collect()
        } else {
            vec![&text]
        };
        let arrivals: Vec<Arrival> = lines.iter().filter_map(|it| arrival(&name, it)).collect();
        let (bodies, errors) = read_all(arrivals);
        let mut said: Vec<String> = bodies.iter().map(summary).collect();
        said.extend(errors.iter().map(|it| format!("error: {it}")));
        outcomes.insert(name, said);
    }
    Some(outcomes)
}

/// A payload as the worker would meet it; `None` for one that is no event.
fn arrival(name: &str, text: &str) -> Option<Arrival> {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|it| panic!("{name}: {it}"));
    if let Some(inner) = value.pointer("/push/pub/data") {
        let channel = value["push"]["channel"].as_str();
        return Some(Arrival::Frame(Frame::new(
            inner["event"].as_str()?,
            channel,
            inner["data"].clone(),
        )));
    }
    if value["event"].is_string() {
        return Frame::parse(text).map(Arrival::Frame);
    }
    let stem = name.split("--").next().unwrap();
    let of_data = [
        ("data-chat-message", "App\\Events\\ChatMessageEvent"),
        ("data-chatroom-clear", "App\\Events\\ChatroomClearEvent"),
        ("data-stream-hosted", "App\\Events\\StreamHostedEvent"),
        ("data-stream-host", "App\\Events\\StreamHostEvent"),
        ("data-user-banned", "App\\Events\\UserBannedEvent"),
    ];
    if let Some((_, event)) = of_data.iter().find(|it| stem.starts_with(it.0)) {
        return Some(Arrival::Frame(Frame::new(event, None, value)));
    }
    if let Some(kind) = value["headers"]["Kick-Event-Type"].as_str() {
        let body = serde_json::from_str(value["body"].as_str()?).unwrap();
        return Some(Arrival::Webhook(notice(kind, body)));
    }
    let kind = stem.split('-').next()?;
    value.get("broadcaster").map(|_| Arrival::Webhook(notice(kind, value.clone())))
}

/// An event by its structure: nothing of what anybody wrote or is called.
fn summary(body: &EventBody) -> String {
    let id_shape = |id: &QualifiedId| {
        let own = id.own_id();
        if own.starts_with("local-") {
            "invented"
        } else if own.starts_with('@') {
            "name"
        } else {
            "id"
        }
    };
    match body {
        EventBody::ChatMessage(it) => {
            let emotes =
                it.fragments.iter().filter(|it| matches!(it, Fragment::Emote { .. })).count();
            let pictures = it.author.badges.iter().filter(|it| it.url.is_some()).count();
            format!(
                "message {} by {} flags {:?} reply {} emotes {emotes} badges {}/{pictures} roles {:?}",
                id_shape(&it.id),
                id_shape(&it.author.id),
                it.flags,
                it.reply_to.is_some(),
                it.author.badges.len(),
                it.author.roles,
            )
        }
        EventBody::Activity(it) => {
            let amount = it.amount.as_ref().map(|it| format!("{} {}", it.value, it.currency));
            format!(
                "{:?} {} by {} count {:?} months {:?} recipients {:?} amount {amount:?} words {}",
                it.kind,
                id_shape(&it.id),
                it.author.as_ref().map_or("nobody", |it| id_shape(&it.id)),
                it.count,
                it.months,
                it.recipients.as_ref().map(Vec::len),
                it.text.is_some(),
            )
        }
        EventBody::ChatClearUser(it) => format!("clear_user {:?}", it.seconds),
        EventBody::RoomState(it) => format!(
            "room.state slow {} followers {:?} subs {} emotes {}",
            it.slow_seconds, it.followers_only_minutes, it.subscribers_only, it.emote_only
        ),
        other => other.kind().to_owned(),
    }
}

/// Goal: every recorded payload comes to what it should.
/// Method: the captures, folded and normalized as a worker would, against a table of their structure; a file that
/// is not in the table fails, so that none goes unlooked at.
#[test]
fn every_recorded_payload_comes_to_its_event() {
    let table = include_str!("captures.txt");
    let mut expected: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut file = "";
    for line in table.lines().filter(|it| !it.is_empty()) {
        match line.strip_prefix("    ") {
            Some(event) => expected.get_mut(file).unwrap().push(event),
            None => {
                file = line;
                expected.insert(file, Vec::new());
            }
        }
    }
    let mut missing = String::new();
    for folder in ["centrifugo", "pusher", "webhooks"] {
        let Some(outcomes) = captured(folder) else { return };
        for (name, said) in outcomes {
            if expected.get(name.as_str()).is_none_or(|it| *it != said) {
                missing.push_str(&format!("{name}\n"));
                said.iter().for_each(|it| missing.push_str(&format!("    {it}\n")));
            }
        }
    }
    assert!(missing.is_empty(), "other than in captures.txt:\n{missing}");
}

#[test]
fn a_table_of_times_is_kept_while_something_is_held() {
    let mut fold = Fold::default();
    let data = json!({"chatroom_id": 13, "username": "Bo", "months": 2});
    let frame = Frame::new("App\\Events\\SubscriptionEvent", None, data);
    let now = now();
    assert!(fold.accept(Arrival::Frame(frame), now).is_empty());
    assert_eq!(fold.due(), Some(now.at + Duration::from_secs(2)));
}
