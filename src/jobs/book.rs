//! All jobs at one moment: which wait, which run, which are remembered. Bounded.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio_util::sync::CancellationToken;

use super::{
    AT_ONCE, AT_ONCE_OF_ROOM, Job, JobKind, JobState, MOST, MOST_OF_ROOM, REMEMBERED,
    REMEMBERED_OF_ROOM,
};
use crate::model::{CreatorId, Timestamp};

/// A moment, and a job.
type At = (Timestamp, String);

/// All jobs.
#[derive(Default)]
pub(super) struct Book {
    jobs: BTreeMap<String, Job>,
    /// Those with keys.
    by_key: HashMap<(CreatorId, JobKind, String), String>,
    /// Those that wait, by when they are due.
    waiting: BTreeSet<At>,
    /// Waiting and running ones of each room (count).
    open: HashMap<CreatorId, usize>,
    /// Those that are over, by when they were.
    over: BTreeSet<At>,
    /// The same of each room.
    over_of: HashMap<CreatorId, BTreeSet<At>>,
    /// Those under way, and what ends them.
    running: HashMap<String, (CreatorId, CancellationToken)>,
}

impl Book {
    pub(super) fn find(&self, id: &str) -> Option<&Job> {
        self.jobs.get(id)
    }

    pub(super) fn find_by_key(
        &self,
        creator: &CreatorId,
        kind: JobKind,
        key: &str,
    ) -> Option<&Job> {
        self.jobs.get(self.by_key.get(&(creator.clone(), kind, key.to_owned()))?)
    }

    /// In the order of adding.
    pub(super) fn jobs(&self) -> impl DoubleEndedIterator<Item = &Job> {
        self.jobs.values()
    }

    /// Whether there is no place for one more.
    pub(super) fn is_full(&self, creator: &CreatorId) -> bool {
        let of_room = self.open.get(creator).copied().unwrap_or(0);
        of_room >= MOST_OF_ROOM || self.open.values().sum::<usize>() >= MOST
    }

    /// Puts a job in, in the place of what was known of it. Answers those that are forgotten over it.
    pub(super) fn put(&mut self, job: Job) -> Vec<String> {
        self.take_out(&job.job_id);
        let (id, creator) = (job.job_id.clone(), job.creator.clone());
        if let Some(key) = &job.key {
            self.by_key.insert((creator.clone(), job.kind, key.clone()), id.clone());
        }
        match (job.state.is_over(), job.state, job.next_attempt_at) {
            (true, ..) => {
                let at = (job.finished_at.unwrap_or(job.updated_at), id.clone());
                self.over.insert(at.clone());
                self.over_of.entry(creator.clone()).or_default().insert(at);
            }
            (false, state, due) => {
                *self.open.entry(creator.clone()).or_default() += 1;
                if state == JobState::Pending {
                    self.waiting.insert((due.unwrap_or(job.updated_at), id.clone()));
                }
            }
        }
        self.jobs.insert(id, job);
        self.forget_oldest(&creator)
    }

    fn forget_oldest(&mut self, creator: &CreatorId) -> Vec<String> {
        let mut forgotten = Vec::new();
        loop {
            let of_room = self.over_of.get(creator).filter(|it| it.len() > REMEMBERED_OF_ROOM);
            let oldest = of_room.and_then(|it| it.first());
            let oldest =
                oldest.or_else(|| self.over.first().filter(|_| self.over.len() > REMEMBERED));
            let Some((_, id)) = oldest.cloned() else { return forgotten };
            self.take_out(&id);
            forgotten.push(id);
        }
    }

    fn take_out(&mut self, id: &str) {
        let Some(job) = self.jobs.remove(id) else { return };
        if let Some(key) = job.key {
            self.by_key.remove(&(job.creator.clone(), job.kind, key));
        }
        if job.state.is_over() {
            let at = (job.finished_at.unwrap_or(job.updated_at), job.job_id);
            self.over.remove(&at);
            if let Some(of_room) = self.over_of.get_mut(&job.creator) {
                of_room.remove(&at);
                if of_room.is_empty() {
                    self.over_of.remove(&job.creator);
                }
            }
        } else {
            self.waiting.remove(&(job.next_attempt_at.unwrap_or(job.updated_at), job.job_id));
            if let Some(open) = self.open.get_mut(&job.creator) {
                *open -= 1;
                if *open == 0 {
                    self.open.remove(&job.creator);
                }
            }
        }
    }

    /// Takes everything of a room out, and ends what is under way; answers what that was.
    pub(super) fn remove_room(&mut self, creator: &CreatorId) -> Vec<String> {
        let of_room = self.jobs.values().filter(|it| it.creator == *creator);
        let ids: Vec<_> = of_room.map(|it| it.job_id.clone()).collect();
        for id in &ids {
            self.stop(id);
            self.take_out(id);
        }
        ids
    }

    /// Those whose turn it is, as many as may be under way beside the others.
    pub(super) fn list_due(&self, now: Timestamp) -> Vec<Job> {
        let mut of_room: HashMap<&CreatorId, usize> = HashMap::new();
        for (creator, _) in self.running.values() {
            *of_room.entry(creator).or_default() += 1;
        }
        let mut free = AT_ONCE.saturating_sub(self.running.len());
        let mut due = Vec::new();
        for (_, id) in self.waiting.iter().take_while(|it| it.0 <= now) {
            if free == 0 {
                break;
            }
            // One that was retried before its last attempt has ended waits for that.
            let Some(job) = self.jobs.get(id).filter(|_| !self.running.contains_key(id)) else {
                continue;
            };
            let beside = of_room.entry(&job.creator).or_default();
            if *beside < AT_ONCE_OF_ROOM {
                *beside += 1;
                free -= 1;
                due.push(job.clone());
            }
        }
        due
    }

    /// When the next one is due that is not yet.
    pub(super) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let later = self.waiting.range((now.plus_ms(1), String::new())..);
        later.map(|it| it.0).next()
    }

    /// Notes that an attempt begins; what is answered ends it.
    pub(super) fn begin(&mut self, job: &Job) -> CancellationToken {
        let stop = CancellationToken::new();
        self.running.insert(job.job_id.clone(), (job.creator.clone(), stop.clone()));
        stop
    }

    /// Notes that an attempt has ended.
    pub(super) fn end(&mut self, id: &str) {
        self.running.remove(id);
    }

    /// Ends an attempt.
    pub(super) fn stop(&self, id: &str) {
        if let Some((_, stop)) = self.running.get(id) {
            stop.cancel();
        }
    }

    /// Those under way.
    pub(super) fn list_running(&self) -> Vec<Job> {
        let running = self.jobs.values().filter(|it| it.state == JobState::Running);
        running.cloned().collect()
    }
}
