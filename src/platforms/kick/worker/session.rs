//! One connection's life: frames in, events out, and what has to be asked for meanwhile.

use std::{future::pending, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use rand::RngExt;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Connection, KickWorker,
    upkeep::{FIRST_WEBHOOK, keep_subscribed},
};
use crate::{
    model::{EventBody, Platform, PlatformState, SessionStart, Timestamp},
    platforms::{
        Ingest, Liveness, Raw, WorkerError,
        kick::{
            Arrival, Frame, Happening, Moment, Notice, Webhooking,
            channel::{self, Found},
            fold::Told,
            frame::Topics,
            official::{ApiError, Official, OfficialChannel},
            protocol::{Lost, Out, Protocol},
            site::{Livestream, Site, SiteChannel, SiteError, Stream},
            track::Way,
            webhooks::Registration,
            wire::{ChatMessage, When},
        },
    },
};

/// How often the state is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest wait for the first look at a channel whose numbers are known.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// Age of the newest word on live or not from which it is not repeated.
const STREAM_STALE: Duration = Duration::from_secs(150);
/// Most frames that wait for the gap before them to be filled.
const MOST_WAITING: usize = 512;
/// How the reading of a socket ended.
pub(super) enum Ended {
    Stopped,
    Lost((Way, Lost)),
    Failed(WorkerError),
}

/// What is asked for beside the reading: at most one question of each kind.
type Question<T> = Option<BoxFuture<'static, T>>;

/// What was learnt about live or not.
enum Look {
    Site(Box<Result<SiteChannel, SiteError>>),
    Official(Result<Option<OfficialChannel>, ApiError>),
}

/// One attempt's state.
pub(super) struct Session<'a> {
    worker: &'a KickWorker,
    site: Site,
    official: Option<Official>,
    found: Found,
    stream: Option<(Stream, Instant)>,
    look: Question<Look>,
    look_at: Instant,
    /// Kept from telling the same problem over and over.
    look_problem: Option<String>,
    history: Question<Result<Vec<serde_json::Value>, SiteError>>,
    waiting: Vec<(Frame, Moment)>,
    token: Question<Result<String, SiteError>>,
    upkeep: Question<()>,
    notes: mpsc::Receiver<Option<String>>,
    note: Option<String>,
    webhooks: Option<Registration>,
    liveness: Liveness,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        worker: &'a KickWorker,
        site: Site,
        official: Option<Official>,
        found: Found,
    ) -> Self {
        let now = Instant::now();
        let stream = found.site.as_ref().map(|it| (it.stream.clone(), now));
        // What the site has just said need not be asked again at once.
        // Where it was not asked, all channels of a server would ask at once.
        let soon = || FIRST_LOOK.mul_f64(rand::rng().random_range(0.0..=1.0));
        let look_at = now + if stream.is_some() { worker.look_pause() } else { soon() };
        let (sender, notes) = mpsc::channel(4);
        let upkeep = match (worker.plan.webhooking, &official) {
            (Webhooking::On, Some(official)) => {
                Some(keep_subscribed(official.clone(), found.slug.clone(), found.user_id, sender))
            }
            _ => None,
        };
        let note = match worker.plan.webhooking {
            Webhooking::NeedsCredentials => Some("waiting for credentials".to_owned()),
            Webhooking::NeedsAddress => Some("waiting for a public webhook address".to_owned()),
            Webhooking::On | Webhooking::Off => None,
        };
        let webhooks = match worker.plan.webhooking {
            // Kept between attempts: what is delivered meanwhile waits there.
            Webhooking::On => worker
                .track
                .take_registration()
                .or_else(|| found.user_id.map(|it| worker.kick.webhooks.register(it))),
            _ => None,
        };
        Self {
            liveness: Liveness::new(worker.plan.config.quiet_seconds),
            worker,
            site,
            official,
            found,
            stream,
            look: None,
            look_at,
            look_problem: None,
            history: None,
            waiting: Vec::new(),
            token: None,
            upkeep,
            notes,
            note,
            webhooks,
        }
    }

    pub(super) fn topics(&self) -> Option<Topics> {
        self.found.topics
    }

    pub(super) fn site(&self) -> &Site {
        &self.site
    }

    /// Tells the normalizer what is known of the channel.
    pub(super) fn tell_channel(&self, ingest: &mut Ingest) {
        let facts = Arc::new(self.found.facts());
        ingest.accept(Raw::Kick(Box::new(Happening::Channel(facts))), Timestamp::now());
    }

    /// Reads a socket until it is lost or `stop` fires.
    pub(super) async fn read_chat(
        &mut self,
        mut connection: Connection,
        ingest: &mut Ingest,
        stop: &CancellationToken,
    ) -> Ended {
        let way = connection.way;
        let ended = match self.pump(&mut connection, ingest, stop).await {
            Ok(Pumped::Stopped) => Ended::Stopped,
            Ok(Pumped::Moved) => {
                Ended::Failed(WorkerError::transient("the channel has another chat now"))
            }
            Err(lost) => {
                let later = matches!(lost, Lost::Later(_));
                if later && way == Way::Centrifugo && !connection.protocol.is_ready() {
                    self.worker.track.avoid_first_choice();
                }
                Ended::Lost((way, lost))
            }
        };
        // A gap that was not filled stays in the track: the next attempt asks again.
        self.history = None;
        self.token = None;
        self.release(ingest);
        connection.socket.close().await;
        ended
    }

    async fn pump(
        &mut self,
        connection: &mut Connection,
        ingest: &mut Ingest,
        stop: &CancellationToken,
    ) -> Result<Pumped, Lost> {
        let Connection { socket, protocol, .. } = connection;
        let later = |it: WorkerError| Lost::Later(it.to_string());
        if let Some(text) = protocol.greet() {
            socket.send(text).await.map_err(later)?;
        }
        let mut next_look = Instant::now();
        let mut ready = false;
        loop {
            let due = self.due(protocol).min(next_look);
            tokio::select! {
                () = stop.cancelled() => return Ok(Pumped::Stopped),
                frame = socket.next() => {
                    let now = moment();
                    let taken = protocol.take(&frame.map_err(later)?, now.at)?;
                    for text in taken.send {
                        socket.send(text).await.map_err(later)?;
                    }
                    if protocol.is_ready() && !ready {
                        ready = true;
                        self.liveness.hear();
                        self.ask_for_gap();
                    }
                    for frame in taken.frames {
                        self.take_frame(frame, now, ingest);
                    }
                }
                answer = answered(&mut self.history) => {
                    self.history = None;
                    self.fill_gap(answer, ingest);
                }
                look = answered(&mut self.look) => {
                    self.look = None;
                    if self.take_look(look, ingest) {
                        return Ok(Pumped::Moved);
                    }
                }
                token = answered(&mut self.token) => {
                    self.token = None;
                    if let Some(text) = protocol.renew(token.ok().as_deref(), Instant::now()) {
                        socket.send(text).await.map_err(later)?;
                    }
                }
                () = answered(&mut self.upkeep) => self.upkeep = None,
                Some(note) = self.notes.recv() => self.take_note(note),
                Some(notice) = next_notice(&mut self.webhooks) => {
                    self.take_notice(notice, moment(), ingest);
                }
                () = sleep_until(due) => {
                    let now = Instant::now();
                    match protocol.tick(now)? {
                        Some(Out::Text(text)) => socket.send(text).await.map_err(later)?,
                        Some(Out::Ping) => socket.ping().await.map_err(later)?,
                        None => {}
                    }
                    if protocol.token_due().is_some_and(|it| it <= now) && self.token.is_none() {
                        let (site, guest) = (self.site.clone(), self.worker.guest);
                        self.token = Some(Box::pin(async move { site.guest_token(guest).await }));
                    }
                    self.take_time(now, ingest);
                    if now >= next_look {
                        next_look = now + LOOK_EVERY;
                    }
                }
            }
            if ready {
                self.tell_status(ingest);
            }
            // Its room's audience may be long in catching up: a stop does not wait for that.
            if stop.run_until_cancelled(ingest.ready()).await.is_none() {
                return Ok(Pumped::Stopped);
            }
        }
    }

    /// Reads webhooks alone: the site does not tell the chat's number.
    pub(super) async fn read_webhooks(
        &mut self,
        ingest: &mut Ingest,
        stop: &CancellationToken,
    ) -> Result<(), WorkerError> {
        let problem = self.found.problem.clone().unwrap_or_default();
        if self.webhooks.is_none() {
            return Err(WorkerError::transient(format!(
                "{problem}; channel_id and chat_id in creators.json make the question needless"
            )));
        }
        self.note.get_or_insert_with(|| "asking for webhooks".to_owned());
        loop {
            let mut due = Instant::now() + LOOK_EVERY;
            due = self.worker.track.fold_due().map_or(due, |it| it.min(due));
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                look = answered(&mut self.look) => {
                    self.look = None;
                    if self.take_look(look, ingest) {
                        return Err(WorkerError::transient("the chat's number is known now"));
                    }
                }
                () = answered(&mut self.upkeep) => self.upkeep = None,
                Some(note) = self.notes.recv() => self.take_note(note),
                Some(notice) = next_notice(&mut self.webhooks) => {
                    self.take_notice(notice, moment(), ingest);
                }
                () = sleep_until(due) => self.take_time(Instant::now(), ingest),
            }
            match &self.note {
                Some(note) => {
                    ingest.status(PlatformState::Degraded, format!("{problem}; {note}"));
                }
                None => ingest.status(PlatformState::Live, "read by webhooks alone"),
            }
            if stop.run_until_cancelled(ingest.ready()).await.is_none() {
                return Ok(());
            }
        }
    }

    /// When time alone asks for something.
    fn due(&self, protocol: &Protocol) -> Instant {
        let mut due = protocol.due();
        if self.look.is_none() {
            due = due.min(self.look_at);
        }
        if self.token.is_none() {
            due = protocol.token_due().map_or(due, |it| it.min(due));
        }
        self.worker.track.fold_due().map_or(due, |it| it.min(due))
    }

    fn take_time(&mut self, now: Instant, ingest: &mut Ingest) {
        let told = self.worker.track.flush(now);
        self.tell(told, ingest);
        let memory = &self.worker.kick.shared.memory;
        self.worker.track.keep_at_times(memory, &self.worker.plan.channel, now);
        if self.look.is_none() && now >= self.look_at {
            self.look_at = now + self.worker.look_pause();
            self.look = Some(self.ask_for_look());
        }
    }

    fn tell_status(&mut self, ingest: &mut Ingest) {
        let stream = self.stream.as_ref().filter(|it| it.1.elapsed() < STREAM_STALE);
        ingest.viewers(stream.and_then(|it| it.0.viewers));
        let mut detail = self.liveness.detail(ingest);
        if detail.is_empty() {
            let offline = stream.is_some_and(|it| !it.0.live);
            let offline = offline.then_some("waiting for a livestream");
            let words: Vec<&str> = offline.into_iter().chain(self.note.as_deref()).collect();
            detail = words.join("; ");
        }
        ingest.status(PlatformState::Live, detail);
    }

    fn tell(&self, told: Vec<Told>, ingest: &mut Ingest) {
        for (happening, received_at) in told {
            ingest.accept(Raw::Kick(Box::new(happening)), received_at);
        }
    }

    fn take_frame(&mut self, frame: Frame, now: Moment, ingest: &mut Ingest) {
        if !self.found.topics.is_some_and(|it| it.has(&frame)) {
            tracing::debug!(channel = frame.channel, "a frame of another room came");
            return;
        }
        self.worker.kick.shared.telemetry.meters.count_line(Platform::Kick);
        self.liveness.hear();
        // A deletion waits for nothing.
        if self.history.is_some() && !is_deletion(&frame) {
            self.waiting.push((frame, now));
            if self.waiting.len() >= MOST_WAITING {
                self.history = None;
                self.note_problem("the gap in the chat is not filled: too much came meanwhile");
                self.release(ingest);
            }
            return;
        }
        self.fold_frame(frame, now, ingest);
    }

    fn fold_frame(&mut self, frame: Frame, now: Moment, ingest: &mut Ingest) {
        match frame.name() {
            "ChatMessageEvent" => {
                let sent_at = frame.data["created_at"].as_str().and_then(When::parse);
                self.worker.track.note_message(sent_at.map_or(now.clock, |it| it.0));
            }
            "StreamerIsLive" => {
                let stream = livestream(&frame);
                self.begin(&stream, now, ingest);
                self.learn(Stream { live: true, ..stream.stream() }, now.at);
                self.look_at = self.look_at.min(now.at + Duration::from_secs(5));
            }
            "StopStreamBroadcast" => self.learn(Stream::default(), now.at),
            "LivestreamUpdated" => self.learn(livestream(&frame).stream(), now.at),
            _ => {}
        }
        let told = self.worker.track.fold(Arrival::Frame(frame), now);
        self.tell(told, ingest);
    }

    fn take_notice(&mut self, notice: Notice, now: Moment, ingest: &mut Ingest) {
        self.worker.kick.shared.telemetry.meters.count_line(Platform::Kick);
        self.liveness.hear();
        self.worker.track.note_webhook();
        if self.note.as_deref() == Some(FIRST_WEBHOOK) {
            self.note = None;
        }
        if notice.kind == "livestream.status.updated" {
            let stream: Livestream =
                serde_json::from_value(notice.body.clone()).unwrap_or_default();
            // One that came late says nothing of now.
            let is_news = now.clock.ms_since(notice.sent_at) < 60_000;
            if is_news && notice.body["is_live"] == true {
                self.begin(&stream, now, ingest);
            }
            if is_news {
                self.learn(stream.stream(), now.at);
            }
        }
        let told = self.worker.track.fold(Arrival::Webhook(notice), now);
        self.tell(told, ingest);
    }

    fn take_note(&mut self, note: Option<String>) {
        let seen = self.worker.track.has_seen_webhooks();
        self.note = note.filter(|it| !(seen && it == FIRST_WEBHOOK));
    }

    /// A new live stream began: that begins a session of the room.
    fn begin(&self, stream: &Livestream, now: Moment, ingest: &mut Ingest) {
        let at = stream.started_at().unwrap_or(now.clock);
        if !self.worker.track.begin(at) {
            return;
        }
        let session_id = match &stream.id {
            Some(id) => format!("kick-{}", id.as_str()),
            None => format!("kick-{}", at.compact()),
        };
        let title = stream.title().map(str::to_owned);
        let start = EventBody::SessionStart(SessionStart { session_id, title });
        ingest.accept(Raw::Event(Box::new(start)), now.clock);
    }

    /// What is newly known of live or not; a number of viewers that is not told again stays.
    fn learn(&mut self, stream: Stream, at: Instant) {
        let known = self.stream.take().and_then(|it| it.0.viewers);
        let viewers = stream.viewers.or(known).filter(|_| stream.live);
        self.stream = Some((Stream { live: stream.live, viewers }, at));
    }

    fn ask_for_look(&self) -> BoxFuture<'static, Look> {
        let slug = self.found.slug.clone();
        // The site tells more: the numbers, the badges, the rules. Where it does not, the API tells enough.
        let site_helps = self.look_problem.is_none() || self.official.is_none();
        match &self.official {
            Some(official) if !site_helps => {
                let official = official.clone();
                Box::pin(async move { Look::Official(official.channel(&slug).await) })
            }
            _ => {
                let site = self.site.clone();
                Box::pin(async move { Look::Site(Box::new(site.channel(&slug).await)) })
            }
        }
    }

    /// Takes in what a look came to; `true` when the numbers are others than those that are read.
    fn take_look(&mut self, look: Look, ingest: &mut Ingest) -> bool {
        match look {
            Look::Site(answer) => match *answer {
                Ok(site) => {
                    self.look_problem = None;
                    self.learn(site.stream.clone(), Instant::now());
                    return self.take_site(site, ingest);
                }
                Err(error) => {
                    if let SiteError::Refused { retry_after: Some(pause), .. } = &error {
                        self.look_at = self.look_at.max(Instant::now() + *pause);
                    } else if self.official.is_some() && self.look_problem.is_none() {
                        self.look_at = Instant::now();
                    }
                    self.note_look_problem(error.to_string());
                }
            },
            Look::Official(Ok(found)) => {
                if let Some(user_id) = found.as_ref().map(|it| it.user_id)
                    && self.found.user_id.is_none()
                {
                    self.found.user_id = Some(user_id);
                    self.register();
                    self.tell_channel(ingest);
                }
                self.learn(found.map(|it| it.stream).unwrap_or_default(), Instant::now());
            }
            Look::Official(Err(error)) => {
                if let ApiError::Wait(pause) = &error {
                    self.look_at = self.look_at.max(Instant::now() + *pause);
                }
                // The site again, next time.
                self.look_problem = None;
                self.note_problem(&error.to_string());
            }
        }
        false
    }

    /// Takes a place for webhooks once it is known whose they are.
    fn register(&mut self) {
        if self.webhooks.is_none() && self.worker.plan.webhooking == Webhooking::On {
            self.webhooks = self.found.user_id.map(|it| self.worker.kick.webhooks.register(it));
        }
    }

    fn take_site(&mut self, site: SiteChannel, ingest: &mut Ingest) -> bool {
        let plan = &self.worker.plan;
        let by_hand = plan.chat_id.is_some_and(|it| it != site.chatroom_id)
            || plan.channel_id.is_some_and(|it| it != site.channel_id);
        if by_hand {
            self.note = Some(format!(
                "creators.json has other numbers than Kick: channel_id {} and chat_id {}",
                site.channel_id, site.chatroom_id
            ));
        }
        channel::remember(&self.worker.kick.shared.memory, &plan.channel, &site);
        let found = channel::of_site(plan, site);
        let moved = found.topics != self.found.topics;
        let before = self.found.facts();
        self.found = found;
        self.register();
        if self.found.facts() != before {
            self.tell_channel(ingest);
        }
        moved
    }

    /// After a cut, the site's history tells what was said meanwhile.
    fn ask_for_gap(&mut self) {
        if let (Some(_), Some(topics)) = (self.worker.track.gap_from(), self.found.topics) {
            let site = self.site.clone();
            self.history = Some(Box::pin(async move { site.messages(topics.channel).await }));
        }
    }

    fn fill_gap(&mut self, answer: Result<Vec<serde_json::Value>, SiteError>, ingest: &mut Ingest) {
        let now = moment();
        match (answer, self.worker.track.gap_from()) {
            (Ok(messages), Some(from)) => {
                self.worker.track.close_gap();
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
            (Err(error), _) => {
                self.note_problem(&format!("the gap in the chat is not filled: {error}"));
            }
            (Ok(_), None) => {}
        }
        self.release(ingest);
    }

    /// Goes on with what waited for the gap before it.
    fn release(&mut self, ingest: &mut Ingest) {
        for (frame, now) in std::mem::take(&mut self.waiting) {
            self.fold_frame(frame, now, ingest);
        }
    }

    fn note_look_problem(&mut self, problem: String) {
        if self.look_problem.as_ref() != Some(&problem) {
            self.note_problem(&problem);
        }
        self.look_problem = Some(problem);
    }

    fn note_problem(&self, problem: &str) {
        let channel = format!("kick:{}", self.worker.plan.channel);
        tracing::info!(problem, "something beside the chat is not to be had");
        self.worker.kick.shared.telemetry.recent.error("platforms", "kick", channel, problem);
    }
}

impl Drop for Session<'_> {
    /// What was delivered and not yet taken is not lost: Kick was told that it was.
    fn drop(&mut self) {
        if let Some(mut webhooks) = self.webhooks.take() {
            let now = moment();
            while let Some(notice) = webhooks.take() {
                self.worker.track.postpone(notice, now);
            }
            self.worker.track.put_registration(webhooks);
        }
    }
}

impl KickWorker {
    /// Time to the next look at the channel, jittered: a thousand channels do not ask at once.
    fn look_pause(&self) -> Duration {
        let seconds = f64::from(self.plan.config.channel_seconds);
        Duration::from_secs_f64(seconds * rand::rng().random_range(0.8..=1.2))
    }
}

/// What a reading of the socket came to that is no loss.
enum Pumped {
    Stopped,
    /// The channel has other numbers.
    Moved,
}

fn moment() -> Moment {
    Moment { at: Instant::now(), clock: Timestamp::now() }
}

/// Waits for an answer; for ever while nothing is asked. Safe to cancel.
async fn answered<T>(question: &mut Question<T>) -> T {
    match question {
        Some(it) => it.await,
        None => pending().await,
    }
}

async fn next_notice(webhooks: &mut Option<Registration>) -> Option<Notice> {
    match webhooks {
        Some(it) => it.next().await,
        None => pending().await,
    }
}

fn livestream(frame: &Frame) -> Livestream {
    let data = frame.data.get("livestream").unwrap_or(&frame.data);
    serde_json::from_value(data.clone()).unwrap_or_default()
}

fn is_deletion(frame: &Frame) -> bool {
    matches!(frame.name(), "MessageDeletedEvent" | "UserBannedEvent" | "ChatroomClearEvent")
}
