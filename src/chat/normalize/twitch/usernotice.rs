//! USERNOTICE: subscriptions, gifts, raids and whatever Twitch adds next.

use twitch_irc::message::IRCMessage;

use super::{author, body, bundles::Bundles, id_or_invented, message, room, sentence, tags::Tags};
use crate::{
    chat::normalize::Normalized,
    model::{Activity, ActivityKind, Amount, Author, EventBody, Flag, Platform, QualifiedId},
};

/// The account that stands for anonymous gifters.
const ANONYMOUS_GIFTER_ID: &str = "274598607";
const ANONYMOUS_GIFTER_LOGIN: &str = "ananonymousgifter";

/// What differs from kind to kind.
#[derive(Default)]
struct Details {
    amount: Option<Amount>,
    count: Option<u64>,
    months: Option<u32>,
    tier: Option<String>,
    recipients: Option<Vec<Author>>,
    part_of: Option<QualifiedId>,
}

/// Reads a USERNOTICE of the channel `room_id`.
pub(super) fn read(line: &IRCMessage, room_id: Option<&str>, bundles: &mut Bundles) -> Normalized {
    let tags = Tags::of(line);
    if tags.is_deleted() {
        return message::redacted(tags);
    }
    let raw_kind = tags.find("msg-id");
    let source_channel = room::find_source(tags, room_id);
    // In another channel's event the kind is in `source-msg-id`; own lines of shared chat carry that too.
    let word = match raw_kind {
        Some("sharedchatnotice") => tags.find("source-msg-id"),
        other => other,
    }
    .unwrap_or_default();

    let kind = kind(word, tags);
    let mut details = details(kind, word, tags, bundles);
    if source_channel.is_some() {
        details.amount = None; // Paid to the other channel.
    }
    let author = if is_anonymous(word, tags) { None } else { author::read(line, tags, room_id) };
    let body = body::find_text(line)
        .map(|sent| body::read(&sent, tags.find("emotes"), None))
        .filter(|body| !body.text.is_empty());
    let flags = [
        (Flag::Action, body.as_ref().is_some_and(|it| it.action)),
        (Flag::SharedChat, source_channel.is_some()),
        (Flag::Historical, tags.is_historical()),
    ];
    let system_text = sentence::compose(word, kind, tags, author.as_ref(), &details.facts());
    let (text, fragments) = body.map(|it| (it.text, it.fragments)).unzip();
    Normalized::Event(EventBody::Activity(Box::new(Activity {
        kind,
        platform: Platform::Twitch,
        id: id_or_invented(tags),
        author,
        text,
        fragments,
        amount: details.amount,
        count: details.count,
        months: details.months,
        tier: details.tier,
        recipients: details.recipients,
        system_text,
        raw_kind: raw_kind.map(str::to_owned),
        part_of: details.part_of,
        flags: flags.into_iter().filter_map(|(flag, set)| set.then_some(flag)).collect(),
        source_channel,
        sent_at: tags.sent_at(),
    })))
}

fn kind(word: &str, tags: Tags<'_>) -> ActivityKind {
    match word {
        "sub"
        | "resub"
        | "extendsub"
        | "primepaidupgrade"
        | "giftpaidupgrade"
        | "anongiftpaidupgrade" => ActivityKind::Subscription,
        "subgift"
        | "anonsubgift"
        | "submysterygift"
        | "anonsubmysterygift"
        | "rewardgift"
        | "communitypayforward"
        | "standardpayforward" => ActivityKind::Gift,
        "raid" => ActivityKind::Raid,
        "announcement" => ActivityKind::Announcement,
        "bitsbadgetier" => ActivityKind::Milestone,
        "viewermilestone" => match tags.find("msg-param-category") {
            None | Some("watch-streak") => ActivityKind::WatchStreak,
            Some(_) => ActivityKind::Milestone,
        },
        "charitydonation" => ActivityKind::Donation,
        "midnightsquid" | "onetapgiftredeemed" => ActivityKind::Paid,
        other if other.ends_with("versary") => ActivityKind::Milestone,
        _ => ActivityKind::Other,
    }
}

/// Anonymous gifts come from a real account; the older form names the channel itself as the giver. Who goes
/// on with an anonymous gift (`anongiftpaidupgrade`) is not anonymous.
fn is_anonymous(word: &str, tags: Tags<'_>) -> bool {
    matches!(word, "anonsubgift" | "anonsubmysterygift")
        || tags.find("user-id") == Some(ANONYMOUS_GIFTER_ID)
        || tags.find("login") == Some(ANONYMOUS_GIFTER_LOGIN)
}

fn details(kind: ActivityKind, word: &str, tags: Tags<'_>, bundles: &mut Bundles) -> Details {
    let months =
        |keys: [&str; 2]| keys.iter().find_map(|key| tags.number(key).filter(|it| *it > 0));
    let tier = tags.find("msg-param-sub-plan").map(tier);
    match kind {
        ActivityKind::Subscription => Details {
            // `months` is the only one on older lines and 0 on newer ones.
            months: months(["msg-param-cumulative-months", "msg-param-months"]),
            tier,
            ..Details::default()
        },
        ActivityKind::Gift => Details { tier, ..gift(word, tags, bundles) },
        ActivityKind::Raid => {
            Details { count: tags.number("msg-param-viewerCount"), ..Details::default() }
        }
        ActivityKind::WatchStreak => {
            Details { count: tags.number("msg-param-value"), ..Details::default() }
        }
        ActivityKind::Milestone => Details {
            count: ["msg-param-threshold", "msg-param-value"].iter().find_map(|it| tags.number(it)),
            months: months(["msg-param-months", "msg-param-cumulative-months"]),
            ..Details::default()
        },
        ActivityKind::Donation => Details {
            amount: amount(tags, ["msg-param-donation-", "msg-param-charity-donation-"]),
            ..Details::default()
        },
        ActivityKind::Paid => {
            let bits = tags.number("msg-param-bits-spent").filter(|it| *it > 0).map(Amount::bits);
            Details {
                amount: bits.or_else(|| amount(tags, ["msg-param-", ""])),
                ..Details::default()
            }
        }
        _ => Details::default(),
    }
}

/// A bundle counts for all of its gifts, so each of those counts 0. Who pays a gift forward is named before
/// the gift itself comes, so that notice counts nothing.
fn gift(word: &str, tags: Tags<'_>, bundles: &mut Bundles) -> Details {
    let (count, part_of) = match word {
        "submysterygift" | "anonsubmysterygift" => {
            (tags.number("msg-param-mass-gift-count"), bundles.announce(tags))
        }
        "subgift" | "anonsubgift" => match bundles.find(tags) {
            Some(bundle) => (Some(0), Some(bundle)),
            None => (Some(1), None),
        },
        "rewardgift" => (tags.number("msg-param-selected-count"), None),
        _ => (None, None),
    };
    let recipient = author::named(
        tags.find("msg-param-recipient-id"),
        tags.find("msg-param-recipient-user-name"),
        tags.find("msg-param-recipient-display-name"),
    );
    Details {
        count,
        months: tags.number("msg-param-gift-months"),
        recipients: recipient.map(|it| vec![it]),
        part_of: part_of.map(|it| QualifiedId::new(Platform::Twitch, it)),
        ..Details::default()
    }
}

/// Money under the first of two prefixes that has an amount.
fn amount(tags: Tags<'_>, prefixes: [&str; 2]) -> Option<Amount> {
    let find = |name: &str| prefixes.iter().find_map(|it| tags.find(&format!("{it}{name}")));
    let exponent = find("exponent").or_else(|| tags.find("msg-param-exponent"));
    message::money(find("amount")?, find("currency")?, exponent)
}

fn tier(plan: &str) -> String {
    match plan {
        "1000" => "1".to_owned(),
        "2000" => "2".to_owned(),
        "3000" => "3".to_owned(),
        other => other.to_ascii_lowercase(),
    }
}

impl Details {
    fn facts(&self) -> sentence::Facts<'_> {
        sentence::Facts { amount: self.amount.as_ref(), count: self.count }
    }
}
