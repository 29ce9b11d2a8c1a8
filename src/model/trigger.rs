//! A trigger: what in chat it reacts to, when it may, and what is done then.

use std::collections::BTreeSet;

use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CreatorId, Platform, Role, action::Action};

/// Largest program that a pattern may become (bytes): what bounds the time that a hostile one takes.
const PATTERN_BYTES: usize = 48 << 10;
/// Memory of a pattern's remembered states (bytes).
const PATTERN_STATES_BYTES: usize = 256 << 10;

/// What in chat something reacts to, when it may, and what is done then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Its name, unique in a room.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"))]
    pub trigger_id: String,
    /// Whose room it is for; absent is every room. Only in `triggers.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator_id: Option<CreatorId>,
    /// What kind of thing it reacts to.
    #[serde(rename = "type")]
    pub kind: TriggerKind,
    /// A command's word, without its prefix: `hello`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50))]
    pub command: Option<String>,
    /// What stands before a command's word.
    #[serde(default = "prefix", skip_serializing_if = "is_prefix")]
    #[schemars(length(max = 5))]
    pub prefix: String,
    /// Other words for the same command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(min = 1, max = 50)))]
    pub aliases: Vec<String>,
    /// A regular expression, upper and lower case alike; it may match anywhere in the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub pattern: Option<String>,
    /// Words or phrases, any of which is in the message, whole, upper and lower case alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 100)))]
    pub keywords: Vec<String>,
    /// A timer's least time between two rounds (minutes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_440))]
    pub minutes: Option<u32>,
    /// Chat lines that a timer waits for since its last round, counted over all platforms (count).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100_000))]
    pub least_lines: Option<u32>,
    /// On which platforms it listens; none is on all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub platforms: Vec<Platform>,
    /// Who may set it off.
    #[serde(default, skip_serializing_if = "is_everyone")]
    pub access: Access,
    /// What must at least be paid with the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_amount: Option<LeastAmount>,
    /// Least time between two answers in a room (s).
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0, max = 604_800))]
    pub cooldown_seconds: u32,
    /// Least time between two answers to one viewer (s).
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0, max = 604_800))]
    pub viewer_cooldown_seconds: u32,
    /// Least time between two answers over all rooms it is for (s).
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0, max = 604_800))]
    pub global_cooldown_seconds: u32,
    /// For whoever reads the list.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 500))]
    pub description: String,
    /// Whether it acts.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub enabled: bool,
    /// What is done, in this order.
    #[serde(default)]
    #[schemars(length(min = 1, max = 10))]
    pub actions: Vec<Action>,
}

/// What kind of thing a trigger reacts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TriggerKind {
    /// A message that begins with a word.
    Command,
    /// A message that matches a regular expression.
    Regex,
    /// A message with a word in it.
    Keyword,
    /// The time since the last round, and what was said meanwhile.
    Timer,
}

impl TriggerKind {
    /// The word in bodies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Regex => "regex",
            Self::Keyword => "keyword",
            Self::Timer => "timer",
        }
    }
}

/// Who may set a trigger off; each includes those behind it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Everybody.
    #[default]
    Everyone,
    /// Who pays for the channel: subscribers and members.
    Subscribers,
    /// Who is set apart by the creator.
    Vips,
    /// Who moderates the channel.
    Moderators,
    /// The creator.
    Broadcaster,
}

impl Access {
    /// How far somebody of these roles gets.
    #[must_use]
    pub fn of(roles: &[Role]) -> Self {
        let each = roles.iter().map(|it| match it {
            Role::Broadcaster => Self::Broadcaster,
            Role::Moderator => Self::Moderators,
            Role::Vip => Self::Vips,
            Role::Subscriber | Role::Member => Self::Subscribers,
            Role::Verified | Role::Staff | Role::Bot => Self::Everyone,
        });
        each.max().unwrap_or_default()
    }

    /// For people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Subscribers => "subscribers",
            Self::Vips => "VIPs",
            Self::Moderators => "moderators",
            Self::Broadcaster => "the broadcaster",
        }
    }
}

/// What must at least be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeastAmount {
    /// In minor units: cents for USD, pieces for bits and kicks.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub value: i64,
    /// ISO 4217 in capitals, or `bits`, or `kicks`.
    #[schemars(length(min = 3, max = 5))]
    pub currency: String,
}

fn prefix() -> String {
    "!".to_owned()
}

fn is_prefix(it: &str) -> bool {
    it == "!"
}

fn is_everyone(it: &Access) -> bool {
    *it == Access::Everyone
}

fn is_zero(it: &u32) -> bool {
    *it == 0
}

fn yes() -> bool {
    true
}

fn is_true(it: &bool) -> bool {
    *it
}

/// Makes a pattern ready, within limits that bound its time and memory.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern)
        .case_insensitive(true)
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_STATES_BYTES)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            "the pattern is too large: repeat less in it, or make two triggers".to_owned()
        }
        // The last line says what; those before it draw where.
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("is no regular expression: {}", last.trim_start_matches("error: "))
        }
    })
}

impl Trigger {
    /// The words of a command as they are looked for: prefix in front, lower case.
    pub fn list_words(&self) -> impl Iterator<Item = String> {
        let words = self.command.iter().chain(&self.aliases);
        words.map(|it| format!("{}{it}", self.prefix).to_lowercase())
    }

    /// What is wrong between its values: JSON pointer and message.
    #[must_use]
    pub fn check(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut say = |pointer: &str, message: String| found.push((pointer.to_owned(), message));
        match self.kind {
            TriggerKind::Command => match &self.command {
                None => say("/command", "a command needs its word".to_owned()),
                Some(it) => {
                    let aliases = self.aliases.iter().enumerate();
                    let aliases = aliases.map(|(at, it)| (format!("/aliases/{at}"), it));
                    let mut seen = BTreeSet::new();
                    for (pointer, word) in [("/command".to_owned(), it)].into_iter().chain(aliases)
                    {
                        if word.contains(char::is_whitespace) {
                            say(&pointer, format!("`{word}` is more than one word"));
                        } else if !seen.insert(word.to_lowercase()) {
                            say(&pointer, format!("`{word}` is there twice"));
                        }
                    }
                    if self.prefix.contains(char::is_whitespace) {
                        say("/prefix", "a prefix has no blanks".to_owned());
                    }
                }
            },
            TriggerKind::Regex => match &self.pattern {
                None => say("/pattern", "a trigger of type `regex` needs its pattern".to_owned()),
                Some(it) => match compile(it) {
                    Err(message) => say("/pattern", message),
                    Ok(it) if it.is_match("") => {
                        say("/pattern", "the pattern matches every message".to_owned());
                    }
                    Ok(_) => {}
                },
            },
            TriggerKind::Keyword => {
                if self.keywords.is_empty() {
                    say("/keywords", "a trigger of type `keyword` needs a word".to_owned());
                }
                for (at, word) in self.keywords.iter().enumerate() {
                    if !word.chars().any(|it| !it.is_whitespace()) {
                        say(&format!("/keywords/{at}"), "a keyword is no blank".to_owned());
                    }
                }
            }
            TriggerKind::Timer => {
                if self.minutes.is_none() {
                    say("/minutes", "a timer needs its minutes".to_owned());
                }
            }
        }
        if self.actions.is_empty() {
            say("/actions", "a trigger without an action does nothing".to_owned());
        }
        let by_itself = self.kind == TriggerKind::Timer;
        for (at, action) in self.actions.iter().enumerate() {
            let of_action = action.check(by_itself).into_iter();
            found.extend(of_action.map(|(rest, it)| (format!("/actions/{at}{rest}"), it)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(trigger: Value) -> Vec<(String, String)> {
        serde_json::from_value::<Trigger>(trigger).unwrap().check()
    }

    #[test]
    fn a_trigger_reads_short_and_is_written_short() {
        let short = json!({
            "trigger_id": "hello", "type": "command", "command": "hello",
            "actions": [{"action_type": "reply", "payload": {"text": "Hi {user}"}}],
        });
        let trigger: Trigger = serde_json::from_value(short.clone()).unwrap();
        assert_eq!(trigger.check(), []);
        assert_eq!(trigger.list_words().collect::<Vec<_>>(), ["!hello"]);
        assert_eq!(serde_json::to_value(&trigger).unwrap(), short);
    }

    #[test]
    fn everything_wrong_is_said_where_it_stands() {
        let reply = json!([{"action_type": "reply", "payload": {"text": "{usr}"}}]);
        let pointers = |it: Value| check(it).into_iter().map(|it| it.0).collect::<Vec<_>>();
        assert_eq!(
            pointers(json!({"trigger_id": "a", "type": "command", "command": "a b",
                "aliases": ["c", "C"], "actions": reply})),
            ["/command", "/aliases/1", "/actions/0/payload/text"]
        );
        assert_eq!(pointers(json!({"trigger_id": "a", "type": "regex"})), ["/pattern", "/actions"]);
        assert_eq!(
            pointers(json!({"trigger_id": "a", "type": "timer", "minutes": 5, "actions": [
                {"action_type": "send_chat_message", "payload": {"text": "{user}"}},
                {"action_type": "reply", "payload": {"text": "x"}}]})),
            ["/actions/0/payload/text", "/actions/1/action_type"]
        );
        let url = |it: &str| {
            pointers(json!({"trigger_id": "a", "type": "keyword", "keywords": ["x"],
                "actions": [{"action_type": "webhook", "payload": {"url": it}}]}))
        };
        assert_eq!(url("https://example.com/hook"), Vec::<String>::new());
        for bad in ["ftp://example.com", "https://a:b@example.com", "example.com", "file:///etc"] {
            assert_eq!(url(bad), ["/actions/0/payload/url"], "{bad}");
        }
    }

    #[test]
    fn a_pattern_is_refused_in_words_before_it_costs_anything() {
        let said = |it: &str| compile(it).unwrap_err();
        assert_eq!(said("(a"), "is no regular expression: unclosed group");
        for huge in ["(a{1000}){1000}", r"\pL{999}{99}", "((((a{9}){9}){9}){9}){9}"] {
            assert!(said(huge).contains("too large"), "{huge}");
        }
        let every = check(json!({"trigger_id": "a", "type": "regex", "pattern": "a*",
            "actions": [{"action_type": "feature", "payload": {}}]}));
        assert_eq!(every[0].1, "the pattern matches every message");
    }

    #[test]
    fn roles_reach_as_far_as_their_best() {
        assert_eq!(Access::of(&[]), Access::Everyone);
        assert_eq!(Access::of(&[Role::Verified, Role::Member]), Access::Subscribers);
        assert_eq!(Access::of(&[Role::Subscriber, Role::Moderator]), Access::Moderators);
        assert!(Access::of(&[Role::Broadcaster]) > Access::Moderators);
    }
}
