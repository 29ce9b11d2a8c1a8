//! Reads one YouTube channel for one creator: waits for its stream, follows the chat, waits again.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    PRESENCE, VIDEO, Youtube, YoutubePlan,
    api_chat::{ApiChat, ApiPlace},
    finder::{Except, Finder, Found, Paid},
    follow::{Follow, Outcome, Purse, channel_item},
    site_chat::SiteChat,
};
use crate::{
    config::{channel_name::YoutubeChannel, platforms::YoutubeReading},
    http::Way,
    model::{EventBody, Platform, PlatformState, SessionStart, Timestamp},
    platforms::{Ingest, PlatformWorker, Raw, WorkerError},
};

/// Longest pause before a stream whose chat ended is followed again.
const LONGEST_AGAIN: Duration = Duration::from_secs(60);
/// A chat that was read for so long did not end at once.
const GOOD_READING: Duration = Duration::from_secs(300);
/// So long a stream without a chat is left alone: the chat may be switched on.
const WITHOUT_CHAT: Duration = Duration::from_secs(300);

/// Reads one channel until it is lost.
pub struct YoutubeWorker {
    shared: Arc<Youtube>,
    plan: YoutubePlan,
}

impl YoutubeWorker {
    /// For one attempt.
    #[must_use]
    pub fn new(shared: Arc<Youtube>, plan: YoutubePlan) -> Self {
        Self { shared, plan }
    }

    async fn read(&self, ingest: &mut Ingest) -> Result<(), WorkerError> {
        let plan = &self.plan;
        let channel = YoutubeChannel::parse(&plan.channel).ok_or_else(|| {
            WorkerError::permanent(format!("`{}` is not a YouTube channel", plan.channel))
        })?;
        let site = self.shared.site(plan);
        let api = self.shared.data_api(plan).await?;
        let quota = plan.key.as_ref().map(|it| self.shared.quota(&plan.creator, it));
        if plan.reading == YoutubeReading::DataApi && api.is_none() {
            return Err(WorkerError::permanent(
                "`reading` is `data_api`, and there is no YOUTUBE_API_KEY",
            ));
        }
        let memory = self.shared.memory().clone();
        let paid = api.clone().zip(quota.clone()).map(|(api, quota)| Paid { api, quota });
        let mut finder = Finder::new(
            site.clone(),
            paid,
            memory.clone(),
            Arc::clone(&plan.channel),
            channel,
            plan.offline_seconds,
        );
        let mut without_chat: Option<Except> = None;
        let mut again = Again::default();
        loop {
            let found = finder.wait(ingest, without_chat.as_ref()).await;
            let video = found.broadcast.video.clone();
            sleep(again.pause_before(&video)).await;
            // What was said of a stream without a chat is true until it has one.
            if !without_chat.take().is_some_and(|it| it.is_of(&video)) {
                ingest.status(PlatformState::Connecting, "");
            }
            self.tell_of(&found, ingest);

            let by_site = plan.reading != YoutubeReading::DataApi;
            let site_chat = by_site.then(|| SiteChat::new(site.clone(), &video));
            let by_api = plan.reading != YoutubeReading::InnerTube;
            let api_chat = api.clone().zip(quota.clone()).filter(|_| by_api);
            let seat = plan.key.as_ref().filter(|_| by_api).map(|it| self.shared.take_seat(it));
            let api_chat = api_chat.zip(seat.as_ref()).map(|((api, quota), seat)| {
                let place = ApiPlace {
                    api,
                    quota: quota.clone(),
                    memory: memory.clone(),
                    clients: Arc::clone(self.shared.clients()),
                    way: Way { ca_file: plan.ca_file.clone(), proxy: None },
                    base: Arc::clone(&plan.data_api_url),
                    channel: Arc::clone(&plan.channel),
                    creator: plan.creator.clone(),
                };
                let purse = Purse { quota, sharers: seat.counter() };
                (ApiChat::new(place, &video, found.live_chat_id.clone()), purse)
            });
            let clock = Arc::new(Timestamp::now);
            let mut follow =
                Follow::new(plan.reading, site_chat, api_chat, clock, plan.quiet_seconds);
            if let Some(trouble) = found.site_trouble {
                follow.note_site_trouble(trouble);
            }
            let began = Instant::now();
            let outcome = Box::pin(follow.run(ingest)).await?;
            if began.elapsed() >= GOOD_READING {
                again = Again::default();
            }
            match outcome {
                Outcome::Ended { delivered: false } if !found.broadcast.sure => {
                    finder.rest(ingest, "not live").await;
                }
                Outcome::Ended { .. } => {
                    self.forget_stream();
                    ingest.viewers(None);
                    ingest.status(PlatformState::Offline, "the chat ended");
                }
                Outcome::NoChat(reason) => {
                    // The next stream is looked for meanwhile.
                    ingest.status(PlatformState::Disabled, reason);
                    without_chat = Some(Except::new(video, WITHOUT_CHAT));
                    again = Again::default();
                }
            }
        }
    }

    /// Nobody speaks in the chat of a stream that is over.
    fn forget_stream(&self) {
        let (memory, channel) = (self.shared.memory(), &self.plan.channel);
        memory.forget(Platform::Youtube, channel, VIDEO);
        memory.remember(Platform::Youtube, channel, PRESENCE, "");
    }

    /// Tells which channel it is, how many watch, and that a stream began when that is certain.
    fn tell_of(&self, found: &Found, ingest: &mut Ingest) {
        let broadcast = &found.broadcast;
        let now = Timestamp::now();
        let (id, name) = (broadcast.channel_id.as_deref(), broadcast.channel_name.as_deref());
        if let Some(item) = channel_item(id, name) {
            ingest.accept(Raw::Youtube(Box::new(item)), now);
        }
        if broadcast.viewers.is_some() {
            ingest.viewers(broadcast.viewers);
        }
        let (memory, plan) = (self.shared.memory(), &self.plan);
        // For whoever speaks in the channel.
        memory.remember(Platform::Youtube, &plan.channel, VIDEO, &broadcast.video);
        // Others may read the channel, too: a stream is told to each.
        let told = format!("video {}", plan.creator);
        let known = memory.find(Platform::Youtube, &plan.channel, &told);
        if known.as_deref() == Some(broadcast.video.as_str()) {
            return;
        }
        memory.remember(Platform::Youtube, &plan.channel, &told, &broadcast.video);
        if broadcast.sure && found.is_new && broadcast.title.is_some() {
            let start = EventBody::SessionStart(SessionStart {
                session_id: format!("youtube-{}", broadcast.video),
                title: broadcast.title.clone(),
            });
            ingest.accept(Raw::Event(Box::new(start)), now);
        }
    }
}

impl PlatformWorker for YoutubeWorker {
    async fn run(self, ingest: &mut Ingest, stop: &CancellationToken) -> Result<(), WorkerError> {
        let read = Box::pin(self.read(ingest));
        stop.run_until_cancelled(read).await.unwrap_or(Ok(()))
    }
}

/// How often a stream was begun again, one time after the other.
#[derive(Debug, Default)]
struct Again {
    video: String,
    times: u32,
}

impl Again {
    /// How long to wait before `video` is followed: longer each time it is the same.
    fn pause_before(&mut self, video: &str) -> Duration {
        if self.video != video {
            *self = Self { video: video.to_owned(), times: 0 };
            return Duration::ZERO;
        }
        self.times += 1;
        Duration::from_secs(1 << self.times.min(6)).min(LONGEST_AGAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_ends_again_and_again_is_begun_more_and_more_seldom() {
        let mut again = Again::default();
        let mut pause = |video| again.pause_before(video).as_secs();
        let pauses: Vec<_> = (0..8).map(|_| pause("a")).collect();
        assert_eq!(pauses, [0, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!((pause("b"), pause("b")), (0, 2), "another one is another matter");
    }
}
