//! What moderators do: what vanishes does so here as well, and what only they may see stays with them.

use super::{Facts, Happening, people};
use crate::model::{
    ActivityKind, ChatClear, ChatClearUser, ChatDelete, EventBody, Platform, QualifiedId, Timestamp,
};

/// Kinds that show what viewers are not to see.
pub(super) fn is_for_moderators(kind: &str) -> bool {
    ["automod.", "channel.suspicious_user.", "channel.unban_request.", "channel.warning."]
        .iter()
        .any(|it| kind.starts_with(it))
        || matches!(kind, "channel.chat.user_message_hold" | "channel.chat.user_message_update")
}

pub(super) fn is_moderation(kind: &str) -> bool {
    matches!(
        kind,
        "channel.ban"
            | "channel.unban"
            | "channel.moderate"
            | "channel.chat.clear"
            | "channel.chat.clear_user_messages"
            | "channel.chat.message_delete"
            | "channel.moderator.add"
            | "channel.moderator.remove"
            | "channel.vip.add"
            | "channel.vip.remove"
    )
}

fn clear_user(id: &str, seconds: Option<u64>) -> EventBody {
    let author_id = QualifiedId::new(Platform::Twitch, id);
    EventBody::ChatClearUser(ChatClearUser { platform: Platform::Twitch, author_id, seconds })
}

/// Seconds between two moments; `None` when either is none, or the later one is the earlier.
fn seconds(from: Option<&str>, to: Option<&str>) -> Option<u64> {
    let at = |it: Option<&str>| it.and_then(|it| Timestamp::parse(it).ok());
    // A time-out of 1 s may have ended a few milliseconds before it was told.
    let ms = at(to)?.ms_since(at(from)?);
    u64::try_from(ms).ok().map(|ms| ms.div_ceil(1000).max(1))
}

fn delete(message_id: &str, author_id: Option<&str>) -> EventBody {
    EventBody::ChatDelete(ChatDelete {
        message_id: QualifiedId::new(Platform::Twitch, message_id),
        platform: Platform::Twitch,
        author_id: author_id.map(|it| QualifiedId::new(Platform::Twitch, it)),
    })
}

/// Reads what moderators did.
pub(super) fn read(it: &Happening<'_>) -> Option<EventBody> {
    let event = it.event;
    let changed = |words: &str| {
        let author = it.author("user");
        let who = author.as_ref().map_or("Somebody", |it| it.name.as_str());
        let text = format!("{who} {words}");
        Some(it.activity(ActivityKind::Other, text, Facts { author, ..Facts::default() }))
    };
    match it.kind {
        "channel.ban" => {
            let length = match event["is_permanent"].as_bool() {
                Some(true) => None,
                _ => seconds(it.text("banned_at"), it.text("ends_at")),
            };
            Some(clear_user(it.text("user_id")?, length))
        }
        "channel.chat.clear" => {
            Some(EventBody::ChatClear(ChatClear { platform: Some(Platform::Twitch) }))
        }
        "channel.chat.clear_user_messages" => Some(clear_user(it.text("target_user_id")?, None)),
        "channel.chat.message_delete" => {
            Some(delete(it.text("message_id")?, it.text("target_user_id")))
        }
        "channel.unban" => changed("may chat again"),
        "channel.moderator.add" => changed("is a moderator now"),
        "channel.moderator.remove" => changed("is no longer a moderator"),
        "channel.vip.add" => changed("is a VIP now"),
        "channel.vip.remove" => changed("is no longer a VIP"),
        _ => action(it),
    }
}

/// `channel.moderate`: one action, with an object named after it.
fn action(it: &Happening<'_>) -> Option<EventBody> {
    let action = it.text("action")?;
    let details = &it.event[action];
    let target = people::find(details, "user");
    let own_id = || target.as_ref().map(|it| it.id.own_id());
    match action {
        "ban" | "shared_chat_ban" => Some(clear_user(own_id()?, None)),
        "timeout" | "shared_chat_timeout" => {
            // Counted from now, for it is told at once; without a time of its own its end says nothing.
            let now = it.sent_at.map(|it| it.to_string());
            let length = seconds(now.as_deref(), details["expires_at"].as_str());
            Some(clear_user(own_id()?, Some(length.unwrap_or(1))))
        }
        "delete" | "shared_chat_delete" => Some(delete(details["message_id"].as_str()?, own_id())),
        "clear" => Some(EventBody::ChatClear(ChatClear { platform: Some(Platform::Twitch) })),
        // Words that must not be said, and what was said to a single viewer.
        "warn"
        | "add_blocked_term"
        | "add_permitted_term"
        | "remove_blocked_term"
        | "remove_permitted_term"
        | "approve_unban_request"
        | "deny_unban_request" => None,
        other => {
            let moderator = it.author("moderator_user");
            let by = moderator.as_ref().map_or("A moderator", |it| it.name.as_str());
            let text = match &target {
                Some(target) => format!("{by}: {} {}", other.replace('_', " "), target.name),
                None => format!("{by}: {}", other.replace('_', " ")),
            };
            let raw_kind = Some(format!("{}:{other}", it.kind));
            let facts = Facts { author: target, raw_kind, ..Facts::default() };
            Some(it.activity(ActivityKind::Other, text, facts))
        }
    }
}
