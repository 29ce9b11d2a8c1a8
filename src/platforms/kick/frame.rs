//! What both sockets carry alike: an event's name, its data, and the channel it was sent on.

use serde::Deserialize;
use serde_json::Value;

/// One event as the platform sent it.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The name as sent: `App\Events\ChatMessageEvent`, or bare.
    pub event: String,
    /// The channel it was sent on, where that is known.
    pub channel: Option<String>,
    /// Its data, decoded: some sockets send it as a text of JSON, others as it is.
    pub data: Value,
}

impl Frame {
    /// An event with its data as sent; a text that holds JSON is decoded.
    #[must_use]
    pub fn new(event: &str, channel: Option<&str>, data: Value) -> Self {
        let data = match data {
            Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            other => other,
        };
        Self { event: event.to_owned(), channel: channel.map(str::to_owned), data }
    }

    /// Decodes `{"event","data","channel"?}`; `None` when it is none of that shape.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Sent {
            event: String,
            #[serde(default)]
            channel: Option<String>,
            #[serde(default)]
            data: Value,
        }
        let Sent { event, channel, data } = serde_json::from_str(text).ok()?;
        Some(Self::new(&event, channel.as_deref(), data))
    }

    /// The name without the namespace before it: `ChatMessageEvent`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.event.rsplit('\\').next().unwrap_or(&self.event)
    }
}

/// Which channels of the socket belong to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Topics {
    /// The chat's number.
    pub(super) chatroom: u64,
    /// The channel's number.
    pub(super) channel: u64,
}

impl Topics {
    /// The one without which there is no chat.
    #[must_use]
    pub(super) fn chat(self) -> String {
        format!("chatrooms.{}.v2", self.chatroom)
    }

    /// Everything to subscribe to, the chat first.
    #[must_use]
    pub(super) fn list(self) -> [String; 5] {
        let Self { chatroom, channel } = self;
        [
            self.chat(),
            format!("chatroom_{chatroom}"),
            format!("channel_{channel}"),
            format!("channel.{channel}"),
            format!("chatrooms.{chatroom}"),
        ]
    }

    /// Whether a frame belongs here. One that does not say where it was sent does.
    #[must_use]
    pub(super) fn has(self, frame: &Frame) -> bool {
        let Some(channel) = &frame.channel else { return true };
        let is = |prefix: &str, id: u64| {
            channel
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.strip_suffix(".v2").unwrap_or(rest).parse() == Ok(id))
        };
        is("chatrooms.", self.chatroom)
            || is("chatroom_", self.chatroom)
            || is("channel_", self.channel)
            || is("channel.", self.channel)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_is_the_same_as_a_text_of_json_and_as_it_is() {
        let text = Frame::parse(r#"{"event":"A\\B","data":"{\"a\":1}","channel":"channel.1"}"#);
        let object = Frame::parse(r#"{"event":"A\\B","data":{"a":1},"channel":"channel.1"}"#);
        assert_eq!(text, object);
        assert_eq!(text.unwrap().name(), "B");
        assert_eq!(
            Frame::parse(r#"{"event":"a","data":"no json"}"#).unwrap().data,
            json!("no json")
        );
        assert_eq!(Frame::parse(r#"{"event":"a"}"#).unwrap().data, Value::Null);
        assert_eq!(Frame::parse("[]"), None);
    }

    #[test]
    fn a_frame_of_another_room_is_recognised_by_its_ids() {
        let topics = Topics { chatroom: 7, channel: 8 };
        for own in topics.list() {
            assert!(topics.has(&Frame::new("e", Some(&own), Value::Null)), "{own}");
        }
        assert!(topics.has(&Frame::new("e", None, Value::Null)));
        for other in ["chatrooms.8.v2", "chatroom_8", "channel_7", "channel.80", "drops_category_7"]
        {
            assert!(!topics.has(&Frame::new("e", Some(other), Value::Null)), "{other}");
        }
    }
}
