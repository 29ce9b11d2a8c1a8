//! A message of the socket: what kind it is, and what it carries.
//!
//! Source: <https://dev.twitch.tv/docs/eventsub/websocket-reference/>.

use serde::Deserialize;
use serde_json::Value;

use crate::model::Timestamp;

/// Something happened in a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Unique: the same may be delivered twice.
    pub message_id: String,
    /// Twitch's clock.
    pub sent_at: Option<Timestamp>,
    /// Twitch's word for the kind, such as `channel.follow`.
    pub kind: String,
    /// What happened, in the kind's own shape.
    pub event: Value,
}

#[derive(Debug, Deserialize)]
struct Envelope {
    metadata: Metadata,
    #[serde(default)]
    payload: Value,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    message_id: String,
    message_type: String,
    message_timestamp: Option<String>,
    subscription_type: Option<String>,
}

/// What a text of the socket says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Welcome {
        session_id: String,
        keepalive_seconds: u64,
    },
    KeepAlive,
    Happened(Box<Notification>),
    Reconnect {
        url: String,
    },
    Revoked {
        kind: String,
        status: String,
    },
    /// Nothing that is known.
    Unknown,
}

/// Reads a text; `None` when it is no message of the socket.
pub(super) fn read(text: &str) -> Option<Said> {
    let Envelope { metadata, payload } = serde_json::from_str(text).ok()?;
    let session = &payload["session"];
    let words = |it: &Value| it.as_str().map(str::to_owned);
    Some(match metadata.message_type.as_str() {
        "session_welcome" => Said::Welcome {
            session_id: words(&session["id"])?,
            keepalive_seconds: session["keepalive_timeout_seconds"].as_u64().unwrap_or(10),
        },
        "session_keepalive" => Said::KeepAlive,
        "notification" => Said::Happened(Box::new(notification(metadata, payload)?)),
        "session_reconnect" => Said::Reconnect { url: words(&session["reconnect_url"])? },
        "revocation" => Said::Revoked {
            kind: words(&payload["subscription"]["type"])?,
            status: words(&payload["subscription"]["status"]).unwrap_or_default(),
        },
        _ => Said::Unknown,
    })
}

fn notification(metadata: Metadata, mut payload: Value) -> Option<Notification> {
    let kind = metadata
        .subscription_type
        .or_else(|| payload["subscription"]["type"].as_str().map(str::to_owned))?;
    // RFC 3339 with up to nine digits behind the point.
    let sent_at = metadata.message_timestamp.and_then(|it| Timestamp::parse(&it).ok());
    let event = payload["event"].take();
    Some(Notification { message_id: metadata.message_id, sent_at, kind, event })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_message_is_read_and_an_unknown_one_is_survived() {
        let said = |kind: &str, payload: Value| {
            read(&json!({"metadata": {"message_id": "m", "message_type": kind,
                "message_timestamp": "2026-11-20T18:03:11.412345678Z", "subscription_type": "channel.follow"},
                "payload": payload}).to_string())
        };
        let welcome =
            json!({"session": {"id": "s", "keepalive_timeout_seconds": 12, "reconnect_url": null}});
        let expected = Said::Welcome { session_id: "s".into(), keepalive_seconds: 12 };
        assert_eq!(said("session_welcome", welcome), Some(expected));
        let Some(Said::Happened(it)) = said("notification", json!({"event": {"user_id": "7"}}))
        else {
            panic!("a notification")
        };
        assert_eq!(it.sent_at.unwrap().to_string(), "2026-11-20T18:03:11.412Z");
        assert_eq!((it.kind.as_str(), &it.event["user_id"]), ("channel.follow", &json!("7")));
        assert_eq!(said("session_later", json!({})), Some(Said::Unknown));
        assert_eq!(said("session_welcome", json!({})), None);
        assert_eq!(read("nonsense"), None);
    }
}
