//! One channel's queue: message after message, at the platform's pace.

use std::{collections::VecDeque, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;

use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Echoes, Pace, PlatformSender, SendError, SendState, Words,
    outbox::{Board, Place},
};

/// Messages that wait in a lane (count). A further one is blocked.
pub(super) const WAITING: usize = 32;
/// Longest time a message may take on its way.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait that a platform may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// What is said of a message whose lane ended while it was on its way, and of one that waited.
const UNDER_WAY: &str = "the sender was stopped: it may have been said";
const WAITED: &str = "the sender was stopped";
/// How often a message is put off before it is given up.
const MOST_WAITS: u32 = 3;

/// A message's place in a lane.
pub(super) struct Job {
    pub(super) words: Words,
    pub(super) place: Place,
}

/// The pace a lane has kept so far.
#[derive(Default)]
struct Kept {
    left: VecDeque<Instant>,
}

impl Kept {
    /// When the next message may leave.
    fn next(&mut self, pace: Pace, now: Instant) -> Instant {
        while self.left.front().is_some_and(|it| *it + pace.within <= now) {
            self.left.pop_front();
        }
        let apart = self.left.back().map_or(now, |it| *it + pace.apart);
        let most = pace.messages.max(1) as usize;
        let full = match self.left.len().checked_sub(most) {
            Some(index) => self.left[index] + pace.within,
            None => now,
        };
        apart.max(full).max(now)
    }
}

/// Sends what comes, until nobody can give more or `stop`; what waits then is said to have failed.
pub(super) async fn run(
    sender: Arc<dyn PlatformSender>,
    mut jobs: mpsc::Receiver<Job>,
    board: Board,
    echoes: Echoes,
    stop: CancellationToken,
) {
    let mut kept = Kept::default();
    while let Some(Some(job)) = stop.run_until_cancelled(jobs.recv()).await {
        let place = job.place.clone();
        let attempt = send(&*sender, &job, &mut kept, &board, &echoes);
        match stop.run_until_cancelled(attempt).await {
            Some(Ok(said)) => {
                if let Some(id) = &said.message_id {
                    let account = sender.account();
                    echoes.know(&place.room, account.as_ref(), &job.words.text, id.clone());
                }
                board.set(&place, SendState::Sent, "", said.message_id);
            }
            Some(Err(error @ SendError::Blocked(_))) => {
                board.set(&place, SendState::Blocked, &error.to_string(), None);
            }
            Some(Err(error)) => board.set(&place, SendState::Failed, &error.to_string(), None),
            None => board.set(&place, SendState::Failed, UNDER_WAY, None),
        }
    }
    jobs.close();
    while let Ok(job) = jobs.try_recv() {
        board.set(&job.place, SendState::Failed, WAITED, None);
    }
}

async fn send(
    sender: &dyn PlatformSender,
    job: &Job,
    kept: &mut Kept,
    board: &Board,
    echoes: &Echoes,
) -> Result<super::Said, SendError> {
    for _ in 0..=MOST_WAITS {
        let now = Instant::now();
        let at = kept.next(sender.pace(), now);
        tokio::time::sleep_until(at).await;
        kept.left.push_back(Instant::now());
        board.set(&job.place, SendState::Sending, "", None);
        let account = sender.account();
        if let Some(account) = &account {
            echoes.expect(&job.place.room, account.clone(), &job.words.text);
        }
        // A defect of one sender is one message that failed.
        let attempt = AssertUnwindSafe(sender.send(&job.words)).catch_unwind();
        let outcome = timeout(SEND_TIMEOUT, attempt).await.map(|it| {
            it.unwrap_or_else(|_| Err(SendError::Failed("the sender failed inside".to_owned())))
        });
        if let (Ok(Err(SendError::Blocked(_) | SendError::Later(_))), Some(account)) =
            (&outcome, &account)
        {
            echoes.forget(&job.place.room, account, &job.words.text);
        }
        match outcome {
            Ok(Err(SendError::Later(wait))) => {
                let wait = wait.clamp(Duration::from_millis(100), LONGEST_WAIT);
                let detail = format!("the platform asks to wait {} s", wait.as_secs().max(1));
                board.set(&job.place, SendState::Queued, &detail, None);
                sleep(wait).await;
            }
            Ok(outcome) => return outcome,
            Err(_) => {
                return Err(SendError::Failed("no answer: it may have been said".to_owned()));
            }
        }
    }
    Err(SendError::Failed("the platform asked to wait again and again".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lane_keeps_the_platforms_pace() {
        let pace =
            Pace { messages: 3, within: Duration::from_secs(30), apart: Duration::from_secs(1) };
        let mut kept = Kept::default();
        let start = Instant::now();
        let mut at = Vec::new();
        let mut now = start;
        for _ in 0..5 {
            now = kept.next(pace, now);
            kept.left.push_back(now);
            at.push((now - start).as_secs());
        }
        assert_eq!(at, [0, 1, 2, 30, 31]);
    }
}
