//! One connection's life: frames in, events out, and what has to be asked for meanwhile.

mod gap;
mod look;

use std::{future::pending, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
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
            channel::Found,
            fold::Told,
            frame::Topics,
            official::Official,
            protocol::{Lost, Out, Protocol},
            site::{Livestream, Site, SiteError, Stream},
            track::Way,
            webhooks::Registration,
            wire::When,
        },
    },
};

use self::{gap::Gap, look::Looks};

/// How often the state is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Age of the newest word on live or not from which it is not repeated.
const STREAM_STALE: Duration = Duration::from_secs(150);

/// How the reading of a socket ended.
pub(super) enum Ended {
    Stopped,
    Lost((Way, Lost)),
    Failed(WorkerError),
}

/// What is asked for beside the reading: at most one question of each kind.
type Question<T> = Option<BoxFuture<'static, T>>;

/// One attempt's state.
pub(super) struct Session<'a> {
    worker: &'a KickWorker,
    site: Site,
    official: Option<Official>,
    found: Found,
    stream: Option<(Stream, Instant)>,
    looks: Looks,
    gap: Gap,
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
        let (sender, notes) = mpsc::channel(4);
        let upkeep = match (worker.plan.webhooking, &official) {
            (Webhooking::On, Some(official)) => {
                let webhooks = Arc::clone(&worker.kick.webhooks);
                let (official, slug) = (official.clone(), found.slug.clone());
                Some(keep_subscribed(official, webhooks, slug, found.user_id, sender))
            }
            _ => None,
        };
        let note = match worker.plan.webhooking {
            Webhooking::NeedsCredentials => Some("waiting for credentials".to_owned()),
            Webhooking::NeedsAddress => Some("waiting for a public webhook address".to_owned()),
            Webhooking::On | Webhooking::Off => None,
        };
        // Kept between attempts: what is delivered meanwhile waits there.
        let webhooks = worker.track.take_registration();
        let looks = Looks::begin(worker, stream.is_some());
        let mut session = Self {
            liveness: Liveness::new(worker.plan.config.quiet_seconds),
            worker,
            site,
            official,
            found,
            stream,
            looks,
            gap: Gap::default(),
            token: None,
            upkeep,
            notes,
            note,
            webhooks,
        };
        session.register();
        session
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
        self.token = None;
        self.leave_gap(ingest);
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
                answer = answered(&mut self.gap.asked) => {
                    self.gap.asked = None;
                    self.fill_gap(answer, ingest);
                }
                look = answered(&mut self.looks.asked) => {
                    self.looks.asked = None;
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
                look = answered(&mut self.looks.asked) => {
                    self.looks.asked = None;
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
        let token = protocol.token_due().filter(|_| self.token.is_none());
        let others = [self.looks.due(), self.gap.due(), token, self.worker.track.fold_due()];
        others.into_iter().flatten().fold(protocol.due(), Instant::min)
    }

    fn take_time(&mut self, now: Instant, ingest: &mut Ingest) {
        let told = self.worker.track.flush(now);
        self.tell(told, ingest);
        let memory = &self.worker.kick.shared.memory;
        self.worker.track.keep_at_times(memory, &self.worker.plan.channel, now);
        self.ask_for_gap_again(now);
        self.look_in_time(now);
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
        if let Some(frame) = self.hold_back(frame, now, ingest) {
            self.fold_frame(frame, now, ingest);
        }
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
                self.looks.hurry(now.at + Duration::from_secs(5));
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

    /// Takes a place for webhooks once it is known whose they are.
    fn register(&mut self) {
        let plan = &self.worker.plan;
        if self.webhooks.is_none()
            && plan.webhooking == Webhooking::On
            && let (Some(user_id), Some(application)) = (self.found.user_id, &plan.application)
        {
            let webhooks = &self.worker.kick.webhooks;
            self.webhooks = Some(webhooks.register(user_id, &application.client_id));
        }
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
