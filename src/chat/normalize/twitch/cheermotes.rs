//! Cheers: words such as `Cheer100` in a message that was paid with bits.

use crate::{
    chat::normalize::fragments::{Piece, Placed},
    model::Amount,
};

/// Twitch's global cheermotes, in lower case. Those of channels and sponsors need a token to know.
const PREFIXES: [&str; 37] = [
    "4head",
    "anon",
    "bday",
    "biblethump",
    "bitboss",
    "charity",
    "cheer",
    "cheerwhal",
    "corgo",
    "dansgame",
    "doodlecheer",
    "elegiggle",
    "failfish",
    "frankerz",
    "goal",
    "heyguys",
    "holidaycheer",
    "kappa",
    "kreygasm",
    "mrdestructoid",
    "muxy",
    "notlikethis",
    "party",
    "pjsalt",
    "pogchamp",
    "pride",
    "ripcheer",
    "scoops",
    "seemsgood",
    "shamrock",
    "showlove",
    "streamlabs",
    "swiftrage",
    "trihard",
    "uni",
    "vohiyo",
    "wutface",
];

/// Adds the cheers of a text that was sent with `bits`, keeping `placed` in order and apart.
///
/// The tag is the amount and the words only show it, so words worth more than what is left of it are text.
pub(super) fn add(text: &str, bits: i64, placed: &mut Vec<Placed>) {
    let mut left = bits;
    let emotes = placed.len();
    for word in text.split_whitespace() {
        let Some(value) = find_value(word).filter(|it| *it <= left) else { continue };
        let start = word.as_ptr().addr() - text.as_ptr().addr();
        let end = start + word.len();
        if placed[..emotes].iter().any(|it| it.start < end && start < it.end) {
            continue;
        }
        left -= value;
        placed.push(Placed { start, end, piece: Piece::Cheermote(Amount::bits(value)) });
    }
    placed.sort_unstable_by_key(|it| it.start);
}

/// The bits that `word` shows, if it is a cheermote.
fn find_value(word: &str) -> Option<i64> {
    let prefix = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let value: i64 = word[prefix.len()..].parse().ok()?;
    (value > 0 && PREFIXES.iter().any(|it| it.eq_ignore_ascii_case(prefix))).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cheermote_is_a_known_word_with_a_number() {
        assert_eq!(find_value("Cheer100"), Some(100));
        assert_eq!(find_value("4Head7"), Some(7));
        for other in ["Cheer", "100", "bonus10", "Cheer0", "Cheer1!", "Cheer99999999999999999999"] {
            assert_eq!(find_value(other), None, "{other}");
        }
    }
}
