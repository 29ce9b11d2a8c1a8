//! The items of the site's chat, one renderer for each kind.

use serde_json::Value;

use super::{
    Context, YoutubeNormalizer, amount, author, id_or_invented, key_of, name_of, poll,
    push_activity, push_event, sent_at, text, twins::Origin, write_with,
};
use crate::{
    chat::normalize::{NormalizeError, Reading},
    model::{
        Activity, ActivityKind, Author, Emote, EmoteProvider, EventBody, Flag, Fragment, Platform,
        QualifiedId,
    },
};

/// Reads `item`: an object with one renderer.
pub(super) fn read(
    normalizer: &mut YoutubeNormalizer,
    item: &Value,
    context: &Context<'_>,
    readings: &mut Vec<Reading>,
) -> Result<(), NormalizeError> {
    let Some((kind, it)) = item.as_object().and_then(|it| it.iter().next()) else { return Ok(()) };
    normalizer.note_writer(&it["authorExternalChannelId"]);
    match kind.as_str() {
        "liveChatTextMessageRenderer" | "liveChatPaidMessageRenderer" => {
            return message(normalizer, kind, it, context, readings);
        }
        // Its place is filled later.
        "liveChatPlaceholderItemRenderer" => return Ok(()),
        "liveChatModeChangeMessageRenderer" => {
            mode_change(normalizer, it, context, readings);
            return Ok(());
        }
        _ => {}
    }
    let base = |kind, raw_kind: &str| activity(kind, raw_kind, it, context);
    let activity = match kind.as_str() {
        "liveChatPaidStickerRenderer" => sticker(base(ActivityKind::Paid, "superStickerEvent"), it),
        "liveChatMembershipItemRenderer" => membership(it, context),
        "liveChatLegacyPaidMessageRenderer" => {
            let mut activity = base(ActivityKind::Membership, "newSponsorEvent");
            activity.system_text =
                sentence([text::plain(&it["eventText"]), text::plain(&it["detailText"])]);
            activity
        }
        "liveChatSponsorshipsGiftPurchaseAnnouncementRenderer" => {
            gift(base(ActivityKind::Gift, "membershipGiftingEvent"), it)
        }
        "liveChatSponsorshipsGiftRedemptionAnnouncementRenderer" => {
            redemption(base(ActivityKind::Gift, "giftMembershipReceivedEvent"), it)
        }
        "giftMessageViewModel" => jewels(it, context),
        "liveChatViewerEngagementMessageRenderer" => engagement(it, context),
        "liveChatDonationAnnouncementRenderer" => {
            let mut activity = base(ActivityKind::Donation, kind);
            activity.system_text =
                sentence([text::plain(&it["text"]), text::plain(&it["subtext"])]);
            activity.amount = amount::read(&activity.system_text);
            activity
        }
        "liveChatPurchasedProductMessageRenderer" => {
            let mut activity = base(ActivityKind::Paid, kind);
            activity.system_text = text::plain(&it["headerText"]);
            write_with(&mut activity, text::read(&it["message"]));
            activity
        }
        _ => {
            let mut activity = base(ActivityKind::Other, kind);
            write_with(&mut activity, first_text(it));
            activity.system_text = match (&activity.author, &activity.text) {
                (_, Some(text)) => text.clone(),
                (Some(author), None) => format!("{}: {kind}", author.name),
                (None, None) => format!("YouTube sent something new: {kind}"),
            };
            activity
        }
    };
    push_activity(activity, readings);
    Ok(())
}

fn activity(kind: ActivityKind, raw_kind: &str, it: &Value, context: &Context<'_>) -> Activity {
    let author = author::of_renderer(it);
    context.activity(kind, raw_kind, id_or_invented(&it["id"]), author, sent_at(it))
}

fn message(
    normalizer: &mut YoutubeNormalizer,
    kind: &str,
    it: &Value,
    context: &Context<'_>,
    readings: &mut Vec<Reading>,
) -> Result<(), NormalizeError> {
    let author = author::of_renderer(it).ok_or_else(|| NormalizeError::unparsed(kind, "author"))?;
    let sent_at = sent_at(it);
    let body = text::read(&it["message"]);
    let mut message = context.message(id_or_invented(&it["id"]), author, body, sent_at);
    let paid = text::plain(&it["purchaseAmountText"]);
    if !paid.is_empty() {
        message.amount = amount::read(&paid);
    }
    let raw_id = it["id"].as_str().unwrap_or_default();
    if !normalizer.twins.is_repeat(&message, raw_id, Origin::Site) {
        push_event(EventBody::ChatMessage(Box::new(message)), sent_at, None, readings);
    }
    Ok(())
}

fn sticker(mut activity: Activity, it: &Value) -> Activity {
    let sticker = &it["sticker"];
    let label = text::of_plain(text::label(sticker).unwrap_or_default());
    let paid = text::plain(&it["purchaseAmountText"]);
    activity.amount = amount::read(&paid);
    let name = name_of(activity.author.as_ref());
    activity.system_text = match label.text.is_empty() {
        true => format!("{name} sent a Super Sticker ({paid})"),
        false => format!("{name} sent a Super Sticker ({paid}): {}", label.text),
    };
    with_picture(&mut activity, label, text::picture(sticker));
    activity
}

/// Shows a picture with its description in the place of words.
fn with_picture(activity: &mut Activity, label: text::Body, url: Option<String>) {
    let id = activity.id.own_id().to_owned();
    let emote = url.map(|url| Emote {
        provider: EmoteProvider::Youtube,
        id,
        url,
        animated: false,
        zero_width: false,
    });
    let mut body = label;
    if let Some(emote) = emote.filter(|_| !body.text.is_empty()) {
        body.fragments = vec![Fragment::Emote { text: body.text.clone(), emote }];
    }
    write_with(activity, body);
}

/// A membership begins, is changed, or has lasted for so many months.
fn membership(it: &Value, context: &Context<'_>) -> Activity {
    let primary = text::plain(&it["headerPrimaryText"]);
    let subtext = &it["headerSubtext"];
    let said = text::plain(subtext);
    if !primary.is_empty() {
        let mut activity =
            activity(ActivityKind::Milestone, "memberMilestoneChatEvent", it, context);
        activity.months = months(&primary);
        activity.tier = Some(said).filter(|it| !it.is_empty());
        activity.system_text = format!("{}: {primary}", name_of(activity.author.as_ref()));
        write_with(&mut activity, text::read(&it["message"]));
        return activity;
    }
    let mut activity = activity(ActivityKind::Membership, "newSponsorEvent", it, context);
    // "Welcome to " "Level" "!"; of a channel without levels there is one run, "New member".
    let runs = subtext["runs"].as_array().map(Vec::as_slice).unwrap_or_default();
    activity.tier = (runs.len() >= 2)
        .then(|| runs[1]["text"].as_str())
        .flatten()
        .map(|it| text::of_plain(it).text)
        .filter(|it| !it.trim().is_empty());
    activity.system_text = format!("{}: {said}", name_of(activity.author.as_ref()));
    activity
}

/// "Member for 27 months", "Member for 1 month", "Member for 2 years".
fn months(text: &str) -> Option<u32> {
    let number: u32 = text.split_whitespace().find_map(|it| it.replace(',', "").parse().ok())?;
    let number = if text.contains("year") { number.checked_mul(12)? } else { number };
    Some(number).filter(|it| *it > 0)
}

fn gift(mut activity: Activity, it: &Value) -> Activity {
    let text = &it["header"]["liveChatSponsorshipsHeaderRenderer"]["primaryText"];
    let runs = text["runs"].as_array().into_iter().flatten();
    let texts = runs.filter_map(|it| it["text"].as_str());
    let number = |it: &str| it.trim().replace(',', "").parse().ok();
    let whole = text::plain(text);
    let count: Option<u64> =
        texts.filter_map(number).next().or_else(|| whole.split_whitespace().find_map(number));
    activity.count = Some(count.unwrap_or(1));
    activity.part_of = Some(activity.id.clone());
    activity.system_text = format!("{}: {whole}", name_of(activity.author.as_ref()));
    activity
}

/// Who received one of the gifts that were counted when they were bought. The giver is told by name only.
fn redemption(mut activity: Activity, it: &Value) -> Activity {
    let recipient = activity.author.take();
    activity.system_text =
        format!("{} {}", name_of(recipient.as_ref()), text::plain(&it["message"]));
    activity.count = Some(0);
    activity.recipients = recipient.map(|it| vec![it]);
    activity
}

/// A gift bought with Jewels. Its author is told by handle only.
fn jewels(it: &Value, context: &Context<'_>) -> Activity {
    let mut author = author::named(None, &text::plain(&it["authorName"]));
    if let Some(author) = &mut author {
        author.avatar = text::picture(&it["authorAvatar"]["avatarViewModel"]["image"]);
    }
    gift_of_jewels(it, author, text::plain(&it["text"]), &it["giftImage"], context)
}

/// The same as a small window of the mobile site.
pub(super) fn read_widget(widget: &Value, context: &Context<'_>, readings: &mut Vec<Reading>) {
    let Some(it) = widget["content"].get("giftAttributionItemViewModel") else { return };
    let id =
        it["elementRenderer"]["compatibilityOptions"]["liveChatAuthorExternalChannelId"].as_str();
    let mut author = author::named(id, &text::plain(&it["authorName"]));
    if let Some(author) = &mut author {
        author.avatar = text::picture(&it["authorAvatar"]["avatarViewModel"]["image"]);
    }
    let said = text::plain(&it["detailText"]);
    let mut activity = gift_of_jewels(it, author, said, &it["attributionImage"], context);
    activity.count = it["comboCount"].as_u64();
    push_activity(activity, readings);
}

fn gift_of_jewels(
    it: &Value,
    author: Option<Author>,
    said: String,
    picture: &Value,
    context: &Context<'_>,
) -> Activity {
    let id = id_or_invented(&it["id"]);
    let mut activity = context.activity(ActivityKind::Paid, "giftEvent", id, author, sent_at(it));
    activity.system_text = format!("{} {said}", name_of(activity.author.as_ref()));
    with_picture(&mut activity, text::of_plain(&said), text::picture(picture));
    activity
}

/// A notice of the site's own, or the result of a poll.
fn engagement(it: &Value, context: &Context<'_>) -> Activity {
    let said = text::read(&it["message"]);
    let icon = it["icon"]["iconType"].as_str().unwrap_or_default();
    if icon == "POLL" {
        return poll::result(it, &said.text, context);
    }
    // Each page load brings it anew, with another id.
    let id = QualifiedId::new(
        Platform::Youtube,
        &format!("notice-{:016x}", key_of((icon, said.text.as_str()))),
    );
    let kind = "liveChatViewerEngagementMessageRenderer";
    let mut activity = context.activity(ActivityKind::Announcement, kind, id, None, sent_at(it));
    activity.system_text = said.text;
    activity.flags.push(Flag::System);
    activity
}

fn mode_change(
    normalizer: &mut YoutubeNormalizer,
    it: &Value,
    context: &Context<'_>,
    readings: &mut Vec<Reading>,
) {
    let icon = it["icon"]["iconType"].as_str().unwrap_or_default();
    let (said, more) = (text::plain(&it["text"]), text::plain(&it["subtext"]));
    let id = id_or_invented(&it["id"]);
    if let Some(rules) = normalizer.rules.change(icon, &said, &more) {
        let key = key_of(("mode", id.as_str()));
        push_event(EventBody::RoomState(rules), sent_at(it), Some(key), readings);
        return;
    }
    let kind = "liveChatModeChangeMessageRenderer";
    let mut activity = context.activity(ActivityKind::Other, kind, id, None, sent_at(it));
    activity.system_text = sentence([said, more]);
    activity.flags.push(Flag::System);
    push_activity(activity, readings);
}

/// Texts, one after the other.
pub(super) fn sentence<const N: usize>(texts: [String; N]) -> String {
    let texts: Vec<String> = texts.into_iter().filter(|it| !it.trim().is_empty()).collect();
    texts.join(" ")
}

/// Whatever an unknown renderer says.
fn first_text(it: &Value) -> text::Body {
    let names = ["message", "text", "headerText", "headerSubtext", "primaryText", "subtext"];
    let bodies = names.into_iter().map(|name| text::read(&it[name]));
    bodies.into_iter().find(|it| !it.text.is_empty()).unwrap_or_default()
}
