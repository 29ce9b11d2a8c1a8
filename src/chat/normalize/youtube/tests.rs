use std::{collections::BTreeMap, fs, path::Path};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::{EventBody, Fragment, Role};

const NOW: &str = "2026-11-24T18:00:00Z";

fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

fn usec(seconds: i64) -> String {
    (now().plus_ms(seconds * 1000).unix_ms() * 1000).to_string()
}

fn action(action: Value) -> Item {
    Item::Action { action, backlog: false }
}

fn added(kind: &str, renderer: Value) -> Item {
    action(json!({"clickTrackingParams": "x", "addChatItemAction": {"item": {kind: renderer}}}))
}

fn read_with(normalizer: &mut YoutubeNormalizer, item: &Item) -> Vec<EventBody> {
    let mut readings = Vec::new();
    normalizer.normalize(item, now(), &mut readings).unwrap();
    readings.into_iter().map(|it| it.body).collect()
}

fn read(item: &Item) -> Vec<EventBody> {
    read_with(&mut YoutubeNormalizer::new("@ana"), item)
}

fn one_activity(item: &Item) -> Activity {
    match read(item).as_slice() {
        [EventBody::Activity(it)] => (**it).clone(),
        other => panic!("{other:?}"),
    }
}

fn one_message(item: &Item) -> Message {
    match read(item).as_slice() {
        [EventBody::ChatMessage(it)] => (**it).clone(),
        other => panic!("{other:?}"),
    }
}

fn renderer(id: &str, extra: Value) -> Value {
    let mut it = json!({
        "id": id, "timestampUsec": usec(5), "authorExternalChannelId": "UCbo",
        "authorName": {"simpleText": "@Bo"},
    });
    it.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    it
}

fn resource(id: &str, kind: &str, details: Value) -> Item {
    let mut snippet = json!({
        "type": kind, "authorChannelId": "UCbo", "publishedAt": "2026-11-24T18:00:05.123456+00:00",
        "hasDisplayContent": true,
    });
    snippet.as_object_mut().unwrap().extend(details.as_object().unwrap().clone());
    Item::Resource {
        resource: json!({"id": id, "snippet": snippet, "authorDetails": {
            "channelId": "UCbo", "displayName": "@Bo", "isChatModerator": true,
        }}),
    }
}

/// What the site and the Data API write for one message.
fn ids(server: &str) -> (String, String) {
    let id = message_id::MessageId::of_feed(server);
    // `{5: {1: …}}` in Base64, as a `liveChatId` is.
    let api = id.for_data_api("KgYKBFVDYWE").unwrap();
    // The site's is `{1: {1: server}}`.
    let mut inner = vec![0x0a, server.len() as u8];
    inner.extend_from_slice(server.as_bytes());
    let mut bytes = vec![0x0a, inner.len() as u8];
    bytes.extend_from_slice(&inner);
    use base64::Engine;
    (base64::engine::general_purpose::URL_SAFE.encode(bytes), api)
}

#[test]
fn a_message_is_one_and_the_same_by_both_ways_and_so_is_its_deletion() {
    let (site, api) = ids("CAxxxxxxxxxxFQxxxxxxxxxxxx");
    let text = json!({"message": {"runs": [{"text": "hello"}]}});
    let by_site = one_message(&added("liveChatTextMessageRenderer", renderer(&site, text)));
    let details = json!({"textMessageDetails": {"messageText": "hello"}});
    let by_api = one_message(&resource(&api, "textMessageEvent", details));
    assert_eq!(by_site.id.as_str(), "youtube:CAxxxxxxxxxxFQxxxxxxxxxxxx");
    assert_eq!(by_site.id, by_api.id);
    assert_eq!((by_site.text, by_site.author.login), (by_api.text, by_api.author.login));
    assert_eq!(by_api.author.roles, [Role::Moderator]);
    let deleted = |events: Vec<EventBody>| match events.as_slice() {
        [EventBody::ChatDelete(it)] => it.message_id.clone(),
        other => panic!("{other:?}"),
    };
    for kind in ["markChatItemAsDeletedAction", "removeChatItemAction"] {
        let site = action(json!({kind: {"targetItemId": site}}));
        assert_eq!(deleted(read(&site)), by_site.id);
    }
    let details = json!({"messageDeletedDetails": {"deletedMessageId": api}});
    assert_eq!(deleted(read(&resource("d", "messageDeletedEvent", details))), by_site.id);
    assert_eq!(deleted(read(&resource(&api, "tombstone", json!({})))), by_site.id);
}

/// Goal: no message twice during a change of ways, even if ids could not be understood any more.
#[test]
fn a_message_whose_two_ids_are_not_understood_is_recognised_by_who_wrote_it_and_when() {
    let mut normalizer = YoutubeNormalizer::new("@ana");
    let text = json!({"message": {"runs": [{"text": "hi"}]}, "timestampUsec": usec(5)});
    let site = added("liveChatTextMessageRenderer", renderer("new-form-1", text.clone()));
    let mut details = json!({"textMessageDetails": {"messageText": "hi"}});
    details["publishedAt"] = "2026-11-24T18:00:05.000001Z".into();
    let api = resource("newer-form-9", "textMessageEvent", details);
    assert_eq!(read_with(&mut normalizer, &site).len(), 1);
    assert_eq!(read_with(&mut normalizer, &api), [], "the same message");
    let target = json!({"messageDeletedDetails": {"deletedMessageId": "newer-form-9"}});
    let deleted = read_with(&mut normalizer, &resource("d", "messageDeletedEvent", target));
    let [EventBody::ChatDelete(it)] = deleted.as_slice() else { panic!("{deleted:?}") };
    assert_eq!(it.message_id.as_str(), "youtube:new-form-1", "the one that is shown");
    // By one way, two messages are two.
    let second = added("liveChatTextMessageRenderer", renderer("new-form-2", text));
    assert_eq!(read_with(&mut normalizer, &second).len(), 1);
}

#[test]
fn what_was_written_before_this_server_looked_is_history() {
    let old = json!({"message": {"runs": [{"text": "x"}]}, "timestampUsec": usec(-30)});
    assert!(
        one_message(&added("liveChatTextMessageRenderer", renderer("1", old)))
            .has(Flag::Historical)
    );
    let new = json!({"message": {"runs": [{"text": "x"}]}});
    assert!(
        !one_message(&added("liveChatTextMessageRenderer", renderer("1", new)))
            .has(Flag::Historical)
    );
    let details = json!({"publishedAt": "2026-11-24T17:59:00Z",
                         "textMessageDetails": {"messageText": "x"}});
    assert!(one_message(&resource("1", "textMessageEvent", details)).has(Flag::Historical));
}

#[test]
fn what_is_paid_is_counted_once_with_its_amount() {
    let paid = json!({"purchaseAmountText": {"simpleText": "CA$20.00"}});
    let chat = one_message(&added("liveChatPaidMessageRenderer", renderer("1", paid.clone())));
    assert_eq!(chat.amount.as_ref().unwrap().value, 2_000);
    assert_eq!(chat.text, "", "a Super Chat may be silent");
    let ticker = action(json!({"addLiveChatTickerItemAction": {"item": {
        "liveChatTickerPaidMessageItemRenderer": {"id": "1", "showItemEndpoint": {
            "showLiveChatItemEndpoint": {"renderer": {
                "liveChatPaidMessageRenderer": renderer("1", paid)}}}}}}}));
    assert_eq!(read(&ticker), []);
    let sticker = one_activity(&added(
        "liveChatPaidStickerRenderer",
        renderer(
            "2",
            json!({
                "purchaseAmountText": {"simpleText": "1.000,00 €"},
                "sticker": {"thumbnails": [{"url": "//lh3.googleusercontent.com/s=s208"}],
                            "accessibility": {"accessibilityData": {"label": "A cat"}}},
            }),
        ),
    ));
    assert_eq!((sticker.kind, sticker.amount.unwrap().value), (ActivityKind::Paid, 100_000));
    assert!(
        matches!(&sticker.fragments.unwrap()[..], [Fragment::Emote { text, .. }] if text == "A cat")
    );
    let by_api = json!({"superStickerDetails": {"amountMicros": "2000000", "currency": "USD",
        "amountDisplayString": "$2.00", "superStickerMetadata": {"altText": "A cat"}}});
    let by_api = one_activity(&resource("3", "superStickerEvent", by_api));
    assert_eq!(by_api.raw_kind, sticker.raw_kind, "one word for one thing");
    assert_eq!(by_api.amount.unwrap().value, 200);
}

#[test]
fn memberships_begin_last_and_are_given() {
    let kind = "liveChatMembershipItemRenderer";
    let welcome = json!({"headerSubtext": {"runs": [{"text": "Welcome to "}, {"text": "Gold"}, {"text": "!"}]}});
    let new = one_activity(&added(kind, renderer("1", welcome)));
    assert_eq!((new.kind, new.tier.as_deref()), (ActivityKind::Membership, Some("Gold")));
    assert_eq!(new.system_text, "@Bo: Welcome to Gold!");
    let milestone = json!({
        "headerPrimaryText": {"runs": [{"text": "Member for "}, {"text": "27"}, {"text": " months"}]},
        "headerSubtext": {"simpleText": "Gold"}, "message": {"runs": [{"text": "yay"}]},
    });
    let milestone = one_activity(&added(kind, renderer("2", milestone)));
    assert_eq!((milestone.kind, milestone.months), (ActivityKind::Milestone, Some(27)));
    assert_eq!((milestone.tier.as_deref(), milestone.text.as_deref()), (Some("Gold"), Some("yay")));

    let gift = one_activity(&added(
        "liveChatSponsorshipsGiftPurchaseAnnouncementRenderer",
        json!({"id": "3", "timestampUsec": usec(1), "authorExternalChannelId": "UCbo", "header": {
            "liveChatSponsorshipsHeaderRenderer": {"authorName": {"simpleText": "@Bo"}, "primaryText": {
                "runs": [{"text": "Sent "}, {"text": "1,000"}, {"text": " "}, {"text": "Ana 2"},
                         {"text": " gift memberships"}]}}}}),
    ));
    assert_eq!((gift.kind, gift.count), (ActivityKind::Gift, Some(1_000)));
    assert_eq!(gift.author.unwrap().name, "@Bo");
    let given = one_activity(&added(
        "liveChatSponsorshipsGiftRedemptionAnnouncementRenderer",
        renderer(
            "4",
            json!({"message": {"runs": [{"text": "received a gift membership by "}, {"text": "Cy"}]}}),
        ),
    ));
    assert_eq!((given.kind, given.count, given.part_of), (ActivityKind::Gift, Some(0), None));
    assert_eq!(given.recipients.unwrap()[0].name, "@Bo");
    let (_, bundle) = ids("CAgift");
    let details = json!({"giftMembershipReceivedDetails": {"memberLevelName": "Gold",
        "gifterChannelId": "UCcy", "associatedMembershipGiftingMessageId": bundle}});
    let linked = one_activity(&resource("5", "giftMembershipReceivedEvent", details));
    assert_eq!(linked.count, Some(0));
    assert_eq!(linked.part_of.unwrap().as_str(), "youtube:CAgift");
    let details = json!({"membershipGiftingDetails": {"giftMembershipsCount": 5}});
    let bought = one_activity(&resource(&ids("CAgift").1, "membershipGiftingEvent", details));
    assert_eq!((bought.count, bought.part_of.unwrap().as_str()), (Some(5), "youtube:CAgift"));
}

#[test]
fn those_who_are_banned_or_hidden_are_cleared_and_no_fresh_page_clears_them_again() {
    let details = json!({"userBannedDetails": {"banType": "temporary", "banDurationSeconds": "300",
        "bannedUserDetails": {"channelId": "UCcy"}}});
    let banned = read(&resource("1", "userBannedEvent", details));
    let [EventBody::ChatClearUser(it)] = banned.as_slice() else { panic!("{banned:?}") };
    assert_eq!((it.author_id.as_str(), it.seconds), ("youtube:UCcy", Some(300)));
    let mut normalizer = YoutubeNormalizer::new("@ana");
    let hide = json!({"removeChatItemByAuthorAction": {"externalChannelId": "UCcy"}});
    assert_eq!(read_with(&mut normalizer, &action(hide.clone())).len(), 1);
    assert_eq!(read_with(&mut normalizer, &Item::Action { action: hide, backlog: true }), []);
}

#[test]
fn whoever_writes_again_is_cleared_again_and_a_copy_of_a_clear_is_none() {
    let mut normalizer = YoutubeNormalizer::new("@ana");
    let hide = action(json!({"removeChatItemByAuthorAction": {"externalChannelId": "UCbo"}}));
    let said = |id: &str| {
        added(
            "liveChatTextMessageRenderer",
            renderer(id, json!({"message": {"runs": [{"text": "again"}]}})),
        )
    };
    // The room takes events of one key for one.
    let mut keys = HashSet::new();
    let mut clears = |normalizer: &mut YoutubeNormalizer, item: &Item| {
        let mut readings = Vec::new();
        normalizer.normalize(item, now(), &mut readings).unwrap();
        readings.retain(|it| matches!(it.body, EventBody::ChatClearUser(_)));
        readings.retain(|it| it.key.is_none_or(|key| keys.insert(key)));
        readings.len()
    };
    clears(&mut normalizer, &said("1"));
    assert_eq!(clears(&mut normalizer, &hide), 1);
    assert_eq!(clears(&mut normalizer, &hide), 0, "a copy");
    clears(&mut normalizer, &said("2"));
    assert_eq!(clears(&mut normalizer, &hide), 1, "within the same minute");
}

#[test]
fn a_clear_reaches_what_comes_late_and_one_of_a_fresh_page_reaches_nothing() {
    let hide = json!({"removeChatItemByAuthorAction": {"externalChannelId": "UCcy"}});
    let mut readings = Vec::new();
    let mut normalizer = YoutubeNormalizer::new("@ana");
    let backlog = Item::Action { action: hide.clone(), backlog: true };
    normalizer.normalize(&backlog, now(), &mut readings).unwrap();
    assert_eq!(readings, [], "of a time before those that were told already");
    normalizer.normalize(&action(hide), now(), &mut readings).unwrap();
    assert_eq!(readings[0].sent_at, Some(now()));
}

#[test]
fn banners_polls_and_rules_are_told() {
    let banner = |contents: Value| {
        action(json!({"addBannerToLiveChatCommand": {"bannerRenderer": {"liveChatBannerRenderer":
            {"actionId": "b", "contents": contents}}}}))
    };
    let raid = one_activity(&banner(json!({"liveChatBannerRedirectRenderer": {"bannerMessage": {
        "runs": [{"text": "@Cy", "bold": true}, {"text": " and their viewers just joined. Say hello!"}]}}})));
    assert_eq!((raid.kind, raid.author.unwrap().login.as_str()), (ActivityKind::Raid, "cy"));
    let pinned = one_activity(&banner(json!({"liveChatTextMessageRenderer":
        renderer("1", json!({"message": {"runs": [{"text": "rules"}]}}))})));
    assert_eq!((pinned.kind, pinned.text.as_deref()), (ActivityKind::Announcement, Some("rules")));
    assert_ne!(pinned.id.as_str(), "youtube:1", "the message itself is another thing");

    let poll = |share: &str| {
        json!({"pollRenderer": {"liveChatPollId": "p", "choices": [
            {"text": {"runs": [{"text": "yes"}]}, "votePercentage": {"simpleText": share}}],
            "header": {"pollHeaderRenderer": {"pollQuestion": {"runs": [{"text": "Well?"}]},
                       "metadataText": {"runs": [{"text": "@Ana • now • 1,234 votes"}]}}}}})
    };
    let mut normalizer = YoutubeNormalizer::new("@ana");
    let open = action(json!({"showLiveChatActionPanelAction": {"panelToShow":
        {"liveChatActionPanelRenderer": {"contents": poll("")}}}}));
    let opened = read_with(&mut normalizer, &open);
    let [EventBody::Activity(opened)] = opened.as_slice() else { panic!("{opened:?}") };
    assert_eq!(opened.system_text, "Poll: Well? (yes)");
    let update = action(json!({"updateLiveChatPollAction": {"pollToUpdate": poll("91%")}}));
    assert_eq!(read_with(&mut normalizer, &update), [], "not each of many counts");
    let mut later = Vec::new();
    normalizer.normalize(&update, now().plus_ms(20_000), &mut later).unwrap();
    let EventBody::Activity(later) = &later[0].body else { panic!("{later:?}") };
    assert_eq!(
        (later.system_text.as_str(), later.count),
        ("Poll so far: Well? (yes 91%)", Some(1_234))
    );
    assert_eq!(later.part_of.as_ref(), Some(&opened.id));

    let slow = added(
        "liveChatModeChangeMessageRenderer",
        json!({"id": "m",
        "icon": {"iconType": "SLOW_MODE"}, "text": {"runs": [{"text": "Slow mode is on"}]},
        "subtext": {"runs": [{"text": "Send a message every "}, {"text": "60 seconds"}]}}),
    );
    let slow = read(&slow);
    assert!(matches!(&slow[..], [EventBody::RoomState(it)] if it.slow_seconds == 60), "{slow:?}");
}

#[test]
fn what_nobody_knows_is_named_and_interface_only_is_nothing() {
    let item = one_activity(&added("liveChatHologramRenderer", renderer("1", json!({}))));
    assert_eq!(item.kind, ActivityKind::Other);
    assert_eq!(item.raw_kind.as_deref(), Some("liveChatHologramRenderer"));
    let mut normalizer = YoutubeNormalizer::new("@ana");
    let unknown = action(json!({"holographicAction": {"x": 1}}));
    let told = read_with(&mut normalizer, &unknown);
    assert!(
        matches!(&told[..], [EventBody::Activity(it)] if it.raw_kind.as_deref() == Some("holographicAction"))
    );
    assert_eq!(read_with(&mut normalizer, &unknown), [], "once is enough");
    let api = one_activity(&resource("1", "someFutureEvent", json!({"hasDisplayContent": false})));
    assert_eq!(api.raw_kind.as_deref(), Some("someFutureEvent"));
    for nothing in [
        "removeBannerForLiveChatCommand",
        "showLiveChatTooltipCommand",
        "closeLiveChatActionPanelAction",
        "showCreatorGoalTickerChipCommand",
    ] {
        assert_eq!(read(&action(json!({nothing: {}}))), []);
    }
    let placeholder = json!({"replaceChatItemAction": {"targetItemId": "1", "replacementItem": {
        "liveChatPlaceholderItemRenderer": {"id": "1"}}}});
    assert_eq!(read(&action(placeholder)), []);
    let filled = json!({"replaceChatItemAction": {"targetItemId": "1", "replacementItem": {
        "liveChatTextMessageRenderer": renderer("1", json!({"message": {"runs": [{"text": "ok"}]}}))}}});
    assert_eq!(one_message(&action(filled)).text, "ok");
}

#[test]
fn the_sites_own_notice_is_one_however_often_a_page_is_loaded() {
    let notice = |id: &str| {
        one_activity(&added(
            "liveChatViewerEngagementMessageRenderer",
            json!({"id": id,
            "icon": {"iconType": "YOUTUBE_ROUND"}, "message": {"runs": [{"text": "Welcome!"}]}}),
        ))
    };
    assert_eq!(notice("1").id, notice("2").id);
    assert!(notice("1").flags.contains(&Flag::System));
}

fn json_value() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        prop::sample::select(vec![
            "addChatItemAction",
            "item",
            "id",
            "runs",
            "text",
            "message",
            "authorName",
            "emoji",
            "image",
            "thumbnails",
            "url",
            "snippet",
            "type",
            "liveChatTextMessageRenderer",
            "timestampUsec",
            "liveChatPaidMessageRenderer",
            "purchaseAmountText",
            "simpleText",
            "replayChatItemAction",
            "actions",
            "authorExternalChannelId",
            "updateLiveChatPollAction",
            "pollToUpdate",
            "pollRenderer",
            "liveChatMembershipItemRenderer",
            "headerPrimaryText",
            "authorBadges",
            "replaceChatItemAction",
            "replacementItem",
            "targetItemId",
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z]{1,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![
            "textMessageEvent",
            "$5.00",
            "1.000,00 €",
            "",
            "Member for 99999999999 years",
            "CgA=",
            "LCC.",
            "https://yt3.ggpht.com/a",
            "9223372036854775807"
        ])
        .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_that_is_sent_panics_and_fragments_make_up_the_text(value in json_value()) {
        let mut normalizer = YoutubeNormalizer::new("@ana");
        for item in [
            action(value.clone()),
            action(json!({"addChatItemAction": {"item": value.clone()}})),
            added("liveChatPaidMessageRenderer", value.clone()),
            added("liveChatMembershipItemRenderer", value.clone()),
            Item::Resource { resource: value.clone() },
            resource("1", "superChatEvent", json!({"superChatDetails": value})),
        ] {
            let mut readings = Vec::new();
            let _ = normalizer.normalize(&item, now(), &mut readings);
            for reading in readings {
                check_whole(&reading.body);
            }
        }
    }
}

fn check_whole(event: &EventBody) {
    let (text, fragments, author) = match event {
        EventBody::ChatMessage(it) => (Some(&it.text), Some(&it.fragments), Some(&it.author)),
        EventBody::Activity(it) => {
            assert!(!it.system_text.trim().is_empty(), "{it:?}");
            (it.text.as_ref(), it.fragments.as_ref(), it.author.as_ref())
        }
        _ => return,
    };
    let joined: Option<String> = fragments.map(|it| it.iter().map(Fragment::text).collect());
    assert_eq!(joined.as_ref(), text);
    // Pictures come from this server alone.
    let emotes = fragments.into_iter().flatten().filter_map(|it| match it {
        Fragment::Emote { emote, .. } => Some(&emote.url),
        _ => None,
    });
    let badges = author.into_iter().flat_map(|it| &it.badges).filter_map(|it| it.url.as_ref());
    let avatar = author.and_then(|it| it.avatar.as_ref());
    for url in emotes.chain(badges).chain(avatar) {
        assert!(url.starts_with("/media/at/"), "{url}");
    }
}

/// Every action and resource in a recorded file, whatever is wrapped around it.
fn recorded(name: &str, value: Value) -> Vec<Item> {
    if let Some(items) = value["items"].as_array() {
        let items = items.iter().filter(|it| it["snippet"]["type"].is_string());
        return items.map(|it| Item::Resource { resource: it.clone() }).collect();
    }
    let inner = value.get("response").cloned().unwrap_or(value);
    // Refusals are read in platforms/youtube/data_api.rs.
    if inner.get("error").is_some() || inner[0].get("error").is_some() {
        return Vec::new();
    }
    let chat = &inner["continuationContents"]["liveChatContinuation"];
    if chat.is_object() || inner.get("responseContext").is_some() {
        let actions = chat["actions"].as_array().cloned().unwrap_or_default();
        return actions.into_iter().map(action).collect();
    }
    if let Value::Array(all) = inner {
        return all.into_iter().map(action).collect();
    }
    // Some files hold a bare renderer; which one, their name says.
    for (part, kind) in [
        ("gift-purchase-", "liveChatSponsorshipsGiftPurchaseAnnouncementRenderer"),
        ("gift-redemption", "liveChatSponsorshipsGiftRedemptionAnnouncementRenderer"),
        ("membership-", "liveChatMembershipItemRenderer"),
        ("addcomment", "liveChatTextMessageRenderer"),
    ] {
        if name.contains(part) && inner.get("id").is_some() {
            return vec![added(kind, inner)];
        }
    }
    vec![action(inner)]
}

/// What became of a recorded file, in short: kinds with counts, and what is special.
fn summary(events: &[EventBody]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for event in events {
        check_whole(event);
        let what = match event {
            EventBody::ChatMessage(it) => {
                let paid = it.amount.as_ref().map(|it| format!(" {} {}", it.value, it.currency));
                format!("message{}", paid.unwrap_or_default())
            }
            EventBody::Activity(it) => {
                let mut text =
                    format!("{:?} {}", it.kind, it.raw_kind.as_deref().unwrap_or_default());
                if let Some(amount) = &it.amount {
                    text.push_str(&format!(" {} {}", amount.value, amount.currency));
                }
                for (name, number) in [("x", it.count), ("m", it.months.map(u64::from))] {
                    if let Some(number) = number {
                        text.push_str(&format!(" {name}{number}"));
                    }
                }
                text
            }
            other => other.kind().to_owned(),
        };
        *counts.entry(what).or_default() += 1;
    }
    let counts = counts.into_iter().map(|(what, count)| format!("{count} {what}"));
    counts.collect::<Vec<_>>().join(", ")
}

/// Goal: each recorded file is understood as what it is.
/// Method: a table of what must come of it; a file without a line fails.
#[test]
fn every_recorded_file_becomes_what_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/youtube");
    if !folder.is_dir() {
        eprintln!("skipped: no captures at {}", folder.display());
        return;
    }
    let expected: BTreeMap<&str, &str> = EXPECTED.iter().copied().collect();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for part in ["innertube", "data-api"] {
        for path in fs::read_dir(folder.join(part)).unwrap().map(|it| it.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.contains(".json") {
                continue; // Pages are read in platforms/youtube/page.
            }
            seen += 1;
            let text = fs::read_to_string(&path).unwrap();
            let mut normalizer = YoutubeNormalizer::new("@ana");
            let lines: Vec<&str> =
                if name.ends_with(".jsonl") { text.lines().collect() } else { vec![&text] };
            let (mut events, mut errors) = (Vec::new(), Vec::new());
            for line in lines {
                let value: Value = serde_json::from_str(line).unwrap();
                for item in recorded(&name, value) {
                    let mut readings = Vec::new();
                    if let Err(error) = normalizer.normalize(&item, now(), &mut readings) {
                        errors.push(error.to_string());
                    }
                    events.extend(readings.into_iter().map(|it| it.body));
                }
            }
            let mut found = summary(&events);
            if !errors.is_empty() {
                found = format!("{found}; {} errors: {}", errors.len(), errors[0]);
            }
            let short = name.split("--").next().unwrap();
            let key = if expected.contains_key(short) { short } else { name.as_str() };
            if expected.get(key) != Some(&found.as_str()) {
                wrong.push(format!("    (\"{key}\", \"{found}\"),"));
            }
        }
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{seen} files, these are not as expected:\n{}", wrong.join("\n"));
}

/// File names up to their source, and what must come of them.
const EXPECTED: &[(&str, &str)] = &[
    ("banner-chat-summary--agash.json", "1 Other liveChatBannerChatSummaryRenderer"),
    ("banner-pinned-message-b--agash.json", "1 Other liveChatBannerRedirectRenderer"),
    ("banner-pinned-message-owner--agash.json", "1 Announcement liveChatBannerRenderer"),
    ("banner-product-item--masterchat.json", "1 Other liveChatProductItemRenderer"),
    ("banner-redirect-go-now-b--agash.json", "1 Other liveChatBannerRedirectRenderer"),
    ("close-live-chat-action-panel-action--chat-downloader-18.json", ""),
    ("creator-goal-ticker-chip-a--agash.json", ""),
    ("creator-goal-ticker-chip-b--agash.json", ""),
    (
        "engagement-community-guidelines--agash.json",
        "1 Announcement liveChatViewerEngagementMessageRenderer",
    ),
    ("engagement-poll-result-a--agash.json", "1 Other pollEvent x1300"),
    ("engagement-poll-result-b--agash.json", "1 Other pollEvent x1900"),
    ("error-live-chat-disabled--go-client.json", ""),
    ("error-live-chat-ended--streaming-client.json", ""),
    ("error-live-chat-not-found--rust-client.json", ""),
    ("error-quota-exceeded-old-order--upload-log.json", ""),
    ("error-stream-live-chat-disabled--go-client.json", ""),
    ("first-read--pytchat.json", "2 message"),
    ("get-live-chat-custom-emoji--youtube-chat.json", "1 message"),
    ("get-live-chat-from-moderator--youtube-chat.json", "1 message"),
    ("get-live-chat-from-owner--youtube-chat.json", "1 message"),
    ("get-live-chat-from-verified--youtube-chat.json", "1 message"),
    ("get-live-chat-global-emoji1--youtube-chat.json", "1 message"),
    ("get-live-chat-membership-gift--youtube-chat.json", "1 Gift membershipGiftingEvent x10"),
    ("get-live-chat-super-chat--youtube-chat.json", "1 message 1000 JPY"),
    ("get-live-chat-super-chat-no-msg--youtube-chat.json", "1 message 320 JPY"),
    ("get-live-chat-super-sticker--youtube-chat.json", "1 Paid superStickerEvent 90 JPY"),
    ("jewels-gift-fixture--agash.json", "1 Paid giftEvent"),
    ("jewels-gift-interactivity-widget--chat-downloader-fork.json", "1 Paid giftEvent x3"),
    ("jewels-gift-message-view-model--agash.json", "1 Paid giftEvent"),
    (
        "list-all-types-fixture--csharp-client.json",
        "1 Gift membershipGiftingEvent x5, 1 Membership newSponsorEvent, 1 Milestone memberMilestoneChatEvent m6, 1 Other someFutureEvent, 1 Paid superStickerEvent 200 USD, 1 chat.clear_user, 2 chat.delete, 1 message, 1 message 500 USD",
    ),
    ("list-text-message-2022--pbm-cloud.json", "1 message"),
    ("membership-legacy--pytchat.json", "1 Membership newSponsorEvent"),
    ("membership-new-welcome-a--agash.json", "1 Membership newSponsorEvent"),
    ("membership-renderer-tier-upgrade--agash.json", "1 Membership newSponsorEvent"),
    ("mode-change-message--chat-downloader-05.json", "1 room.state"),
    ("old-2019-addcomment--youtube-chat.json", "1 message"),
    ("old-2019-addcomment-frommember--youtube-chat.json", "1 message"),
    ("old-2019-comment-all-response--youtube-chat.json", "65 message, 1 message 1840 JPY"),
    ("old-2019-superchat--youtube-chat.json", "1 message 1840 JPY"),
    ("old-chat-replay-2019--pytchat.json", "47 message, 1 message 2000 CZK"),
    ("old-finished-live--pytchat.json", ""),
    ("old-live-chat-2019--pytchat.json", "1 message"),
    ("old-superchat--pytchat.json", "1 message 846 JPY"),
    ("old-textmessage--pytchat.json", "1 message"),
    ("paid-sticker--chat-downloader-04.json", "1 Paid superStickerEvent 999 USD"),
    ("paid-sticker-first-purchase--agash.json", "1 Paid superStickerEvent 1400 TWD"),
    ("paid-sticker-member-badge--agash.json", "1 Paid superStickerEvent 1600 JPY"),
    ("poll-show-panel-a--agash.json", "1 Other pollEvent x0"),
    ("poll-show-panel-c--agash.json", "1 Other pollEvent x13869"),
    ("poll-update-yes-no--agash.json", "1 Other pollEvent x13869"),
    ("poll-update-zero-votes-a--agash.json", "1 Other pollEvent x0"),
    ("remove-banner--agash.json", ""),
    ("remove-chat-item--agash.json", "1 chat.delete"),
    ("remove-chat-item-by-author--agash.json", "1 chat.clear_user"),
    ("renderer-gift-purchase-1--agash.json", "1 Gift membershipGiftingEvent x1"),
    ("renderer-gift-purchase-20-by-mod--agash.json", "1 Gift membershipGiftingEvent x20"),
    ("renderer-gift-purchase-5--agash.json", "1 Gift membershipGiftingEvent x5"),
    ("renderer-gift-purchase-50-by-mod--agash.json", "1 Gift membershipGiftingEvent x50"),
    ("renderer-gift-redemption-a--agash.json", "1 Gift giftMembershipReceivedEvent x0"),
    (
        "renderer-membership-milestone-27-months--agash.json",
        "1 Milestone memberMilestoneChatEvent m27",
    ),
    ("replace--placeholder-item--chat-downloader-09.json", ""),
    ("replace-chat-item-with-text--agash.json", "1 message"),
    ("replay-end-no-continuation--pytchat.json", ""),
    ("replay-member-text--pytchat.json", "1 message"),
    ("replay-pages-sequence--pytchat.jsonl", "314 message"),
    ("replay-text-only--pytchat.json", "1 message"),
    ("search-list-live-2022--pbm-cloud.json", ""),
    (
        "speedtest-normal--pytchat.json",
        "; 15 errors: a liveChatTextMessageRenderer without its author",
    ),
    ("superchat--pytchat.json", "1 message 800 JPY"),
    ("supersticker--pytchat.json", "1 Paid superStickerEvent 200 JPY"),
    ("text-message--chat-downloader-00.json", "1 message"),
    ("text-message-leaderboard-rank--agash.json", "1 message"),
    ("textmessage--pytchat.json", "1 message"),
    ("ticker-gift-purchase--agash.json", ""),
    ("ticker-paid-message-a--agash.json", ""),
    ("ticker-paid-message-author-username--agash.json", ""),
    ("ticker-paid-message-item--chat-downloader-11.json", ""),
    ("ticker-paid-sticker-item--chat-downloader-06.json", ""),
    ("ticker-sponsor-item-a--agash.json", ""),
    ("videos-list-live-2022--pbm-cloud.json", ""),
    ("videos-list-unknown-id-2022--pbm-cloud.json", ""),
];
