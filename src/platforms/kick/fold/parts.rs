//! What a frame or a webhook says of a subscription or a gift.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{key_of, twins::Twin};
use crate::{
    model::Timestamp,
    platforms::kick::{
        Frame, Gift, Notice, Subscription,
        wire::{ChatMessage, Id, Person, When, lenient},
    },
};

/// The key of a giver who is not named.
const NOBODY: &str = "";

/// A frame's share in a subscription.
#[derive(Debug)]
pub(super) struct SubscriptionPart {
    pub(super) key: String,
    pub(super) subscription: Subscription,
    /// How much its word weighs against that of other frames.
    pub(super) weight: u8,
    /// It tells of a subscription by itself.
    pub(super) counts: bool,
    /// When the subscription was that a message celebrates, perhaps hours later.
    pub(super) celebrated_at: Option<Timestamp>,
}

/// A frame's share in a gift.
#[derive(Debug)]
pub(super) struct GiftPart {
    pub(super) giver_key: String,
    pub(super) gift: Gift,
    /// Which part of how many.
    pub(super) part: Option<u64>,
    pub(super) parts_in_all: Option<u64>,
    /// It tells of a gift by itself.
    pub(super) counts: bool,
}

/// What the feed of activities tells of.
pub(super) enum Feed {
    Subscription(Box<SubscriptionPart>),
    Copy,
    Unknown,
}

/// What the older twin of a message tells of.
pub(super) enum Sent {
    Subscription(Box<SubscriptionPart>),
    Gift(Box<GiftPart>),
    Copy,
    Unknown,
}

pub(super) fn read<T: DeserializeOwned>(data: &Value) -> Option<T> {
    T::deserialize(data).ok()
}

fn subscription_part(
    subscription: Subscription,
    weight: u8,
    counts: bool,
) -> Option<SubscriptionPart> {
    let key = key_of(subscription.person.known_name()?);
    Some(SubscriptionPart { key, subscription, weight, counts, celebrated_at: None })
}

/// The one that has the months.
pub(super) fn subscription(frame: &Frame) -> Option<SubscriptionPart> {
    #[derive(Deserialize)]
    struct Data {
        username: String,
        #[serde(default, deserialize_with = "lenient")]
        months: Option<u32>,
    }
    let data: Data = read(&frame.data)?;
    let subscription = Subscription {
        person: Person::named(&data.username),
        months: data.months,
        raw_kind: frame.event.clone(),
        ..Subscription::default()
    };
    subscription_part(subscription, 3, true)
}

/// Further copies, which name the subscriber and no months. Those that name several are a gift's.
pub(super) fn subscription_copy(frame: &Frame) -> Option<SubscriptionPart> {
    #[derive(Deserialize)]
    struct Data {
        #[serde(alias = "last_subscriber")]
        username: String,
        #[serde(default)]
        user_ids: Vec<Id>,
    }
    let mut data: Data = read(&frame.data)?;
    if data.user_ids.len() > 1 {
        return None;
    }
    let person = Person { id: data.user_ids.pop(), ..Person::named(&data.username) };
    subscription_part(Subscription { person, ..Subscription::default() }, 0, false)
}

pub(super) fn activity_feed(frame: &Frame) -> Feed {
    #[derive(Deserialize)]
    struct Data {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default, deserialize_with = "lenient")]
        username: Option<String>,
        #[serde(default, deserialize_with = "lenient")]
        created_at: Option<When>,
    }
    let Some(data) = read::<Data>(&frame.data) else { return Feed::Unknown };
    if data.kind.contains("gift") {
        return Feed::Copy;
    }
    if !data.kind.contains("subscri") {
        return Feed::Unknown;
    }
    let subscription = Subscription {
        person: Person::named(data.username.as_deref().unwrap_or_default()),
        sent_at: data.created_at.map(|it| it.0),
        ..Subscription::default()
    };
    subscription_part(subscription, 0, false)
        .map_or(Feed::Copy, |it| Feed::Subscription(Box::new(it)))
}

pub(super) fn message_sent(frame: &Frame) -> Sent {
    #[derive(Deserialize)]
    struct Data {
        message: Message,
        #[serde(default)]
        user: Person,
    }
    #[derive(Deserialize)]
    struct Message {
        #[serde(default, deserialize_with = "lenient")]
        id: Option<Id>,
        #[serde(default, rename = "type", deserialize_with = "lenient")]
        kind: Option<String>,
        #[serde(default, deserialize_with = "lenient")]
        action: Option<String>,
        #[serde(default, deserialize_with = "lenient")]
        created_at: Option<When>,
        #[serde(default, deserialize_with = "lenient")]
        months_subscribed: Option<u32>,
        #[serde(default, deserialize_with = "lenient")]
        subscriptions_count: Option<u64>,
        #[serde(default, rename = "giftedUsers", deserialize_with = "lenient")]
        gifted_users: Option<Vec<Person>>,
    }
    let Some(Data { message, user }) = read::<Data>(&frame.data) else { return Sent::Unknown };
    let id = message.id.map(|it| it.as_str().to_owned());
    let sent_at = message.created_at.map(|it| it.0);
    match message.action.as_deref() {
        Some("subscribe") => {
            let subscription = Subscription {
                id,
                person: user,
                months: message.months_subscribed,
                sent_at,
                raw_kind: frame.event.clone(),
                ..Subscription::default()
            };
            subscription_part(subscription, 1, true)
                .map_or(Sent::Unknown, |it| Sent::Subscription(Box::new(it)))
        }
        Some("gift") => {
            let gift = Gift {
                id,
                giver: Some(user),
                receivers: message.gifted_users.unwrap_or_default(),
                total: message.subscriptions_count.filter(|it| *it > 0),
                sent_at,
                raw_kind: frame.event.clone(),
                ..Gift::default()
            };
            gift_part(gift, true).map_or(Sent::Unknown, |it| Sent::Gift(Box::new(it)))
        }
        _ if message.kind.as_deref() != Some("info") => Sent::Copy,
        _ => Sent::Unknown,
    }
}

/// A message that celebrates a subscription.
pub(super) fn celebration(message: ChatMessage, frame: &Frame) -> Option<SubscriptionPart> {
    let celebration = message.subscription()?;
    let celebrated_at = celebration.created_at.map(|it| it.0);
    let subscription = Subscription {
        id: Some(message.id.as_ref()?.as_str().to_owned()),
        person: message.sender.clone()?,
        months: celebration.total_months,
        sent_at: message.created_at.map(|it| it.0),
        raw_kind: frame.event.clone(),
        words: Some(Box::new(message)),
        tier: None,
    };
    let part = subscription_part(subscription, 2, true)?;
    Some(SubscriptionPart { celebrated_at, ..part })
}

fn gift_part(mut gift: Gift, counts: bool) -> Option<GiftPart> {
    gift.giver = gift.giver.filter(|it| it.known_name().is_some());
    gift.receivers.retain(|it| it.known_name().is_some());
    if gift.receivers.is_empty() && gift.total.is_none() {
        return None;
    }
    let giver = gift.giver.as_ref().and_then(Person::known_name);
    let giver_key = giver.map_or_else(|| NOBODY.to_owned(), key_of);
    Some(GiftPart { giver_key, gift, part: None, parts_in_all: None, counts })
}

pub(super) fn gift(frame: &Frame) -> Option<GiftPart> {
    #[derive(Deserialize)]
    struct Data {
        #[serde(default, deserialize_with = "lenient")]
        gifter_username: Option<String>,
        #[serde(default, deserialize_with = "lenient")]
        gifted_usernames: Option<Vec<String>>,
        #[serde(default, deserialize_with = "lenient")]
        gifted_total: Option<u64>,
        #[serde(default, deserialize_with = "lenient")]
        correlation_id: Option<Id>,
        #[serde(default, deserialize_with = "lenient")]
        chunk_details: Option<Chunk>,
    }
    #[derive(Deserialize)]
    struct Chunk {
        #[serde(default, deserialize_with = "lenient")]
        correlation_id: Option<Id>,
        #[serde(default, deserialize_with = "lenient")]
        chunk_index: Option<u64>,
        #[serde(default, deserialize_with = "lenient")]
        total_chunks: Option<u64>,
    }
    let data: Data = read(&frame.data)?;
    let (part, parts_in_all, of_chunk) = match data.chunk_details {
        Some(it) => (it.chunk_index, it.total_chunks, it.correlation_id),
        None => (None, None, None),
    };
    let correlation = data.correlation_id.or(of_chunk).map(|it| it.as_str().to_owned());
    let receivers = data.gifted_usernames.unwrap_or_default();
    let gift = Gift {
        correlation,
        giver: data.gifter_username.as_deref().map(Person::named),
        receivers: receivers.iter().map(|it| Person::named(it)).collect(),
        total: data.gifted_total.filter(|it| *it > 0),
        raw_kind: frame.event.clone(),
        ..Gift::default()
    };
    let gift = gift_part(gift, true)?;
    Some(GiftPart { part, parts_in_all, ..gift })
}

/// A second, newer shape.
pub(super) fn gift_newer(frame: &Frame) -> Option<GiftPart> {
    #[derive(Deserialize)]
    struct Data {
        #[serde(default, deserialize_with = "lenient")]
        id: Option<Id>,
        #[serde(default, deserialize_with = "lenient")]
        user: Option<Person>,
        #[serde(default, deserialize_with = "lenient")]
        gift: Option<Level>,
        #[serde(default, deserialize_with = "lenient")]
        gifted_users: Option<Vec<Person>>,
        #[serde(default, deserialize_with = "lenient")]
        created_at: Option<When>,
    }
    #[derive(Deserialize)]
    struct Level {
        tier: Value,
    }
    let data: Data = read(&frame.data)?;
    let tier = data.gift.and_then(|it| match it.tier {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    let gift = Gift {
        id: data.id.map(|it| it.as_str().to_owned()),
        giver: data.user,
        receivers: data.gifted_users.unwrap_or_default(),
        tier,
        sent_at: data.created_at.map(|it| it.0),
        raw_kind: frame.event.clone(),
        ..Gift::default()
    };
    gift_part(gift, true)
}

/// A further copy of a gift.
pub(super) fn gift_copy(frame: &Frame) -> Option<GiftPart> {
    #[derive(Deserialize)]
    struct Data {
        usernames: Vec<String>,
        #[serde(default, deserialize_with = "lenient")]
        gifter_username: Option<String>,
    }
    let data: Data = read(&frame.data)?;
    let gift = Gift {
        giver: data.gifter_username.as_deref().map(Person::named),
        receivers: data.usernames.iter().map(|it| Person::named(it)).collect(),
        ..Gift::default()
    };
    gift_part(gift, false)
}

/// Who gave last, with the id that the gift's own frame lacks.
pub(super) fn leaderboard_giver(frame: &Frame) -> Option<Person> {
    #[derive(Deserialize)]
    struct Data {
        gifter_id: Id,
        gifter_username: String,
    }
    let data: Data = read(&frame.data)?;
    Some(Person { id: Some(data.gifter_id), ..Person::named(&data.gifter_username) })
}

/// Everybody whom a webhook names.
pub(super) fn people_of(notice: &Notice) -> Vec<Person> {
    let roles = ["broadcaster", "follower", "subscriber", "gifter", "sender", "redeemer"];
    let mut found: Vec<Person> =
        roles.iter().filter_map(|role| read(notice.body.get(*role)?)).collect();
    found.extend(notice.body.get("giftees").and_then(read::<Vec<Person>>).into_iter().flatten());
    found
}

pub(super) fn webhook_subscription(notice: &Notice) -> Option<SubscriptionPart> {
    #[derive(Deserialize)]
    struct Body {
        subscriber: Person,
        #[serde(default, deserialize_with = "lenient")]
        duration: Option<u32>,
        #[serde(default, deserialize_with = "lenient")]
        created_at: Option<When>,
    }
    let body: Body = read(&notice.body)?;
    let subscription = Subscription {
        id: Some(notice.id.clone()),
        person: body.subscriber,
        months: body.duration,
        sent_at: Some(body.created_at.map_or(notice.sent_at, |it| it.0)),
        raw_kind: notice.kind.clone(),
        ..Subscription::default()
    };
    subscription_part(subscription, 2, true)
}

pub(super) fn webhook_gift(notice: &Notice) -> Option<GiftPart> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "lenient")]
        gifter: Option<Person>,
        giftees: Vec<Person>,
        #[serde(default, deserialize_with = "lenient")]
        created_at: Option<When>,
    }
    let body: Body = read(&notice.body)?;
    let gift = Gift {
        id: Some(notice.id.clone()),
        giver: body.gifter,
        receivers: body.giftees,
        sent_at: Some(body.created_at.map_or(notice.sent_at, |it| it.0)),
        raw_kind: notice.kind.clone(),
        ..Gift::default()
    };
    gift_part(gift, true)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Common {
    #[serde(deserialize_with = "lenient")]
    user: Option<Person>,
    #[serde(deserialize_with = "lenient")]
    sender: Option<Person>,
    #[serde(deserialize_with = "lenient")]
    redeemer: Option<Person>,
    #[serde(deserialize_with = "lenient")]
    banned_user: Option<Person>,
    #[serde(deserialize_with = "lenient")]
    gift: Option<KicksGift>,
    #[serde(deserialize_with = "lenient")]
    reward: Option<Reward>,
    #[serde(deserialize_with = "lenient")]
    reward_title: Option<String>,
    #[serde(deserialize_with = "lenient")]
    username: Option<String>,
    #[serde(deserialize_with = "lenient")]
    user_id: Option<Id>,
    #[serde(deserialize_with = "lenient")]
    host_username: Option<String>,
    #[serde(deserialize_with = "lenient")]
    user_input: Option<String>,
    #[serde(deserialize_with = "lenient")]
    created_at: Option<When>,
    /// Of a redemption or a transaction.
    #[serde(deserialize_with = "lenient")]
    id: Option<Id>,
    #[serde(deserialize_with = "lenient")]
    gift_transaction_id: Option<Id>,
}

#[derive(Deserialize)]
struct KicksGift {
    amount: u64,
}

#[derive(Deserialize)]
struct Reward {
    title: String,
}

fn person_key(person: &Person) -> Option<String> {
    let id = person.id.as_ref().map(|it| it.as_str().to_owned());
    id.or_else(|| person.known_name().map(key_of))
}

/// What a frame of the socket has in common with another way.
pub(super) fn socket_twin(frame: &Frame) -> Option<Twin> {
    let name = frame.name();
    let way = match name {
        "StreamHostEvent" => "host",
        "StreamHostedEvent" => "hosted",
        "KicksGifted" | "RewardRedeemedEvent" | "UserBannedEvent" => "socket",
        _ => return None,
    };
    let data: Common = read(&frame.data)?;
    let sent_at = data.created_at.map(|it| it.0);
    let id = data.gift_transaction_id.or(data.id);
    let id = id.map(|it| format!("socket {}", it.as_str()));
    let key = match name {
        "StreamHostEvent" => format!("raid {}", key_of(&data.host_username?)),
        "StreamHostedEvent" => format!("raid {}", key_of(data.user?.known_name()?)),
        "KicksGifted" => format!("kicks {} {}", person_key(&data.sender?)?, data.gift?.amount),
        "UserBannedEvent" => format!("ban {}", person_key(&data.user?)?),
        _ => {
            let who = data.user_id.map(|it| it.as_str().to_owned());
            let who = who.or_else(|| data.username.as_deref().map(key_of))?;
            let input = data.user_input.unwrap_or_default();
            format!("reward {who} {} {input}", data.reward_title?)
        }
    };
    Some(Twin { key, way, sent_at, id })
}

/// What a webhook has in common with the socket.
pub(super) fn webhook_twin(notice: &Notice) -> Option<Twin> {
    let data: Common = read(&notice.body)?;
    let id = data.id.map(|it| format!("webhook {}", it.as_str()));
    let key = match notice.kind.as_str() {
        "kicks.gifted" => format!("kicks {} {}", person_key(&data.sender?)?, data.gift?.amount),
        "moderation.banned" => format!("ban {}", person_key(&data.banned_user?)?),
        "channel.reward.redemption.updated" => {
            let input = data.user_input.unwrap_or_default();
            format!("reward {} {} {input}", person_key(&data.redeemer?)?, data.reward?.title)
        }
        _ => return None,
    };
    let sent_at = data.created_at.map_or(notice.sent_at, |it| it.0);
    Some(Twin { key, way: "webhook", sent_at: Some(sent_at), id })
}
