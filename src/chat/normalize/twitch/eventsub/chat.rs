//! Chat over EventSub: the same messages and notices that IRC brings, with the same ids.

use serde_json::Value;

use super::{Facts, Happening, people};
use crate::{
    chat::normalize::{
        fragments::{self, Piece, Placed},
        text,
        twitch::{badges, media},
    },
    model::{
        ActivityKind, Amount, Author, Badge, Channel, Emote, EmoteProvider, EventBody, Flag,
        Fragment, Message, Platform, QualifiedId, ReplyTo, Role, Timestamp,
    },
};

/// A text with what Twitch points at in it; `None` for an empty one.
pub(super) fn plain(message: &Value) -> (Option<String>, Option<Vec<Fragment>>) {
    let sent = message.as_str().or_else(|| message["text"].as_str()).unwrap_or_default();
    if sent.is_empty() {
        return (None, None);
    }
    let (text, fragments) = split(sent, &message["fragments"]);
    (Some(text), Some(fragments))
}

/// Twitch's pieces are used where they make up the text; else it is split as any other.
fn split(sent: &str, pieces: &Value) -> (String, Vec<Fragment>) {
    let cleaned = text::clean(sent).into_owned();
    let mut placed = Vec::new();
    let mut at = 0;
    for piece in pieces.as_array().map_or(&[][..], Vec::as_slice) {
        let piece_text = text::clean(piece["text"].as_str().unwrap_or_default()).into_owned();
        if !cleaned[at..].starts_with(&piece_text) {
            return (cleaned.clone(), fragments::split(&cleaned, Vec::new()));
        }
        let (start, end) = (at, at + piece_text.len());
        at = end;
        let found = match piece["type"].as_str() {
            Some("emote") => piece["emote"]["id"].as_str().and_then(emote).map(Piece::Emote),
            Some("cheermote") => {
                piece["cheermote"]["bits"].as_i64().map(Amount::bits).map(Piece::Cheermote)
            }
            Some("mention") => Some(Piece::Mention),
            _ => None,
        };
        if let Some(piece) = found.filter(|_| start < end) {
            placed.push(Placed { start, end, piece });
        }
    }
    let fragments = fragments::split(&cleaned, placed);
    (cleaned, fragments)
}

fn emote(id: &str) -> Option<Emote> {
    Some(Emote {
        provider: EmoteProvider::Twitch,
        id: id.to_owned(),
        url: media::emote_url(id)?,
        animated: false,
        zero_width: false,
    })
}

/// The writer, with badges and roles.
fn chatter(event: &Value) -> Option<Author> {
    let mut author = people::find(event, "chatter_user")?;
    let room_id = event["broadcaster_user_id"].as_str();
    author.color = event["color"]
        .as_str()
        .filter(|it| it.len() == 7 && it.starts_with('#'))
        .filter(|it| it[1..].bytes().all(|it| it.is_ascii_hexdigit()))
        .map(str::to_owned);
    let list = event["badges"].as_array().map_or(&[][..], Vec::as_slice);
    author.badges = list
        .iter()
        .filter_map(|it| {
            let (set, version) = (it["set_id"].as_str()?, it["id"].as_str()?);
            let info = format!("{set}/{}", it["info"].as_str().unwrap_or_default());
            Some(Badge {
                set: set.to_owned(),
                version: version.to_owned(),
                title: badges::title(set, version, &info),
                url: room_id.and_then(|it| media::badge_url(it, set, version)),
            })
        })
        .collect();
    let has = |sets: &[&str]| author.badges.iter().any(|it| sets.contains(&it.set.as_str()));
    author.roles = [
        (Role::Broadcaster, has(&["broadcaster"])),
        (Role::Moderator, has(&["moderator", "lead_moderator"])),
        (Role::Vip, has(&["vip"])),
        (Role::Subscriber, has(&["subscriber", "founder"])),
        (Role::Verified, has(&["partner"])),
        (Role::Staff, has(&["staff", "admin", "global_mod"])),
        (Role::Bot, has(&["bot-badge"])),
    ]
    .into_iter()
    .filter_map(|(role, holds)| holds.then_some(role))
    .collect();
    Some(author)
}

fn channel(event: &Value, prefix: &str) -> Option<Channel> {
    let channel = people::find(event, prefix)?;
    Some(Channel { id: channel.id, name: channel.login })
}

/// `channel.chat.message`
pub(super) fn message(it: &Happening<'_>, received_at: Timestamp) -> Option<EventBody> {
    let event = it.event;
    let author = chatter(event)?;
    let (text, fragments) = split(
        event["message"]["text"].as_str().unwrap_or_default(),
        &event["message"]["fragments"],
    );
    let source_channel = channel(event, "source_broadcaster_user");
    let reply_to = reply(&event["reply"]);
    let bits = event["cheer"]["bits"].as_i64().filter(|bits| *bits > 0 && source_channel.is_none());
    let kind = event["message_type"].as_str().unwrap_or_default();
    let redeemed = event["channel_points_custom_reward_id"].is_string()
        || matches!(
            kind,
            "channel_points_sub_only" | "power_ups_message_effect" | "power_ups_gigantified_emote"
        );
    let flags = [
        (Flag::FirstMessage, kind == "user_intro"),
        (Flag::Highlighted, kind == "channel_points_highlighted"),
        (Flag::Reply, reply_to.is_some()),
        (Flag::SharedChat, source_channel.is_some()),
        (Flag::Redeemed, redeemed),
    ];
    Some(EventBody::ChatMessage(Box::new(Message {
        id: QualifiedId::new(Platform::Twitch, it.text("message_id")?),
        platform: Platform::Twitch,
        channel: channel(event, "broadcaster_user")?,
        author,
        text,
        fragments,
        flags: flags.into_iter().filter_map(|(flag, set)| set.then_some(flag)).collect(),
        reply_to,
        source_channel,
        amount: bits.map(Amount::bits),
        sent_at: it.sent_at.unwrap_or(received_at),
        received_at,
    })))
}

fn reply(reply: &Value) -> Option<ReplyTo> {
    let id = reply["parent_message_id"].as_str()?;
    let author = people::find(reply, "parent_user")?;
    let text = text::clean(reply["parent_message_body"].as_str().unwrap_or_default()).into_owned();
    Some(ReplyTo { id: QualifiedId::new(Platform::Twitch, id), author, text })
}

/// `1000` is tier 1.
pub(super) fn tier(plan: &str) -> String {
    match plan {
        "1000" => "1".to_owned(),
        "2000" => "2".to_owned(),
        "3000" => "3".to_owned(),
        other => other.to_ascii_lowercase(),
    }
}

/// `channel.chat.notification`: what USERNOTICE says over IRC.
pub(super) fn notification(it: &Happening<'_>) -> Option<EventBody> {
    let event = it.event;
    let notice = event["notice_type"].as_str()?;
    let word = notice.strip_prefix("shared_chat_").unwrap_or(notice);
    let shared = notice.starts_with("shared_chat_");
    let details = &event[notice];
    let number = |key: &str| details[key].as_u64().and_then(|it| u32::try_from(it).ok());
    let sub_tier = || {
        let prime = details["is_prime"].as_bool() == Some(true);
        if prime { Some("prime".to_owned()) } else { details["sub_tier"].as_str().map(tier) }
    };
    let author = match event["chatter_is_anonymous"].as_bool() {
        Some(true) => None,
        _ => chatter(event),
    };
    let (text, fragments) = plain(&event["message"]);
    let mut facts = Facts {
        id: it.text("message_id").map(str::to_owned),
        author,
        text,
        fragments,
        raw_kind: Some(notice.to_owned()),
        ..Facts::default()
    };
    let kind = match word {
        "sub" | "resub" | "gift_paid_upgrade" | "prime_paid_upgrade" => {
            facts.months = number("cumulative_months").filter(|it| *it > 0);
            facts.tier = sub_tier();
            ActivityKind::Subscription
        }
        "sub_gift" => {
            facts.tier = sub_tier();
            facts.months = number("duration_months");
            facts.recipients = people::find(details, "recipient_user").map(|it| vec![it]);
            facts.part_of = details["community_gift_id"].as_str().map(str::to_owned);
            facts.count = Some(u64::from(facts.part_of.is_none()));
            ActivityKind::Gift
        }
        "community_sub_gift" => {
            facts.tier = sub_tier();
            facts.count = details["total"].as_u64();
            facts.part_of = details["id"].as_str().map(str::to_owned);
            ActivityKind::Gift
        }
        "pay_it_forward" => ActivityKind::Gift,
        "raid" => {
            facts.count = details["viewer_count"].as_u64();
            ActivityKind::Raid
        }
        "announcement" => ActivityKind::Announcement,
        "bits_badge_tier" => {
            facts.count = details["tier"].as_u64();
            ActivityKind::Milestone
        }
        "watch_streak" => {
            facts.count = details["streak_count"].as_u64();
            ActivityKind::WatchStreak
        }
        "charity_donation" => {
            facts.amount = super::stream::money(&details["amount"]);
            ActivityKind::Donation
        }
        _ => ActivityKind::Other,
    };
    let name = facts.author.as_ref().map(|it| it.name.clone());
    let said = it.text("system_message").map(|it| text::clean(it).trim().to_owned());
    let system_text = said.filter(|it| !it.is_empty()).unwrap_or_else(|| {
        let who = name.unwrap_or_else(|| "Somebody".to_owned());
        match kind {
            ActivityKind::Announcement => format!("Announcement from {who}"),
            _ => format!("{who}: {}", word.replace('_', " ")),
        }
    });
    let mut body = it.activity(kind, system_text, facts);
    if let EventBody::Activity(activity) = &mut body
        && shared
    {
        activity.flags.push(Flag::SharedChat);
        activity.source_channel = channel(event, "source_broadcaster_user");
        activity.amount = None; // Paid to the other channel.
    }
    Some(body)
}
