//! What a trigger does: pure data. What carries it out is elsewhere.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Platform, template::Template};

/// One thing that is done: `{"action_type": "reply", "payload": {"text": "…"}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action_type", content = "payload", rename_all = "snake_case")]
#[schemars(rename = "TriggerAction")]
pub enum Action {
    /// Answers whoever wrote, where they wrote.
    Reply(Said),
    /// Says something in the creator's chats.
    SendChatMessage(SaidIn),
    /// Puts the message on the stage.
    Feature(Nothing),
    /// Marks the message for discussion.
    Queue(Nothing),
    /// Votes in a poll, in the name of whoever wrote.
    PollVote(PollVote),
    /// Begins a poll.
    PollOpen(PollOpen),
    /// Ends a poll.
    PollClose(WhichPoll),
    /// Counts.
    Tally(Count),
    /// Gives points.
    Score(Score),
    /// Asks for a clip.
    Clip(ClipRequest),
    /// Tells a channel on Discord.
    Notify(Notice),
    /// Tells a program of the creator's, signed.
    Webhook(Hook),
    /// Asks something of an address on the allow-list.
    Http(Request),
}

/// The action needs nothing said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// What is said; gaps such as `{user}` are filled.
    #[schemars(length(min = 1, max = 500))]
    pub text: String,
}

/// A text, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaidIn {
    /// What is said; gaps such as `{user}` are filled.
    #[schemars(length(min = 1, max = 500))]
    pub text: String,
    /// On which platforms; none is on all where this server may speak.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub platforms: Vec<Platform>,
}

/// A vote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PollVote {
    /// In which poll; absent is the one that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub poll_id: Option<String>,
    /// For which option, by number, id or label; absent is what stands behind the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub choice: Option<String>,
}

/// A poll to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PollOpen {
    /// What is asked; gaps are filled. Absent: what stands behind the command says all, as `question | a | b`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub question: Option<String>,
    /// The answers to choose from; gaps are filled. None: what stands behind the command, as `a | b`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 100)))]
    pub options: Vec<String>,
    /// How long it is open (minutes); absent is until somebody ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_080))]
    pub minutes: Option<u32>,
}

/// A poll.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WhichPoll {
    /// Which; absent is the one that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub poll_id: Option<String>,
}

/// A step of a tally.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TallyStep")]
pub struct Count {
    /// Which tally.
    #[schemars(length(min = 1, max = 64))]
    pub tally_id: String,
    /// Which of its items; gaps are filled. Absent is the tally itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub item: Option<String>,
    /// How much is added (count).
    #[serde(default = "one")]
    #[schemars(range(min = -1_000_000, max = 1_000_000))]
    pub by: i64,
}

/// Points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// On which scoreboard.
    #[schemars(length(min = 1, max = 64))]
    pub scoreboard_id: String,
    /// For whom, by the name on the board; gaps such as `{target}` are filled. Absent is whoever wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub who: Option<String>,
    /// How many.
    #[serde(default = "one")]
    #[schemars(range(min = -1_000_000, max = 1_000_000))]
    pub points: i64,
}

/// A clip to make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClipRequest {
    /// How long (s); absent is as configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3_600))]
    pub seconds: Option<u32>,
    /// What it is called; gaps are filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 120))]
    pub title: Option<String>,
}

/// Something said on Discord.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// In which channel: its id, as text.
    #[schemars(regex(pattern = r"^[0-9]{5,20}$"))]
    pub channel_id: String,
    /// What is said; gaps are filled.
    #[schemars(length(min = 1, max = 500))]
    pub text: String,
}

/// A program of the creator's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// Where it listens; its host must be on the operator's allow-list.
    #[schemars(url, length(min = 1, max = 500))]
    pub url: String,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// How.
    #[serde(default)]
    pub method: Method,
    /// Of whom; the host must be on the operator's allow-list.
    #[schemars(url, length(min = 1, max = 500))]
    pub url: String,
    /// What is sent along; gaps are filled. Where it is JSON, what fills them stays a value in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2_000))]
    pub body: Option<String>,
}

/// How something is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Looks.
    Get,
    /// Tells.
    #[default]
    Post,
    /// Puts in place.
    Put,
}

impl Method {
    /// The word in requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

const fn one() -> i64 {
    1
}

impl Action {
    /// Its `action_type`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Reply(_) => "reply",
            Self::SendChatMessage(_) => "send_chat_message",
            Self::Feature(_) => "feature",
            Self::Queue(_) => "queue",
            Self::PollVote(_) => "poll_vote",
            Self::PollOpen(_) => "poll_open",
            Self::PollClose(_) => "poll_close",
            Self::Tally(_) => "tally",
            Self::Score(_) => "score",
            Self::Clip(_) => "clip",
            Self::Notify(_) => "notify",
            Self::Webhook(_) => "webhook",
            Self::Http(_) => "http",
        }
    }

    /// Whether it speaks to the world outside the chats, which the tier's `automation` allows.
    #[must_use]
    pub const fn is_outside(&self) -> bool {
        matches!(self, Self::Notify(_) | Self::Webhook(_) | Self::Http(_))
    }

    /// Its texts with gaps: pointer below the action, and text.
    #[must_use]
    pub fn list_texts(&self) -> Vec<(String, &str)> {
        let one = |key: &str, text| vec![(format!("/payload/{key}"), text)];
        match self {
            Self::Reply(it) => one("text", it.text.as_str()),
            Self::SendChatMessage(it) => one("text", it.text.as_str()),
            Self::Notify(it) => one("text", it.text.as_str()),
            Self::PollVote(PollVote { choice: Some(it), .. }) => one("choice", it),
            Self::PollOpen(it) => {
                let options = it.options.iter().enumerate();
                let options =
                    options.map(|(at, it)| (format!("/payload/options/{at}"), it.as_str()));
                let question = it.question.as_deref();
                let question = question.map(|it| ("/payload/question".to_owned(), it));
                question.into_iter().chain(options).collect()
            }
            Self::Tally(Count { item: Some(it), .. }) => one("item", it),
            Self::Score(Score { who: Some(it), .. }) => one("who", it),
            Self::Clip(ClipRequest { title: Some(it), .. }) => one("title", it),
            Self::Http(Request { body: Some(it), .. }) => one("body", it),
            _ => Vec::new(),
        }
    }

    /// Whether only somebody's message makes sense of it.
    fn needs_message(&self) -> bool {
        match self {
            Self::Reply(_) | Self::Feature(_) | Self::Queue(_) | Self::PollVote(_) => true,
            Self::Score(it) => it.who.is_none(),
            Self::PollOpen(it) => it.options.is_empty() || it.question.is_none(),
            _ => false,
        }
    }

    /// What is wrong with it: pointer below the action, and message. `by_itself` says that no message comes with it.
    #[must_use]
    pub fn check(&self, by_itself: bool) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if by_itself && self.needs_message() {
            let message = format!("`{}` needs a message: a timer has none", self.as_str());
            found.push(("/action_type".to_owned(), message));
        }
        for (pointer, text) in self.list_texts() {
            match Template::parse(text) {
                Err(error) => found.push((pointer, error.to_string())),
                Ok(it) if by_itself && it.needs_message() => {
                    let message = "a timer knows no viewer and no message".to_owned();
                    found.push((pointer, message));
                }
                Ok(_) => {}
            }
        }
        match self {
            Self::PollOpen(it) if it.question.is_none() && !it.options.is_empty() => {
                let message = "a poll with options needs its question".to_owned();
                found.push(("/payload/question".to_owned(), message));
            }
            Self::PollOpen(it) if it.options.len() == 1 => {
                let message = "a poll needs two options, or none to take them from the message";
                found.push(("/payload/options".to_owned(), message.to_owned()));
            }
            Self::Webhook(Hook { url }) | Self::Http(Request { url, .. }) => {
                let parsed = url::Url::parse(url);
                let usable = parsed.as_ref().is_ok_and(|it| {
                    matches!(it.scheme(), "https" | "http")
                        && it.has_host()
                        && it.username().is_empty()
                        && it.password().is_none()
                });
                if !usable {
                    let message = "is no address of a web server, such as https://example.com/hook";
                    found.push(("/payload/url".to_owned(), message.to_owned()));
                }
            }
            _ => {}
        }
        found
    }
}
