//! One record of the chat's stream, decoded.
//!
//! The stream is the site's own and nowhere documented; its names have varied. So each part is read by
//! itself, a strange one costs only itself, and what is not known is named and passed on.
//!
//! Source: recordings of the stream, 2023 to 2026, and the clients that read it.

use serde_json::Value;

use super::value::{find, id, list_ids, number, text, time};
use crate::model::Timestamp;

/// Largest record that is read (bytes). The first of a connection holds history and catalogue.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What one `data:` of the stream says.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// The first of each connection: the chat, and what was said lately.
    Init(Box<Init>),
    /// What is said now. Empty ones are signs of life.
    Messages(Batch),
    /// These messages must vanish.
    Deleted(Vec<String>),
    /// Of these messages, those that were not paid for must vanish.
    NonRantDeleted {
        /// Which.
        ids: Vec<String>,
        /// And so must all others of the chat.
        all: bool,
    },
    /// Everything these users said must vanish.
    Muted(Vec<String>),
    /// A message stands on top of the chat.
    Pinned(Box<Line>),
    /// Nothing stands there any more.
    Unpinned,
    /// Whether this account may moderate: nothing for a feed.
    CanModerate,
    /// Of this kind.
    Other(String),
}

/// What a chat is, and what was said lately.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Init {
    /// Its number.
    pub chat_id: Option<String>,
    /// The newest messages, with the people in them.
    pub batch: Batch,
    /// Pictures and names of badges.
    pub badges: Vec<BadgeKind>,
    /// Longest message (characters).
    pub message_length: Option<u32>,
    /// Whether only subscribers may chat.
    pub subscribers_only: Option<bool>,
}

/// Messages, and what is new of the people in them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// In the order they came.
    pub lines: Vec<Line>,
    /// Viewers.
    pub users: Vec<Person>,
    /// Channels that viewers speak as.
    pub channels: Vec<Person>,
    /// Elements that were no messages (count).
    pub unreadable: u32,
}

/// A kind of badge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadgeKind {
    /// The site's name of it.
    pub slug: String,
    /// For people.
    pub label: Option<String>,
    /// Address of its picture, maybe without the host.
    pub icon: Option<String>,
}

/// A viewer, or a channel that one speaks as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Stable.
    pub id: String,
    /// As shown; `None` says that it did not change.
    pub name: Option<String>,
    /// `#RRGGBB`.
    pub color: Option<String>,
    /// Address of the picture.
    pub picture: Option<String>,
    /// The site's names; `None` says that they did not change.
    pub badges: Option<Vec<String>>,
}

/// One message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// Unique.
    pub id: Option<String>,
    /// The site's clock.
    pub time: Option<Timestamp>,
    /// Who wrote it.
    pub user_id: Option<String>,
    /// As which channel.
    pub channel_id: Option<String>,
    /// The writer's name, where the message itself tells it.
    pub name: Option<String>,
    /// The writer's badges, where the message itself tells them.
    pub badges: Option<Vec<String>>,
    /// Plain.
    pub text: String,
    /// Pictures that stand for words of the text, where the message itself tells them: word and address.
    pub pictures: Vec<(String, String)>,
    /// It is gone already.
    pub deleted: bool,
    /// What was paid with it (US cents).
    pub rant_cents: Option<i64>,
    /// What the site says with it: badge and words.
    pub notification: Option<(Option<String>, String)>,
    /// Subscriptions given: how many, and of which kind.
    pub gift: Option<(Option<u64>, Option<String>)>,
    /// The writer sent their viewers here.
    pub raid: bool,
}

impl Record {
    /// Reads the JSON of one `data:`; `None` when it is none, or too large.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        if json.len() > MAX_BYTES {
            return None;
        }
        let value: Value = serde_json::from_str(json).ok()?;
        let root = value.as_object()?;
        let data = root.get("data").unwrap_or(&Value::Null);
        let kind = root.get("type").and_then(Value::as_str);
        Some(match kind {
            Some("init") => Self::Init(Box::new(Init::read(data))),
            Some("messages") => Self::Messages(Batch::read(data)),
            Some("delete_messages") => Self::Deleted(list_ids(data, &["message_ids", "ids"])),
            Some("delete_non_rant_messages") => {
                let ids = list_ids(data, &["message_ids", "ids"]);
                let flag =
                    ["clear", "clear_non_rant"].iter().find_map(|it| data.get(*it)?.as_bool());
                Self::NonRantDeleted { all: flag.unwrap_or(ids.is_empty()), ids }
            }
            Some("mute_users") => Self::Muted(list_ids(data, &["user_ids", "ids"])),
            Some("pin_message") => {
                Self::Pinned(Box::new(Line::read(data.get("message").unwrap_or(data))?))
            }
            Some("unpin_message") => Self::Unpinned,
            Some("can_moderate") => Self::CanModerate,
            // Older ones say one message at a time, or do not say what they are.
            Some("message" | "chat_message") | None if is_line(data) => {
                let lines = Line::read(data).into_iter().collect();
                Self::Messages(Batch { lines, ..Batch::default() })
            }
            None if data.get("messages").is_some() => Self::Messages(Batch::read(data)),
            None if is_line(&value) => {
                let lines = Line::read(&value).into_iter().collect();
                Self::Messages(Batch { lines, ..Batch::default() })
            }
            Some(kind) => Self::Other(kind.to_owned()),
            None => Self::Other("unnamed".to_owned()),
        })
    }

    /// The messages in it, oldest first as they came.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        match self {
            Self::Init(it) => &it.batch.lines,
            Self::Messages(it) => &it.lines,
            _ => &[],
        }
    }
}

fn is_line(value: &Value) -> bool {
    value.get("text").is_some()
}

impl Init {
    fn read(data: &Value) -> Self {
        let config = data.get("config").unwrap_or(&Value::Null);
        let badges = config.get("badges").and_then(Value::as_object);
        let subscribers = data.get("subscribers_only_chat");
        Self {
            chat_id: data.get("chat").and_then(|it| id(it, &["id"])),
            batch: Batch::read(data),
            badges: badges.into_iter().flatten().map(|it| BadgeKind::read(it.0, it.1)).collect(),
            message_length: number(config, &["message_length_max"])
                .and_then(|it| it.try_into().ok()),
            subscribers_only: subscribers.and_then(|it| it.get("on")).and_then(Value::as_bool),
        }
    }
}

impl BadgeKind {
    fn read(slug: &str, value: &Value) -> Self {
        let label = value.get("label").unwrap_or(&Value::Null);
        let icons = value.get("icons").unwrap_or(&Value::Null);
        let any = || icons.as_object()?.values().find_map(Value::as_str);
        Self {
            slug: slug.to_owned(),
            label: label
                .as_str()
                .or_else(|| text(label, &["en"]))
                .or_else(|| text(value, &["title"]))
                .map(str::to_owned),
            icon: text(icons, &["48", "96"]).or_else(any).map(str::to_owned),
        }
    }
}

impl Batch {
    fn read(data: &Value) -> Self {
        let elements = |name: &str| data.get(name).and_then(Value::as_array).into_iter().flatten();
        // A list of people, or an object of them by their ids.
        let people = |name: &str| {
            let by_id = data.get(name).and_then(Value::as_object).into_iter().flatten();
            let by_id = by_id.filter_map(|(id, it)| Person::read(it, Some(id)));
            elements(name).filter_map(|it| Person::read(it, None)).chain(by_id).collect()
        };
        let mut batch =
            Self { users: people("users"), channels: people("channels"), ..Self::default() };
        for element in elements("messages") {
            match Line::read(element) {
                Some(line) => batch.lines.push(line),
                None => batch.unreadable += 1,
            }
        }
        if let Some(line) = data.get("message").and_then(Line::read) {
            batch.lines.push(line);
        }
        batch
    }
}

impl Person {
    /// `None` for what is no person: the site writes `[]` where it has none.
    fn read(value: &Value, key: Option<&String>) -> Option<Self> {
        value.as_object()?;
        let own = |names: &[&str]| text(value, names).map(str::to_owned);
        Some(Self {
            id: id(value, &["id", "user_id"]).or_else(|| key.cloned())?,
            name: own(&["username", "user_name", "display_name", "title", "name"]),
            color: own(&["color"]),
            picture: own(&["image.1", "image", "thumbnail"]),
            badges: badges(value),
        })
    }
}

fn badges(value: &Value) -> Option<Vec<String>> {
    let list = value.get("badges")?.as_array()?;
    let slug =
        |it: &Value| it.as_str().or_else(|| text(it, &["slug", "name", "type"])).map(str::to_owned);
    Some(list.iter().filter_map(slug).collect())
}

impl Line {
    /// `None` for what is no message at all.
    fn read(value: &Value) -> Option<Self> {
        value.as_object()?;
        let own = |names: &[&str]| text(value, names).map(str::to_owned);
        let gift = value.get("gift_purchase_notification").filter(|it| it.is_object());
        let notification = value.get("notification").filter(|it| it.is_object());
        let rant = value.get("rant").filter(|it| it.is_object());
        let blocks = value.get("blocks").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let written = find(value, &["text", "message"]).and_then(Value::as_str);
        Some(Self {
            id: id(value, &["id", "message_id"]),
            time: time(value, &["time", "created_on", "created_at", "timestamp"]),
            user_id: id(value, &["user_id"]),
            channel_id: id(value, &["channel_id"]),
            name: own(&["user_name", "username"]),
            badges: badges(value),
            text: written.map_or_else(|| text_of(blocks), str::to_owned),
            pictures: blocks.iter().filter_map(picture).collect(),
            deleted: value.get("is_deleted").and_then(Value::as_bool).unwrap_or(false),
            rant_cents: rant.and_then(|it| number(it, &["price_cents", "amount_cents"])),
            notification: notification.map(|it| {
                let words = text(it, &["text"]).unwrap_or_default().to_owned();
                (text(it, &["badge"]).map(str::to_owned), words)
            }),
            gift: gift.map(|it| {
                let total = number(it, &["total_gifts"]).and_then(|it| it.try_into().ok());
                (total, text(it, &["gift_type"]).map(str::to_owned))
            }),
            raid: value.get("raid_notification").is_some_and(|it| !it.is_null()),
        })
    }
}

/// The text of a message that has it in pieces only.
fn text_of(blocks: &[Value]) -> String {
    let data = blocks.iter().filter_map(|it| it.get("data"));
    let pieces = data.filter_map(|it| text(it, &["text", "name"]));
    pieces.collect::<Vec<_>>().join(" ")
}

/// A block that is a picture: the word it stands for, and its address.
fn picture(block: &Value) -> Option<(String, String)> {
    let data = block.get("data")?;
    let (name, file) = (text(data, &["name"])?, text(data, &["file", "url"])?);
    Some((name.trim_matches(':').to_owned(), file.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_above_what_a_float_can_hold_is_kept_to_the_last_digit() {
        let json = r#"{"type":"messages","data":{"messages":[{"id":9007199254740993,"user_id":18446744073709551615,"text":"hi"}]}}"#;
        let record = Record::parse(json).unwrap();
        assert_eq!(record.lines()[0].id.as_deref(), Some("9007199254740993"));
        assert_eq!(record.lines()[0].user_id.as_deref(), Some("18446744073709551615"));
    }

    #[test]
    fn a_message_is_read_whatever_its_parts_are_called() {
        let json =
            r#"{"data":{"message_id":"m","user_name":"Ana","text":"hi","created_at":1772366400}}"#;
        let line = Record::parse(json).unwrap().lines()[0].clone();
        assert_eq!((line.id.as_deref(), line.name.as_deref()), (Some("m"), Some("Ana")));
        assert_eq!(line.time, Timestamp::parse("2026-03-01T12:00:00Z").ok());
        let json = r#"{"type":"messages","data":{"messages":[{"id":"m","timestamp":1772366400500,"blocks":[{"type":"text.1","data":{"text":"a"}},{"type":"text.1","data":{"text":"b"}}]}]}}"#;
        let line = Record::parse(json).unwrap().lines()[0].clone();
        assert_eq!(line.text, "a b");
        assert_eq!(line.time.unwrap().unix_ms(), 1_772_366_400_500);
    }

    #[test]
    fn a_strange_element_costs_only_itself() {
        let json = r#"{"type":"messages","data":{"messages":[7,[],{"id":"m","text":"hi"}],"users":[[],{"id":"u","username":"Ana"}],"channels":[[]]}}"#;
        let Some(Record::Messages(batch)) = Record::parse(json) else { panic!() };
        assert_eq!((batch.lines.len(), batch.unreadable), (1, 2));
        assert_eq!((batch.users.len(), batch.channels.len()), (1, 0));
    }

    #[test]
    fn what_is_not_known_is_named_and_what_is_no_json_is_nothing() {
        let other = Record::parse(r#"{"type":"raid_confirmed","data":{}}"#);
        assert_eq!(other, Some(Record::Other("raid_confirmed".to_owned())));
        for bad in ["{not-json}", "", "[]", "7", "<html>"] {
            assert_eq!(Record::parse(bad), None, "{bad}");
        }
    }
}
