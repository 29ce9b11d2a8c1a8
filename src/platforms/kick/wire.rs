//! The shapes inside Kick's events, read tolerantly: a field of another type costs only itself.

use chrono::NaiveDateTime;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::model::Timestamp;

/// From this number on, a time is in milliseconds (as seconds it is in the year 5138).
const FIRST_MS: i64 = 100_000_000_000;

/// A field that may be absent, null or of another type than it was.
pub(crate) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

/// A list of which those elements count that can be read.
fn readable<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let Value::Array(items) = value else { return Ok(Vec::new()) };
    Ok(items.into_iter().filter_map(|it| serde_json::from_value(it).ok()).collect())
}

/// An object, or a text that holds one (as the history sends `metadata`).
fn unpacked<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = match Value::deserialize(deserializer)? {
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::Null),
        other => other,
    };
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// An id: a number or a text, never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Id(String);

impl Id {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) if !text.is_empty() => Ok(Self(text)),
            // 0 is what the site writes where there is nobody.
            Value::Number(number) if number.as_u64() != Some(0) => Ok(Self(number.to_string())),
            _ => Err(serde::de::Error::custom("no id")),
        }
    }
}

impl From<u64> for Id {
    fn from(id: u64) -> Self {
        Self(id.to_string())
    }
}

/// A time in any of the ways Kick writes one: RFC 3339 with any fraction, `2024-02-06 19:10:40` (UTC),
/// seconds or milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct When(pub(crate) Timestamp);

impl When {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = || {
            let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()?;
            Timestamp::from_unix_ms(time.and_utc().timestamp_millis())
        };
        Timestamp::parse(text).ok().or_else(plain).map(Self)
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = match Value::deserialize(deserializer)? {
            Value::String(text) => Self::parse(&text),
            Value::Number(number) => number
                .as_i64()
                .filter(|it| *it > 0)
                .map(|it| if it < FIRST_MS { it * 1000 } else { it })
                .and_then(Timestamp::from_unix_ms)
                .map(Self),
            _ => None,
        };
        found.ok_or_else(|| serde::de::Error::custom("no time"))
    }
}

/// A viewer, as far as an event names one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Person {
    pub(crate) id: Option<Id>,
    pub(crate) username: Option<String>,
    pub(crate) slug: Option<String>,
    pub(crate) profile_picture: Option<String>,
    pub(crate) username_color: Option<String>,
    pub(crate) identity: Option<Identity>,
    pub(crate) is_verified: Option<bool>,
}

impl<'de> Deserialize<'de> for Person {
    /// By hand: the names of fields differ from event to event, and two of them may stand side by side.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = serde_json::Map::<String, Value>::deserialize(deserializer)?;
        Ok(Self {
            id: pick(&mut fields, &["id", "user_id"]),
            username: pick(&mut fields, &["username"]),
            slug: pick(&mut fields, &["slug", "channel_slug"]),
            profile_picture: pick(
                &mut fields,
                &["profile_picture", "profile_pic", "profile_thumb"],
            ),
            username_color: pick(&mut fields, &["username_color"]),
            identity: pick(&mut fields, &["identity"]),
            is_verified: pick(&mut fields, &["is_verified", "verified"]),
        })
    }
}

/// The first of these fields that can be read.
fn pick<T: DeserializeOwned>(
    fields: &mut serde_json::Map<String, Value>,
    names: &[&str],
) -> Option<T> {
    names.iter().find_map(|it| serde_json::from_value(fields.remove(*it)?).ok())
}

impl Person {
    /// One of whom only the name is known.
    pub(crate) fn named(username: &str) -> Self {
        Self { username: Some(username.to_owned()), ..Self::default() }
    }

    /// The name, if it names anybody: gifts may come from nobody in particular.
    pub(crate) fn known_name(&self) -> Option<&str> {
        let name = self.username.as_deref().map(str::trim).filter(|it| !it.is_empty())?;
        (self.id.is_some() || !name.eq_ignore_ascii_case("anonymous")).then_some(name)
    }

    /// Takes from `other` what is not known here.
    pub(crate) fn complete(&mut self, other: Self) {
        let Self { id, username, slug, profile_picture, username_color, identity, is_verified } =
            other;
        self.id = self.id.take().or(id);
        self.username = self.username.take().or(username);
        self.slug = self.slug.take().or(slug);
        self.profile_picture = self.profile_picture.take().or(profile_picture);
        self.username_color = self.username_color.take().or(username_color);
        self.identity = self.identity.take().or(identity);
        self.is_verified = self.is_verified.or(is_verified);
    }
}

/// How a viewer is shown in a chat.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Identity {
    #[serde(deserialize_with = "lenient")]
    pub(crate) color: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) username_color: Option<String>,
    #[serde(deserialize_with = "readable")]
    pub(crate) badges: Vec<PlainBadge>,
    #[serde(deserialize_with = "readable")]
    pub(crate) badges_v2: Vec<PictureBadge>,
}

/// A badge without a picture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct PlainBadge {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) text: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) count: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) active: Option<bool>,
}

/// A badge with one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct PictureBadge {
    pub(crate) name: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) image_url: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) selected: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) metadata: Option<BadgeMetadata>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct BadgeMetadata {
    #[serde(deserialize_with = "lenient")]
    pub(crate) level: Option<u64>,
}

/// A chat message, of the socket, the history or a webhook.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ChatMessage {
    #[serde(alias = "message_id", deserialize_with = "lenient")]
    pub(crate) id: Option<Id>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) content: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(crate) kind: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) created_at: Option<When>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) sender: Option<Person>,
    #[serde(deserialize_with = "unpacked")]
    pub(crate) metadata: Metadata,
    /// What a webhook has in the place of `metadata.original_message`.
    #[serde(deserialize_with = "lenient")]
    pub(crate) replies_to: Option<Box<ChatMessage>>,
}

/// What a message says about itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    #[serde(deserialize_with = "lenient")]
    pub(crate) original_sender: Option<Person>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) original_message: Option<OriginalMessage>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) celebration: Option<Celebration>,
}

/// What a reply answers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct OriginalMessage {
    pub(crate) id: Id,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) content: Option<String>,
}

/// What a message celebrates: `subscription_renewed`, so many months.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Celebration {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(crate) kind: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) total_months: Option<u32>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) created_at: Option<When>,
}

impl ChatMessage {
    /// The subscription it celebrates.
    pub(crate) fn subscription(&self) -> Option<&Celebration> {
        let celebration = self.metadata.celebration.as_ref()?;
        let is_one = self.kind.as_deref() == Some("celebration")
            && celebration.kind.as_deref().is_some_and(|it| it.contains("subscri"));
        is_one.then_some(celebration)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_is_read_in_every_way_kick_writes_it() {
        for (sent, expected) in [
            (json!("2026-09-27T15:25:18+00:00"), "2026-09-27T15:25:18.000Z"),
            (json!("2026-10-03T22:39:42.484939359Z"), "2026-10-03T22:39:42.484Z"),
            (json!("2025-01-01T11:00:00+11:00"), "2025-01-01T00:00:00.000Z"),
            (json!("2024-02-06 19:10:40"), "2024-02-06T19:10:40.000Z"),
            (json!(1_790_526_318), "2026-09-27T16:25:18.000Z"),
            (json!(1_790_526_318_893_i64), "2026-09-27T16:25:18.893Z"),
        ] {
            let when: When = serde_json::from_value(sent.clone()).unwrap();
            assert_eq!(when.0.to_string(), expected, "{sent}");
        }
        for bad in [json!(null), json!(""), json!("soon"), json!(0), json!(-4), json!([1])] {
            assert!(serde_json::from_value::<When>(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_field_of_another_type_costs_only_itself() {
        let message: ChatMessage = serde_json::from_value(json!({
            "id": "a", "content": "hi", "type": 7, "created_at": {}, "metadata": "{\"celebration\":3}",
            "sender": {"id": 5, "username": "Ana", "identity": {"color": [], "badges": [{"type": "vip"}, 4]}},
        }))
        .unwrap();
        let sender = message.sender.unwrap();
        assert_eq!((message.kind, message.created_at), (None, None));
        assert_eq!(message.metadata, Metadata::default());
        assert_eq!(sender.id.unwrap().as_str(), "5");
        assert_eq!(sender.identity.unwrap().badges.len(), 1);
    }
}
