//! What a page in the browser tells, and what of it is for the room.

use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::{
    Happening, Mode, Record,
    observer::Report,
    page::origin_on,
    page_reader::REVIVE_AFTER,
    resolve::{By, Found},
    tab::TabEvent,
    worker::{Next, Reader},
};
use crate::model::{PlatformState, Timestamp};

/// What is known of the page that is open.
pub(super) struct Shown {
    /// The page's address, and another one to try when it does not work.
    pub(super) urls: [String; 2],
    pub(super) loaded_at: Instant,
    /// How often it was loaded anew because it did not work.
    pub(super) reloads: u32,
    /// How often it was loaded anew because it was quiet.
    pub(super) refreshed: u32,
    pub(super) asked: bool,
    /// The page's requests for the chat's stream.
    pub(super) requests: Vec<String>,
    pub(super) status: Option<i64>,
    pub(super) tapped_at: Option<Instant>,
    pub(super) rows_at: Option<Instant>,
    pub(super) heard_at: Instant,
    pub(super) listed: bool,
    pub(super) unreadable_since: Option<Instant>,
    pub(super) listing: Option<u32>,
}

impl Shown {
    pub(super) fn new(urls: [String; 2]) -> Self {
        Self {
            urls,
            loaded_at: Instant::now(),
            reloads: 0,
            refreshed: 0,
            asked: false,
            requests: Vec::new(),
            status: None,
            tapped_at: None,
            rows_at: None,
            heard_at: Instant::now(),
            listed: false,
            unreadable_since: None,
            listing: None,
        }
    }

    /// It is being loaded anew.
    pub(super) fn reset(&mut self) {
        let (urls, reloads, refreshed) = (self.urls.clone(), self.reloads, self.refreshed);
        *self = Self { reloads, refreshed, ..Self::new(urls) };
    }
}

impl Reader<'_> {
    /// Takes what the page tells.
    pub(super) async fn take_event(
        &mut self,
        event: TabEvent,
        shown: &mut Shown,
        found: &mut Option<Found>,
    ) -> Result<(), Next> {
        match event {
            TabEvent::Asked { request, chat_id, origin } => {
                shown.asked = true;
                shown.requests.push(request);
                self.learn(chat_id, &origin, shown, found);
            }
            TabEvent::Answered { status, .. } => shown.status = Some(status),
            TabEvent::Tapped { request, data, at } => {
                // Pages have other streams too; and what a stream brings may be told before who asked for it.
                let own = shown.requests.contains(&request);
                let record = match Record::parse(&data) {
                    Some(Record::Other(_)) if !own => return Ok(()),
                    Some(record) => record,
                    None if own => {
                        self.accept(Happening::Unreadable("record"), at);
                        return Ok(());
                    }
                    None => return Ok(()),
                };
                let now = Instant::now();
                (shown.tapped_at, shown.heard_at) = (Some(now), now);
                if !record.lines().is_empty() {
                    self.ladder.works();
                }
                if matches!(&record, Record::Messages(it) if !it.lines.is_empty()) {
                    shown.refreshed = 0;
                }
                match self.ladder.mode() {
                    Mode::PageTap => {
                        self.begin_found(found.as_ref());
                        self.take(record, at).await?;
                        self.say_live();
                    }
                    // It was behind; it works again, and it is time to try it.
                    Mode::DomMutation if self.ladder.is_time() && !record.lines().is_empty() => {
                        return Err(Next::Up(Mode::PageTap));
                    }
                    _ => {}
                }
            }
            TabEvent::Shown(report, at) => self.take_report(&report, at, shown, found).await?,
            TabEvent::NotLoaded(words) => {
                self.reading = false;
                let why = format!("the page cannot be loaded: {words}");
                self.say(PlatformState::Degraded, &why);
                if self.ladder.lost() {
                    return Err(Next::Down { why, refused: false });
                }
                self.pause(self.retry_time(self.ladder.failures())).await?;
                return Err(Next::Again);
            }
            TabEvent::Crashed | TabEvent::Hangs => {
                self.reading = false;
                let why = match event {
                    TabEvent::Hangs => "the page does not answer".to_owned(),
                    _ => "the page crashed".to_owned(),
                };
                self.say(PlatformState::Degraded, &why);
                if self.ladder.lost() {
                    return Err(Next::Down { why, refused: true });
                }
                self.pause(REVIVE_AFTER).await?;
                return Err(Next::Again);
            }
        }
        Ok(())
    }

    /// The page's own request tells the chat's number, and its server.
    fn learn(&mut self, chat_id: String, origin: &str, shown: &Shown, found: &mut Option<Found>) {
        if found.as_ref().is_some_and(|it| it.chat_id == chat_id) {
            return;
        }
        let site = self.config.web_url.as_str();
        let chat_url = origin_on(origin, site);
        let chat_url = chat_url.unwrap_or_else(|| self.config.chat_url.as_str().to_owned());
        tracing::info!(chat_id, "the page's own request tells the chat");
        let new = Found {
            chat_id,
            chat_url,
            page_url: shown.urls[1].clone(),
            embed: found.as_ref().and_then(|it| it.embed.clone()),
            title: found.as_ref().and_then(|it| it.title.clone()),
            by: By::Site,
        };
        self.resolver.place.remember(&new);
        *found = Some(new);
    }

    fn begin_found(&mut self, found: Option<&Found>) {
        // A page may show its chat before it asks for it.
        match found {
            Some(it) => self.begin(&it.chat_id.clone(), it.title.clone().as_deref()),
            None if self.chat.is_none() => self.begin("unknown", None),
            None => {}
        }
    }

    async fn take_report(
        &mut self,
        report: &Report,
        at: Timestamp,
        shown: &mut Shown,
        found: &Option<Found>,
    ) -> Result<(), Next> {
        let dom = self.ladder.mode() == Mode::DomMutation;
        match report {
            Report::List => {
                shown.listed = true;
                shown.listing = Some(self.shared.listings.fetch_add(1, Ordering::Relaxed) + 1);
            }
            Report::Gone { ids } if dom => self.accept(Happening::Gone(ids.clone()), at),
            Report::Gone { .. } => {}
            Report::Rows { first, rows, shown: all, readable } => {
                shown.listed = true;
                if *all > 0 && *readable == 0 {
                    shown.unreadable_since.get_or_insert_with(Instant::now);
                    return Ok(());
                }
                shown.unreadable_since = None;
                let times = rows.iter().filter_map(|it| Timestamp::parse(&it.time).ok());
                self.page_newest = self.page_newest.max(times.max());
                let news = !first && !rows.is_empty();
                if news {
                    shown.rows_at = Some(Instant::now());
                    shown.refreshed = 0;
                }
                if !dom {
                    return Ok(());
                }
                self.begin_found(found.as_ref());
                if news {
                    shown.heard_at = Instant::now();
                    self.liveness.hear();
                    self.ladder.works();
                }
                for row in rows {
                    let mut row = Box::new(row.clone());
                    row.listing = shown.listing.filter(|_| *first);
                    self.accept(Happening::Row(row), at);
                }
                let ready = self.ingest.ready();
                self.stop.run_until_cancelled(ready).await.ok_or(Next::Stop)?;
                self.say_live();
            }
        }
        Ok(())
    }
}
