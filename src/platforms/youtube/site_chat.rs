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
/// Longest pause, in a quiet chat.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// Longest time of a whole look, whatever it asks and whichever way: with the longest pause, what hangs is seen
/// within 10 s.
const LOOK_PATIENCE: Duration = Duration::from_millis(5_500);
/// Looks in a row that may fail before its page is loaded anew (count).
const MAX_FAILURES: u32 = 3;
/// Longest pause that an answer may ask for.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);
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
    /// Where it was when it gave its page up: tried once more from the next page, whose own place skips what was said
    /// in between.
    kept: Option<String>,
    shape: Shape,
    pause: Duration,
    /// Looks in a row that failed since it had its place.
    failures: u32,
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
    /// The page's own place, while one of before is tried.
    spare: Option<String>,
}

impl Place {
    fn new(popout: Popout, kept: Option<String>) -> Self {
        let own = popout.continuation.clone();
        match kept {
            Some(continuation) => Self { popout, continuation, backlog: false, spare: Some(own) },
            None => Self { popout, continuation: own, backlog: true, spare: None },
        }
    }
}

impl SiteChat {
    /// For the stream `video`.
    #[must_use]
    pub fn new(site: Site, video: &str) -> Self {
        Self {
            site,
            video: video.to_owned(),
            place: None,
            kept: None,
            shape: Shape::default(),
            pause: Duration::from_secs(1),
            failures: 0,
            heard: Instant::now(),
            silence: FIRST_SILENCE,
            viewers_due: Instant::now() + VIEWERS_EVERY,
        }
    }

    async fn read(&mut self) -> Result<Looked, Trouble> {
        let deadline = Instant::now() + LOOK_PATIENCE;
        if self.place.is_some() && self.heard.elapsed() >= self.silence {
            self.silence = (self.silence * 2).min(LONGEST_SILENCE);
            self.heard = Instant::now();
            // A stream that ended may leave its chat open and silent.
            self.check_live(deadline).await?;
            self.place = None;
        }
        if self.place.is_none() {
            let popout = self.site.popout(&self.video, deadline).await?;
            self.place = Some(Place::new(popout, self.kept.take()));
        }
        let place = self.place.as_ref().expect("it was just made");
        let (backlog, whole) = (place.backlog, place.popout.whole);
        let answer = self.site.chat(&place.popout, &place.continuation, deadline).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(trouble) => {
                self.note_failure(&trouble);
                return Err(trouble);
            }
        };
        let (actions, next) = match read_answer(answer) {
            Some(it) => it,
            None => {
                let trouble = Trouble::Shape("no continuation".to_owned());
                self.note_failure(&trouble);
                // Either the end, or no longer what it was.
                self.check_live(deadline).await?;
                return Err(trouble);
            }
        };
        self.failures = 0;
        self.shape.note(&actions)?;
        let place = self.place.as_mut().expect("it was just there");
        place.continuation = next.token;
        place.backlog = false;
        place.spare = None;
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
            viewers = self.site.viewers(&place.popout, &self.video, deadline).await;
        }
        let items = actions.into_iter().map(|action| Item::Action { action, backlog }).collect();
        let remark =
            if whole { "" } else { "only YouTube's selection of the chat (Top chat) is read" };
        Ok(Looked { items, pause: self.pause, viewers, remark })
    }

    /// What a page shows of before is short, so the place in the chat is worth more than a failure that says nothing of
    /// it: what no page leads on from is given up, and nothing else.
    fn note_failure(&mut self, trouble: &Trouble) {
        self.failures += 1;
        if matches!(trouble, Trouble::Unreachable(_) | Trouble::Blocked(_) | Trouble::Consent) {
            return;
        }
        let Some(place) = &mut self.place else { return };
        if let Some(own) = place.spare.take() {
            (place.continuation, place.backlog, self.failures) = (own, true, 0);
        } else if *trouble == Trouble::Stale {
            self.begin_anew();
        } else if self.failures >= MAX_FAILURES {
            let kept = (!place.backlog).then(|| place.continuation.clone());
            self.begin_anew();
            self.kept = kept;
        }
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
    async fn check_live(&self, deadline: Instant) -> Result<(), Trouble> {
        match self.site.look(&YoutubeChannel::Video(self.video.clone()), deadline).await? {
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
        self.kept = None;
        self.failures = 0;
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
            let timeout =
                it["timeoutMs"].as_u64().map(|it| Duration::from_millis(it).min(LONGEST_TIMEOUT));
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
    use std::{
        collections::VecDeque,
        sync::{Arc, Mutex},
    };

    use axum::{Json, Router, http::StatusCode, response::Html, routing};
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::{super::ways::Ways, *};
    use crate::http::Way;

    /// A chat whose looks are answered with `statuses`, and which pages and places were asked for.
    async fn chat_of(statuses: &[u16]) -> (SiteChat, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let statuses = Arc::new(Mutex::new(VecDeque::from(statuses.to_vec())));
        let (pages, places) = (Arc::clone(&asked), Arc::clone(&asked));
        let page = move || {
            pages.lock().unwrap().push("page".to_owned());
            let data = json!({"contents": {"liveChatRenderer": {"continuations":
                [{"invalidationContinuationData": {"continuation": "first"}}]}}});
            let page = format!("<script>var ytInitialData = {data};</script>");
            async { Html(page) }
        };
        let chat = move |Json(body): Json<Value>| {
            let place = body["continuation"].as_str().unwrap().to_owned();
            let status = statuses.lock().unwrap().pop_front().unwrap_or(200);
            let next = format!("{place}+");
            places.lock().unwrap().push(place);
            let next = answer(json!([{"timedContinuationData": {"continuation": next}}]));
            async move { (StatusCode::from_u16(status).unwrap(), Json(next)) }
        };
        let app = Router::new()
            .route("/live_chat", routing::get(page))
            .route("/youtubei/v1/live_chat/get_live_chat", routing::post(chat));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let ways = Arc::new(Ways::new(&Way::default(), &[]));
        (SiteChat::new(Site::new(Arc::default(), ways, &url), "aaaaaaaaaaa"), asked)
    }

    #[tokio::test]
    async fn a_glitch_costs_no_place_and_neither_does_the_third_failure_but_a_stale_one_is_given_up()
     {
        for (statuses, expected) in [
            (&[200, 503, 429, 200][..], "page first first+ first+ first+"),
            (&[200, 400, 200], "page first first+ page first"),
            (&[200, 503, 503, 503, 200], "page first first+ first+ first+ page first+"),
            // From a new page it does not lead on either: then that page's own.
            (&[200, 503, 503, 503, 503, 200], "page first first+ first+ first+ page first+ first"),
            (
                &[200, 503, 503, 503, 400, 200, 200],
                "page first first+ first+ first+ page first+ first first+",
            ),
            (
                &[200, 503, 503, 200, 503, 503, 200],
                "page first first+ first+ first+ first++ first++ first++",
            ),
        ] {
            let (mut chat, asked) = chat_of(statuses).await;
            for status in statuses {
                assert_eq!(chat.look().await.is_ok(), *status == 200);
            }
            assert_eq!(asked.lock().unwrap().join(" "), expected);
        }
    }

    fn answer(continuations: Value) -> Value {
        json!({"continuationContents": {"liveChatContinuation": {"continuations": continuations}}})
    }

    #[test]
    fn every_kind_of_continuation_is_followed_and_every_end_is_one() {
        for (kind, timeout) in [
            ("invalidationContinuationData", Some(10_000)),
            ("timedContinuationData", Some(1_500)),
            ("timedContinuationData", Some(u64::MAX)),
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
            let most = LONGEST_TIMEOUT;
            assert_eq!(next.timeout, timeout.map(|it| Duration::from_millis(it).min(most)));
        }
        let replay = json!([{"liveChatReplayContinuationData": {"continuation": "x"}}]);
        let seek = json!([{"playerSeekContinuationData": {"continuation": "x"}}]);
        for end in [replay, seek, json!([]), json!(null)] {
            assert!(read_answer(answer(end.clone())).is_none(), "{end}");
        }
        assert!(read_answer(json!({"responseContext": {}})).is_none());
    }
}
