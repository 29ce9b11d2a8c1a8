//! What was said while a connection was cut: the site's history tells it.

use std::time::Duration;

use rand::RngExt;
use tokio::time::Instant;

use super::{Question, Session, moment};
use crate::platforms::{
    Ingest,
    kick::{Arrival, Frame, Happening, Moment, frame::Topics, site::SiteError, wire::ChatMessage},
};

/// Most frames that wait for the gap before them to be filled.
const MOST_WAITING: usize = 512;
/// Pause behind a history that was not to be had; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// For how long it is asked again.
const ASKED_FOR: Duration = Duration::from_secs(30 * 60);

type History = Result<Vec<serde_json::Value>, SiteError>;

/// The gap before what a connection brings.
#[derive(Default)]
pub(super) struct Gap {
    pub(super) asked: Question<History>,
    /// Frames that wait for the first answer, so that all comes in order.
    waiting: Vec<(Frame, Moment)>,
    again: Again,
}

/// When the history is asked for once more.
#[derive(Debug, Default)]
struct Again {
    began: Option<Instant>,
    failures: u32,
    at: Option<Instant>,
}

impl Again {
    /// It was not to be had; `true` the first time.
    fn fail(&mut self, now: Instant, jitter: f64) -> bool {
        let began = *self.began.get_or_insert(now);
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(8)).min(LONGEST_PAUSE);
        self.failures += 1;
        let at = now + pause.mul_f64(jitter);
        self.at = Some(at).filter(|it| it.duration_since(began) < ASKED_FOR);
        self.failures == 1
    }

    fn take_due(&mut self, now: Instant) -> bool {
        self.at.take_if(|it| *it <= now).is_some()
    }
}

impl Gap {
    /// When [`Session::ask_for_gap_again`] is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.again.at
    }
}

impl Session<'_> {
    /// After a cut, the site's history tells what was said meanwhile.
    pub(super) fn ask_for_gap(&mut self) {
        if let (Some(_), Some(topics)) = (self.worker.track.gap_from(), self.found.topics) {
            self.ask_for_history(topics);
        }
    }

    /// Asks once more where the history was not to be had, as long as it may still tell what is missing.
    pub(super) fn ask_for_gap_again(&mut self, now: Instant) {
        if self.gap.again.take_due(now)
            && self.worker.track.has_gap()
            && let Some(topics) = self.found.topics
        {
            self.ask_for_history(topics);
        }
    }

    fn ask_for_history(&mut self, topics: Topics) {
        let site = self.site.clone();
        self.gap.asked = Some(Box::pin(async move { site.messages(topics.channel).await }));
    }

    /// Keeps a frame behind the gap; gives it back when it need not wait.
    pub(super) fn hold_back(
        &mut self,
        frame: Frame,
        now: Moment,
        ingest: &mut Ingest,
    ) -> Option<Frame> {
        // A deletion waits for nothing; and nobody waits for a site that failed before.
        if self.gap.asked.is_none() || self.gap.again.failures > 0 || is_deletion(&frame) {
            return Some(frame);
        }
        self.gap.waiting.push((frame, now));
        if self.gap.waiting.len() >= MOST_WAITING {
            self.gap.asked = None;
            self.fail_gap("too much came meanwhile");
            self.release(ingest);
        }
        None
    }

    pub(super) fn fill_gap(&mut self, answer: History, ingest: &mut Ingest) {
        let now = moment();
        match (answer, self.worker.track.gap_from()) {
            (Ok(messages), Some(from)) => {
                self.worker.track.close_gap();
                self.gap.again = Again::default();
                for message in messages {
                    let Ok(read) = serde_json::from_value::<ChatMessage>(message.clone()) else {
                        continue;
                    };
                    // The platform's clock has whole seconds: those of the same one are known by their ids.
                    let Some(sent_at) = read.created_at.map(|it| it.0).filter(|it| *it >= from)
                    else {
                        continue;
                    };
                    self.worker.track.note_message(sent_at);
                    if read.subscription().is_some() {
                        let frame = Frame::new("App\\Events\\ChatMessageEvent", None, message);
                        let told = self.worker.track.fold(Arrival::Frame(frame), now);
                        self.tell(told, ingest);
                        continue;
                    }
                    let historical = sent_at < self.worker.track.started_at;
                    let happening = Happening::History { message, historical };
                    self.tell(vec![(happening, now.clock)], ingest);
                }
            }
            (Err(error), _) => self.fail_gap(&error.to_string()),
            (Ok(_), None) => {}
        }
        self.release(ingest);
    }

    fn fail_gap(&mut self, why: &str) {
        let jitter = rand::rng().random_range(0.8..=1.2);
        if self.gap.again.fail(Instant::now(), jitter) {
            self.note_problem(&format!("the gap in the chat is not filled yet: {why}"));
        }
    }

    /// The connection is over: what is missing stays in the track, and the next attempt asks again.
    pub(super) fn leave_gap(&mut self, ingest: &mut Ingest) {
        (self.gap.asked, self.gap.again) = (None, Again::default());
        self.release(ingest);
    }

    /// Goes on with what waited for the gap before it.
    fn release(&mut self, ingest: &mut Ingest) {
        for (frame, now) in std::mem::take(&mut self.gap.waiting) {
            self.fold_frame(frame, now, ingest);
        }
    }
}

fn is_deletion(frame: &Frame) -> bool {
    matches!(frame.name(), "MessageDeletedEvent" | "UserBannedEvent" | "ChatroomClearEvent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_that_was_not_to_be_had_is_asked_for_again_for_half_an_hour() {
        let began = Instant::now();
        let (mut again, mut now, mut tries) = (Again::default(), began, 0);
        assert!(again.fail(now, 1.0), "told once");
        while let Some(at) = again.at {
            assert!(!again.take_due(at - Duration::from_secs(1)));
            now = at;
            assert!(again.take_due(now));
            assert!(!again.fail(now, 1.0), "and not again and again");
            tries += 1;
        }
        assert!(tries > 8, "{tries}");
        assert!(now - began < ASKED_FOR && now - began > ASKED_FOR - LONGEST_PAUSE);
    }
}
