//! The Data API's `liveChatMessage` resources.

use serde_json::Value;

use super::{
    Context, YoutubeNormalizer, amount, author, id_or_invented, key_of, name_of, poll,
    push_activity, push_event, qualified, text, twins::Origin, write_with,
};
use crate::{
    chat::normalize::{NormalizeError, Reading},
    model::{
        Activity, ActivityKind, Amount, ChatClearUser, EventBody, Flag, Platform, QualifiedId,
        Timestamp,
    },
};

impl YoutubeNormalizer {
    /// Reads one resource.
    pub(super) fn read_resource(
        &mut self,
        resource: &Value,
        context: &Context<'_>,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        let snippet = &resource["snippet"];
        let kind = snippet["type"].as_str().unwrap_or_default();
        let missing = |what| Err(NormalizeError::unparsed(kind, what));
        let sent_at = snippet["publishedAt"].as_str().and_then(|it| Timestamp::parse(it).ok());
        let id = id_or_invented(&resource["id"]);
        let details = |name: &str| &snippet[name];
        self.note_writer(&resource["authorDetails"]["channelId"]);
        match kind {
            "textMessageEvent" | "superChatEvent" => {
                let author = author::of_details(&resource["authorDetails"], snippet);
                let Some(author) = author else { return missing("author") };
                let paid = details("superChatDetails");
                let said = match kind {
                    "superChatEvent" => paid["userComment"].as_str().unwrap_or_default(),
                    _ => details("textMessageDetails")["messageText"]
                        .as_str()
                        .or_else(|| snippet["displayMessage"].as_str())
                        .unwrap_or_default(),
                };
                let mut message = context.message(id, author, text::of_plain(said), sent_at);
                message.amount = amount_of(paid);
                let raw_id = resource["id"].as_str().unwrap_or_default();
                if !self.twins.is_repeat(&message, raw_id, Origin::Api) {
                    push_event(EventBody::ChatMessage(Box::new(message)), sent_at, None, readings);
                }
            }
            "messageDeletedEvent" => {
                let target = &details("messageDeletedDetails")["deletedMessageId"];
                let Some(target) = target.as_str() else { return missing("deletedMessageId") };
                self.delete(qualified(target), None, readings);
            }
            "messageRetractedEvent" => {
                let target = &details("messageRetractedDetails")["retractedMessageId"];
                let Some(target) = target.as_str() else { return missing("retractedMessageId") };
                // Who writes it took back what is its own.
                let author = snippet["authorChannelId"].as_str();
                let author = author.map(|it| QualifiedId::new(Platform::Youtube, it));
                self.delete(qualified(target), author, readings);
            }
            // Stands in the place of a message that was taken away.
            "tombstone" => self.delete(id, None, readings),
            "userBannedEvent" => {
                let ban = details("userBannedDetails");
                let banned = ban["bannedUserDetails"]["channelId"].as_str();
                let Some(banned) = banned else { return missing("bannedUserDetails") };
                let seconds = &ban["banDurationSeconds"];
                let seconds = seconds.as_str().and_then(|it| it.parse().ok());
                let seconds = seconds.or_else(|| ban["banDurationSeconds"].as_u64());
                let clear = ChatClearUser {
                    platform: Platform::Youtube,
                    author_id: QualifiedId::new(Platform::Youtube, banned),
                    seconds: seconds.filter(|_| ban["banType"] != "permanent"),
                };
                let key = key_of(("ban", id.as_str()));
                push_event(EventBody::ChatClearUser(clear), sent_at, Some(key), readings);
            }
            "sponsorOnlyModeStartedEvent" | "sponsorOnlyModeEndedEvent" => {
                let rules = self.rules.set_members_only(kind == "sponsorOnlyModeStartedEvent");
                let key = key_of(("mode", id.as_str()));
                push_event(EventBody::RoomState(rules), sent_at, Some(key), readings);
            }
            // The worker sees the end by itself.
            "chatEndedEvent" => {}
            "pollEvent" => {
                push_activity(poll::of_api(details("pollDetails"), id, sent_at, context), readings);
            }
            "" => return missing("type"),
            _ => push_activity(activity(kind, resource, id, sent_at, context), readings),
        }
        Ok(())
    }
}

/// Everything that is neither chat nor moderation.
fn activity(
    kind: &str,
    resource: &Value,
    id: QualifiedId,
    sent_at: Option<Timestamp>,
    context: &Context<'_>,
) -> Activity {
    let snippet = &resource["snippet"];
    let author = author::of_details(&resource["authorDetails"], snippet);
    let details = |name: &str| &snippet[name];
    let plain = |it: &Value| text::of_plain(it.as_str().unwrap_or_default()).text;
    let tier = |it: &Value| Some(plain(it)).filter(|it| !it.is_empty());
    let base = |kind_of| context.activity(kind_of, kind, id.clone(), author.clone(), sent_at);
    let name = name_of(author.as_ref());
    match kind {
        "superStickerEvent" => {
            let it = details("superStickerDetails");
            let label = plain(&it["superStickerMetadata"]["altText"]);
            let mut activity = base(ActivityKind::Paid);
            activity.amount = amount_of(it);
            let paid = activity.amount.as_ref().map_or("", |it| it.display.as_str());
            activity.system_text = match label.is_empty() {
                true => format!("{name} sent a Super Sticker ({paid})"),
                false => format!("{name} sent a Super Sticker ({paid}): {label}"),
            };
            write_with(&mut activity, text::of_plain(&label));
            activity
        }
        "newSponsorEvent" => {
            let it = details("newSponsorDetails");
            let mut activity = base(ActivityKind::Membership);
            activity.tier = tier(&it["memberLevelName"]);
            let level = activity.tier.as_deref().unwrap_or("the members");
            activity.system_text = match it["isUpgrade"] == true {
                true => format!("{name}: Upgraded membership to {level}!"),
                false => format!("{name}: Welcome to {level}!"),
            };
            activity
        }
        "memberMilestoneChatEvent" => {
            let it = details("memberMilestoneChatDetails");
            let mut activity = base(ActivityKind::Milestone);
            activity.months = it["memberMonth"].as_u64().and_then(|it| it.try_into().ok());
            activity.tier = tier(&it["memberLevelName"]);
            let months = activity.months.unwrap_or_default();
            let word = if months == 1 { "month" } else { "months" };
            activity.system_text = format!("{name}: Member for {months} {word}");
            write_with(
                &mut activity,
                text::of_plain(it["userComment"].as_str().unwrap_or_default()),
            );
            activity
        }
        "membershipGiftingEvent" => {
            let it = details("membershipGiftingDetails");
            let mut activity = base(ActivityKind::Gift);
            let count = it["giftMembershipsCount"].as_u64().unwrap_or(1);
            activity.count = Some(count);
            activity.tier = tier(&it["giftMembershipsLevelName"]);
            activity.part_of = Some(id.clone());
            let level = activity.tier.as_deref().map(|it| format!(" {it}")).unwrap_or_default();
            activity.system_text = format!("{name}: Sent {count}{level} gift memberships");
            activity
        }
        "giftMembershipReceivedEvent" => {
            let it = details("giftMembershipReceivedDetails");
            let mut activity = base(ActivityKind::Gift);
            activity.system_text = format!("{name} received a gift membership");
            activity.recipients = activity.author.take().map(|it| vec![it]);
            activity.author =
                it["gifterChannelId"].as_str().and_then(|id| author::named(Some(id), ""));
            activity.tier = tier(&it["memberLevelName"]);
            // Counted when it was bought.
            activity.count = Some(0);
            let bundle = it["associatedMembershipGiftingMessageId"].as_str();
            activity.part_of = bundle.filter(|it| !it.is_empty()).map(qualified);
            activity
        }
        "giftEvent" => {
            let it = details("giftDetails");
            let mut activity = base(ActivityKind::Paid);
            let gift = plain(&it["giftName"]);
            let gift = if gift.is_empty() { plain(&it["altText"]) } else { gift };
            let jewels = &it["jewelsAmount"];
            let jewels = jewels.as_str().and_then(|it| it.parse().ok()).or_else(|| jewels.as_u64());
            let price = jewels.map(|it| format!(" for {it} Jewels")).unwrap_or_default();
            activity.count = it["comboCount"].as_u64();
            activity.system_text = format!("{name} sent {gift}{price}");
            activity
        }
        _ => {
            let mut activity = base(ActivityKind::Other);
            let said = plain(&snippet["displayMessage"]);
            activity.system_text =
                if said.is_empty() { format!("YouTube sent something new: {kind}") } else { said };
            if author.is_none() {
                activity.flags.push(Flag::System);
            }
            activity
        }
    }
}

/// What was paid with a Super Chat or a sticker; 64-bit numbers are texts.
fn amount_of(details: &Value) -> Option<Amount> {
    let micros = &details["amountMicros"];
    let micros = micros.as_str().and_then(|it| it.parse().ok()).or_else(|| micros.as_i64());
    let display = text::of_plain(details["amountDisplayString"].as_str().unwrap_or_default()).text;
    match micros {
        Some(micros) if micros > 0 => {
            amount::of_micros(micros, details["currency"].as_str().unwrap_or_default(), &display)
        }
        _ => amount::read(&display),
    }
}
