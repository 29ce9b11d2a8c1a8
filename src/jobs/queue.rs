//! The queue: what is added, taken back, tried, and kept.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use rand::RngExt;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Again, Fault, Job, JobCard, JobError, JobKind, JobState, MOST_BYTES, NewJob, Runner, book::Book,
};
use crate::{
    accounts::Clock,
    config::{Config, Limited},
    model::{CreatorId, Timestamp},
    quotas::RateLimits,
    storage::{Kind, State},
};

/// Longest wait between two attempts (ms).
const LONGEST_WAIT_MS: i64 = 3_600_000;
/// How long the other side may put a job off (ms).
const PUT_OFF_MS: i64 = 3_600_000;
/// How long the disk is given before an attempt that must be noted first is put off (ms).
const DISK_AGAIN_MS: i64 = 5_000;
/// When a server may start again that was killed (ms).
const MUCH_LATER_MS: i64 = 86_400_000;
/// Longest sleep: the clock may be set meanwhile.
const LOOK: Duration = Duration::from_secs(30);
/// What attempts under way get to end when the server stops.
const LAST: Duration = Duration::from_millis(1_500);
/// Longest key (bytes) and longest name of who asked (characters) that are kept as they are.
const MOST_CHARS: usize = 200;

/// What the queue needs of the server.
pub struct Parts {
    /// Where jobs are kept.
    pub state: State,
    /// How many a room may add within a minute.
    pub limits: RateLimits,
    /// How patiently they are tried.
    pub config: watch::Receiver<Arc<Config>>,
    /// Who does them.
    pub runners: Vec<Arc<dyn Runner>>,
    /// What time it is.
    pub clock: Clock,
}

/// The queue. Cheap to clone.
#[derive(Clone)]
pub struct Jobs(Arc<Shared>);

struct Shared {
    parts: Parts,
    book: Mutex<Book>,
    /// The last id that was given.
    last_id: Mutex<ulid::Ulid>,
    revision: AtomicU64,
    changed: Notify,
}

impl Jobs {
    /// Goes on with what is kept. What was under way when the last server was killed waits for its turn again where
    /// that does no harm, and has failed otherwise.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let jobs = Self(Arc::new(Shared {
            parts,
            book: Mutex::default(),
            last_id: Mutex::default(),
            revision: AtomicU64::new(0),
            changed: Notify::new(),
        }));
        jobs.recall();
        jobs
    }

    fn recall(&self) {
        let now = self.now();
        let state = &self.0.parts.state;
        let mut book = self.book();
        for (id, text) in state.list(Kind::Jobs) {
            let Ok(job) = serde_json::from_str::<Job>(&text) else {
                tracing::warn!(job.id = id, "a job that cannot be read is forgotten");
                state.set(Kind::Jobs, &id, None);
                continue;
            };
            let was_running = job.state == JobState::Running;
            let job = if was_running { self.interrupted(job, now) } else { job };
            if was_running {
                self.keep(&job);
            }
            for id in book.put(job) {
                state.set(Kind::Jobs, &id, None);
            }
        }
        let newest =
            book.jobs().next_back().and_then(|it| ulid::Ulid::from_string(&it.job_id).ok());
        *self.0.last_id.lock().unwrap_or_else(PoisonError::into_inner) = newest.unwrap_or_default();
    }

    /// Adds a job. Never waits: it is on the disk in a moment, and under way when it is its turn. One whose key is
    /// known is the one that is known, however far that is.
    ///
    /// # Errors
    /// When it cannot be taken: nothing is added then.
    pub fn add(&self, new: NewJob) -> Result<Job, JobError> {
        let NewJob { kind, creator, payload, key, by } = new;
        if self.runner(kind).is_none() {
            return Err(JobError::NoRunner(kind));
        }
        let (key, by) = (key.map(bounded_key), by.chars().take(MOST_CHARS).collect::<String>());
        if serde_json::to_string(&payload).is_ok_and(|it| it.len() > MOST_BYTES) {
            return Err(JobError::TooLarge);
        }
        let now = self.now();
        let mut book = self.book();
        if let Some(known) = key.as_deref().and_then(|it| book.find_by_key(&creator, kind, it)) {
            return Ok(known.clone());
        }
        if book.is_full(&creator) {
            return Err(JobError::Full);
        }
        self.count_one(&creator, now)?;
        let job = Job {
            job_id: self.new_id(now),
            kind,
            creator,
            state: JobState::Pending,
            attempts: 0,
            payload,
            key,
            by,
            queued_at: now,
            asked_at: now,
            started_at: None,
            finished_at: None,
            next_attempt_at: Some(now),
            updated_at: now,
            error: None,
        };
        self.put(&mut book, job.clone());
        Ok(job)
    }

    /// Takes a job back. One that is under way is cut off: it may have been done.
    ///
    /// # Errors
    /// When the room has no such job, or it is over.
    pub fn cancel(&self, creator: &CreatorId, id: &str) -> Result<JobCard, JobError> {
        let now = self.now();
        let mut book = self.book();
        let mut job = find_of(&book, creator, id)?;
        let error = match job.state {
            JobState::Pending => job.error.take(),
            JobState::Running => {
                Some("it was cut off while it was under way: it may have been done".to_owned())
            }
            over => return Err(JobError::Is(over)),
        };
        book.stop(id);
        let job = Job { error, ..over(job, JobState::Cancelled, now) };
        let card = JobCard::from(&job);
        self.put(&mut book, job);
        Ok(card)
    }

    /// Asks for a job again that failed or was taken back.
    ///
    /// # Errors
    /// When the room has no such job, it is done, or not over yet; and as [`Jobs::add`].
    pub fn retry(&self, creator: &CreatorId, id: &str) -> Result<JobCard, JobError> {
        let now = self.now();
        let mut book = self.book();
        let job = find_of(&book, creator, id)?;
        if !matches!(job.state, JobState::Failed | JobState::Cancelled) {
            return Err(JobError::Is(job.state));
        }
        if self.runner(job.kind).is_none() {
            return Err(JobError::NoRunner(job.kind));
        }
        if book.is_full(creator) {
            return Err(JobError::Full);
        }
        self.count_one(creator, now)?;
        let job = Job {
            state: JobState::Pending,
            attempts: 0,
            asked_at: now,
            finished_at: None,
            next_attempt_at: Some(now),
            updated_at: now,
            ..job
        };
        let card = JobCard::from(&job);
        self.put(&mut book, job);
        Ok(card)
    }

    /// Counts one more against what a room may ask for within a minute.
    fn count_one(&self, creator: &CreatorId, now: Timestamp) -> Result<(), JobError> {
        let taken = self.0.parts.limits.take(Limited::Jobs, creator, None, now);
        taken.map_err(|wait_ms| JobError::Limited { wait_ms })
    }

    /// Forgets the jobs of a room that was taken away. One that is under way is cut off: it may have been done.
    pub fn forget_room(&self, creator: &CreatorId) {
        let forgotten = self.book().remove_room(creator);
        for id in &forgotten {
            self.0.parts.state.set(Kind::Jobs, id, None);
        }
        if !forgotten.is_empty() {
            self.0.revision.fetch_add(1, Ordering::AcqRel);
            self.0.changed.notify_one();
        }
    }

    /// The jobs of a room, or all, the newest first.
    #[must_use]
    pub fn list(&self, creator: Option<&CreatorId>) -> Vec<JobCard> {
        let book = self.book();
        let wanted = book.jobs().rev().filter(|it| creator.is_none_or(|of| *of == it.creator));
        wanted.map(JobCard::from).collect()
    }

    /// Whether somebody does work of that kind.
    #[must_use]
    pub fn is_done_here(&self, kind: JobKind) -> bool {
        self.runner(kind).is_some()
    }

    /// Another number whenever any job changed.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.0.revision.load(Ordering::Acquire)
    }

    /// Does what is due until `stop`; then what is under way gets a moment to end.
    pub async fn run(self, stop: CancellationToken) {
        let mut under_way = FuturesUnordered::new();
        loop {
            let now = self.now();
            for (job, cut) in self.begin_due(now) {
                under_way.push(self.attempt(job, cut));
            }
            let next = self.book().next_due(now);
            let pause = next.map_or(LOOK, |it| {
                Duration::from_millis(u64::try_from(it.ms_since(now)).unwrap_or(0)).min(LOOK)
            });
            tokio::select! {
                () = stop.cancelled() => break,
                Some(()) = under_way.next() => {}
                () = self.0.changed.notified() => {}
                () = sleep(pause) => {}
            }
        }
        let drained = async { while under_way.next().await.is_some() {} };
        // What is left is noted as for a kill.
        let _ = timeout(LAST, drained).await;
        drop(under_way);
        let now = self.now();
        let mut book = self.book();
        for job in book.list_running() {
            let job = self.interrupted(job, now);
            self.put(&mut book, job);
        }
    }

    /// Begins an attempt of each job whose turn it is.
    fn begin_due(&self, now: Timestamp) -> Vec<(Job, CancellationToken)> {
        let mut book = self.book();
        let due = book.list_due(now);
        let begun = due.into_iter().map(|job| {
            let job = Job {
                state: JobState::Running,
                attempts: job.attempts.saturating_add(1),
                started_at: Some(now),
                next_attempt_at: None,
                updated_at: now,
                ..job
            };
            let cut = book.begin(&job);
            self.put(&mut book, job.clone());
            (job, cut)
        });
        begun.collect()
    }

    /// Makes one attempt, and notes what came of it.
    async fn attempt(&self, job: Job, cut: CancellationToken) {
        let outcome = match self.runner(job.kind) {
            None => Err(Fault::never(job.kind.without_runner())),
            Some(runner) => {
                // What must not be done twice, however late, is noted as under way before it is.
                let noted = runner.may_repeat(&job, self.now().plus_ms(MUCH_LATER_MS))
                    || self.0.parts.state.flush().await.is_ok();
                if noted {
                    let attempt = AssertUnwindSafe(runner.run(&job)).catch_unwind();
                    match cut.run_until_cancelled(attempt).await {
                        None => Err(Fault::never("it was cut off")), // Noted by whoever did it.
                        Some(Ok(outcome)) => outcome,
                        Some(Err(_)) => {
                            tracing::error!(job.id = job.job_id, %job.kind, "a runner panicked");
                            Err(Fault::never("it failed inside: a defect of this program"))
                        }
                    }
                } else {
                    let again = Duration::from_millis(DISK_AGAIN_MS.unsigned_abs());
                    let reason = "the disk takes nothing: it is not begun".to_owned();
                    Err(Fault { reason, again: Again::After(again) })
                }
            }
        };
        let now = self.now();
        let mut book = self.book();
        book.end(&job.job_id);
        // It may have been taken back, and asked for again, meanwhile.
        let is_ours = |it: &&Job| it.state == JobState::Running && it.started_at == job.started_at;
        let Some(known) = book.find(&job.job_id).filter(is_ours).cloned() else { return };
        let settled = self.settled(known, outcome, now);
        if settled.state == JobState::Failed {
            let error = settled.error.as_deref().unwrap_or_default();
            tracing::warn!(creator.id = %settled.creator, job.id = settled.job_id, kind = %settled.kind, error, "a job failed");
        }
        self.put(&mut book, settled);
    }

    /// A job after an attempt.
    fn settled(&self, job: Job, outcome: Result<String, Fault>, now: Timestamp) -> Job {
        let Fault { reason, again } = match outcome {
            Ok(_) => {
                return Job {
                    error: None,
                    payload: Value::Null, // Nobody needs it any more, and it may hold secrets.
                    ..over(job, JobState::Completed, now)
                };
            }
            Err(fault) => fault,
        };
        let automation = self.0.parts.config.borrow().system.automation.clone();
        let wait_ms = match again {
            Again::Never => None,
            Again::Backoff if job.attempts >= automation.most_attempts => None,
            Again::Backoff => {
                let doublings = 2 * job.attempts.saturating_sub(1).min(20);
                let longest = i64::from(automation.first_retry_ms) << doublings;
                let longest = longest.min(LONGEST_WAIT_MS) as f64;
                #[allow(clippy::cast_possible_truncation)] // At most an hour.
                let wait = (longest * rand::rng().random_range(0.5..=1.0)) as i64;
                Some(wait)
            }
            Again::After(_) if now.ms_since(job.asked_at) >= PUT_OFF_MS => None,
            Again::After(it) => {
                Some(i64::try_from(it.as_millis()).unwrap_or(LONGEST_WAIT_MS).min(LONGEST_WAIT_MS))
            }
        };
        let error = Some(reason);
        match wait_ms {
            None => Job { error, ..over(job, JobState::Failed, now) },
            Some(ms) => Job {
                state: JobState::Pending,
                next_attempt_at: Some(now.plus_ms(ms)),
                updated_at: now,
                error,
                ..job
            },
        }
    }

    /// A job whose attempt was cut off with the server.
    fn interrupted(&self, job: Job, now: Timestamp) -> Job {
        let harmless = self.runner(job.kind).map(|it| it.may_repeat(&job, now));
        let why = match harmless {
            Some(true) => {
                return Job {
                    state: JobState::Pending,
                    next_attempt_at: Some(now),
                    updated_at: now,
                    error: Some("the server stopped while it was under way".to_owned()),
                    ..job
                };
            }
            Some(false) => {
                "the server stopped while it was under way: it may have been done, so it is not done again by itself"
            }
            None => job.kind.without_runner(),
        };
        Job { error: Some(why.to_owned()), ..over(job, JobState::Failed, now) }
    }

    /// Puts a job into the book and on its way to the disk.
    fn put(&self, book: &mut Book, job: Job) {
        self.keep(&job);
        for id in book.put(job) {
            self.0.parts.state.set(Kind::Jobs, &id, None);
        }
        self.0.revision.fetch_add(1, Ordering::AcqRel);
        self.0.changed.notify_one();
    }

    fn keep(&self, job: &Job) {
        let text = serde_json::to_string(job).expect("plain values always serialise");
        self.0.parts.state.set(Kind::Jobs, &job.job_id, Some(text));
    }

    fn runner(&self, kind: JobKind) -> Option<&Arc<dyn Runner>> {
        self.0.parts.runners.iter().find(|it| it.kind() == kind)
    }

    /// Behind all that were given, also within a millisecond and when the clock is set back.
    fn new_id(&self, now: Timestamp) -> String {
        let ms = u64::try_from(now.unix_ms()).unwrap_or(0);
        let mut last = self.0.last_id.lock().unwrap_or_else(PoisonError::into_inner);
        let new = ulid::Ulid::from_parts(ms, u128::from(rand::random::<u64>()));
        *last = if new > *last { new } else { last.increment().unwrap_or(new) };
        last.to_string()
    }

    fn now(&self) -> Timestamp {
        (self.0.parts.clock)()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key as it is kept: a long one by its digest, so that those that begin alike stay apart.
fn bounded_key(key: String) -> String {
    if key.len() <= MOST_CHARS {
        return key;
    }
    let digest = Sha256::digest(key.as_bytes());
    format!("sha256:{}", digest.iter().map(|it| format!("{it:02x}")).collect::<String>())
}

fn find_of(book: &Book, creator: &CreatorId, id: &str) -> Result<Job, JobError> {
    book.find(id).filter(|it| it.creator == *creator).cloned().ok_or(JobError::NotFound)
}

fn over(job: Job, state: JobState, now: Timestamp) -> Job {
    Job { state, finished_at: Some(now), next_attempt_at: None, updated_at: now, ..job }
}
