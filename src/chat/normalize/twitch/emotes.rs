//! The `emotes` tag: which code points of a text are a picture.

use super::media;
use crate::{
    chat::normalize::{
        fragments::{Piece, Placed},
        text::is_dropped,
    },
    model::{Emote, EmoteProvider},
};

/// How far to the left of Twitch's range a word is looked for (code points). Twitch's ranges have been
/// one too far to the right on texts with letters outside ASCII.
const MAX_SHIFT: usize = 3;

/// Finds the emotes that `tag` promises.
///
/// `sent` is the text as the ranges count it (without the wrapping of an ACTION), `text` the same without
/// the characters the feed drops. The result is in order, apart, and on character boundaries of `text`.
///
/// Twitch's form is `id:first-last,first-last/id:…`, counted in code points, the last one included, grouped
/// by id. A range that does not fit the text costs that emote and nothing else.
pub(super) fn place(tag: &str, sent: &str, text: &str) -> Vec<Placed> {
    let points = Points::of(sent, text);
    let mut placed = Vec::new();
    for (id, ranges) in groups(tag) {
        let Some(url) = media::emote_url(id) else { continue };
        for (first, last) in ranges.split(',').filter_map(range) {
            if let Some((start, end)) = fit(text, &points, first, last) {
                let piece = Piece::Emote(Emote {
                    provider: EmoteProvider::Twitch,
                    id: id.to_owned(),
                    url: url.clone(),
                    animated: false,
                    zero_width: false,
                });
                placed.push(Placed { start, end, piece });
            }
        }
    }
    placed.sort_by_key(|it| it.start);
    let mut done = 0;
    placed.retain(|it| {
        let apart = it.start >= done;
        if apart {
            done = it.end;
        }
        apart
    });
    placed
}

/// Ids with their ranges. A slash separates groups, and may also be part of an id: a piece without a colon
/// is the beginning of the id that the next piece ends.
fn groups(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = tag;
    std::iter::from_fn(move || {
        let colon = rest.find(':')?;
        let end = rest[colon..].find('/').map_or(rest.len(), |it| colon + it);
        let group = (&rest[..colon], &rest[colon + 1..end]);
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(group)
    })
}

fn range(text: &str) -> Option<(usize, usize)> {
    let (first, last) = text.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && last < usize::MAX).then_some((first, last))
}

/// Where each code point of the text as sent begins in the text as kept.
enum Points {
    /// One byte each, none dropped; the length.
    Ascii(usize),
    /// Byte offsets, and the length at the end.
    Offsets(Vec<usize>),
}

impl Points {
    fn of(sent: &str, text: &str) -> Self {
        if sent.len() == text.len() && sent.is_ascii() {
            return Self::Ascii(sent.len());
        }
        let mut offsets = Vec::with_capacity(sent.len() + 1);
        let mut at = 0;
        for c in sent.chars() {
            offsets.push(at);
            at += if is_dropped(c) { 0 } else { c.len_utf8() };
        }
        offsets.push(at);
        Self::Offsets(offsets)
    }

    fn byte(&self, point: usize) -> Option<usize> {
        match self {
            Self::Ascii(len) => (point <= *len).then_some(point),
            Self::Offsets(offsets) => offsets.get(point).copied(),
        }
    }
}

/// The bytes of the emote that Twitch puts at `first..=last`; `None` when no emote can be there.
fn fit(text: &str, points: &Points, first: usize, last: usize) -> Option<(usize, usize)> {
    let shifted = |by: usize| {
        let start = points.byte(first.checked_sub(by)?)?;
        let end = points.byte(last + 1 - by)?;
        let word = &text[start..end];
        // No emote's name has a space in it: such a range is wrong.
        (!word.is_empty() && !word.contains(char::is_whitespace)).then_some((start, end))
    };
    let before = |(start, _): (usize, usize)| text[..start].chars().next_back();
    let after = |(_, end): (usize, usize)| text[end..].chars().next();
    let is_word = |place| {
        before(place).is_none_or(char::is_whitespace)
            && after(place).is_none_or(char::is_whitespace)
    };

    let Some(named) = shifted(0) else {
        return (1..=MAX_SHIFT).filter_map(shifted).find(|&place| is_word(place));
    };
    // Emotes may stand between dots or other signs, but one that begins behind a letter is either joined to
    // it by the writer, or one too far to the right.
    let begins_inside = before(named).is_some_and(char::is_alphanumeric)
        && text[named.0..].starts_with(char::is_alphanumeric);
    if begins_inside {
        let whole = shifted(1).filter(|&place| {
            before(place).is_none_or(char::is_whitespace)
                && !after(place).is_some_and(char::is_alphanumeric)
        });
        return Some(whole.unwrap_or(named));
    }
    Some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Emotes as `id=word`.
    fn words(tag: &str, text: &str) -> Vec<String> {
        place(tag, text, text)
            .into_iter()
            .map(|it| match it.piece {
                Piece::Emote(emote) => format!("{}={}", emote.id, &text[it.start..it.end]),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn ranges_count_code_points_and_come_in_any_order() {
        assert_eq!(words("25:0-4,8-12", "Kappa 😀 Kappa"), ["25=Kappa", "25=Kappa"]);
        assert_eq!(words("30:6-7/9:0-1,3-4", "<3 <3 :)"), ["9=<3", "9=<3", "30=:)"]);
    }

    #[test]
    fn an_id_is_opaque_and_may_hold_a_slash() {
        assert_eq!(
            words("25:0-4/80481_/3:6-13/emotesv2_0a:15-16", "Kappa anaW_/3x ok"),
            ["25=Kappa", "80481_/3=anaW_/3x", "emotesv2_0a=ok"]
        );
        assert_eq!(words("..:0-4/:0-4/25", "Kappa"), Vec::<String>::new());
    }

    #[test]
    fn a_range_one_too_far_to_the_right_is_put_back_onto_its_word() {
        assert_eq!(words("25:5-9", "här Kappa"), ["25=Kappa"]);
        assert_eq!(words("25:4-8,10-14", "är Kappa Kappa"), ["25=Kappa", "25=Kappa"]);
        assert_eq!(words("25:4-8", "är Kappa. ok"), ["25=Kappa"]);
    }

    #[test]
    fn a_range_that_fits_nothing_costs_only_its_emote() {
        for tag in [
            "25:4-0",
            "25:04",
            "25:0-400",
            "25:a-b",
            "25:-1-4",
            "25:0-99999999999999999999",
            "25:",
            "25:0-18446744073709551615",
            "25:18446744073709551615-18446744073709551615",
            "25:2-7",
            ":",
        ] {
            assert_eq!(words(&format!("{tag}/30:6-7"), "Kappa :) x"), ["30=:)"], "{tag}");
        }
        assert_eq!(words("25:0-4/30:2-7,0-4,6-7", "Kappa :)"), ["25=Kappa", "30=:)"]);
    }

    #[test]
    fn emotes_stand_between_any_signs() {
        assert_eq!(words("25:0-4/30:6-10", "Kappa.Keepo"), ["25=Kappa", "30=Keepo"]);
        assert_eq!(words("25:3-7", "fooKappa"), ["25=Kappa"]);
    }

    #[test]
    fn a_dropped_character_before_an_emote_does_not_move_it() {
        let placed = place("25:3-7", "a\u{2} Kappa", "a Kappa");
        assert_eq!((placed[0].start, placed[0].end), (2, 7));
    }
}
