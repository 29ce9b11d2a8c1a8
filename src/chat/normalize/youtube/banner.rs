//! What is put above the chat: a pinned message, another channel's viewers, a summary, a product.

use serde_json::Value;

use super::{Context, action, author, push_activity, qualified, sent_at, text, write_with};
use crate::{
    chat::normalize::Reading,
    model::{Activity, ActivityKind, Flag, Platform, QualifiedId},
};

/// Reads `liveChatBannerRenderer`.
pub(super) fn read(banner: &Value, context: &Context<'_>, readings: &mut Vec<Reading>) {
    let contents = &banner["contents"];
    let Some(kind) = action::first_key(contents) else { return };
    let it = &contents[kind];
    // A pin has the id of its message on some banners: it must not hide that, nor be hidden by it.
    let id = match banner["actionId"].as_str() {
        Some(id) => format!("banner-{}", qualified(id).own_id()),
        None => format!("banner-{kind}-{}", context.received_at.unix_ms()),
    };
    let id = QualifiedId::new(Platform::Youtube, &id);
    let base = |activity| context.activity(activity, kind, id, None, sent_at(it));
    let header = text::plain(&banner["header"]["liveChatBannerHeaderRenderer"]["text"]);
    let activity = match kind {
        "liveChatBannerRedirectRenderer" => redirect(it, base),
        "liveChatTextMessageRenderer" | "liveChatPaidMessageRenderer" => {
            let mut activity = base(ActivityKind::Announcement);
            activity.raw_kind = Some("liveChatBannerRenderer".to_owned());
            activity.author = author::of_renderer(it);
            // It was written some time ago and is shown now.
            activity.sent_at = None;
            activity.flags.clear();
            write_with(&mut activity, text::read(&it["message"]));
            let name = activity.author.as_ref().map_or("", |it| it.name.as_str());
            let header = if header.is_empty() { "Pinned".to_owned() } else { header };
            activity.system_text =
                format!("{header}: {name}: {}", activity.text.as_deref().unwrap_or_default());
            activity
        }
        "liveChatBannerChatSummaryRenderer" => {
            let mut activity = base(ActivityKind::Other);
            let said = text::plain(&it["chatSummary"]);
            let lines: Vec<&str> =
                said.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
            activity.system_text = lines.join(" · ");
            activity.flags.push(Flag::System);
            activity
        }
        "liveChatProductItemRenderer" => {
            let mut activity = base(ActivityKind::Other);
            let part = |name: &str| text::of_plain(it[name].as_str().unwrap_or_default()).text;
            let (title, price) = (part("title"), part("price"));
            activity.system_text = match price.is_empty() {
                true => format!("Product: {title}"),
                false => format!("Product: {title} ({price})"),
            };
            activity
        }
        _ => {
            let mut activity = base(ActivityKind::Other);
            activity.system_text = header;
            activity
        }
    };
    push_activity(activity, readings);
}

/// "@ana and their viewers just joined. Say hello!", or where viewers are sent at the end of a stream.
fn redirect(it: &Value, base: impl FnOnce(ActivityKind) -> Activity) -> Activity {
    let message = &it["bannerMessage"];
    let said = text::plain(message);
    let arrives = said.contains("just joined");
    let mut activity = base(if arrives { ActivityKind::Raid } else { ActivityKind::Other });
    let runs = message["runs"].as_array().into_iter().flatten();
    let names = runs.filter_map(|it| it["text"].as_str().filter(|_| it["bold"] == true));
    let handle = names.map(str::trim).find(|it| !it.is_empty());
    activity.author = handle.and_then(|it| author::named(None, it)).map(|mut author| {
        author.avatar = text::picture(&it["authorPhoto"]);
        author
    });
    activity.system_text = said;
    activity
}
