//! What Twitch tells beside chat, as the feed understands it.
//!
//! What also comes over IRC has the same id here and there, so that it is in the feed once. What only moderators
//! may see (held messages, warnings, suspicious viewers) carries nothing: the feed is shown on streams.
//!
//! Source: <https://dev.twitch.tv/docs/eventsub/eventsub-reference/>, and payloads recorded by others.

mod chat;
mod moderation;
mod people;
mod stream;

use serde_json::Value;

use crate::{
    chat::normalize::Reading,
    model::{
        Activity, ActivityKind, Amount, Author, EventBody, Fragment, Platform, QualifiedId,
        Timestamp,
    },
    platforms::twitch::Notification,
};

/// Adds to `readings` what a notification means.
pub(crate) fn normalize(it: &Notification, received_at: Timestamp, readings: &mut Vec<Reading>) {
    let happening =
        Happening { id: &it.message_id, kind: &it.kind, event: &it.event, sent_at: it.sent_at };
    if let Some(body) = read(&happening, received_at) {
        let key = match body {
            // Neither has an id of its own.
            EventBody::ChatClear(_) | EventBody::ChatClearUser(_) => Some(hash_of(&it.message_id)),
            _ => None,
        };
        readings.push(Reading { body, sent_at: it.sent_at, key });
    }
}

fn hash_of(id: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    ("eventsub", id).hash(&mut hasher);
    hasher.finish()
}

/// Something that happened, in Twitch's words.
struct Happening<'a> {
    /// Of the notification.
    id: &'a str,
    kind: &'a str,
    event: &'a Value,
    sent_at: Option<Timestamp>,
}

/// What an activity is made of, beside where and when.
#[derive(Default)]
struct Facts {
    /// The notification's id without.
    id: Option<String>,
    author: Option<Author>,
    text: Option<String>,
    fragments: Option<Vec<Fragment>>,
    amount: Option<Amount>,
    count: Option<u64>,
    months: Option<u32>,
    tier: Option<String>,
    recipients: Option<Vec<Author>>,
    part_of: Option<String>,
    /// Another word for the kind than the subscription's.
    raw_kind: Option<String>,
}

impl Happening<'_> {
    fn activity(&self, kind: ActivityKind, system_text: String, facts: Facts) -> EventBody {
        let id = facts.id.as_deref().unwrap_or(self.id);
        EventBody::Activity(Box::new(Activity {
            kind,
            platform: Platform::Twitch,
            id: QualifiedId::new(Platform::Twitch, id),
            author: facts.author,
            text: facts.text,
            fragments: facts.fragments,
            amount: facts.amount,
            count: facts.count,
            months: facts.months,
            tier: facts.tier,
            recipients: facts.recipients,
            system_text,
            raw_kind: Some(facts.raw_kind.unwrap_or_else(|| self.kind.to_owned())),
            part_of: facts.part_of.map(|it| QualifiedId::new(Platform::Twitch, &it)),
            flags: Vec::new(),
            source_channel: None,
            sent_at: self.sent_at,
        }))
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.event[key].as_str().filter(|it| !it.is_empty())
    }

    fn author(&self, prefix: &str) -> Option<Author> {
        people::find(self.event, prefix)
    }
}

fn read(it: &Happening<'_>, received_at: Timestamp) -> Option<EventBody> {
    let event = it.event;
    let who = |author: &Option<Author>| {
        author.as_ref().map_or_else(|| "Somebody".to_owned(), |it| it.name.clone())
    };
    Some(match it.kind {
        "channel.chat.message" => return chat::message(it, received_at),
        "channel.chat.notification" => return chat::notification(it),
        "channel.follow" => {
            let author = it.author("user")?;
            let text = format!("{} follows the channel", author.name);
            // Who unfollows and follows again does so at another time.
            let id = format!(
                "follow-{}-{}",
                author.id.own_id(),
                it.text("followed_at").unwrap_or(it.id)
            );
            let facts = Facts { id: Some(id), author: Some(author), ..Facts::default() };
            it.activity(ActivityKind::Follow, text, facts)
        }
        "channel.raid" => {
            let count = event["viewers"].as_u64();
            let (from, to) =
                (it.author("from_broadcaster_user")?, it.author("to_broadcaster_user"));
            let viewers = match count {
                Some(1) => "1 viewer".to_owned(),
                Some(count) => format!("{count} viewers"),
                None => "viewers".to_owned(),
            };
            let text = match &to {
                Some(to) => format!("{} raids {} with {viewers}", from.name, to.name),
                None => format!("{} raids with {viewers}", from.name),
            };
            let recipients = to.map(|it| vec![it]);
            let facts = Facts { author: Some(from), count, recipients, ..Facts::default() };
            it.activity(ActivityKind::Raid, text, facts)
        }
        "channel.subscribe" | "channel.subscription.message" => {
            let author = it.author("user");
            let (text, fragments) = chat::plain(&event["message"]);
            let months = event["cumulative_months"].as_u64().and_then(|it| u32::try_from(it).ok());
            let system_text = match months {
                Some(months) => format!("{} subscribed for {months} months", who(&author)),
                None => format!("{} subscribed", who(&author)),
            };
            let tier = it.text("tier").map(chat::tier);
            let facts = Facts { author, text, fragments, months, tier, ..Facts::default() };
            it.activity(ActivityKind::Subscription, system_text, facts)
        }
        "channel.subscription.gift" => {
            let author = it.author("user");
            let count = event["total"].as_u64();
            let giver = match &author {
                Some(author) => author.name.clone(),
                None => "An anonymous viewer".to_owned(),
            };
            let text = match count {
                Some(1) | None => format!("{giver} gave a subscription"),
                Some(count) => format!("{giver} gave {count} subscriptions"),
            };
            let tier = it.text("tier").map(chat::tier);
            it.activity(ActivityKind::Gift, text, Facts { author, count, tier, ..Facts::default() })
        }
        "channel.cheer" | "channel.bits.use" => {
            let author = it.author("user");
            let (text, fragments) = chat::plain(&event["message"]);
            let amount = event["bits"].as_i64().filter(|it| *it > 0).map(Amount::bits);
            let giver = match &author {
                Some(author) => author.name.clone(),
                None => "An anonymous viewer".to_owned(),
            };
            let system_text = match &amount {
                Some(amount) => format!("{giver} cheered {}", amount.display),
                None => format!("{giver} cheered"),
            };
            let facts = Facts { author, text, fragments, amount, ..Facts::default() };
            it.activity(ActivityKind::Paid, system_text, facts)
        }
        kind if kind.contains("_reward_redemption.") || kind.contains("-reward-redemption.") => {
            return stream::redemption(it);
        }
        kind if kind.starts_with("channel.poll.") => return stream::poll(it),
        kind if kind.starts_with("channel.prediction.") => return stream::prediction(it),
        kind if kind.starts_with("channel.hype_train.") => stream::hype_train(it),
        kind if kind.starts_with("channel.charity_campaign.") => return stream::charity(it),
        "stream.online" => {
            it.activity(ActivityKind::Other, "The stream began".to_owned(), Facts::default())
        }
        "stream.offline" => {
            it.activity(ActivityKind::Other, "The stream ended".to_owned(), Facts::default())
        }
        "channel.update" => {
            let text = match (it.text("title"), it.text("category_name")) {
                (Some(title), Some(category)) => {
                    format!("The stream is now “{title}” ({category})")
                }
                (Some(title), None) => format!("The stream is now “{title}”"),
                _ => "The stream's title changed".to_owned(),
            };
            it.activity(ActivityKind::Other, text, Facts::default())
        }
        "channel.ad_break.begin" => {
            let text = match event["duration_seconds"].as_u64() {
                Some(seconds) => format!("An ad break of {seconds} s begins"),
                None => "An ad break begins".to_owned(),
            };
            it.activity(ActivityKind::Other, text, Facts::default())
        }
        "channel.shoutout.create" | "channel.shoutout.receive" => {
            let other =
                it.author("to_broadcaster_user").or_else(|| it.author("from_broadcaster_user"));
            let text = match it.kind {
                "channel.shoutout.create" => format!("A shout-out to {}", who(&other)),
                _ => format!("A shout-out from {}", who(&other)),
            };
            it.activity(ActivityKind::Other, text, Facts { author: other, ..Facts::default() })
        }
        kind if moderation::is_for_moderators(kind) => return None,
        kind if moderation::is_moderation(kind) => return moderation::read(it),
        kind => it.activity(
            ActivityKind::Other,
            format!("Twitch: {}", kind.trim_start_matches("channel.").replace(['.', '_'], " ")),
            Facts { author: it.author("user"), ..Facts::default() },
        ),
    })
}

#[cfg(test)]
mod tests;
