//! Speaks over IRC, for tokens that the API does not take. A connection of its own: what is said on one is not
//! shown on the same one, and reading is to see it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Mutex,
    time::timeout,
};
use twitch_irc::message::IRCMessage;

use super::{Account, endpoint::Link, line::LineReader};
use crate::platforms::sending::SendError;

/// Longest wait for the login, and for the answer to a message.
const ANSWER: Duration = Duration::from_secs(8);
/// A connection that was silent for longer is not trusted: a new one is opened.
const FRESH: Duration = Duration::from_secs(120);

/// One account's voice in one channel.
pub(super) struct Speaker {
    account: Account,
    login: Arc<str>,
    /// Held across a message: one channel says one thing at a time.
    open: Mutex<Option<Open>>,
}

struct Open {
    link: Link,
    lines: LineReader,
    used: Instant,
}

/// What Twitch said to it.
pub(super) struct SaidOverIrc {
    pub(super) id: Option<String>,
    pub(super) moderates: bool,
}

enum Answer {
    Ready,
    Said(SaidOverIrc),
    Refused(String),
}

impl Speaker {
    pub(super) fn new(account: Account, login: Arc<str>) -> Self {
        Self { account, login, open: Mutex::new(None) }
    }

    /// Says `text` as `nick`.
    ///
    /// A failure before the line was written is worth another try; one after it is not.
    pub(super) async fn say(
        &self,
        nick: &str,
        text: &str,
        reply_to: Option<&str>,
    ) -> Result<SaidOverIrc, SendError> {
        let mut slot = self.open.lock().await;
        let mut open = match slot.take().filter(|it| it.used.elapsed() < FRESH) {
            Some(open) => open,
            None => self.open(nick).await?,
        };
        // What stands in a tag must not end it.
        let plain = |it: &&str| it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
        if reply_to.is_some_and(|it| !plain(&it)) {
            return Err(SendError::Blocked("that is no message of Twitch".to_owned()));
        }
        let tags = reply_to.map(|it| format!("@reply-parent-msg-id={it} ")).unwrap_or_default();
        // A line feed would begin a command of its own.
        let text = text.replace(['\r', '\n'], " ");
        let line = format!("{tags}PRIVMSG #{} :{text}\r\n", self.login);
        // What came while nobody read is no answer to what is said now.
        open.skip_what_waits().await.map_err(|it| SendError::Failed(it.to_string()))?;
        let unclear = |why: &str| SendError::Failed(format!("{why}; it may have been said"));
        open.write(&line).await.map_err(|_| unclear("the connection broke"))?;
        let answer = timeout(ANSWER, open.answer(answer_to_words)).await;
        match answer {
            Ok(Ok(Answer::Said(said))) => {
                open.used = Instant::now();
                *slot = Some(open);
                Ok(said)
            }
            Ok(Ok(Answer::Refused(reason))) => {
                open.used = Instant::now();
                *slot = Some(open);
                Err(SendError::Blocked(reason))
            }
            Ok(Ok(Answer::Ready) | Err(_)) => Err(unclear("the connection broke")),
            Err(_) => Err(unclear("Twitch does not answer")),
        }
    }

    async fn open(&self, nick: &str) -> Result<Open, SendError> {
        let failed =
            |why: String| SendError::Failed(format!("Twitch chat cannot be reached: {why}"));
        let link = self.account.endpoint.connect().await.map_err(|it| failed(it.to_string()))?;
        let mut open = Open { link, lines: LineReader::default(), used: Instant::now() };
        let Some(credentials) = &self.account.credentials else {
            return Err(SendError::Blocked("there is no token".to_owned()));
        };
        let hello = format!(
            "CAP REQ :twitch.tv/tags twitch.tv/commands\r\nPASS oauth:{}\r\nNICK {nick}\r\nJOIN #{}\r\n",
            credentials.token, self.login
        );
        open.write(&hello).await.map_err(|it| failed(it.to_string()))?;
        match timeout(ANSWER, open.answer(answer_to_login)).await {
            Ok(Ok(Answer::Refused(reason))) => Err(SendError::Blocked(reason)),
            Ok(Ok(_)) => Ok(open),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed("no answer in time".to_owned())),
        }
    }
}

impl Open {
    async fn write(&mut self, text: &str) -> std::io::Result<()> {
        timeout(ANSWER, async {
            self.link.write_all(text.as_bytes()).await?;
            self.link.flush().await
        })
        .await
        .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
    }

    /// Reads what has come already; pings in it are answered.
    async fn skip_what_waits(&mut self) -> std::io::Result<()> {
        let mut buffer = vec![0; 4_096];
        while let Ok(count) = timeout(Duration::from_millis(1), self.link.read(&mut buffer)).await {
            let count = count?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let mut pings = String::new();
            self.lines.feed(&buffer[..count], |line| {
                if line.command == "PING" {
                    pings.push_str(&pong(&line));
                }
            });
            if !pings.is_empty() {
                self.write(&pings).await?;
            }
        }
        Ok(())
    }

    /// Reads until a line is the answer; pings are answered meanwhile.
    async fn answer(
        &mut self,
        find: impl Fn(&IRCMessage) -> Option<Answer>,
    ) -> std::io::Result<Answer> {
        let mut buffer = vec![0; 4_096];
        loop {
            let count = self.link.read(&mut buffer).await?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let mut found = None;
            let mut pings = String::new();
            self.lines.feed(&buffer[..count], |line| {
                if line.command == "PING" {
                    pings.push_str(&pong(&line));
                } else if found.is_none() {
                    found = find(&line);
                }
            });
            if !pings.is_empty() {
                self.write(&pings).await?;
            }
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }
}

fn pong(line: &IRCMessage) -> String {
    format!("PONG :{}\r\n", line.params.last().map_or("", String::as_str))
}

/// Whether a notice says that something was not said: others tell of the room.
fn is_refusal(line: &IRCMessage) -> bool {
    let id = line.tags.0.get("msg-id").map_or("", String::as_str);
    id.starts_with("msg_") || matches!(id, "no_permission" | "unrecognized_cmd" | "tos_ban")
}

fn words_of(line: &IRCMessage) -> String {
    line.params.last().cloned().unwrap_or_default()
}

fn answer_to_login(line: &IRCMessage) -> Option<Answer> {
    match line.command.as_str() {
        "USERSTATE" | "ROOMSTATE" => Some(Answer::Ready),
        "NOTICE" => Some(Answer::Refused(format!("Twitch says: {}", words_of(line)))),
        _ => None,
    }
}

fn answer_to_words(line: &IRCMessage) -> Option<Answer> {
    match line.command.as_str() {
        // Behind what was said comes our own state, with the id of it.
        "USERSTATE" => {
            let tag = |name: &str| line.tags.0.get(name).filter(|it| !it.is_empty());
            let badges = tag("badges").map_or("", String::as_str);
            let moderates = tag("mod").is_some_and(|it| it == "1")
                || badges.contains("broadcaster/")
                || badges.contains("moderator/");
            Some(Answer::Said(SaidOverIrc { id: tag("id").cloned(), moderates }))
        }
        "NOTICE" if is_refusal(line) => {
            Some(Answer::Refused(format!("Twitch says: {}", words_of(line))))
        }
        _ => None,
    }
}
