//! `PAGE_TAP` and `DOM_MUTATION`: the chat's page in the browser. The first listens to the stream of the page
//! itself, the second reads what the page shows.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Mode, Record,
    browser::{BrowserError, words},
    observer::{LISTS, PARTS},
    page::{Live, Page},
    page_events::Shown,
    popup_url,
    resolve::{Found, Look, is_challenge},
    stream::{Heard, Stream},
    tab::Tab,
    tab_key,
    worker::{Next, Reader, api_next},
};
use crate::model::PlatformState;

/// How often the page is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Time the page's stream may be behind what the page shows.
const TAP_BEHIND: Duration = Duration::from_secs(5);
/// Time rows may be there that cannot be read: a page builds them piece by piece.
const UNREADABLE: Duration = Duration::from_secs(5);
/// Pause behind a browser that died.
pub(super) const REVIVE_AFTER: Duration = Duration::from_millis(250);
/// How often the time until a quiet page is loaded anew doubles (count).
const MAX_DOUBLINGS: u32 = 3;

/// Looks at the channel now and then, in a task of its own.
pub(super) type Looking = Option<AbortOnDropHandle<Look>>;

async fn probe_next(probe: &mut Option<Stream>) -> Heard {
    match probe {
        Some(it) => it.next().await,
        None => std::future::pending().await,
    }
}

impl Reader<'_> {
    /// Reads the page until it does not work, the chat has to be looked for anew, or a better mode works.
    pub(super) async fn read_page(&mut self) -> Next {
        match self.read_page_once().await {
            Ok(next) | Err(next) => next,
        }
    }

    async fn read_page_once(&mut self) -> Result<Next, Next> {
        let resolver = Arc::clone(&self.resolver);
        let look = self.stop.run_until_cancelled(resolver.look()).await.ok_or(Next::Stop)?;
        let mut found = match look {
            Look::Live(found) => {
                self.absence.end();
                Some(found)
            }
            Look::NotLive => {
                self.wait_offline("not live").await?;
                return Ok(Next::Again);
            }
            Look::NoSuchChannel => {
                self.wait_absent().await?;
                return Ok(Next::Again);
            }
            // That is what the browser is for.
            Look::Blocked(_) | Look::Failed(_) | Look::Busy { .. } => self.found_by_api(),
        };
        let key = tab_key(&self.ingest.source().creator, self.plan);
        let tab = match self.shared.browser.tab(&self.config, &key).await {
            Ok(it) => it,
            Err(error) => return self.no_browser(error).await,
        };
        let mut events = tab.events();
        let whole = self.resolver.place.page_urls().swap_remove(0);
        // A page with nothing but the chat is the lighter one.
        let urls = match &found {
            Some(it) => [popup_url(&self.config, &it.chat_id), it.page_url.clone()],
            None => [whole.clone(), whole],
        };
        self.say(PlatformState::Connecting, "loading the page");
        tab.go(&urls[0]);
        let mut shown = Shown::new(urls);
        let mut probe: Option<Stream> = None;
        let mut looking: Looking = None;
        let mut looked_at = Instant::now();
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Err(Next::Stop),
                () = tab.gone() => {
                    self.reading = false;
                    self.say(PlatformState::Degraded, "the browser is gone: it is started again");
                    if self.ladder.lost() {
                        let why = "the browser dies again and again".to_owned();
                        return Ok(Next::Down { why, refused: true });
                    }
                    self.pause(REVIVE_AFTER).await?;
                    return Ok(Next::Again);
                }
                event = events.recv() => match event {
                    Ok(event) => self.take_event(event, &mut shown, &mut found).await?,
                    // What was lost is in the history that the page brings when it is loaded anew.
                    Err(RecvError::Lagged(lost)) => {
                        tracing::warn!(lost, "the page tells more than can be taken: it is loaded anew");
                        self.load_anew(&tab, &mut shown, None).await?;
                    }
                    Err(RecvError::Closed) => return Ok(Next::Again),
                },
                heard = api_next(&mut self.api) => self.hear_api(heard),
                heard = probe_next(&mut probe) => match heard {
                    Heard::Open => {}
                    Heard::Record { json, .. } => {
                        if matches!(Record::parse(&json), Some(Record::Init(_))) {
                            return Ok(Next::Up(Mode::SseBestEffort));
                        }
                    }
                    Heard::Ended(end) => {
                        tracing::debug!(?end, "the chat's stream does not work yet");
                        probe = None;
                        self.ladder.put_off();
                    }
                },
                _ = look.tick() => {
                    self.look_at_page(&tab, &mut shown, found.as_ref()).await?;
                    if self.ladder.is_time() && probe.is_none() && let Some(found) = &found {
                        // Put off until this try has come to its end.
                        self.ladder.put_off();
                        let request = self.stream_request(found).await;
                        probe = Some(Stream::open(&self.shared.shared.life, request));
                    }
                    self.look_at_channel(&mut looking, &mut looked_at, found.as_ref()).await?;
                }
            }
        }
    }

    async fn no_browser(&mut self, error: BrowserError) -> Result<Next, Next> {
        let why = error.to_string();
        if error == BrowserError::Missing {
            return Ok(Next::Down { why, refused: true });
        }
        self.say(PlatformState::Degraded, &why);
        if self.ladder.lost() {
            return Ok(Next::Down { why, refused: true });
        }
        self.pause(self.retry_time(self.ladder.failures())).await?;
        Ok(Next::Again)
    }

    /// Whether the page does what it is there for.
    async fn look_at_page(
        &mut self,
        tab: &Tab,
        shown: &mut Shown,
        found: Option<&Found>,
    ) -> Result<(), Next> {
        let patience = Duration::from_secs(u64::from(self.config.page_seconds));
        let late = shown.loaded_at.elapsed() >= patience;
        match self.ladder.mode() {
            Mode::PageTap => match shown.tapped_at {
                None if shown.status == Some(204) && late => {
                    self.wait_offline("the chat is not ready (204)").await?;
                    return Err(Next::Again);
                }
                None if late => {
                    let why = match (shown.asked, shown.status) {
                        (false, _) => "the page does not ask for its chat".to_owned(),
                        (true, Some(200)) => "the page's stream brings nothing".to_owned(),
                        (true, Some(status)) => format!("the page's stream answers {status}"),
                        (true, None) => "the page's stream is not answered".to_owned(),
                    };
                    self.load_anew(tab, shown, Some(why)).await?;
                }
                None => {}
                Some(tapped_at) => {
                    // Rows that came behind everything the stream brought, and not just now.
                    let behind = shown.rows_at.is_some_and(|it| {
                        it.saturating_duration_since(tapped_at) >= Duration::from_secs(1)
                            && it.elapsed() >= TAP_BEHIND
                    });
                    if behind {
                        let why = "the page shows what its stream does not bring".to_owned();
                        return Err(Next::Down { why, refused: true });
                    }
                    self.say_live();
                    self.count_viewers(found.and_then(|it| it.embed.as_deref()));
                    self.refresh_when_quiet(tab, shown, self.config.compare_seconds).await?;
                }
            },
            _ => {
                let unreadable =
                    shown.unreadable_since.is_some_and(|it| it.elapsed() >= UNREADABLE);
                if unreadable {
                    let why = format!("the rows of the page's chat have none of `{PARTS}`");
                    self.load_anew(tab, shown, Some(why)).await?;
                } else if !shown.listed && late {
                    let why = format!("the page has none of `{LISTS}`");
                    self.load_anew(tab, shown, Some(why)).await?;
                } else if shown.listed && shown.unreadable_since.is_none() {
                    self.say_live();
                    self.count_viewers(found.and_then(|it| it.embed.as_deref()));
                    let seconds = self.config.reopen_seconds.saturating_mul(2);
                    self.refresh_when_quiet(tab, shown, seconds).await?;
                }
            }
        }
        Ok(())
    }

    /// Loads a page that has been quiet anew: nobody can see from outside whether it still listens.
    async fn refresh_when_quiet(
        &mut self,
        tab: &Tab,
        shown: &mut Shown,
        seconds: u32,
    ) -> Result<(), Next> {
        let time = Duration::from_secs(u64::from(seconds));
        let time = time.saturating_mul(1 << shown.refreshed.min(MAX_DOUBLINGS));
        if shown.heard_at.elapsed() < time {
            return Ok(());
        }
        shown.refreshed += 1;
        self.load_anew(tab, shown, None).await
    }

    /// Loads the page anew; with a reason, because it does not work: once, then the mode is given up.
    async fn load_anew(
        &mut self,
        tab: &Tab,
        shown: &mut Shown,
        why: Option<String>,
    ) -> Result<(), Next> {
        let Some(why) = why else {
            let loaded = tab.reload().await;
            shown.reset();
            return loaded.map_err(|it| {
                tracing::debug!(error = words(&it), "the page cannot be loaded anew");
                Next::Again
            });
        };
        self.reading = false;
        if shown.reloads > 0 {
            return Err(self.give_up(tab, why).await?);
        }
        self.say(PlatformState::Degraded, &format!("{why}: it is loaded once more"));
        shown.reloads += 1;
        shown.reset();
        tab.go(&shown.urls[1]);
        Ok(())
    }

    /// What a page that does not work means: a guard's question, a channel that is not live, or a page that
    /// has changed.
    async fn give_up(&mut self, tab: &Tab, why: String) -> Result<Next, Next> {
        let html = tab.html().await.unwrap_or_default();
        if is_challenge(&html) {
            let why = "the page asks whether we are human: stop the server and run \
                       `streamsuites rumble login`";
            return Ok(Next::Down { why: why.to_owned(), refused: true });
        }
        let page = Page::read(&html, self.config.web_url.as_str());
        let nothing = page.live == Live::Unknown && page.embed.is_none() && page.chat_url.is_none();
        if page.live == Live::No || (nothing && self.chat.is_none() && html.contains("videostream"))
        {
            self.wait_offline("not live, says the page in the browser").await?;
            return Ok(Next::Again);
        }
        Ok(Next::Down { why, refused: true })
    }

    /// Looks now and then whether the channel is still live, under the same chat.
    pub(super) async fn look_at_channel(
        &mut self,
        looking: &mut Looking,
        looked_at: &mut Instant,
        found: Option<&Found>,
    ) -> Result<(), Next> {
        if let Some(looked) = looking.take_if(|it| it.is_finished()) {
            // It is done, so this does not wait.
            match looked.await {
                Ok(Look::NotLive) => {
                    self.wait_offline("not live").await?;
                    return Err(Next::Again);
                }
                Ok(Look::Live(new)) if found.is_some_and(|it| it.chat_id != new.chat_id) => {
                    return Err(Next::Again);
                }
                _ => {}
            }
        }
        let every = Duration::from_secs(u64::from(self.config.offline_seconds));
        if looking.is_none() && looked_at.elapsed() >= every {
            *looked_at = Instant::now();
            let resolver = Arc::clone(&self.resolver);
            let look = self.shared.shared.life.spawn(async move { resolver.look().await });
            *looking = Some(AbortOnDropHandle::new(look));
        }
        Ok(())
    }
}
