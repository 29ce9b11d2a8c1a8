//! Whether a room's overlays show a message: what `static/js/filter.js` decides on the page, for what the server itself
//! puts before an audience.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::{Message, OverlaySettings, Role};

/// Logins of bots that many channels have; the page knows the same ones.
const BOTS: &[&str] = &[
    "nightbot",
    "streamelements",
    "streamlabs",
    "moobot",
    "fossabot",
    "wizebot",
    "botrix",
    "botrixoficial",
    "sery_bot",
    "soundalerts",
    "streamstickers",
    "pokemoncommunitygame",
    "coebot",
    "deepbot",
    "phantombot",
    "ohbot",
    "commanderroot",
    "creatisbot",
    "kofistreambot",
    "tangiabot",
    "own3d",
    "frostytoolsdotcom",
    "songlistbot",
    "streamholics",
    "restreambot",
    "rainmaker",
    "mixitupapp",
    "lolrankbot",
    "supibot",
    "kickbot",
    "pretzelrocks",
    "blerp",
    "streamcaptainbot",
    "buttsbot",
    "potatbotat",
];

impl OverlaySettings {
    /// Whether overlays that look like this show the message.
    #[must_use]
    pub fn admits(&self, message: &Message) -> bool {
        let Message { author, text, platform, .. } = message;
        if !self.platforms.is_empty() && !self.platforms.contains(platform) {
            return false;
        }
        let (login, id) = (author.login.to_lowercase(), author.id.as_str().to_lowercase());
        let own_id = id.split_once(':').map_or(id.as_str(), |it| it.1);
        let is_theirs = |user: &String| {
            let user = user.trim();
            let user = user.strip_prefix('@').unwrap_or(user).to_lowercase();
            [login.as_str(), &id, own_id].contains(&user.as_str())
        };
        if self.hidden_users.iter().any(is_theirs) {
            return false;
        }
        if self.hide_commands && text.trim_start().starts_with('!') {
            return false;
        }
        let is_bot = author.roles.contains(&Role::Bot) || BOTS.contains(&login.as_str());
        if self.hide_bots && is_bot {
            return false;
        }
        self.blocked_words.is_empty()
            || !has_blocked_word(&self.blocked_words, &format!("{}\n{text}", author.name))
    }
}

fn fold(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfkc().normalize(text).to_lowercase()
}

/// Words match whole; `bad*` also matches longer ones, and one of a script without spaces wherever it stands.
fn has_blocked_word(words: &[String], text: &str) -> bool {
    let text = fold(text);
    words.iter().any(|word| {
        let word = fold(word);
        let word = word.trim();
        let (word, is_open) = match word.strip_suffix('*') {
            Some(start) => (start, true),
            None => (word, false),
        };
        if word.is_empty() {
            return false;
        }
        if word.chars().any(is_unspaced) {
            return text.contains(word);
        }
        let is_part = |it: char| it.is_alphanumeric() || it == '_';
        // One by one: a match may begin within one that is none.
        text.char_indices().any(|(at, _)| {
            text[at..].strip_prefix(word).is_some_and(|behind| {
                !text[..at].ends_with(is_part) && (is_open || !behind.starts_with(is_part))
            })
        })
    })
}

/// Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar.
fn is_unspaced(letter: char) -> bool {
    matches!(u32::from(letter),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x19E0..=0x19FF | 0x2E80..=0x2FDF
        | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3038..=0x303B | 0x3041..=0x3096 | 0x309D..=0x309F
        | 0x30A1..=0x30FA | 0x30FD..=0x30FF | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xA9E0..=0xA9FF | 0xAA60..=0xAA7F | 0xF900..=0xFAFF | 0xFF66..=0xFF6F | 0xFF71..=0xFF9D
        | 0x1B000..=0x1B16F | 0x20000..=0x323AF)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::json;

    use super::*;
    use crate::model::Platform;

    fn message(text: &str) -> Message {
        let now = crate::model::Timestamp::now();
        serde_json::from_value(json!({
            "id": "twitch:1", "platform": "twitch", "channel": {"id": "twitch:1", "name": "ana"},
            "author": {"id": "twitch:AB7", "login": "bo", "name": "Bo Ä", "color": null, "badges": [], "roles": []},
            "text": text, "fragments": [], "flags": [], "sent_at": now, "received_at": now,
        }))
        .unwrap()
    }

    #[test]
    fn the_bots_are_those_of_the_page() {
        let script = include_str!("../../static/js/filter.js");
        let list = script.split_once("const BOTS = new Set([").unwrap().1;
        let list = list.split_once("]);").unwrap().0;
        let there: HashSet<&str> = list.split('"').skip(1).step_by(2).collect();
        assert_eq!(there, BOTS.iter().copied().collect());
    }

    #[test]
    fn a_blocked_word_matches_as_on_the_page() {
        for (word, text, blocked) in [
            ("bad", "a Bad day", true),
            ("bad", "badge, not_bad, bad1", false),
            ("bad", "notbad bad", true),
            ("bad*", "a badge", true),
            ("bad*", "not_badge", false),
            ("ｂａｄ", "bad!", true),
            ("bad", "ＢＡＤ", true),
            ("c++", "c++ and rust", true),
            ("*", "anything", false),
            (" ", "anything", false),
            ("бан", "бан, бандана", true),
            ("бан", "бандана", false),
            ("悪口", "これは悪口です", true),
            ("ä", "nothing", true), // The name counts as well.
        ] {
            let settings =
                OverlaySettings { blocked_words: vec![word.to_owned()], ..Default::default() };
            assert_eq!(!settings.admits(&message(text)), blocked, "{word}: {text}");
        }
    }

    #[test]
    fn people_bots_commands_and_platforms_are_hidden_as_on_the_page() {
        let hides = |change: &dyn Fn(&mut OverlaySettings), message: &Message| {
            let mut settings = OverlaySettings::default();
            change(&mut settings);
            !settings.admits(message)
        };
        let plain = message("hello");
        assert!(OverlaySettings::default().admits(&plain));
        for user in ["Bo", " @bo", "twitch:ab7", "AB7"] {
            assert!(hides(&|it| it.hidden_users = vec![user.to_owned()], &plain), "{user}");
        }
        assert!(!hides(&|it| it.hidden_users = vec!["b".to_owned()], &plain));
        assert!(hides(&|it| it.platforms = vec![Platform::Kick], &plain));
        assert!(!hides(&|it| it.platforms = vec![Platform::Twitch], &plain));
        assert!(hides(&|it| it.hide_commands = true, &message(" !so")));
        assert!(!hides(&|it| it.hide_bots = true, &plain));
        let mut bot = plain.clone();
        bot.author.roles.push(Role::Bot);
        assert!(hides(&|it| it.hide_bots = true, &bot));
        let mut known = plain;
        known.author.login = "Nightbot".to_owned();
        assert!(hides(&|it| it.hide_bots = true, &known));
    }
}
