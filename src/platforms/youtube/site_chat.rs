//! The chat as the site reads it: a page to begin with, then one continuation after another.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{
    chat::{Chat, Looked},
    item::Item,
    page::{Look, Popout},
    shape::Shape,
    site::Site,
    trouble::Trouble,
};
use crate::config::channel_name::YoutubeChannel;

/// Shortest pause between two looks, in a busy chat.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
/// Longest pause, in a quiet chat. With the patience for an answer (5 s) what hangs is seen within 10 s.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// Items of one look from which on a chat is busy.
const BUSY_ITEMS: usize = 10;
/// Silence after which the page is loaded anew, the first time: now and then a feed falls silent for good.
const FIRST_SILENCE: Duration = Duration::from_secs(60);
/// The same, once it turned out that nobody says anything.
const LONGEST_SILENCE: Duration = Duration::from_secs(600);
/// How often it is asked how many watch.
const VIEWERS_EVERY: Duration = Duration::from_secs(60);

/// Reads the chat of one stream without a key.
pub struct SiteChat {
    site: Site,
    video: String,
    place: Option<Place>,
    shape: Shape,
    pause: Duration,
    heard: Instant,
    silence: Duration,
    viewers_due: Instant,
}

/// Where a reader is in a chat.
struct Place {
    popout: Popout,
    continuation: String,
    /// What comes next is what was said before.
    backlog: bool,
}

impl SiteChat {
    /// For the stream `video`.
    #[must_use]
    pub fn new(site: Site, video: &str) -> Self {
        Self {
            site,
            video: video.to_owned(),
            place: None,
            shape: Shape::default(),
            pause: Duration::from_secs(1),
            heard: Instant::now(),
            silence: FIRST_SILENCE,
            viewers_due: Instant::now() + VIEWERS_EVERY,
        }
    }

    async fn read(&mut self) -> Result<Looked, Trouble> {
        if self.place.is_some() && self.heard.elapsed() >= self.silence {
            self.silence = (self.silence * 2).min(LONGEST_SILENCE);
            self.heard = Instant::now();
            self.place = None;
            // A stream that ended may leave its chat open and silent.
            self.check_live().await?;
        }
        if self.place.is_none() {
            let popout = self.site.popout(&self.video).await?;
            let continuation = popout.continuation.clone();
            self.place = Some(Place { popout, continuation, backlog: true });
        }
        let place = self.place.as_ref().expect("it was just made");
        let (backlog, whole) = (place.backlog, place.popout.whole);
        let answer = self.site.chat(&place.popout, &place.continuation).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(trouble) => {
                self.begin_anew();
                return Err(trouble);
            }
        };
        let (actions, next) = match read_answer(answer) {
            Some(it) => it,
            None => {
                self.begin_anew();
                // Either the end, or no longer what it was.
                self.check_live().await?;
                return Err(Trouble::Shape("no continuation".to_owned()));
            }
        };
        self.shape.note(&actions)?;
        let place = self.place.as_mut().expect("it was just there");
        place.continuation = next.token;
        place.backlog = false;
        self.pause = self.next_pause(actions.len(), backlog, next.timeout);
        if !actions.is_empty() {
            self.heard = Instant::now();
            if !backlog {
                self.silence = FIRST_SILENCE;
            }
        }
        let mut viewers = None;
        if self.viewers_due <= Instant::now() {
            self.viewers_due = Instant::now() + VIEWERS_EVERY;
            let place = self.place.as_ref().expect("it was just there");
            viewers = self.site.viewers(&place.popout, &self.video).await;
        }
        let items = actions.into_iter().map(|action| Item::Action { action, backlog }).collect();
        let remark =
            if whole { "" } else { "only YouTube's selection of the chat (Top chat) is read" };
        Ok(Looked { items, pause: self.pause, viewers, remark })
    }

    /// Faster while much is said, slower while nothing is.
    fn next_pause(&self, items: usize, backlog: bool, timeout: Option<Duration>) -> Duration {
        let pause = match items {
            _ if backlog => Duration::from_secs(1),
            0 => self.pause.mul_f64(1.5),
            1..BUSY_ITEMS => self.pause.mul_f64(0.7),
            _ => self.pause.mul_f64(0.4),
        };
        // The site asks for less than that where it wants to be asked soon.
        let most = timeout.map_or(LONGEST_PAUSE, |it| it.min(LONGEST_PAUSE));
        pause.clamp(SHORTEST_PAUSE, most.max(SHORTEST_PAUSE))
    }

    /// Says [`Trouble::Ended`] when the stream is not live any more.
    async fn check_live(&self) -> Result<(), Trouble> {
        match self.site.look(&YoutubeChannel::Video(self.video.clone())).await? {
            Look::Live(_) | Look::Unclear(_) => Ok(()),
            Look::Scheduled(_) | Look::NotLive => Err(Trouble::Ended),
        }
    }
}

impl Chat for SiteChat {
    async fn look(&mut self) -> Result<Looked, Trouble> {
        Box::pin(self.read()).await
    }

    async fn knock(&mut self) -> Result<(), Trouble> {
        Ok(())
    }

    fn begin_anew(&mut self) {
        self.place = None;
        self.pause = Duration::from_secs(1);
        self.heard = Instant::now();
    }
}

/// Where to ask next.
struct Next {
    token: String,
    timeout: Option<Duration>,
}

/// The actions of an answer, out of their wrapping, and where to ask next; `None` at the end of a chat.
fn read_answer(mut answer: Value) -> Option<(Vec<Value>, Next)> {
    let chat = answer.pointer_mut("/continuationContents/liveChatContinuation")?;
    let next = chat["continuations"].as_array()?.iter().find_map(|continuation| {
        let kinds = continuation.as_object()?;
        kinds.iter().find_map(|(kind, it)| {
            // Those of a replay: the stream is over.
            if matches!(
                kind.as_str(),
                "liveChatReplayContinuationData" | "playerSeekContinuationData"
            ) {
                return None;
            }
            let timeout = it["timeoutMs"].as_u64().map(Duration::from_millis);
            Some(Next { token: it["continuation"].as_str()?.to_owned(), timeout })
        })
    })?;
    let actions = match chat["actions"].take() {
        Value::Array(actions) => actions,
        _ => Vec::new(),
    };
    Some((actions, next))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(continuations: Value) -> Value {
        json!({"continuationContents": {"liveChatContinuation": {"continuations": continuations}}})
    }

    #[test]
    fn every_kind_of_continuation_is_followed_and_every_end_is_one() {
        for (kind, timeout) in [
            ("invalidationContinuationData", Some(10_000)),
            ("timedContinuationData", Some(1_500)),
            ("reloadContinuationData", None),
            ("someContinuationOfTomorrow", None),
        ] {
            let mut data = json!({"continuation": "next"});
            if let Some(timeout) = timeout {
                data["timeoutMs"] = timeout.into();
            }
            let (actions, next) = read_answer(answer(json!([{kind: data}]))).unwrap();
            assert!(actions.is_empty());
            assert_eq!(next.token, "next", "{kind}");
            assert_eq!(next.timeout, timeout.map(Duration::from_millis));
        }
        let replay = json!([{"liveChatReplayContinuationData": {"continuation": "x"}}]);
        let seek = json!([{"playerSeekContinuationData": {"continuation": "x"}}]);
        for end in [replay, seek, json!([]), json!(null)] {
            assert!(read_answer(answer(end.clone())).is_none(), "{end}");
        }
        assert!(read_answer(json!({"responseContext": {}})).is_none());
    }
}
