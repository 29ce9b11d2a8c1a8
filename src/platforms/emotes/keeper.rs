//! Keeps every list that a room needs: one task, which owns all of them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use rand::RngExt;
use reqwest::{StatusCode, header};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use super::{
    EmoteSet, Emotes, Parts,
    events::{self, Change},
    list::List,
    set::{ByName, merged},
    source::Source,
    store::{Kept, Store},
};
use crate::{
    config::{Config, platforms::EmotesConfig},
    http::{Answer, CALL_TIMEOUT, Clients, Way, failure},
    model::Timestamp,
    platforms::WorkerError,
    telemetry::Severity,
};

/// Most lists that are asked for at the same time (count).
const MAX_FETCHES: usize = 4;
/// Largest answer that is read (bytes): 7TV's largest channels have 2,000 emotes of 2 KB.
const MAX_BYTES: usize = 16 << 20;
/// Pause after the first failure; doubles up to the time between two comparisons.
const RETRY_AFTER: Duration = Duration::from_secs(20);
/// Time from a change to the rooms' sets that have it.
const REBUILD_AFTER: Duration = Duration::from_millis(100);
/// Longest pause before the first request for a channel's list: many start together.
const FIRST_WITHIN: Duration = Duration::from_millis(500);
/// Changes of 7TV's that wait to be taken (count). When full, 7TV's socket is not read.
const CHANGES: usize = 256;

/// A list as it is kept in memory.
struct Held {
    list: Arc<List>,
    /// Asked for now.
    under_way: bool,
    due: Instant,
    failures: u32,
    /// The newest answer is not yet looked at since the start: the disk may hold one.
    from_disk: bool,
}

pub(super) struct Keeper {
    emotes: Emotes,
    parts: Parts,
    store: Store,
    config: watch::Receiver<Arc<Config>>,
    held: BTreeMap<Source, Held>,
    everybody: Arc<ByName>,
    /// Lists that changed since the rooms' sets were made; with everybody's, all sets are made anew.
    changed: BTreeSet<Source>,
    /// When the sets may be made anew: what changes meanwhile goes with it.
    rebuild_at: Option<Instant>,
}

/// What came of asking for a list.
enum Fetched {
    /// What the disk holds: better than nothing, and to be compared at once.
    Kept(List),
    New(List),
    Unchanged,
    /// The provider knows nobody of this number.
    Nobody,
    Failed(WorkerError),
}

impl Keeper {
    pub(super) fn new(
        emotes: Emotes,
        parts: Parts,
        store: Store,
        config: watch::Receiver<Arc<Config>>,
    ) -> Self {
        let everybody = Arc::default();
        let held = BTreeMap::new();
        let (changed, rebuild_at) = (BTreeSet::new(), None);
        Self { emotes, parts, store, config, held, everybody, changed, rebuild_at }
    }

    pub(super) async fn run(mut self) {
        let stop = self.parts.life.stop.clone();
        let (tell, mut changes) = mpsc::channel(CHANGES);
        let (wanted, wants) = watch::channel(events::Wanted::default());
        let listening = events::listen(self.config.clone(), wants, tell, stop.clone());
        let listening = self.parts.life.spawn(listening);
        let mut fetches: JoinSet<(Source, Fetched)> = JoinSet::new();
        loop {
            let next = self.turn(&mut fetches, &wanted);
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.emotes.0.changed.notified() => {}
                () = sleep_until(next) => {}
                Some(done) = fetches.join_next(), if !fetches.is_empty() => match done {
                    Ok((source, fetched)) => self.take(&source, fetched),
                    // A panic over one answer: whatever is under way is asked for again, later.
                    Err(_) => self.begin_again(),
                },
                () = sleep_until(self.rebuild_at.unwrap_or(next)), if self.rebuild_at.is_some() => {
                    self.rebuild();
                }
                Some(change) = changes.recv() => self.apply(change),
                changed = self.config.changed() => if changed.is_err() { break },
            }
        }
        fetches.shutdown().await;
        // Its own `stop` ended it; a panic was reported where it happened.
        let _ = listening.await;
    }

    /// Lets go of what nobody needs, asks for what is due, and answers when to look again.
    fn turn(
        &mut self,
        fetches: &mut JoinSet<(Source, Fetched)>,
        wanted: &watch::Sender<events::Wanted>,
    ) -> Instant {
        let now = Instant::now();
        let config = self.config.borrow().platforms.emotes.clone();
        let rooms = self.emotes.list_held();
        let mut needed: BTreeMap<Source, ()> = BTreeMap::new();
        if config.enabled && !rooms.is_empty() {
            needed.extend(Source::list_of_everybody().map(|it| (it, ())));
            let channels = rooms.iter().flat_map(|it| &it.1);
            needed.extend(channels.flat_map(Source::list_of).map(|it| (it, ())));
        }
        self.held.retain(|source, _| needed.contains_key(source));
        let mut new = Vec::new();
        for source in needed.into_keys() {
            self.held.entry(source.clone()).or_insert_with(|| {
                new.push(source);
                let wait = FIRST_WITHIN.mul_f64(rand::rng().random_range(0.0..1.0));
                let (list, due) = (Arc::default(), now + wait);
                Held { list, under_way: false, due, failures: 0, from_disk: true }
            });
        }
        for source in new {
            self.note_change(source);
        }
        if rooms.iter().any(|(slot, channels)| !slot.is_made_of(channels)) {
            // A room or a channel that is new here, of lists that are known.
            self.rebuild_at.get_or_insert_with(|| Instant::now() + REBUILD_AFTER);
        }
        self.tell_wanted(wanted);
        let mut next = now + Duration::from_secs(3_600);
        for (source, held) in &mut self.held {
            if held.under_way {
                continue;
            }
            if held.due <= now && fetches.len() < MAX_FETCHES {
                held.under_way = true;
                let fetch = Fetch {
                    source: source.clone(),
                    from_disk: held.from_disk,
                    store: self.store.clone(),
                    clients: Arc::clone(&self.parts.clients),
                    config: config.clone(),
                    way: Way {
                        ca_file: self.config.borrow().platforms.tls_ca_file.clone(),
                        proxy: None,
                    },
                };
                fetches.spawn(fetch.run());
            } else if held.due > now {
                next = next.min(held.due);
            }
            // One that is due and finds no place is taken when another comes back.
        }
        next
    }

    /// Which of 7TV's sets and users its socket is to tell of.
    fn tell_wanted(&self, wanted: &watch::Sender<events::Wanted>) {
        let lists = || self.held.values().map(|it| &it.list);
        let now = events::Wanted {
            sets: lists().filter_map(|it| it.set_id.clone()).collect(),
            users: lists().filter_map(|it| it.user_id.clone()).collect(),
        };
        wanted.send_if_modified(|it| {
            let changed = *it != now;
            *it = now;
            changed
        });
    }

    fn take(&mut self, source: &Source, fetched: Fetched) {
        let every = Duration::from_secs(
            u64::from(self.config.borrow().platforms.emotes.refresh_minutes) * 60,
        );
        let Some(held) = self.held.get_mut(source) else { return };
        held.under_way = false;
        let failed = held.failures;
        // Spread, so that the lists of a thousand rooms are not compared all at once.
        held.due = Instant::now() + every.mul_f64(rand::rng().random_range(0.9..1.1));
        match fetched {
            Fetched::Kept(list) => {
                (held.from_disk, held.due) = (false, Instant::now());
                held.list = Arc::new(list);
                return self.note_change(source.clone());
            }
            Fetched::New(list) => {
                held.failures = 0;
                held.list = Arc::new(list);
                self.note_change(source.clone());
            }
            Fetched::Nobody => {
                held.failures = 0;
                held.list = Arc::default();
                self.note_change(source.clone());
            }
            Fetched::Unchanged => held.failures = 0,
            Fetched::Failed(error) => {
                held.from_disk = false;
                held.failures = held.failures.saturating_add(1);
                let pause = RETRY_AFTER.saturating_mul(1 << held.failures.min(16)).min(every);
                held.due = Instant::now() + pause.mul_f64(rand::rng().random_range(0.5..1.0));
                if failed == 0 {
                    let provider = source.provider.title();
                    tracing::warn!(provider, %error, "emotes cannot be read; the last ones stay");
                    let message = format!("{provider}: {error}; the last emotes stay");
                    self.parts.telemetry.recent.event(Severity::Warning, "emotes", message);
                }
                return;
            }
        }
        if failed > 0 {
            tracing::info!(provider = source.provider.title(), "emotes can be read again");
        }
    }

    /// What 7TV told.
    fn apply(&mut self, change: Change) {
        match change {
            Change::Set { id, pulled, pushed } => {
                let mut changed = Vec::new();
                for (source, held) in &mut self.held {
                    if held.list.set_id.as_deref() != Some(id.as_str()) {
                        continue;
                    }
                    let mut list = (*held.list).clone();
                    list.emotes.retain(|it| !pulled.contains(&it.emote.id));
                    for new in &pushed {
                        list.emotes.retain(|it| it.emote.id != new.emote.id);
                        list.emotes.push(new.clone());
                    }
                    held.list = Arc::new(list);
                    changed.push(source.clone());
                }
                for source in changed {
                    self.note_change(source);
                }
            }
            Change::User { id } => {
                self.compare_soon(|it| it.user_id.as_deref() == Some(id.as_str()))
            }
            // What was said meanwhile was not heard.
            Change::Reconnected => self.compare_soon(|it| it.set_id.is_some()),
        }
    }

    fn compare_soon(&mut self, concerns: impl Fn(&List) -> bool) {
        let now = Instant::now();
        for held in self.held.values_mut().filter(|it| concerns(&it.list)) {
            held.due = now + FIRST_WITHIN.mul_f64(rand::rng().random_range(0.0..1.0));
        }
    }

    fn note_change(&mut self, source: Source) {
        self.changed.insert(source);
        self.rebuild_at.get_or_insert_with(|| Instant::now() + REBUILD_AFTER);
    }

    fn begin_again(&mut self) {
        tracing::error!("reading a list of emotes failed inside: it is asked for again");
        for held in self.held.values_mut().filter(|it| it.under_way) {
            held.under_way = false;
            held.failures = held.failures.saturating_add(1);
            held.due = Instant::now() + RETRY_AFTER;
        }
    }

    /// Gives the rooms whose lists changed their sets anew.
    fn rebuild(&mut self) {
        let changed = std::mem::take(&mut self.changed);
        self.rebuild_at = None;
        let all = changed.iter().any(|it| it.channel.is_none());
        let lists = |sources: Vec<Source>| {
            let mut sources = sources;
            sources.sort();
            sources.into_iter().filter_map(|it| self.held.get(&it)).map(|it| Arc::clone(&it.list))
        };
        if all {
            let everybody: Vec<_> = lists(Source::list_of_everybody().collect()).collect();
            self.everybody = Arc::new(merged(everybody.iter().map(|it| it.emotes.as_slice())));
        }
        // Rooms that read the same channels share what was put together for one.
        let mut made: HashMap<Vec<Source>, Arc<EmoteSet>> = HashMap::new();
        for (slot, channels) in self.emotes.list_held() {
            let sources: Vec<Source> = channels.iter().flat_map(Source::list_of).collect();
            if !all && slot.is_made_of(&channels) && !sources.iter().any(|it| changed.contains(it))
            {
                continue;
            }
            let set = made.entry(sources.clone()).or_insert_with(|| {
                let of_channels: Vec<_> = lists(sources).collect();
                let by_name = merged(of_channels.iter().map(|it| it.emotes.as_slice()));
                Arc::new(EmoteSet::new(by_name, Arc::clone(&self.everybody)))
            });
            slot.fill(Arc::clone(set), channels);
        }
    }
}

/// Asks for one list.
struct Fetch {
    source: Source,
    from_disk: bool,
    store: Store,
    clients: Arc<Clients>,
    config: EmotesConfig,
    way: Way,
}

impl Fetch {
    async fn run(self) -> (Source, Fetched) {
        let name = self.source.name();
        let kept = self.store.find(&name).await;
        if self.from_disk
            && let Some(list) = kept.as_ref().and_then(|it| self.source.read(&it.body))
        {
            return (self.source, Fetched::Kept(list));
        }
        // What cannot be read is asked for whole.
        let kept = kept.filter(|it| self.source.read(&it.body).is_some());
        let fetched = match timeout(CALL_TIMEOUT, self.ask(kept, &name)).await {
            Ok(Ok(fetched)) => fetched,
            Ok(Err(error)) => Fetched::Failed(error),
            Err(_) => Fetched::Failed(WorkerError::transient("no answer in time")),
        };
        (self.source, fetched)
    }

    async fn ask(&self, kept: Option<Kept>, name: &str) -> Result<Fetched, WorkerError> {
        let client = self.clients.client(&self.way).await?;
        let mut request = client.get(self.source.url(&self.config));
        if let Some(etag) = kept.as_ref().and_then(|it| it.etag.as_deref()) {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let response = request.send().await.map_err(|it| failure("the list", &it))?;
        let answer = Answer::read(response, MAX_BYTES).await?;
        let checked_at = Timestamp::now();
        match answer.status {
            StatusCode::OK => {
                let list = self.source.read(&answer.body).ok_or_else(|| {
                    WorkerError::transient("the answer has another shape than it used to have")
                })?;
                let new = Kept { etag: answer.etag, checked_at, body: answer.body };
                self.keep(name, &new).await;
                Ok(Fetched::New(list))
            }
            StatusCode::NOT_MODIFIED => match kept {
                Some(kept) => {
                    self.keep(name, &Kept { checked_at, ..kept }).await;
                    Ok(Fetched::Unchanged)
                }
                None => Err(WorkerError::transient("unchanged, but nothing is kept")),
            },
            StatusCode::NOT_FOUND if self.source.channel.is_some() => Ok(Fetched::Nobody),
            status => Err(WorkerError::transient(format!("the provider answers {status}"))),
        }
    }

    async fn keep(&self, name: &str, kept: &Kept) {
        if let Err(error) = self.store.keep(name, kept).await {
            tracing::warn!(%error, "a list of emotes cannot be kept");
        }
    }
}
