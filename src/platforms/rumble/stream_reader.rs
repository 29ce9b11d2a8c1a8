//! `SSE_BEST_EFFORT`: the chat's stream, asked for as the site's own page does.

use std::{collections::HashMap, time::Duration};

use reqwest::RequestBuilder;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Happening, Record,
    compare::Comparing,
    page_reader::Looking,
    record::Init,
    resolve::{By, Found},
    stream::{End, Heard, Stream},
    worker::{LONGEST_WAIT, Next, Reader, api_next},
};
use crate::{
    model::{PlatformState, Timestamp},
    platforms::WorkerError,
};

/// Longest wait for the first record of a connection.
const FIRST_RECORD: Duration = Duration::from_secs(8);
/// How often silence is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Age of a connection from which earlier failures are forgotten.
const STABLE: Duration = Duration::from_secs(30);
/// How far the API may be ahead of the stream (ms): both tell whole seconds.
const AHEAD_MS: i64 = 10_000;

/// Why a connection is no longer read.
enum Over {
    Ended(End),
    /// It has been silent for long; another one tells whether anything was missed.
    Silent,
    /// The chat goes on elsewhere.
    Behind(String),
}

type Emotes = AbortOnDropHandle<Option<HashMap<String, String>>>;

/// What is known from one connection to the next.
struct Run {
    emotes: Option<Emotes>,
    /// Since when there is nothing but 204.
    not_ready: Option<Instant>,
    /// The last connection fell silent.
    after_silence: bool,
    looking: Looking,
    looked_at: Instant,
}

impl Reader<'_> {
    /// Reads the stream until it does not work, or the chat has to be looked for anew.
    pub(super) async fn read_stream(&mut self, found: &Found) -> Next {
        match self.read_connections(found).await {
            Ok(next) | Err(next) => next,
        }
    }

    async fn read_connections(&mut self, found: &Found) -> Result<Next, Next> {
        let mut run = Run {
            emotes: Some(self.fetch_emotes(found)),
            not_ready: None,
            after_silence: false,
            looking: None,
            looked_at: Instant::now(),
        };
        if self.chat.as_deref() != Some(&found.chat_id) {
            self.last_event_id = None;
        }
        loop {
            let request = self.stream_request(found).await;
            let mut stream = Stream::open(&self.shared.shared.life, request);
            let over = self.read_connection(found, &mut stream, &mut run).await?;
            drop(stream);
            run.after_silence = matches!(over, Over::Silent);
            if !run.after_silence {
                self.reading = false;
            }
            match over {
                Over::Silent => {}
                Over::Behind(words) => {
                    self.say(PlatformState::Degraded, &words);
                    if self.ladder.lost() {
                        return Ok(Next::Down { why: words, refused: true });
                    }
                }
                Over::Ended(End::NotReady) => {
                    self.ladder.works();
                    let since = *run.not_ready.get_or_insert_with(Instant::now);
                    let look_again = u64::from(self.config.look_again_seconds);
                    if since.elapsed() >= Duration::from_secs(look_again) {
                        return self.not_ready_for_long(found).await;
                    }
                    self.say(PlatformState::Connecting, "the chat is not ready (204)");
                    let wait = u64::from(self.config.not_ready_ms);
                    self.pause(Duration::from_millis(wait)).await?;
                }
                Over::Ended(End::NoSuchChat) => {
                    let chat_id = &found.chat_id;
                    let words =
                        format!("the chat's stream answers 400: Rumble knows no chat {chat_id}");
                    if found.by == By::Hand {
                        let words = format!("{words}; chat_id is wrong");
                        return Err(Next::Fail(WorkerError::permanent(words)));
                    }
                    self.resolver.place.forget();
                    self.say(PlatformState::Degraded, &words);
                    if self.ladder.refused() {
                        return Ok(Next::Down { why: words, refused: true });
                    }
                    self.pause(self.retry_time(self.ladder.failures())).await?;
                    return Ok(Next::Again);
                }
                Over::Ended(End::Refused { words, outage, wait }) => {
                    self.say(PlatformState::Degraded, &words);
                    let asked = wait.unwrap_or_default().min(LONGEST_WAIT);
                    if self.ladder.refused() {
                        if outage {
                            self.pause(asked).await?;
                        }
                        return Ok(Next::Down { why: words, refused: !outage });
                    }
                    let pause = self.retry_time(self.ladder.failures()).max(asked);
                    self.pause(pause).await?;
                }
                Over::Ended(end @ (End::Finished | End::Lost(_))) => {
                    let words = match &end {
                        End::Lost(words) => words.clone(),
                        _ => "the chat's stream ended".to_owned(),
                    };
                    self.say(PlatformState::Degraded, &words);
                    if self.ladder.lost() {
                        return Ok(Next::Down { why: words, refused: false });
                    }
                    self.pause(self.retry_time(self.ladder.failures())).await?;
                    // An end in order is mostly that of the stream: the site knows.
                    if end == End::Finished {
                        return Ok(Next::Again);
                    }
                }
            }
        }
    }

    /// Nothing but 204 for long: evidence that the chat is another one, or none.
    async fn not_ready_for_long(&mut self, found: &Found) -> Result<Next, Next> {
        match found.by {
            By::Site | By::Api => {}
            // Nobody else can be asked.
            By::Hand => self.wait_offline("the chat given by hand answers 204: not live").await?,
            By::Memory => self.resolver.place.forget(),
        }
        Ok(Next::Again)
    }

    /// Reads one connection to its end.
    async fn read_connection(
        &mut self,
        found: &Found,
        stream: &mut Stream,
        run: &mut Run,
    ) -> Result<Over, Next> {
        let (opened_at, mut heard_at) = (Instant::now(), Instant::now());
        let (mut begun, mut compared) = (false, false);
        let mut comparing: Option<Comparing> = None;
        let mut still_silent = run.after_silence;
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Err(Next::Stop),
                heard = stream.next() => match heard {
                    Heard::Open => {}
                    Heard::Ended(end) => return Ok(Over::Ended(end)),
                    Heard::Record { json, id, at } => {
                        if !id.is_empty() && id.bytes().all(|it| it.is_ascii_graphic()) {
                            self.last_event_id = Some(id);
                        }
                        (heard_at, compared) = (Instant::now(), false);
                        let Some(record) = Record::parse(&json) else {
                            self.accept(Happening::Unreadable("record"), at);
                            continue;
                        };
                        if let Record::Init(init) = &record {
                            if init.chat_id.as_ref().is_some_and(|it| *it != found.chat_id) {
                                self.resolver.place.forget();
                                let why = "the chat's stream is that of another chat".to_owned();
                                self.say(PlatformState::Degraded, &why);
                                if self.ladder.refused() {
                                    return Err(Next::Down { why, refused: true });
                                }
                                self.pause(self.retry_time(self.ladder.failures())).await?;
                                return Err(Next::Again);
                            }
                            if run.after_silence && self.missed(init) {
                                tracing::warn!("the chat's stream had fallen silent while the chat went on");
                                if self.ladder.lost() {
                                    let why = "the chat's stream falls silent again and again".to_owned();
                                    return Err(Next::Down { why, refused: true });
                                }
                            }
                        } else {
                            still_silent = false;
                            if !record.lines().is_empty() {
                                self.ladder.works();
                            }
                        }
                        run.not_ready = None;
                        if !begun {
                            begun = true;
                            self.begin(&found.chat_id, found.title.as_deref());
                            // What was found is true.
                            if found.by != By::Hand {
                                self.resolver.place.remember(found);
                            }
                        }
                        self.take(record, at).await?;
                        self.say_live();
                    }
                },
                heard = api_next(&mut self.api) => self.hear_api(heard),
                _ = look.tick() => {
                    self.take_emotes(&mut run.emotes);
                    if !begun {
                        if opened_at.elapsed() >= FIRST_RECORD {
                            let words = "the chat's stream brings nothing".to_owned();
                            return Ok(Over::Ended(End::Lost(words)));
                        }
                        continue;
                    }
                    if still_silent {
                        // The stream of a chat that is over may be silent for ever: the site knows.
                        let Run { looking, looked_at, .. } = run;
                        self.look_at_channel(looking, looked_at, Some(found)).await?;
                    }
                    self.say_live();
                    self.count_viewers(found.embed.as_deref());
                    if opened_at.elapsed() >= STABLE && !run.after_silence {
                        self.ladder.works();
                    }
                    let silence = heard_at.elapsed();
                    if !compared && silence >= Duration::from_secs(u64::from(self.config.compare_seconds)) {
                        compared = true;
                        if self.is_behind() {
                            let words = "the chat's stream is silent while the Live Stream API tells of messages";
                            return Ok(Over::Behind(words.to_owned()));
                        }
                        comparing = self.compare(found);
                    }
                    if let Some(ids) = comparing.take_if(|it| it.is_finished())
                        && let Some(Ok(ids)) = futures_util::FutureExt::now_or_never(ids)
                        && ids.iter().any(|it| !self.recent.contains(it))
                    {
                        let words = "the chat's stream is silent while the page shows messages";
                        return Ok(Over::Behind(words.to_owned()));
                    }
                    if silence >= Duration::from_secs(u64::from(self.config.reopen_seconds)) {
                        return Ok(Over::Silent);
                    }
                }
            }
        }
    }

    fn take_emotes(&mut self, emotes: &mut Option<Emotes>) {
        if let Some(fetched) = emotes.take_if(|it| it.is_finished())
            && let Some(Ok(Some(fetched))) = futures_util::FutureExt::now_or_never(fetched)
        {
            self.accept(Happening::Emotes(fetched), Timestamp::now());
        }
    }

    /// Whether what was said lately holds anything that the last connection did not bring.
    fn missed(&self, init: &Init) -> bool {
        let mut ids = init.batch.lines.iter().filter_map(|it| it.id.as_deref());
        !self.recent.is_empty() && ids.any(|it| !self.recent.contains(it))
    }

    /// Whether the API knows of messages that the stream did not bring.
    fn is_behind(&self) -> bool {
        match (self.api_newest, self.newest) {
            (Some(told), Some(heard)) => told.ms_since(heard) > AHEAD_MS,
            _ => false,
        }
    }

    /// The request of the site's own page, as the profile's browser would make it.
    pub(super) async fn stream_request(&self, found: &Found) -> RequestBuilder {
        let url = format!("{}/chat/api/chat/{}/stream", found.chat_url, found.chat_id);
        let identity = self.shared.browser.identity(&self.config).await;
        let user_agent = identity.as_ref().map_or(&self.config.user_agent, |it| &it.user_agent);
        let mut request = self
            .streams
            .get(&url)
            .header("cache-control", "no-cache")
            .header("origin", self.config.web_url.as_str())
            .header("referer", &found.page_url)
            .header("user-agent", user_agent);
        if let Some(id) = &self.last_event_id {
            request = request.header("last-event-id", id);
        }
        if let Some(cookies) = identity.as_ref().and_then(|it| it.cookies_for(&url)) {
            // Marked so that no log shows it.
            if let Ok(mut cookies) = reqwest::header::HeaderValue::from_str(&cookies) {
                cookies.set_sensitive(true);
                request = request.header("cookie", cookies);
            }
        }
        request
    }
}
