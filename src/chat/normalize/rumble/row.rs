//! A message as the page shows it.

use super::{
    NormalizeError, Reading, RumbleNormalizer,
    author::{is_color, named},
    bounded::Bounded,
    text,
    twins::{Telling, Way},
};
use crate::{
    model::{Amount, Author, EventBody, Flag, Message, Platform, QualifiedId, Timestamp},
    platforms::rumble::{Row, stable_hash},
};

/// Different rows whose number is remembered (count).
const MAX_ROWS: usize = 4_096;

/// How often a row that has no id was told: the next one alike is another.
#[derive(Debug)]
pub(super) struct Counts(Bounded<String, u32>);

impl Default for Counts {
    fn default() -> Self {
        Self(Bounded::new(MAX_ROWS))
    }
}

impl RumbleNormalizer {
    pub(super) fn read_row(
        &mut self,
        row: &Row,
        received_at: Timestamp,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        self.first_listing = self.first_listing.or(row.listing);
        let author =
            self.author_of_row(row).ok_or_else(|| NormalizeError::unparsed("row", "name"))?;
        let sent_at = Timestamp::parse(&row.time).ok();
        let cents = cents(&row.price);
        let text = text::clean(&row.text);
        let hash = stable_hash(&[&self.chat_id, &row.name, &row.text, &row.time, &row.price]);
        let telling = |listing| Telling {
            way: Way::Page,
            kind: "say",
            name: &author.login,
            text: &text,
            sent_at,
            received_at,
            listing,
        };
        let id = if row.id.is_empty() {
            let next = self.rows.0.get(&hash).copied().unwrap_or(0) + 1;
            let id = QualifiedId::new(Platform::Rumble, &format!("row-{hash}-{next}"));
            if self.twins.find_or_note(telling(row.listing), &id).is_some() {
                return Ok(());
            }
            // Counted only when it is new: the next one alike is another.
            *self.rows.0.entry(hash.clone(), || 0) = next;
            id
        } else {
            let id = QualifiedId::new(Platform::Rumble, &row.id);
            // The same id as in the stream.
            if !self.seen.insert(&row.id) {
                return Ok(());
            }
            if let Some(twin) = self.twins.find_or_note(telling(row.listing), &id) {
                self.aliases.insert(row.id.clone(), twin);
                return Ok(());
            }
            self.told.insert(row.id.clone(), cents.is_some());
            id
        };
        // Without a time, what stood there when the page was opened is of before.
        let history = match sent_at {
            Some(_) => self.is_history(sent_at),
            None => row.listing.is_some() && row.listing == self.first_listing,
        };
        let mut flags = Vec::new();
        flags.extend(history.then_some(Flag::Historical));
        flags.extend(cents.is_some().then_some(Flag::Highlighted));
        let message = Message {
            id,
            platform: Platform::Rumble,
            channel: self.channel.clone(),
            author,
            fragments: self.fragments(&text, &[]),
            text: text.into_owned(),
            flags,
            reply_to: None,
            source_channel: None,
            amount: cents.map(|it| Amount::money(it, "USD", 2)),
            sent_at: sent_at.unwrap_or(received_at),
            received_at,
        };
        let body = EventBody::ChatMessage(Box::new(message));
        readings.push(Reading { body, sent_at, key: None });
        Ok(())
    }

    fn author_of_row(&self, row: &Row) -> Option<Author> {
        let mut author = named(&row.name)?;
        if !row.user_id.is_empty() {
            author.id = QualifiedId::new(Platform::Rumble, &row.user_id);
        }
        author.color = hex_color(&row.color);
        author.avatar = super::picture_path(&row.avatar);
        let slugs: Vec<_> = row.badges.iter().filter_map(|it| slug(it)).collect();
        self.add_badges(&mut author, &slugs);
        for (badge, shown) in author.badges.iter_mut().zip(&row.badges) {
            badge.url = badge.url.take().or_else(|| super::picture_path(shown));
        }
        Some(author)
    }
}

/// The badge of a picture such as `https://rumble.com/i/badges/whale_yellow_48.png`.
fn slug(picture: &str) -> Option<String> {
    let name = picture.rsplit('/').next()?.split(['.', '?']).next()?;
    let name = name.trim_end_matches(|it: char| it.is_ascii_digit()).trim_end_matches('_');
    let name = match name.strip_prefix("whale_") {
        Some(color) => format!("whale-{color}"),
        None => name.to_ascii_lowercase().replace(' ', "_"),
    };
    (!name.is_empty()).then_some(name)
}

/// `#RRGGBB`, as a style gives it back: `rgb(1, 2, 3)`.
fn hex_color(style: &str) -> Option<String> {
    if is_color(style) {
        return Some(style.to_owned());
    }
    let parts = style.strip_prefix("rgb(")?.strip_suffix(')')?.split(',');
    let parts: Vec<u8> = parts.map(|it| it.trim().parse().ok()).collect::<Option<_>>()?;
    let [red, green, blue] = parts[..] else { return None };
    Some(format!("#{red:02x}{green:02x}{blue:02x}"))
}

/// US cents of `$5` or `$1,234.50`.
fn cents(price: &str) -> Option<i64> {
    let digits = price.trim().strip_prefix('$')?.replace(',', "");
    let (whole, rest) = digits.split_once('.').unwrap_or((&digits, "0"));
    let rest = match rest.len() {
        1 => rest.parse::<i64>().ok()? * 10,
        2 => rest.parse().ok()?,
        _ => return None,
    };
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        assert_eq!(
            slug("https://rumble.com/i/badges/whale_yellow_48.png").unwrap(),
            "whale-yellow"
        );
        assert_eq!(slug("/i/badges/locals_supporter_48.png").unwrap(), "locals_supporter");
        assert_eq!(hex_color("rgb(225, 99, 127)").unwrap(), "#e1637f");
        assert_eq!(hex_color("rgba(0, 0, 0, 0)"), None);
        assert_eq!((cents("$2"), cents("$1,234.5"), cents("2")), (Some(200), Some(123_450), None));
    }
}
