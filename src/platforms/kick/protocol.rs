//! What is said on the two sockets, without the sockets: text in, frames and answers out.

use std::time::Duration;

use tokio::time::Instant;

use super::{Frame, centrifugo::Centrifugo, pusher::Pusher};
use crate::platforms::socket;

/// Longest wait for the chat's channel once the socket is open.
const HANDSHAKE: Duration = Duration::from_secs(6);

/// What a text of the socket came to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Taken {
    /// Events, in order.
    pub(super) frames: Vec<Frame>,
    /// What is to be answered, in order.
    pub(super) send: Vec<String>,
}

/// Why a socket is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lost {
    /// The platform asks to come back at once.
    AtOnce(String),
    /// Worth another try after a pause.
    Later(String),
    /// This way is closed: trying it again is pointless.
    Refused(String),
}

impl Lost {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::AtOnce(text) | Self::Later(text) | Self::Refused(text) => text,
        }
    }
}

/// What is to be done on the socket because time passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Out {
    Text(String),
    Ping,
}

/// When a socket is asked for a sign of life, and how long that may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    pub(super) ping: Duration,
    pub(super) pong: Duration,
}

/// Whether the other side is there.
#[derive(Debug)]
pub(super) struct Pulse {
    patience: Patience,
    heard: Instant,
    asked: Option<Instant>,
}

impl Pulse {
    pub(super) fn new(patience: Patience, now: Instant) -> Self {
        Self { patience, heard: now, asked: None }
    }

    pub(super) fn hear(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
    }

    /// Never waits longer for silence than this.
    pub(super) fn ask_within(&mut self, longest: Duration) {
        self.patience.ping = self.patience.ping.min(longest).max(Duration::from_millis(100));
    }

    pub(super) fn due(&self) -> Instant {
        match self.asked {
            Some(asked) => asked + self.patience.pong,
            None => self.heard + self.patience.ping,
        }
    }

    /// Whether to ask now.
    pub(super) fn tick(&mut self, now: Instant) -> Result<bool, Lost> {
        if now < self.due() {
            return Ok(false);
        }
        if self.asked.is_some() {
            let silence = now.duration_since(self.heard).as_secs();
            return Err(Lost::Later(format!(
                "no sign of life from the chat socket for {silence} s"
            )));
        }
        self.asked = Some(now);
        Ok(true)
    }
}

/// The words of one of the sockets.
#[derive(Debug)]
pub(super) enum Protocol {
    Centrifugo(Centrifugo),
    Pusher(Pusher),
}

impl Protocol {
    /// What is said first, by us.
    pub(super) fn greet(&mut self) -> Option<String> {
        match self {
            Self::Centrifugo(it) => Some(it.connect()),
            Self::Pusher(_) => None,
        }
    }

    /// Takes in what came.
    pub(super) fn take(&mut self, frame: &socket::Frame, now: Instant) -> Result<Taken, Lost> {
        match (self, frame) {
            (Self::Centrifugo(it), socket::Frame::Text(text)) => it.take(text, now),
            (Self::Pusher(it), socket::Frame::Text(text)) => it.take(text, now),
            (Self::Centrifugo(it), socket::Frame::Alive) => {
                it.pulse.hear(now);
                Ok(Taken::default())
            }
            (Self::Pusher(it), socket::Frame::Alive) => {
                it.pulse.hear(now);
                Ok(Taken::default())
            }
            (Self::Centrifugo(_), socket::Frame::Closed { code, reason }) => {
                Err(super::centrifugo::closed(*code, reason))
            }
            (Self::Pusher(_), socket::Frame::Closed { code, reason }) => {
                Err(super::pusher::closed(*code, reason))
            }
        }
    }

    /// Whether the chat is read.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Centrifugo(it) => it.ready,
            Self::Pusher(it) => it.ready,
        }
    }

    /// When [`Protocol::tick`] is due.
    pub(super) fn due(&self) -> Instant {
        match self {
            Self::Centrifugo(it) => it.due(),
            Self::Pusher(it) => it.due(),
        }
    }

    /// What has to be done because time passed.
    pub(super) fn tick(&mut self, now: Instant) -> Result<Option<Out>, Lost> {
        match self {
            Self::Centrifugo(it) => it.tick(now),
            Self::Pusher(it) => it.tick(now),
        }
    }

    /// When another token is needed.
    pub(super) fn token_due(&self) -> Option<Instant> {
        match self {
            Self::Centrifugo(it) => it.token_due,
            Self::Pusher(_) => None,
        }
    }

    /// Goes on with another token, or asks again later for one.
    pub(super) fn renew(&mut self, token: Option<&str>, now: Instant) -> Option<String> {
        match self {
            Self::Centrifugo(it) => it.renew(token, now),
            Self::Pusher(_) => None,
        }
    }
}

/// Most characters of the platform's own words that are passed on.
const MOST_WORDS: usize = 120;

/// The platform's own words as they may be shown: short, and on one line.
pub(super) fn words(said: &str) -> String {
    said.chars().filter(|it| !it.is_control()).take(MOST_WORDS).collect()
}

/// When a handshake that began now is over.
pub(super) fn handshake_ends(now: Instant) -> Instant {
    now + HANDSHAKE
}
