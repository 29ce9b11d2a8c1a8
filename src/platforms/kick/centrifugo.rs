//! The socket that the site itself uses since September 2026: Centrifugo's JSON protocol, version 2.
//!
//! Source: <https://centrifugal.dev/docs/transports/client_protocol>.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    Frame,
    frame::Topics,
    protocol::{Lost, Out, Patience, Pulse, Taken, handshake_ends, words},
};
use crate::http::seconds;

/// The id of our first command.
const CONNECT_ID: u32 = 1;
/// How soon to ask again for a token that was not had.
const TOKEN_RETRY: Duration = Duration::from_secs(20);
/// Shortest time between two tokens, whatever the server says.
const TOKEN_LEAST: Duration = Duration::from_secs(1);
/// Longest wait beyond the time at which the server's ping was due.
const MOST_MARGIN: Duration = Duration::from_secs(8);
/// The server asks for a `flag` of 1: it need not repeat what the client can compute itself.
const FLAG: u8 = 1;

/// One connection.
#[derive(Debug)]
pub(super) struct Centrifugo {
    token: String,
    topics: Topics,
    next_id: u32,
    /// Ids of the subscriptions that were asked for, in the order of [`Topics::list`].
    asked: Vec<u32>,
    pub(super) ready: bool,
    pub(super) pulse: Pulse,
    handshake_until: Instant,
    /// The server's own ping: how long it may stay away, and when the last one came.
    ping: Option<(Duration, Instant)>,
    pub(super) token_due: Option<Instant>,
    token_ends: Option<Instant>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reply {
    id: u32,
    error: Option<ErrorReply>,
    connect: Option<ConnectReply>,
    subscribe: Option<Value>,
    refresh: Option<RefreshReply>,
    push: Option<Push>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorReply {
    code: u32,
    message: String,
    temporary: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConnectReply {
    expires: bool,
    ttl: u64,
    ping: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RefreshReply {
    expires: bool,
    ttl: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Push {
    channel: Option<String>,
    #[serde(rename = "pub")]
    publication: Option<Publication>,
    disconnect: Option<Disconnect>,
    unsubscribe: Option<Value>,
}

#[derive(Deserialize)]
struct Publication {
    data: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Disconnect {
    code: u16,
    reason: String,
}

impl Centrifugo {
    /// A connection that was just opened.
    pub(super) fn new(token: String, topics: Topics, patience: Patience, now: Instant) -> Self {
        Self {
            token,
            topics,
            next_id: CONNECT_ID,
            asked: Vec::new(),
            ready: false,
            pulse: Pulse::new(patience, now),
            handshake_until: handshake_ends(now),
            ping: None,
            token_due: None,
            token_ends: None,
        }
    }

    fn command(&mut self, name: &str, body: Value) -> (u32, String) {
        let id = self.next_id;
        self.next_id += 1;
        (id, json!({ "id": id, name: body }).to_string())
    }

    pub(super) fn connect(&mut self) -> String {
        let body = json!({ "token": self.token, "name": "js" });
        self.command("connect", body).1
    }

    /// Takes in one message, which may hold several objects, one a line.
    pub(super) fn take(&mut self, text: &str, now: Instant) -> Result<Taken, Lost> {
        let mut taken = Taken::default();
        self.pulse.hear(now);
        for line in text.split('\n').map(str::trim).filter(|it| !it.is_empty()) {
            if line == "{}" {
                if let Some((_, heard)) = &mut self.ping {
                    *heard = now;
                }
                taken.send.push("{}".to_owned());
                continue;
            }
            let Ok(reply) = serde_json::from_str::<Reply>(line) else {
                tracing::debug!("a line of the chat socket is not understood");
                continue;
            };
            self.take_reply(reply, now, &mut taken)?;
        }
        Ok(taken)
    }

    fn take_reply(&mut self, reply: Reply, now: Instant, taken: &mut Taken) -> Result<(), Lost> {
        if let Some(push) = reply.push {
            return self.take_push(push, taken);
        }
        if let Some(error) = reply.error {
            return self.take_error(reply.id, &error);
        }
        if let Some(connect) = reply.connect {
            if connect.ping > 0 {
                let ping = seconds(connect.ping);
                // A ping of 25 s is missed after 30; one of a second after two.
                let margin = (ping / 5).max(Duration::from_secs(1)).min(MOST_MARGIN);
                self.ping = Some((ping + margin, now));
            }
            if connect.expires {
                self.expire_in(connect.ttl, now);
            }
            for channel in self.topics.list() {
                let (id, command) =
                    self.command("subscribe", json!({ "channel": channel, "flag": FLAG }));
                self.asked.push(id);
                taken.send.push(command);
            }
        }
        if reply.subscribe.is_some() && self.asked.first() == Some(&reply.id) {
            self.ready = true;
        }
        if let Some(refresh) = reply.refresh.filter(|it| it.expires) {
            self.expire_in(refresh.ttl, now);
        }
        Ok(())
    }

    fn take_push(&mut self, push: Push, taken: &mut Taken) -> Result<(), Lost> {
        if let Some(it) = push.disconnect {
            return Err(closed(it.code, &it.reason));
        }
        let Some(channel) = push.channel else { return Ok(()) };
        if push.unsubscribe.is_some() && channel == self.topics.chat() {
            return Err(Lost::Later("Kick took the chat's channel away".to_owned()));
        }
        let Some(publication) = push.publication else { return Ok(()) };
        // `{"event","data"}`, now and then itself inside a text.
        let inner = match publication.data {
            Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::Null),
            other => other,
        };
        if let Some(event) = inner["event"].as_str() {
            taken.frames.push(Frame::new(event, Some(&channel), inner["data"].clone()));
        }
        Ok(())
    }

    fn take_error(&mut self, id: u32, error: &ErrorReply) -> Result<(), Lost> {
        let ErrorReply { code, message, temporary } = error;
        let message = words(message);
        let text = |what: &str| format!("Kick refuses {what} ({code} {message})");
        if id == CONNECT_ID {
            let text = text("the guest's connection");
            return Err(if *temporary { Lost::Later(text) } else { Lost::Refused(text) });
        }
        if self.asked.first() == Some(&id) {
            return Err(Lost::Later(text("the chat's channel")));
        }
        if !self.asked.contains(&id) {
            return Err(Lost::Later(text("another token")));
        }
        // The chat is read all the same; what else is told there is not.
        tracing::info!(code, message, "Kick refuses a channel beside the chat's");
        Ok(())
    }

    /// Another token is asked for at four fifths of its time.
    fn expire_in(&mut self, ttl_seconds: u64, now: Instant) {
        let ttl = seconds(ttl_seconds);
        self.token_due = Some(now + (ttl * 4 / 5).max(TOKEN_LEAST));
        self.token_ends = Some(now + ttl);
    }

    pub(super) fn renew(&mut self, token: Option<&str>, now: Instant) -> Option<String> {
        match token {
            Some(token) => {
                // The reply says until when.
                self.token_due = None;
                token.clone_into(&mut self.token);
                Some(self.command("refresh", json!({ "token": token })).1)
            }
            None => {
                let last = self.token_ends.map_or(now, |it| it - (it - now) / 2);
                self.token_due = Some((now + TOKEN_RETRY).min(last).max(now + TOKEN_LEAST));
                None
            }
        }
    }

    pub(super) fn due(&self) -> Instant {
        let mut due = self.pulse.due();
        if !self.ready {
            due = due.min(self.handshake_until);
        }
        if let Some((longest, heard)) = self.ping {
            due = due.min(heard + longest);
        }
        due
    }

    pub(super) fn tick(&mut self, now: Instant) -> Result<Option<Out>, Lost> {
        if !self.ready && now >= self.handshake_until {
            return Err(Lost::Later("the chat socket does not answer".to_owned()));
        }
        if let Some((longest, heard)) = self.ping
            && now >= heard + longest
        {
            let silence = now.duration_since(heard).as_secs();
            return Err(Lost::Later(format!("no ping from the chat socket for {silence} s")));
        }
        Ok(self.pulse.tick(now)?.then_some(Out::Ping))
    }
}

/// What a code of disconnection asks for. From 3500 to 3999 Centrifugo's own clients give up, but some of these
/// pass by themselves: an invalid token (3500; the next attempt asks for another), one that went stale (3502), too
/// many connections (3504), what is not available (3508). 4500 to 4999 are the application's own final ones.
pub(super) fn closed(code: u16, reason: &str) -> Lost {
    let text = match words(reason).as_str() {
        "" => format!("Kick closed the chat socket ({code})"),
        reason => format!("Kick closed the chat socket ({code} {reason})"),
    };
    match code {
        3501 | 3503 | 3506 | 3507 | 4500..=4999 => Lost::Refused(text),
        _ => Lost::Later(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPICS: Topics = Topics { chatroom: 7, channel: 8 };
    const PATIENCE: Patience =
        Patience { ping: Duration::from_secs(5), pong: Duration::from_secs(4) };

    fn connected(now: Instant) -> Centrifugo {
        let mut it = Centrifugo::new("token".to_owned(), TOPICS, PATIENCE, now);
        let sent: Value = serde_json::from_str(&it.connect()).unwrap();
        assert_eq!(sent, json!({"id": 1, "connect": {"token": "token", "name": "js"}}));
        let reply = r#"{"id":1,"connect":{"client":"a","version":"","expires":true,"ttl":100,"ping":25,"pong":true}}"#;
        let taken = it.take(reply, now).unwrap();
        assert_eq!(taken.send.len(), 5, "all channels are asked for");
        assert!(taken.send[0].contains("chatrooms.7.v2") && !it.ready);
        it.take(r#"{"id":2,"subscribe":{}}"#, now).unwrap();
        assert!(it.ready);
        it
    }

    #[test]
    fn several_objects_of_one_message_are_read_in_order_and_a_ping_is_answered() {
        let now = Instant::now();
        let mut it = connected(now);
        let taken = it
            .take(
                concat!(
                    r#"{"push":{"channel":"chatrooms.7.v2","pub":{"data":{"event":"A","data":"{\"a\":1}"}}}}"#,
                    "\n{}\nnonsense\n",
                    r#"{"push":{"channel":"channel_8","pub":{"data":{"event":"B","data":{"b":2}},"tags":{"x":"y"}}}}"#,
                ),
                now,
            )
            .unwrap();
        assert_eq!(taken.send, ["{}"]);
        assert_eq!(taken.frames[0], Frame::new("A", Some("chatrooms.7.v2"), json!({"a": 1})));
        assert_eq!(taken.frames[1], Frame::new("B", Some("channel_8"), json!({"b": 2})));
    }

    #[test]
    fn a_refused_side_channel_costs_only_itself_and_the_chats_own_is_needed() {
        let now = Instant::now();
        let mut it = connected(now);
        it.take(r#"{"id":4,"error":{"code":103,"message":"permission denied"}}"#, now).unwrap();
        let lost = it.take(r#"{"id":2,"error":{"code":102,"message":"unknown channel"}}"#, now);
        assert!(matches!(lost, Err(Lost::Later(_))), "{lost:?}");
        let mut it = Centrifugo::new("token".to_owned(), TOPICS, PATIENCE, now);
        it.connect();
        let lost = it.take(r#"{"id":1,"error":{"code":109,"message":"token expired"}}"#, now);
        assert!(matches!(lost, Err(Lost::Refused(_))), "{lost:?}");
    }

    #[test]
    fn codes_of_disconnection_are_final_or_not() {
        for (code, is_final) in [
            (3000, false),
            (3499, false),
            (3500, false),
            (3501, true),
            (3502, false),
            (3503, true),
            (3504, false),
            (3505, false),
            (3506, true),
            (3507, true),
            (3508, false),
            (3999, false),
            (4000, false),
            (4499, false),
            (4500, true),
            (4999, true),
            (1006, false),
        ] {
            assert_eq!(matches!(closed(code, "x"), Lost::Refused(_)), is_final, "{code}");
        }
        let now = Instant::now();
        let push = r#"{"push":{"disconnect":{"code":3503,"reason":"force no reconnect"}}}"#;
        assert!(matches!(connected(now).take(push, now), Err(Lost::Refused(_))));
    }

    #[test]
    fn silence_is_asked_about_and_a_missing_ping_ends_it() {
        let start = Instant::now();
        let mut it = connected(start);
        assert_eq!(it.tick(start + seconds(4)), Ok(None));
        assert_eq!(it.tick(start + seconds(5)), Ok(Some(Out::Ping)));
        assert!(matches!(it.tick(start + seconds(9)), Err(Lost::Later(_))));
        let mut it = connected(start);
        for second in 1..30 {
            it.pulse.hear(start + seconds(second));
            assert_eq!(it.tick(start + seconds(second)), Ok(None), "{second}");
        }
        it.pulse.hear(start + seconds(30));
        assert_eq!(
            it.tick(start + seconds(30)),
            Err(Lost::Later("no ping from the chat socket for 30 s".to_owned()))
        );
    }

    #[test]
    fn another_token_is_asked_for_in_time_and_again_when_there_is_none() {
        let start = Instant::now();
        let mut it = connected(start);
        assert_eq!(it.token_due, Some(start + seconds(80)));
        assert_eq!(it.renew(None, start + seconds(80)), None);
        assert_eq!(it.token_due, Some(start + seconds(90)), "well before its end");
        let sent: Value =
            serde_json::from_str(&it.renew(Some("new"), start + seconds(90)).unwrap()).unwrap();
        assert_eq!(sent, json!({"id": 7, "refresh": {"token": "new"}}));
        let reply = r#"{"id":7,"refresh":{"client":"a","expires":true,"ttl":200}}"#;
        it.take(reply, start + seconds(91)).unwrap();
        assert_eq!(it.token_due, Some(start + seconds(251)));
    }

    #[test]
    fn absurd_times_are_no_harm() {
        let now = Instant::now();
        let most = u64::MAX;
        let mut it = Centrifugo::new("token".to_owned(), TOPICS, PATIENCE, now);
        it.connect();
        let reply =
            format!(r#"{{"id":1,"connect":{{"expires":true,"ttl":{most},"ping":{most}}}}}"#);
        it.take(&reply, now).unwrap();
        assert!(it.token_due.unwrap() <= now + seconds(3_600));
        assert!(it.due() <= now + seconds(3_600));
        assert_eq!(it.renew(None, now), None);
        let reply = format!(r#"{{"id":7,"refresh":{{"expires":true,"ttl":{most}}}}}"#);
        it.take(&reply, now).unwrap();
    }

    #[test]
    fn what_the_server_says_is_kept_short_and_on_one_line() {
        let now = Instant::now();
        let long = format!("a\\n\\u001b{}", "é".repeat(5_000));
        for reply in [
            format!(r#"{{"push":{{"disconnect":{{"code":3000,"reason":"{long}"}}}}}}"#),
            format!(r#"{{"id":1,"error":{{"code":101,"message":"{long}"}}}}"#),
            format!(r#"{{"id":2,"error":{{"code":101,"message":"{long}"}}}}"#),
        ] {
            let lost = connected(now).take(&reply, now).unwrap_err();
            let text = lost.text();
            assert!(text.contains("aé") && !text.contains(char::is_control), "{text}");
            assert!(text.chars().count() < 200, "{text}");
        }
    }
}
