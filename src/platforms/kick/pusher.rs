//! The Pusher socket, which answers as long as Kick leaves it there.
//!
//! Source: <https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol/>.

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::{
    Frame,
    frame::Topics,
    protocol::{Lost, Out, Patience, Pulse, Taken, handshake_ends, words},
};
use crate::http::seconds;

/// One connection.
#[derive(Debug)]
pub(super) struct Pusher {
    topics: Topics,
    pub(super) ready: bool,
    pub(super) pulse: Pulse,
    handshake_until: Instant,
}

impl Pusher {
    /// A connection that was just opened.
    pub(super) fn new(topics: Topics, patience: Patience, now: Instant) -> Self {
        Self {
            topics,
            ready: false,
            pulse: Pulse::new(patience, now),
            handshake_until: handshake_ends(now),
        }
    }

    pub(super) fn take(&mut self, text: &str, now: Instant) -> Result<Taken, Lost> {
        let mut taken = Taken::default();
        self.pulse.hear(now);
        let Some(frame) = Frame::parse(text) else {
            tracing::debug!("a frame of the chat socket is not understood");
            return Ok(taken);
        };
        match frame.event.as_str() {
            "pusher:connection_established" => {
                if let Some(told) = frame.data["activity_timeout"].as_u64() {
                    self.pulse.ask_within(seconds(told));
                }
                for channel in self.topics.list() {
                    let data = json!({ "auth": "", "channel": channel });
                    let command = json!({ "event": "pusher:subscribe", "data": data });
                    taken.send.push(command.to_string());
                }
            }
            "pusher_internal:subscription_succeeded" => {
                self.ready |= frame.channel.as_deref() == Some(&self.topics.chat());
            }
            "pusher:subscription_error"
                if frame.channel.as_deref() == Some(&self.topics.chat()) =>
            {
                return Err(Lost::Later("Kick refuses the chat's channel".to_owned()));
            }
            "pusher:ping" => {
                taken.send.push(json!({"event": "pusher:pong", "data": {}}).to_string())
            }
            "pusher:error" => {
                #[derive(Deserialize)]
                struct Said {
                    #[serde(default)]
                    code: Option<u16>,
                    #[serde(default)]
                    message: String,
                }
                let said = Said::deserialize(&frame.data).ok();
                return match said {
                    Some(Said { code: Some(code), message }) => Err(closed(code, &message)),
                    // Without a code it is about one message of ours and leaves the connection as it is.
                    _ => Ok(taken),
                };
            }
            other if other.starts_with("pusher:") || other.starts_with("pusher_internal:") => {}
            _ => taken.frames.push(frame),
        }
        Ok(taken)
    }

    pub(super) fn due(&self) -> Instant {
        if self.ready { self.pulse.due() } else { self.pulse.due().min(self.handshake_until) }
    }

    pub(super) fn tick(&mut self, now: Instant) -> Result<Option<Out>, Lost> {
        if !self.ready && now >= self.handshake_until {
            return Err(Lost::Later("the chat socket does not answer".to_owned()));
        }
        let ping = || Out::Text(json!({"event": "pusher:ping", "data": {}}).to_string());
        Ok(self.pulse.tick(now)?.then(ping))
    }
}

/// What a code asks for: 4000 to 4099 not to come back, 4200 to 4299 to come back at once.
pub(super) fn closed(code: u16, reason: &str) -> Lost {
    let text = match words(reason).as_str() {
        "" => format!("the Pusher socket was closed ({code})"),
        reason => format!("the Pusher socket was closed ({code} {reason})"),
    };
    match code {
        4000..=4099 => Lost::Refused(text),
        4200..=4299 => Lost::AtOnce(text),
        _ => Lost::Later(text),
    }
}

/// The address of an application's socket. A cluster that the site names is asked, unless `base` is not one
/// of Pusher's own.
pub(super) fn address(base: &str, key: &str, cluster: Option<&str>) -> String {
    let is_pushers = base.starts_with("wss://ws-") && base.ends_with(".pusher.com");
    let base = match cluster {
        Some(cluster) if is_pushers => format!("wss://ws-{cluster}.pusher.com"),
        _ => base.to_owned(),
    };
    format!("{base}/app/{key}?protocol=7&client=js&version=8.4.0&flash=false")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;

    const TOPICS: Topics = Topics { chatroom: 7, channel: 8 };
    const PATIENCE: Patience =
        Patience { ping: Duration::from_secs(5), pong: Duration::from_secs(4) };

    #[test]
    fn the_chat_is_read_once_its_own_channel_is_answered() {
        let now = Instant::now();
        let mut it = Pusher::new(TOPICS, PATIENCE, now);
        let hello = r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":3}"}"#;
        let sent = it.take(hello, now).unwrap().send;
        assert_eq!(sent.len(), 5);
        let first: Value = serde_json::from_str(&sent[0]).unwrap();
        assert_eq!(first["data"], json!({"auth": "", "channel": "chatrooms.7.v2"}));
        let answer = |channel: &str| {
            format!(
                r#"{{"event":"pusher_internal:subscription_succeeded","data":"{{}}","channel":"{channel}"}}"#
            )
        };
        it.take(&answer("channel_8"), now).unwrap();
        assert!(!it.ready);
        it.take(&answer("chatrooms.7.v2"), now).unwrap();
        assert!(it.ready);
        let asks = it.tick(now + Duration::from_secs(3)).unwrap();
        assert!(asks.is_some(), "asked after the server's own time of silence");
        assert!(it.tick(now + Duration::from_secs(7)).is_err());
        let pong = it.take(r#"{"event":"pusher:ping","data":{}}"#, now).unwrap().send;
        assert!(pong[0].contains("pusher:pong"));
    }

    #[test]
    fn errors_are_of_three_classes() {
        let now = Instant::now();
        for (code, expected) in [
            ("4001", "Refused"),
            ("4099", "Refused"),
            ("4100", "Later"),
            ("4199", "Later"),
            ("4200", "AtOnce"),
            ("4299", "AtOnce"),
            ("4301", "Later"),
        ] {
            let text =
                format!(r#"{{"event":"pusher:error","data":{{"code":{code},"message":"m"}}}}"#);
            let lost = Pusher::new(TOPICS, PATIENCE, now).take(&text, now).unwrap_err();
            assert!(format!("{lost:?}").starts_with(expected), "{code}: {lost:?}");
        }
        let long = format!("a\\n{}", "x".repeat(5_000));
        let text =
            format!(r#"{{"event":"pusher:error","data":{{"code":4301,"message":"{long}"}}}}"#);
        let lost = Pusher::new(TOPICS, PATIENCE, now).take(&text, now).unwrap_err();
        let shown = lost.text();
        assert!(shown.len() < 200 && shown.contains("ax"), "short and on one line: {shown}");
        let text = r#"{"event":"pusher:error","data":{"code":null,"message":"m"}}"#;
        assert!(Pusher::new(TOPICS, PATIENCE, now).take(text, now).is_ok());
    }

    #[test]
    fn the_named_cluster_is_asked_unless_the_address_is_another() {
        let of =
            |base, cluster| address(base, "key", cluster).split("/app").next().unwrap().to_owned();
        assert_eq!(of("wss://ws-us2.pusher.com", Some("eu")), "wss://ws-eu.pusher.com");
        assert_eq!(of("wss://ws-us2.pusher.com", None), "wss://ws-us2.pusher.com");
        assert_eq!(of("ws://127.0.0.1:9", Some("eu")), "ws://127.0.0.1:9");
    }
}
