//! A message of the chat's stream.

use super::{
    NormalizeError, Reading, RumbleNormalizer, push_activity, text,
    twins::{Telling, Way},
};
use crate::{
    model::{
        ActivityKind, Amount, Author, EventBody, Flag, Message, Platform, QualifiedId, Timestamp,
    },
    platforms::rumble::Line,
};

impl RumbleNormalizer {
    pub(super) fn read_line(
        &mut self,
        line: &Line,
        received_at: Timestamp,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        let id = line.id.as_deref().ok_or_else(|| NormalizeError::unparsed("message", "id"))?;
        if line.deleted {
            self.delete(&[id.to_owned()], readings);
            return Ok(());
        }
        let special = line.rant_cents.is_some() || line.gift.is_some() || line.raid;
        if line.text.trim().is_empty() && !special && line.notification.is_none() {
            return Err(NormalizeError::unparsed("message", "text"));
        }
        // Each connection begins with what was said before.
        if !self.seen.insert(id) {
            return Ok(());
        }
        let author = self.author_of(line)?;
        let own = QualifiedId::new(Platform::Rumble, id);
        let kind = if line.gift.is_some() {
            "gift"
        } else if line.notification.is_some() {
            "subscribe"
        } else if line.raid {
            "raid"
        } else {
            "say"
        };
        // Of a gift or a subscription the other ways tell who, and not in which words.
        let text = if kind == "say" { line.text.as_str() } else { "" };
        let name = self.own_name(line, &author).to_owned();
        let telling = Telling {
            way: Way::Stream,
            kind,
            name: &name,
            text,
            sent_at: line.time,
            received_at,
            listing: None,
        };
        if let Some(twin) = self.twins.find_or_note(telling, &own) {
            self.aliases.insert(id.to_owned(), twin);
            self.told.insert(id.to_owned(), line.rant_cents.is_some());
            return Ok(());
        }
        self.told.insert(id.to_owned(), line.rant_cents.is_some());
        match kind {
            "gift" => self.push_gift(line, author, readings),
            "subscribe" => self.push_notification(line, author, readings),
            "raid" => self.push_raid(line, author, readings),
            _ => {
                let message = self.message(own, author, line, received_at);
                let body = EventBody::ChatMessage(Box::new(message));
                readings.push(Reading { body, sent_at: line.time, key: None });
            }
        }
        Ok(())
    }

    /// The writer's own name: other ways tell that one of whoever speaks as a channel.
    fn own_name<'a>(&'a self, line: &'a Line, author: &'a Author) -> &'a str {
        let known = || self.people.name_of(line.user_id.as_deref()?);
        match line.channel_id {
            Some(_) => &author.name,
            None => line.name.as_deref().or_else(known).unwrap_or(&author.name),
        }
    }

    fn message(
        &self,
        id: QualifiedId,
        author: Author,
        line: &Line,
        received_at: Timestamp,
    ) -> Message {
        let text = text::clean(&line.text);
        let mut flags = self.flags(line.time);
        if line.rant_cents.is_some() {
            flags.push(Flag::Highlighted);
        }
        Message {
            id,
            platform: Platform::Rumble,
            channel: self.channel.clone(),
            author,
            fragments: self.fragments(&text, &line.pictures),
            text: text.into_owned(),
            flags,
            reply_to: None,
            source_channel: None,
            amount: line.rant_cents.map(|it| Amount::money(it, "USD", 2)),
            sent_at: line.time.unwrap_or(received_at),
            received_at,
        }
    }

    fn push_gift(&self, line: &Line, author: Author, readings: &mut Vec<Reading>) {
        let Some((total, kind)) = &line.gift else { return };
        let sentence = gift_sentence(&author.name, *total);
        let id = line.id.clone().unwrap_or_default();
        let mut gift = self.activity(ActivityKind::Gift, id, Some(author), sentence);
        gift.count = Some(total.unwrap_or(1));
        gift.tier.clone_from(kind);
        gift.raw_kind = Some("gift_purchase_notification".to_owned());
        gift.flags = self.flags(line.time);
        gift.sent_at = line.time;
        self.add_words(&mut gift, &line.text, &line.pictures);
        push_activity(readings, gift, None);
    }

    fn push_notification(&self, line: &Line, author: Author, readings: &mut Vec<Reading>) {
        let Some((badge, words)) = &line.notification else { return };
        let months = months(words);
        // A first month begins something; a later one goes on with it.
        let kind = match months {
            Some(months) if months > 1 => ActivityKind::Milestone,
            _ => ActivityKind::Subscription,
        };
        let words = text::clean(words);
        let sentence = match words.trim() {
            "" => format!("{} subscribed", author.name),
            words => format!("{}: {words}", author.name),
        };
        let id = line.id.clone().unwrap_or_default();
        let mut notice = self.activity(kind, id, Some(author), sentence);
        notice.months = months;
        notice.tier.clone_from(badge);
        notice.raw_kind = Some("notification".to_owned());
        notice.flags = self.flags(line.time);
        notice.sent_at = line.time;
        self.add_words(&mut notice, &line.text, &line.pictures);
        push_activity(readings, notice, None);
    }

    fn push_raid(&self, line: &Line, author: Author, readings: &mut Vec<Reading>) {
        let text = text::clean(&line.text);
        let count = count(&text);
        let sentence = match count {
            Some(1) => format!("{} raids with 1 viewer", author.name),
            Some(count) => format!("{} raids with {count} viewers", author.name),
            None => format!("{} raids", author.name),
        };
        let id = line.id.clone().unwrap_or_default();
        let mut raid = self.activity(ActivityKind::Raid, id, Some(author), sentence);
        raid.count = count;
        raid.raw_kind = Some("raid_notification".to_owned());
        raid.flags = self.flags(line.time);
        raid.sent_at = line.time;
        self.add_words(&mut raid, &line.text, &line.pictures);
        push_activity(readings, raid, None);
    }
}

pub(super) fn gift_sentence(name: &str, total: Option<u64>) -> String {
    match total {
        Some(1) | None => format!("{name} gave a subscription"),
        Some(total) => format!("{name} gave {total} subscriptions"),
    }
}

/// The number in front of `month` or `months`.
fn months(words: &str) -> Option<u32> {
    let words: Vec<_> = words.split(|it: char| it.is_whitespace() || it == '-').collect();
    let pair = words.windows(2).find(|it| it[1].to_ascii_lowercase().starts_with("month"))?;
    pair[0].parse().ok()
}

/// The first number of a sentence; thousands may be apart.
fn count(sentence: &str) -> Option<u64> {
    let start = sentence.find(|it: char| it.is_ascii_digit())?;
    let rest = &sentence[start..];
    let end = rest.find(|it: char| !(it.is_ascii_digit() || it == ',')).unwrap_or(rest.len());
    rest[..end].replace(',', "").parse().ok()
}
