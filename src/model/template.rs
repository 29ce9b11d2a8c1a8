//! Texts with gaps that are filled when they are said: `Hello {user}, that was {count} times`.

/// Longest text that comes out (characters): no platform takes more.
pub const MOST_CHARS: usize = 500;
/// Most of what a viewer wrote that goes into one gap (characters).
const MOST_ARGS_CHARS: usize = 300;
/// The widest range of `{random:…}`.
const WIDEST_RANDOM: u64 = 1_000_000;

/// What stands in a gap, by the name people write.
pub const VARIABLES: [(&str, &str); 14] = [
    ("user", "who wrote it, as shown"),
    ("login", "who wrote it, as the platform's account is called"),
    ("platform", "where it was written"),
    ("channel", "the channel it was written in"),
    ("room", "the room's name"),
    ("args", "everything behind the command"),
    ("1", "the first word behind the command; so on to {9}"),
    ("target", "the first word behind the command without its @, or who wrote it"),
    ("amount", "what was paid with it"),
    ("count", "how often this trigger has acted"),
    ("message", "the whole message"),
    ("time", "the time of day in UTC"),
    ("date", "the day in UTC"),
    ("random:1-6", "a number between the two"),
];

/// Why a text cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// There is nothing of that name.
    #[error("there is no {{{name}}}{}", .near.map_or_else(
        || ": write {{ for a brace".to_owned(),
        |it| format!(", did you mean {{{it}}}?")
    ))]
    Unknown {
        /// As written.
        name: String,
        /// What it may have been meant for.
        near: Option<&'static str>,
    },
    /// A brace stands alone.
    #[error("a {{ is not closed: write {{{{ for a brace")]
    Open,
    /// A range that is none.
    #[error("`{0}` is no range: write {{random:1-6}}")]
    Range(String),
}

/// A text with gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    User,
    Login,
    Platform,
    Channel,
    Room,
    Args,
    Word(usize),
    Target,
    Amount,
    Count,
    Message,
    Time,
    Date,
    Random(u64, u64),
}

/// What is known when a text is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// Display name.
    pub user: &'a str,
    /// Account name.
    pub login: &'a str,
    /// For people.
    pub platform: &'a str,
    /// The channel's name.
    pub channel: &'a str,
    /// The room's name.
    pub room: &'a str,
    /// What stands behind the command.
    pub args: &'a str,
    /// The whole message.
    pub message: &'a str,
    /// What was paid, as people write it.
    pub amount: &'a str,
    /// How often the trigger has acted, this time included.
    pub count: u64,
    /// `18:03`
    pub time: &'a str,
    /// `2026-11-20`
    pub date: &'a str,
    /// Any number: what chance draws from.
    pub chance: u64,
}

impl Template {
    /// Reads a text. `{{` and `}}` are braces; a `}` alone is one too.
    ///
    /// # Errors
    /// The first gap that cannot be filled.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let (brace, behind) = (&rest[at..=at], &rest[at + 1..]);
            if let Some(behind) = behind.strip_prefix(brace) {
                plain.push_str(brace);
                rest = behind;
                continue;
            }
            if brace == "}" {
                plain.push('}');
                rest = behind;
                continue;
            }
            let end = behind.find('}').ok_or(TemplateError::Open)?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::parse(behind[..end].trim())?);
            rest = &behind[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// Whether it says anything of who wrote, or of what they wrote: then it needs a message.
    #[must_use]
    pub fn needs_message(&self) -> bool {
        self.0.iter().any(|it| {
            !matches!(
                it,
                Part::Text(_)
                    | Part::Room
                    | Part::Count
                    | Part::Time
                    | Part::Date
                    | Part::Random(..)
            )
        })
    }

    /// The text with its gaps filled, at most [`MOST_CHARS`] long, on one line.
    ///
    /// What viewers wrote cannot make this server give a command: where a gap stands first, what platforms and
    /// other bots take for the beginning of one is left out.
    #[must_use]
    pub fn fill(&self, facts: &Facts<'_>) -> String {
        let mut text = String::new();
        for part in &self.0 {
            part.fill(facts, &mut text);
        }
        let ours = matches!(self.0.first(), Some(Part::Text(it)) if !it.trim_start().is_empty());
        let text = if ours {
            text.trim()
        } else {
            text.trim().trim_start_matches(['/', '.', '!', '\\', ' '])
        };
        let one_line = text.chars().map(|it| if it.is_control() { ' ' } else { it });
        shortened(one_line, MOST_CHARS)
    }
}

/// At most so many characters; what is longer ends in `…`.
/// What is sent to a program.
#[derive(Debug, Clone, PartialEq)]
pub enum Filled {
    /// As it came out.
    Text(String),
    /// The text around the gaps is JSON, and so is what came out.
    Json(serde_json::Value),
}

/// What filled the gaps made what was JSON something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("filled, it is no JSON any more: put its gaps in quotes")]
pub struct NoJson;

impl Template {
    /// The text for a program, whole. Where the text around the gaps is JSON, what a viewer wrote is part of a value there,
    /// and cannot end it and add another.
    ///
    /// # Errors
    /// When what fills a gap outside quotes makes no JSON.
    pub fn fill_body(&self, facts: &Facts<'_>) -> Result<Filled, NoJson> {
        let filled = |fill: &dyn Fn(&Part, &mut String)| {
            let mut text = String::new();
            for part in &self.0 {
                match part {
                    Part::Text(it) => text.push_str(it),
                    gap => fill(gap, &mut text),
                }
            }
            text
        };
        // A digit is right in quotes and outside of them.
        let plain = filled(&|_, text| text.push('0'));
        if !plain.trim_start().starts_with(['{', '['])
            || serde_json::from_str::<serde::de::IgnoredAny>(&plain).is_err()
        {
            return Ok(Filled::Text(filled(&|gap, text| gap.fill(facts, text))));
        }
        let escaped = filled(&|gap, text| {
            let mut value = String::new();
            gap.fill(facts, &mut value);
            let quoted = serde_json::Value::String(value).to_string();
            text.push_str(&quoted[1..quoted.len() - 1]);
        });
        serde_json::from_str(&escaped).map(Filled::Json).map_err(|_| NoJson)
    }
}

fn shortened(text: impl Iterator<Item = char>, most: usize) -> String {
    let mut kept: Vec<char> = text.take(most + 1).collect();
    if kept.len() > most {
        kept.truncate(most - 1);
        kept.push('…');
    }
    kept.into_iter().collect()
}

impl Part {
    fn parse(name: &str) -> Result<Self, TemplateError> {
        if let Some(range) = name.strip_prefix("random:") {
            return Self::random(range);
        }
        Ok(match name {
            "user" => Self::User,
            "login" => Self::Login,
            "platform" => Self::Platform,
            "channel" => Self::Channel,
            "room" => Self::Room,
            "args" => Self::Args,
            "target" => Self::Target,
            "amount" => Self::Amount,
            "count" => Self::Count,
            "message" => Self::Message,
            "time" => Self::Time,
            "date" => Self::Date,
            "random" => Self::Random(1, 100),
            _ => match name.parse::<usize>() {
                Ok(number @ 1..=9) => Self::Word(number),
                _ => return Err(Self::unknown(name)),
            },
        })
    }

    fn unknown(name: &str) -> TemplateError {
        let folded = name.to_lowercase();
        let near = VARIABLES
            .iter()
            .map(|it| (strsim::damerau_levenshtein(&folded, it.0), it.0))
            .min()
            .filter(|it| it.0 <= 2 && folded.len() > 2);
        TemplateError::Unknown { name: name.to_owned(), near: near.map(|it| it.1) }
    }

    fn random(range: &str) -> Result<Self, TemplateError> {
        let problem = || TemplateError::Range(range.to_owned());
        let (from, to) = range.split_once('-').ok_or_else(problem)?;
        let number = |it: &str| it.trim().parse::<u64>().map_err(|_| problem());
        let (from, to) = (number(from)?, number(to)?);
        if from > to || to - from > WIDEST_RANDOM {
            return Err(problem());
        }
        Ok(Self::Random(from, to))
    }

    fn fill(&self, facts: &Facts<'_>, text: &mut String) {
        let viewers = |it: &str| shortened(it.chars(), MOST_ARGS_CHARS);
        match self {
            Self::Text(it) => text.push_str(it),
            Self::User => text.push_str(facts.user),
            Self::Login => text.push_str(facts.login),
            Self::Platform => text.push_str(facts.platform),
            Self::Channel => text.push_str(facts.channel),
            Self::Room => text.push_str(facts.room),
            Self::Args => text.push_str(&viewers(facts.args)),
            Self::Message => text.push_str(&viewers(facts.message)),
            Self::Word(number) => {
                let word = facts.args.split_whitespace().nth(number - 1).unwrap_or_default();
                text.push_str(&viewers(word));
            }
            Self::Target => {
                let word = facts.args.split_whitespace().next().unwrap_or_default();
                let word = word.trim_start_matches('@');
                text.push_str(&viewers(if word.is_empty() { facts.user } else { word }));
            }
            Self::Amount => text.push_str(facts.amount),
            Self::Count => text.push_str(&facts.count.to_string()),
            Self::Time => text.push_str(facts.time),
            Self::Date => text.push_str(facts.date),
            Self::Random(from, to) => {
                text.push_str(&(from + facts.chance % (to - from + 1)).to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts<'static> {
        Facts {
            user: "Åsa",
            login: "asa",
            platform: "Twitch",
            channel: "ana",
            room: "ana",
            args: "@bo  for the win",
            message: "!so @bo  for the win",
            count: 3,
            time: "18:03",
            date: "2026-11-20",
            chance: 7,
            ..Facts::default()
        }
    }

    fn fill(text: &str) -> String {
        Template::parse(text).unwrap().fill(&facts())
    }

    #[test]
    fn gaps_are_filled_and_braces_stay_where_they_are_written_twice() {
        assert_eq!(fill("Go see {target}, says {user} ({count})"), "Go see bo, says Åsa (3)");
        assert_eq!(fill("{1} {2} {9}|{args}"), "@bo for |@bo  for the win");
        assert_eq!(fill("{{user}} } }} {random:1-6} {random:4-4}"), "{user} } } 2 4");
        assert_eq!(
            fill("{platform} {channel} {room} {time} {date}"),
            "Twitch ana ana 18:03 2026-11-20"
        );
    }

    #[test]
    fn what_cannot_be_filled_is_said_with_what_was_meant() {
        let said = |text: &str| Template::parse(text).unwrap_err().to_string();
        assert_eq!(said("{usr}"), "there is no {usr}, did you mean {user}?");
        assert_eq!(said("{0}"), "there is no {0}: write {{ for a brace");
        assert_eq!(said("{user"), "a { is not closed: write {{ for a brace");
        assert_eq!(said("{random:6-1}"), "`6-1` is no range: write {random:1-6}");
        assert_eq!(
            said("{random:0-99999999999999999999}").split(' ').next(),
            Some("`0-99999999999999999999`")
        );
    }

    #[test]
    fn what_a_viewer_wrote_is_no_command_of_ours() {
        let with = |text: &str, args: &'static str| {
            Template::parse(text).unwrap().fill(&Facts { args, ..facts() })
        };
        assert_eq!(with("{args}", "/ban bo"), "ban bo");
        assert_eq!(with(" {args}", "..!/timeout bo"), "timeout bo");
        assert_eq!(with("/me hugs {args}", "/ban"), "/me hugs /ban");
        assert_eq!(with("say {args}", "a\r\nPRIVMSG #x :b"), "say a  PRIVMSG #x :b");
    }

    #[test]
    fn what_a_viewer_wrote_stays_a_value_in_what_programs_are_sent() {
        let body = |text: &str, args: &'static str| {
            Template::parse(text).unwrap().fill_body(&Facts { args, ..facts() })
        };
        let hostile = r#"x", "admin": true, "y": "\"#;
        let json =
            r#"{{"who": "{user}", "what": "{args}", "times": {count}, "n": [{random:4-4}]}}"#;
        assert_eq!(
            body(json, hostile),
            Ok(Filled::Json(
                serde_json::json!({"who": "Åsa", "what": hostile, "times": 3, "n": [4]})
            ))
        );
        assert_eq!(body("{{\"n\": {args}}}", "1"), Ok(Filled::Json(serde_json::json!({"n": 1}))));
        assert_eq!(body("{{\"n\": {args}}}", r#"1, "admin": true"#), Err(NoJson));
        assert_eq!(body("{{\"n\": {args}}}", ""), Err(NoJson));
        // Anything else goes as it is: no command of a chat, and not cut.
        assert_eq!(body("/{args}\n", "a\"b"), Ok(Filled::Text("/a\"b\n".to_owned())));
        let long = "x".repeat(1_900);
        assert_eq!(body(&long, ""), Ok(Filled::Text(long)));
    }

    #[test]
    fn a_text_is_never_longer_than_platforms_take() {
        let long: &'static str = Box::leak("é".repeat(2000).into_boxed_str());
        let text = Template::parse("{args}{args}").unwrap().fill(&Facts { args: long, ..facts() });
        assert_eq!(text.chars().count(), MOST_CHARS);
        assert!(text.ends_with('…'));
    }
}
