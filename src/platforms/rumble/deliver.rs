//! What a worker gives to its room, whichever way it was learnt.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::{
    Happening, Record, What,
    api::{Heard, Told},
    resolve::Found,
    value::{id, number, text},
    worker::{Next, Reader},
};
use crate::{
    http::{Answer, CALL_TIMEOUT},
    model::{EventBody, Platform, SessionStart, Timestamp},
    platforms::Raw,
};

/// Age at which a rant of the API is told although the chat is read: by then the chat would have told it.
const RANT_WAITS: Duration = Duration::from_secs(15);
/// Age at which any other message of the API is forgotten while the chat is read.
const MESSAGE_WAITS: Duration = Duration::from_secs(30);
/// Most of them that wait (count).
const MAX_HELD: usize = 200;
/// How often it is asked how many are watching.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// The fact until when the API's news were told.
const SINCE: &str = "api-since";
/// Age of that fact from which it is of another day (ms).
const SINCE_MS: i64 = 24 * 3_600 * 1_000;
/// Largest catalogue of emotes (bytes).
const MAX_EMOTES_BYTES: usize = 4 * 1024 * 1024;

impl Reader<'_> {
    pub(super) fn accept(&mut self, happening: Happening, at: Timestamp) {
        self.ingest.accept(Raw::Rumble(Box::new(happening)), at);
    }

    /// A chat is read from here on. Told once for each chat.
    pub(super) fn begin(&mut self, chat_id: &str, title: Option<&str>) {
        if self.chat.as_deref() == Some(chat_id) {
            return;
        }
        let first = self.chat.replace(chat_id.to_owned()).is_none();
        // The page's clock, else the API's, else ours: what is older was said before we came.
        let cut_off = match first {
            true => {
                let newest = self.page_newest.or(self.api_newest);
                newest.map_or(self.started, |it| it.plus_ms(1))
            }
            false => self.started,
        };
        let now = Timestamp::now();
        self.accept(Happening::Began { chat_id: chat_id.to_owned(), cut_off }, now);
        // It was not live, and now it is: certainly another stream.
        if self.was_offline {
            self.was_offline = false;
            let start = SessionStart {
                session_id: format!("rumble-{chat_id}"),
                title: title.map(str::to_owned),
            };
            self.ingest.accept(Raw::Event(Box::new(EventBody::SessionStart(start))), now);
        }
    }

    /// Takes a record of the chat's stream. `Err` when the worker is told to stop meanwhile.
    pub(super) async fn take(&mut self, record: Record, at: Timestamp) -> Result<(), Next> {
        for line in record.lines() {
            if let Some(id) = &line.id {
                self.recent.insert(id);
            }
            self.newest = self.newest.max(line.time);
        }
        if !record.lines().is_empty() {
            self.liveness.hear();
        }
        self.accept(Happening::Record(Box::new(record)), at);
        // Its room's audience may be long in catching up: a stop does not wait for that.
        self.stop.run_until_cancelled(self.ingest.ready()).await.ok_or(Next::Stop)
    }

    /// Takes what the API told.
    pub(super) fn hear_api(&mut self, heard: Heard) {
        match heard {
            Heard::Told(told) => {
                self.api_trouble = None;
                self.take_told(*told);
            }
            Heard::Refused(words) => {
                tracing::error!("{words}");
                let source = format!("rumble:{}", self.plan.channel);
                self.shared.shared.telemetry.recent.error(
                    "platforms",
                    "permanent",
                    &source,
                    words.to_owned(),
                );
                self.api_trouble = Some(words.to_owned());
                self.api_live = None;
            }
            // What it told before holds for now.
            Heard::Failed(words) => tracing::debug!(words, "the Live Stream API failed"),
        }
        self.release_held();
    }

    fn take_told(&mut self, told: Told) {
        let Told { live, news, now, newest_message } = told;
        let now = now.unwrap_or_else(Timestamp::now);
        let mut unknown = false;
        let since = match self.api_since {
            Some(it) => it,
            None => {
                let memory = &self.shared.shared.memory;
                let known = memory.find(Platform::Rumble, &self.plan.channel, &self.since_fact());
                let known = known.and_then(|it| Timestamp::parse(&it).ok());
                let known = known.filter(|it| (0..SINCE_MS).contains(&now.ms_since(*it)));
                unknown = known.is_none();
                let since = known.unwrap_or(now);
                self.api_since = Some(since);
                self.remember_since(now);
                since
            }
        };
        if let Some(live) = &live {
            self.ingest.viewers(live.viewers);
        }
        self.api_live = live;
        self.api_newest = self.api_newest.max(newest_message);
        let mut told_any = false;
        for it in news {
            // What has no time is new unless it was there the very first time.
            if it.at.map_or(unknown, |at| at < since) {
                continue;
            }
            told_any = true;
            match it.what {
                What::Say(_) => {
                    if self.held.len() == MAX_HELD {
                        self.held.pop_front();
                    }
                    self.held.push_back((Instant::now(), it));
                }
                _ => self.accept(Happening::News(Box::new(it)), Timestamp::now()),
            }
        }
        if told_any {
            self.remember_since(now);
        }
    }

    /// Each creator has their own: others may read the channel, too.
    fn since_fact(&self) -> String {
        format!("{SINCE} {}", self.plan.creator)
    }

    fn remember_since(&self, now: Timestamp) {
        let memory = &self.shared.shared.memory;
        memory.remember(Platform::Rumble, &self.plan.channel, &self.since_fact(), &now.to_string());
    }

    /// Tells the API's messages where nobody else does. Those that the chat told are recognised.
    fn release_held(&mut self) {
        let mut kept = std::collections::VecDeque::new();
        while let Some((at, news)) = self.held.pop_front() {
            let paid = matches!(&news.what, What::Say(it) if it.rant_cents.is_some());
            if !self.reading || (paid && at.elapsed() >= RANT_WAITS) {
                self.accept(Happening::News(Box::new(news)), Timestamp::now());
            } else if paid || at.elapsed() < MESSAGE_WAITS {
                kept.push_back((at, news));
            }
        }
        self.held = kept;
    }

    /// Asks now and then how many are watching, where the API does not tell.
    pub(super) fn count_viewers(&mut self, embed: Option<&str>) {
        if let Some(counting) = self.counting.take_if(|it| it.is_finished()) {
            // It is done, so this does not wait; a failure is no number.
            if let Some(Ok(count)) = futures_util::FutureExt::now_or_never(counting) {
                self.ingest.viewers(count);
            }
        }
        let due = self.counted_at.is_none_or(|it| it.elapsed() >= COUNT_EVERY);
        let Some(video) = embed.and_then(|it| it.strip_prefix('v')) else { return };
        if self.plan.api_key.is_some() || self.counting.is_some() || !due {
            return;
        }
        self.counted_at = Some(Instant::now());
        let url = format!("{}/service.php", self.config.viewers_url.as_str());
        let request = self
            .client
            .get(url)
            .query(&[("name", "video.watching_now"), ("video", video)])
            .header("user-agent", &self.config.user_agent)
            .timeout(CALL_TIMEOUT);
        let counting = self.shared.shared.life.spawn(async move {
            let answer = Answer::read(request.send().await.ok()?, 64 * 1024).await.ok()?;
            let document: Value = answer.json()?;
            number(document.get("data")?, &["viewer_count", "num_watching_now"])?.try_into().ok()
        });
        self.counting = Some(AbortOnDropHandle::new(counting));
    }

    /// Fetches the chat's emotes, in a task of its own: messages do not wait for them.
    pub(super) fn fetch_emotes(
        &self,
        found: &Found,
    ) -> AbortOnDropHandle<Option<HashMap<String, String>>> {
        let url = format!("{}/service.php", self.config.web_url.as_str());
        let request = self
            .client
            .get(url)
            .query(&[("name", "emote.list"), ("chat_id", &found.chat_id)])
            .header("user-agent", &self.config.user_agent)
            .timeout(CALL_TIMEOUT);
        let channel = Arc::clone(&self.plan.channel);
        let fetching = self.shared.shared.life.spawn(async move {
            let emotes = async {
                let answer = Answer::read(request.send().await.ok()?, MAX_EMOTES_BYTES).await.ok()?;
                read_emotes(&answer.json()?)
            };
            let emotes = emotes.await;
            if emotes.is_none() {
                tracing::debug!(%channel, "the chat's emotes cannot be had: they are shown as text");
            }
            emotes
        });
        AbortOnDropHandle::new(fetching)
    }
}

/// Name and address of every emote of a catalogue.
fn read_emotes(catalogue: &Value) -> Option<HashMap<String, String>> {
    let items = catalogue.get("data")?.get("items")?.as_array()?;
    let emotes = items.iter().filter_map(|it| it.get("emotes")?.as_array()).flatten();
    let named = emotes.filter_map(|it| {
        let name = text(it, &["name"])?.trim_matches(':');
        let file = text(it, &["file"]).map(str::to_owned).or_else(|| id(it, &["file"]))?;
        Some((name.to_owned(), file))
    });
    Some(named.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_holds_the_sites_emotes_and_the_channels() {
        let json = r#"{"data":{"items":[{"id":1,"channel_id":null,"emotes":[{"name":"r+smile","file":"https://ak2.rmbl.ws/a.png"}]},{"id":2,"emotes":null},{"id":3,"channel_id":5,"emotes":[{"name":"wave","file":"https://ak2.rmbl.ws/b.png"},{"name":"broken"}]}]}}"#;
        let emotes = read_emotes(&serde_json::from_str(json).unwrap()).unwrap();
        assert_eq!(emotes.len(), 2);
        assert_eq!(emotes["wave"], "https://ak2.rmbl.ws/b.png");
        assert_eq!(read_emotes(&Value::Bool(false)), None);
    }
}
