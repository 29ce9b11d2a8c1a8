//! Every order in which the frames of one thing can come.

use serde_json::{Value, json};

use super::*;

fn frame(event: &str, data: Value) -> Arrival {
    Arrival::Frame(Frame::new(event, None, data))
}

/// A moment so many milliseconds after `start`.
fn after(start: Moment, ms: u64) -> Moment {
    Moment {
        at: start.at + Duration::from_millis(ms),
        clock: start.clock.plus_ms(i64::try_from(ms).unwrap()),
    }
}

fn start() -> Moment {
    Moment { at: Instant::now(), clock: Timestamp::parse("2026-09-27T16:25:18.500Z").unwrap() }
}

/// The frames of one resubscription.
fn resub() -> Vec<Arrival> {
    vec![
        frame(
            "App\\Events\\ChannelSubscriptionEvent",
            json!({"user_ids": [21], "username": "Bo", "channel_id": 11}),
        ),
        frame(
            "App\\Events\\NewSubscriberUpdatedEvent",
            json!({"channel_id": 11, "last_subscriber": "bo", "count": 9}),
        ),
        frame(
            "App\\Events\\NewActivityFeedEvent",
            json!({"channel_id": 11, "type": "new_subscriber", "username": "Bo", "created_at": 1_790_526_318_893_i64}),
        ),
        frame(
            "App\\Events\\SubscriptionEvent",
            json!({"chatroom_id": 13, "username": "Bo", "months": 13}),
        ),
        frame(
            "App\\Events\\ChatMessageSentEvent",
            json!({
            "message": {"id": "s1", "message": "", "type": "info", "created_at": 1_790_526_318, "action": "subscribe",
                        "months_subscribed": 12, "giftedUsers": []},
            "user": {"id": 21, "username": "Bo"}}),
        ),
    ]
}

/// The frames of one gift of three, and the receivers' own.
fn gift() -> Vec<Arrival> {
    vec![
        frame(
            "GiftsLeaderboardUpdated",
            json!({"leaderboard": [], "gifter_id": 22, "gifter_username": "Cy", "gifted_quantity": 3}),
        ),
        frame(
            "GiftedSubscriptionsEvent",
            json!({"chatroom_id": 13, "correlation_id": "c1", "gifter_username": "Cy",
            "gifted_usernames": ["Di", "Ed", "Fa"], "gifted_total": 3, "gifter_total": 9, "chunk_details": null}),
        ),
        frame(
            "App\\Events\\LuckyUsersWhoGotGiftSubscriptionsEvent",
            json!({"channel": {}, "usernames": ["di", "ed", "fa"], "gifter_username": "cy"}),
        ),
        frame(
            "App\\Events\\SubscriptionEvent",
            json!({"chatroom_id": 13, "username": "Ed", "months": 1}),
        ),
        frame(
            "App\\Events\\ChannelSubscriptionEvent",
            json!({"user_ids": [1, 2, 3], "username": "", "channel_id": 11}),
        ),
    ]
}

fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.len() <= 1 {
        return vec![items.to_vec()];
    }
    let mut found = Vec::new();
    for (index, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(index);
        for mut order in permutations(&rest) {
            order.insert(0, first.clone());
            found.push(order);
        }
    }
    found
}

/// Gives `arrivals` to a fold, `gap_ms` apart, flushing as its owner would; then everything that is left.
fn run(arrivals: &[Arrival], start: Moment, gap_ms: u64) -> Vec<Happening> {
    let mut fold = Fold::default();
    let mut told = Vec::new();
    for (index, arrival) in arrivals.iter().enumerate() {
        let now = after(start, gap_ms * index as u64);
        if fold.due().is_some_and(|it| it <= now.at) {
            told.extend(fold.flush(now.at));
        }
        told.extend(fold.accept(arrival.clone(), now));
    }
    told.extend(fold.flush_all());
    told.into_iter().map(|it| it.0).collect()
}

fn only_subscription(told: &[Happening]) -> &crate::platforms::kick::Subscription {
    match told {
        [Happening::Subscription(it)] => it,
        other => panic!("{other:#?}"),
    }
}

fn only_gift(told: &[Happening]) -> &crate::platforms::kick::Gift {
    match told {
        [Happening::Gift(it)] => it,
        other => panic!("{other:#?}"),
    }
}

#[test]
fn one_subscription_is_told_once_in_every_order_of_its_frames() {
    let orders = permutations(&resub());
    assert_eq!(orders.len(), 120);
    for order in orders {
        // All within the two seconds.
        let told = run(&order, start(), 300);
        let it = only_subscription(&told);
        assert_eq!((it.months, it.id.as_deref()), (Some(13), Some("s1")));
        assert_eq!(it.person.id.as_ref().unwrap().as_str(), "21");
        assert_eq!(it.raw_kind, "App\\Events\\SubscriptionEvent");
        assert!(it.sent_at.is_some());
        // Spread over longer than it is held: still one.
        assert_eq!(run(&order, start(), 900).len(), 1);
    }
}

#[test]
fn one_gift_is_told_once_in_every_order_of_its_frames() {
    for order in permutations(&gift()) {
        let told = run(&order, start(), 300);
        let it = only_gift(&told);
        assert_eq!((it.receivers.len(), it.total), (3, Some(3)));
        assert_eq!(it.giver.as_ref().unwrap().id.as_ref().unwrap().as_str(), "22");
        assert_eq!(it.correlation.as_deref(), Some("c1"));
    }
}

#[test]
fn a_subscription_and_a_gift_at_once_stay_two() {
    let mut both = resub();
    both.extend(gift());
    both.reverse();
    let told = run(&both, start(), 100);
    assert!(
        matches!(told.as_slice(), [Happening::Gift(_), Happening::Subscription(_)]),
        "{told:#?}"
    );
}

#[test]
fn copies_alone_tell_nothing() {
    let copies = [resub()[..3].to_vec(), gift()[2..3].to_vec(), gift()[4..].to_vec()].concat();
    assert_eq!(run(&copies, start(), 10), []);
}

fn chunk(index: u64, of: u64, names: &[&str]) -> Arrival {
    frame(
        "GiftedSubscriptionsEvent",
        json!({"gifter_username": "Cy", "gifted_usernames": names, "gifted_total": 5,
        "chunk_details": {"correlation_id": "c1", "chunk_index": index, "total_chunks": of}}),
    )
}

#[test]
fn the_parts_of_a_large_gift_are_one_in_every_order_and_however_slow() {
    let parts = [chunk(0, 3, &["a", "b"]), chunk(1, 3, &["c", "d"]), chunk(2, 3, &["e"])];
    for order in permutations(&parts) {
        for gap_ms in [0, 500, 1_900] {
            let told = run(&order, start(), gap_ms);
            let it = only_gift(&told);
            assert_eq!((it.receivers.len(), it.total), (5, Some(5)), "{gap_ms}");
        }
        let told = run(&order, start(), 3_000);
        let [Happening::Gift(first), rest @ ..] = told.as_slice() else { panic!("{told:#?}") };
        assert!(!first.rest && first.total == Some(5));
        assert!(
            rest.iter()
                .all(|it| matches!(it, Happening::Gift(it) if it.rest && it.total.is_none()))
        );
    }
}

#[test]
fn gifts_without_a_binding_are_joined_within_two_seconds_by_the_same_giver_only() {
    let one = |giver: &str, name: &str| {
        frame(
            "GiftedSubscriptionsEvent",
            json!({"gifter_username": giver, "gifted_usernames": [name]}),
        )
    };
    let told = run(&[one("Cy", "a"), one("cy", "b")], start(), 1_500);
    assert_eq!(only_gift(&told).receivers.len(), 2);
    assert_eq!(run(&[one("Cy", "a"), one("cy", "b")], start(), 2_500).len(), 2);
    assert_eq!(run(&[one("Cy", "a"), one("Gi", "b")], start(), 100).len(), 2);
    let anonymous = run(&[one("Anonymous", "a"), one("", "b")], start(), 100);
    let it = only_gift(&anonymous);
    assert_eq!((it.receivers.len(), it.giver.is_none()), (2, true));
}

#[test]
fn a_receivers_own_subscription_is_passed_over_for_a_minute_and_no_longer() {
    let gift = gift()[1].clone();
    let own = frame("App\\Events\\SubscriptionEvent", json!({"username": "FA", "months": 1}));
    assert_eq!(run(&[gift.clone(), own.clone()], start(), 59_000).len(), 1);
    assert_eq!(run(&[gift, own], start(), 62_000).len(), 2);
}

fn celebration(celebrated_at: &str) -> Arrival {
    frame(
        "App\\Events\\ChatMessageEvent",
        json!({
        "id": "m1", "content": "a year!", "type": "celebration", "created_at": "2026-09-27T16:25:18+00:00",
        "sender": {"id": 21, "username": "Bo"},
        "metadata": {"celebration": {"id": "x", "type": "subscription_renewed", "total_months": 13, "created_at": celebrated_at}}}),
    )
}

#[test]
fn words_that_celebrate_a_subscription_belong_to_it_in_every_order() {
    let mut frames = resub()[1..].to_vec();
    frames.push(celebration("2026-09-27T16:25:17.1Z"));
    for order in permutations(&frames) {
        let told = run(&order, start(), 300);
        let it = only_subscription(&told);
        assert_eq!(
            (it.id.as_deref(), it.months),
            (Some("m1"), Some(13)),
            "deleted by the message's id"
        );
        assert_eq!(it.words.as_ref().unwrap().content.as_deref(), Some("a year!"));
    }
}

#[test]
fn words_that_come_after_their_subscription_was_told_are_a_message() {
    let told = run(&[resub()[3].clone(), celebration("2026-09-27T16:25:17.1Z")], start(), 600_000);
    assert!(
        matches!(told.as_slice(), [Happening::Subscription(a), Happening::Event(_)] if a.words.is_none()),
        "{told:#?}"
    );
    // Of another month: a subscription that was not told.
    let told = run(&[resub()[3].clone(), celebration("2026-09-27T17:25:17Z")], start(), 3_600_000);
    assert_eq!(told.len(), 2);
    assert!(matches!(&told[1], Happening::Subscription(it) if it.words.is_some()));
}

fn webhook(kind: &str, id: &str, body: Value, at: Timestamp) -> Arrival {
    Arrival::Webhook(Notice { id: id.to_owned(), kind: kind.to_owned(), sent_at: at, body })
}

#[test]
fn what_comes_by_socket_and_by_webhook_is_told_once_however_late() {
    let begin = start();
    let created = begin.clock.to_string();
    let pairs = [
        (
            resub()[3].clone(),
            webhook(
                "channel.subscription.renewal",
                "w1",
                json!({"subscriber": {"user_id": 21, "username": "Bo"}, "duration": 13, "created_at": created}),
                begin.clock,
            ),
        ),
        (
            gift()[1].clone(),
            webhook(
                "channel.subscription.gifts",
                "w2",
                json!({"gifter": {"user_id": 22, "username": "Cy"}, "created_at": created,
                       "giftees": [{"user_id": 1, "username": "Fa"}, {"username": "Ed"}, {"username": "Di"}]}),
                begin.clock,
            ),
        ),
        (
            frame(
                "KicksGifted",
                json!({"gift_transaction_id": "t", "sender": {"id": 21}, "gift": {"amount": 5}, "created_at": created}),
            ),
            webhook(
                "kicks.gifted",
                "w3",
                json!({"sender": {"user_id": 21}, "gift": {"amount": 5}, "created_at": created}),
                begin.clock,
            ),
        ),
        (
            frame(
                "RewardRedeemedEvent",
                json!({"reward_title": "Sip", "user_id": 21, "username": "Bo", "user_input": ""}),
            ),
            webhook(
                "channel.reward.redemption.updated",
                "w4",
                json!({"id": "r1", "reward": {"title": "Sip"}, "redeemer": {"user_id": 21}, "user_input": ""}),
                begin.clock,
            ),
        ),
        (
            frame(
                "App\\Events\\UserBannedEvent",
                json!({"id": "b", "user": {"id": 21, "username": "Bo"}}),
            ),
            webhook(
                "moderation.banned",
                "w5",
                json!({"banned_user": {"user_id": 21, "username": "Bo"}}),
                begin.clock,
            ),
        ),
        (
            frame(
                "App\\Events\\StreamHostEvent",
                json!({"host_username": "Cy", "number_viewers": 3}),
            ),
            frame(
                "App\\Events\\StreamHostedEvent",
                json!({"user": {"id": 1, "username": "cy"}, "message": {"id": "h", "numberOfViewers": 3}}),
            ),
        ),
    ];
    for (by_socket, by_webhook) in pairs {
        for gap_ms in [0, 1_000, 2_500, 50_000] {
            let told = run(&[by_socket.clone(), by_webhook.clone()], begin, gap_ms);
            assert_eq!(told.len(), 1, "{gap_ms}: {told:#?}");
            let told = run(&[by_webhook.clone(), by_socket.clone()], begin, gap_ms);
            assert_eq!(told.len(), 1, "webhook first, {gap_ms}: {told:#?}");
        }
        if matches!(by_webhook, Arrival::Webhook(_)) {
            let told = run(&[by_socket, by_webhook], begin, 1_800_000);
            assert_eq!(told.len(), 1, "half an hour late: {told:#?}");
        }
    }
}

#[test]
fn honest_repeats_are_two_and_each_has_one_twin() {
    let kicks = || {
        frame("KicksGifted", json!({"sender": {"id": 21}, "gift": {"amount": 1}, "message": ""}))
    };
    let hook = |id: &str| {
        webhook(
            "kicks.gifted",
            id,
            json!({"sender": {"user_id": 21}, "gift": {"amount": 1}}),
            start().clock,
        )
    };
    assert_eq!(run(&[kicks(), kicks()], start(), 500).len(), 2);
    assert_eq!(run(&[kicks(), hook("a"), kicks(), hook("b")], start(), 500).len(), 2);
    assert_eq!(run(&[kicks(), kicks(), hook("a"), hook("b")], start(), 500).len(), 2);
}

#[test]
fn a_redemption_that_changes_its_state_is_told_once() {
    let redeemed = frame(
        "RewardRedeemedEvent",
        json!({"reward_title": "Sip", "user_id": 21, "username": "Bo"}),
    );
    let updated = |id: &str, status: &str| {
        webhook(
            "channel.reward.redemption.updated",
            id,
            json!({"id": "r1", "status": status, "reward": {"title": "Sip"}, "redeemer": {"user_id": 21}}),
            start().clock,
        )
    };
    assert_eq!(
        run(&[redeemed, updated("a", "pending"), updated("b", "accepted")], start(), 500).len(),
        1
    );
}

#[test]
fn nothing_held_is_lost_or_kept_for_ever() {
    let mut fold = Fold::default();
    let start = start();
    let mut told = 0;
    for number in 0..2_000 {
        let data = json!({"username": format!("viewer{number}"), "months": 1});
        told += fold.accept(frame("App\\Events\\SubscriptionEvent", data), start).len();
    }
    assert!(told > 0 && fold.subscriptions.held() <= MOST);
    told += fold.flush_all().len();
    assert_eq!((told, fold.due()), (2_000, None));
}
