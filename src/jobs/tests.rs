use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    config::{Config, RateLimitsConfig},
    model::{CreatorId, Timestamp},
    quotas::RateLimits,
    storage::{Kind, State},
};

/// Answers as it is told to, in order, and then well.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Result<String, Fault>>>,
    /// How many were begun.
    begun: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    /// Attempts wait for it, where they are to hang.
    gate: Option<Notify>,
    is_harmless: bool,
    changed: Notify,
}

impl Scripted {
    fn of(answers: impl IntoIterator<Item = Result<String, Fault>>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect());
        Self { answers, is_harmless: true, ..Self::default() }
    }

    fn hanging(is_harmless: bool) -> Self {
        Self { gate: Some(Notify::new()), is_harmless, ..Self::default() }
    }

    async fn began(&self, count: usize) {
        while self.begun.load(Ordering::SeqCst) < count {
            self.changed.notified().await;
        }
    }
}

struct Entered<'a>(&'a Scripted);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.at_once.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Fake(Arc<Scripted>);

impl Runner for Fake {
    fn kind(&self) -> JobKind {
        JobKind::Webhook
    }

    fn run<'a>(&'a self, _: &'a Job) -> BoxFuture<'a, Result<String, Fault>> {
        Box::pin(async move {
            let script = &*self.0;
            let now = script.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            script.most_at_once.fetch_max(now, Ordering::SeqCst);
            let _entered = Entered(script);
            script.begun.fetch_add(1, Ordering::SeqCst);
            script.changed.notify_one();
            if let Some(gate) = &script.gate {
                gate.notified().await;
            }
            let answer = script.answers.lock().unwrap().pop_front();
            answer.unwrap_or_else(|| Ok("done".to_owned()))
        })
    }

    fn may_repeat(&self, _: &Job, _: Timestamp) -> bool {
        self.0.is_harmless
    }
}

/// A queue whose clock is that of the paused runtime.
struct Stage {
    jobs: Jobs,
    script: Arc<Scripted>,
    state: State,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Stage {
    fn new(script: Scripted) -> Self {
        Self::with(script, State::in_memory(), RateLimitsConfig::default())
    }

    fn with(script: Scripted, state: State, limits: RateLimitsConfig) -> Self {
        let script = Arc::new(script);
        let (began, first) = (Instant::now(), Timestamp::parse("2026-11-20T18:00:00Z").unwrap());
        let clock = move || {
            let ms = i64::try_from(began.elapsed().as_millis()).unwrap();
            first.plus_ms(ms)
        };
        let jobs = Jobs::new(Parts {
            state: state.clone(),
            limits: RateLimits::new(limits),
            config: watch::channel(Arc::new(Config::default())).1,
            runners: vec![Arc::new(Fake(Arc::clone(&script)))],
            clock: Arc::new(clock),
        });
        Self { jobs, script, state, stop: CancellationToken::new(), task: None }
    }

    fn start(mut self) -> Self {
        self.task = Some(tokio::spawn(self.jobs.clone().run(self.stop.clone())));
        self
    }

    fn add(&self) -> Job {
        self.jobs.add(new("ana")).unwrap()
    }

    fn card(&self, id: &str) -> JobCard {
        self.jobs.list(None).into_iter().find(|it| it.job_id == id).unwrap()
    }

    /// Waits, while time flies, until the job is in a state.
    async fn becomes(&self, id: &str, state: JobState) -> JobCard {
        while self.card(id).state != state {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        self.card(id)
    }

    async fn shut_down(&mut self) {
        self.stop.cancel();
        self.task.take().unwrap().await.unwrap();
    }
}

fn new(creator: &str) -> NewJob {
    let creator: CreatorId = creator.parse().unwrap();
    NewJob::webhook(
        creator,
        "https://hooks.example.com/?key=s3cret",
        json!({"a": 1}),
        "trigger hello",
    )
}

fn ana() -> CreatorId {
    "ana".parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_job_is_done_and_then_carries_nothing_any_more() {
    let stage = Stage::new(Scripted::of([])).start();
    let job = stage.add();
    assert_eq!((job.state, job.attempts), (JobState::Pending, 0));
    let done = stage.becomes(&job.job_id, JobState::Completed).await;
    assert_eq!((done.attempts, done.error), (1, None));
    assert!(done.finished_at.is_some() && done.next_attempt_at.is_none());
    let kept = stage.state.find(Kind::Jobs, &job.job_id).unwrap();
    assert!(!kept.contains("s3cret"), "{kept}");
}

#[tokio::test(start_paused = true)]
async fn what_may_be_over_soon_is_tried_again_each_time_later_and_given_up() {
    let fault = || Err(Fault::backoff("it answers with 500"));
    let stage = Stage::new(Scripted::of((0..100).map(|_| fault()))).start();
    let job = stage.add();
    let mut waits = Vec::new();
    let mut last = 0;
    let given_up = loop {
        let card = stage.card(&job.job_id);
        if card.state == JobState::Failed {
            break card;
        }
        if card.attempts > last && card.state == JobState::Pending {
            last = card.attempts;
            waits.push(card.next_attempt_at.unwrap().ms_since(card.updated_at));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    assert_eq!(given_up.attempts, 6);
    assert_eq!(given_up.error.as_deref(), Some("it answers with 500"));
    for (at, wait) in waits.iter().enumerate() {
        let longest = 2_000 << (2 * at);
        assert!((longest / 2..=longest).contains(wait), "{waits:?}");
    }
    assert_eq!(waits.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_asked_for_is_kept_and_does_not_count_for_an_hour() {
    let pause =
        || Err(Fault { reason: "a pause".into(), again: Again::After(Duration::from_secs(90)) });
    let stage = Stage::new(Scripted::of((0..10).map(|_| pause()))).start();
    let job = stage.add();
    let done = stage.becomes(&job.job_id, JobState::Completed).await;
    assert_eq!(done.attempts, 11);
    assert!(done.finished_at.unwrap().ms_since(done.queued_at) >= 900_000);

    let stage = Stage::new(Scripted::of((0..1_000).map(|_| pause()))).start();
    let job = stage.add();
    let failed = stage.becomes(&job.job_id, JobState::Failed).await;
    let after = failed.finished_at.unwrap().ms_since(failed.queued_at);
    assert!((3_600_000..3_700_000).contains(&after), "{after}");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_for_good_is_not_tried_again_until_somebody_asks() {
    let stage = Stage::new(Scripted::of([Err(Fault::never("it answers with 404"))])).start();
    let job = stage.add();
    let failed = stage.becomes(&job.job_id, JobState::Failed).await;
    assert_eq!((failed.attempts, failed.error.as_deref()), (1, Some("it answers with 404")));
    let again = stage.jobs.retry(&ana(), &job.job_id).unwrap();
    assert_eq!((again.state, again.attempts), (JobState::Pending, 0));
    let done = stage.becomes(&job.job_id, JobState::Completed).await;
    assert_eq!((done.attempts, done.error), (1, None));
    let refused = stage.jobs.retry(&ana(), &job.job_id);
    assert_eq!(refused, Err(JobError::Is(JobState::Completed)));
}

#[tokio::test(start_paused = true)]
async fn the_same_key_is_the_same_job_in_each_room_and_kind() {
    let stage = Stage::new(Scripted::of([])).start();
    let first = stage.jobs.add(new("ana").once("message 1")).unwrap();
    assert_eq!(stage.jobs.add(new("ana").once("message 1")).unwrap().job_id, first.job_id);
    stage.becomes(&first.job_id, JobState::Completed).await;
    let same = stage.jobs.add(new("ana").once("message 1")).unwrap();
    assert_eq!((same.job_id, same.state), (first.job_id.clone(), JobState::Completed));
    assert_ne!(stage.jobs.add(new("ben").once("message 1")).unwrap().job_id, first.job_id);
    assert_ne!(stage.jobs.add(new("ana").once("message 2")).unwrap().job_id, first.job_id);
    assert_ne!(stage.add().job_id, stage.add().job_id);
}

#[tokio::test(start_paused = true)]
async fn nobody_else_finds_a_job_and_what_waits_or_runs_can_be_taken_back() {
    let stage = Stage::new(Scripted::hanging(false)).start();
    let job = stage.add();
    stage.script.began(1).await;
    let ben: CreatorId = "ben".parse().unwrap();
    assert_eq!(stage.jobs.cancel(&ben, &job.job_id), Err(JobError::NotFound));
    assert!(stage.jobs.list(Some(&ben)).is_empty());
    let cut = stage.jobs.cancel(&ana(), &job.job_id).unwrap();
    assert_eq!(cut.state, JobState::Cancelled);
    assert!(cut.error.unwrap().contains("may have been done"));
    assert_eq!(stage.jobs.cancel(&ana(), &job.job_id), Err(JobError::Is(JobState::Cancelled)));
    // And again, before its attempt has ended.
    stage.jobs.retry(&ana(), &job.job_id).unwrap();
    stage.script.began(2).await;
    stage.script.gate.as_ref().unwrap().notify_one();
    stage.becomes(&job.job_id, JobState::Completed).await;

    let waits = Stage::new(Scripted::of([]));
    let job = waits.add();
    assert_eq!(waits.jobs.cancel(&ana(), &job.job_id).unwrap().state, JobState::Cancelled);
    let waits = waits.start();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert_eq!(waits.script.begun.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_room_whose_jobs_hang_leaves_room_for_the_others() {
    let stage = Stage::new(Scripted::hanging(true)).start();
    for _ in 0..30 {
        stage.add();
    }
    stage.script.began(AT_ONCE_OF_ROOM).await;
    let ben = stage.jobs.add(new("ben")).unwrap();
    stage.script.began(AT_ONCE_OF_ROOM + 1).await;
    assert_eq!(stage.card(&ben.job_id).state, JobState::Running);
    for creator in ["c", "d", "e", "f", "g"] {
        (0..10).for_each(|_| drop(stage.jobs.add(new(creator)).unwrap()));
    }
    stage.script.began(AT_ONCE).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(stage.script.most_at_once.load(Ordering::SeqCst), AT_ONCE);
    assert_eq!(stage.script.begun.load(Ordering::SeqCst), AT_ONCE);
}

#[tokio::test(start_paused = true)]
async fn too_many_jobs_are_refused_in_words_and_old_ones_are_forgotten() {
    let limits: RateLimitsConfig =
        serde_json::from_str(r#"{"global": {"jobs_per_minute": 1000000}}"#).unwrap();
    let stage = Stage::with(Scripted::of([]), State::in_memory(), limits);
    for _ in 0..MOST_OF_ROOM {
        stage.add();
    }
    assert_eq!(stage.jobs.add(new("ana")).unwrap_err(), JobError::Full);
    assert!(stage.jobs.add(new("ben")).is_ok());
    let large = NewJob { payload: json!("x".repeat(MOST_BYTES)), ..new("ben") };
    assert_eq!(stage.jobs.add(large).unwrap_err(), JobError::TooLarge);
    let clip = NewJob { kind: JobKind::Clip, ..new("ben") };
    let refused = stage.jobs.add(clip).unwrap_err();
    assert_eq!(refused.to_string(), "clips are not made by this server");

    let newest = stage.jobs.list(Some(&ana()))[0].job_id.clone();
    let stage = stage.start();
    stage.becomes(&newest, JobState::Completed).await;
    let left = stage.jobs.list(Some(&ana()));
    assert_eq!(left.len(), REMEMBERED_OF_ROOM);
    assert_eq!(left[0].job_id, newest);
    let kept = stage.state.list(Kind::Jobs);
    assert_eq!(kept.len(), REMEMBERED_OF_ROOM + 1, "the forgotten are gone from the disk too");
}

#[tokio::test(start_paused = true)]
async fn a_room_adds_no_more_within_a_minute_than_it_may() {
    let limits: RateLimitsConfig =
        serde_json::from_str(r#"{"creators": {"ana": {"jobs_per_minute": 2}}}"#).unwrap();
    let stage = Stage::with(Scripted::of([]), State::in_memory(), limits);
    stage.add();
    stage.add();
    let JobError::Limited { wait_ms } = stage.jobs.add(new("ana")).unwrap_err() else { panic!() };
    assert!(wait_ms <= 61_000, "{wait_ms}");
    assert!(stage.jobs.add(new("ben")).is_ok());
    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    let job = stage.add();
    stage.add();
    // Asking again is asking.
    stage.jobs.cancel(&ana(), &job.job_id).unwrap();
    let refused = stage.jobs.retry(&ana(), &job.job_id).unwrap_err();
    assert!(matches!(refused, JobError::Limited { .. }), "{refused}");
    assert_eq!(stage.card(&job.job_id).state, JobState::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn keys_that_begin_alike_are_two_however_long_they_are() {
    let stage = Stage::new(Scripted::of([]));
    let add =
        |place| stage.jobs.add(new("ana").once(format!("{}/{place}", "x".repeat(300)))).unwrap();
    let first = add(0).job_id;
    assert_ne!(add(1).job_id, first);
    assert_eq!(add(0).job_id, first);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_is_taken_away_takes_its_jobs_along() {
    let stage = Stage::new(Scripted::hanging(true)).start();
    let running = stage.add();
    stage.becomes(&running.job_id, JobState::Running).await;
    let others = stage.jobs.add(new("ben")).unwrap();
    for _ in 0..5 {
        stage.add();
    }
    stage.jobs.forget_room(&"Ana".parse().unwrap());
    let left: Vec<_> = stage.jobs.list(None).into_iter().map(|it| it.job_id).collect();
    assert_eq!(left, [others.job_id.as_str()]);
    stage.becomes(&others.job_id, JobState::Running).await;
    let kept: Vec<_> = stage.state.list(Kind::Jobs).into_iter().map(|it| it.0).collect();
    assert_eq!(kept, left);
}

#[tokio::test(start_paused = true)]
async fn what_was_under_way_when_the_server_was_killed_is_done_again_only_where_that_is_harmless() {
    for (is_harmless, becomes) in [(true, JobState::Completed), (false, JobState::Failed)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.redb");
        let stage = Stage::with(
            Scripted::hanging(is_harmless),
            State::open(&path).unwrap(),
            RateLimitsConfig::default(),
        )
        .start();
        let job = stage.add();
        stage.script.began(1).await;
        if is_harmless {
            stage.state.flush().await.unwrap();
        }
        // Killed: nobody gets to say anything. What must not be done twice was noted before it began.
        stage.task.as_ref().unwrap().abort();
        let Stage { jobs, state, script, task, .. } = stage;
        assert!(task.unwrap().await.unwrap_err().is_cancelled());
        drop((jobs, state, script));

        let state = State::open(&path).unwrap();
        let stage = Stage::with(
            Scripted { is_harmless, ..Scripted::of([]) },
            state,
            RateLimitsConfig::default(),
        )
        .start();
        let card = stage.becomes(&job.job_id, becomes).await;
        assert_eq!(stage.script.begun.load(Ordering::SeqCst), usize::from(is_harmless));
        if !is_harmless {
            assert!(card.error.unwrap().contains("may have been done"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_gives_those_under_way_a_moment_and_notes_the_others() {
    let mut stage = Stage::new(Scripted::hanging(true)).start();
    let (ends, hangs) = (stage.add(), stage.add());
    stage.script.began(2).await;
    stage.script.gate.as_ref().unwrap().notify_one();
    stage.shut_down().await;
    let mut states = [stage.card(&ends.job_id).state, stage.card(&hangs.job_id).state];
    states.sort_unstable();
    assert_eq!(states, [JobState::Pending, JobState::Completed]);

    let mut stage = Stage::new(Scripted::hanging(false)).start();
    let job = stage.add();
    stage.script.began(1).await;
    stage.shut_down().await;
    assert_eq!(stage.card(&job.job_id).state, JobState::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_panics_costs_its_job_and_nothing_else() {
    struct Panics;
    impl Runner for Panics {
        fn kind(&self) -> JobKind {
            JobKind::Webhook
        }
        fn run<'a>(&'a self, _: &'a Job) -> BoxFuture<'a, Result<String, Fault>> {
            Box::pin(async { panic!("on purpose") })
        }
        fn may_repeat(&self, _: &Job, _: Timestamp) -> bool {
            true
        }
    }
    let jobs = Jobs::new(Parts {
        state: State::in_memory(),
        limits: RateLimits::new(RateLimitsConfig::default()),
        config: watch::channel(Arc::new(Config::default())).1,
        runners: vec![Arc::new(Panics)],
        clock: Arc::new(Timestamp::now),
    });
    let stop = CancellationToken::new();
    let task = tokio::spawn(jobs.clone().run(stop.clone()));
    let job = jobs.add(new("ana")).unwrap();
    let state = || jobs.list(None).into_iter().find(|it| it.job_id == job.job_id).unwrap();
    while !state().state.is_over() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(state().state, JobState::Failed);
    stop.cancel();
    task.await.unwrap();
}

#[test]
fn no_text_of_a_job_shows_what_it_carries() {
    let stage = tokio::runtime::Builder::new_current_thread().start_paused(true).build().unwrap();
    stage.block_on(async {
        let stage = Stage::new(Scripted::of([]));
        let job = stage.add();
        let shown = serde_json::to_string(&stage.jobs.list(None)).unwrap();
        for text in [format!("{job:?}"), format!("{:?}", new("ana")), shown] {
            assert!(!text.contains("s3cret") && !text.contains("hooks.example"), "{text}");
        }
    });
}
