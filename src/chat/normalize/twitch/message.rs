//! PRIVMSG: what a viewer wrote.

use twitch_irc::message::IRCMessage;

use super::{
    author, body, id_or_invented,
    room::{self, Room},
    tags::Tags,
};
use crate::{
    chat::normalize::{NormalizeError, Normalized, text},
    model::{
        Amount, ChatRedacted, EventBody, Flag, Message, Platform, QualifiedId, ReplyTo, Timestamp,
    },
};

/// Reads a PRIVMSG of `room`.
pub(super) fn read(
    line: &IRCMessage,
    room: &Room<'_>,
    received_at: Timestamp,
) -> Result<Normalized, NormalizeError> {
    let tags = Tags::of(line);
    let missing = |what| NormalizeError::unparsed(&line.command, what);
    if tags.is_deleted() {
        return Ok(redacted(tags));
    }
    let sent = body::find_text(line).ok_or_else(|| missing("text"))?;
    let author = author::read(line, tags, room.id).ok_or_else(|| missing("author"))?;
    let source_channel = room::find_source(tags, room.id);

    // What was paid in another channel was not paid to this one.
    let is_own = source_channel.is_none();
    let bits = tags.number::<i64>("bits").filter(|it| is_own && *it > 0);
    let amount = match bits {
        Some(bits) => Some(Amount::bits(bits)),
        None if is_own => hype_chat(tags),
        None => None,
    };
    let body = body::read(&sent, tags.find("emotes"), bits);
    let flags = flags(tags, body.action, !is_own);
    Ok(Normalized::Event(EventBody::ChatMessage(Box::new(Message {
        id: id_or_invented(tags),
        platform: Platform::Twitch,
        channel: room.channel(),
        author,
        text: body.text,
        fragments: body.fragments,
        flags,
        reply_to: find_reply(tags),
        source_channel,
        amount,
        sent_at: tags.sent_at().unwrap_or(received_at),
        received_at,
    }))))
}

/// A line from history that was moderated since it was written: only its place is kept.
pub(super) fn redacted(tags: Tags<'_>) -> Normalized {
    match tags.find("id") {
        Some(id) => Normalized::Event(EventBody::ChatRedacted(ChatRedacted {
            message_id: QualifiedId::new(Platform::Twitch, id),
        })),
        None => Normalized::Nothing("moderated line of history without an id"),
    }
}

/// Money paid with a Hype Chat. Early lines carry a second, "canonical" amount in another unit.
fn hype_chat(tags: Tags<'_>) -> Option<Amount> {
    money(
        tags.find("pinned-chat-paid-amount")?,
        tags.find("pinned-chat-paid-currency")?,
        tags.find("pinned-chat-paid-exponent"),
    )
}

/// An amount from three tags; `None` when it is not a positive number of a three-letter currency.
pub(super) fn money(value: &str, currency: &str, exponent: Option<&str>) -> Option<Amount> {
    let value = value.parse().ok().filter(|it: &i64| *it > 0)?;
    let named = currency.len() == 3 && currency.bytes().all(|it| it.is_ascii_alphabetic());
    let exponent = match exponent {
        Some(digits) => digits.parse().ok()?,
        None => 2, // As of nearly every currency.
    };
    named.then(|| Amount::money(value, currency, exponent))
}

fn flags(tags: Tags<'_>, action: bool, shared_chat: bool) -> Vec<Flag> {
    let kind = tags.find("msg-id").unwrap_or_default();
    // Power-ups are paid with bits and yet have no `bits` tag: what they cost is not told.
    let redeemed = tags.find("custom-reward-id").is_some()
        || matches!(
            kind,
            "skip-subs-mode-message" | "gigantified-emote-message" | "animated-message"
        );
    [
        (Flag::Action, action),
        (Flag::FirstMessage, tags.is_set("first-msg")),
        (Flag::Returning, tags.is_set("returning-chatter")),
        (Flag::Highlighted, kind == "highlighted-message"),
        (Flag::Reply, tags.find("reply-parent-msg-id").is_some()),
        (Flag::SharedChat, shared_chat),
        (Flag::Redeemed, redeemed),
        (Flag::Historical, tags.is_historical()),
    ]
    .into_iter()
    .filter_map(|(flag, set)| set.then_some(flag))
    .collect()
}

/// What the message answers: its parent, which in a longer thread is not the thread's first message.
fn find_reply(tags: Tags<'_>) -> Option<ReplyTo> {
    let id = tags.find("reply-parent-msg-id")?;
    let author = author::named(
        tags.find("reply-parent-user-id"),
        tags.find("reply-parent-user-login"),
        tags.find("reply-parent-display-name"),
    )?;
    let text = text::clean(tags.find("reply-parent-msg-body").unwrap_or_default()).into_owned();
    Some(ReplyTo { id: QualifiedId::new(Platform::Twitch, id), author, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_that_is_none_is_left_out() {
        assert_eq!(money("1400", "NOK", Some("2")).unwrap().display, "14.00 NOK");
        assert_eq!(money("500", "USD", None).unwrap().display, "$5.00");
        for (value, currency, exponent) in [
            ("5-00", "USD", "2"),
            ("-5", "USD", "2"),
            ("0", "USD", "2"),
            ("5", "$", "2"),
            ("5", "USD", "x"),
        ] {
            assert_eq!(
                money(value, currency, Some(exponent)),
                None,
                "{value} {currency} {exponent}"
            );
        }
    }
}
