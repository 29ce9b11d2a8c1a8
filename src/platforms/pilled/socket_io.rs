//! Socket.IO v4 over a WebSocket, as far as one who only listens needs it: text in, answers out.
//!
//! Source: <https://socket.io/docs/v4/engine-io-protocol/> and <https://socket.io/docs/v4/socket-io-protocol/>.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// What a packet means.
#[derive(Debug, PartialEq)]
pub(super) enum Packet {
    /// The connection is open: ask for the default namespace. The longest silence that is in order.
    Open(Duration),
    /// The namespace is joined.
    Joined,
    /// To be answered.
    Ping,
    /// Something was told: its name.
    Event(String),
    /// The other side leaves.
    Closed,
    /// Anything else.
    Other,
}

/// What asks for the default namespace.
pub(super) const JOIN: &str = "40";
/// What answers a ping.
pub(super) const PONG: &str = "3";

pub(super) fn read(text: &str) -> Packet {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Handshake {
        ping_interval: u64,
        ping_timeout: u64,
    }
    if let Some(rest) = text.strip_prefix('0') {
        let usual = Handshake { ping_interval: 25_000, ping_timeout: 20_000 };
        let told: Handshake = serde_json::from_str(rest).unwrap_or(usual);
        // Bounded: a promise of a year of silence is none.
        let longest = told.ping_interval.saturating_add(told.ping_timeout).min(120_000);
        return Packet::Open(Duration::from_millis(longest));
    }
    match text.as_bytes() {
        [b'1', ..] | [b'4', b'1' | b'4', ..] => Packet::Closed,
        [b'2', ..] => Packet::Ping,
        [b'4', b'0', ..] => Packet::Joined,
        [b'4', b'2', ..] => {
            // `42["name",…]`, with a namespace (`/name,`) and a number before the list now and then.
            let list = text.find('[').map(|at| &text[at..]);
            let list: Option<Vec<Value>> = list.and_then(|it| serde_json::from_str(it).ok());
            let name = list.and_then(|it| it.first()?.as_str().map(str::to_owned));
            name.map_or(Packet::Other, Packet::Event)
        }
        _ => Packet::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_apart_and_what_is_unknown_is_passed_over() {
        let open =
            r#"0{"sid":"a","upgrades":[],"pingInterval":1000,"pingTimeout":500,"maxPayload":1}"#;
        assert_eq!(read(open), Packet::Open(Duration::from_millis(1_500)));
        assert_eq!(read("0"), Packet::Open(Duration::from_secs(45)));
        assert_eq!(read(r#"40{"sid":"b"}"#), Packet::Joined);
        assert_eq!(read("2"), Packet::Ping);
        assert_eq!(read(r#"42["said",{"a":1}]"#), Packet::Event("said".to_owned()));
        assert_eq!(read(r#"42/room,7["said"]"#), Packet::Event("said".to_owned()));
        for other in ["", "42", "42[", "42[1]", "43[]", "6", "é", "45-[]"] {
            assert_eq!(read(other), Packet::Other, "{other}");
        }
        for closed in ["1", "41", r#"44{"message":"no"}"#] {
            assert_eq!(read(closed), Packet::Closed);
        }
    }
}
