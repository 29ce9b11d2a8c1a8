//! NOTICE: what Twitch itself says in a channel.

use twitch_irc::message::IRCMessage;

use super::{body, id_or_invented, tags::Tags};
use crate::{
    chat::normalize::{Normalized, text},
    model::{Activity, ActivityKind, EventBody, Flag, Platform},
};

/// Reads a NOTICE. It has neither an id nor a clock.
pub(super) fn read(line: &IRCMessage) -> Normalized {
    let tags = Tags::of(line);
    if line.params.first().is_none_or(|it| it == "*") {
        return Normalized::Nothing("notice to the connection");
    }
    let sent = body::find_text(line).unwrap_or_default();
    let said = text::clean(&sent);
    let said = said.trim();
    if said.is_empty() {
        return Normalized::Nothing("notice without text");
    }
    let mut flags = vec![Flag::System];
    if tags.is_historical() {
        flags.push(Flag::Historical);
    }
    Normalized::Event(EventBody::Activity(Box::new(Activity {
        kind: ActivityKind::Other,
        platform: Platform::Twitch,
        id: id_or_invented(tags),
        author: None,
        text: None,
        fragments: None,
        amount: None,
        count: None,
        months: None,
        tier: None,
        recipients: None,
        system_text: said.to_owned(),
        raw_kind: tags.find("msg-id").map(str::to_owned),
        part_of: None,
        flags,
        source_channel: None,
        sent_at: tags.sent_at(),
    })))
}
