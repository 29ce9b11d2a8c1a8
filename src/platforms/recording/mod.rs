//! Plays recorded feeds (JSONL) and recorded Twitch chat (`.irc`) through the same path as live ones.

pub mod demo;

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, BufReader},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use twitch_irc::message::IRCMessage;

use super::{Ingest, Raw, Sink, Source};
use crate::model::{CreatorId, Event, EventBody, Platform, PlatformState, Timestamp};

/// Longest line of a recording (bytes).
const MAX_LINE: usize = 1024 * 1024;
/// Longest pause that is played; longer ones are cut to this (before `speed`).
const MAX_PAUSE_MS: i64 = 30_000;

/// What a recording holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Events of the feed, one JSON object a line.
    Jsonl,
    /// Twitch chat as received, one line a line.
    Irc,
}

impl Format {
    /// By the file's ending: `.irc`, or `.jsonl`, `.ndjson` and `.json`.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "irc" => Some(Self::Irc),
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            _ => None,
        }
    }
}

/// How fast a recording is played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// 1 is as recorded, 2 twice as fast.
    Times(f64),
    /// As fast as the room takes it.
    Max,
}

impl std::str::FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("max") {
            return Ok(Self::Max);
        }
        match text.trim_end_matches(['x', '×']).parse::<f64>() {
            Ok(times) if times.is_finite() && times > 0.0 => Ok(Self::Times(times)),
            _ => Err(format!("`{text}` is not a speed: a number above 0, or max")),
        }
    }
}

/// What was played.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Played {
    /// Lines that were given to the room.
    pub lines: u64,
    /// Lines that could not be read.
    pub unreadable: u64,
    /// The first of them: its number in the file, and what is wrong.
    pub first_problem: Option<(u64, String)>,
}

/// One recording on its way into one room.
pub struct Player<'a> {
    sink: &'a dyn Sink,
    room: CreatorId,
    speed: Speed,
    stop: CancellationToken,
    ingests: HashMap<Arc<str>, Ingest>,
    /// When the first line was played, and the recording's clock of it.
    started: Option<(Instant, i64)>,
    /// The recording's clock as far as it was played: it never goes back.
    clock_ms: i64,
    /// How much the pauses that were cut add up to.
    cut_ms: i64,
}

impl<'a> Player<'a> {
    /// Plays into `room` until the end or until `stop`.
    #[must_use]
    pub fn new(sink: &'a dyn Sink, room: CreatorId, speed: Speed, stop: CancellationToken) -> Self {
        Self {
            sink,
            room,
            speed,
            stop,
            ingests: HashMap::new(),
            started: None,
            clock_ms: 0,
            cut_ms: 0,
        }
    }

    /// Plays a file.
    ///
    /// # Errors
    /// When the file cannot be read, or is of no known kind.
    pub async fn play_file(&mut self, path: &Path) -> std::io::Result<Played> {
        let format = Format::of(path).ok_or_else(|| {
            std::io::Error::other("not a recording: the name must end with .jsonl or .irc")
        })?;
        let file = tokio::fs::File::open(path).await?;
        self.play(BufReader::with_capacity(64 * 1024, file), format).await
    }

    /// Plays lines.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn play(
        &mut self,
        mut lines: impl AsyncBufRead + Unpin,
        format: Format,
    ) -> std::io::Result<Played> {
        let mut played = Played::default();
        let mut number = 0;
        let mut line = Vec::new();
        while !self.stop.is_cancelled() {
            line.clear();
            if lines.read_until(b'\n', &mut line).await? == 0 {
                break;
            }
            number += 1;
            let text = line.trim_ascii_end();
            if text.is_empty() {
                continue;
            }
            let outcome = if text.len() > MAX_LINE {
                Err(format!("longer than {MAX_LINE} bytes"))
            } else {
                match format {
                    Format::Irc => self.irc(text).await,
                    Format::Jsonl => self.event(text).await,
                }
            };
            match outcome {
                Ok(()) => played.lines += 1,
                Err(problem) => {
                    played.unreadable += 1;
                    played.first_problem.get_or_insert((number, problem));
                }
            }
        }
        Ok(played)
    }

    async fn irc(&mut self, line: &[u8]) -> Result<(), String> {
        let line =
            IRCMessage::parse(&String::from_utf8_lossy(line)).map_err(|it| it.to_string())?;
        if let Some(ms) = line.tags.0.get("tmi-sent-ts").and_then(|it| it.parse().ok()) {
            self.wait_until(ms).await;
        }
        // What is said of no channel carries nothing for a room.
        let Some(login) = line.params.iter().find_map(|it| it.strip_prefix('#')) else {
            return Ok(());
        };
        let login = Arc::from(login);
        self.deliver(Platform::Twitch, login, Raw::Twitch(Box::new(line))).await;
        Ok(())
    }

    async fn event(&mut self, line: &[u8]) -> Result<(), String> {
        let mut event: Event = serde_json::from_slice(line).map_err(|it| it.to_string())?;
        self.wait_until(event.ts.unix_ms()).await;
        match &mut event.body {
            // How the room was set up then is not how it is now, and what was missing then is not now.
            EventBody::SettingsUpdate(_)
            | EventBody::QueueUpdate(_)
            | EventBody::PlatformStatus(_)
            | EventBody::FeedGap(_)
            | EventBody::SessionEnd(_) => return Ok(()),
            // Played, it is a stream of its own.
            EventBody::SessionStart(it) => it.session_id = Timestamp::now().compact(),
            _ => {}
        }
        let channel = Arc::from("recording");
        self.deliver(Platform::Streamsuites, channel, Raw::Event(Box::new(event.body))).await;
        Ok(())
    }

    async fn deliver(&mut self, platform: Platform, channel: Arc<str>, raw: Raw) {
        let (sink, room) = (self.sink, &self.room);
        if !self.ingests.contains_key(&channel) {
            let source = Source {
                creator: room.clone(),
                platform,
                channel: Arc::clone(&channel),
                recorded: true,
            };
            // The room was taken away meanwhile: nobody misses the line.
            let Some(mut ingest) = Ingest::new(sink, source) else { return };
            ingest.prepare().await;
            if platform == Platform::Twitch {
                ingest.status(PlatformState::Live, "from a recording");
            }
            self.ingests.insert(Arc::clone(&channel), ingest);
        }
        let Some(ingest) = self.ingests.get_mut(&channel) else { return };
        ingest.accept(raw, Timestamp::now());
        self.stop.run_until_cancelled(ingest.ready()).await;
    }

    /// Waits until the moment that stands `ms` in the recording. Times that go back do not wait.
    async fn wait_until(&mut self, ms: i64) {
        let Speed::Times(times) = self.speed else { return };
        let (started, first) = *self.started.get_or_insert((Instant::now(), ms));
        if self.clock_ms == 0 {
            self.clock_ms = first;
        }
        self.cut_ms += (ms - self.clock_ms - MAX_PAUSE_MS).max(0);
        self.clock_ms = self.clock_ms.max(ms);
        let offset = (self.clock_ms - first - self.cut_ms).max(0) as f64 / 1000.0 / times;
        let due = started + Duration::from_secs_f64(offset);
        self.stop.run_until_cancelled(sleep_until(due)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_or_max() {
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("2.5x".parse(), Ok(Speed::Times(2.5)));
        assert!("0".parse::<Speed>().is_err());
        assert!("fast".parse::<Speed>().is_err());
    }
}
